import { createHash, timingSafeEqual } from 'node:crypto';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Random, Timer } from '@sparc/protocol/ports';
import { Guesses } from './guesses.js';
import type { WindowView } from './operations.js';

/** Letters and digits that nobody takes for one another: 32 of them, so 5 bits each. */
const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
const CODE_LENGTH = 8;

export type WindowEnd = 'closed' | 'expired' | 'stopped';

export interface WindowHandlers {
  onEnd(window: WindowView, why: WindowEnd): void;
  /** A code was looked at and is wrong. */
  onRefused(window: WindowView): void;
}

interface OpenState {
  readonly view: WindowView;
  readonly digest: Uint8Array;
  readonly endsAtMs: number;
  readonly timer: Timer;
}

/** The time in which a named person may commission, and the code that says that it is they who ask. */
export class CommissioningWindow {
  #open: OpenState | undefined;
  readonly #guesses: Guesses;

  constructor(
    private readonly deps: { readonly clock: Clock; readonly random: Random },
    private readonly handlers: WindowHandlers,
  ) {
    this.#guesses = new Guesses(deps.clock);
  }

  get view(): WindowView | undefined {
    return this.#open?.view;
  }

  /** On the monotonic clock. */
  get endsAtMs(): number | undefined {
    return this.#open?.endsAtMs;
  }

  /** Returns the code, which is kept nowhere else. Throws ERR_COMMISSIONING_WINDOW_OPEN. */
  open(operator: string, minutes: number): string {
    const { clock, random } = this.deps;
    if (this.#open !== undefined) {
      const { operator: other, endsAtUnixMs } = this.#open.view;
      const until = new Date(endsAtUnixMs).toISOString();
      throw new SparcError('ERR_COMMISSIONING_WINDOW_OPEN', `the window of ${other} is open until ${until}`);
    }
    const durationMs = minutes * 60_000;
    const code = Array.from(random.bytes(CODE_LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
    this.#open = {
      view: { operator, endsAtUnixMs: clock.wall().unixMs + durationMs },
      digest: digestOf(code),
      endsAtMs: clock.monotonicMs() + durationMs,
      timer: clock.setTimer(durationMs, () => this.close('expired')),
    };
    return code;
  }

  /** Idempotent. */
  close(why: WindowEnd): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    open.timer.cancel();
    this.handlers.onEnd(open.view, why);
  }

  /** The window that it opens. Throws ERR_COMMISSIONING_WINDOW_CLOSED, ERR_COMMISSIONING_GUESSES_MAX or ERR_COMMISSIONING_CODE_REFUSED. */
  assertCode(code: string | undefined): WindowView {
    const open = this.#open;
    if (open === undefined) throw new SparcError('ERR_COMMISSIONING_WINDOW_CLOSED', 'no commissioning window is open');
    const refused = new SparcError('ERR_COMMISSIONING_CODE_REFUSED', 'the code is missing or wrong');
    // A page elsewhere can make a browser send this much; it is no guess.
    if (code === undefined) throw refused;
    this.#guesses.assertFew();
    if (isSame(open.digest, digestOf(code))) return open.view;
    this.#guesses.wrong();
    this.handlers.onRefused(open.view);
    throw refused;
  }
}

/** People type codes in small letters, and in groups. */
const digestOf = (code: string) => createHash('sha256').update(code.toUpperCase().replace(/[\s-]/g, '')).digest();

/** In constant time. */
export const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);
