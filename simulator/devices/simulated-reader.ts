import { LED_COLOR, type PdOptions } from '@sparc/protocol/osdp';
import type { Clock, Random } from '@sparc/protocol/ports';
import type { SerialLine } from '../world/index.js';
import { PdDevice, type PdSignal } from './pd-device.js';

/** The bits a card gives: ceil(bitCount / 8) bytes, left-justified. */
export interface CardBits {
  readonly bitCount: number;
  readonly bits: Uint8Array;
}

export type LedColor = keyof typeof LED_COLOR;
const COLOR_NAMES = Object.keys(LED_COLOR) as LedColor[];

/** What a person sees: `blinking` alternates with `offColor`. */
export interface LedView {
  readonly color: LedColor;
  readonly offColor: LedColor;
  readonly blinking: boolean;
  readonly temporary: boolean;
}

const DARK: LedView = { color: 'off', offColor: 'off', blinking: false, temporary: false };

/** `*` and `#` as KEYPAD carries them. */
const KEY_BYTES: Readonly<Record<string, number>> = { '*': 0x7f, '#': 0x0d };

export interface ReaderOptions {
  readonly address: number;
  readonly baudRate: number;
  readonly scbk?: Uint8Array;
  /** Refuses everything in clear but the handshake. Default: true with a key. */
  readonly requireSecureChannel?: boolean;
  /** A relay inside the reader, on the unsecured side. Default 0. */
  readonly outputCount?: number;
  readonly serial?: number;
}

function pdOptions(options: ReaderOptions): PdOptions {
  const outputCount = options.outputCount ?? 0;
  return {
    address: options.address,
    baudRate: options.baudRate,
    ...(options.scbk === undefined ? {} : { scbk: options.scbk }),
    requireSecureChannel: options.requireSecureChannel ?? options.scbk !== undefined,
    installMode: false,
    id: {
      vendor: '0a0b0c',
      model: 1,
      version: 1,
      serial: options.serial ?? options.address,
      firmware: { major: 1, minor: 0, build: 0 },
    },
    capabilities: [
      { function: 2, compliance: 4, count: outputCount },
      { function: 3, compliance: 1, count: 0 },
      { function: 4, compliance: 4, count: 1 },
      { function: 5, compliance: 2, count: 0 },
      { function: 6, compliance: 1, count: 1 },
      { function: 8, compliance: 1, count: 0 },
      { function: 9, compliance: 1, count: 0 },
      { function: 10, compliance: 0, count: 2 },
      { function: 13, compliance: 0, count: 1 },
      { function: 16, compliance: 2, count: 0 },
    ],
    inputCount: 0,
    outputCount,
    readerCount: 1,
    ledsPerReader: 1,
  };
}

/** A card reader with keypad, one LED, a buzzer and a line of text. */
export class SimulatedReader {
  readonly device: PdDevice;
  onChange: () => void = () => undefined;
  /** How often the buzzer was set off since the start. */
  beepCount = 0;
  #led = DARK;
  #text = '';

  constructor(clock: Clock, random: Random, line: SerialLine, id: string, options: ReaderOptions) {
    this.device = new PdDevice(clock, random, line, id, pdOptions(options));
    this.device.onSignal = (signal) => this.#show(signal);
    this.device.onChange = () => this.onChange();
  }

  get id(): string {
    return this.device.id;
  }

  get led(): LedView {
    return this.device.powered ? this.#led : DARK;
  }

  get text(): string {
    return this.#text;
  }

  presentCard(card: CardBits): void {
    this.device.report({ kind: 'card', reader: 0, format: 0, bitCount: card.bitCount, bits: card.bits });
  }

  /** Digits, `*` and `#`, as one report. */
  pressKeys(keys: string): void {
    const bytes = Array.from(keys, (key) => KEY_BYTES[key] ?? key.charCodeAt(0));
    this.device.report({ kind: 'keypad', reader: 0, keys: Uint8Array.from(bytes) });
  }

  #show(signal: PdSignal): void {
    switch (signal.kind) {
      case 'led': {
        const { onColor, offColor, offMs } = signal.pattern;
        this.#led = {
          color: COLOR_NAMES[onColor] ?? 'off',
          offColor: COLOR_NAMES[offColor] ?? 'off',
          blinking: offMs > 0,
          temporary: signal.temporary,
        };
        break;
      }
      case 'buzzer':
        if (signal.sounding) this.beepCount += 1;
        break;
      case 'text':
        this.#text = signal.text;
        break;
      case 'key':
      case 'session':
        break;
    }
  }
}
