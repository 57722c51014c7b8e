import { SiteClock } from '@sparc/edge/clock';
import { Field, type FieldPolicy } from '@sparc/edge/field';
import { JournalWriter, toLoggedEntry, type EntriesBack, type LoggedEntry } from '@sparc/edge/ledger';
import { readClaims } from '@sparc/edge/passages';
import { HeardReader, type Heard } from '@sparc/edge/heard';
import { readDirectives, type DirectiveReceipt } from '@sparc/edge/directives';
import { hasEmptiedEarly, Replicator } from '@sparc/edge/replica';
import { readRevocations } from '@sparc/edge/revocation';
import { readMode } from '@sparc/edge/site-mode';
import type { SignedDirective } from '@sparc/protocol/directive';
import { headFromText, type LedgerCrypto, type SignedHead } from '@sparc/protocol/ledger';
import { tipsOf } from '@sparc/protocol/replication';
import { mergeExpulsions, type Expulsion, type Roster } from '@sparc/protocol/roster';
import type { AppendedEntry, Clock, Journal, LogCommit, ReplicaAppend, Signer } from '@sparc/protocol/ports';
import { appendOf, ReplicaDisk, SimulatedLog, SimulatedReplicaStore, type SimulatedMesh } from '../mesh/index.js';
import { platterOf, type Platter } from '../scenarios/index.js';
import { SimulatedDisk, type SeededRandom } from '../world/index.js';
import type { CardLevelBus } from './card-level-bus.js';
import type { CommitChain } from './durable-records.js';
import { MachineClock } from './machine-clock.js';
import { ProcessClock } from './process-clock.js';
import type { GatewayWrappers } from './simulated-gateway.js';
import { SimulatedFiles } from './simulated-files.js';
import { SimulatedLogStore, type CommitPhase, tellingCommits } from './simulated-log-store.js';

export interface TownGatewayDeps {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly crypto: LedgerCrypto;
  readonly mesh: SimulatedMesh;
  readonly bus: CardLevelBus;
  readonly signer: Signer;
  /** Who belongs to the site, as it was when the gateway joined it. */
  readonly roster: Roster;
  /** The key of the site authority. */
  readonly authority: Uint8Array;
  /** That it serves. */
  readonly busId: string;
  readonly driftPpm: number;
  /** A record is on its platter. */
  onRecord(entry: AppendedEntry): void;
  /** It takes another for expelled from now on. */
  onExpelled(gateway: TownGateway, key: string): void;
}

/** For seeded defects: what stands between the real parts. */
export interface TownWrappers extends GatewayWrappers {
  /** What comes to the field of what the other gateways said. */
  readonly heard?: (heard: Heard) => Heard;
  readonly isAuthor?: (author: string) => boolean;
}

/** What is stored is read in one go with what comes soon after. */
const LOOK_PAUSE_MS = 10;
/** How often a gateway looks what its neighbours say of the time. */
const TIMES_PAUSE_MS = 30_000;

interface Process {
  readonly clock: ProcessClock;
  readonly field: Field;
  readonly replicator: Replicator;
}

/**
 * A machine with the real parts of a gateway on it, each on the simulated port that it has in a site: field, journal,
 * replicator and clock. It can lose its power at any instant.
 */
export class TownGateway {
  readonly key: string;
  readonly machineClock: MachineClock;
  readonly journalDisk: SimulatedDisk<LogCommit>;
  readonly replicaDisk = new ReplicaDisk();
  /** Asked at each phase of each commit; true: the machine dies there. */
  onCommitPhase: (phase: CommitPhase) => boolean = () => false;
  readonly #files: SimulatedFiles;
  readonly #pasts: CommitChain[] = [];
  /** Another machine lives, or lived, with its key. */
  isCloned = false;
  #policy: FieldPolicy = { kind: 'none' };
  #process: Process | undefined;
  #powerOn: (() => void) | undefined;
  #reader: HeardReader | undefined;
  /** Whom operators expelled. */
  #expulsions: readonly Expulsion[] = [];

  constructor(
    readonly name: string,
    private readonly deps: TownGatewayDeps,
    private readonly wrappers: TownWrappers = {},
  ) {
    this.key = Buffer.from(deps.signer.publicKey).toString('hex');
    this.machineClock = new MachineClock(deps.clock, deps);
    this.journalDisk = new SimulatedDisk(deps.clock, deps.random.fork('journal'));
    this.#files = new SimulatedFiles(deps.clock);
    deps.bus.machineMs = () => this.machineClock.monotonicMs();
  }

  get field(): Field | undefined {
    return this.#process?.field;
  }

  usePolicy(policy: FieldPolicy): void {
    this.#policy = policy;
    this.#process?.field.usePolicy(policy);
  }

  /** Power on. As in a real gateway the field waits for no disk: what it records waits for the journal. */
  start(): void {
    this.#powerOn?.();
    this.#powerOn = undefined;
    const { random, crypto, mesh, signer, roster, authority, bus } = this.deps;
    const siteId = roster.site;
    const process = new ProcessClock(this.machineClock, () => this.machineClock.wall());
    const clock = new SiteClock({
      clock: process,
      evidence: this.machineClock.evidence,
      store: this.#files.clock,
      onFailure: ignore,
    });
    clock.start();
    const own = new SimulatedLog();
    for (const commit of this.journalDisk.items()) own.add(appendOf(commit));
    const replicas = new SimulatedReplicaStore(this.replicaDisk);
    const authorityKey = Buffer.from(authority).toString('hex');
    const members = new Set([authorityKey, ...roster.members.map(({ key }) => key)]);
    const isAuthor = (author: string) => members.has(author);
    const network = mesh.join(this.name, this.key);
    const replicator = new Replicator({
      clock,
      crypto,
      network,
      store: replicas,
      ownLog: {
        author: this.key,
        log: () => own.log,
        hashAt: (epoch, sequence) => own.hashAt(epoch, sequence),
        batchAfter: (after) => own.batchAfter(after),
      },
      siteId,
      authority: authorityKey,
      isAuthor: (author) => isAuthor(author) && this.wrappers.isAuthor?.(author) !== false,
      attestedHeads: (author) => this.#expulsions.find(({ key }) => key === author)?.heads,
      hasEmptiedEarly: (batch) => hasEmptiedEarly(batch, clock.wall()),
      onStored: () => look(),
      fullFor: () => undefined,
      onFull: ignore,
      onFork: ignore,
      onFailure: ignore,
    });
    const store = tellingCommits(
      new SimulatedLogStore(this.journalDisk, (phase) => this.onCommitPhase(phase)),
      (commit) => {
        own.add(appendOf(commit));
        const [first] = commit.entries;
        replicator.ownCommitted(first && own.batchAfter({ epoch: first.epoch, sequence: first.sequence - 1 }));
      },
    );
    const writer = new JournalWriter({ store, signer, clock, random, crypto }, { siteId });
    const starting = writer.start();
    const journal: Journal = {
      append: async (draft) => {
        await starting;
        return writer.append(draft);
      },
      observe: (hlc) => writer.observe(hlc),
      openEpochAbove: (counter) => writer.openEpochAbove(counter),
    };
    const entries = this.#entries();
    const earlier = () => newestFirst(entries);
    const known = { site: siteId, authority: authorityKey, verify: crypto.verify };
    const field = new Field(
      {
        clock,
        random,
        fieldBus: this.wrappers.fieldBus?.(bus, clock) ?? bus,
        journal: this.wrappers.journal?.(journal) ?? journal,
        log: SILENT,
        isInMesh: true,
        acceptClock: () => clock.accept(),
        modeStore: this.#files.mode,
        recordedMode: (which) => readMode(earlier(), which),
        revocationStore: this.#files.revocations,
        recordedRevocations: async () => {
          const { newestRevocation: newest } = await starting;
          return { newest, read: () => readRevocations(earlier()) };
        },
        visitorStore: this.#files.visitors,
        linkageStore: this.#files.linkage,
        directives: {
          ...known,
          given: () => readDirectives(known, earlier()),
          store: this.#files.directives,
          expel: ({ directive }) => {
            this.#expel({ key: directive.gateway, heads: directive.heads.map(headFromText) });
            return 'unchanged';
          },
        },
        claims: async () => {
          await starting;
          return readClaims(earlier(), { nowUnixMs: clock.wall().unixMs, withUses: false });
        },
      },
      { onRecord: (entry) => this.deps.onRecord(entry) },
    );
    this.#process = { clock: process, field, replicator };
    clock.tell({
      record: (event) => field.record(event),
      onChange: () => field.clockChanged(),
      onAhead: (unixMs) => field.keepUpWith(unixMs),
    });
    field.start();
    field.usePolicy(this.#policy);
    field.record({ name: 'gateway.started', detail: { name: this.name, buses: this.deps.busId } });
    void starting.then((report) => field.closeGrants(report));

    const reader = new HeardReader({
      clock,
      crypto,
      logs: replicas,
      self: this.key,
      ownLog: () => own.log,
      authority,
      roster,
      expulsions: this.#expulsions,
      onRefused: ignore,
    });
    this.#reader = reader;
    let isLookDue = false;
    const look = () => {
      if (isLookDue) return;
      isLookDue = true;
      clock.setTimer(LOOK_PAUSE_MS, () => {
        isLookDue = false;
        const { heard, isMore } = reader.read();
        if (heard !== undefined) field.heard(this.wrappers.heard?.(heard) ?? heard);
        if (isMore) look();
      });
    };
    look();
    network.time = () => {
      const { offsetMs, ...time } = clock.own() ?? { offsetMs: 0, quality: 'unsynced' };
      return { unixMs: offsetMs + this.machineClock.evidence.uptimeMs(), ...time };
    };
    const compare = () => {
      clock.hear({
        othersCount: roster.members.length - 1,
        times: network.times(this.machineClock.evidence.uptimeMs()),
      });
      clock.setTimer(TIMES_PAUSE_MS, compare);
    };
    clock.setTimer(TIMES_PAUSE_MS, compare);
    void replicator.start();
  }

  /** The furthest head of another gateway's newest epoch that is on its platter. */
  newestOf(author: string): SignedHead | undefined {
    return this.replicaDisk.writes
      .flatMap(({ appends }) => appends.map(({ head }) => head))
      .filter((head) => Buffer.from(head.author).toString('hex') === author)
      .sort((a, b) => b.epoch.counter - a.epoch.counter || b.sequence - a.sequence)[0];
  }

  /** Of another gateway's log as it is on its platter: all heads after which nothing follows. */
  tipsOf(author: string): readonly SignedHead[] {
    return tipsOf(new SimulatedReplicaStore(this.replicaDisk).logs().get(author) ?? []);
  }

  /** With all that its journal ever had. */
  get platter(): Platter {
    return this.#platterOf(this.journals.flat());
  }

  /** With what its journal has now. */
  get presentPlatter(): Platter {
    return this.#platterOf(this.journalDisk.durableItems());
  }

  #platterOf(items: CommitChain): Platter {
    const journal = [...new Set(items)].map(({ item }) => item);
    return platterOf(this, { journal, replicas: this.replicaDisk.writes }, this.hasTwoPasts);
  }

  /** Its journal as it was each time before its disk was set back, and as it is. */
  get journals(): readonly CommitChain[] {
    return [...this.#pasts, this.journalDisk.durableItems()];
  }

  get isSetBack(): boolean {
    return this.#pasts.length > 0;
  }

  /** Its journal is not all that was ever said with its key. */
  get hasTwoPasts(): boolean {
    return this.isSetBack || this.isCloned;
  }

  /** Its disks become again what they are now, when what is returned is called; the machine is off then. */
  backup(): () => void {
    const journal = [...this.journalDisk.durableItems()];
    const replicas = [...this.replicaDisk.writes];
    const expulsions = this.#expulsions;
    const restoreFiles = this.#files.backup();
    return () => {
      this.#pasts.push([...this.journalDisk.durableItems()]);
      this.journalDisk.restore(journal);
      this.replicaDisk.restore(replicas);
      this.#expulsions = expulsions;
      restoreFiles();
    };
  }

  /** Its disks become what those of another machine are; it is off. */
  copy(original: TownGateway): void {
    this.journalDisk.restore([...original.journalDisk.durableItems()]);
    this.replicaDisk.restore([...original.replicaDisk.writes]);
    this.#expulsions = original.#expulsions;
    this.#policy = original.#policy;
    original.isCloned = true;
  }

  /** Somebody carries entries of the authority to it. */
  carry(append: ReplicaAppend): void {
    this.replicaDisk.write({ appends: [append], forks: [] });
  }

  reaches(keys: readonly string[]): void {
    this.#process?.field.reaches(keys);
  }

  /** Rejects where it does not run; where it dies meanwhile, nobody is answered. */
  async direct(signed: SignedDirective): Promise<DirectiveReceipt> {
    const process = this.#process;
    if (process === undefined) throw new Error(`${this.name} does not run`);
    const receipt = await process.field.direct(signed);
    return process === this.#process ? receipt : new Promise(() => undefined);
  }

  #expel(expulsion: Expulsion): void {
    this.#expulsions = mergeExpulsions(this.#expulsions, [expulsion]);
    this.#reader?.expelled(this.#expulsions);
    this.#process?.replicator.membersChanged();
    this.deps.onExpelled(this, expulsion.key);
  }

  /** Power off: no timer runs again, no promise is kept, and the disks have what they have. */
  crash(): void {
    if (this.#process === undefined) return;
    this.#process.clock.kill();
    this.#process = undefined;
    this.#powerOn = this.machineClock.powerOff();
    this.deps.bus.detach();
    this.deps.mesh.powerOff(this.name);
    this.journalDisk.crash();
    this.replicaDisk.crash();
  }

  /** What its journal has, oldest first. */
  #entries(): LoggedEntry[] {
    const { publicKey } = this.deps.signer;
    return this.journalDisk.items().flatMap(({ entries }) => entries.map((entry) => toLoggedEntry(publicKey, entry)));
  }
}

async function* newestFirst(entries: readonly LoggedEntry[]): EntriesBack {
  yield* entries.toReversed();
}

const ignore = (): undefined => undefined;
const SILENT = { info: ignore, warn: ignore, error: ignore };
