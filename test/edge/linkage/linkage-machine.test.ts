import fc from 'fast-check';
import t from 'tap';
import type { EventRecord } from '@sparc/protocol/events';
import type { LinkageCondition, LinkageRule } from '@sparc/protocol/policy';
import {
  CHAIN_LENGTH_MAX,
  create,
  nextDeadlineMs,
  RUNS_BURST_MAX,
  step,
  SUSPENDED_MS,
  type LinkageEffect,
  type LinkageInput,
  type SiteFacts,
} from '@sparc/edge/linkage';
import { checkProperty } from '../../support/property.js';

const UNKNOWN: SiteFacts = {
  isScheduleOpen: () => false,
  doorMode: () => undefined,
  threatLevel: () => 0,
  input: () => undefined,
  peopleIn: () => undefined,
};
const FORCED: EventRecord = { name: 'door.forced', doorId: 'front' };

const rule = (id: string, more: Partial<LinkageRule> = {}): LinkageRule => ({
  id,
  when: [{ event: 'door.forced' }],
  then: [{ message: 'look' }],
  ...more,
});

const happened = (
  record: EventRecord,
  { nowMs = 0, chainLength = 0, facts = UNKNOWN }: { nowMs?: number; chainLength?: number; facts?: SiteFacts } = {},
): LinkageInput => ({ kind: 'happened', nowMs, what: { kind: 'event', record }, chainLength, facts });

/** Feeds a machine and keeps what it did. */
function machine(...rules: LinkageRule[]) {
  let state = create(rules);
  return {
    feed(input: LinkageInput): readonly LinkageEffect[] {
      const result = step(state, input);
      state = result.state;
      return result.effects;
    },
    /** Ids of the rules that ran. */
    ran(input: LinkageInput): string[] {
      return this.feed(input).flatMap((effect) => (effect.kind === 'run' ? effect.rule.id : []));
    },
    deadlineMs: () => nextDeadlineMs(state),
  };
}

t.test('rules that wait for what happened run in the order of the site file, each once', async (t) => {
  t.same(machine(rule('b'), rule('a')).ran(happened(FORCED)), ['b', 'a']);
  const all = machine(
    rule('b', { when: [{ event: 'door.forced' }, { severity: 'alarm' }] }),
    rule('other', { when: [{ event: 'door.held' }] }),
  );
  t.same(all.ran(happened(FORCED)), ['b']);
  t.same(all.ran(happened({ name: 'door.held', doorId: 'front' })), ['b', 'other'], 'held is an alarm as well');
  t.same(all.ran(happened({ name: 'door.opened', doorId: 'front' })), []);
});

t.test('where has to fit as a whole, in fields and in details', async (t) => {
  const one = machine(rule('rule', { when: [{ event: 'area.moved', where: { holder: 'ada', to: 'lab' } }] }));
  const moved = (holderId: string, to: string): EventRecord => ({
    name: 'area.moved',
    holderId,
    detail: { to, certain: 'true' },
  });
  t.same(one.ran(happened(moved('ada', 'lab'))), ['rule']);
  t.same(one.ran(happened(moved('bob', 'lab'))), []);
  t.same(one.ran(happened(moved('ada', 'hall'))), []);
});

t.test('a boundary of a schedule sets a rule off, and a start, a policy or a clock that is set does not', async (t) => {
  const one = machine(rule('night', { when: [{ schedule: 'office', becomes: 'closed' }] }));
  for (const because of ['boundary', 'start', 'policy', 'clock']) {
    const record: EventRecord = { name: 'schedule.inactive', detail: { schedule: 'office', at: '18:00', because } };
    t.same(one.ran(happened(record)), because === 'boundary' ? ['night'] : [], because);
  }
  const opens: EventRecord = {
    name: 'schedule.active',
    detail: { schedule: 'office', at: '08:00', because: 'boundary' },
  };
  t.same(one.ran(happened(opens)), []);
});

t.test('an input sets a rule off by what it becomes', async (t) => {
  const one = machine(rule('panic', { when: [{ input: 'button', becomes: 'active' }] }));
  const becomes = (input: string, signal: 'active' | 'inactive' | 'fault'): LinkageInput => ({
    kind: 'happened',
    nowMs: 0,
    what: { kind: 'input', input, becomes: signal },
    chainLength: 0,
    facts: UNKNOWN,
  });
  t.same(one.ran(becomes('button', 'active')), ['panic']);
  t.same(one.ran(becomes('button', 'fault')), []);
  t.same(one.ran(becomes('other', 'active')), []);
});

t.test('every condition has to hold, and what nobody knows holds in no way', async (t) => {
  const known: SiteFacts = {
    isScheduleOpen: (id) => id === 'office',
    doorMode: () => 'unlocked',
    threatLevel: () => 3,
    input: () => 'active',
    peopleIn: (id) => ({ count: id === 'lab' ? 0 : 2, max: 2 }),
  };
  const cases: readonly (readonly [LinkageCondition, whenKnown: boolean, whenUnknown: boolean])[] = [
    [{ schedule: 'office', is: 'open' }, true, false],
    [{ schedule: 'office', is: 'closed' }, false, true],
    [{ schedule: 'night', is: 'closed' }, true, true],
    [{ door: 'front', mode: ['locked', 'unlocked'] }, true, false],
    [{ door: 'front', mode: ['locked'] }, false, false],
    [{ threatLevel: { from: 2 } }, true, false],
    [{ threatLevel: { from: 0, to: 2 } }, false, true],
    [{ input: 'button', is: 'active' }, true, false],
    [{ input: 'button', is: 'inactive' }, false, false],
    [{ area: 'lab', is: 'empty' }, true, false],
    [{ area: 'lab', is: 'occupied' }, false, false],
    [{ area: 'hall', is: 'full' }, true, false],
    [{ area: 'hall', is: 'empty' }, false, false],
  ];
  for (const [condition, whenKnown, whenUnknown] of cases) {
    const name = JSON.stringify(condition);
    const runs = (facts: SiteFacts) =>
      machine(rule('one', { if: [condition] })).ran(happened(FORCED, { facts })).length;
    t.equal(runs(known), Number(whenKnown), name);
    t.equal(runs(UNKNOWN), Number(whenUnknown), `${name}, unknown`);
  }
  const both = rule('both', { if: [{ schedule: 'office', is: 'open' }, { threatLevel: { from: 4 } }] });
  t.same(machine(both).ran(happened(FORCED, { facts: known })), []);
});

t.test('a rule that runs too often is suspended with one alarm, and runs again when its time is over', async (t) => {
  const one = machine(rule('busy'));
  for (let run = 0; run < RUNS_BURST_MAX; run++) t.same(one.ran(happened(FORCED)), ['busy']);
  t.same(one.feed(happened(FORCED)), [{ kind: 'suspended', ruleId: 'busy', because: 'rate' }]);
  t.same(one.feed(happened(FORCED, { nowMs: 200_000 })), [], 'its budget is full again, and it stays suspended');
  t.equal(one.deadlineMs(), SUSPENDED_MS);
  t.same(one.feed({ kind: 'time', nowMs: SUSPENDED_MS - 1 }), []);
  t.same(one.feed({ kind: 'time', nowMs: SUSPENDED_MS }), [{ kind: 'resumed', ruleId: 'busy', missedCount: 2 }]);
  t.same(one.ran(happened(FORCED, { nowMs: SUSPENDED_MS })), ['busy']);
  t.equal(one.deadlineMs(), undefined);
});

t.test('one rule that is suspended leaves the others alone', async (t) => {
  const two = machine(rule('busy'), rule('calm', { when: [{ event: 'door.held' }] }));
  for (let run = 0; run <= RUNS_BURST_MAX; run++) two.feed(happened(FORCED));
  t.same(two.ran(happened({ name: 'door.held', doorId: 'front' })), ['calm']);
});

t.test('a chain of rules ends, and the rule that would lengthen it is suspended', async (t) => {
  const one = machine(rule('last'));
  t.same(one.ran(happened(FORCED, { chainLength: CHAIN_LENGTH_MAX - 1 })), ['last']);
  const effects = one.feed(happened(FORCED, { chainLength: CHAIN_LENGTH_MAX }));
  t.same(effects, [{ kind: 'suspended', ruleId: 'last', because: 'chain' }]);
  t.same(one.ran(happened(FORCED)), [], 'it is suspended for what happens by itself, too');
});

t.test('whatever happens, a rule runs no more often than its budget, and every missed run is counted', async (t) => {
  checkProperty(
    fc.property(fc.array(fc.record({ pauseMs: fc.nat(2_000), chainLength: fc.nat(6) }), { maxLength: 200 }), (acts) => {
      const one = machine(rule('rule'));
      let nowMs = 0;
      let ranCount = 0;
      let missedCount = 0;
      const count = (effects: readonly LinkageEffect[]) => {
        for (const effect of effects) {
          if (effect.kind === 'run') ranCount += 1;
          if (effect.kind === 'resumed') missedCount += effect.missedCount;
        }
      };
      for (const { pauseMs, chainLength } of acts) {
        nowMs += pauseMs;
        const deadlineMs = one.deadlineMs();
        if (deadlineMs !== undefined && deadlineMs <= nowMs) count(one.feed({ kind: 'time', nowMs }));
        count(one.feed(happened(FORCED, { nowMs, chainLength })));
        if (ranCount > RUNS_BURST_MAX + nowMs / 1_000 + Math.floor(nowMs / SUSPENDED_MS) * RUNS_BURST_MAX) return false;
      }
      count(one.feed({ kind: 'time', nowMs: nowMs + SUSPENDED_MS }));
      return ranCount + missedCount === acts.length;
    }),
  );
  t.pass();
});
