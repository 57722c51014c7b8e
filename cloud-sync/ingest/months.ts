import { sql } from 'kysely';
import type { Database } from '../db/index.js';

/** Names of months that are remembered; authors stamp what they like. */
const KEPT_MAX = 1_000;

/** Makes the partitions that entries go to, before they come. */
export class Months {
  /** Whether it has a partition. */
  readonly #known = new Map<number, boolean>();

  constructor(private readonly database: Database) {}

  /** Says of each of these instants whether there is no partition for its month, which is then too far from today. */
  async prepare(instants: readonly Date[]): Promise<(instant: Date) => boolean> {
    const outside = new Set<number>();
    for (const month of new Set(instants.map(monthOf))) {
      if (!(this.#known.get(month) ?? (await this.#make(month)))) outside.add(month);
    }
    return (instant) => outside.has(monthOf(instant));
  }

  async #make(month: number): Promise<boolean> {
    const firstDay = new Date(Date.UTC(1970, month)).toISOString().slice(0, 10);
    const has = await this.database.asSystem('events_make_month', async ({ query }) => {
      const { rows } = await sql<{ has: boolean }>`select events_make_month(${firstDay}::date) as has`.execute(query);
      return rows[0]?.has === true;
    });
    if (this.#known.size >= KEPT_MAX) this.#known.clear();
    this.#known.set(month, has);
    return has;
  }
}

/** Counted from the first one of 1970. */
const monthOf = (instant: Date): number => (instant.getUTCFullYear() - 1970) * 12 + instant.getUTCMonth();
