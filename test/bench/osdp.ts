import {
  type AcuState,
  createAcu,
  createPd,
  type Command,
  deriveSessionKeys,
  encodeCommand,
  encodeFrame,
  FrameParser,
  open,
  type PdState,
  seal,
  type SecureSession,
  stepAcu,
  stepPd,
  withMark,
} from '@sparc/protocol/osdp';
import { SeededRandom } from '@sparc/simulator/world';
import { median, type BenchReport, type BenchTable } from './bench.js';

const ROUNDS = 7;
const KEY = Uint8Array.from({ length: 16 }, (_, index) => 0xc0 - index * index);
const ADDRESS = 5;
const EXCHANGES_PER_ROUND = 5_000;
const FRAMES_PER_ROUND = 10_000;
const SESSIONS_PER_ROUND = 200;
const FRAMES_PER_EXCHANGE = 2;
const STREAM_BYTES = 1_000_000;
const CHUNK_BYTES = 64;
/** The fastest rate of the standard: bytes a second that one line can carry. */
const LINE_BYTES_PER_SECOND = 230_400 / 10;
/** A secure POLL and its ACK with their marks, and the two idle characters before each. */
const SECURE_POLL_CHARACTERS = 2 * (14 + 1 + 2);

const POLL: Command = { name: 'POLL' };
const OUT: Command = { name: 'OUT', records: [{ output: 0, code: 5, timerTicks: 30 }] };
const LARGE: Command = { name: 'MFG', vendor: '1a9021', data: new Uint8Array(1_000) };

/** Microseconds a piece, the median of several rounds after one that does not count. */
function microsEach(count: number, round: () => void): number {
  round();
  const rounds = Array.from({ length: ROUNDS }, () => {
    const startMs = performance.now();
    round();
    return ((performance.now() - startMs) * 1_000) / count;
  });
  return median(rounds);
}

/** An ACU and a PD machine on a line without length: every byte of both arrives at once. */
class Pair {
  #acu: AcuState = createAcu({ address: ADDRESS, secureChannel: { mode: 'required', scbk: KEY } });
  #pd: PdState = createPd({
    address: ADDRESS,
    baudRate: 9_600,
    scbk: KEY,
    requireSecureChannel: true,
    installMode: false,
    id: { vendor: '0a0b0c', model: 1, version: 1, serial: 1, firmware: { major: 1, minor: 0, build: 0 } },
    capabilities: [],
    inputCount: 2,
    outputCount: 2,
    readerCount: 1,
  });
  readonly #parser = new FrameParser();
  #nowMs = 1_000;
  #nonce = 0;

  /** There is a session. */
  get secure(): boolean {
    return this.#acu.phase.kind === 'secure';
  }

  /** And everything that is asked at its beginning has been. */
  get settled(): boolean {
    return this.secure && this.#acu.agenda.length === 0;
  }

  /** Milliseconds that the ACU's machine has taken, parser and encoding included. */
  acuMs = 0;

  /** One turn: a frame, its reply, and everything that either end does about them. */
  exchange(): void {
    this.#nowMs += 100;
    this.#nonce += 1;
    const random = Uint8Array.of(this.#nonce & 0xff, (this.#nonce >> 8) & 0xff, 0, 0, 0, 0, 0, 0);
    const startMs = performance.now();
    const turn = stepAcu(this.#acu, { kind: 'turn', nowMs: this.#nowMs, rndA: random });
    this.#acu = turn.state;
    this.acuMs += performance.now() - startMs;
    for (const effect of turn.effects) if (effect.kind === 'transmit') this.#hear(effect.bytes, random);
  }

  #hear(bytes: Uint8Array, rndB: Uint8Array): void {
    const heard = stepPd(this.#pd, { kind: 'bytes', nowMs: this.#nowMs, bytes, rndB });
    this.#pd = heard.state;
    for (const effect of heard.effects) {
      if (effect.kind !== 'transmit') continue;
      const startMs = performance.now();
      for (const frame of this.#parser.push(effect.bytes, this.#nowMs)) {
        this.#acu = stepAcu(this.#acu, { kind: 'frame', nowMs: this.#nowMs, bytes: frame }).state;
      }
      this.acuMs += performance.now() - startMs;
    }
  }
}

interface ExchangeFigures {
  /** Microseconds of a POLL and its ACK, both ends. */
  readonly bothMicros: number;
  /** The ACU's part of them. */
  readonly acuMicros: number;
  /** From the first probe to a session, both ends. */
  readonly handshakeMicros: number;
  /** And until everything has been asked. */
  readonly settledMicros: number;
}

function exchanges(): ExchangeFigures {
  const pair = new Pair();
  while (!pair.settled) pair.exchange();
  const acuRounds: number[] = [];
  const bothMicros = microsEach(EXCHANGES_PER_ROUND, () => {
    pair.acuMs = 0;
    for (let count = 0; count < EXCHANGES_PER_ROUND; count += 1) pair.exchange();
    acuRounds.push((pair.acuMs * 1_000) / EXCHANGES_PER_ROUND);
  });
  if (!pair.secure) throw new Error('the session did not last');
  const opening = (isOpen: (fresh: Pair) => boolean) =>
    microsEach(SESSIONS_PER_ROUND, () => {
      for (let count = 0; count < SESSIONS_PER_ROUND; count += 1) {
        const fresh = new Pair();
        while (!isOpen(fresh)) fresh.exchange();
      }
    });
  return {
    bothMicros,
    acuMicros: median(acuRounds.slice(1)),
    handshakeMicros: opening(({ secure }) => secure),
    settledMicros: opening(({ settled }) => settled),
  };
}

function sealing(): BenchTable {
  const session: SecureSession = { keys: deriveSessionKeys(KEY, new Uint8Array(8)), chain: new Uint8Array(16) };
  const rows = [POLL, OUT, LARGE].map((command) => {
    const frame = { address: ADDRESS, reply: false, sequence: 1, check: 'crc', ...encodeCommand(command) } as const;
    const { bytes } = seal(session, frame);
    const sealMicros = microsEach(FRAMES_PER_ROUND, () => {
      for (let count = 0; count < FRAMES_PER_ROUND; count += 1) seal(session, frame);
    });
    const openMicros = microsEach(FRAMES_PER_ROUND, () => {
      for (let count = 0; count < FRAMES_PER_ROUND; count += 1) {
        if (!open(session, bytes).ok) throw new Error('a frame did not open');
      }
    });
    return [`${command.name}, ${bytes.length} bytes`, sealMicros.toFixed(1), openMicros.toFixed(1)];
  });
  return { caption: 'Secure Channel, µs a frame', columns: ['frame', 'seal', 'open'], rows };
}

/** Frames back to back, or nothing but bytes that look like the start of one: the most that a parser can be made to do. */
function streams(): readonly { readonly name: string; readonly bytes: Uint8Array }[] {
  const random = new SeededRandom(1);
  const frame = withMark(
    encodeFrame({ address: ADDRESS, reply: true, sequence: 1, check: 'crc', code: 0x40, payload: random.bytes(20) }),
  );
  const clean = new Uint8Array(STREAM_BYTES).map((_, index) => frame[index % frame.length] ?? 0);
  const noise = random.bytes(STREAM_BYTES);
  // SOM, address, LEN 0x0553, control: each of them is a frame of 1,363 bytes that has to be checked and turns out to be none.
  const pattern = Uint8Array.of(0x53, 0x53, 0x53, 0x05, 0x04);
  const hostile = new Uint8Array(STREAM_BYTES).map((_, index) => pattern[index % pattern.length] ?? 0);
  return [
    { name: 'frames back to back', bytes: clean },
    { name: 'random bytes', bytes: noise },
    { name: 'starts of long frames, never one whole', bytes: hostile },
  ];
}

function parsing(): { readonly table: BenchTable; readonly slowest: number } {
  const rates = streams().map(({ name, bytes }) => {
    const micros = microsEach(bytes.length, () => {
      const parser = new FrameParser();
      for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES) {
        parser.push(bytes.subarray(offset, offset + CHUNK_BYTES), 0);
      }
    });
    return { name, bytesPerSecond: 1_000_000 / micros };
  });
  return {
    table: {
      caption: `Parser, in pieces of ${CHUNK_BYTES} bytes`,
      columns: ['stream', 'MB/s', '× a line of 230,400 baud'],
      rows: rates.map(({ name, bytesPerSecond }) => [
        name,
        (bytesPerSecond / 1_000_000).toFixed(2),
        Math.round(bytesPerSecond / LINE_BYTES_PER_SECOND),
      ]),
    },
    slowest: Math.min(...rates.map(({ bytesPerSecond }) => bytesPerSecond)),
  };
}

export async function run(): Promise<BenchReport> {
  const { bothMicros, acuMicros, handshakeMicros, settledMicros } = exchanges();
  const parser = parsing();
  const perSecond = 1_000_000 / bothMicros;
  const rate = (micros: number) => Math.round(1_000_000 / micros);
  const lineLimit = LINE_BYTES_PER_SECOND / SECURE_POLL_CHARACTERS;
  const parserRatio = parser.slowest / LINE_BYTES_PER_SECOND;
  return {
    title: 'OSDP: Secure Channel, machines and parser',
    method: [
      `Median of ${ROUNDS} rounds after one that does not count. An exchange is a secure POLL and its ACK, ACU and PD machine in one thread.`,
    ],
    targets: [
      {
        what: 'secure exchanges a second, both ends',
        target: `≥ 4 lines of 230,400 baud (${Math.round(4 * lineLimit)})`,
        measured: Math.round(perSecond).toString(),
        met: perSecond >= 4 * lineLimit,
      },
      {
        what: 'parser, whatever comes',
        target: '≥ 10 × a line of 230,400 baud',
        measured: `${Math.round(parserRatio)} ×`,
        met: parserRatio >= 10,
      },
    ],
    tables: [
      {
        caption: 'Machines, one core',
        columns: ['what', 'µs', 'a second'],
        rows: [
          ['secure POLL and ACK, both ends', bothMicros.toFixed(1), rate(bothMicros)],
          [
            'secure frame, both ends',
            (bothMicros / FRAMES_PER_EXCHANGE).toFixed(1),
            FRAMES_PER_EXCHANGE * rate(bothMicros),
          ],
          ['secure POLL and ACK, the ACU alone', acuMicros.toFixed(1), rate(acuMicros)],
          [
            'secure frame, the ACU alone',
            (acuMicros / FRAMES_PER_EXCHANGE).toFixed(1),
            FRAMES_PER_EXCHANGE * rate(acuMicros),
          ],
          ['probe and handshake, both ends', handshakeMicros.toFixed(0), rate(handshakeMicros)],
          ['probe, handshake and what is asked after it, both ends', settledMicros.toFixed(0), rate(settledMicros)],
        ],
      },
      sealing(),
      parser.table,
    ],
  };
}
