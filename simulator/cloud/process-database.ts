import type { Database } from '@sparc/cloud-sync/db';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import { sleep, type SeededRandom } from '../world/index.js';
import type { CloudDisk } from './cloud-disk.js';

/** Where in a transaction a process can die. */
export type TransactionPhase = 'beforeCommit' | 'afterCommit';

/** To the server of the database, and back. */
const WAY_MS = { min: 0.2, max: 8 };

export interface ProcessDatabaseDeps {
  /** Of the process: a dead one hears of nothing. */
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly disk: CloudDisk;
  /** True where the process dies. */
  readonly onPhase: (phase: TransactionPhase) => boolean;
  readonly isAway: () => boolean;
  /** For a seeded defect: of this transaction it says that it is committed, and it is not. */
  readonly isLie: () => boolean;
}

/** The database as one process of a cloud has it: some way off, and away at times. */
export function processDatabase(deps: ProcessDatabaseDeps): Database {
  const { clock, random, disk, onPhase, isAway, isLie } = deps;
  const travel = () => sleep(clock, random.between(WAY_MS.min, WAY_MS.max));
  const transaction = async <T>(run: (database: Database) => Promise<T>): Promise<T> => {
    await travel();
    if (onPhase('beforeCommit')) return never();
    if (isAway()) throw new SparcError('ERR_DATABASE_UNREACHABLE', 'the simulated database is away');
    const result = await disk.work(run);
    if (onPhase('afterCommit')) return never();
    await travel();
    return result;
  };
  return {
    inTenant: (tenant, work) =>
      transaction((database) => (isLie() ? rolledBack(database, tenant, work) : database.inTenant(tenant, work))),
    readInTenant: (tenant, work) => transaction((database) => database.readInTenant(tenant, work)),
    asSystem: (purpose, work) => transaction((database) => database.asSystem(purpose, work)),
    listen: () => never(),
    close: () => Promise.resolve(),
  };
}

const never = (): Promise<never> => new Promise(() => undefined);

async function rolledBack<T>(
  database: Database,
  tenant: string,
  work: Parameters<Database['inTenant']>[1],
): Promise<T> {
  let result: unknown;
  const rollback = new Error('as if it had been committed');
  await database
    .inTenant(tenant, async (transaction) => {
      result = await work(transaction);
      throw rollback;
    })
    .catch((error: unknown) => {
      if (error !== rollback) throw error;
    });
  return result as T;
}
