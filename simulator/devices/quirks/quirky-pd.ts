import {
  BUFFERED_INTER_CHARACTER_TIMEOUT_MS,
  decodeCommand,
  decodeFrame,
  encodeReply,
  FrameParser,
  MARK,
  NAK,
  stepPd,
  type EncodedMessage,
  type PdEffect,
  type PdInput,
  type PdState,
  type ReceivedFrame,
  type ReplyName,
  type Sequence,
} from '@sparc/protocol/osdp';
import type { Random } from '@sparc/protocol/ports';
import { quirkyAnswer } from './answer-quirks.js';
import { answerAndForget, nakOf, readExchange, rewrite, type Exchange, type PdStep } from './exchange.js';
import type { QuirkSet, ReaderQuirk } from './reader-quirks.js';

const BUSY_CHANCE = 0.2;
const LATE_CHANCE = 0.05;
const CLEAR_CHANCE = 0.05;
const LOST_COUNT_CHANCE = 0.03;
const RESTART_CHANCE = 0.01;
/** Longer than an ACU waits for a reply (SIA OSDP v2.2, "Timing": 200 ms). */
const LATE_MIN_MS = 250;
const LATE_MAX_MS = 400;
const REPLY_DELAY_MS = 2;

type BytesInput = Extract<PdInput, { kind: 'bytes' }>;

/** What the machine itself does, because its options say so: they show with these replies. */
const SHOWS_WITH: readonly (readonly [ReplyName, ReaderQuirk])[] = [
  ['XRD', 'xrdPreply1'],
  ['FTSTAT', 'exclusiveTransfer'],
  ['FTSTAT', 'slowTransfer'],
];
/** Replies of status, which libosdp leaves in plain text. */
const STATUS_REPLIES: readonly (ReplyName | undefined)[] = ['LSTATR', 'ISTATR', 'OSTATR', 'RSTATR'];

/** The PD machine with the faults of real readers around it. Without quirks it is the machine and nothing else. */
export class QuirkyPd {
  readonly #parser = new FrameParser(BUFFERED_INTER_CHARACTER_TIMEOUT_MS);
  #lastSequence: Sequence = 0;
  /** The only number that is right after a NAK that was not counted. */
  #uncounted: Sequence | undefined;

  constructor(
    private readonly quirks: QuirkSet,
    private readonly random: Random,
  ) {}

  step(state: PdState, input: PdInput): PdStep {
    if (input.kind !== 'bytes' || this.quirks.names.length === 0) return stepPd(state, input);
    // Time passes for the machine whatever comes.
    let step: PdStep = stepPd(state, { kind: 'time', nowMs: input.nowMs });
    for (const bytes of this.#parser.push(input.bytes, input.nowMs)) {
      const { state: next, effects } = this.#hear(step.state, { ...input, bytes });
      step = { state: next, effects: [...step.effects, ...effects] };
    }
    return step;
  }

  /** Frames for others, and for everybody, are no business of a quirk. */
  #hear(state: PdState, input: BytesInput): PdStep {
    const received = decodeFrame(input.bytes);
    if (!received.ok || received.value.reply || received.value.address !== state.address) return stepPd(state, input);
    const step = this.#refused(state, received.value) ?? this.#answered(state, received.value, input);
    return { ...step, effects: step.effects.map((effect) => this.#sent(effect)) };
  }

  /** What never reaches the machine. */
  #refused(state: PdState, frame: ReceivedFrame): PdStep | undefined {
    const { quirks } = this;
    if (frame.check === 'crc' && (quirks.shows('checksumOnly') || quirks.shows('claimsCrcHearsChecksum'))) {
      return { state, effects: [] };
    }
    if (this.#now('resetsOften', RESTART_CHANCE)) return { state, effects: [{ kind: 'reboot' }] };
    if (this.#now('busyOften', BUSY_CHANCE)) return this.#busy(state, frame);
    const sequence = this.#refusedSequence(frame);
    if (sequence !== undefined) {
      return answerAndForget(state, { ...frame, sequence }, nakOf(NAK.sequence), REPLY_DELAY_MS);
    }
    const command = decodeCommand(frame);
    const name = command.ok && frame.mac === undefined ? command.value.name : undefined;
    const isRefused =
      (name === 'ID' && quirks.shows('refusesIdInClear')) ||
      (name === 'COMSET' && quirks.shows('refusesComsetInClear'));
    return isRefused ? answerAndForget(state, frame, nakOf(NAK.encryptionRequired), REPLY_DELAY_MS) : undefined;
  }

  /** The number that a NAK 4 carries, where this command is answered by one. */
  #refusedSequence({ sequence }: ReceivedFrame): Sequence | undefined {
    const [before, uncounted] = [this.#lastSequence, this.#uncounted];
    this.#lastSequence = sequence;
    this.#uncounted = undefined;
    if (sequence === 0) {
      return before !== 0 && this.quirks.shows('naksSequenceInsteadOfRestart') ? sequence : undefined;
    }
    if (uncounted !== undefined && sequence !== uncounted) return sequence;
    const hasLostCount = this.#now('echoesExpectedSequence', LOST_COUNT_CHANCE);
    return hasLostCount ? (((sequence % 3) + 1) as Sequence) : undefined;
  }

  /** Without a trace in session and sequence (SIA OSDP v2.2, BUSY). */
  #busy(state: PdState, frame: ReceivedFrame): PdStep {
    const { effects } = answerAndForget(
      state,
      { ...frame, sequence: 0 },
      encodeReply({ name: 'BUSY' }),
      REPLY_DELAY_MS,
    );
    return { state, effects: effects.filter(({ kind }) => kind === 'transmit') };
  }

  #answered(before: PdState, frame: ReceivedFrame, input: BytesInput): PdStep {
    const step = stepPd(before, input);
    const transmit = step.effects.find((effect) => effect.kind === 'transmit');
    const exchange = transmit && readExchange(before, frame, input.bytes, transmit.bytes);
    if (transmit === undefined || exchange === undefined) return step;
    this.#count(exchange);
    const others = step.effects.filter((effect) => effect !== transmit);
    const changed = this.#changed(before, exchange, { state: step.state, effects: others });
    if (exchange.session !== undefined && this.#leavesSession(exchange)) {
      const lost = answerAndForget(changed.state, frame, changed.message, transmit.delayMs);
      return { state: lost.state, effects: [...lost.effects, ...changed.effects] };
    }
    if (changed.message === exchange.message) return { state: changed.state, effects: [transmit, ...changed.effects] };
    const { state, bytes } = rewrite(changed.state, exchange, changed.message);
    return { state, effects: [{ ...transmit, bytes }, ...changed.effects] };
  }

  #count({ command, reply, session }: Exchange): void {
    for (const [shown, quirk] of SHOWS_WITH) if (reply === shown) this.quirks.shows(quirk);
    if (session !== undefined && STATUS_REPLIES.includes(reply)) this.quirks.shows('clearStatusReplies');
    if (command === 'KEYSET' && reply === 'ACK') this.quirks.shows('dropsSessionAfterKeyset');
  }

  /** The answer in the device's own words, and what it then does not do. */
  #changed(before: PdState, exchange: Exchange, step: PdStep): PdStep & { readonly message: EncodedMessage } {
    const { quirks } = this;
    if (exchange.command === 'BUZ' && quirks.shows('nakDoesNotCount')) {
      this.#uncounted = exchange.frame.sequence;
      const effects = step.effects.filter(({ kind }) => kind !== 'buzzer');
      return { state: step.state, effects, message: nakOf(NAK.commandUnknown) };
    }
    if (exchange.reply === 'COM' && quirks.shows('comsetWithoutEffect')) {
      const { address, baudRate } = before;
      const effects = step.effects.filter(({ kind }) => kind !== 'communication');
      return { state: { ...step.state, address, baudRate }, effects, message: exchange.message };
    }
    if (exchange.reply === 'COM' && quirks.shows('comsetIgnoresBaud')) {
      const { baudRate } = before;
      const { address } = step.state;
      const effects = step.effects.map((each) => (each.kind === 'communication' ? { ...each, baudRate } : each));
      const message = encodeReply({ name: 'COM', address, baudRate });
      return { state: { ...step.state, baudRate }, effects, message };
    }
    const noise = () => this.random.bytes(1)[0] ?? 0;
    return { ...step, message: quirkyAnswer(quirks, exchange.message, noise) };
  }

  #leavesSession({ command, reply }: Exchange): boolean {
    if (reply !== 'ACK') return false;
    if (command === 'KEYSET') return this.quirks.shows('ackKeysetInClear');
    return this.#now('answersClearInSession', CLEAR_CHANCE);
  }

  #sent(effect: PdEffect): PdEffect {
    if (effect.kind !== 'transmit') return effect;
    const bytes = effect.bytes[0] === MARK && this.quirks.shows('omitsMark') ? effect.bytes.subarray(1) : effect.bytes;
    const lateMs = this.#now('lateReplies', LATE_CHANCE)
      ? LATE_MIN_MS + this.#fraction() * (LATE_MAX_MS - LATE_MIN_MS)
      : 0;
    return { ...effect, bytes, delayMs: effect.delayMs + lateMs };
  }

  /** It shows here and now, for a quirk that does not show always. */
  #now(quirk: ReaderQuirk, chance: number): boolean {
    return this.quirks.has(quirk) && this.#fraction() < chance && this.quirks.shows(quirk);
  }

  /** In [0, 1). */
  #fraction(): number {
    const [high = 0, low = 0] = this.random.bytes(2);
    return (256 * high + low) / 65_536;
  }
}
