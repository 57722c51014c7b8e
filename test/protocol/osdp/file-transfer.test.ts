import t from 'tap';
import {
  type CommandOutcome,
  createFileTransfer,
  FILE_STATUS,
  type FileTransferEffect,
  type FileTransferInput,
  fragmentSize,
  type PdFileVerdict,
  type PdOptions,
  type Reply,
  stepFileTransfer,
} from '@sparc/protocol/osdp';
import { lose, VirtualLine } from './virtual-line.js';

const file = (size: number) => Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) & 0xff);

/** A transfer by itself, told what became of each command. */
class Transfer {
  readonly effects: FileTransferEffect[] = [];
  nowMs = 0;
  #state;

  constructor(size: number, offset = 0) {
    this.#state = createFileTransfer({ fileType: 1, data: file(size), offset });
  }

  feed(input: FileTransferInput): this {
    const { state, effects } = stepFileTransfer(this.#state, input);
    this.#state = state;
    this.effects.push(...effects);
    return this;
  }

  start(fragmentSizeMax = 100): this {
    return this.feed({ kind: 'start', nowMs: this.nowMs, fragmentSizeMax });
  }

  outcome(outcome: CommandOutcome): this {
    return this.feed({ kind: 'outcome', nowMs: this.nowMs, outcome });
  }

  answer(status: number, { delayMs = 0, messageSizeMax = 0, action = 1 } = {}): this {
    const reply: Reply = { name: 'FTSTAT', action, delayMs, status, messageSizeMax };
    return this.outcome({ kind: 'acknowledged', reply });
  }

  pass(durationMs: number): this {
    this.nowMs += durationMs;
    return this.feed({ kind: 'time', nowMs: this.nowMs });
  }

  abort(): this {
    return this.feed({ kind: 'abort', nowMs: this.nowMs });
  }

  /** Offsets and sizes of what was sent; -1 for ABORT. */
  get sent(): string[] {
    return this.effects.flatMap((effect) => {
      if (effect.kind !== 'send') return [];
      const { command } = effect;
      return command.name === 'FILETRANSFER' ? [`${command.offset}+${command.data.length}`] : [command.name];
    });
  }

  get result() {
    return this.effects.find((effect) => effect.kind === 'done')?.result;
  }
}

t.test('a file goes out in fragments, in order, and is complete when the PD has processed it', async (t) => {
  const transfer = new Transfer(250).start().answer(0).answer(0);
  t.strictSame(transfer.sent, ['0+100', '100+100', '200+50']);
  t.equal(transfer.answer(FILE_STATUS.processed).result?.kind, 'completed');
  t.strictSame(
    transfer.effects.flatMap((effect) => (effect.kind === 'progress' ? [effect.sentSize] : [])),
    [100, 200, 250],
  );
});

t.test('a PD that reboots for its file says so', async (t) => {
  t.strictSame(new Transfer(10).start().answer(FILE_STATUS.rebooting).result, { kind: 'completed', rebooting: true });
});

t.test('the pause that the PD asks for is kept, and a timer that is early starts again', async (t) => {
  const transfer = new Transfer(250).start().answer(0, { delayMs: 700 });
  t.strictSame(transfer.effects.at(-1), { kind: 'wait', untilMs: 700 });
  t.strictSame(transfer.pass(699).sent, ['0+100']);
  t.strictSame(transfer.effects.slice(-2), Array(2).fill({ kind: 'wait', untilMs: 700 }));
  t.strictSame(transfer.pass(1).sent, ['0+100', '100+100']);
});

t.test('fragments become smaller where the PD asks for it, and never larger than the PD takes', async (t) => {
  const transfer = new Transfer(1_000)
    .start(200)
    .answer(0, { messageSizeMax: 128 })
    .answer(0, { messageSizeMax: 1_440 });
  t.strictSame(transfer.sent, ['0+200', `200+${fragmentSize(128, true)}`, `${200 + fragmentSize(128, true)}+200`]);
});

t.test('a PD that is finishing is asked again by empty fragments, for five minutes', async (t) => {
  const transfer = new Transfer(10).start().answer(FILE_STATUS.finishing, { delayMs: 1_000 });
  t.strictSame(transfer.pass(1_000).sent, ['0+10', '10+0']);
  t.equal(transfer.answer(FILE_STATUS.processed).result?.kind, 'completed');
  const endless = new Transfer(10).start().answer(FILE_STATUS.finishing);
  for (let second = 0; second <= 300; second += 1) endless.pass(1_000).answer(FILE_STATUS.finishing);
  t.match(endless.result, { kind: 'failed', code: 'ERR_OSDP_FILE_STALLED', offset: 10 });
});

t.test('what was lost or stayed busy is sent again; without any answer for a minute the transfer fails', async (t) => {
  const transfer = new Transfer(250).start().answer(0);
  transfer.outcome({ kind: 'unknown', reason: 'ERR_OSDP_RESTARTED' }).pass(500);
  transfer.outcome({ kind: 'notExecuted', reason: 'ERR_OSDP_BUSY' }).pass(500);
  t.strictSame(transfer.sent, ['0+100', '100+100', '100+100', '100+100']);
  for (let second = 0; second < 130; second += 1) {
    transfer.outcome({ kind: 'notExecuted', reason: 'ERR_OSDP_SILENT' }).pass(500);
  }
  t.match(transfer.result, { kind: 'failed', code: 'ERR_OSDP_FILE_STALLED', offset: 100 });
});

t.test('a refusal by NAK is final, and so is one by status', async (t) => {
  const refused = new Transfer(10).start().outcome({ kind: 'notExecuted', reason: 'ERR_OSDP_NAK', detail: 'NAK 3' });
  t.match(refused.result, { kind: 'failed', code: 'ERR_OSDP_NAK', message: 'NAK 3', offset: 0 });
  const code = (status: number, size = 10) => {
    const { result } = new Transfer(size).start().answer(status);
    return result?.kind === 'failed' ? result.code : result;
  };
  t.equal(code(FILE_STATUS.aborted), 'ERR_OSDP_FILE_ABORTED');
  t.equal(code(FILE_STATUS.unrecognised), 'ERR_OSDP_FILE_UNRECOGNISED');
  t.equal(code(FILE_STATUS.malformed), 'ERR_OSDP_FILE_MALFORMED');
  t.equal(code(77), 'ERR_OSDP_FILE_REFUSED');
  t.equal(code(FILE_STATUS.processed, 250), 'ERR_OSDP_FILE_REFUSED', 'processed before its end');
  const wrong = new Transfer(10).start().outcome({ kind: 'acknowledged', reply: { name: 'ACK' } });
  t.match(wrong.result, { code: 'ERR_OSDP_FILE_REFUSED' });
});

t.test('a PD that does not know the file any more gets it from the beginning, three times at most', async (t) => {
  const transfer = new Transfer(150, 100).start();
  t.strictSame(transfer.sent, ['100+50']);
  for (let round = 0; round < 3; round += 1) transfer.answer(FILE_STATUS.malformed).answer(0);
  t.strictSame(transfer.sent, ['100+50', '0+100', '100+50', '0+100', '100+50', '0+100', '100+50']);
  t.match(transfer.answer(FILE_STATUS.malformed).result, { code: 'ERR_OSDP_FILE_MALFORMED', offset: 100 });
});

t.test('an abort is told to the PD, after the fragment that is under way', async (t) => {
  const transfer = new Transfer(250).start().abort();
  t.strictSame(transfer.sent, ['0+100']);
  t.strictSame(transfer.answer(0).sent, ['0+100', 'ABORT']);
  t.strictSame(transfer.outcome({ kind: 'acknowledged', reply: { name: 'ACK' } }).result, {
    kind: 'aborted',
    offset: 100,
  });
  const pausing = new Transfer(250).start().answer(0, { delayMs: 500 }).abort();
  t.strictSame(pausing.sent, ['0+100', 'ABORT']);
  t.strictSame(new Transfer(250).abort().result, { kind: 'aborted', offset: 0 }, 'before its start');
  const last = new Transfer(10).start().abort().answer(FILE_STATUS.processed);
  t.equal(last.result?.kind, 'completed', 'what is done is done');
});

t.test('an empty file and an offset beyond the end are refused', async (t) => {
  t.throws(() => createFileTransfer({ fileType: 1, data: new Uint8Array() }), { code: 'ERR_OSDP_VALUE' });
  t.throws(() => createFileTransfer({ fileType: 1, data: file(9), offset: 10 }), { code: 'ERR_OSDP_VALUE' });
});

/** A transfer over both machines. The device behind the PD stores what it is told and judges when it has all. */
class Line extends VirtualLine {
  readonly stored: number[] = [];
  readonly written: number[] = [];
  verdict: PdFileVerdict | undefined = 'processed';
  readonly #transfer: Transfer;
  #token = 100;
  #seen = { acu: 0, pd: 0, transfer: 0 };

  constructor(size: number, pd: Partial<PdOptions> = {}, offset = 0) {
    // Without PDCAP 10 the PD takes 128 bytes, so that a file has many fragments.
    super({ pd: { capabilities: [], file: { sizeMax: 100_000 }, ...pd } });
    this.#transfer = new Transfer(size, offset);
  }

  begin(): this {
    this.runUntil(() => this.online() && this.acu.agenda.length === 0, 2_000);
    this.#transfer.nowMs = this.nowMs;
    this.#transfer.start(fragmentSize(this.acu.receiveSize, true));
    return this;
  }

  get result() {
    return this.#transfer.result;
  }

  /** Frames of the ACU so far. */
  get framesCount(): number {
    return this.sent.filter(({ from }) => from === 'acu').length;
  }

  advance(durationMs: number): this {
    for (let elapsedMs = 0; elapsedMs < durationMs && this.result === undefined; elapsedMs += 1) {
      this.run(1);
      this.#transfer.nowMs = this.nowMs;
      this.#transfer.feed({ kind: 'time', nowMs: this.nowMs });
      this.#carry();
    }
    return this;
  }

  #carry(): void {
    for (const effect of this.pdEffects.slice(this.#seen.pd)) {
      if (effect.kind !== 'file') continue;
      if (effect.offset === 0) this.stored.length = 0;
      this.stored.push(...effect.data);
      this.written.push(effect.offset);
      if (effect.complete && this.verdict !== undefined) this.event({ kind: 'file', verdict: this.verdict });
    }
    this.#seen.pd = this.pdEffects.length;
    for (const effect of this.acuEffects.slice(this.#seen.acu)) {
      if (effect.kind === 'commandDone' && effect.token === this.#token) this.#transfer.outcome(effect.outcome);
    }
    this.#seen.acu = this.acuEffects.length;
    for (const effect of this.#transfer.effects.slice(this.#seen.transfer)) {
      if (effect.kind === 'send') this.command(effect.command, (this.#token += 1));
    }
    this.#seen.transfer = this.#transfer.effects.length;
  }
}

t.test('a file arrives byte for byte, under Secure Channel, with cards read in between', async (t) => {
  const line = new Line(10_000).begin();
  line.advance(60);
  line.event({ kind: 'card', reader: 0, format: 0, bitCount: 26, bits: Uint8Array.of(1, 2, 3, 64) });
  line.advance(5_000);
  t.strictSame(line.result, { kind: 'completed', rebooting: false });
  t.strictSame(Uint8Array.from(line.stored), file(10_000));
  t.equal(line.replies('RAW').length, 1);
  t.strictSame(line.alarms(), []);
});

t.test('whatever is lost on the way, each byte is stored once', async (t) => {
  const line = new Line(6_000).begin();
  line.faults.pd.push(...[0, 1, 0, 1, 0, 0, 1].map((lost) => (lost ? lose : line.weather.pd)));
  line.faults.acu.push(...[0, 0, 1, 0, 1].map((lost) => (lost ? lose : line.weather.acu)));
  line.advance(10_000);
  t.equal(line.result?.kind, 'completed');
  t.strictSame(Uint8Array.from(line.stored), file(6_000));
  t.equal(new Set(line.written).size, line.written.length);
});

t.test('a session that breaks in the middle costs no byte twice', async (t) => {
  const line = new Line(6_000).begin().advance(30);
  const { security } = line.pd;
  if (security.kind !== 'established') throw new Error('no session');
  line.pd = { ...line.pd, security: { kind: 'none' } };
  line.advance(10_000);
  t.equal(line.result?.kind, 'completed');
  t.strictSame(Uint8Array.from(line.stored), file(6_000));
  t.equal(new Set(line.written).size, line.written.length);
});

t.test('a PD that loses power in the middle gets the file again from its beginning', async (t) => {
  const line = new Line(20_000).begin().advance(30);
  t.ok(line.written.length > 1, 'it had begun');
  line.feedPd({ kind: 'reset', nowMs: line.nowMs });
  line.advance(15_000);
  t.equal(line.result?.kind, 'completed');
  t.strictSame(Uint8Array.from(line.stored), file(20_000));
  t.equal(line.written.filter((offset) => offset === 0).length, 2);
});

t.test('an exclusive transfer is not disturbed by polls, and polls come back when it stops', async (t) => {
  const open = new Line(6_000, { file: { sizeMax: 10_000, delayMs: 60 } }).begin().advance(10_000);
  const exclusive = new Line(6_000, { file: { sizeMax: 10_000, delayMs: 60, exclusive: true } })
    .begin()
    .advance(10_000);
  t.equal(exclusive.result?.kind, 'completed');
  t.ok(exclusive.framesCount < open.framesCount, 'fewer frames');
  const { framesCount } = exclusive;
  exclusive.run(1_200);
  t.ok(exclusive.framesCount > framesCount);
});

t.test(
  'a PD that takes a file exclusively and asks for long pauses is polled in them, and keeps its session',
  async (t) => {
    const file = { sizeMax: 10_000, delayMs: 9_000, exclusive: true };
    const line = new Line(150, { file }).begin().advance(30_000);
    t.equal(line.result?.kind, 'completed');
    t.strictSame(line.alarms(), []);
  },
);

t.test('the device decides: a wrong model, a reboot, and a device that needs its time', async (t) => {
  const wrong = new Line(500).begin();
  wrong.verdict = 'unrecognised';
  t.match(wrong.advance(5_000).result, { kind: 'failed', code: 'ERR_OSDP_FILE_UNRECOGNISED' });

  const reboot = new Line(500).begin();
  reboot.verdict = 'rebooting';
  t.strictSame(reboot.advance(5_000).result, { kind: 'completed', rebooting: true });
  t.equal(reboot.pdEffects.filter(({ kind }) => kind === 'reboot').length, 1);

  const slow = new Line(500).begin();
  slow.verdict = undefined;
  t.equal(slow.advance(20_000).result, undefined, 'still finishing');
  slow.event({ kind: 'file', verdict: 'processed' });
  t.equal(slow.advance(1_000).result?.kind, 'completed');
});

t.test('a transfer is resumed where it ended', async (t) => {
  const line = new Line(6_000).begin().advance(30);
  const receivedSize = line.pd.file?.receivedSize ?? 0;
  t.ok(receivedSize > 0 && receivedSize < 6_000);
  const again = new Line(6_000, {}, receivedSize);
  again.pd = { ...again.pd, file: line.pd.file };
  again.begin().advance(5_000);
  t.equal(again.result?.kind, 'completed');
  t.strictSame(Uint8Array.from([...line.stored, ...again.stored]), file(6_000));
});
