import type { EventDraft, Reason } from '@sparc/protocol/events';
import { letsIn } from '@sparc/protocol/policy';
import type {
  AppendedEntry,
  CardRead,
  Clock,
  DeviceStatus,
  FieldBus,
  FieldBusHandlers,
  Journal,
  Timer,
} from '@sparc/protocol/ports';
import {
  decide,
  decideEmergency,
  releaseObstacle,
  type AccessRequest,
  type Decision,
  type DecisionContext,
} from '../access/index.js';
import { AreaBook, type AreaClaim } from '../areas/index.js';
import { SiteInputs } from '../inputs/index.js';
import { isFireAt, refused, SiteModeKeeper, VOLATILE_MODE, type ModeStore, type Order } from '../site-mode/index.js';
import { Devices } from './devices.js';
import { DoorSet } from './door-set.js';
import { NO_POLICY, revisionOf, type FieldPolicy } from './field-policy.js';
import { doorSnapshot, readerSnapshots, type FieldSnapshot } from './field-snapshot.js';
import { Indicator } from './indicator.js';
import type { Presentation } from './grant-path.js';
import { Presentations, rawCard } from './presentations.js';
import { codeOf, Recorder, type FieldLog } from './recorder.js';
import { EMPTY_SITE, indexSite, portKey, type SiteIndex } from './site-index.js';

export interface FieldDeps {
  readonly clock: Clock;
  readonly fieldBus: FieldBus;
  readonly journal: Journal;
  readonly log: FieldLog;
  /** Default: forgets with the process. */
  readonly modeStore?: ModeStore;
  /** The claims of earlier runs about who is where, oldest first. Absent: there was none. */
  readonly areaClaims?: () => Promise<readonly AreaClaim[]>;
}

export interface FieldOptions {
  /** Something of the snapshot changed; at most once in `CHANGE_PAUSE_MS`. */
  readonly onChange?: () => void;
  /** Every entry of the field that is on disk. Must not block, and what it throws is logged. */
  readonly onRecord?: (entry: AppendedEntry) => void;
}

/** Changes closer together than this are one. */
const CHANGE_PAUSE_MS = 50;
/** From an operator's release to its command, as from a card's. */
const OPERATOR_RELEASE_MAX_MS = 2_000;

/**
 * The field part of a gateway: readers, decisions, the journal's word on grants, doors. It waits for nothing else, and an
 * error in one presentation or report is a denial or a line in the log while the rest goes on.
 */
export class Field {
  readonly #devices = new Devices();
  readonly #recorder: Recorder;
  readonly #areas: AreaBook;
  readonly #indicator: Indicator;
  readonly #mode: SiteModeKeeper;
  readonly #inputs: SiteInputs;
  readonly #doors: DoorSet;
  readonly #presentations: Presentations;
  #policy: FieldPolicy = NO_POLICY;
  #index: SiteIndex = EMPTY_SITE;
  #applied: { readonly unixMs: number; readonly monotonicMs: number } | undefined;
  #isPolicyRecorded = true;
  #change: Timer | undefined;
  #stopping = false;

  constructor(
    private readonly deps: FieldDeps,
    private readonly options: FieldOptions = {},
  ) {
    const { clock, fieldBus, journal, log } = deps;
    const onChange = () => this.#changed();
    this.#areas = new AreaBook({ clock, record: (event) => this.record(event) });
    const { observe } = this.#areas;
    this.#recorder = new Recorder({ clock, journal, log, observe, onEntry: (entry) => this.#recorded(entry) });
    this.#indicator = new Indicator({ clock, fieldBus, onChange });
    const { indicate } = this.#indicator;
    const { record } = this.#recorder;
    const bus = { indicate, setOutput: fieldBus.setOutput.bind(fieldBus) };
    this.#mode = new SiteModeKeeper({
      clock,
      store: deps.modeStore ?? VOLATILE_MODE,
      record: (event) => void record(event),
      commit: (event) => this.#recorder.commit({ record: event }),
      obstacle: (order) => (order.kind === 'door' ? this.#interlockObstacle(order.door) : undefined),
      onChange: () => this.#doors.lookAtModes(),
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
    });
    this.#inputs = new SiteInputs({
      clock,
      record: (event) => void record(event),
      settled: (change) => this.#doors.onInput(change),
      fireInput: (inputId, active) => this.#mode.fireInput(inputId, active),
    });
    this.#presentations = new Presentations(
      clock,
      this.#recorder,
      {
        point: (deviceId, readerNumber) => this.#index.points.get(portKey(deviceId, readerNumber)),
        unknownPointReason: () => (this.#policy.kind === 'none' ? 'no_policy' : 'point_unknown'),
        isTampered: (deviceId) => this.#devices.get(deviceId)?.tampered ?? false,
        decide: (request) => this.#decide(request),
        obstacle: (decision, presentation) => this.#obstacle(decision, presentation),
        door: (doorId) => this.#doors.get(doorId),
        reserve: ({ holderId, accessPointId }) =>
          holderId === undefined ? () => undefined : this.#areas.reserve(holderId, accessPointId),
        announcePolicy: () => this.#announcePolicy(),
        indicate: ({ reader }, indication) => indicate(reader.device, reader.number, indication),
      },
      log,
    );
  }

  /** Once. Takes up the mode the site was in, and listens to the buses. */
  start(): void {
    this.#mode.start();
    this.#doors.lookAtModes();
    this.deps.fieldBus.start(this.#handlers());
    void this.#restoreAreas();
  }

  /** Idempotent. Timed releases end in the devices by themselves. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#presentations.stop();
    this.#inputs.stop();
    this.#mode.stop();
    this.#doors.stop();
    this.#areas.stop();
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
    const revision = revisionOf(policy);
    if (revision !== undefined && revision === revisionOf(this.#policy)) return;
    this.#policy = policy;
    const { clock } = this.deps;
    this.#applied = { unixMs: clock.wall().unixMs, monotonicMs: clock.monotonicMs() };
    this.#isPolicyRecorded = false;
    this.#announcePolicy();
    const plan = policy.kind === 'policy' ? policy.plan : policy.emergency?.plan;
    // With no plan left, doors stay wired as they were: exit requests never wait for a policy.
    if (plan !== undefined) {
      this.#index = indexSite(plan);
      this.#inputs.configure(plan.inputs);
      this.#areas.configure(plan);
    }
    this.#doors.configure(this.#index, policy.kind === 'policy' ? policy.view : undefined);
    this.#presentations.reset();
    for (const [doorId, { hasUnsecuredRelay }] of this.#index.doors) {
      if (hasUnsecuredRelay) void this.#recorder.record({ name: 'door.unsecured_side_relay', doorId });
    }
    this.#changed();
  }

  /**
   * Carries out what a named person ordered. Resolves when it is in force, or, for one passage, when its command was
   * answered. Rejects with ERR_GATEWAY_ORDER_REFUSED.
   */
  async order(order: Order, by: string): Promise<void> {
    if ('door' in order && !this.#index.doors.has(order.door)) throw refused(`there is no door ${order.door}`);
    if (order.kind === 'accessDoor') {
      await this.#accessDoor(order.door, by, order.extended === true);
    } else if (order.kind === 'acknowledge') {
      this.#doors.get(order.door)?.acknowledge();
      void this.#recorder.record({ name: 'door.acknowledged', doorId: order.door, detail: { by } });
    } else if (order.kind === 'forgive') {
      this.#areas.forgive(order.holder, by);
    } else await this.#mode.order(order, by);
    this.#changed();
  }

  /** Records what happened in another part of the gateway. */
  record(event: EventDraft): void {
    void this.#recorder.record(event);
  }

  snapshot(): FieldSnapshot {
    const { plan } = this.#index;
    const revision = revisionOf(this.#policy);
    const { lastId } = this.#recorder;
    return {
      ...(plan === undefined ? {} : { site: { id: plan.site.id, name: plan.site.name, timeZone: plan.site.timeZone } }),
      ...(revision === undefined || this.#applied === undefined
        ? {}
        : {
            policy: { revision, appliedAtUnixMs: this.#applied.unixMs },
            policyAgeMs: Math.round(this.deps.clock.monotonicMs() - this.#applied.monotonicMs),
          }),
      mode: {
        lockdown: this.#mode.mode.lockdown !== undefined,
        threatLevel: this.#mode.mode.threatLevel,
        fires: Object.keys(this.#mode.mode.fires),
      },
      doors: [...this.#index.doors].flatMap(([id, wired]) => {
        const door = this.#doors.get(id);
        return door === undefined ? [] : [doorSnapshot(wired, door.state)];
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
      lateRecordsCount: this.#recorder.lateCount,
    };
  }

  /** Until it is done, and if it fails, areas go by their policy for the unknown. */
  async #restoreAreas(): Promise<void> {
    try {
      this.#areas.restore((await this.deps.areaClaims?.()) ?? []);
    } catch (error) {
      this.deps.log.error({ code: codeOf(error), error }, 'who is where could not be read back');
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
      onKeypad: (entry) => this.#guard(entry.deviceId, () => this.#presentations.onKeypad(entry)),
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
    for (const record of records) void this.#recorder.record(record);
    this.#changed();
  }

  #decide(request: AccessRequest): Decision {
    const context = this.#context(request.accessPointId);
    const policy = this.#policy;
    if (policy.kind === 'policy') return decide(request, policy.view, context);
    return decideEmergency(request, policy.emergency ?? NO_EMERGENCY, context);
  }

  #context(accessPointId: string): DecisionContext {
    const { clock } = this.deps;
    return {
      wall: clock.wall(),
      monotonicMs: clock.monotonicMs(),
      lockOuts: this.#presentations.lockOuts,
      areas: this.#areas,
      secureChannelRequired: this.#index.accessPoints.get(accessPointId)?.device.secureChannel !== 'clear',
      ...this.#modeAt(this.#index.accessPoints.get(accessPointId)?.accessPoint.door),
    };
  }

  /** What the door of an access point adds to a decision, at this instant. */
  #modeAt(doorId: string | undefined): Pick<DecisionContext, 'doorMode' | 'interlockBusy'> {
    if (doorId === undefined) return {};
    const doorMode = this.#doors.get(doorId)?.state.standing;
    return {
      ...(doorMode !== undefined && { doorMode }),
      ...(this.#doors.isInterlockBusy(doorId) && { interlockBusy: true }),
    };
  }

  #interlockObstacle(doorId: string): string | undefined {
    return this.#doors.isInterlockBusy(doorId)
      ? `another door of the airlock of ${doorId} is not closed and locked`
      : undefined;
  }

  /** During a fire whoever touches an exit reader leaves; no decision is asked, and the record comes after (4.0, rule 6). */
  #leavesFreely({ deviceId, readerNumber }: CardRead): boolean {
    const point = this.#index.points.get(portKey(deviceId, readerNumber));
    const wired = point && this.#index.doors.get(point.accessPoint.door);
    if (point?.accessPoint.direction !== 'exit' || wired === undefined) return false;
    if (!isFireAt(this.#mode.mode, wired.door)) return false;
    this.#doors.get(wired.door.id)?.freeExit();
    void this.#recorder.record({ name: 'fire.free_exit', accessPointId: point.accessPoint.id, doorId: wired.door.id });
    return true;
  }

  /** An operator's release is a decision too: recorded first, and looked at again before the lock moves. */
  async #accessDoor(doorId: string, by: string, extended: boolean): Promise<void> {
    const isFree = () => {
      const standing = this.#doors.get(doorId)?.state.standing;
      return standing !== undefined && letsIn(standing) && !this.#doors.isInterlockBusy(doorId);
    };
    const detail = { by };
    try {
      if (!isFree()) throw refused(`door ${doorId} lets nobody in at the moment`);
      const entry = await this.#recorder.commit({ record: { name: 'operator.release', doorId, detail } }).catch(() => {
        throw refused('the release cannot be recorded, and is recorded first');
      });
      const door = isFree() ? this.#doors.get(doorId) : undefined;
      if (door === undefined) throw refused(`door ${doorId} lets nobody in any more`);
      const outcome = await door.release(
        { id: Promise.resolve(entry.id), subject: {} },
        OPERATOR_RELEASE_MAX_MS,
        extended,
      );
      if (outcome.kind !== 'acknowledged') throw refused(`the lock did not answer: ${outcome.error.message}`);
    } catch (error) {
      void this.#recorder.record({ name: 'order.refused', doorId, detail: { by, order: 'accessDoor' } });
      throw error;
    }
  }

  /** A grant under a revision that is no longer in force has to stand under the new one as a whole. */
  #obstacle(decision: Decision, { point, request }: Presentation): Reason | undefined {
    const policy = this.#policy;
    const now = this.#index.accessPoints.get(request.accessPointId);
    if (now?.accessPoint.door !== point.accessPoint.door) return 'point_unknown';
    if (policy.kind === 'policy' && decision.inputs.policyRevision === policy.view.revision) {
      return releaseObstacle(decision, policy.view, this.#modeAt(point.accessPoint.door));
    }
    const again = this.#decide(request);
    return again.outcome === 'grant' ? undefined : (again.reason ?? 'internal_error');
  }

  /** Until the journal has taken it, it is tried with each entry and each refused grant: else none could be recorded. */
  #announcePolicy(): void {
    if (this.#isPolicyRecorded) return;
    this.#isPolicyRecorded = true;
    const policy = this.#policy;
    const revision = revisionOf(policy);
    const record =
      revision === undefined
        ? ({ name: 'policy.lost', code: 'ERR_POLICY_NONE' } as const)
        : ({ name: 'policy.loaded', detail: { revision } } as const);
    this.#recorder.commit({ record }).catch(() => {
      if (this.#policy === policy) this.#isPolicyRecorded = false;
    });
  }

  #recorded(entry: AppendedEntry): void {
    // A journal that failed when the policy changed writes again.
    this.#announcePolicy();
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

const NO_EMERGENCY = { cardFormats: [], accessPoint: () => undefined, emergencyCredential: () => undefined };
