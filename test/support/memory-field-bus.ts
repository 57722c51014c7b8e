import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type {
  Clock,
  CommandOutcome,
  DeviceStatus,
  FieldBus,
  FieldBusHandlers,
  Indication,
  InputState,
  KeypadEntry,
  OutputCommand,
  Timer,
} from '@sparc/protocol/ports';

interface Relay {
  permanent: boolean;
  energised: boolean;
  timer: Timer | undefined;
}

/** Devices by what they do, without frames: relays with timers, inputs, readers. Only `movements` says what a lock did. */
export class MemoryFieldBus implements FieldBus {
  readonly movements: { readonly atMs: number; readonly output: string; readonly energised: boolean }[] = [];
  readonly commands: (OutputCommand & { readonly atMs: number })[] = [];
  readonly indications: { readonly atMs: number; readonly reader: string; readonly indication: Indication }[] = [];
  /** From the command to its acknowledgement. */
  answerMs = 5;
  /** What becomes of commands: executed and acknowledged, executed without an answer, not executed, or never heard of. */
  commandsAre: 'acknowledged' | 'unanswered' | 'refused' | 'forgotten' = 'acknowledged';
  readonly #relays = new Map<string, Relay>();
  readonly #online = new Set<string>();
  #handlers: FieldBusHandlers | undefined;

  constructor(private readonly clock: Clock) {}

  start(handlers: FieldBusHandlers): void {
    this.#handlers = handlers;
  }

  /** As the real one, it lets go of its devices. */
  async stop(): Promise<void> {
    for (const deviceId of this.#online) {
      this.status(deviceId, { link: 'offline', secure: false, reason: 'ERR_OSDP_LINE_DOWN' });
    }
    this.#handlers = undefined;
  }

  setOutput(command: OutputCommand): Promise<CommandOutcome> {
    this.commands.push({ ...command, atMs: this.clock.monotonicMs() });
    return new Promise((resolve) => {
      if (this.commandsAre === 'forgotten') return;
      this.clock.setTimer(this.answerMs, () => {
        if (!this.#online.has(command.deviceId) || this.commandsAre === 'refused') {
          const error = new SparcError('ERR_OSDP_LINE_DOWN', 'the device is offline');
          return resolve({ kind: 'notExecuted', error });
        }
        this.#drive(command);
        if (this.commandsAre === 'acknowledged') return resolve({ kind: 'acknowledged' });
        resolve({ kind: 'unknown', error: new SparcError('ERR_OSDP_LINE_DOWN', 'no answer') });
      });
    });
  }

  indicate(deviceId: string, readerNumber: number, indication: Indication): void {
    this.indications.push({ atMs: this.clock.monotonicMs(), reader: `${deviceId}#${readerNumber}`, indication });
  }

  energised(deviceId: string, outputNumber = 0): boolean {
    return this.#relay(`${deviceId}#${outputNumber}`).energised;
  }

  status(deviceId: string, more: Partial<DeviceStatus> = {}): void {
    const status = { deviceId, link: 'online', secure: true, tampered: false, powerFailed: false, ...more } as const;
    if (status.link === 'online') this.#online.add(deviceId);
    else this.#online.delete(deviceId);
    this.#handlers?.onDevice(status);
  }

  alarm(deviceId: string, code: ErrorCode): void {
    this.#handlers?.onAlarm({ busId: 'bus', deviceId, code, message: code });
  }

  /** Loses what it was told, as a device without power does. */
  powerOff(deviceId: string): void {
    for (const [output, relay] of this.#relays) {
      if (!output.startsWith(`${deviceId}#`)) continue;
      relay.timer?.cancel();
      relay.permanent = false;
      this.#set(output, relay, false);
    }
    this.status(deviceId, { link: 'offline', secure: false, reason: 'ERR_OSDP_LINE_DOWN' });
  }

  input(deviceId: string, inputNumber: number, state: InputState): void {
    this.#handlers?.onInput({ deviceId, inputNumber, state, receivedAtMs: this.clock.monotonicMs() });
  }

  reportOutput(deviceId: string, outputNumber: number, active: boolean): void {
    this.#handlers?.onOutput({ deviceId, outputNumber, active });
  }

  card(deviceId: string, card: { readonly bits: Uint8Array; readonly bitCount: number }, ageMaxMs = 50): void {
    const receivedAtMs = this.clock.monotonicMs();
    this.#handlers?.onCardRead({ deviceId, readerNumber: 0, ...card, receivedAtMs, ageMaxMs, secure: true });
  }

  keys(deviceId: string, keys: string): void {
    const receivedAtMs = this.clock.monotonicMs();
    this.#handlers?.onKeypad({ deviceId, readerNumber: 0, keys, receivedAtMs, ageMaxMs: 50, secure: true });
  }

  keypad(entry: KeypadEntry): void {
    this.#handlers?.onKeypad(entry);
  }

  bus(busId: string, up: boolean): void {
    this.#handlers?.onBus({ busId, up, ...(up ? {} : { error: new SparcError('ERR_OSDP_LINE_DOWN', 'down') }) });
  }

  #drive({ deviceId, outputNumber, action }: OutputCommand): void {
    const output = `${deviceId}#${outputNumber}`;
    const relay = this.#relay(output);
    relay.timer?.cancel();
    relay.timer = undefined;
    switch (action.kind) {
      case 'off':
      case 'on':
        relay.permanent = action.kind === 'on';
        this.#set(output, relay, relay.permanent);
        break;
      case 'onFor':
      case 'offFor':
        this.#set(output, relay, action.kind === 'onFor');
        relay.timer = this.clock.setTimer(action.durationMs, () => this.#set(output, relay, relay.permanent));
        break;
    }
  }

  #relay(output: string): Relay {
    let relay = this.#relays.get(output);
    if (!relay) this.#relays.set(output, (relay = { permanent: false, energised: false, timer: undefined }));
    return relay;
  }

  #set(output: string, relay: Relay, energised: boolean): void {
    if (relay.energised === energised) return;
    relay.energised = energised;
    this.movements.push({ atMs: this.clock.monotonicMs(), output, energised });
  }
}
