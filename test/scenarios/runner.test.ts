import t from 'tap';
import { readRepositoryFile } from '../support/repository.js';
import { missingFrom } from './coverage.js';
import { runScenario } from './run-scenario.js';
import { parseScenarios } from './scenario-file.js';

/** The problems of all scenarios of a file, each in one line. */
async function problemsOf(...scenarios: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  for (const scenario of parseScenarios(['scenarios:', ...scenarios].join('\n'), 'file.yaml')) {
    problems.push(...(await runScenario(scenario)).problems);
  }
  return problems.map((problem) => problem.replaceAll(/\s*\n\s*/g, ' | '));
}

t.test('what is not as it is told names its line, and what was recorded instead', async (t) => {
  const problems = await problemsOf(
    '  - title: wrong',
    '    when: ann at front-in',
    '    then: [ann is granted at front-in, front is secured, event access.not_used of ann at front]',
  );
  t.match(problems, [
    /^test\/scenarios\/file.yaml:4: front is secured \| it is released; recorded: \| access.granted of ann at front-in/,
    /^test\/scenarios\/file.yaml:4: event access.not_used of ann at front \| it was not recorded; /,
  ]);
  t.equal(problems.length, 2);
});

t.test('a decision, an alarm, an order or an error that nobody speaks of is a problem', async (t) => {
  const when = '    when: [ann at front-in, kim orders cellar locked, lab-io goes away]';
  const problems = await problemsOf('  - title: silent', when, '    then: front is released');
  t.match(problems, [
    /nothing in this `then` speaks of: access.granted of ann/,
    /speaks of: .*(reader.offline|contact_fault)/,
    /speaks of: .*(reader.offline|contact_fault)/,
    /speaks of: the order door, which was refused/,
  ]);
  t.equal(problems.length, 4);
});

t.test(
  'an event may be counted, ordered, and told by its details, and none of that is a matter of taste',
  async (t) => {
    const then = (text: string) => [
      '  - title: details',
      '    when: [kim orders front blocked, kim orders front locked]',
      `    then: [the order is obeyed, the order is obeyed, '${text}']`,
    ];
    t.same(await problemsOf(...then('2 times event door.ordered at front with by=kim')), []);
    t.same(await problemsOf(...then('event door.ordered with mode=blocked, then door.ordered with mode=locked')), []);
    for (const wrong of [
      '3 times event door.ordered',
      'event door.ordered with by=lee',
      'event door.ordered at lab',
      'no event door.ordered',
      'event door.ordered with mode=locked, then door.ordered with mode=blocked',
    ]) {
      t.equal((await problemsOf(...then(wrong))).length, 1, wrong);
    }
  },
);

t.test('each decision is told once, and in the order in which they were made', async (t) => {
  const told = (...words: readonly string[]) =>
    problemsOf(
      '  - title: order',
      '    when: [ann at front-in, 3 s pass, emil at front-in]',
      `    then: [${words.join()}]`,
    );
  const ann = 'ann is granted at front-in';
  const emil = 'emil is denied at front-in because outside_schedule';
  t.same(await told(ann, emil), []);
  t.match(await told(emil, ann), [
    /ann is granted at front-in \| there was no such decision/,
    /speaks of: access.granted/,
  ]);
  t.match(await told(ann, emil, emil), [/emil is denied .* there was no such decision/]);
});

t.test('what is in no vocabulary and a site that is refused are problems of their scenario', async (t) => {
  t.match(await problemsOf('  - { title: odd, when: ann sings, then: front is secured }'), [
    /:2: ann sings \| is nothing/,
  ]);
  t.match(await problemsOf('  - { title: odd, when: 1 s pass, then: all goes well }'), [
    /:2: all goes well \| is nothing/,
  ]);
  t.match(await problemsOf('  - { title: odd, when: 1 s pass, then: event door.ajar }'), [
    /there is no event door.ajar/,
  ]);
  const site = '{ doors: { front: { lock: { output: nowhere } } } }';
  t.match(await problemsOf(`  - { title: odd, changes: ${site}, when: 1 s pass, then: front is secured }`), [
    /^test\/scenarios\/file.yaml:2: .*nowhere/,
  ]);
});

t.test('a file that cannot be read says where', async (t) => {
  t.throws(() => parseScenarios('scenarios: [{ titel: x }]', 'file.yaml'), {
    message: /file.yaml:1: titel is none of/,
  });
  t.throws(() => parseScenarios('scenarios:\n  - { title: x, when: 1 s pass }', 'file.yaml'), {
    message: /file.yaml:2: something has to be seen/,
  });
  const cases = '  - { title: x, when: <who> at front-in, then: front is secured, cases: [{ whom: ann }] }';
  t.throws(() => parseScenarios(`scenarios:\n${cases}`, 'file.yaml'), { message: /file.yaml:2: .*<who> at front-in/ });
});

t.test('each row of cases is a scenario, with its own line and title', async (t) => {
  const text = [
    'scenarios:',
    '  - title: At <time>',
    '    given: the time is 2026-01-05 <time>',
    '    when: <who> at front-in',
    '    then: <who> is granted at front-in',
    '    cases:',
    '      - { time: "10:00", who: ann }',
    '      - { time: "11:00", who: ben }',
  ].join('\n');
  t.match(parseScenarios(text, 'file.yaml'), [
    { title: 'At 10:00', line: 7, rounds: [{ when: [{ text: 'ann at front-in' }] }] },
    { title: 'At 11:00', line: 8, given: [{ text: 'the time is 2026-01-05 11:00' }] },
  ]);
});

t.test('the example of the README holds', async (t) => {
  const [, example = ''] = /```yaml\n(.*?)```/s.exec(readRepositoryFile('test/scenarios/README.md')) ?? [];
  const scenarios = parseScenarios(example, 'README.md');
  t.equal(scenarios.length, 2);
  for (const scenario of scenarios) t.same((await runScenario(scenario)).problems, []);
});

t.test('an empty suite lacks everything', async (t) => {
  const { reasons, transitions, rules, nights } = missingFrom([], []);
  t.ok(reasons.includes('expired') && transitions.includes('locked to blocked') && rules.includes('4.10/20'));
  t.equal(transitions.length, 36);
  t.equal(nights.length, 10);
});
