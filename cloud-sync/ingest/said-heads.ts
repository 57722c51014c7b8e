import { sql } from 'kysely';
import type { EpochEnd } from '@sparc/protocol/replication';
import type { Transaction } from '../db/index.js';
import { hexColumn } from '../platform/index.js';

/** In the order that `gateway_status` is kept in. */
const compare = (a: EpochEnd, b: EpochEnd): number =>
  a.epoch.counter - b.epoch.counter || Buffer.compare(a.epoch.random, b.epoch.random) || a.sequence - b.sequence;

/** The newest of what was said of one log; undefined where it is not newer than what was `known`. */
export function newerThan(known: EpochEnd | undefined, said: readonly EpochEnd[]): EpochEnd | undefined {
  const [newest] = [...said].sort(compare).slice(-1);
  return newest !== undefined && (known === undefined || compare(newest, known) > 0) ? newest : undefined;
}

/** Keeps up to where the logs of these gateways, in hex, are said to go. Who has an older word, or comes later with it, changes nothing. */
export async function keepSaid(
  { query }: Transaction,
  tenant: string,
  said: ReadonlyMap<string, EpochEnd>,
): Promise<void> {
  const rows = [...said].map(([gateway, { epoch, sequence }]) => ({
    tenant_id: tenant,
    gateway_id: hexColumn(gateway),
    ...{ said_epoch: epoch.counter, said_epoch_random: Buffer.from(epoch.random), said_sequence: sequence },
  }));
  await query
    .insertInto('gateway_status')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['tenant_id', 'gateway_id'])
        .doUpdateSet((row) => ({
          said_epoch: row.ref('excluded.said_epoch'),
          said_epoch_random: row.ref('excluded.said_epoch_random'),
          said_sequence: row.ref('excluded.said_sequence'),
        }))
        .where(
          sql<boolean>`gateway_status.said_epoch is null or
            (excluded.said_epoch, excluded.said_epoch_random, excluded.said_sequence)
            > (gateway_status.said_epoch, gateway_status.said_epoch_random, gateway_status.said_sequence)`,
        ),
    )
    .execute();
}
