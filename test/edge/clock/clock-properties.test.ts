import fc from 'fast-check';
import t from 'tap';
import { begin, DRIFT_MIN_PPM, judge, STEP_MIN_MS, step, SYNCED_MAX_MS, type ClockState } from '@sparc/edge/clock';
import { checkProperty } from '../../support/property.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_UNIX_MS = Date.UTC(2026, 2, 4, 12);

/** What may happen to a machine whose time source, where it answers, is right. */
type Act =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'confirm' }
  /** Three neighbours that know the time, each off by a share of its error, and one that lies. */
  | { readonly kind: 'heard'; readonly errorMs: number; readonly shares: readonly number[]; readonly lieMs: number }
  | { readonly kind: 'set'; readonly byMs: number }
  /** The process. */
  | { readonly kind: 'restart' }
  /** The machine: for how long it is off, and whether its hardware clock sets the wall clock. */
  | { readonly kind: 'reboot'; readonly offMs: number; readonly wall: 'hardware' | 'lost' | 'asBefore' };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    kind: fc.constant('pass' as const),
    ms: fc.oneof(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 1, max: DAY_MS })),
  }),
  fc.constant({ kind: 'confirm' as const }),
  fc.record({
    kind: fc.constant('heard' as const),
    errorMs: fc.integer({ min: 1, max: 13_000 }),
    shares: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
    lieMs: fc.integer({ min: -30 * DAY_MS, max: 30 * DAY_MS }),
  }),
  fc.record({ kind: fc.constant('set' as const), byMs: fc.integer({ min: -3 * DAY_MS, max: 3 * DAY_MS }) }),
  fc.constant({ kind: 'restart' as const }),
  fc.record({
    kind: fc.constant('reboot' as const),
    offMs: fc.integer({ min: 1_000, max: 5 * DAY_MS }),
    wall: fc.constantFrom('hardware' as const, 'lost' as const, 'asBefore' as const),
  }),
);

/** Everything in it that ticks drifts by the same rate, which is within what is assumed. */
class DriftingMachine {
  #trueMs = START_UNIX_MS;
  #uptimeMs = 60_000;
  #wallMs: number;
  #hardwareMs = START_UNIX_MS;
  #confirmed: number | undefined;
  state: ClockState;

  constructor(
    private readonly drift: number,
    wallErrorMs: number,
  ) {
    this.#wallMs = START_UNIX_MS + wallErrorMs;
    this.state = begin(this.#reading());
    this.#look();
  }

  do(act: Act): void {
    switch (act.kind) {
      case 'pass':
        return this.#tick(act.ms);
      case 'confirm':
        this.#wallMs = this.#trueMs;
        // The kernel takes the time over to the hardware clock.
        this.#hardwareMs = this.#trueMs;
        this.#confirmed = this.#wallMs;
        return this.#look();
      case 'heard': {
        const { errorMs, shares, lieMs } = act;
        const times = [...shares.map((share) => share * errorMs), lieMs].map((byMs) => ({
          neighbour: 'n',
          offsetMs: this.#trueMs + byMs - this.#uptimeMs,
          quality: 'synced' as const,
          errorMs,
        }));
        const heard = { othersCount: times.length, times };
        const input = { kind: 'heard' as const, reading: this.#reading(), trustUnsynced: false, heard };
        this.state = step(this.state, input).state;
        return;
      }
      case 'set':
        this.#wallMs += act.byMs;
        return this.#look();
      case 'restart':
        return this.#begin(true);
      case 'reboot':
        this.#trueMs += act.offMs;
        this.#hardwareMs += act.offMs * (1 + this.drift);
        this.#uptimeMs = 5_000;
        this.#confirmed = undefined;
        if (act.wall === 'hardware') this.#wallMs = Math.floor(this.#hardwareMs / 1_000) * 1_000;
        if (act.wall === 'lost') this.#wallMs = Date.UTC(2000, 0, 1);
        return this.#begin(false);
    }
  }

  get trueMs(): number {
    return this.#trueMs;
  }

  get now() {
    return judge(this.state, this.#reading());
  }

  /** Looks as often as a quality may end. */
  #tick(ms: number): void {
    for (let left = ms; left > 0; left -= HOUR_MS) {
      const pass = Math.min(left, HOUR_MS);
      this.#trueMs += pass;
      for (const add of [
        (x: number) => (this.#uptimeMs += x),
        (x: number) => (this.#wallMs += x),
        (x: number) => (this.#hardwareMs += x),
      ]) {
        add(pass * (1 + this.drift));
      }
      this.#look();
    }
  }

  #reading() {
    return { unixMs: Math.floor(this.#wallMs), uptimeMs: this.#uptimeMs, confirmedUnixMs: this.#confirmed };
  }

  #begin(isSameBoot: boolean): void {
    const earlier = { isSameBoot, state: JSON.parse(JSON.stringify(this.state)) as ClockState };
    this.state = begin(this.#reading(), earlier, Math.floor(this.#hardwareMs / 1_000) * 1_000);
    this.#look();
  }

  #look(): void {
    this.state = step(this.state, { kind: 'look', reading: this.#reading(), trustUnsynced: false }).state;
  }
}

/** A clock may be set by less than a step unseen, and drifts for as long as a confirmation counts. */
const UNSEEN_MS = STEP_MIN_MS + (SYNCED_MAX_MS * DRIFT_MIN_PPM) / 1e6 + 2;

t.test(
  'with a time source and neighbours that are right, a known time errs within its bound, and what has surely passed has passed',
  async (t) => {
    const world = fc.record({
      driftPpm: fc.integer({ min: -DRIFT_MIN_PPM, max: DRIFT_MIN_PPM }),
      wallErrorMs: fc.integer({ min: -30 * DAY_MS, max: 30 * DAY_MS }),
      acts: fc.array(act, { minLength: 1, maxLength: 30 }),
    });
    const holds = ({
      driftPpm,
      wallErrorMs,
      acts,
    }: typeof world extends fc.Arbitrary<infer W> ? W : never): boolean => {
      const machine = new DriftingMachine(driftPpm / 1e6, wallErrorMs);
      return acts.every((each) => {
        machine.do(each);
        const { unixMs, quality, errorMs = 0, floorUnixMs = -Infinity } = machine.now;
        const isKnown = quality === 'synced' || quality === 'holdover';
        const isTold = !isKnown || Math.abs(unixMs - machine.trueMs) <= errorMs + UNSEEN_MS;
        return isTold && floorUnixMs <= machine.trueMs + UNSEEN_MS;
      });
    };
    checkProperty(fc.property(world, holds), 400);
    t.pass();
  },
);
