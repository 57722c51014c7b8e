import { createHash } from 'node:crypto';

/** Bytes of an id of a raise. */
export const RAISE_ID_SIZE = 16;

/** The same at every gateway that says the same. `words`: the first says what for. */
export const raiseIdOf = (...words: readonly [string, ...string[]]): string =>
  createHash('sha256')
    .update(JSON.stringify(words))
    .digest('hex')
    .slice(0, 2 * RAISE_ID_SIZE);

/** In place of an id that was released before whoever foresaw it raised it. */
export const nextRaiseId = (id: string): string => raiseIdOf('sparc raise again 1', id);
