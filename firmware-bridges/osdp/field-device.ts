import type { ErrorCode } from '@sparc/protocol/errors';
import { CAPABILITY, keypadText, READER_STATUS, type Capability, type Command, type Reply } from '@sparc/protocol/osdp';
import { INPUT_STATES, type DeviceStatus, type FieldBusHandlers, type Indication } from '@sparc/protocol/ports';
import { indicationCommands } from './indication.js';
import type { ReplyEffect, StatusEffect } from './osdp-bus.js';

/** Feedback that comes later than this would belong to somebody else. */
const FEEDBACK_TTL_MS = 2_000;
/** Status is worth having whenever it comes. */
const STATUS_TTL_MS = 30_000;

/** One device as the port shows it: what it last reported, and what its readers are to show. */
export class FieldDevice {
  #link: DeviceStatus['link'] = 'offline';
  #secure = false;
  #reason: ErrorCode | undefined;
  #local = { tampered: false, powerFailed: false };
  #readerTampered = false;
  #capabilities: readonly Capability[] | undefined;
  readonly #inputs = new Map<number, number>();
  readonly #outputs = new Map<number, boolean>();
  /** By reader number: restored whenever the device comes (back) online. */
  readonly #standing = new Map<number, Indication>();

  constructor(
    private readonly deviceId: string,
    private readonly handlers: FieldBusHandlers,
    private readonly send: (command: Command, ttlMs: number) => void,
  ) {}

  onStatus({ link, secure, reason }: StatusEffect): void {
    this.#link = link;
    this.#secure = secure;
    this.#reason = reason;
    if (link !== 'online') {
      this.#capabilities = undefined;
      this.#inputs.clear();
      this.#outputs.clear();
    }
    this.#report();
  }

  /** False for card data that this gateway cannot read. */
  onReply({ command, reply, secure, ageMaxMs }: ReplyEffect, receivedAtMs: number): boolean {
    const { deviceId, handlers } = this;
    if (command.name === 'CAP') this.#restore(reply.name === 'PDCAP' ? reply.capabilities : undefined);
    switch (reply.name) {
      case 'RAW': {
        const { reader: readerNumber, bitCount } = reply;
        if (bitCount === 0) return false;
        handlers.onCardRead({ deviceId, readerNumber, bitCount, bits: masked(reply), receivedAtMs, ageMaxMs, secure });
        return true;
      }
      case 'FMT':
        return false;
      case 'KEYPAD': {
        const keys = keypadText(reply.keys);
        const readerNumber = reply.reader;
        if (keys !== '') handlers.onKeypad({ deviceId, readerNumber, keys, receivedAtMs, ageMaxMs, secure });
        return true;
      }
      case 'ISTATR':
        this.#onInputs(reply.inputs, receivedAtMs);
        return true;
      case 'OSTATR':
        this.#onOutputs(reply.outputs);
        return true;
      case 'LSTATR': {
        const { tampered, powerFailed } = reply;
        if (tampered === this.#local.tampered && powerFailed === this.#local.powerFailed) return true;
        this.#local = { tampered, powerFailed };
        this.#report();
        return true;
      }
      case 'RSTATR': {
        // A reader that was cut off its interface counts as tampered with, like one that says so.
        const tampered = reply.readers.some((status) => status !== READER_STATUS.normal);
        if (tampered === this.#readerTampered) return true;
        this.#readerTampered = tampered;
        this.#report();
        return true;
      }
      default:
        return true;
    }
  }

  /** Best effort: nothing is sent while the device is offline, and nothing repeated that it refuses. */
  indicate(reader: number, indication: Indication): void {
    if (indication === 'locked' || indication === 'unlocked') this.#standing.set(reader, indication);
    if (this.#link === 'online') this.#show(reader, indication);
  }

  /** The machine asks for CAP, inputs, outputs and local status first thing in each session; the rest follows here. */
  #restore(capabilities: readonly Capability[] | undefined): void {
    this.#capabilities = capabilities;
    const readers = capabilities?.find((entry) => entry.function === CAPABILITY.readers)?.count ?? 0;
    if (readers > 0) this.send({ name: 'RSTAT' }, STATUS_TTL_MS);
    this.showStanding();
  }

  /** Some readers do not fall back to it by themselves after something else was shown. */
  showStanding(): void {
    if (this.#link !== 'online') return;
    for (const [reader, indication] of this.#standing) this.#show(reader, indication);
  }

  #show(reader: number, indication: Indication): void {
    for (const command of indicationCommands(reader, indication, this.#capabilities)) {
      this.send(command, FEEDBACK_TTL_MS);
    }
  }

  #onInputs(statuses: readonly number[], receivedAtMs: number): void {
    statuses.forEach((status, inputNumber) => {
      if (this.#inputs.get(inputNumber) === status) return;
      this.#inputs.set(inputNumber, status);
      const state = INPUT_STATES[status] ?? 'unknown';
      this.handlers.onInput({ deviceId: this.deviceId, inputNumber, state, receivedAtMs });
    });
  }

  #onOutputs(statuses: readonly number[]): void {
    statuses.forEach((status, outputNumber) => {
      const active = status !== 0;
      if (this.#outputs.get(outputNumber) === active) return;
      this.#outputs.set(outputNumber, active);
      this.handlers.onOutput({ deviceId: this.deviceId, outputNumber, active });
    });
  }

  #report(): void {
    this.handlers.onDevice({
      deviceId: this.deviceId,
      link: this.#link,
      secure: this.#secure,
      tampered: this.#local.tampered || this.#readerTampered,
      powerFailed: this.#local.powerFailed,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    });
  }
}

/** Readers leave garbage in the padding bits of the last byte. */
function masked({ bitCount, bits }: Extract<Reply, { name: 'RAW' }>): Uint8Array {
  const copy = Uint8Array.from(bits);
  const last = copy.length - 1;
  copy[last] = (copy[last] ?? 0) & (0xff << (8 * copy.length - bitCount));
  return copy;
}
