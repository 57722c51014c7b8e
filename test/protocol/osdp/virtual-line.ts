import {
  type AcuEffect,
  type AcuInput,
  type AcuState,
  type Command,
  createAcu,
  createPd,
  type Dialect,
  FrameParser,
  nextTimeMs,
  nextTurnAtMs,
  type PdEffect,
  type PdEvent,
  type PdInput,
  type PdOptions,
  type PdState,
  type SecureChannelPolicy,
  stepAcu,
  stepPd,
} from '@sparc/protocol/osdp';

export const SCBK = Uint8Array.from({ length: 16 }, (_, index) => 0x11 * (index % 15));

export const PD_OPTIONS: PdOptions = {
  address: 0x65,
  baudRate: 9_600,
  scbk: SCBK,
  requireSecureChannel: true,
  installMode: false,
  id: { vendor: '2c1b0a', model: 1, version: 2, serial: 0x01020304, firmware: { major: 1, minor: 2, build: 3 } },
  capabilities: [
    { function: 8, compliance: 1, count: 0 },
    { function: 9, compliance: 1, count: 0 },
    { function: 10, compliance: 0xa0, count: 5 },
  ],
  inputCount: 4,
  outputCount: 2,
  readerCount: 1,
};

/** What becomes of bytes on the line: the copies that arrive, each after a delay. */
export type Fault = (
  bytes: Uint8Array,
  nowMs: number,
) => readonly { readonly bytes: Uint8Array; readonly delayMs: number }[];

export const lose: Fault = () => [];
export const pass: Fault = (bytes) => [{ bytes, delayMs: 0 }];
export const corrupt: Fault = (bytes) => [
  { bytes: bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 0x10), delayMs: 0 },
];
export const late =
  (delayMs: number): Fault =>
  (bytes) => [{ bytes, delayMs }];
export const duplicated: Fault = (bytes) => [
  { bytes, delayMs: 0 },
  { bytes, delayMs: 3 },
];
/** The reply becomes this instead. */
export const replaced =
  (by: Uint8Array): Fault =>
  () => [{ bytes: by, delayMs: 0 }];

interface Arrival {
  readonly atMs: number;
  readonly to: 'acu' | 'pd';
  readonly bytes: Uint8Array;
}

type Timed<E> = E & { readonly atMs: number };

export interface VirtualLineOptions {
  readonly pd?: Partial<PdOptions>;
  readonly secureChannel?: SecureChannelPolicy;
  /** How the PD speaks, as the ACU was told. */
  readonly dialect?: Dialect;
}

/** An ACU and a PD on a line without a bus driver: virtual milliseconds, and a fault for each transmission. */
export class VirtualLine {
  acu: AcuState;
  pd: PdState;
  nowMs = 1_000;
  /** Applied to the next transmissions of each end, one each; then the line is good again. */
  readonly faults = { acu: [] as Fault[], pd: [] as Fault[] };
  /** Applied where no single fault waits. */
  readonly weather = { acu: pass, pd: pass };
  readonly acuEffects: Timed<AcuEffect>[] = [];
  readonly pdEffects: Timed<PdEffect>[] = [];
  readonly sent: { readonly atMs: number; readonly from: 'acu' | 'pd'; readonly bytes: Uint8Array }[] = [];
  readonly #parser = new FrameParser();
  #arrivals: Arrival[] = [];
  #replyDueMs: number | undefined;
  readonly #busyUntilMs = { acu: 0, pd: 0 };
  #garbled = false;
  #nonce = 0;

  constructor({ pd, secureChannel, dialect }: VirtualLineOptions = {}) {
    this.acu = createAcu({
      address: 0x65,
      secureChannel: secureChannel ?? { mode: 'required', scbk: SCBK },
      ...(dialect === undefined ? {} : { dialect }),
    });
    this.pd = createPd({ ...PD_OPTIONS, ...pd });
  }

  run(durationMs: number): this {
    const endMs = this.nowMs + durationMs;
    while (this.nowMs < endMs) {
      this.#tick();
      this.nowMs = Math.min(endMs, Math.max(this.nowMs + 1, Math.ceil(this.#nextEventMs())));
    }
    return this;
  }

  /** Nothing happens by itself before this instant. */
  #nextEventMs(): number {
    return Math.min(
      ...this.#arrivals.map(({ atMs }) => atMs),
      nextTimeMs(this.pd) ?? Infinity,
      this.#replyDueMs ?? nextTurnAtMs(this.acu),
    );
  }

  /** Runs until the condition holds; throws if it does not within the time. Returns how long it took. */
  runUntil(condition: () => boolean, withinMs: number): number {
    const startMs = this.nowMs;
    while (!condition()) {
      if (this.nowMs - startMs > withinMs) throw new Error(`not within ${withinMs} ms`);
      this.run(1);
    }
    return this.nowMs - startMs;
  }

  online(): boolean {
    return this.acu.status?.link === 'online';
  }

  event(event: PdEvent): void {
    this.feedPd({ kind: 'event', nowMs: this.nowMs, event });
  }

  command(command: Command, token: number, { ttlMs = 2_000, urgent = false } = {}): void {
    const deadlineMs = this.nowMs + ttlMs;
    this.feedAcu({
      kind: 'enqueue',
      nowMs: this.nowMs,
      command,
      token,
      deadlineMs,
      priority: urgent ? 'urgent' : 'normal',
    });
  }

  outcome(token: number) {
    return this.acuEffects.find((effect) => effect.kind === 'commandDone' && effect.token === token);
  }

  replies(name: string) {
    return this.acuEffects.filter((effect) => effect.kind === 'reply' && effect.reply.name === name);
  }

  alarms(): string[] {
    return this.acuEffects.flatMap((effect) => (effect.kind === 'alarm' ? [effect.code] : []));
  }

  statuses(): string[] {
    return this.acuEffects.flatMap((effect) =>
      effect.kind === 'status'
        ? [`${effect.link}${effect.secure ? ' secure' : ''}${effect.reason ? ` ${effect.reason}` : ''}`]
        : [],
    );
  }

  feedAcu(input: AcuInput): void {
    const { state, effects } = stepAcu(this.acu, input);
    this.acu = state;
    for (const effect of effects) {
      this.acuEffects.push({ ...effect, atMs: this.nowMs });
      if (effect.kind === 'transmit') {
        this.#replyDueMs = this.nowMs + effect.replyTimeoutMs;
        this.#garbled = false;
        this.#send('acu', effect.bytes, 1);
      } else if (effect.kind === 'turnDone') {
        this.#replyDueMs = undefined;
      }
    }
  }

  feedPd(input: PdInput): void {
    const { state, effects } = stepPd(this.pd, input);
    this.pd = state;
    for (const effect of effects) {
      this.pdEffects.push({ ...effect, atMs: this.nowMs });
      if (effect.kind === 'transmit') this.#send('pd', effect.bytes, effect.delayMs);
    }
  }

  /** Puts bytes on the line, as somebody does who has cut into it. */
  inject(to: 'acu' | 'pd', bytes: Uint8Array, delayMs = 0): void {
    this.#arrivals.push({ atMs: this.nowMs + delayMs, to, bytes });
  }

  #send(from: 'acu' | 'pd', bytes: Uint8Array, delayMs: number): void {
    this.sent.push({ atMs: this.nowMs, from, bytes });
    const fault = this.faults[from].shift() ?? this.weather[from];
    for (const copy of fault(bytes, this.nowMs)) {
      // A line never reorders: what follows a late frame is as late.
      this.#busyUntilMs[from] = Math.max(this.nowMs + delayMs + copy.delayMs, this.#busyUntilMs[from]);
      this.#arrivals.push({ atMs: this.#busyUntilMs[from], to: from === 'acu' ? 'pd' : 'acu', bytes: copy.bytes });
    }
  }

  #tick(): void {
    const due = this.#arrivals.filter(({ atMs }) => atMs <= this.nowMs);
    this.#arrivals = this.#arrivals.filter(({ atMs }) => atMs > this.nowMs);
    for (const { to, bytes } of due) {
      if (to === 'pd') this.feedPd({ kind: 'bytes', nowMs: this.nowMs, bytes, rndB: this.#random() });
      else this.#arriveAtAcu(bytes);
    }
    if ((nextTimeMs(this.pd) ?? Infinity) <= this.nowMs) this.feedPd({ kind: 'time', nowMs: this.nowMs });
    if (this.#replyDueMs !== undefined && this.#replyDueMs <= this.nowMs) {
      this.feedAcu({ kind: 'replyTimeout', nowMs: this.nowMs, garbled: this.#garbled });
    }
    if (this.#replyDueMs === undefined && nextTurnAtMs(this.acu) <= this.nowMs) {
      this.feedAcu({ kind: 'turn', nowMs: this.nowMs, rndA: this.#random() });
    }
  }

  #arriveAtAcu(bytes: Uint8Array): void {
    const frames = this.#parser.push(bytes, this.nowMs);
    if (frames.length === 0) this.#garbled = true;
    // Between the turns of a PD the line is that of others, and what it says then is lost.
    for (const frame of frames) {
      if (this.#replyDueMs !== undefined) this.feedAcu({ kind: 'frame', nowMs: this.nowMs, bytes: frame });
    }
  }

  /** Fresh, and the same in every run. */
  #random(): Uint8Array {
    this.#nonce += 1;
    return Uint8Array.from({ length: 8 }, (_, index) => (this.#nonce * 31 + index * 17 + (this.#nonce >> 8)) & 0xff);
  }
}
