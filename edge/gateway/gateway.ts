import { Value } from '@sinclair/typebox/value';
import type { SignedDirective } from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import { EVENTS, type EventDraft, type EventRecord } from '@sparc/protocol/events';
import type { AppendedEntry, Clock, Random, Signer, TimeEvidence } from '@sparc/protocol/ports';
import type { SitePlan } from '@sparc/protocol/policy';
import { siteEvent, TimesTold, TrialRequest, type RequestAnswer, type SiteSnapshot } from '../api/index.js';
import { ClockFile, SiteClock } from '../clock/index.js';
import { Audit, type ConfigMark } from '../audit/index.js';
import type { KeyStore } from '../commissioning/index.js';
import { DirectiveRequest } from '../directives/index.js';
import type { AuthorisationHost } from '../host/index.js';
import type { GatewayConfig } from '../config/index.js';
import { Field, type DirectedSite, type FieldLog } from '../field/index.js';
import { JournalClient, type JournalStartReport } from '../ledger/index.js';
import { expulsionsToTexts, type ExpulsionBook } from '../membership/index.js';
import { toHex } from '../platform/index.js';
import type { ReplicaMessage } from '../policy/index.js';
import { LaneProcess, type LaneRejection } from '../policy-lane/index.js';
import { ReplicaClient } from '../replica-thread/index.js';
import { SiteProcess } from '../site/index.js';
import { OrderRequest } from '../site-mode/index.js';
import { CopiedWords } from './copied-words.js';
import { fieldMemory } from './field-memory.js';
import { GatewayCommissioning } from './gateway-commissioning.js';
import { directedSite, expulsionBook, joinedSite, type JoinedSite } from './joined-site.js';
import { LaneState } from './lane-state.js';
import { Lifecycle } from './lifecycle.js';
import { MeshJournal } from './mesh-journal.js';
import { PolicyLoader, type GenerationMessage } from './policy-loader.js';

export interface GatewayDeps {
  readonly clock: Clock;
  readonly timeEvidence: TimeEvidence;
  readonly random: Random;
  readonly signer: Signer;
  /** SCBK by device id, of those that people brought in a file. */
  readonly osdpKeys: ReadonlyMap<string, Uint8Array>;
  /** Those that the gateway gave to its devices. */
  readonly keyStore: KeyStore;
  readonly log: FieldLog;
  /** Of the files that the configuration and keys were read from. */
  readonly configFiles: readonly ConfigMark[];
  /** Absent: none is configured. */
  readonly host?: AuthorisationHost;
  /** The console is served; after each start of the site process. */
  readonly onListening: (url: string) => void;
  /** It joined a site while it ran: it is to be stopped and started anew, as a member. */
  readonly onJoined: () => void;
}

/** A stop may take 5 s, the end of the process included. */
const STOP_MAX_MS = 4_000;
/** Verifying a large generation on a slow disk takes longer; the way out does not wait for it. */
const FIRST_POLICY_MAX_MS = 2_000;

/**
 * A gateway: the field in this thread, journal and replica in threads of their own, the site part in a child process.
 * No part waits for the site process, and the field waits for the journal's word on a grant only.
 */
export class Gateway {
  readonly #clock: SiteClock;
  readonly #lifecycle: Lifecycle;
  readonly #replica: ReplicaClient;
  readonly #commissioning: GatewayCommissioning;
  readonly #meshJournal: MeshJournal;
  readonly #site: SiteProcess;
  /** Only where there are others to take a policy from. */
  readonly #lane: LaneProcess | undefined;
  readonly #laneState = new LaneState();
  readonly #policies: PolicyLoader;
  readonly #startedAtUnixMs: number;
  #field: Field | undefined;
  #journal: JournalClient | undefined;
  #expulsions: ExpulsionBook | undefined;
  /** There are others to hear. */
  #isInMesh = false;
  /** What the replica says before there is a field. */
  #firstGeneration: ((message: GenerationMessage) => void) | undefined;
  readonly #rejectedEarly: Extract<ReplicaMessage, { kind: 'rejected' }>[] = [];

  constructor(
    private readonly config: GatewayConfig,
    private readonly deps: GatewayDeps,
  ) {
    const { random, log, osdpKeys, keyStore, signer } = deps;
    const clock = (this.#clock = new SiteClock({
      clock: deps.clock,
      evidence: deps.timeEvidence,
      store: new ClockFile(config.dataDir),
      onFailure: (error, what) => log.error({ error }, what),
    }));
    this.#startedAtUnixMs = clock.wall().unixMs;
    this.#lifecycle = new Lifecycle(clock, STOP_MAX_MS, (part, error) =>
      log.error({ part, error }, 'a part did not stop in order'),
    );
    this.#commissioning = new GatewayCommissioning(config, {
      clock,
      random,
      log,
      osdpKeys,
      keyStore,
      record: (event) => this.#field?.record(event),
      onChange: () => this.#site.changed('commissioning'),
    });
    this.#policies = new PolicyLoader(config, {
      log,
      random,
      signer,
      clock,
      commissioning: this.#commissioning,
      laneState: this.#laneState,
      onRejected: (code, message) => this.#onReplica({ kind: 'rejected', code, message }),
    });
    this.#replica = new ReplicaClient(
      clock,
      { dataDir: config.dataDir, publicKey: signer.publicKey },
      {
        onMessage: (message) => this.#onReplica(message),
        onHeard: (heard) => this.#field?.heard(heard),
        onUnheard: ({ author, code, message }) => {
          log.warn({ author, code }, message);
          if (author === undefined) this.#field?.unheard();
        },
        onFailed: (error) => {
          this.#field?.unheard();
          this.#partFailed('replica', error);
          this.#firstGeneration?.({ kind: 'none' });
        },
      },
    );
    const laneHandlers = {
      onRejected: (rejection: LaneRejection) => this.#onLaneRejected(rejection),
      onFailed: (error: SparcError) => this.#partFailed('policyLane', error),
    };
    const { dataDir } = config;
    const busIds = config.buses.map(({ id }) => id);
    this.#lane = config.mesh && new LaneProcess(clock, { dataDir, busIds }, laneHandlers);
    this.#meshJournal = new MeshJournal({ clock, log, record: (event) => this.#field?.record(event) });
    const copied = new CopiedWords({
      clock,
      dataDir,
      empty: (copy) => this.#journal?.empty(copy),
      onFailure: (error) => log.error({ error }, 'the key of the cloud cannot be read'),
    });
    const { simulatorUrl } = config.console;
    this.#site = new SiteProcess(
      clock,
      {
        snapshot: () => this.#snapshot(),
        commissioning: () => this.#commissioning.view(),
        buses: () => this.#commissioning.busesView(),
        request: (action, authorization) => this.#request(action, authorization),
        meshNotice: (notice) => this.#meshJournal.take(notice),
        stored: () => this.#replica.stored(),
        policyHere: () => this.#lane?.look(),
        copied: (words) => copied.take(words),
        reach: (keys) => this.#field?.reaches(keys),
        ownTime: () => clock.own(),
        timeInUse: () => clock.inUse(),
        siteTime: (heard) => {
          if (Value.Check(TimesTold, heard)) clock.hear(heard);
        },
        onListening: (url) => {
          this.#commissioning.listening(url);
          deps.onListening(url);
        },
        onDown: (error) => this.#partFailed('site', error),
      },
      {
        ...config.api,
        dataDir: config.dataDir,
        logLevel: config.log.level,
        ...(simulatorUrl === undefined ? {} : { simulatorUrl }),
        ...(config.mesh && { mesh: config.mesh }),
      },
    );
  }

  /** Resolves when the field listens to the buses. A part that cannot start goes on trying and holds nothing up. */
  async start(): Promise<void> {
    const clock = this.#clock;
    const first = new Promise<GenerationMessage>((resolve) => (this.#firstGeneration = resolve));
    await this.#lifecycle.start(named('clock', clock));
    await this.#lifecycle.start(named('replica', this.#replica));
    const patience = clock.setTimer(FIRST_POLICY_MAX_MS, () => this.#firstGeneration?.({ kind: 'none' }));
    const generation = await first;
    patience.cancel();
    const policy = this.#policies.load(generation) ?? this.#policies.loadNone();
    const field = await this.#startField(policy.kind === 'policy' ? policy.plan : policy.emergency?.plan);
    clock.tell({
      record: (event) => field.record(event),
      onChange: () => field.clockChanged(),
      onAhead: (unixMs) => field.keepUpWith(unixMs),
    });
    field.usePolicy(policy);
    for (const rejected of this.#rejectedEarly.splice(0)) this.#onReplica(rejected);
    await this.#lifecycle.start(named('commissioning', this.#commissioning));
    await this.#lifecycle.start(named('site', this.#site));
    if (this.#lane !== undefined) await this.#lifecycle.start(named('policyLane', this.#lane));
    this.#recordStart(field);
    if (this.#isInMesh) this.#replica.hear();
    const audit = new Audit({
      clock,
      dataDir: this.config.dataDir,
      configFiles: this.deps.configFiles,
      record: (event) => this.#keepAct(field, event),
      onFailure: (error, what) => this.deps.log.warn({ error }, what),
    });
    await this.#lifecycle.start(named('audit', audit));
  }

  /** Idempotent. Every part is stopped, in reverse order, each within its deadline. */
  async stop(): Promise<void> {
    this.#field?.record({ name: 'gateway.stopped' });
    await this.#lifecycle.stop();
    this.#policies.close();
  }

  /**
   * Resolves when nothing of it writes to the disk any more, after a stop, however long a slow one takes: another gateway on it
   * would find the journal in use, and older state written over its own.
   */
  async written(): Promise<void> {
    const parts = [this.#clock.stop(), this.#field?.saved(), this.#expulsions?.stop(), this.#journal?.stop()];
    await Promise.all([...parts, this.#commissioning.written()]);
  }

  /** Others learn from it which buses are served, and by whom. */
  #recordStart(field: Field): void {
    const buses = this.config.buses.map(({ id }) => id).join(' ');
    field.record({ name: 'gateway.started', detail: { name: this.config.gateway.name, buses } });
  }

  /** A person who joined it to a site left a note of that. */
  async #keepAct(field: Field, event: EventDraft): Promise<boolean> {
    const isKept = await field.keep(event);
    const isNew = event.name === 'site.joined' && this.config.mesh !== undefined && !this.#isInMesh;
    if (isNew && joinedSite(this.config.dataDir, undefined, this.deps.log) !== undefined) this.deps.onJoined();
    return isKept;
  }

  async #startField(plan: SitePlan | undefined): Promise<Field> {
    const { host, log, random } = this.deps;
    const { dataDir } = this.config;
    const clock = this.#clock;
    let isFirst = true;
    const joined = joinedSite(dataDir, plan?.site.id, log);
    this.#isInMesh = this.config.mesh !== undefined && joined !== undefined;
    let opened: (report: JournalStartReport) => void = () => undefined;
    const journalOpened = new Promise<JournalStartReport>((resolve) => (opened = resolve));
    const journal = (this.#journal = new JournalClient(
      clock,
      { dataDir, siteId: joined?.site ?? plan?.site.id ?? '' },
      {
        onStart: (report) => {
          // After a restart of the thread, open grants are the field's own and still under way.
          if (isFirst) void this.#field?.closeGrants(report);
          opened(report);
          isFirst = false;
        },
        onDown: (error) => this.#partFailed('journal', error),
        onWritable: (writable, error) =>
          log.warn({ code: error?.code }, writable ? 'the journal writes again' : 'the journal cannot write'),
        onCopyRefused: ({ code, message }) =>
          log.warn({ code, message }, 'the journal drops nothing of what the cloud is said to have'),
      },
    ));
    const field = new Field(
      {
        clock,
        log,
        journal,
        fieldBus: this.#commissioning.buses,
        random,
        isInMesh: this.#isInMesh,
        acceptClock: () => clock.accept(),
        ...(host && { host }),
        ...fieldMemory({ dataDir, clock, journalOpened, plan, view: () => this.#policies.view }),
        ...(joined && { directives: await this.#directedSite(joined, journalOpened) }),
      },
      { onChange: () => this.#site.changed('snapshot'), onRecord: (entry) => this.#onRecord(entry) },
    );
    this.#field = field;
    // Nobody waits for it: without a disk, doors still let people out.
    await this.#lifecycle.start({ name: 'journal', start: () => void journal.start(), stop: () => journal.stop() });
    await this.#lifecycle.start(named('field', field));
    return field;
  }

  async #directedSite(joined: JoinedSite, journalOpened: Promise<JournalStartReport>): Promise<DirectedSite> {
    const { dataDir } = this.config;
    const clock = this.#clock;
    const expulsions = expulsionBook(dataDir, {
      clock,
      record: (event, cause) => this.#field?.record(event, cause),
      onExpelled: (expelled) => {
        const texts = expulsionsToTexts(expelled);
        this.#site.expelled(texts);
        this.#replica.expelled(texts);
      },
      onFailure: (error, what) => this.deps.log.error({ error }, what),
    });
    this.#expulsions = expulsions;
    await this.#lifecycle.start(named('expulsions', expulsions));
    return directedSite(joined, { dataDir, clock, journalOpened, expulsions });
  }

  #onReplica(message: ReplicaMessage): void {
    if (message.kind === 'rejected') {
      this.deps.log.error({ code: message.code }, message.message);
      if (this.#field === undefined) this.#rejectedEarly.push(message);
      else this.#field.record({ name: 'policy.rejected', code: message.code });
    } else if (message.kind === 'confirmed') {
      this.#field?.confirmPolicy(message.revision, message.confirmedUnixMs);
    } else if (this.#field === undefined) {
      this.#firstGeneration?.(message);
    } else {
      const policy = this.#policies.load(message);
      if (policy !== undefined) this.#field.usePolicy(policy);
    }
  }

  #onLaneRejected(rejection: LaneRejection): void {
    const { code, message } = rejection;
    this.#laneState.rejected(rejection);
    this.deps.log.error({ code }, message);
    this.#field?.record({ name: 'policy.rejected', code });
    this.#site.changed('snapshot');
  }

  async #request(action: unknown, authorization: string | undefined): Promise<RequestAnswer> {
    // What the operator signed is their authorization.
    if (Value.Check(DirectiveRequest, action)) return this.#direct(action.directive);
    if (Value.Check(TrialRequest, action)) return { kind: 'tried', decision: this.#startedField.tryOut(action.trial) };
    if (!Value.Check(OrderRequest, action)) return this.#commissioning.handle(action, authorization);
    this.#commissioning.assertLocal(authorization);
    await this.#field?.order(action.order, action.by);
    return { kind: 'obeyed' };
  }

  async #direct(signed: SignedDirective): Promise<RequestAnswer> {
    return { kind: 'directed', receipt: await this.#startedField.direct(signed) };
  }

  /** Throws ERR_API_STARTING. */
  get #startedField(): Field {
    if (this.#field === undefined) throw new SparcError('ERR_API_STARTING', 'the gateway has not started yet');
    return this.#field;
  }

  #onRecord(entry: AppendedEntry): void {
    this.#logLinks(entry.record);
    const { holderId } = entry.record;
    const holder = holderId === undefined ? undefined : this.#policies.view?.credentialHolder(holderId);
    this.#site.event(siteEvent(entry, holder?.name));
  }

  /** Lines, readers and neighbours, for whoever has only the log. Who came to which door is in the journal alone. */
  #logLinks({ name, busId, deviceId, code, detail }: EventRecord): void {
    if (!/^(bus|reader|mesh)\./.test(name)) return;
    const { severity } = EVENTS[name];
    const level = severity === 'alarm' || severity === 'warning' ? 'warn' : 'info';
    this.deps.log[level]({ busId, deviceId, code, neighbour: detail?.['neighbour'] }, name);
  }

  #partFailed(part: string, error: SparcError): void {
    this.deps.log.error({ part, code: error.code }, error.message);
    this.#field?.record({ name: 'gateway.part_failed', code: error.code, detail: { part } });
  }

  #snapshot(): SiteSnapshot {
    const { signer } = this.deps;
    const gateway = {
      name: this.config.gateway.name,
      startedAtUnixMs: this.#startedAtUnixMs,
      publicKey: toHex(signer.publicKey),
    };
    const field = this.#field?.snapshot();
    if (field === undefined) throw new Error('the site process starts after the field');
    const clock = { ...field.clock, aheadMs: Math.round(this.#clock.aheadMs) };
    return { ...field, gateway, clock, policyLane: this.#laneState.view() };
  }
}

const named = (name: string, service: { start(): void; stop(): Promise<void> | void }) => ({
  name,
  start: () => service.start(),
  stop: () => service.stop(),
});
