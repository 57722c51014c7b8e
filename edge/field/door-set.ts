import { letsIn, standsOpen } from '@sparc/protocol/policy';
import type { Clock, DeviceStatus, InputChange, InputState, OutputChange } from '@sparc/protocol/ports';
import type { HasInput } from '@sparc/protocol/site-mode';
import type { PolicyView } from '../access/index.js';
import { Door, isSecure, OUTPUT_ROLES, type DoorDeps, type DoorWiring, type OutputRole } from '../doors/index.js';
import { standingMode, type SiteMode } from '../site-mode/index.js';
import type { Devices } from './devices.js';
import type { FieldLog } from './recorder.js';
import { ScheduleWatch } from './schedule-watch.js';
import { deviceOf, EMPTY_SITE, portKey, signalOf, type SiteIndex, type WiredDoor } from './site-index.js';

export interface DoorSetDeps extends DoorDeps {
  readonly clock: Clock;
  readonly devices: Devices;
  readonly log: FieldLog;
  /** What people and fire alarms have ordered. */
  readonly siteMode: () => SiteMode;
  /** Of another gateway. */
  readonly hasInput: HasInput;
  /** Whoever has to come first has come. */
  readonly isOpenedFirst: (doorId: string) => boolean;
}

/** All doors of the site: routes what the buses report, keeps the mode of each, and survives changes of the plan. */
export class DoorSet {
  #index: SiteIndex = EMPTY_SITE;
  readonly #doors = new Map<string, Door>();
  /** Last state of every input, by `portKey`. */
  readonly #inputs = new Map<string, InputState>();
  readonly #schedules: ScheduleWatch;

  constructor(private readonly deps: DoorSetDeps) {
    const { clock, log, record } = deps;
    this.#schedules = new ScheduleWatch({ clock, log, record, onChange: () => this.lookAtModes() });
  }

  get(doorId: string): Door | undefined {
    return this.#doors.get(doorId);
  }

  /** The clock was set, or is worth more or less than before. */
  lookAtSchedules(): void {
    this.#schedules.look();
  }

  /** As far as the clock is known. */
  isScheduleOpen(scheduleId: string): boolean {
    return this.#schedules.isOpen(scheduleId);
  }

  /** Whether somebody may be let in there at this instant. */
  letsIn(doorId: string): boolean {
    const standing = this.#doors.get(doorId)?.state.standing;
    return standing !== undefined && letsIn(standing) && !this.isInterlockBusy(doorId);
  }

  /** Another door of its airlock is not known to be closed and locked. An exit request does not ask. */
  isInterlockBusy(doorId: string): boolean {
    const { peerIds = [] } = this.#index.doors.get(doorId) ?? {};
    const { doors } = this.deps.siteMode();
    return peerIds.some((id) => {
      const peer = this.#doors.get(id);
      return peer === undefined || !isSecure(peer.state) || standsOpen(doors[id]?.mode ?? 'locked');
    });
  }

  /** Doors that are wired as before keep what is known of them. Without a view nothing is unlocked by schedule. */
  configure(index: SiteIndex, view: PolicyView | undefined): void {
    const before = this.#index;
    this.#index = index;
    for (const [id, door] of this.#doors) {
      if (index.doors.get(id)?.wiringKey === before.doors.get(id)?.wiringKey) continue;
      door.retire();
      this.#doors.delete(id);
    }
    for (const [id, wired] of index.doors) {
      const door = this.#doors.get(id);
      if (door) door.configure(wired.wiring, wired.settings);
      else this.#add(id, wired);
    }
    for (const [key, { accessPoint, reader }] of index.points) {
      if (before.points.has(key) || !this.deps.devices.isOnline(reader.device)) continue;
      this.#doors.get(accessPoint.door)?.restoreReader(reader.device, reader.number);
    }
    this.#schedules.use(
      view,
      (index.plan?.schedules ?? []).map(({ id }) => id),
    );
  }

  onDevice(status: DeviceStatus, wasOnline: boolean): void {
    const { deviceId } = status;
    const isOnline = status.link === 'online';
    if (isOnline === wasOnline) return;
    if (!isOnline) this.#forgetInputs(deviceId);
    for (const [id, { wiring }] of this.#index.doors) {
      const door = this.#doors.get(id);
      for (const role of rolesOn(wiring, deviceId)) door?.outputDevice(role, isOnline);
      if (!isOnline) continue;
      for (const reader of wiring.readers)
        if (reader.deviceId === deviceId) door?.restoreReader(deviceId, reader.number);
    }
  }

  onInput({ deviceId, inputNumber, state }: InputChange): void {
    const key = portKey(deviceId, inputNumber);
    this.#inputs.set(key, state);
    this.#tell(key, state);
  }

  onOutput({ deviceId, outputNumber, active }: OutputChange): void {
    for (const [id, { wiring }] of this.#index.doors) {
      const { lock } = wiring.outputs;
      if (lock.deviceId === deviceId && lock.outputNumber === outputNumber) this.#doors.get(id)?.outputReport(active);
    }
  }

  stop(): void {
    this.#schedules.stop();
    for (const door of this.#doors.values()) door.stop();
  }

  #add(id: string, wired: WiredDoor): void {
    const door = new Door(wired.wiring, wired.settings, this.deps);
    this.#doors.set(id, door);
    for (const role of OUTPUT_ROLES) {
      const port = wired.wiring.outputs[role];
      if (port !== undefined && this.deps.devices.isOnline(port.deviceId)) door.outputDevice(role, true);
    }
    for (const use of wired.inputs) {
      const key = portKey(use.deviceId, use.inputNumber);
      const state = this.#inputs.get(key);
      if (state !== undefined) this.#tell(key, state);
    }
  }

  #tell(key: string, state: InputState): void {
    const use = this.#index.inputs.get(key);
    const door = use && this.#doors.get(use.doorId);
    if (use === undefined || door === undefined) return;
    const signal = signalOf(use, state);
    if (use.role === 'contact') door.contact(signal);
    else door.exitRequest(signal);
  }

  /** An offline device says nothing of its inputs, also of those that the plan has no use for at the moment. */
  #forgetInputs(deviceId: string): void {
    for (const key of [...this.#inputs.keys()]) {
      if (deviceOf(key) !== deviceId) continue;
      this.#inputs.delete(key);
      this.#tell(key, 'unknown');
    }
  }

  lookAtModes(): void {
    const { siteMode, hasInput } = this.deps;
    for (const [id, wired] of this.#index.doors) {
      const { door: planned } = wired;
      const door = this.#doors.get(id);
      door?.masks({ held: this.#isOpen(planned.heldAlarmMask), forced: this.#isOpen(planned.forcedAlarmMask) });
      const awaitsFirst = planned.firstCard?.unlocks === true && !this.deps.isOpenedFirst(id);
      const isOpen = !awaitsFirst && this.#isOpen(planned.unlockSchedule);
      door?.mode(standingMode(siteMode(), wired, isOpen, hasInput));
    }
  }

  #isOpen(scheduleId: string | undefined): boolean {
    return scheduleId !== undefined && this.#schedules.isOpen(scheduleId);
  }
}

const rolesOn = ({ outputs }: DoorWiring, deviceId: string): OutputRole[] =>
  OUTPUT_ROLES.filter((role) => outputs[role]?.deviceId === deviceId);
