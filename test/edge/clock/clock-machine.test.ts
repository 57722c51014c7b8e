import t from 'tap';
import {
  begin,
  DRIFT_MIN_PPM,
  HOLDOVER_MAX_MS,
  judge,
  STAND_BY_MS,
  step,
  SYNCED_MAX_MS,
  type ClockState,
} from '@sparc/edge/clock';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_UNIX_MS = Date.UTC(2026, 2, 4, 12);

/** A machine with a wall clock, an uptime, a time source and a battery clock, and the gateway's idea of them. */
class Machine {
  /** Of the world: never wrong. */
  #trueMs = START_UNIX_MS;
  #bootedAtMs: number;
  #wallErrorMs = 0;
  #confirmed: number | undefined;
  #trusts = false;
  state: ClockState;
  readonly events: string[] = [];

  constructor({ uptimeMs = 60_000, wallErrorMs = 0, trusts = false } = {}) {
    this.#bootedAtMs = START_UNIX_MS - uptimeMs;
    this.#wallErrorMs = wallErrorMs;
    this.#trusts = trusts;
    this.state = begin(this.#reading());
    this.#look();
  }

  #reading() {
    return { unixMs: this.#wallMs, uptimeMs: this.#trueMs - this.#bootedAtMs, confirmedUnixMs: this.#confirmed };
  }

  get #wallMs(): number {
    return this.#trueMs + this.#wallErrorMs;
  }

  #look(): void {
    this.#take({ kind: 'look', reading: this.#reading(), trustUnsynced: this.#trusts });
  }

  #take(input: Parameters<typeof step>[1]): void {
    const { state, events } = step(this.state, input);
    this.state = state;
    for (const { name, ...rest } of events) {
      const values = 'detail' in rest ? Object.values(rest.detail ?? {}) : [];
      this.events.push([name.slice('clock.'.length), ...values].join(' '));
    }
  }

  /** Looks every half hour; nothing in between matters to a machine that is asked with the time it is. */
  pass(ms: number, { confirmed = false } = {}): void {
    for (let left = ms; left > 0; left -= HOUR_MS / 2) {
      this.#trueMs += Math.min(left, HOUR_MS / 2);
      if (confirmed) this.#confirmed = this.#wallMs;
      this.#look();
    }
  }

  /** The time source says so. */
  confirm(wallErrorMs = this.#wallErrorMs): void {
    this.#wallErrorMs = wallErrorMs;
    this.#confirmed = this.#wallMs;
    this.#look();
  }

  set(wallErrorMs: number): void {
    this.#wallErrorMs = wallErrorMs;
    this.#look();
  }

  accept(): void {
    this.#take({ kind: 'accept', reading: this.#reading() });
  }

  /** The process ends and starts again; with a new boot the machine as well. */
  restart({
    offMs = 0,
    isSameBoot = false,
    hardwareErrorMs,
    wallErrorMs = this.#wallErrorMs,
  }: {
    readonly offMs?: number;
    readonly isSameBoot?: boolean;
    /** Absent: there is no hardware clock. */
    readonly hardwareErrorMs?: number;
    readonly wallErrorMs?: number;
  } = {}): void {
    this.#trueMs += offMs;
    this.#wallErrorMs = wallErrorMs;
    if (!isSameBoot) {
      this.#bootedAtMs = this.#trueMs;
      this.#confirmed = undefined;
    }
    const earlier = { isSameBoot, state: JSON.parse(JSON.stringify(this.state)) as ClockState };
    const hardwareUnixMs = hardwareErrorMs === undefined ? undefined : this.#trueMs + hardwareErrorMs;
    this.state = begin(this.#reading(), earlier, hardwareUnixMs);
    this.#look();
  }

  get now() {
    return judge(this.state, this.#reading());
  }

  get quality() {
    return this.now.quality;
  }

  /** How far the mark is behind the true time. */
  get markBehindMs(): number {
    const { mark } = this.state;
    return mark === undefined ? Infinity : this.#trueMs - (mark.unixMs + (this.#reading().uptimeMs - mark.atMs));
  }

  news(): string[] {
    return this.events.splice(0);
  }
}

t.test('a clock is unsynced until a time source confirms it, and then synced while it goes on doing so', async (t) => {
  const machine = new Machine();
  t.same(machine.now, { unixMs: START_UNIX_MS, quality: 'unsynced' });
  machine.confirm();
  t.same(machine.now, { unixMs: START_UNIX_MS, quality: 'synced' });
  machine.pass(DAY_MS, { confirmed: true });
  t.equal(machine.quality, 'synced');
  t.same(machine.news(), ['unsynced', 'synced']);
});

t.test('without its time source a clock is believed for 72 hours, within a bound that grows', async (t) => {
  const machine = new Machine();
  machine.confirm();
  machine.pass(SYNCED_MAX_MS + 1);
  t.match(machine.now, { quality: 'holdover', errorMs: Math.ceil(((SYNCED_MAX_MS + 1) * DRIFT_MIN_PPM) / 1e6) });
  machine.pass(HOLDOVER_MAX_MS - SYNCED_MAX_MS - 1);
  t.match(machine.now, { quality: 'holdover', errorMs: 12_960 });
  machine.pass(1);
  t.equal(machine.quality, 'unsynced');
  machine.confirm();
  t.equal(machine.quality, 'synced');
  t.same(
    machine.news().map((each) => each.split(' ')[0]),
    ['unsynced', 'synced', 'holdover', 'unsynced', 'synced'],
  );
});

t.test('a correction that drift explains is taken, and teaches how far the clock drifts', async (t) => {
  const machine = new Machine();
  machine.confirm();
  machine.pass(48 * HOUR_MS);
  // 7 s in 48 hours are 41 parts per million.
  machine.confirm(-7_000);
  t.equal(machine.quality, 'synced');
  t.equal(machine.state.driftPpm, 82);
  machine.pass(SYNCED_MAX_MS + 1);
  t.match(machine.now, { quality: 'holdover', errorMs: 345 });
});

t.test('an oscillator that is fast is neither distrusted nor believed to be better than it is', async (t) => {
  const machine = new Machine();
  machine.confirm();
  machine.news();
  const askedMs = 17 * 60_000;
  for (let passedMs = askedMs; passedMs < 72 * HOUR_MS; passedMs += askedMs) {
    machine.pass(askedMs);
    machine.confirm(-200e-6 * passedMs);
    if (machine.quality !== 'synced') break;
  }
  t.equal(machine.quality, 'synced', 'a time source stands by it all the while');
  t.ok(machine.state.driftPpm >= 400 && machine.state.driftPpm < 410, 'measured over several confirmations');
  t.same(machine.news(), []);
});

t.test('a clock that somebody sets is not believed, until it is set back or the time source agrees', async (t) => {
  for (const stepMs of [HOUR_MS, -HOUR_MS]) {
    const machine = new Machine();
    machine.confirm();
    machine.pass(2 * HOUR_MS, { confirmed: true });
    machine.news();
    machine.set(stepMs);
    t.equal(machine.quality, 'stepped');
    machine.set(0);
    t.equal(machine.quality, 'synced');
    machine.set(stepMs);
    machine.confirm(0);
    t.equal(machine.quality, 'synced');
    t.match(machine.news(), [`stepped ${stepMs}`, /^distrusted/, `stepped ${-stepMs}`, 'synced']);
  }
});

t.test('beside a clock that was set, the time goes on as it was known, for as long as that is believed', async (t) => {
  const machine = new Machine();
  machine.confirm();
  machine.pass(60_000);
  for (const stepMs of [-HOUR_MS, HOUR_MS]) {
    machine.set(stepMs);
    const unixMs = START_UNIX_MS + 60_000;
    t.same(machine.now, { unixMs, quality: 'stepped', floorUnixMs: unixMs - 3 });
  }
  machine.pass(HOLDOVER_MAX_MS);
  t.same(machine.now, { unixMs: START_UNIX_MS + 60_000 + HOUR_MS + HOLDOVER_MAX_MS, quality: 'stepped' });
});

t.test('one bad time server moves no mark, and once it is right again nothing is left of it', async (t) => {
  const machine = new Machine();
  machine.confirm();
  machine.pass(2 * HOUR_MS, { confirmed: true });
  machine.confirm(365 * DAY_MS);
  t.equal(machine.quality, 'stepped', 'what the machine knew of the time speaks against it');
  machine.pass(STAND_BY_MS / 2, { confirmed: true });
  t.equal(machine.quality, 'stepped');
  t.ok(machine.markBehindMs < 1_000, 'the mark goes on with the uptime');
  machine.confirm(0);
  t.equal(machine.quality, 'synced');
  t.ok(machine.markBehindMs < 1_000);
});

t.test('a time that its source has stood by for an hour is taken, and the mark follows', async (t) => {
  const machine = new Machine();
  machine.confirm();
  machine.pass(2 * HOUR_MS, { confirmed: true });
  machine.confirm(10 * HOUR_MS);
  machine.pass(STAND_BY_MS, { confirmed: true });
  t.equal(machine.quality, 'synced');
  t.ok(machine.markBehindMs < -9 * HOUR_MS);
});

t.test(
  'what has surely passed does not come again, whatever a time source says; a named person may say so',
  async (t) => {
    const machine = new Machine({ wallErrorMs: DAY_MS });
    machine.confirm();
    machine.pass(2 * HOUR_MS, { confirmed: true });
    t.ok(machine.markBehindMs < 1_000 - DAY_MS, 'a wrong time that was stood by from the start');
    machine.confirm(0);
    machine.pass(5 * HOUR_MS, { confirmed: true });
    t.equal(machine.quality, 'stepped');
    t.ok(machine.markBehindMs < 2_000 - DAY_MS);
    t.equal(machine.news().at(-1), 'distrusted 86400000');
    machine.accept();
    t.match(machine.now, { quality: 'holdover', errorMs: 60_000 });
    t.ok(machine.markBehindMs > 59_000);
    machine.pass(1_000, { confirmed: true });
    t.equal(machine.quality, 'synced');
  },
);

t.test('a clock that runs ahead after a start is corrected by the first confirmation', async (t) => {
  const machine = new Machine({ wallErrorMs: DAY_MS });
  machine.pass(HOUR_MS);
  machine.confirm(0);
  t.equal(machine.quality, 'synced', 'nobody had vouched for the time before');
});

t.test('over a restart of the process everything goes on, and a clock that was set meanwhile is seen', async (t) => {
  const machine = new Machine();
  machine.confirm();
  machine.pass(2 * HOUR_MS);
  const before = machine.now.errorMs ?? 0;
  machine.restart({ offMs: HOUR_MS, isSameBoot: true });
  t.match(machine.now, { quality: 'holdover', errorMs: before + 180 });
  machine.news();
  machine.restart({ offMs: 1_000, isSameBoot: true });
  t.same(machine.news(), ['holdover 541'], 'a start says how the clock stands');
  machine.restart({ isSameBoot: true, wallErrorMs: -HOUR_MS });
  t.equal(machine.quality, 'stepped');
});

t.test('over a start of the machine a hardware clock carries the time on, within 72 hours in all', async (t) => {
  const machine = new Machine();
  machine.confirm();
  machine.pass(2 * HOUR_MS, { confirmed: true });
  machine.restart({ offMs: 10 * HOUR_MS, hardwareErrorMs: 0 });
  t.match(machine.now, { quality: 'holdover', errorMs: 3_000 + 1_800 });
  machine.restart({ offMs: HOUR_MS, hardwareErrorMs: 0 });
  t.match(machine.now, { quality: 'holdover', errorMs: 6_000 + 1_980 });
  machine.restart({ offMs: 62 * HOUR_MS, hardwareErrorMs: 0 });
  t.equal(machine.quality, 'unsynced');
});

t.test('against a hardware clock that ran wrong, the first confirmation after the start is believed', async (t) => {
  for (const [wrongMs, afterMs] of [
    [DAY_MS, 0],
    [DAY_MS, 5 * HOUR_MS],
    [-HOUR_MS, 5 * HOUR_MS],
  ] as const) {
    const machine = new Machine();
    machine.confirm();
    machine.pass(2 * HOUR_MS, { confirmed: true });
    machine.restart({ offMs: 2 * HOUR_MS, hardwareErrorMs: wrongMs, wallErrorMs: wrongMs });
    machine.pass(afterMs);
    t.equal(machine.quality, 'holdover');
    machine.confirm(0);
    t.equal(machine.quality, 'synced', `${wrongMs} ms, for ${afterMs} ms`);
    machine.confirm(DAY_MS);
    t.equal(machine.quality, 'stepped', 'from then on a time source is held against what was known');
  }
});

t.test('what had surely passed before a start holds against the first confirmation too', async (t) => {
  const machine = new Machine();
  machine.confirm();
  machine.pass(2 * HOUR_MS, { confirmed: true });
  machine.restart({ offMs: HOUR_MS, hardwareErrorMs: 0 });
  machine.confirm(-DAY_MS);
  t.equal(machine.quality, 'stepped');
});

t.test('a hardware clock that was set from a clock that is not believed carries nothing on', async (t) => {
  const machine = new Machine();
  machine.confirm();
  machine.set(HOUR_MS);
  machine.restart({ offMs: 60_000, hardwareErrorMs: HOUR_MS });
  t.equal(machine.quality, 'unsynced');
});

t.test('without a hardware clock that agrees, nothing is known after a start of the machine', async (t) => {
  const machine = new Machine();
  machine.confirm();
  machine.pass(2 * HOUR_MS, { confirmed: true });
  machine.restart({ offMs: HOUR_MS });
  t.equal(machine.quality, 'unsynced', 'none');
  machine.confirm();
  machine.restart({ offMs: HOUR_MS, hardwareErrorMs: 0, wallErrorMs: 5_000 });
  t.equal(machine.quality, 'unsynced', 'another time');
  t.ok((machine.now.floorUnixMs ?? 0) > START_UNIX_MS, 'but for what had surely passed');
});

t.test('a start with a time before the last one that was seen is not believed', async (t) => {
  const machine = new Machine({ trusts: true });
  machine.pass(2 * HOUR_MS);
  machine.restart({ offMs: HOUR_MS, wallErrorMs: -10 * DAY_MS });
  t.equal(machine.quality, 'stepped');
  t.match(machine.news(), ['unsynced', /^distrusted/]);
  machine.confirm(0);
  t.equal(machine.quality, 'synced');
});

t.test('where the site takes an unsynced clock as it is, the mark follows it', async (t) => {
  for (const trusts of [true, false]) {
    const machine = new Machine({ trusts });
    machine.pass(2 * HOUR_MS);
    t.equal(machine.quality, 'unsynced');
    t.equal(machine.markBehindMs < 1_000, trusts);
  }
});

t.test('a confirmation from before the clock was set back is none', async (t) => {
  const machine = new Machine({ wallErrorMs: DAY_MS });
  machine.confirm();
  machine.restart({ isSameBoot: true, wallErrorMs: 0 });
  const fresh = begin({ unixMs: START_UNIX_MS, uptimeMs: 1_000 });
  const reading = { unixMs: START_UNIX_MS, uptimeMs: 1_000, confirmedUnixMs: START_UNIX_MS + DAY_MS };
  const { state } = step(fresh, { kind: 'look', reading, trustUnsynced: false });
  t.equal(judge(state, reading).quality, 'unsynced');
});
