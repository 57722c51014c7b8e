import { join } from 'node:path';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import { headToText } from '@sparc/protocol/ledger';
import type { Clock, Random, Signer } from '@sparc/protocol/ports';
import type { Fork } from '@sparc/protocol/replication';
import type { MeshNotice, MeshView } from '../api/index.js';
import type { MeshConfig } from '../config/index.js';
import type { CourierInbox } from '../courier/index.js';
import { JOURNAL_FILE, nodeCrypto } from '../ledger/index.js';
import { Operators, type Membership, type MembershipChange } from '../membership/index.js';
import { Libp2pNetwork } from '../mesh/index.js';
import { freeBytesAt, verifySignature } from '../platform/index.js';
import { openParts, PARTS_FILE, type SqlitePartStore } from '../policy-parts/index.js';
import {
  AuthorityReader,
  openReplicas,
  REPLICA_FILE,
  ReplicaRoom,
  Replicator,
  setReplicasAside,
  type SqliteReplicaStore,
} from '../replica/index.js';
import { JournalWatch } from './journal-watch.js';
import { meshCouriers } from './mesh-couriers.js';
import { membershipHandlers } from './membership-handlers.js';
import { runningView } from './mesh-view.js';
import { NeighbourWatch } from './neighbour-watch.js';
import { OwnCopies } from './own-copies.js';
import { OwnJournal } from './own-journal.js';
import { OwnNews } from './own-news.js';
import { SitePolicy, type PolicyInForceView } from './site-policy.js';
import { troubleOf } from './trouble.js';

export interface MeshLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface MeshRunDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: MeshLog;
  readonly signer: Signer;
  /** That the signer's key is made from. */
  readonly seed: Uint8Array;
  readonly membership: Membership;
  /** For the journal. */
  tell(notice: MeshNotice): void;
  policyInForce(): PolicyInForceView;
}

/** The mesh of one site as long as the gateway is its member: network, replicas and the own log, put together. */
export class MeshRun {
  readonly #own: OwnJournal;
  readonly #replicaPath: string;
  readonly #store: SqliteReplicaStore;
  #damage: SparcError | undefined;
  readonly #forks: Fork[];
  readonly #network: Libp2pNetwork;
  readonly #parts: SqlitePartStore;
  readonly #policy: SitePolicy;
  readonly #watch: NeighbourWatch;
  readonly #replicator: Replicator;
  readonly #ownCopies = new OwnCopies();
  readonly #authority: AuthorityReader;
  readonly #operators = new Operators();
  readonly #journalWatch: JournalWatch;
  readonly #couriers: CourierInbox;
  readonly #forget: () => void;

  /** Throws ERR_LEDGER_CORRUPT or ERR_LEDGER_WRITE_FAILED for the replicas, and ERR_MESH_OTHER_SITE. */
  constructor(
    private readonly deps: MeshRunDeps,
    dataDir: string,
    { listen, discover, peers }: MeshConfig,
  ) {
    const { clock, random, log, signer, seed, membership } = deps;
    const { siteId } = membership;
    const onFailure = (error: unknown, what: string) => log.warn({ trouble: troubleOf(error) }, what);
    this.#own = new OwnJournal(join(dataDir, JOURNAL_FILE), signer.publicKey, (error) =>
      onFailure(error, 'the own journal cannot be read for the mesh'),
    );
    assertOfSite(this.#own, siteId);
    this.#replicaPath = join(dataDir, REPLICA_FILE);
    const { store, lost } = openReplicas(this.#replicaPath);
    this.#store = store;
    if (lost !== undefined) deps.tell({ kind: 'replicasLost', ...lost });
    this.#forks = [...this.#store.forks()];
    const parts = openParts(join(dataDir, PARTS_FILE));
    if (parts.movedTo !== undefined) log.warn({ movedTo: parts.movedTo }, 'the parts of the policy were damaged');
    this.#parts = parts.store;
    this.#network = new Libp2pNetwork(
      {
        clock,
        random,
        signer,
        verify: verifySignature,
        admits: (neighbour, roster) => membership.admits(neighbour, roster),
        members: () =>
          membership.members().map(({ key, addresses }) => {
            const pinned = peers[key];
            return { key, addresses: pinned ?? addresses, isPinned: pinned !== undefined };
          }),
        roster: () => membership.roster(),
        siteSecrets: () => membership.siteSecrets(),
        onSecretShared: () => membership.forgetPreviousSecret(),
        onLog: (fields, message) => log.info(fields, message),
      },
      { siteId, seed, listen, discover },
    );
    this.#policy = new SitePolicy({
      clock,
      network: this.#network,
      store: this.#parts,
      siteId,
      inForce: () => deps.policyInForce(),
      onFailure,
    });
    this.#watch = new NeighbourWatch(clock, this.#policy.exchange, {
      onFound: (neighbour) => deps.tell({ kind: 'found', ...this.#named(neighbour) }),
      onGoing: () => this.#ownCopies.note(this.#replicator.state),
      onLost: (neighbour) => deps.tell({ kind: 'lost', ...this.#named(neighbour) }),
    });
    const onReplicaFailure = (error: unknown, what: string) => {
      if (isSparcError(error, 'ERR_LEDGER_CORRUPT')) this.#damage ??= error;
      onFailure(error, what);
    };
    const room = new ReplicaRoom(store, toHex(membership.authority), () => freeBytesAt(dataDir));
    this.#replicator = new Replicator({
      clock,
      crypto: nodeCrypto,
      network: this.#watch,
      store: this.#store,
      ownLog: this.#own,
      siteId,
      isAuthor: (author) => membership.isAuthor(author),
      attestedHeads: (author) => membership.attestedHeads(author),
      onStored: (author) => this.#onStored(author),
      fullFor: (author) => room.fullFor(author),
      onFull: (author, limit) => deps.tell({ kind: 'replicaFull', author, limit }),
      onFork: (fork) => this.#onFork(fork),
      onFailure: onReplicaFailure,
    });
    this.#authority = new AuthorityReader(
      this.#store,
      toHex(membership.authority),
      [
        ...membershipHandlers(clock, { key: this.#own.author, seed }, membership, this.#operators),
        ...this.#policy.handlers,
      ],
      ({ kind, epoch, sequence, code, message }) => {
        log.warn({ entryKind: kind, trouble: { code, message } }, 'an entry of the site authority does not count');
        deps.tell({ kind: 'refused', entryKind: kind, epoch: epoch.counter, sequence, code });
      },
    );
    const ownNews = new OwnNews(this.#own);
    this.#journalWatch = new JournalWatch(clock, () => {
      const news = ownNews.look();
      if (news !== undefined) this.#replicator.ownCommitted(news.batch);
    });
    const takers = { store: this.#store, replicator: this.#replicator, parts: this.#policy.exchange };
    this.#couriers = meshCouriers({ ...deps, ...takers, onFailure: onReplicaFailure }, dataDir);
    this.#forget = membership.onChange((change) => this.#onMembership(change));
  }

  /** The replicas were found to be damaged: it is to be stopped, and another run begins with new ones. */
  get isDamaged(): boolean {
    return this.#damage !== undefined;
  }

  get membership(): Membership {
    return this.deps.membership;
  }

  /** Rejects when the address cannot be listened at; then it is to be stopped. */
  async start(): Promise<void> {
    this.#readAuthority();
    await this.#replicator.start();
    this.#journalWatch.start();
    this.#couriers.start();
  }

  /** The field recorded something. */
  recorded(): void {
    this.#journalWatch.hurry();
  }

  view(): MeshView {
    this.#ownCopies.note(this.#replicator.state);
    const { membership } = this.deps;
    return runningView({
      self: this.#own.author,
      authority: toHex(membership.authority),
      roster: membership.newest,
      listensAt: this.#network.addresses,
      hereSinceUnixMs: this.#watch.hereSinceUnixMs,
      awaySinceUnixMs: this.#watch.awaySinceUnixMs,
      links: this.#network.links(),
      roundTripMs: (neighbour) => this.#network.roundTripMs(neighbour),
      replication: this.#replicator.state,
      copies: this.#ownCopies.all(),
      full: this.#replicator.full,
      forks: this.#forks,
      ownBatchAfter: (after) => this.#own.batchAfter(after),
      operators: this.#operators.all(),
      policy: this.#policy.view(),
    });
  }

  async stop(): Promise<void> {
    this.#forget();
    this.#journalWatch.stop();
    try {
      await this.#couriers.stop();
      await this.#replicator.stop();
    } finally {
      this.#store.close();
      if (this.#damage !== undefined) {
        this.deps.tell({ kind: 'replicasLost', ...setReplicasAside(this.#replicaPath, this.#damage) });
      }
      this.#parts.close();
      this.#own.close();
    }
  }

  #onStored(author: string): void {
    if (author === toHex(this.membership.authority)) this.#readAuthority();
  }

  #readAuthority(): void {
    try {
      this.#authority.read();
    } catch (error) {
      this.deps.log.warn({ trouble: troubleOf(error) }, 'what the site authority says cannot be read');
    }
  }

  #onMembership({ expelled }: MembershipChange): void {
    this.#network.membersChanged();
    this.#network.secretsChanged();
    this.#replicator.membersChanged();
    const { epoch } = this.membership.newest;
    for (const { key, name } of expelled) this.deps.tell({ kind: 'expelled', neighbour: key, name, epoch });
  }

  #named(neighbour: string): { readonly neighbour: string; readonly name: string } {
    const member = this.membership.members().find(({ key }) => key === neighbour);
    return { neighbour, name: member?.name ?? 'no member any more' };
  }

  #onFork(fork: Fork): void {
    const { deps } = this;
    const { kind, first, second } = fork;
    this.#forks.push(fork);
    deps.log.warn({ author: toHex(first.author), kind }, 'an author signed two histories');
    deps.tell({ kind: 'forked', fork: kind, first: headToText(first), second: headToText(second) });
  }
}

/** Neighbours take no entries of another site, so they would refuse this gateway for ever. */
function assertOfSite(own: OwnJournal, siteId: string): void {
  const foreign = own.log().find(({ head }) => head.site !== siteId && head.site !== '');
  if (foreign === undefined) return;
  const message = `the journal has entries of site ${foreign.head.site}, and the gateway joined ${siteId}`;
  throw new SparcError('ERR_MESH_OTHER_SITE', message, { site: foreign.head.site, joined: siteId });
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
