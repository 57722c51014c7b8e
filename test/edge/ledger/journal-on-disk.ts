import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '@sparc/edge/platform';
import { nodeCrypto, openJournal, type OpenJournal, type OpenJournalHandlers } from '@sparc/edge/ledger';
import type { EventRecord } from '@sparc/protocol/events';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { testSigner } from '../../support/test-signer.js';

export const granted: EventRecord = { name: 'access.granted', accessPointId: 'front', credentialId: 'anna' };
export const opened: EventRecord = { name: 'door.opened', doorId: 'front' };

/** A journal in a folder of its own, written by the real writer on the real store. */
export class JournalOnDisk {
  readonly clock = new VirtualClock();
  readonly signer = testSigner();

  private constructor(readonly folder: string) {}

  static async create(t: { teardown(remove: () => Promise<void>): void }): Promise<JournalOnDisk> {
    const folder = await mkdtemp(join(tmpdir(), 'sparc-journal-'));
    t.teardown(() => rm(folder, { recursive: true }));
    return new JournalOnDisk(folder);
  }

  get path(): string {
    return join(this.folder, 'journal.db');
  }

  open(seed = 1, signer = this.signer, handlers: Partial<OpenJournalHandlers> = {}): Promise<OpenJournal> {
    const deps = { signer, clock: this.clock, random: new SeededRandom(seed), crypto: nodeCrypto };
    return openJournal(this.folder, deps, { siteId: 'harbour' }, handlers);
  }

  /** One epoch: each group is one commit. */
  async write(seed: number, ...groups: readonly (readonly EventRecord[])[]): Promise<void> {
    const journal = await this.open(seed);
    for (const group of groups) await Promise.all(group.map((record) => journal.writer.append({ record })));
    await journal.close();
  }

  /** What a statement finds. */
  rows<T extends readonly unknown[]>(statement: string): readonly T[] {
    const database = new Database(this.path, { readonly: true });
    try {
      return database.prepare<[], T>(statement).raw().all();
    } finally {
      database.close();
    }
  }

  /** Changes the file behind everybody's back. */
  alter(change: (database: Database) => void): void {
    const database = new Database(this.path);
    change(database);
    database.close();
  }
}
