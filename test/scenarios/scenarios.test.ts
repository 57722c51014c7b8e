import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../support/repository.js';
import { missingFrom } from './coverage.js';
import { runScenario, type Result } from './run-scenario.js';
import { readScenarios, type Scenario } from './scenario-file.js';

const FOLDER = 'test/scenarios';
const SCENARIOS_MIN = 250;
const files = readdirSync(join(REPOSITORY, FOLDER)).filter((name) => name.endsWith('.yaml'));
const scenarios = files.sort().flatMap((name) => readScenarios(`${FOLDER}/${name}`));
/** `SCENARIO=text` runs only those whose file or title has it. */
const only = process.env['SCENARIO'] ?? '';
const chosen = scenarios.filter(({ file, title }) => `${file} ${title}`.includes(only));

const results: { readonly scenario: Scenario; readonly result: Result }[] = [];
for (const scenario of chosen) results.push({ scenario, result: await runScenario(scenario) });

// Only now: from then on each promise is tracked, which costs as much as the scenarios do.
const { default: t } = await import('tap');

for (const { scenario, result } of results) {
  t.test(`${scenario.file}:${scenario.line} ${scenario.title}`, async (t) => {
    for (const problem of result.problems) {
      const [what = '', ...seen] = problem.split('\n');
      t.fail(what, { diagnostic: false });
      t.comment(seen.join('\n'));
    }
    t.pass();
  });
}

t.test('the suite shows each reason, each transition of a door, each rule and each night of the clocks', async (t) => {
  if (only !== '') return void t.pass('only some scenarios ran');
  const titles = scenarios.map(({ file, title }) => `${file} ${title}`);
  t.equal(new Set(titles).size, titles.length, 'no scenario is told twice');
  t.ok(scenarios.length >= SCENARIOS_MIN, `${scenarios.length} scenarios`);
  const missing = missingFrom(
    scenarios,
    results.map(({ result }) => result),
  );
  t.same(missing, { reasons: [], transitions: [], rules: [], unknownRules: [], nights: [] });
});
