import type { DirectiveOf, SignedDirective } from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { SitePlan } from '@sparc/protocol/policy';
import { HLC_ZERO, mergeHlc, type Hlc } from '@sparc/protocol/hlc';
import type {
  AppendedEntry,
  CardRead,
  Clock,
  DeviceStatus,
  EntryId,
  FieldBus,
  FieldBusHandlers,
  Journal,
  Random,
  Timer,
} from '@sparc/protocol/ports';
import { isClockKnown } from '../access/index.js';
import { StalenessWatch } from '../clock/index.js';
import { lossClaim, PassageBook, type Claim } from '../passages/index.js';
import {
  RevocationBook,
  VOLATILE_REVOCATIONS,
  type RecordedRevocations,
  type RevocationStore,
} from '../revocation/index.js';
import { VisitorBook, VOLATILE_VISITORS, type VisitorStore } from '../visitors/index.js';
import { Peers, type Heard, type HeardEntry } from '../heard/index.js';
import { DirectiveDesk, type DirectiveReceipt, type DirectiveSinks, type DirectiveSite } from '../directives/index.js';
import { HostDesk, type AuthorisationHost } from '../host/index.js';
import { SiteInputs } from '../inputs/index.js';
import { Linkage, VOLATILE_LINKAGE, type LinkageStore } from '../linkage/index.js';
import {
  isFireAt,
  isLockedDown,
  SiteModeKeeper,
  threatLevel,
  VOLATILE_MODE,
  type HasInput,
  type ModeStore,
  type Order,
  type Toggle,
  type SiteModeDeps,
} from '../site-mode/index.js';
import type { JournalStartReport, LoggedEntry } from '../ledger/index.js';
import { Decider } from './decider.js';
import { directiveSinks } from './directed.js';
import { Devices } from './devices.js';
import { CardToggles } from './card-toggles.js';
import { DoorSet } from './door-set.js';
import type { FieldPolicy } from './field-policy.js';
import { doorSnapshot, modeSnapshot, readerSnapshots, type FieldSnapshot } from './field-snapshot.js';
import { Indicator } from './indicator.js';
import { OrderDesk } from './order-desk.js';
import { PolicyInForce } from './policy-in-force.js';
import { Presentations, rawCard } from './presentations.js';
import { codeOf, Recorder, type FieldLog } from './recorder.js';
import { EMPTY_SITE, indexSite, portKey, type SiteIndex } from './site-index.js';

export interface FieldDeps {
  readonly clock: Clock;
  readonly fieldBus: FieldBus;
  readonly journal: Journal;
  readonly log: FieldLog;
  readonly random: Random;
  /** Other gateways hear what this one records, and this one what they do. Absent: it is alone. */
  readonly isInMesh?: boolean;
  /** Asked where an access point says so. Absent: it does not answer. */
  readonly host?: AuthorisationHost;
  /** Takes the wall clock as right from now on. Absent: the clock is not the gateway's own. */
  readonly acceptClock?: () => Promise<void>;
  /** Default: forgets with the process. */
  readonly modeStore?: ModeStore;
  /** What the journal has of the mode of earlier runs, oldest first. Absent: nothing. */
  readonly recordedMode?: SiteModeDeps['recorded'];
  /** Default: forgets with the process. */
  readonly revocationStore?: RevocationStore;
  /** What the journal has of earlier runs. Absent: there was none. */
  readonly recordedRevocations?: () => Promise<RecordedRevocations>;
  /** Default: forgets with the process. */
  readonly visitorStore?: VisitorStore;
  /** Default: forgets with the process. */
  readonly linkageStore?: LinkageStore;
  /** Of the site that it is a member of. Absent: of none, and nobody directs it. */
  readonly directives?: DirectiveSite & {
    /** Makes an expulsion count that an operator ordered, and records it. */
    readonly expel: DirectiveSinks['expel'];
    /** What was given here shortly before the start, oldest first. Absent: nothing. */
    readonly given?: () => Promise<readonly HeardEntry[]>;
  };
  /** The claims of earlier runs about who passed where, oldest first. Absent: there was none. */
  readonly claims?: () => Promise<readonly Claim[]>;
}

export interface FieldOptions {
  /** Something of the snapshot changed; at most once in `CHANGE_PAUSE_MS`. */
  readonly onChange?: () => void;
  /** Every entry of the field that is on disk. Must not block, and what it throws is logged. */
  readonly onRecord?: (entry: AppendedEntry) => void;
}

/** Changes closer together than this are one. */
const CHANGE_PAUSE_MS = 50;
/**
 * The field part of a gateway: readers, decisions, the journal's word on grants, doors. It waits for nothing else, and an
 * error in one presentation or report is a denial or a line in the log while the rest goes on.
 */
export class Field {
  readonly #devices = new Devices();
  readonly #peers = new Peers();
  readonly #hasInput: HasInput = (gateway, input) => this.#peers.hasInputAlone(gateway, input);
  readonly #recorder: Recorder;
  readonly #passages: PassageBook;
  readonly #indicator: Indicator;
  readonly #mode: SiteModeKeeper;
  readonly #revocations: RevocationBook;
  readonly #visitors: VisitorBook;
  readonly #inputs: SiteInputs;
  readonly #linkage: Linkage;
  readonly #doors: DoorSet;
  readonly #orders: OrderDesk;
  readonly #directives: DirectiveDesk | undefined;
  readonly #presentations: Presentations;
  readonly #staleness: StalenessWatch;
  readonly #toggles: CardToggles;
  readonly #policy: PolicyInForce;
  readonly #decider: Decider;
  #index: SiteIndex = EMPTY_SITE;
  /** Of the latest entry, of this gateway or another one that it follows. */
  #stampedUnixMs = 0;
  /** All of what the index is this gateway's part of; it outlives its policy as the index does. */
  #site: SitePlan | undefined;
  #restoring = Promise.resolve();
  #change: Timer | undefined;
  #stopping = false;

  constructor(
    private readonly deps: FieldDeps,
    private readonly options: FieldOptions = {},
  ) {
    const { clock, fieldBus, journal, log } = deps;
    const onChange = () => this.#changed();
    this.#passages = new PassageBook({
      clock,
      record: (event) => this.record(event),
      peers: deps.isInMesh === true ? this.#peers : undefined,
      onFirstCard: () => this.#doors.lookAtModes(),
    });
    this.#recorder = new Recorder({
      clock,
      journal,
      log,
      observe: (event, entry) => {
        this.#passages.observe(event, entry);
        this.#linkage.observe(
          event,
          entry.then((appended) => appended?.id),
        );
      },
      onEntry: (entry) => this.#recorded(entry),
    });
    this.#indicator = new Indicator({ clock, fieldBus, onChange });
    const { indicate } = this.#indicator;
    const { record } = this.#recorder;
    const bus = { indicate, setOutput: fieldBus.setOutput.bind(fieldBus) };
    this.#mode = new SiteModeKeeper({
      clock,
      random: deps.random,
      store: deps.modeStore ?? VOLATILE_MODE,
      isInMesh: deps.isInMesh === true,
      record: (event, cause) => void record(event, cause),
      commit: (event, carryOut) => this.#recorder.commitOrder(event, carryOut),
      recorded: deps.recordedMode ?? (() => Promise.resolve([])),
      obstacle: (order) =>
        order.kind === 'door' || order.kind === 'toggle' ? this.#interlockObstacle(order.door) : undefined,
      isClockKnown: () => this.#policy.view !== undefined && isClockKnown(this.#policy.view, clock.wall().quality),
      onChange: () => this.#doors.lookAtModes(),
      onFailure: (error, what) => log.error({ code: codeOf(error), error }, what),
    });
    this.#revocations = new RevocationBook({
      clock,
      store: deps.revocationStore ?? VOLATILE_REVOCATIONS,
      recorded: deps.recordedRevocations,
      record: (event, cause) => void record(event, cause),
      onFailure: (error, what) => log.error({ code: codeOf(error), error }, what),
    });
    this.#visitors = new VisitorBook({
      clock,
      store: deps.visitorStore ?? VOLATILE_VISITORS,
      isRevoked: (id) => this.#revocations.of(id, id) !== undefined,
      record,
      onFailure: (error, what) => log.error({ code: codeOf(error), error }, what),
    });
    this.#doors = new DoorSet({
      clock,
      fieldBus: bus,
      record,
      onChange,
      devices: this.#devices,
      log,
      siteMode: () => this.#mode.mode,
      hasInput: this.#hasInput,
      isOpenedFirst: (doorId) => this.#passages.isOpenedFirst(doorId),
    });
    this.#orders = new OrderDesk({
      recorder: this.#recorder,
      doors: this.#doors,
      mode: this.#mode,
      passages: this.#passages,
      revocations: this.#revocations,
      visitors: this.#visitors,
      view: () => this.#policy.view,
      acceptClock: deps.acceptClock,
    });
    this.#directives = deps.directives && this.#directiveDesk(deps.directives);
    this.#toggles = new CardToggles({
      clock,
      view: () => this.#policy.view,
      index: () => this.#index,
      doors: this.#doors,
      order: (toggle, by) => this.order(toggle, by),
    });
    this.#inputs = new SiteInputs({
      clock,
      record: (event) => void record(event),
      settled: (change) => this.#doors.onInput(change),
      changed: (inputId, signal) => this.#linkage.onInput(inputId, signal),
      fireInput: (inputId, active) => this.#mode.fireInput(inputId, active),
    });
    this.#linkage = new Linkage({
      clock,
      store: deps.linkageStore ?? VOLATILE_LINKAGE,
      peers: deps.isInMesh === true ? this.#peers : undefined,
      fieldBus: bus,
      isOnline: (deviceId) => this.#devices.isOnline(deviceId),
      record,
      order: (order, by) => this.order(order, by),
      siteMode: () => this.#mode.mode,
      isLockedDown: (doorId) => isLockedDown(this.#mode.mode, this.#index.doors.get(doorId)),
      facts: {
        isScheduleOpen: (id) => this.#doors.isScheduleOpen(id),
        doorMode: (id) => this.#doors.get(id)?.state.standing,
        threatLevel: () => threatLevel(this.#mode.mode),
        input: (id) => this.#inputs.signal(id),
        peopleIn: (id) => this.#passages.peopleIn(id),
      },
      onFailure: (error) => log.error({ code: codeOf(error), error }, 'a linkage rule could not be carried out'),
    });
    this.#policy = new PolicyInForce(clock, this.#recorder);
    this.#decider = new Decider({
      clock,
      log,
      policy: this.#policy,
      index: () => this.#index,
      doors: this.#doors,
      siteMode: () => this.#mode.mode,
      lockOuts: () => this.#presentations.lockOuts,
      passages: this.#passages,
      revocations: this.#revocations,
      visitors: this.#visitors,
    });
    this.#staleness = new StalenessWatch({ clock, record, ageMs: () => this.#policy.ageMs() });
    this.#presentations = new Presentations({
      clock,
      recorder: this.#recorder,
      log,
      host: new HostDesk({ clock, host: deps.host, record: (event) => this.record(event) }),
      site: {
        point: (deviceId, readerNumber) => this.#index.points.get(portKey(deviceId, readerNumber)),
        unknownPointReason: () => (this.#policy.view === undefined ? 'no_policy' : 'point_unknown'),
        isTampered: (deviceId) => this.#devices.get(deviceId)?.tampered ?? false,
        decide: (request) => this.#decider.decide(request),
        obstacle: (decision, presentation) => this.#decider.obstacle(decision, presentation),
        door: (doorId) => this.#doors.get(doorId),
        reserve: (decision, request) => this.#passages.reserve(decision, request),
        announcePolicy: () => this.#policy.announce(),
        released: (party) => party.forEach((each) => this.#toggles.released(each)),
        indicate: ({ reader }, indication) => indicate(reader.device, reader.number, indication),
        siteId: () => this.#index.plan?.site.id ?? '',
        mayEscort: (decision) => this.#decider.mayEscort(decision),
      },
    });
  }

  /** Once. Takes up the mode the site was in, and listens to the buses. */
  start(): void {
    this.#mode.start();
    this.#revocations.start();
    this.#visitors.start();
    this.#linkage.start();
    this.#directives?.start();
    this.#doors.lookAtModes();
    this.deps.fieldBus.start(this.#handlers());
    this.#restoring = this.#restoreClaims();
    void this.#restoreDirectives();
  }

  /** Idempotent. Timed releases end in the devices by themselves. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#presentations.stop();
    this.#staleness.stop();
    this.#inputs.stop();
    this.#linkage.stop();
    this.#mode.stop();
    this.#revocations.stop();
    this.#doors.stop();
    this.#passages.stop();
    this.#indicator.stop();
    await this.deps.fieldBus.stop();
    await this.#recorder.stop();
    this.#change?.cancel();
  }

  /**
   * Puts a revision in force, or says that there is none. Its record goes to the journal before any grant under it, so
   * that the journal refuses grants that were decided under the old one. Doors keep their physical state.
   */
  usePolicy(policy: FieldPolicy): void {
    this.#policy.use(policy);
    const plan = policy.kind === 'policy' ? policy.plan : policy.emergency?.plan;
    // With no plan left, doors stay wired as they were: exit requests never wait for a policy.
    if (plan !== undefined) {
      this.#index = indexSite(plan);
      this.#inputs.configure(plan.inputs);
      const site = policy.kind === 'policy' ? (policy.site ?? plan) : (this.#site ?? plan);
      this.#site = site;
      this.#peers.configure(plan, site);
      this.#linkage.configure(plan, site);
    }
    // A view that is no longer in force is closed: nobody may ask it anything more.
    const view = policy.kind === 'policy' ? policy.view : undefined;
    const { plan: own } = this.#index;
    if (own !== undefined) this.#passages.configure(own, view, this.#site ?? own);
    this.#doors.configure(this.#index, view);
    if (policy.kind === 'policy') this.#staleness.use(policy.view.policyStaleness, policy.plan.accessPoints);
    this.#presentations.reset();
    for (const [doorId, { hasUnsecuredRelay }] of this.#index.doors) {
      if (hasUnsecuredRelay) void this.#recorder.record({ name: 'door.unsecured_side_relay', doorId });
    }
    this.#changed();
  }

  /** The authority of the policy said again that this revision holds: its age begins anew. */
  confirmPolicy(revision: string, confirmedUnixMs: number): void {
    const { policy } = this.#policy;
    if (!this.#policy.confirm(revision, confirmedUnixMs) || policy.kind === 'none') return;
    this.#staleness.use(policy.view.policyStaleness, policy.plan.accessPoints);
    this.#changed();
  }

  /**
   * Carries out what a named person ordered. Resolves when it is in force and kept for the next start, or, for one
   * passage, when its command was answered. Rejects with ERR_GATEWAY_ORDER_REFUSED, which is recorded too, or as
   * `SiteModeKeeper.order` and `RevocationBook.revoke` do.
   */
  async order(order: Order | Toggle, by: string): Promise<void> {
    await this.#orders.obey(order, by);
    this.#changed();
  }

  /**
   * Grants of an earlier run of which nobody knows what became: whoever they were for may have passed. Not before it is
   * known who passed where till then.
   */
  async closeGrants({
    openGrants,
    releasedGrants,
  }: Pick<JournalStartReport, 'openGrants' | 'releasedGrants'>): Promise<void> {
    await this.#restoring;
    for (const grant of openGrants) {
      const subject = subjectOf(grant);
      this.record({ ...subject, name: 'access.outcome_unknown' });
      this.#passages.presume(subject);
    }
    for (const grant of releasedGrants) this.record({ ...subjectOf(grant), name: 'access.unverified' });
  }

  /** The clock was set, or is worth more or less than before. */
  clockChanged(): void {
    this.#doors.lookAtSchedules();
    this.#changed();
  }

  /** What other gateways and the authority of the site said. What is recorded from now on comes after it. */
  heard(heard: Heard): void {
    for (const { hlc } of heard.entries) this.#follow(hlc);
    if (this.#peers.heard(heard)) this.#doors.lookAtModes();
    this.#passages.heard(heard);
    for (const { key, heads } of heard.roster?.expelled ?? []) this.#mode.expelled(key, heads);
    this.#directives?.believe(heard.delegations);
    for (const entry of heard.entries) if (entry.record.name === 'fire.ended') this.#mode.fireEnded(entry);
    for (const entry of heard.entries) this.#guardEntry(entry);
    this.#linkage.caughtUp(heard.behind);
    this.#changed();
  }

  /**
   * Takes what an operator with a key directs: it goes into the own log, from where every gateway hears of it, and is
   * carried out here. Rejects as `DirectiveDesk.direct`, or with ERR_MESH_NOT_A_MEMBER where the gateway is in no site.
   */
  async direct(signed: SignedDirective): Promise<DirectiveReceipt> {
    if (this.#directives === undefined) {
      throw new SparcError('ERR_MESH_NOT_A_MEMBER', 'the gateway is a member of no site whose operators it knows');
    }
    const receipt = await this.#directives.direct(signed);
    this.#changed();
    return receipt;
  }

  /** Public keys, in hex, of all gateways that are heard, directly or through others. */
  reaches(keys: readonly string[]): void {
    this.#peers.reaches(keys);
    this.#passages.reached();
  }

  /** Records what happened in another part of the gateway. */
  record(event: EventDraft, cause?: Promise<EntryId | undefined>): void {
    void this.#recorder.record(event, cause);
  }

  /** As `record`; resolves to whether the record is on disk, however late. */
  async keep(event: EventDraft): Promise<boolean> {
    return (await this.#recorder.record(event)) !== undefined;
  }

  snapshot(): FieldSnapshot {
    const { plan } = this.#index;
    const policy = this.#policy.snapshot();
    const { lastId } = this.#recorder;
    const { quality, errorMs } = this.deps.clock.wall();
    return {
      ...(plan === undefined ? {} : { site: { id: plan.site.id, name: plan.site.name, timeZone: plan.site.timeZone } }),
      ...(policy === undefined ? {} : { policy }),
      clock: { quality, ...(errorMs === undefined ? {} : { errorMs }) },
      revocation: this.#revocations.applied,
      mode: modeSnapshot(this.#mode.mode),
      doors: [...this.#index.doors].flatMap(([id, wired]) => {
        const door = this.#doors.get(id);
        return door === undefined ? [] : [doorSnapshot(wired, door.state, this.#mode.endsAtUnixMs(id))];
      }),
      readers: readerSnapshots(this.#index, this.#devices, this.#indicator),
      buses: [...this.#devices.buses].map(({ busId: id, up, error }) => ({
        id,
        up,
        ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
      })),
      journal: {
        healthy: this.#recorder.healthy,
        ...(lastId === undefined ? {} : { lastEntry: `${lastId.epoch}.${lastId.sequence}` }),
      },
      suspendedRules: this.#linkage.suspended,
      lateRecordsCount: this.#recorder.lateCount,
    };
  }

  /** What the run before recorded and may have left undone: of its own ledger a gateway hears from nobody. */
  async #restoreDirectives(): Promise<void> {
    try {
      for (const entry of (await this.deps.directives?.given?.()) ?? []) this.#directives?.heard(entry);
    } catch (error) {
      this.deps.log.error({ code: codeOf(error), error }, 'which directives were given could not be read back');
    }
  }

  /** Until it is done, and if it fails, areas go by their policy for the unknown, and no limit of uses has any left. */
  async #restoreClaims(): Promise<void> {
    try {
      this.#passages.restore((await this.deps.claims?.()) ?? []);
    } catch (error) {
      this.deps.log.error({ code: codeOf(error), error }, 'who passed where could not be read back');
      this.#passages.restore([lossClaim(codeOf(error), this.deps.clock.wall().unixMs)]);
    }
  }

  #handlers(): FieldBusHandlers {
    return {
      onCardRead: (read) => {
        try {
          if (!this.#leavesFreely(read)) this.#presentations.onCardRead(read);
        } catch (error) {
          const { deviceId, readerNumber } = read;
          this.#failed(error, { deviceId });
          void this.#recorder.record({ name: 'access.denied', deviceId, reason: 'internal_error', ...rawCard(read) });
          this.#indicator.indicate(deviceId, readerNumber, 'denied');
        }
      },
      onKeypad: (entry) =>
        this.#guard(entry.deviceId, () => {
          if (!entry.keys.includes('#') || !this.#leavesFreely(entry)) this.#presentations.onKeypad(entry);
        }),
      onInput: (change) => this.#guard(change.deviceId, () => this.#inputs.onInput(change)),
      onOutput: (change) => this.#guard(change.deviceId, () => this.#doors.onOutput(change)),
      onDevice: (status) => this.#guard(status.deviceId, () => this.#onDevice(status)),
      onBus: (status) => {
        if (this.#stopping) return;
        for (const record of this.#devices.updateBus(status)) void this.#recorder.record(record);
        this.#changed();
      },
      onAlarm: (alarm) => {
        for (const record of this.#devices.alarm(alarm)) void this.#recorder.record(record);
        this.#changed();
      },
    };
  }

  #guard(deviceId: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failed(error, { deviceId });
    }
  }

  #failed(error: unknown, fields: object): void {
    this.deps.log.error({ ...fields, code: codeOf(error), error }, 'a report of the bus could not be handled');
  }

  #onDevice(status: DeviceStatus): void {
    // A bus that is stopped lets go of its devices, which is no failure of theirs.
    if (this.#stopping) return;
    const wasOnline = this.#devices.isOnline(status.deviceId);
    const records = this.#devices.update(status);
    // Locks first.
    this.#doors.onDevice(status, wasOnline);
    if (wasOnline && status.link !== 'online') this.#inputs.forget(status.deviceId);
    if (!wasOnline && status.link === 'online') this.#linkage.deviceOnline(status.deviceId);
    for (const record of records) void this.#recorder.record(record);
    this.#changed();
  }

  #directiveDesk({ expel, given: _restored, ...site }: NonNullable<FieldDeps['directives']>): DirectiveDesk {
    const { clock, log } = this.deps;
    return new DirectiveDesk({
      ...site,
      clock,
      nowUnixMs: () => this.#nowUnixMs(),
      sinks: directiveSinks({
        clock,
        nowUnixMs: () => this.#nowUnixMs(),
        mode: this.#mode,
        revocations: this.#revocations,
        visitors: this.#visitors,
        passages: this.#passages,
        doors: this.#doors,
        orders: this.#orders,
        view: () => this.#policy.view,
        expel,
      }),
      retract: (directive) => this.#retract(directive),
      record: this.#recorder.record,
      commit: (record) => this.#recorder.commit({ record }),
      onFailure: (error, what) => log.error({ code: codeOf(error), error }, what),
    });
  }

  #retract({ id, kind }: DirectiveOf<'raise' | 'visitor'>): void {
    if (kind === 'visitor') this.#visitors.end(id, 'ERR_DIRECTIVE_NOT_ENTITLED');
    else this.#mode.retract(id, 'ERR_DIRECTIVE_NOT_ENTITLED');
  }

  /** What is wrong with one entry of another gateway concerns no other. */
  #guardEntry(entry: HeardEntry): void {
    try {
      this.#heardEntry(entry);
    } catch (error) {
      this.deps.log.error(
        { ...entry.id, code: codeOf(error), error },
        'what another gateway recorded cannot be followed',
      );
    }
  }

  #heardEntry(entry: HeardEntry): void {
    switch (entry.record.name) {
      case 'linkage.ran':
      case 'linkage.carried_out':
        this.#linkage.heard(entry);
        return;
      case 'directive.given':
        this.#directives?.heard(entry);
        return;
      case 'site.lockdown':
      case 'site.threat_level':
      case 'fire.alarm':
      case 'fire.evacuation':
        this.#mode.heard(entry);
        return;
      default:
        return;
    }
  }

  #interlockObstacle(doorId: string): string | undefined {
    return this.#doors.isInterlockBusy(doorId)
      ? `another door of the airlock of ${doorId} is not closed and locked`
      : undefined;
  }

  /** During a fire whoever touches an exit reader leaves; no decision is asked, and the record comes after (4.0, rule 6). */
  #leavesFreely({ deviceId, readerNumber }: Pick<CardRead, 'deviceId' | 'readerNumber'>): boolean {
    const point = this.#index.points.get(portKey(deviceId, readerNumber));
    const wired = point && this.#index.doors.get(point.accessPoint.door);
    if (point?.accessPoint.direction !== 'exit' || wired === undefined) return false;
    if (!isFireAt(this.#mode.mode, wired, this.#hasInput)) return false;
    this.#doors.get(wired.door.id)?.freeExit();
    void this.#recorder.record({ name: 'fire.free_exit', accessPointId: point.accessPoint.id, doorId: wired.door.id });
    return true;
  }

  #follow(hlc: Hlc): void {
    this.deps.journal.observe(hlc);
    const { followed } = mergeHlc(HLC_ZERO, hlc, this.deps.clock.wall().unixMs);
    if (followed) this.#stampedUnixMs = Math.max(this.#stampedUnixMs, hlc.unixMs);
  }

  /** Of the next stamp, however the wall clock was set since. */
  #nowUnixMs(): number {
    return Math.max(this.deps.clock.wall().unixMs, this.#stampedUnixMs);
  }

  #recorded(entry: AppendedEntry): void {
    this.#stampedUnixMs = Math.max(this.#stampedUnixMs, entry.hlc.unixMs);
    // A journal that failed when the policy changed writes again.
    this.#policy.announce();
    try {
      this.options.onRecord?.(entry);
    } catch (error) {
      this.deps.log.error({ code: codeOf(error) }, 'a listener to records failed');
    }
    this.#changed();
  }

  #changed(): void {
    if (this.options.onChange === undefined || this.#change !== undefined) return;
    this.#change = this.deps.clock.setTimer(CHANGE_PAUSE_MS, () => {
      this.#change = undefined;
      this.options.onChange?.();
    });
  }
}

/** What the outcome of a grant says of it. */
function subjectOf({ id: causeId, record }: LoggedEntry) {
  const { accessPointId, doorId, credentialId, holderId } = record ?? {};
  return {
    causeId,
    ...(accessPointId !== undefined && { accessPointId }),
    ...(doorId !== undefined && { doorId }),
    ...(credentialId !== undefined && { credentialId }),
    ...(holderId !== undefined && { holderId }),
  };
}
