import t from 'tap';
import type { EventRecord } from '@sparc/protocol/events';
import { SiteModeKeeper, type SiteMode } from '@sparc/edge/site-mode';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';

const START_UNIX_MS = Date.UTC(2026, 0, 5, 8);
const HOUR_MS = 3_600_000;

/** A keeper with a disk; `restart` gives the next run, which begins `pauseMs` later on a clock that may be unknown. */
class Run {
  readonly clock: VirtualClock;
  readonly records: EventRecord[] = [];
  readonly keeper: SiteModeKeeper;

  constructor(
    startUnixMs = START_UNIX_MS,
    private isKnown = true,
    private readonly disk: { kept: SiteMode | undefined } = { kept: undefined },
  ) {
    this.clock = new VirtualClock({ startUnixMs });
    const { records } = this;
    this.keeper = new SiteModeKeeper({
      clock: this.clock,
      random: new SeededRandom(1),
      isInMesh: false,
      store: {
        load: () => structuredClone(disk.kept),
        async save(mode) {
          disk.kept = mode;
        },
      },
      record: (event) => void this.records.push(event),
      async commit(event, carryOut) {
        records.push(event);
        carryOut();
      },
      recorded: async () => [],
      obstacle: () => undefined,
      isClockKnown: () => this.isKnown,
      onChange: () => undefined,
      onFailure: (error) => {
        throw error;
      },
    });
    this.keeper.start();
  }

  async order(mode: 'unlocked' | 'blocked' | 'lockedDown', forMs?: number, by = 'Ada'): Promise<void> {
    await this.keeper.order({ kind: 'door', door: 'front', mode, ...(forMs !== undefined && { forMs }) }, by);
  }

  async release(by: string): Promise<void> {
    await this.keeper.order({ kind: 'releaseDoor', door: 'front' }, by);
  }

  /** From now; what people's screens show. */
  get endsInMs(): number | undefined {
    const atUnixMs = this.keeper.endsAtUnixMs('front');
    return atUnixMs === undefined ? undefined : atUnixMs - this.clock.wall().unixMs;
  }

  get ordered(): string | undefined {
    return this.keeper.mode.doors['front']?.mode;
  }

  get expired(): EventRecord[] {
    return this.records.filter(({ name }) => name === 'door.order_expired');
  }

  restart(pauseMs: number, isKnown = true): Run {
    this.keeper.stop();
    return new Run(this.clock.wall().unixMs + pauseMs, isKnown, this.disk);
  }

  know(): void {
    this.isKnown = true;
  }
}

t.test('an order ends when its time is over, once, recorded with who gave it', async (t) => {
  const run = new Run();
  await run.order('unlocked', HOUR_MS);
  await run.clock.advance(HOUR_MS - 1_000);
  t.equal(run.ordered, 'unlocked');
  await run.clock.advance(1_000);
  t.equal(run.ordered, undefined);
  await run.clock.advance(3 * HOUR_MS);
  t.strictSame(run.expired, [{ name: 'door.order_expired', doorId: 'front', detail: { by: 'Ada', mode: 'unlocked' } }]);
});

t.test('an order that says no time stays, and one that replaces another has its own time', async (t) => {
  const run = new Run();
  await run.order('unlocked', HOUR_MS);
  await run.order('blocked');
  await run.clock.advance(48 * HOUR_MS);
  t.equal(run.ordered, 'blocked');
  await run.order('blocked', HOUR_MS);
  await run.clock.advance(30 * 60_000);
  await run.order('blocked', 2 * HOUR_MS);
  await run.clock.advance(HOUR_MS);
  t.equal(run.ordered, 'blocked');
  await run.clock.advance(HOUR_MS);
  t.equal(run.ordered, undefined);
});

t.test('a clock that is set back prolongs no order; one that is set forward ends only what opens', async (t) => {
  for (const mode of ['unlocked', 'blocked'] as const) {
    const back = new Run();
    await back.order(mode, HOUR_MS);
    back.clock.stepWall(-24 * HOUR_MS);
    await back.clock.advance(HOUR_MS);
    t.equal(back.ordered, undefined);
    const forward = new Run();
    await forward.order(mode, HOUR_MS);
    forward.clock.stepWall(2 * HOUR_MS);
    await forward.clock.advance(60_000);
    t.equal(forward.ordered, mode === 'unlocked' ? undefined : 'blocked');
  }
});

t.test('a restart keeps the end of an order, and ends one whose time passed meanwhile', async (t) => {
  const run = new Run();
  await run.order('blocked', 2 * HOUR_MS);
  await run.clock.settle();
  const again = run.restart(HOUR_MS);
  t.equal(again.ordered, 'blocked');
  await again.clock.advance(HOUR_MS);
  t.equal(again.ordered, undefined);
  t.equal(again.expired.length, 1);
  const other = new Run();
  await other.order('blocked', HOUR_MS);
  await other.clock.settle();
  const late = other.restart(5 * HOUR_MS);
  t.equal(late.ordered, undefined);
  t.equal(late.expired.length, 1);
});

t.test(
  'after a restart with no clock a restriction stands for its whole time, or until the time is known',
  async (t) => {
    const run = new Run();
    await run.order('blocked', 2 * HOUR_MS);
    await run.clock.settle();
    const again = run.restart(5 * HOUR_MS, false);
    await again.clock.advance(HOUR_MS);
    t.equal(again.ordered, 'blocked');
    const known = again.restart(0, false);
    await known.clock.advance(HOUR_MS);
    t.equal(known.ordered, 'blocked', 'the time before the restart is not known');
    known.know();
    await known.clock.advance(60_000);
    t.equal(known.ordered, undefined);
    const other = new Run();
    await other.order('blocked', 2 * HOUR_MS);
    await other.clock.settle();
    const bounded = other.restart(0, false);
    await bounded.clock.advance(2 * HOUR_MS);
    t.equal(bounded.ordered, undefined, 'it cannot be less');
  },
);

t.test('an order that was given while nobody knew the time does not end early when the time is found', async (t) => {
  const run = new Run(0, false);
  await run.order('blocked', 2 * HOUR_MS);
  await run.clock.settle();
  const again = run.restart(START_UNIX_MS, true);
  await again.clock.advance(HOUR_MS);
  t.equal(again.ordered, 'blocked');
  await again.clock.advance(HOUR_MS);
  t.equal(again.ordered, undefined);
});

t.test('what is shown as the end of an order is when it will end, whatever the wall clock did', async (t) => {
  const run = new Run();
  await run.order('blocked', 2 * HOUR_MS);
  run.clock.stepWall(-24 * HOUR_MS);
  await run.clock.advance(HOUR_MS);
  t.equal(run.endsInMs, HOUR_MS);
  run.clock.stepWall(3 * HOUR_MS);
  t.equal(run.endsInMs, HOUR_MS, 'a clock that is set forward does not end what restricts');
  const unknown = run.restart(48 * HOUR_MS, false);
  t.equal(unknown.endsInMs, 2 * HOUR_MS, 'nobody knows how long the restart took');
  unknown.know();
  t.ok((unknown.endsInMs ?? 1) <= 0, 'the wall clock ends it at the next look');
  const other = new Run();
  await other.order('blocked');
  t.equal(other.endsInMs, undefined);
});

t.test('what a person restricted stands again when the lock-down of a rule is over', async (t) => {
  for (const how of ['time', 'rule', 'restart'] as const) {
    const run = new Run();
    await run.order('blocked');
    await run.order('lockedDown', HOUR_MS, 'rule:shut');
    t.equal(run.ordered, 'lockedDown');
    const then = how === 'restart' ? run.restart(2 * HOUR_MS) : run;
    if (how === 'time') await run.clock.advance(HOUR_MS);
    if (how === 'rule') await run.release('rule:calm');
    t.equal(then.ordered, 'blocked', how);
    t.match(then.records.at(-1), { doorId: 'front', detail: { again: 'blocked' } }, how);
    await then.release('Ada');
    t.equal(then.ordered, undefined);
  }
});

t.test('the time of an order runs on beneath the lock-down of a rule, once again or not', async (t) => {
  const run = new Run();
  await run.order('blocked', HOUR_MS);
  await run.order('lockedDown', 30 * 60_000, 'rule:shut');
  await run.order('lockedDown', 30 * 60_000, 'rule:shut-too');
  await run.clock.advance(30 * 60_000);
  t.equal(run.ordered, 'blocked');
  await run.clock.advance(30 * 60_000);
  t.equal(run.ordered, undefined);
  const other = new Run();
  await other.order('blocked', HOUR_MS);
  await other.order('lockedDown', 2 * HOUR_MS, 'rule:shut');
  await other.clock.advance(2 * HOUR_MS);
  t.equal(other.ordered, undefined);
  t.strictSame(
    other.expired.map(({ detail }) => detail),
    [
      { by: 'Ada', mode: 'blocked', again: 'lockedDown' },
      { by: 'rule:shut', mode: 'lockedDown' },
    ],
  );
});

t.test(
  'a person who ends the lock-down of a rule ends what stood before it, and an unlock does not come back',
  async (t) => {
    const run = new Run();
    await run.order('blocked');
    await run.order('lockedDown', undefined, 'rule:shut');
    await run.release('Ada');
    t.equal(run.ordered, undefined);
    await run.order('unlocked');
    await run.order('lockedDown', HOUR_MS, 'rule:shut');
    await run.clock.advance(HOUR_MS);
    t.equal(run.ordered, undefined);
    await run.order('blocked');
    await run.order('lockedDown', HOUR_MS, 'rule:shut');
    await run.order('lockedDown', 2 * HOUR_MS);
    await run.clock.advance(2 * HOUR_MS);
    t.equal(run.ordered, undefined, 'the last word of a person is the only one');
  },
);
