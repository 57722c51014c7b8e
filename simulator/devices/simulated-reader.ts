import { LED_COLOR } from '@sparc/protocol/osdp';
import type { PdDevice, PdSignal } from './pd-device.js';

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

/** The front of a reader: card field, keypad, one LED, a buzzer and a line of text. */
export class SimulatedReader {
  onChange: () => void = () => undefined;
  /** How often the buzzer was set off since the start. */
  beepCount = 0;
  #led = DARK;
  #text = '';

  constructor(
    readonly id: string,
    readonly device: PdDevice,
    private readonly number: number,
  ) {
    device.onSignal((signal) => {
      if (signal.kind === 'led' || signal.kind === 'buzzer' || signal.kind === 'text') this.#show(signal);
      if (signal.kind === 'powerLost') this.#goDark();
    });
  }

  get led(): LedView {
    return this.#led;
  }

  get text(): string {
    return this.#text;
  }

  presentCard(card: CardBits): void {
    this.device.report({
      kind: 'card',
      reader: this.number,
      format: 0,
      bitCount: card.bitCount,
      bits: card.bits,
    });
  }

  /** Digits, `*` and `#`, as one report. */
  pressKeys(keys: string): void {
    const bytes = Array.from(keys, (key) => KEY_BYTES[key] ?? key.charCodeAt(0));
    this.device.report({ kind: 'keypad', reader: this.number, keys: Uint8Array.from(bytes) });
  }

  #goDark(): void {
    this.#led = DARK;
    this.#text = '';
    this.onChange();
  }

  #show(signal: Extract<PdSignal, { reader: number }>): void {
    if (signal.reader !== this.number) return;
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
    }
    this.onChange();
  }
}
