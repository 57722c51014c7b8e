import type {
  BusAlarm,
  BusStatus,
  CardRead,
  DeviceStatus,
  FieldBusHandlers,
  InputChange,
  KeypadEntry,
  OutputChange,
} from '@sparc/protocol/ports';

/** Records everything that a field bus tells its handlers. */
export class FieldWitness implements FieldBusHandlers {
  readonly cards: CardRead[] = [];
  readonly keypads: KeypadEntry[] = [];
  readonly inputs: InputChange[] = [];
  readonly outputs: OutputChange[] = [];
  readonly devices: DeviceStatus[] = [];
  readonly buses: BusStatus[] = [];
  readonly alarms: BusAlarm[] = [];

  onCardRead(read: CardRead): void {
    this.cards.push(read);
  }

  onKeypad(entry: KeypadEntry): void {
    this.keypads.push(entry);
  }

  onInput(change: InputChange): void {
    this.inputs.push(change);
  }

  onOutput(change: OutputChange): void {
    this.outputs.push(change);
  }

  onDevice(status: DeviceStatus): void {
    this.devices.push(status);
  }

  onBus(status: BusStatus): void {
    this.buses.push(status);
  }

  onAlarm(alarm: BusAlarm): void {
    this.alarms.push(alarm);
  }

  /** What was said last of a device. */
  device(deviceId: string): DeviceStatus | undefined {
    return this.devices.filter((status) => status.deviceId === deviceId).at(-1);
  }
}
