import { createHash } from 'node:crypto';

/** Bytes of an id of a raise. */
export const RAISE_ID_SIZE = 16;

/** In place of an id that was released before whoever foresaw it raised it: the same at every gateway. */
export const nextRaiseId = (id: string): string =>
  createHash('sha256')
    .update(JSON.stringify(['sparc raise again 1', id]))
    .digest('hex')
    .slice(0, 2 * RAISE_ID_SIZE);
