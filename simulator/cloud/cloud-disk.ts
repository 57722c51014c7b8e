import { createDatabase, createTenant, migrate, openConnections } from '@sparc/cloud-sync/db';
import type { Connections, Database } from '@sparc/cloud-sync/db';
import type { VirtualClock } from '../world/index.js';

/** Beside the disk: what the cloud seals with. */
export const SECRET = new Uint8Array(32).fill(0x5e);

/**
 * The database of a simulated cloud: the real one, in this process. What it does takes no time of the world, which has to
 * wait for it.
 */
export class CloudDisk {
  readonly #database: Database;
  #busy: Promise<unknown> | undefined;

  private constructor(private readonly connections: Connections) {
    this.#database = createDatabase(connections, SECRET);
  }

  /** `folder`: empty, or with a database. */
  static async open(folder: string): Promise<CloudDisk> {
    const connections = await openConnections({ url: `pglite:${folder}`, connectionsMax: 1 });
    await migrate(connections);
    return new CloudDisk(connections);
  }

  /** Runs work on the database; several at a time run one after the other, as its one connection has it. */
  work<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const result = work(this.#database);
    this.#await(result);
    return result;
  }

  /** Rows as nobody but its owner sees them, all tenants at once. */
  async rows<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const result = this.connections.use(({ client }) =>
      client.query<Row>(text, values.length === 0 ? undefined : [...values]),
    );
    this.#await(result);
    return (await result).rows;
  }

  /** Runs timers of the world until an instant, and between two of them whatever the database has to do. */
  async run(clock: VirtualClock, untilMs: number): Promise<void> {
    await this.#rested(clock);
    for (let next = clock.nextTimerAtMs(); next !== undefined && next <= untilMs; next = clock.nextTimerAtMs()) {
      await clock.run(next);
      await this.#rested(clock);
    }
    await clock.run(untilMs);
  }

  /** Keeps a copy of what is committed. */
  async keepCopy(): Promise<void> {
    await this.rows(`create schema copy; ${eachTable('create table copy.%1$I as select %2$s from sparc.%1$I')}`);
  }

  /** Has what the copy has, and is another database than that which it was made of. */
  async restoreCopy(): Promise<void> {
    await this.rows(`begin; set local session_replication_role = replica;
      ${eachTable('delete from sparc.%1$I')} ${eachTable('insert into sparc.%1$I (%2$s) overriding system value select %2$s from copy.%1$I')}
      update sparc.incarnation set id = gen_random_uuid(), began_at = now(); commit;`);
  }

  close(): Promise<void> {
    return this.connections.close();
  }

  #await(result: Promise<unknown>): void {
    const before = this.#busy;
    const busy = Promise.allSettled([before, result]).then(() => {
      if (this.#busy === busy) this.#busy = undefined;
    });
    this.#busy = busy;
  }

  /** Nothing is under way, and whoever waited for it has gone on. */
  async #rested(clock: VirtualClock): Promise<void> {
    await clock.settle();
    while (this.#busy !== undefined) {
      await this.#busy;
      await clock.settle();
    }
  }
}

/** A statement for every table of the cloud, by its name and the columns that are not made of others. */
const eachTable = (statement: string): string => `
  do $$ declare named name; kept text; begin
    for named, kept in
      select relname, string_agg(quote_ident(attname), ', ') from pg_class join pg_attribute on attrelid = pg_class.oid
      where relnamespace = 'sparc'::regnamespace and relkind in ('r', 'p') and not relispartition
        and attnum > 0 and not attisdropped and attgenerated = ''
      group by relname
    loop execute format('${statement}', named, kept); end loop;
  end $$;`;

/** A tenant with a site and gateways of these keys, as enrolment leaves them; its id. */
export async function newTenant(database: Database, site: string, gateways: readonly Uint8Array[]): Promise<string> {
  const tenant = await createTenant(database, { name: 'Port', region: 'eu', retentionDays: 90 });
  const of = { tenant_id: tenant, site_id: site, state: 'active' as const };
  const rows = gateways.map((key, index) => ({ ...of, id: Buffer.from(key), name: `gateway ${index}` }));
  await database.inTenant(tenant, async ({ query }) => {
    await query.insertInto('sites').values({ tenant_id: tenant, id: site, name: site }).execute();
    await query.insertInto('gateways').values(rows).execute();
  });
  return tenant;
}
