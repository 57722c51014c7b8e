import { join } from 'node:path';
import type { DeliveryView, DirectiveView } from '@sparc/protocol/delivery';
import { isSparcError, type SparcError } from '@sparc/protocol/errors';
import { headToText } from '@sparc/protocol/ledger';
import type { Clock, Random, Signer } from '@sparc/protocol/ports';
import type { Fork } from '@sparc/protocol/replication';
import type { MeshNotice, MeshView } from '../api/index.js';
import type { MeshConfig } from '../config/index.js';
import type { CourierInbox } from '../courier/index.js';
import { nodeCrypto } from '../ledger/index.js';
import type { Membership, MembershipChange } from '../membership/index.js';
import type { Libp2pNetwork } from '../mesh/index.js';
import { freeBytesAt, toHex } from '../platform/index.js';
import {
  AuthorityReader,
  hasEmptiedEarly,
  REPLICA_FILE,
  ReplicaRoom,
  Replicator,
  setReplicasAside,
  type RefusedEntry,
} from '../replica/index.js';
import type { Uplink } from '../uplink/index.js';
import { cloudUplink, cloudView, type CloudAccess } from './cloud-access.js';
import { CloudRefusals } from './cloud-refusals.js';
import { CLOUD, withCloud } from './cloud-source.js';
import { FieldHints } from './field-hints.js';
import { JournalWatch } from './journal-watch.js';
import { memberNetwork } from './member-network.js';
import { meshCouriers } from './mesh-couriers.js';
import { openDisks, type MeshDisks } from './mesh-disks.js';
import { membershipHandlers } from './membership-handlers.js';
import { reachOf, runningView } from './mesh-view.js';
import { NeighbourWatch } from './neighbour-watch.js';
import { OwnCopies } from './own-copies.js';
import { OwnNews } from './own-news.js';
import { SiteDelivery } from './site-delivery.js';
import { SiteEmptying } from './site-emptying.js';
import { SitePolicy, type PolicyInForceView } from './site-policy.js';
import { ToldRefusals } from './told-refusals.js';
import { TimeTeller, type MeshTime } from './time-teller.js';
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
  /** Public keys, in hex, of members whose logs the field does not read to their end. */
  unread(): readonly string[];
  /** For the journal: what the cloud signed that it has. */
  copied(words: readonly Uint8Array[]): void;
  /** For the field: something came to the replicas. */
  stored(): void;
  /** For its policy lane: all parts of a policy revision are on the disk. */
  policyHere(): void;
  /** For the field, when it changes: public keys, in hex, of the members that are heard, directly or through others. */
  reaches(keys: readonly string[]): void;
  readonly time: MeshTime;
  /** The field does not answer this process. */
  readonly isFieldSilent: () => boolean;
  /** A directive was given or answered. */
  onDirective(): void;
  /** Undefined where this gateway has no link to the cloud of its own. */
  readonly cloud?: CloudAccess | undefined;
}

/** The mesh of one site as long as the gateway is its member: network, replicas and the own log, put together. */
export class MeshRun {
  #damage: SparcError | undefined;
  readonly #forks: Fork[];
  readonly #network: Libp2pNetwork;
  readonly #policy: SitePolicy;
  readonly #watch: NeighbourWatch;
  readonly #replicator: Replicator;
  readonly #ownCopies = new OwnCopies();
  readonly #authority: AuthorityReader;
  readonly #journalWatch: JournalWatch;
  readonly #couriers: CourierInbox;
  readonly #times: TimeTeller;
  readonly #delivery: SiteDelivery;
  readonly #hints: FieldHints;
  readonly #uplink: Uplink | undefined;
  readonly #emptying: SiteEmptying | undefined;
  readonly #cloudRefusals: CloudRefusals;
  readonly #forget: () => void;

  /** Throws what `openDisks` throws. */
  static open(deps: MeshRunDeps, dataDir: string, config: MeshConfig): MeshRun {
    const { log, signer, membership } = deps;
    const disks = openDisks(dataDir, {
      publicKey: signer.publicKey,
      siteId: membership.siteId,
      onReplicasLost: (lost) => deps.tell({ kind: 'replicasLost', ...lost }),
      onPartsLost: (movedTo) => log.warn({ movedTo }, 'the parts of the policy were damaged'),
      onFailure: (error, what) => log.warn({ trouble: troubleOf(error) }, what),
    });
    return new MeshRun(deps, dataDir, disks, config);
  }

  private constructor(
    private readonly deps: MeshRunDeps,
    private readonly dataDir: string,
    private readonly disks: MeshDisks,
    config: MeshConfig,
  ) {
    const { clock, log, membership } = deps;
    const { own, parts } = disks;
    this.#forks = [...disks.forks];
    this.#network = memberNetwork({ ...deps, onLog: (fields, message) => log.info(fields, message) }, config);
    this.#policy = new SitePolicy({
      clock,
      network: withCloud(this.#network, () => this.#uplink?.parts),
      store: parts,
      siteId: membership.siteId,
      freeBytes: () => freeBytesAt(dataDir),
      inForce: () => deps.policyInForce(),
      onHere: () => deps.policyHere(),
      onFailure: (error, what) => this.#failed(error, what),
    });
    this.#emptying = deps.cloud && this.#newEmptying(deps.cloud);
    this.#watch = new NeighbourWatch(clock, this.#emptying?.network ?? this.#policy.exchange.network, {
      onFound: (neighbour) => deps.tell({ kind: 'found', ...this.#named(neighbour) }),
      onGoing: () => {
        this.#ownCopies.note(this.#replicator.state);
        this.#hints.lookAtReach();
      },
      onLost: (neighbour) => deps.tell({ kind: 'lost', ...this.#named(neighbour) }),
    });
    this.#replicator = this.#newReplicator();
    this.#authority = this.#newAuthorityReader();
    const ownNews = new OwnNews(own);
    this.#journalWatch = new JournalWatch(clock, () => {
      const news = ownNews.look();
      if (news === undefined) return;
      this.#replicator.ownCommitted(news.batch);
      this.#delivery.grew(own.author);
      this.#uplink?.grew();
    });
    const takers = { replicator: this.#replicator, parts: this.#policy.exchange };
    const onFailure = (error: unknown, what: string) => this.#failed(error, what);
    this.#couriers = meshCouriers({ ...deps, ...takers, onFailure }, dataDir);
    this.#delivery = new SiteDelivery({
      ...disks,
      clock,
      authority: toHex(membership.authority),
      onDirective: () => deps.onDirective(),
      onFailure,
    });
    this.#times = new TimeTeller({
      clock,
      times: () => this.#network.times(),
      othersCount: () => membership.members().filter(({ key }) => key !== own.author).length,
      time: deps.time,
    });
    this.#hints = new FieldHints({
      clock,
      heard: () => this.#reach(),
      onStored: () => deps.stored(),
      onReach: (keys) => deps.reaches(keys),
    });
    this.#uplink = deps.cloud && this.#newUplink(deps.cloud);
    this.#cloudRefusals = new CloudRefusals(clock, (refused) => {
      log.warn(refused, 'messages that should be of the cloud are not');
      deps.tell({ kind: 'cloudRefused', ...refused });
    });
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
    this.#hints.start();
    this.#times.start();
    this.#delivery.start();
    this.#emptying?.start();
    this.#uplink?.start();
  }

  /** The field recorded something. */
  recorded(): void {
    this.#journalWatch.hurry();
  }

  /** Once in a while. */
  look(): void {
    this.#policy.look();
    if (this.#uplink !== undefined) this.#cloudRefusals.look(this.#uplink.state);
  }

  view(): MeshView {
    this.#ownCopies.note(this.#replicator.state);
    const { membership } = this.deps;
    return runningView({
      self: this.disks.own.author,
      authority: toHex(membership.authority),
      roster: membership.newest,
      listensAt: this.#network.addresses,
      hereSinceUnixMs: this.#watch.hereSinceUnixMs,
      awaySinceUnixMs: this.#watch.awaySinceUnixMs,
      links: this.#network.links(),
      silent: this.#network.silent,
      roundTripMs: (neighbour) => this.#network.roundTripMs(neighbour),
      clockAheadMs: (neighbour) => this.#times.aheadMs(neighbour),
      replication: this.#replicator.state,
      copies: this.#ownCopies.all(),
      full: this.#replicator.full,
      unread: this.deps.unread(),
      forks: this.#forks,
      ownBatchAfter: (after) => this.disks.own.batchAfter(after),
      operators: this.#delivery.operators,
      policy: this.#policy.view(),
      cloud: this.#uplink && cloudView(this.#uplink, this.disks.own),
    });
  }

  delivery(): DeliveryView {
    return this.#delivery.view(this.view());
  }

  /** Undefined for one that no log here carries. */
  directive(id: string): DirectiveView | undefined {
    return this.#delivery.directive(id, this.view());
  }

  async stop(): Promise<void> {
    this.#forget();
    this.#journalWatch.stop();
    this.#hints.stop();
    this.#times.stop();
    this.#delivery.stop();
    try {
      await this.#uplink?.stop();
      await this.#emptying?.stop();
      await this.#couriers.stop();
      await this.#replicator.stop();
    } finally {
      this.disks.close();
      if (this.#damage !== undefined) {
        const lost = setReplicasAside(join(this.dataDir, REPLICA_FILE), this.#damage);
        this.deps.tell({ kind: 'replicasLost', ...lost });
      }
    }
  }

  #newReplicator(): Replicator {
    const { clock, membership, time } = this.deps;
    const { own, replicas } = this.disks;
    const room = new ReplicaRoom(replicas, toHex(membership.authority), () => freeBytesAt(this.dataDir));
    return new Replicator({
      clock,
      crypto: nodeCrypto,
      network: this.#watch.network,
      store: replicas,
      ownLog: own,
      siteId: membership.siteId,
      authority: toHex(membership.authority),
      isAuthor: (author) => membership.isAuthor(author),
      attestedHeads: (author) => membership.attestedHeads(author),
      hasEmptiedEarly: (batch) => hasEmptiedEarly(batch, time.wall()),
      onStored: (author) => this.#onStored(author),
      fullFor: (author) => room.fullFor(author),
      onFull: (author, limit) => this.deps.tell({ kind: 'replicaFull', author, limit }),
      onFork: (fork) => this.#onFork(fork),
      onFailure: (error, what) => this.#failed(error, what),
    });
  }

  #newEmptying({ cloudKey }: CloudAccess): SiteEmptying {
    const { network } = this.#policy.exchange;
    const onFailure = (error: unknown, what: string) => this.#failed(error, what);
    return new SiteEmptying({ ...this.deps, network, store: this.disks.replicas, cloudKey, onFailure }, this.dataDir);
  }

  #newUplink(cloud: CloudAccess): Uplink {
    const { own } = this.disks;
    const { exchange } = this.#policy;
    return cloudUplink(cloud, {
      ...this.deps,
      siteId: this.membership.siteId,
      own,
      logs: this.#replicator.logs,
      take: (batch) => void this.#replicator.offer(batch),
      onWord: (signed) => this.#emptying?.heard(signed),
      onReach: (isReached) => (isReached ? exchange.found(CLOUD) : exchange.lost(CLOUD)),
    });
  }

  #newAuthorityReader(): AuthorityReader {
    const { clock, seed, membership } = this.deps;
    const { own, replicas } = this.disks;
    const gateway = { key: own.author, seed };
    return new AuthorityReader(
      replicas,
      toHex(membership.authority),
      [
        ...membershipHandlers(clock, gateway, membership, (delegation) => this.#delivery.believe(delegation)),
        ...this.#policy.handlers,
      ],
      (entry) => this.#onRefused(entry),
    );
  }

  #reach(): readonly string[] {
    return reachOf({
      self: this.disks.own.author,
      roster: this.membership.newest,
      hereSinceUnixMs: this.#watch.hereSinceUnixMs,
      links: this.#network.links(),
      silent: this.#network.silent,
      replication: this.#replicator.state,
      full: this.#replicator.full,
    });
  }

  #onRefused(entry: RefusedEntry): void {
    const { kind, epoch, sequence, code, message } = entry;
    const told = new ToldRefusals(this.dataDir);
    this.deps.log.warn(
      { entryKind: kind, trouble: { code, message } },
      'an entry of the site authority does not count',
    );
    if (told.has(entry)) return;
    this.deps.tell({ kind: 'refused', entryKind: kind, epoch: epoch.counter, sequence, code });
    try {
      told.add(entry);
    } catch (error) {
      this.#failed(error, 'that it was told is not kept: it is told again after a restart');
    }
  }

  #failed(error: unknown, what: string): void {
    if (isSparcError(error, 'ERR_LEDGER_CORRUPT')) this.#damage ??= error;
    this.deps.log.warn({ trouble: troubleOf(error) }, what);
  }

  #onStored(author: string): void {
    this.#hints.stored();
    this.#delivery.grew(author);
    this.#uplink?.grew();
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
