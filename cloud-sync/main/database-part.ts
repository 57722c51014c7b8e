import { SparcError } from '@sparc/protocol/errors';
import {
  checkSchema,
  createDatabase,
  migrate,
  openConnections,
  type Database,
  type DatabaseLocation,
  type SystemPurpose,
  type Transaction,
} from '../db/index.js';
import type { Part } from './part.js';

/**
 * The database of a process, from before it can be reached: until then whoever asks for something is refused. One inside the
 * program is brought to this version at the start, for nobody else could; for a server it waits until somebody did.
 */
export class DatabasePart implements Part, Database {
  readonly name = 'database';
  #database: Database | undefined;

  constructor(
    private readonly location: DatabaseLocation,
    private readonly isEmbedded: boolean,
  ) {}

  async start(): Promise<void> {
    const connections = await openConnections(this.location);
    try {
      if (this.isEmbedded) await migrate(connections);
      await checkSchema(connections);
    } catch (error) {
      await connections.close();
      throw error;
    }
    this.#database = createDatabase(connections);
  }

  async stop(): Promise<void> {
    await this.#database?.close();
  }

  async inTenant<T>(tenant: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#opened().inTenant(tenant, work);
  }

  async asSystem<T>(purpose: SystemPurpose, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#opened().asSystem(purpose, work);
  }

  async listen(...of: Parameters<Database['listen']>): Promise<void> {
    await this.#opened().listen(...of);
  }

  close(): Promise<void> {
    return this.stop();
  }

  #opened(): Database {
    if (this.#database === undefined) throw new SparcError('ERR_DATABASE_UNREACHABLE', 'it is not open yet');
    return this.#database;
  }
}
