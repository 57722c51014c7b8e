import { join } from 'node:path';
import { JOURNAL_FILE, JournalLog, nodeCrypto, openJournal, type OpenJournal } from '@sparc/edge/ledger';
import type { Libp2pNetwork } from '@sparc/edge/mesh';
import { createNodeClock, nodeRandom } from '@sparc/edge/platform';
import { hasEmptiedEarly, REPLICA_FILE, Replicator, SqliteReplicaStore } from '@sparc/edge/replica';
import { JournalWatch, OwnNews } from '@sparc/edge/site-mesh';
import type { EventRecord } from '@sparc/protocol/events';
import type { AppendedEntry, Journal } from '@sparc/protocol/ports';
import { holds, tipsOf } from '@sparc/protocol/replication';
import type { MeshSite, TestMember } from './mesh-site.js';

export interface MeshNodeOptions {
  /** Whether the others can be called; asked whenever the network looks at its members. */
  readonly isReachable?: () => boolean;
  /** A log of another is on disk up to `sequence`. */
  readonly onStored?: (author: string, sequence: number) => void;
}

/** What a gateway has of the mesh and no more: its journal, its replicas, and the network between them, all of them real. */
export class MeshNode {
  private constructor(
    readonly key: string,
    readonly log: JournalLog,
    readonly store: SqliteReplicaStore,
    readonly network: Libp2pNetwork,
    readonly replicator: Replicator,
    private readonly opened: OpenJournal,
    private readonly watch: JournalWatch,
  ) {}

  static async start(
    site: MeshSite,
    { key, port, ...member }: TestMember,
    folder: string,
    { isReachable = () => true, onStored = () => undefined }: MeshNodeOptions = {},
  ): Promise<MeshNode> {
    const clock = createNodeClock();
    const { signer } = member;
    const deps = { signer, clock, random: nodeRandom, crypto: nodeCrypto };
    const journal = await openJournal(folder, deps, { siteId: site.siteId }, {});
    const log = new JournalLog(join(folder, JOURNAL_FILE), signer.publicKey);
    const store = SqliteReplicaStore.open(join(folder, REPLICA_FILE));
    const others = () => site.members.map((other) => ({ key: other.key, addresses: [`127.0.0.1:${other.port}`] }));
    const network = site.network({ key, port, ...member }, {}, { members: () => (isReachable() ? others() : []) });
    const fail = (error: unknown) => {
      throw error;
    };
    const replicator = new Replicator({
      clock,
      crypto: nodeCrypto,
      network,
      store,
      ownLog: log,
      siteId: site.siteId,
      authority: Buffer.from(site.authority).toString('hex'),
      isAuthor: (author) => site.members.some((other) => other.key === author),
      attestedHeads: () => undefined,
      hasEmptiedEarly: (batch) => hasEmptiedEarly(batch, clock.wall()),
      onStored: (author) => onStored(author, tipsOf(store.logs().get(author) ?? [])[0]?.sequence ?? 0),
      fullFor: () => undefined,
      onFull: () => undefined,
      onFork: ({ kind }) => fail(new Error(`a fork: ${kind}`)),
      onFailure: fail,
    });
    const news = new OwnNews(log);
    const watch = new JournalWatch(clock, () => {
      const found = news.look();
      if (found !== undefined) replicator.ownCommitted(found.batch);
    });
    await replicator.start();
    watch.start();
    return new MeshNode(key, log, store, network, replicator, journal, watch);
  }

  /** Neighbours hear of what is on disk. */
  get journal(): Journal {
    const { writer } = this.opened;
    return {
      append: async (draft) => {
        const appended = await writer.append(draft);
        this.watch.hurry();
        return appended;
      },
      observe: (hlc) => writer.observe(hlc),
      openEpochAbove: (counter) => writer.openEpochAbove(counter),
    };
  }

  /** Resolves when it is on disk. */
  record(record: EventRecord): Promise<AppendedEntry> {
    return this.journal.append({ record });
  }

  get neighboursCount(): number {
    return this.replicator.state.neighbours.size;
  }

  holdsAllOf({ key, log }: MeshNode): boolean {
    if (key === this.key) return true;
    return tipsOf(log.log()).every((tip) => holds(this.store.logs().get(key) ?? [], tip));
  }

  async stop(): Promise<void> {
    this.watch.stop();
    await this.replicator.stop();
    await this.opened.close();
    this.store.close();
    this.log.close();
  }
}
