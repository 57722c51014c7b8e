import type { EventDraft } from '@sparc/protocol/events';
import type { CardRead, DeviceStatus, FieldBusHandlers } from '@sparc/protocol/ports';
import { isFireAt, type HasInput } from '@sparc/protocol/site-mode';
import type { SiteInputs } from '../inputs/index.js';
import type { Linkage } from '../linkage/index.js';
import type { SiteMode } from '../site-mode/index.js';
import type { Devices } from './devices.js';
import type { DoorSet } from './door-set.js';
import type { Indicator } from './indicator.js';
import { rawCard, type Presentations } from './presentations.js';
import { codeOf, type FieldLog, type Recorder } from './recorder.js';
import { portKey, type SiteIndex } from './site-index.js';

export interface BusReportsDeps {
  readonly log: FieldLog;
  readonly recorder: Recorder;
  readonly devices: Devices;
  readonly doors: DoorSet;
  readonly inputs: SiteInputs;
  readonly linkage: Linkage;
  readonly indicator: Indicator;
  readonly presentations: Presentations;
  readonly index: () => SiteIndex;
  readonly siteMode: () => SiteMode;
  /** Of another gateway. */
  readonly hasInput: HasInput;
  readonly onChange: () => void;
}

/** Takes each report of the buses to the parts it concerns. An error over one of them hinders no other. */
export class BusReports {
  #stopped = false;

  constructor(private readonly deps: BusReportsDeps) {}

  readonly handlers: FieldBusHandlers = {
    onCardRead: (read) => this.#onCardRead(read),
    onKeypad: (entry) =>
      this.#guard(entry.deviceId, () => {
        if (!entry.keys.includes('#') || !this.#leavesFreely(entry)) this.deps.presentations.onKeypad(entry);
      }),
    onInput: (change) => this.#guard(change.deviceId, () => this.deps.inputs.onInput(change)),
    onOutput: (change) => this.#guard(change.deviceId, () => this.deps.doors.onOutput(change)),
    onDevice: (status) => this.#guard(status.deviceId, () => this.#onDevice(status)),
    onBus: (status) => {
      if (!this.#stopped) this.#tell(this.deps.devices.updateBus(status));
    },
    onAlarm: (alarm) => this.#tell(this.deps.devices.alarm(alarm)),
  };

  /** A bus that is stopped lets go of its devices, which is no failure of theirs. */
  stop(): void {
    this.#stopped = true;
  }

  #onCardRead(read: CardRead): void {
    const { presentations, recorder, indicator } = this.deps;
    try {
      if (!this.#leavesFreely(read)) presentations.onCardRead(read);
    } catch (error) {
      const { deviceId, readerNumber } = read;
      this.#failed(error, deviceId);
      void recorder.record({ name: 'access.denied', deviceId, reason: 'internal_error', ...rawCard(read) });
      indicator.indicate(deviceId, readerNumber, 'denied');
    }
  }

  #onDevice(status: DeviceStatus): void {
    if (this.#stopped) return;
    const { devices, doors, inputs, linkage } = this.deps;
    const wasOnline = devices.isOnline(status.deviceId);
    const records = devices.update(status);
    // Locks first.
    doors.onDevice(status, wasOnline);
    if (wasOnline && status.link !== 'online') inputs.forget(status.deviceId);
    if (!wasOnline && status.link === 'online') linkage.deviceOnline(status.deviceId);
    this.#tell(records);
  }

  /** During a fire whoever touches an exit reader leaves; no decision is asked, and the record comes after (4.0, rule 6). */
  #leavesFreely({ deviceId, readerNumber }: Pick<CardRead, 'deviceId' | 'readerNumber'>): boolean {
    const { index, siteMode, hasInput, doors, recorder } = this.deps;
    const point = index().points.get(portKey(deviceId, readerNumber));
    const wired = point && index().doors.get(point.accessPoint.door);
    if (point?.accessPoint.direction !== 'exit' || wired === undefined) return false;
    if (!isFireAt(siteMode(), wired, hasInput)) return false;
    doors.get(wired.door.id)?.freeExit();
    void recorder.record({ name: 'fire.free_exit', accessPointId: point.accessPoint.id, doorId: wired.door.id });
    return true;
  }

  #tell(records: readonly EventDraft[]): void {
    for (const record of records) void this.deps.recorder.record(record);
    this.deps.onChange();
  }

  #guard(deviceId: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failed(error, deviceId);
    }
  }

  #failed(error: unknown, deviceId: string): void {
    this.deps.log.error({ deviceId, code: codeOf(error), error }, 'a report of the bus could not be handled');
  }
}
