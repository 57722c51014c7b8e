import type { Hlc } from '@sparc/protocol/hlc';

/** A stamp as the detail of a record holds it. */
export const stampText = ({ unixMs, counter }: Hlc): string => `${unixMs}.${counter}`;

/** Undefined for a text that is no stamp. */
export function readStamp(text: string | undefined): Hlc | undefined {
  const match = /^(\d{1,15})\.(\d{1,5})$/.exec(text ?? '');
  return match === null ? undefined : { unixMs: Number(match[1]), counter: Number(match[2]) };
}
