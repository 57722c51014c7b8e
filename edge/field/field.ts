import type { Trial, TriedDecision } from '@sparc/protocol/cloud-link';
import type { SignedDirective } from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { SitePlan } from '@sparc/protocol/policy';
import type { AppendedEntry, EntryId } from '@sparc/protocol/ports';
import { isLockedDown, threatLevel, type HasInput } from '@sparc/protocol/site-mode';
import { isClockKnown } from '../access/index.js';
import { StalenessWatch } from '../clock/index.js';
import type { DirectiveDesk, DirectiveReceipt } from '../directives/index.js';
import { Peers, type Heard } from '../heard/index.js';
import { SiteInputs } from '../inputs/index.js';
import type { JournalStartReport } from '../ledger/index.js';
import { Linkage, VOLATILE_LINKAGE } from '../linkage/index.js';
import { PassageBook } from '../passages/index.js';
import { RevocationBook, VOLATILE_REVOCATIONS } from '../revocation/index.js';
import { SiteModeKeeper, VOLATILE_MODE, type Order, type RuleRaise, type Toggle } from '../site-mode/index.js';
import { VisitorBook, VOLATILE_VISITORS } from '../visitors/index.js';
import { BusReports } from './bus-reports.js';
import { cardDesk } from './card-desk.js';
import { ChangeNotice } from './change-notice.js';
import { Devices } from './devices.js';
import { directiveDesk } from './directed.js';
import { DoorSet } from './door-set.js';
import { EarlierRun } from './earlier-run.js';
import type { FieldDeps, FieldOptions } from './field-deps.js';
import type { FieldPolicy } from './field-policy.js';
import { fieldSnapshot, type FieldSnapshot } from './field-snapshot.js';
import { HeardDispatch } from './heard-dispatch.js';
import { Indicator } from './indicator.js';
import { OrderDesk } from './order-desk.js';
import { PolicyInForce } from './policy-in-force.js';
import type { Presentations } from './presentations.js';
import { codeOf, Recorder } from './recorder.js';
import { EMPTY_SITE, indexSite, type SiteIndex } from './site-index.js';
import { StampClock } from './stamp-clock.js';
import { tryOut } from './try-out.js';

/**
 * The field part of a gateway: readers, decisions, the journal's word on grants, doors. It waits for nothing else, and an
 * error in one presentation or report is a denial or a line in the log while the rest goes on.
 */
export class Field {
  readonly #devices = new Devices();
  readonly #peers = new Peers();
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
  readonly #policy: PolicyInForce;
  readonly #stamps: StampClock;
  readonly #reports: BusReports;
  readonly #dispatch: HeardDispatch;
  readonly #earlier: EarlierRun;
  readonly #notice: ChangeNotice;
  readonly snapshot: () => FieldSnapshot;
  /** What a presentation would be answered that nobody makes. Nothing changes by it; throws as the function does. */
  readonly tryOut: (trial: Trial) => TriedDecision;
  #index: SiteIndex = EMPTY_SITE;
  /** All of what the index is this gateway's part of; it outlives its policy as the index does. */
  #site: SitePlan | undefined;

  constructor(
    private readonly deps: FieldDeps,
    private readonly options: FieldOptions = {},
  ) {
    const { clock, fieldBus, journal, log, isInMesh = false } = deps;
    const peers = isInMesh ? this.#peers : undefined;
    const hasInput: HasInput = (gateway, input) => this.#peers.hasInputAlone(gateway, input);
    const index = () => this.#index;
    const view = () => this.#policy.view;
    const siteMode = () => this.#mode.mode;
    const order = (what: Order | Toggle | RuleRaise, by: string) => this.order(what, by);
    const onFailure = (error: unknown, what: string) => log.error({ code: codeOf(error), error }, what);
    this.#notice = new ChangeNotice(clock, options.onChange);
    const onChange = this.#notice.changed;

    this.#stamps = new StampClock(clock, journal);
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
    const { record } = this.#recorder;
    this.#policy = new PolicyInForce(clock, this.#recorder);
    this.#staleness = new StalenessWatch({ clock, record, ageMs: () => this.#policy.ageMs() });

    this.#passages = new PassageBook({ clock, record, peers, onFirstCard: () => this.#doors.lookAtModes() });
    this.#mode = new SiteModeKeeper({
      clock,
      random: deps.random,
      store: deps.modeStore ?? VOLATILE_MODE,
      isInMesh,
      record,
      commit: (event, carryOut) => this.#recorder.commitOrder(event, carryOut),
      recorded: deps.recordedMode ?? (() => Promise.resolve([])),
      obstacle: (what) => ('door' in what ? this.#interlockObstacle(what.door) : undefined),
      isClockKnown: () => this.#policy.view !== undefined && isClockKnown(this.#policy.view, clock.wall().quality),
      onChange: () => this.#doors.lookAtModes(),
      onFailure,
    });
    this.#revocations = new RevocationBook({
      clock,
      store: deps.revocationStore ?? VOLATILE_REVOCATIONS,
      recorded: deps.recordedRevocations,
      isAbsorbed: (directive) => this.#policy.hasAbsorbed(directive),
      record,
      onFailure,
    });
    this.#visitors = new VisitorBook({
      clock,
      store: deps.visitorStore ?? VOLATILE_VISITORS,
      revokedUnixMs: (id) => this.#revocations.revokedUnixMs(id),
      record,
      onFailure,
    });

    this.#indicator = new Indicator({ clock, fieldBus, onChange });
    const bus = { indicate: this.#indicator.indicate, setOutput: fieldBus.setOutput.bind(fieldBus) };
    this.#doors = new DoorSet({
      clock,
      fieldBus: bus,
      record,
      onChange,
      devices: this.#devices,
      log,
      siteMode,
      hasInput,
      isOpenedFirst: (doorId) => this.#passages.isOpenedFirst(doorId),
    });
    this.#inputs = new SiteInputs({
      clock,
      record,
      settled: (change) => this.#doors.onInput(change),
      changed: (inputId, signal) => this.#linkage.onInput(inputId, signal),
      fireInput: (inputId, active) => this.#mode.fireInput(inputId, active),
    });
    this.#linkage = new Linkage({
      clock,
      store: deps.linkageStore ?? VOLATILE_LINKAGE,
      peers,
      fieldBus: bus,
      isOnline: (deviceId) => this.#devices.isOnline(deviceId),
      record,
      order,
      siteMode,
      isLockedDown: (doorId) => isLockedDown(siteMode(), this.#index.doors.get(doorId)),
      facts: {
        isScheduleOpen: (id) => this.#doors.isScheduleOpen(id),
        doorMode: (id) => this.#doors.get(id)?.state.standing,
        threatLevel: () => threatLevel(siteMode()),
        input: (id) => this.#inputs.signal(id),
        peopleIn: (id) => this.#passages.peopleIn(id),
      },
      onFailure: (error) => onFailure(error, 'a linkage rule could not be carried out'),
    });

    const parts = {
      clock,
      log,
      record,
      recorder: this.#recorder,
      devices: this.#devices,
      doors: this.#doors,
      indicator: this.#indicator,
      inputs: this.#inputs,
      linkage: this.#linkage,
      mode: this.#mode,
      passages: this.#passages,
      revocations: this.#revocations,
      visitors: this.#visitors,
      policy: this.#policy,
      peers: this.#peers,
      stamps: this.#stamps,
      index,
      view,
      siteMode,
      hasInput,
      onChange,
      onFailure,
    };
    this.#orders = new OrderDesk({ ...parts, acceptClock: deps.acceptClock });
    const directives = deps.directives && directiveDesk(deps.directives, { ...parts, orders: this.#orders });
    this.#directives = directives;
    const { presentations, decider } = cardDesk({ ...parts, host: deps.host, order });
    this.#presentations = presentations;
    this.#reports = new BusReports({ ...parts, presentations: this.#presentations });
    this.#dispatch = new HeardDispatch({ ...parts, journal, directives });
    this.#earlier = new EarlierRun({ ...parts, directives, claims: deps.claims, given: deps.directives?.given });
    this.snapshot = () => fieldSnapshot(parts);
    this.tryOut = (trial) => tryOut({ ...parts, decider }, trial);
  }

  /** Once. Takes up the mode the site was in, and listens to the buses. */
  start(): void {
    this.#mode.start();
    this.#revocations.start();
    this.#visitors.start();
    this.#linkage.start();
    this.#directives?.start();
    this.#doors.lookAtModes();
    this.deps.fieldBus.start(this.#reports.handlers);
    this.#earlier.restore();
  }

  /** Idempotent. Timed releases end in the devices by themselves. When it resolves, nothing more is written to the stores. */
  async stop(): Promise<void> {
    this.#reports.stop();
    this.#presentations.stop();
    this.#staleness.stop();
    this.#inputs.stop();
    const saving = this.saved();
    this.#doors.stop();
    this.#passages.stop();
    this.#indicator.stop();
    await this.deps.fieldBus.stop();
    await this.#recorder.stop();
    this.#notice.stop();
    await saving;
  }

  /** With a stop; resolves when nothing of it writes a file any more, however long a slow disk takes. Idempotent. */
  async saved(): Promise<void> {
    const stores = [this.#linkage, this.#mode, this.#revocations, this.#visitors, this.#directives];
    await Promise.all(stores.map(async (each) => each?.stop()));
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
    this.#notice.changed();
  }

  /** The authority of the policy said again that this revision holds: its age begins anew. */
  confirmPolicy(revision: string, confirmedUnixMs: number): void {
    const { policy } = this.#policy;
    if (!this.#policy.confirm(revision, confirmedUnixMs) || policy.kind === 'none') return;
    this.#staleness.use(policy.view.policyStaleness, policy.plan.accessPoints);
    this.#notice.changed();
  }

  /**
   * Carries out what a named person ordered. Resolves when it is in force and kept for the next start, or, for one
   * passage, when its command was answered. Rejects with ERR_GATEWAY_ORDER_REFUSED, which is recorded too, or as
   * `SiteModeKeeper.order` and `RevocationBook.revoke` do.
   */
  async order(order: Order | Toggle | RuleRaise, by: string): Promise<void> {
    await this.#orders.obey(order, by);
    this.#notice.changed();
  }

  /** Grants of an earlier run of which nobody knows what became: whoever they were for may have passed. */
  closeGrants(report: Pick<JournalStartReport, 'openGrants' | 'releasedGrants'>): Promise<void> {
    return this.#earlier.closeGrants(report);
  }

  /** The clock was set, or is worth more or less than before. */
  clockChanged(): void {
    this.#doors.lookAtSchedules();
    this.#notice.changed();
  }

  /** What other gateways and the authority of the site said. What is recorded from now on comes after it. */
  heard(heard: Heard): void {
    this.#dispatch.heard(heard);
    this.#notice.changed();
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
    this.#notice.changed();
    return receipt;
  }

  /** Nothing is read any more of what other gateways say, until they are heard again: all of it, from the start. */
  unheard(): void {
    this.#dispatch.unheard();
    this.#notice.changed();
  }

  /** Public keys, in hex, of all gateways to which there is a way, directly or through others. */
  reaches(keys: readonly string[]): void {
    this.#dispatch.reaches(keys);
  }

  /** The clock of a neighbour shows this, and the own one a time before it. */
  keepUpWith(unixMs: number): void {
    this.#stamps.keepUpWith(unixMs);
  }

  /** Records what happened in another part of the gateway. */
  record(event: EventDraft, cause?: Promise<EntryId | undefined>): void {
    void this.#recorder.record(event, cause);
  }

  /** As `record`; resolves to whether the record is on disk, however late. */
  async keep(event: EventDraft): Promise<boolean> {
    return (await this.#recorder.record(event)) !== undefined;
  }

  #interlockObstacle(doorId: string): string | undefined {
    return this.#doors.isInterlockBusy(doorId)
      ? `another door of the airlock of ${doorId} is not closed and locked`
      : undefined;
  }

  #recorded(entry: AppendedEntry): void {
    this.#stamps.stamped(entry.hlc);
    // A journal that failed when the policy changed writes again.
    this.#policy.announce();
    try {
      this.options.onRecord?.(entry);
    } catch (error) {
      this.deps.log.error({ code: codeOf(error) }, 'a listener to records failed');
    }
    this.#notice.changed();
  }
}
