import t from 'tap';
import { loadEmergencyCredentials, SqlitePolicyView } from '@sparc/edge/policy';
import { problemsIn, SITE_FILE } from '../../support/site-file.js';
import { policyScene } from './policy-scene.js';

/** The site with a lamp, a fire panel and a counted area, and these rules, each a line of its own. */
function siteWith(...rules: readonly string[]): string {
  const site = SITE_FILE.replace('areas:\n', 'areas:\n  - { id: vaults, name: Vaults, occupancyMax: 4 }\n')
    .replace('areas:\n', '  - { id: lamp, device: front-io, number: 3 }\nareas:\n')
    .replace('outputs:\n', '  - { id: panel, device: lab-io, number: 4, purpose: fireAlarm }\noutputs:\n');
  return `${site}linkageRules:\n${rules.map((rule) => `  - ${rule}\n`).join('')}`;
}

const rule = (when: string, then: string, more = ''): string => `{ id: one, when: [${when}]${more}, then: [${then}] }`;
const TELL = '{ message: look }';
const FORCED = '{ event: door.forced }';

t.test('rules of every kind pass', async (t) => {
  const text = siteWith(
    '{ id: a, name: All, when: [{ event: access.denied, where: { reason: no_right, accessPoint: lab-in, holder: ada } }], then: [{ alarm: somebody tries }] }',
    '{ id: b, when: [{ severity: alarm, where: { door: front } }], then: [{ output: lamp, turn: on }, { output: lamp, pulseMs: 500 }] }',
    '{ id: c, when: [{ input: front-contact, becomes: active }], if: [{ schedule: office, is: closed }, { door: front, mode: [locked] }, { threatLevel: { from: 2, to: 5 } }, { input: panel, is: inactive }, { area: vaults, is: full }], then: [{ snapshot: camera-3 }] }',
    '{ id: d, when: [{ schedule: office, becomes: closed }], then: [{ door: front, mode: scheduled }, { door: lab, access: extended }] }',
    '{ id: e, when: [{ event: schedule.active, where: { schedule: office } }], then: [{ raise: lockdown }, { raiseThreatLevel: 3 }] }',
  );
  t.same(problemsIn(text), []);
});

/** A rule that is wrong, what is said about it, and what is suggested instead. */
const MISTAKES: readonly (readonly [rule: string, message: RegExp, suggestion?: string])[] = [
  [rule('{ event: door.forcd }', TELL), /no event/, 'door.forced'],
  [rule('{ event: door.forced, where: { holder: ada } }', TELL), /nothing that such an event says/],
  [rule('{ event: door.forced, where: { dor: front } }', TELL), /nothing that such an event says/, 'door'],
  [rule('{ event: door.forced, where: { door: frnt } }', TELL), /not among the doors/, 'front'],
  [rule('{ event: access.denied, where: { reason: no_rights } }', TELL), /no reason/, 'no_right'],
  [rule('{ event: linkage.alarm, where: { rule: nobody } }', TELL), /not among the linkageRules/],
  [rule('{ severity: alarm, where: { colour: red } }', TELL), /nothing that such an event says/],
  [rule('{ severity: loud }', TELL), /one of info, notice, warning, alarm/],
  [rule('{ input: buton, becomes: active }', TELL), /not among the inputs/],
  [rule('{ input: panel, becomes: pressed }', TELL), /one of active, inactive, fault/],
  [rule('{ schedule: ofice, becomes: open }', TELL), /not among the schedules/, 'office'],
  [rule('{ schedule: always, becomes: open }', TELL), /no boundary/],
  [rule('', TELL), /at least 1/],
  [rule(FORCED, ''), /at least 1/],
  [rule(FORCED, TELL, ', if: [{ schedule: ofice, is: open }]'), /not among the schedules/, 'office'],
  [rule(FORCED, TELL, ', if: [{ door: frnt, mode: [locked] }]'), /not among the doors/, 'front'],
  [rule(FORCED, TELL, ', if: [{ input: pannel, is: active }]'), /not among the inputs/, 'panel'],
  [rule(FORCED, TELL, ', if: [{ area: vault, is: empty }]'), /not among the areas/, 'vaults'],
  [rule(FORCED, TELL, ', if: [{ area: hall, is: empty }]'), /where nobody counts/],
  [rule(FORCED, TELL, ', if: [{ threatLevel: { from: 3, to: 2 } }]'), /less than from/],
  [rule(FORCED, TELL, ', if: [{ threatLevel: { from: 6 } }]'), /at most 5/],
  [rule(FORCED, '{ output: lmp, turn: on }'), /not among the outputs/, 'lamp'],
  [rule(FORCED, '{ output: front-strike, turn: on }'), /output of door `front`: order something/],
  [rule(FORCED, '{ output: lamp, pulseMs: 50 }'), /at least 100/],
  [rule(FORCED, '{ door: frnt, access: momentary }'), /not among the doors/, 'front'],
  [rule(FORCED, '{ door: front, mode: open }'), /one of locked/],
  [rule(FORCED, '{ door: front, mode: accessed }'), /one of locked/],
  [rule(FORCED, '{ door: front, mode: scheduled, forMs: 5000 }'), /of no use/],
  [rule(FORCED, '{ raise: fire }'), /must be/],
  [rule(FORCED, '{ raiseThreatLevel: 0 }'), /at least 1/],
  [rule(FORCED, '{ mesage: look }'), /no known field/],
  [rule('{ input: panel, becomes: active }', '{ door: lab, mode: unlocked }'), /only release on fire/],
  [rule('{ event: fire.evacuation }', '{ door: lab, access: momentary }'), /only release on fire/],
];

for (const [wrong, message, suggestion] of MISTAKES) {
  t.test(`\`${wrong}\` is refused at its line`, async (t) => {
    const text = siteWith(wrong);
    const problems = problemsIn(text);
    t.ok(
      problems.some((problem) => message.test(problem.message) && problem.line === text.trimEnd().split('\n').length),
      problems.map((problem) => `${problem.line}: ${problem.message}`).join('; '),
    );
    if (suggestion !== undefined) t.ok(problems.some((problem) => problem.suggestion === suggestion));
  });
}

t.test('two rules have not one id', async (t) => {
  t.match(problemsIn(siteWith(rule(FORCED, TELL), rule(FORCED, TELL))), [{ message: /linkageRules\[0\] has already/ }]);
});

t.test('rules that set each other off without end are refused, those that a condition can end are not', async (t) => {
  const loops: readonly (readonly [rules: readonly string[], message: RegExp])[] = [
    [['{ id: a, when: [{ event: linkage.ran }], then: [{ message: x }] }'], /sets itself off,/],
    [['{ id: a, when: [{ severity: alarm }], then: [{ alarm: x }] }'], /sets itself off,/],
    [
      [
        '{ id: a, when: [{ event: door.locked, where: { door: front } }], then: [{ door: front, mode: unlocked }] }',
        '{ id: b, when: [{ event: door.unlocked }], then: [{ door: front, mode: locked }] }',
      ],
      /by way of `b`/,
    ],
    [
      [
        '{ id: a, when: [{ event: linkage.message, where: { rule: c } }], then: [{ message: x }] }',
        '{ id: b, when: [{ event: linkage.message, where: { rule: a } }], then: [{ output: lamp, turn: on }] }',
        '{ id: c, when: [{ event: output.switched, where: { to: "on" } }], then: [{ message: x }] }',
      ],
      /by way of `b`, `c`/,
    ],
  ];
  for (const [rules, message] of loops) {
    t.match(problemsIn(siteWith(...rules)), [{ code: 'ERR_POLICY_INVALID', message }], rules.join('; '));
    const conditional = rules.map((each, at) =>
      at > 0 ? each : each.replace('then:', 'if: [{ threatLevel: { from: 2 } }], then:'),
    );
    t.same(problemsIn(siteWith(...conditional)), [], 'with a condition');
  }
  const harmless: readonly (readonly string[])[] = [
    ['{ id: a, when: [{ event: door.unlocked }], then: [{ door: front, mode: unlocked }] }'],
    [
      '{ id: a, when: [{ event: linkage.alarm, where: { rule: b } }], then: [{ alarm: x }] }',
      rule(FORCED, '{ alarm: x }').replace('one', 'b'),
    ],
    ['{ id: a, when: [{ event: output.switched, where: { to: "off" } }], then: [{ output: lamp, turn: on }] }'],
    ['{ id: a, when: [{ event: door.ordered, where: { door: lab } }], then: [{ door: front, mode: locked }] }'],
    ['{ id: a, when: [{ event: site.lockdown }], then: [{ raise: lockdown }] }'],
  ];
  for (const rules of harmless) t.same(problemsIn(siteWith(...rules)), [], rules.join('; '));
});

t.test('rules are in the generation and in its emergency file, in the order of the site file', async (t) => {
  const scene = policyScene(t);
  const { generation } = scene.apply(
    siteWith(rule(FORCED, TELL).replace('one', 'zulu'), rule(FORCED, TELL).replace('one', 'alpha')),
  );
  const view = SqlitePolicyView.open(`${scene.dataDir}/policy/generation-${generation}.db`, scene.pinKey);
  t.teardown(() => view.close());
  t.same(
    view.plan.linkageRules?.map(({ id }) => id),
    ['zulu', 'alpha'],
  );
  t.same(loadEmergencyCredentials(scene.dataDir, scene.verify)?.plan.linkageRules, view.plan.linkageRules);
});
