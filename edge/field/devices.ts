import type { BusAlarm, BusStatus, DeviceStatus } from '@sparc/protocol/ports';
import type { ErrorCode } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';

/**
 * Alarms with which a bus tells that a Secure Channel session which was up is gone. A reader that is swapped, opened or
 * cut off does that; so it counts as tamper until it is secure again.
 */
const SESSION_LOST: readonly ErrorCode[] = [
  'ERR_OSDP_SECURE_LOST',
  'ERR_OSDP_CLEAR_REPLY',
  'ERR_OSDP_MAC',
  'ERR_OSDP_RESTARTED',
];

/** What devices and buses last said of themselves, and the records of what changed. */
export class Devices {
  readonly #devices = new Map<string, DeviceStatus>();
  /** Devices that were recorded as offline, and why. Connecting for the first time is no loss. */
  readonly #lost = new Map<string, ErrorCode | undefined>();
  /** Devices that lost Secure Channel. */
  readonly #insecure = new Set<string>();
  readonly #buses = new Map<string, BusStatus>();

  get(deviceId: string): DeviceStatus | undefined {
    return this.#devices.get(deviceId);
  }

  isOnline(deviceId: string): boolean {
    return this.#devices.get(deviceId)?.link === 'online';
  }

  get buses(): Iterable<BusStatus> {
    return this.#buses.values();
  }

  /** What a bus alarms of; returns what is worth a record. */
  alarm({ busId, deviceId, code }: BusAlarm): readonly EventDraft[] {
    if (deviceId === undefined) return [{ name: 'reader.alarm', busId, code }];
    if (!SESSION_LOST.includes(code)) return [{ name: 'reader.alarm', busId, deviceId, code }];
    this.#insecure.add(deviceId);
    const status = this.#devices.get(deviceId);
    if (status !== undefined) this.#devices.set(deviceId, { ...status, tampered: true });
    return status?.tampered === true ? [] : [{ name: 'reader.tamper', busId, deviceId, code }];
  }

  /** Returns what is worth a record. */
  update(reported: DeviceStatus): readonly EventDraft[] {
    if (reported.secure) this.#insecure.delete(reported.deviceId);
    const status = { ...reported, tampered: reported.tampered || this.#insecure.has(reported.deviceId) };
    const before = this.#devices.get(status.deviceId);
    this.#devices.set(status.deviceId, status);
    const records: EventDraft[] = [];
    const { deviceId, reason } = status;
    const code = reason === undefined ? {} : { code: reason };
    if (status.link === 'online' && before?.link !== 'online') records.push({ name: 'reader.online', deviceId });
    if (status.link === 'online') {
      this.#lost.delete(deviceId);
    } else if (status.link === 'offline' || before?.link === 'online') {
      const isNew = !this.#lost.has(deviceId) || (reason !== undefined && reason !== this.#lost.get(deviceId));
      if (isNew) records.push({ name: 'reader.offline', deviceId, ...code });
      if (isNew) this.#lost.set(deviceId, reason);
    }
    if (status.tampered !== (before?.tampered ?? false)) {
      records.push({ name: status.tampered ? 'reader.tamper' : 'reader.tamper_clear', deviceId, ...code });
    }
    if (status.powerFailed !== (before?.powerFailed ?? false)) {
      records.push({ name: status.powerFailed ? 'reader.power_failed' : 'reader.power_restored', deviceId });
    }
    return records;
  }

  updateBus(status: BusStatus): readonly EventDraft[] {
    const before = this.#buses.get(status.busId);
    this.#buses.set(status.busId, status);
    const { busId, up, error } = status;
    if (up) return before?.up === true ? [] : [{ name: 'bus.up', busId }];
    if (before?.up === false && before.error?.code === error?.code) return [];
    return [{ name: 'bus.down', busId, ...(error === undefined ? {} : { code: error.code }) }];
  }
}
