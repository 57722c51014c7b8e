import { SparcError } from '@sparc/protocol/errors';
import {
  decodeFrame,
  decodeReply,
  encodeCommand,
  encodeFrame,
  withMark,
  type AcuEffect,
  type AcuInput,
  type Check,
  type Command,
  type ReceivedFrame,
  type Reply,
} from '@sparc/protocol/osdp';
import type { Participant } from './participant.js';
import type { Place } from './plan.js';

const REPLY_TIMEOUT_MS = 200;

export interface ExchangeRequest extends Place {
  readonly command: Command;
  /** Default CRC; some old readers know checksums alone. */
  readonly check?: Check;
  /** From the end of the command; default 200. */
  readonly timeoutMs?: number;
  /** Goes on listening after the first reply for the whole time: two PDs at one address both answer. */
  readonly listensOn?: boolean;
}

export type ExchangeResult =
  | {
      readonly kind: 'reply';
      readonly reply: Reply;
      readonly frame: ReceivedFrame;
      /** More than one reply, or rubbish beside it; known only where the exchange listened on. */
      readonly disturbed: boolean;
    }
  /** One whole frame from this address whose content nobody knows, such as a PDID that is cut short. */
  | { readonly kind: 'unreadable'; readonly disturbed: boolean }
  /** Nothing came. */
  | { readonly kind: 'silent' }
  /** Bytes came, but no frame, or one that is no reply to this address. */
  | { readonly kind: 'garbled' };

/** One clear frame at SQN 0 and its reply, beside the devices of the plan; it opens no session and repeats nothing. */
export class LineExchange implements Participant {
  readonly address: number;
  readonly baudRate: number;
  readonly urgent = false;
  readonly attentiveUntilMs = -Infinity;
  /** Counts as a probe: one for each round of the devices. */
  readonly present = false;
  readonly answered = false;
  lastTurnAtMs = -Infinity;
  readonly result: Promise<ExchangeResult>;
  readonly #bytes: Uint8Array;
  #resolve: (result: ExchangeResult) => void = () => undefined;
  #reject: (error: SparcError) => void = () => undefined;
  #answer: Extract<ExchangeResult, { disturbed: boolean }> | undefined;
  #isDisturbed = false;

  /** @throws CodecError for a command that cannot be encoded. */
  constructor(
    private readonly request: ExchangeRequest,
    readonly dueAtMs: number,
  ) {
    this.address = request.address;
    this.baudRate = request.baudRate;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#bytes = withMark(encodeFrame({ ...frameParts(request), ...encodeCommand(request.command) }));
  }

  step(input: AcuInput): readonly AcuEffect[] {
    switch (input.kind) {
      case 'turn':
        return [{ kind: 'transmit', bytes: this.#bytes, replyTimeoutMs: this.request.timeoutMs ?? REPLY_TIMEOUT_MS }];
      case 'frame':
        return this.#heard(input.bytes);
      case 'replyTimeout':
        return this.#timedOut(input.garbled ?? false);
      case 'lineDown':
        this.#reject(new SparcError('ERR_OSDP_LINE_DOWN', 'the line went down'));
        return [];
      default:
        return [];
    }
  }

  turnBegan(nowMs: number): void {
    this.lastTurnAtMs = nowMs;
  }

  transmitted(_bytes: Uint8Array, _lineMs: number, replyTimeoutMs: number): number {
    return replyTimeoutMs;
  }

  timedOut(): void {}

  turnEnded(): void {}

  #heard(bytes: Uint8Array): readonly AcuEffect[] {
    const frame = decodeFrame(bytes);
    if (!frame.ok || frame.value.address !== this.address) {
      this.#isDisturbed = true;
      return [];
    }
    if (this.#answer !== undefined) {
      this.#isDisturbed = true;
      return [];
    }
    const reply = decodeReply(frame.value);
    this.#answer = reply.ok
      ? { kind: 'reply', reply: reply.value, frame: frame.value, disturbed: false }
      : { kind: 'unreadable', disturbed: false };
    return this.request.listensOn === true ? [] : this.#end(this.#answer);
  }

  #timedOut(garbled: boolean): readonly AcuEffect[] {
    const disturbed = garbled || this.#isDisturbed;
    if (this.#answer !== undefined) return this.#end({ ...this.#answer, disturbed });
    return this.#end({ kind: disturbed ? 'garbled' : 'silent' });
  }

  #end(result: ExchangeResult): readonly AcuEffect[] {
    this.#resolve(result);
    return [{ kind: 'turnDone' }];
  }
}

const frameParts = ({ address, check = 'crc' }: ExchangeRequest) =>
  ({ address, reply: false, sequence: 0, check }) as const;
