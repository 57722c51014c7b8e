import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { Clock, Random } from '@sparc/protocol/ports';
import { toHex } from '../platform/index.js';
import { createNote, replaceNote, type ActFacts, type ActName, type ActNote } from './act-note.js';

export interface Act<Name extends ActName, T> {
  readonly name: Name;
  readonly by: string;
  readonly account: string;
  readonly work: () => T | Promise<T>;
  /** What the record says of the result. */
  readonly facts: (result: T) => ActFacts<Name>;
}

/**
 * Does something to a data directory and notes it there, for a gateway that may not run: first that it begins, then how
 * it ended. Rejects with ERR_CLI_ACT_UNRECORDED where it cannot be noted and so is not done, or as `work` does.
 */
export async function act<Name extends ActName, T>(
  dataDir: string,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  { name, by, account, work, facts }: Act<Name, T>,
): Promise<T> {
  const atUnixMs = clock.wall().unixMs;
  const id = `${String(Math.round(atUnixMs)).padStart(15, '0')}-${toHex(random.bytes(6))}`;
  const begun: ActNote = { name, by, account, atUnixMs: Math.round(atUnixMs), outcome: 'begun', facts: {} };
  try {
    createNote(dataDir, id, begun);
  } catch (cause) {
    const message = `${name} is not done, because it cannot be noted in ${dataDir}: ${(cause as Error).message}`;
    throw new SparcError('ERR_CLI_ACT_UNRECORDED', message, { dataDir }, { cause });
  }
  try {
    const result = await work();
    end(dataDir, id, { ...begun, outcome: 'done', facts: facts(result) });
    return result;
  } catch (error) {
    const code = isSparcError(error) ? error.code : 'ERR_CLI_INTERNAL';
    end(dataDir, id, { ...begun, outcome: 'failed', code });
    throw error;
  }
}

/** What cannot be noted any more stays as begun, and is recorded as unknown. */
function end(dataDir: string, id: string, note: ActNote): void {
  try {
    replaceNote(dataDir, id, note);
  } catch {
    return;
  }
}
