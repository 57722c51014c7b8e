import { randomBytes } from 'node:crypto';
import type { Random } from '@sparc/protocol/ports';

/** The operating system's generator. */
export const nodeRandom: Random = {
  bytes: (length) => Uint8Array.from(randomBytes(length)),
};
