/** What databases of tests seal with, but those of a process that has keys of its own. */
export const SEALING_SECRET = new Uint8Array(32).fill(0x5e);
