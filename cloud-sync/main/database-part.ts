import { SparcError } from '@sparc/protocol/errors';
import {
  openDatabase,
  type Database,
  type DatabaseLocation,
  type SystemPurpose,
  type SystemTransaction,
  type Transaction,
} from '../db/index.js';
import type { Part } from './part.js';

/**
 * The database of a process, from before it can be reached, or has the schema that is needed: until then whoever asks for
 * something is refused.
 */
export class DatabasePart implements Part, Database {
  readonly name = 'database';
  #database: Database | undefined;

  constructor(
    private readonly location: DatabaseLocation,
    private readonly secret: Uint8Array,
  ) {}

  async start(): Promise<void> {
    this.#database = await openDatabase(this.location, this.secret);
  }

  async stop(): Promise<void> {
    await this.#database?.close();
  }

  async inTenant<T>(tenant: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#opened().inTenant(tenant, work);
  }

  async readInTenant<T>(tenant: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#opened().readInTenant(tenant, work);
  }

  async asSystem<T>(purpose: SystemPurpose, work: (transaction: SystemTransaction) => Promise<T>): Promise<T> {
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
