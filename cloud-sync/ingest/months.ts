import { sql } from 'kysely';
import type { Database } from '../db/index.js';

/** Names of months that are remembered; authors stamp what they like. */
const KEPT_MAX = 1_000;

/** Makes the partitions that entries go to, before they come. */
export class Months {
  /** Whether it has a partition. */
  readonly #known = new Map<number, boolean>();

  constructor(private readonly database: Database) {}

  /** Whether `prepare` would ask nobody. */
  hasAll(instants: readonly Date[]): boolean {
    return instants.every((instant) => this.#known.has(monthOf(instant)));
  }

  /** Says of each of these instants whether there is no partition for its month, which is then too far from today. */
  async prepare(instants: readonly Date[]): Promise<(instant: Date) => boolean> {
    const months = [...new Set(instants.map(monthOf))];
    const unknown = months.filter((month) => !this.#known.has(month));
    const asked = new Map(unknown.length === 0 ? [] : await this.#make(unknown));
    const outside = new Set(months.filter((month) => !(asked.get(month) ?? this.#known.get(month))));
    this.#keep(asked);
    return (instant) => outside.has(monthOf(instant));
  }

  async #make(months: readonly number[]): Promise<readonly (readonly [month: number, has: boolean])[]> {
    return this.database.asSystem('events_make_month', async ({ query }) => {
      const { rows } = await sql<{ month: number; has: boolean }>`
        select month, events_make_month((date '1970-01-01' + month * interval '1 month')::date) as has
        from unnest(${sql.val(months)}::int[]) month`.execute(query);
      return rows.map(({ month, has }) => [month, has] as const);
    });
  }

  #keep(asked: ReadonlyMap<number, boolean>): void {
    if (this.#known.size + asked.size > KEPT_MAX) this.#known.clear();
    for (const [month, has] of [...asked].slice(0, KEPT_MAX)) this.#known.set(month, has);
  }
}

/** Counted from the first one of 1970. */
const monthOf = (instant: Date): number => (instant.getUTCFullYear() - 1970) * 12 + instant.getUTCMonth();
