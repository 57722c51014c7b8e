import { sql } from 'kysely';
import type { Database } from '../db/index.js';

/** Names of months that are remembered; authors stamp what they like. */
const KEPT_MAX = 1_000;

/** Makes the partitions that entries go to, before they come. */
export class Months {
  /** By first day: whether it has a partition. */
  readonly #known = new Map<string, boolean>();

  constructor(private readonly database: Database) {}

  /** Says of each of these instants whether there is no partition for its month, which is then too far from today. */
  async prepare(instants: readonly Date[]): Promise<(instant: Date) => boolean> {
    const outside = new Set<string>();
    for (const month of new Set(instants.map(monthOf))) {
      if (!(this.#known.get(month) ?? (await this.#make(month)))) outside.add(month);
    }
    return (instant) => outside.has(monthOf(instant));
  }

  async #make(month: string): Promise<boolean> {
    const has = await this.database.asSystem('events_make_month', async ({ query }) => {
      const { rows } = await sql<{ has: boolean }>`select events_make_month(${month}::date) as has`.execute(query);
      return rows[0]?.has === true;
    });
    if (this.#known.size >= KEPT_MAX) this.#known.clear();
    this.#known.set(month, has);
    return has;
  }
}

const monthOf = (instant: Date): string => `${instant.toISOString().slice(0, 7)}-01`;
