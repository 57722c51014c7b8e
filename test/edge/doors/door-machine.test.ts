import fc from 'fast-check';
import t from 'tap';
import {
  createDoor,
  doorSettings,
  nextDeadlineMs,
  OUTPUT_ROLES,
  step,
  type DoorEffect,
  type DoorInput,
  type DoorState,
  type OutputRole,
} from '@sparc/edge/doors';
import { INPUT_STATES, type CommandOutcome, type OutputAction } from '@sparc/protocol/ports';
import type { Door, StandingMode } from '@sparc/protocol/policy';
import { SparcError } from '@sparc/protocol/errors';
import { checkProperty } from '../../support/property.js';

type AuxiliaryRole = Exclude<OutputRole, 'lock'>;

const error = new SparcError('ERR_OSDP_LINE_DOWN', 'down');
const OUTCOMES: readonly CommandOutcome[] = [
  { kind: 'acknowledged' },
  { kind: 'notExecuted', error },
  { kind: 'unknown', error },
];

const STANDING_MODES = ['unlocked', 'locked', 'blocked', 'lockedDown', 'lockedOpen', 'doubleLocked'] as const;
const LOCKED = STANDING_MODES.indexOf('locked');
const CLOSED = INPUT_STATES.indexOf('inactive');
const OPEN = INPUT_STATES.indexOf('active');
/** The value of a grant to somebody on the way out. */
const LEAVES = 5;

/** Something that happens to a door after a pause; commands are answered in the order they were sent. */
type Happening =
  | {
      readonly kind: 'grant' | 'freeExit' | 'acknowledge' | 'pass' | 'answer' | 'report' | 'device' | 'mode' | 'masks';
      readonly value: number;
    }
  | { readonly kind: 'contact' | 'exitRequest'; readonly value: number };

const happening: fc.Arbitrary<{ pauseMs: number; what: Happening }> = fc.record({
  pauseMs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 40_000 })),
  what: fc.record({
    kind: fc.constantFrom(
      'grant',
      'freeExit',
      'acknowledge',
      'pass',
      'answer',
      'answer',
      'report',
      'device',
      'mode',
      'masks',
      'contact',
      'exitRequest',
    ),
    value: fc.nat(5),
  }),
});

const anyDoor: fc.Arbitrary<Door> = fc.record(
  {
    id: fc.constant('door'),
    name: fc.constant('Door'),
    lock: fc.record({ output: fc.constant('lock'), type: fc.constantFrom('failSecure', 'failSafe') }),
    contact: fc.constantFrom({ input: 'contact' }, null),
    exitRequest: fc.record(
      {
        input: fc.constant('exit'),
        releases: fc.boolean(),
        quiet: fc.boolean(),
        holdsWhileActive: fc.boolean(),
        ignoreAfterGrantMs: fc.constantFrom(0, 3_000),
        ignoreAfterCloseMs: fc.constantFrom(0, 1_000),
      },
      { requiredKeys: ['input', 'releases'] },
    ),
    shunt: fc.constant({ output: 'shunt' }),
    doubleLock: fc.constant({ output: 'bolt' }),
    forcedAlarmLatched: fc.boolean(),
    onGatewayLoss: fc.constantFrom('relock', 'stayUnlocked'),
    timings: fc.constantFrom(
      {},
      { delayTimeBeforeRelockMs: 0 },
      { delayTimeBeforeRelockMs: 700, bounceFilterMs: 0 },
      { preAlarmTimeMs: 0 },
      { relockAfterCloseMs: 200, extendedTimeMs: 20_000 },
    ),
  },
  { requiredKeys: ['id', 'name', 'lock', 'exitRequest', 'onGatewayLoss'] },
);

/** A door on a clock of its own: its lock obeys every command, whatever the answer says. */
class Bench {
  nowMs = 0;
  state: DoorState;
  readonly effects: DoorEffect[] = [];
  readonly sent: Extract<DoorEffect, { kind: 'output' }>[] = [];
  readonly auxiliaries: Record<AuxiliaryRole, { untilMs: number }> = {
    shunt: { untilMs: 0 },
    doubleLock: { untilMs: 0 },
  };
  standing: StandingMode = 'locked';
  exit = 'unknown';
  #cause = 1;
  #permanentlyEnergised: boolean;
  #timed: { energised: boolean; untilMs: number } | undefined;

  constructor(readonly door: Door) {
    this.state = createDoor(doorSettings(door));
    this.#permanentlyEnergised = door.lock.type === 'failSafe';
  }

  get lockReleased(): boolean {
    const timed = this.#timed !== undefined && this.nowMs < this.#timed.untilMs ? this.#timed : undefined;
    const energised = timed?.energised ?? this.#permanentlyEnergised;
    return energised === (this.door.lock.type === 'failSecure');
  }

  feed(input: DoorInput): void {
    const { state, effects } = step(this.state, input);
    this.state = state;
    this.effects.push(...effects);
    for (const effect of effects) {
      if (effect.kind !== 'output') continue;
      this.sent.push(effect);
      if (effect.role === 'lock') this.#obey(effect.action);
      else if (effect.action.kind === 'onFor') {
        this.auxiliaries[effect.role].untilMs = this.nowMs + effect.action.durationMs;
      } else if (effect.action.kind === 'off') this.auxiliaries[effect.role].untilMs = 0;
      else throw new Error(`an output beside the lock is told ${effect.action.kind}`);
    }
  }

  isEnergised(role: AuxiliaryRole): boolean {
    return this.nowMs < this.auxiliaries[role].untilMs;
  }

  /** Runs every deadline on the way; each must bring the machine forward. */
  advance(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (let rounds = 0; ; rounds++) {
      const dueMs = nextDeadlineMs(this.state);
      if (dueMs === undefined || dueMs > endMs) break;
      if (rounds > 10_000) throw new Error(`time stands still at ${this.nowMs}: ${JSON.stringify(this.state)}`);
      this.nowMs = Math.max(this.nowMs, dueMs);
      this.feed({ kind: 'time', nowMs: this.nowMs });
      const nextMs = nextDeadlineMs(this.state);
      if (nextMs !== undefined && nextMs <= this.nowMs)
        throw new Error(`a deadline stays due: ${JSON.stringify(this.state)}`);
    }
    this.nowMs = endMs;
  }

  happen({ kind, value }: Happening): void {
    const { nowMs } = this;
    switch (kind) {
      case 'grant':
        return this.feed({
          kind,
          nowMs,
          cause: this.#cause++,
          ttlMs: 2_000,
          extended: value === 0,
          leaves: value === LEAVES,
        });
      case 'freeExit':
        return this.feed({ kind, nowMs, cause: this.#cause++ });
      case 'acknowledge':
        return this.feed({ kind, nowMs });
      case 'pass':
        return undefined;
      case 'answer': {
        const command = this.sent.shift();
        const outcome = OUTCOMES[value % 3];
        if (command && outcome) this.feed({ ...command, kind: 'outputResult', nowMs, outcome });
        return undefined;
      }
      case 'report':
        return this.feed({ kind: 'outputReport', nowMs, energised: value % 2 === 0 });
      case 'device':
        for (const role of OUTPUT_ROLES) this.feed({ kind: 'outputDevice', nowMs, role, online: value % 3 !== 0 });
        return undefined;
      case 'mode':
        this.standing = STANDING_MODES[value] ?? 'locked';
        return this.feed({ kind, nowMs, standing: this.standing });
      case 'masks':
        return this.feed({ kind, nowMs, masks: { held: value % 2 === 1, forced: value > 2 } });
      case 'contact':
        if (!this.door.contact) return undefined;
        return this.feed({ kind, nowMs, signal: INPUT_STATES[value] ?? 'unknown' });
      case 'exitRequest':
        this.exit = INPUT_STATES[value] ?? 'unknown';
        return this.feed({ kind, nowMs, signal: this.exit as (typeof INPUT_STATES)[number], cause: this.#cause++ });
    }
  }

  #obey(action: OutputAction): void {
    if (action.kind === 'on' || action.kind === 'off') {
      this.#permanentlyEnergised = action.kind === 'on';
      this.#timed = undefined;
    } else {
      this.#timed = { energised: action.kind === 'onFor', untilMs: this.nowMs + action.durationMs };
    }
  }
}

const story = fc.tuple(anyDoor, fc.array(happening, { maxLength: 60 }));

function play(
  door: Door,
  happenings: readonly { pauseMs: number; what: Happening }[],
  look: (bench: Bench) => void = () => undefined,
): Bench {
  const bench = new Bench(door);
  for (const { pauseMs, what } of happenings) {
    bench.advance(pauseMs);
    bench.happen(what);
    look(bench);
  }
  return bench;
}

t.test('every released lock relocks in bounded time once nobody holds it', async (t) => {
  checkProperty(
    fc.property(story, ([door, happenings]) => {
      const bench = play(door, happenings);
      bench.happen({ kind: 'device', value: 1 });
      bench.happen({ kind: 'mode', value: LOCKED });
      bench.happen({ kind: 'exitRequest', value: 0 });
      bench.advance(60_000);
      return !bench.lockReleased && bench.state.passages.length === 0;
    }),
    400,
  );
  t.pass();
});

t.test('a lock is released for good only in mode unlocked of a door that stays unlocked', async (t) => {
  checkProperty(
    fc.property(story, ([door, happenings]) => {
      const release = door.lock.type === 'failSecure' ? 'on' : 'off';
      let isRight = true;
      let wasUnlocked = false;
      play(door, happenings, (bench) => {
        // What was sent during the pause was sent under the schedule before.
        const isAllowed = door.onGatewayLoss === 'stayUnlocked' && (bench.standing === 'unlocked' || wasUnlocked);
        wasUnlocked = bench.standing === 'unlocked';
        for (const effect of bench.effects.splice(0)) {
          if (effect.kind !== 'output' || effect.role !== 'lock') continue;
          if (effect.action.kind === release && !isAllowed) isRight = false;
        }
      });
      return isRight;
    }),
    400,
  );
  t.pass();
});

t.test('no lock is released without a grant, a mode that opens it or an exit request', async (t) => {
  checkProperty(
    fc.property(story, ([door, happenings]) => {
      const quiet = happenings.filter(({ what }) => !['grant', 'freeExit', 'mode', 'exitRequest'].includes(what.kind));
      const bench = play(door, quiet);
      bench.advance(100_000);
      return !bench.lockReleased;
    }),
    200,
  );
  t.pass();
});

t.test('every grant has exactly one outcome, unless its command was certainly not executed', async (t) => {
  checkProperty(
    fc.property(story, ([door, happenings]) => {
      const bench = play(door, happenings);
      bench.happen({ kind: 'exitRequest', value: 0 });
      bench.advance(100_000);
      const outcomes = bench.effects.flatMap((effect) =>
        effect.kind === 'event' && effect.name.startsWith('access.') ? [effect.cause] : [],
      );
      const grants = happenings.filter(({ what }) => what.kind === 'grant').length;
      return new Set(outcomes).size === outcomes.length && outcomes.length <= grants;
    }),
    400,
  );
  t.pass();
});

/** Somebody is let in, opens, and closes; the bus answers. */
const PASSAGE: readonly { pauseMs: number; what: Happening }[] = (
  ['device', 'mode', 'contact', 'grant', 'contact', 'contact', 'pass'] as const
)
  .map((kind, at): Happening => ({ kind, value: [1, LOCKED, CLOSED, 1, OPEN, CLOSED, 0][at] ?? 0 }))
  .flatMap((what) => [what, ...Array.from({ length: 9 }, (): Happening => ({ kind: 'answer', value: 0 }))])
  .map((what) => ({ pauseMs: what.kind === 'pass' ? 60_000 : 10, what }));

t.test(
  'a passage is told as secured at most once, after it was used, at a door that is closed and locked',
  async (t) => {
    let toldCount = 0;
    checkProperty(
      fc.property(story, ([door, happenings]) => {
        let isRight = true;
        const used = new Set<number | undefined>();
        play(door, [...happenings, ...PASSAGE], (bench) => {
          for (const effect of bench.effects.splice(0)) {
            if (effect.kind === 'event' && effect.name.endsWith('.used')) used.add(effect.cause);
            if (effect.kind !== 'secured') continue;
            toldCount += 1;
            isRight &&= used.delete(effect.cause) && effect.openedAtMs <= effect.closedAtMs;
            isRight &&= effect.closedAtMs <= bench.nowMs && bench.state.position === 'closed' && !bench.lockReleased;
          }
        });
        return isRight;
      }),
      400,
    );
    t.ok(toldCount > 0, 'some were told');
  },
);

t.test(
  'a pressed exit request that releases has the lock released by the same step, or once it may not be ignored',
  async (t) => {
    checkProperty(
      fc.property(story, ([door, happenings]) => {
        if (!door.exitRequest?.releases) return true;
        const bench = play(door, happenings);
        bench.happen({ kind: 'exitRequest', value: 0 });
        bench.happen({ kind: 'exitRequest', value: 1 });
        const { ignoreAfterGrantMs = 0, ignoreAfterCloseMs = 0 } = door.exitRequest;
        bench.advance(Math.max(ignoreAfterGrantMs, ignoreAfterCloseMs));
        return bench.lockReleased;
      }),
      200,
    );
    t.pass();
  },
);

t.test('whatever happened before, a mode that lets nobody in has no lock released, but for who leaves', async (t) => {
  checkProperty(
    fc.property(story, fc.constantFrom('blocked', 'lockedDown', 'doubleLocked'), ([door, happenings], standing) => {
      const quiet = happenings.filter(
        ({ what: { kind, value } }) =>
          !['exitRequest', 'freeExit'].includes(kind) && (kind !== 'grant' || value !== LEAVES),
      );
      const bench = play(door, quiet);
      bench.happen({ kind: 'device', value: 1 });
      // A grant within such a mode is one of override, so the door enters it now.
      bench.happen({ kind: 'mode', value: LOCKED });
      bench.happen({ kind: 'mode', value: STANDING_MODES.indexOf(standing) });
      return !bench.lockReleased;
    }),
    400,
  );
  t.pass();
});

t.test('there is no mode of a door that another does not end', async (t) => {
  checkProperty(
    fc.property(story, fc.constantFrom(...STANDING_MODES), ([door, happenings], standing) => {
      const bench = play(door, happenings);
      bench.happen({ kind: 'mode', value: STANDING_MODES.indexOf(standing) });
      return bench.state.standing === standing;
    }),
    200,
  );
  t.pass();
});

t.test('no bolt is thrown while the lock is released, the door stands open or another mode is wanted', async (t) => {
  checkProperty(
    fc.property(story, ([door, happenings]) => {
      let isRight = true;
      play({ ...door, doubleLock: { output: 'bolt' } }, happenings, (bench) => {
        if (!bench.isEnergised('doubleLock')) return;
        if (bench.lockReleased || bench.state.position === 'open' || bench.standing !== 'doubleLocked') isRight = false;
      });
      return isRight;
    }),
    400,
  );
  t.pass();
});

t.test('whatever was released, the shunt ends in bounded time after the door has closed', async (t) => {
  checkProperty(
    fc.property(story, ([door, happenings]) => {
      const bench = play({ ...door, shunt: { output: 'shunt' } }, happenings);
      bench.happen({ kind: 'device', value: 1 });
      bench.happen({ kind: 'mode', value: LOCKED });
      bench.happen({ kind: 'exitRequest', value: 0 });
      bench.happen({ kind: 'contact', value: 0 });
      for (let rounds = 0; rounds < 10; rounds++) {
        bench.advance(10_000);
        for (const command of bench.sent.splice(0)) {
          bench.feed({ ...command, kind: 'outputResult', nowMs: bench.nowMs, outcome: { kind: 'acknowledged' } });
        }
      }
      return !bench.isEnergised('shunt');
    }),
    300,
  );
  t.pass();
});

t.test(
  'an unlock that no lock hears the end of shunts a panel for its lease, and for good only where it stays',
  async (t) => {
    for (const onGatewayLoss of ['relock', 'stayUnlocked'] as const) {
      const bench = new Bench({
        id: 'door',
        name: 'Door',
        lock: { output: 'lock', type: 'failSecure' },
        contact: { input: 'contact' },
        shunt: { output: 'shunt' },
        onGatewayLoss,
      });
      let isLockAway = false;
      const answer = (): void => {
        for (let command = bench.sent.shift(); command !== undefined; command = bench.sent.shift()) {
          const outcome = isLockAway && command.role === 'lock' ? OUTCOMES[1] : OUTCOMES[0];
          if (outcome) bench.feed({ ...command, kind: 'outputResult', nowMs: bench.nowMs, outcome });
        }
      };
      const pass = (seconds: number): void => {
        for (let passed = 0; passed < seconds; passed++) {
          answer();
          bench.advance(1_000);
        }
      };
      bench.happen({ kind: 'device', value: 1 });
      bench.happen({ kind: 'contact', value: CLOSED });
      pass(1);
      bench.happen({ kind: 'mode', value: STANDING_MODES.indexOf('unlocked') });
      pass(15);
      isLockAway = true;
      bench.happen({ kind: 'mode', value: LOCKED });
      pass(10);
      t.equal(bench.isEnergised('shunt'), true, 'the device holds the lock released');
      pass(60);
      t.equal(bench.isEnergised('shunt'), onGatewayLoss === 'stayUnlocked');
      isLockAway = false;
      pass(10);
      t.equal(bench.isEnergised('shunt'), false);
    }
  },
);

t.test('a masked alarm is never raised, and no mask ends one that is', async (t) => {
  checkProperty(
    fc.property(story, ([door, happenings]) => {
      let isRight = true;
      const masked = { held: true, forced: true };
      const bench = new Bench(door);
      bench.feed({ kind: 'masks', nowMs: 0, masks: masked });
      for (const { pauseMs, what } of happenings) {
        bench.advance(pauseMs);
        if (what.kind !== 'masks') bench.happen(what);
        if (bench.state.alarm !== 'none') isRight = false;
      }
      const { alarm } = play(door, happenings).state;
      const { state } = step(play(door, happenings).state, { kind: 'masks', nowMs: 3_000_000, masks: masked });
      return isRight && (alarm !== 'held' || state.alarm === 'held' || state.position !== 'open');
    }),
    300,
  );
  t.pass();
});
