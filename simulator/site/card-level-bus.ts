import { SparcError } from '@sparc/protocol/errors';
import type {
  Clock,
  CommandOutcome,
  DeviceStatus,
  FieldBus,
  FieldBusHandlers,
  Indication,
  OutputCommand,
} from '@sparc/protocol/ports';
import type { CardBits } from '../devices/index.js';
import type { SeededRandom } from '../world/index.js';
import { CardLevelDevice } from './card-level-device.js';

/** Shares of commands and reads that go wrong. */
export interface BusBehaviour {
  /** Executed, and the answer never comes. */
  readonly unansweredRate: number;
  /** Certainly not executed. */
  readonly refusedRate: number;
  /** The read was held back by the device for longer than a read may be old. */
  readonly staleReadRate: number;
}

export const HEALTHY_BUS: BusBehaviour = { unansweredRate: 0, refusedRate: 0, staleReadRate: 0 };
export const BUS_BEHAVIOUR_FAULTS = ['unanswered', 'refused', 'staleRead'] as const;
export type BusBehaviourFault = (typeof BUS_BEHAVIOUR_FAULTS)[number];

/** One way, with the poll or turn it waits for. */
const DELAY_MIN_MS = 2;
const DELAY_MAX_MS = 60;
const CONNECT_MIN_MS = 200;
const CONNECT_MAX_MS = 1_500;
const UNANSWERED_AFTER_MS = 1_000;
/** A poll interval: how old a read may be on a healthy line. */
const READ_AGE_MS = 60;
const STALE_READ_AGE_MS = 20_000;

/** The FieldBus port at card level: a whole site of devices, with delays and faults drawn from a seed. */
export class CardLevelBus implements FieldBus {
  readonly devices: ReadonlyMap<string, CardLevelDevice>;
  behaviour = HEALTHY_BUS;
  readonly fired = new Map<BusBehaviourFault, number>();
  /** The monotonic clock of the machine that it hangs on, by which it tells when something was received. */
  machineMs: () => number;
  /** A reader shows something. */
  onIndication: (deviceId: string, readerNumber: number, indication: Indication) => void = () => undefined;
  /** The field at the other end; another one after each start of a gateway. */
  #handlers: FieldBusHandlers | undefined;
  readonly #online = new Set<string>();
  readonly #watchers = new Map<string, (online: boolean) => void>();

  constructor(
    private readonly clock: Clock,
    private readonly random: SeededRandom,
    deviceIds: readonly string[],
  ) {
    this.machineMs = () => clock.monotonicMs();
    this.devices = new Map(deviceIds.map((id) => [id, new CardLevelDevice(id, clock)]));
    for (const device of this.devices.values()) {
      device.onInput = (number, active) => this.#later(device, () => this.#reportInput(device, number, active));
      device.onPower = (powered) => {
        if (powered) this.#connect(device);
        else this.#disconnect(device);
      };
    }
  }

  start(handlers: FieldBusHandlers): void {
    this.#handlers = handlers;
    // In the first round of polls.
    const delayMs = this.#connectDelayMs();
    for (const device of this.devices.values()) this.#connect(device, delayMs);
  }

  async stop(): Promise<void> {
    this.detach();
  }

  /** The gateway is gone: nobody polls. */
  detach(): void {
    this.#handlers = undefined;
    for (const deviceId of this.#online) this.#watchers.get(deviceId)?.(false);
    this.#online.clear();
  }

  /** Calls the watcher whenever a gateway reaches the device, or no longer does. */
  onOnline(deviceId: string, watcher: (online: boolean) => void): void {
    this.#watchers.set(deviceId, watcher);
  }

  setOutput({ deviceId, outputNumber, action }: OutputCommand): Promise<CommandOutcome> {
    const handlers = this.#handlers;
    return new Promise((resolve) => {
      const answer = (outcome: CommandOutcome, delayMs: number) =>
        this.clock.setTimer(delayMs, () => {
          if (handlers === this.#handlers) resolve(outcome);
        });
      this.clock.setTimer(this.#delayMs(), () => {
        if (handlers !== this.#handlers) return;
        const device = this.devices.get(deviceId);
        if (device === undefined || !this.#online.has(deviceId) || this.#fires('refused', this.behaviour.refusedRate)) {
          answer({ kind: 'notExecuted', error: lost(deviceId) }, this.#delayMs());
          return;
        }
        device.drive(outputNumber, action);
        if (this.#fires('unanswered', this.behaviour.unansweredRate)) {
          answer({ kind: 'unknown', error: lost(deviceId) }, UNANSWERED_AFTER_MS);
        } else {
          answer({ kind: 'acknowledged' }, this.#delayMs());
          this.#later(device, () => {
            handlers?.onOutput({ deviceId, outputNumber, active: device.active(outputNumber) });
          });
        }
      });
    });
  }

  indicate(deviceId: string, readerNumber: number, indication: Indication): void {
    const device = this.devices.get(deviceId);
    if (device === undefined) return;
    this.#later(device, () => this.onIndication(deviceId, readerNumber, indication));
  }

  /** True when the device keeps the read back for longer than a read may be old. */
  presentCard(deviceId: string, readerNumber: number, { bitCount, bits }: CardBits): boolean {
    const stale = this.#fires('staleRead', this.behaviour.staleReadRate);
    const ageMaxMs = stale ? STALE_READ_AGE_MS : READ_AGE_MS;
    this.#fromReader(deviceId, (handlers, receivedAtMs) =>
      handlers.onCardRead({ deviceId, readerNumber, bitCount, bits, receivedAtMs, ageMaxMs, secure: true }),
    );
    return stale;
  }

  pressKeys(deviceId: string, readerNumber: number, keys: string): void {
    this.#fromReader(deviceId, (handlers, receivedAtMs) =>
      handlers.onKeypad({ deviceId, readerNumber, keys, receivedAtMs, ageMaxMs: READ_AGE_MS, secure: true }),
    );
  }

  #fromReader(deviceId: string, deliver: (handlers: FieldBusHandlers, receivedAtMs: number) => void): void {
    const device = this.devices.get(deviceId);
    if (device !== undefined) this.#later(device, (handlers) => deliver(handlers, this.machineMs()));
  }

  #connectDelayMs(): number {
    return this.random.between(CONNECT_MIN_MS, CONNECT_MAX_MS);
  }

  #connect(device: CardLevelDevice, delayMs = this.#connectDelayMs()): void {
    const handlers = this.#handlers;
    this.clock.setTimer(delayMs, () => {
      if (handlers === undefined || handlers !== this.#handlers || !device.powered) return;
      this.#online.add(device.id);
      this.#watchers.get(device.id)?.(true);
      handlers.onDevice(status(device.id, true));
      for (const [number, active] of device.inputs) this.#reportInput(device, number, active);
      for (const number of device.wiredOutputs()) {
        handlers.onOutput({ deviceId: device.id, outputNumber: number, active: device.active(number) });
      }
    });
  }

  #disconnect(device: CardLevelDevice): void {
    if (!this.#online.delete(device.id)) return;
    this.#watchers.get(device.id)?.(false);
    this.#handlers?.onDevice(status(device.id, false));
  }

  #reportInput(device: CardLevelDevice, inputNumber: number, active: boolean): void {
    const receivedAtMs = this.machineMs();
    this.#handlers?.onInput({ deviceId: device.id, inputNumber, state: active ? 'active' : 'inactive', receivedAtMs });
  }

  /** Reports of one device keep their order: each takes the same time within a run of events. */
  #later(device: CardLevelDevice, act: (handlers: FieldBusHandlers) => void): void {
    const handlers = this.#handlers;
    this.clock.setTimer(DELAY_MAX_MS, () => {
      if (handlers !== undefined && handlers === this.#handlers && this.#online.has(device.id)) act(handlers);
    });
  }

  #delayMs(): number {
    return this.random.between(DELAY_MIN_MS, DELAY_MAX_MS);
  }

  #fires(fault: BusBehaviourFault, rate: number): boolean {
    if (rate === 0 || !this.random.chance(rate)) return false;
    this.fired.set(fault, (this.fired.get(fault) ?? 0) + 1);
    return true;
  }
}

const lost = (deviceId: string) => new SparcError('ERR_OSDP_LINE_DOWN', `${deviceId} does not answer`, { deviceId });

const status = (deviceId: string, online: boolean): DeviceStatus => ({
  deviceId,
  link: online ? 'online' : 'offline',
  secure: online,
  tampered: false,
  powerFailed: false,
  ...(online ? {} : { reason: 'ERR_OSDP_LINE_DOWN' }),
});
