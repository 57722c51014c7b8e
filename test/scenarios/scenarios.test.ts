import { join } from 'node:path';
import { readdirSync } from 'node:fs';
import t from 'tap';
import { REPOSITORY } from '../support/repository.js';
import { missingFrom } from './coverage.js';
import { runScenario, type Result } from './run-scenario.js';
import { readScenarios } from './scenario-file.js';

const FOLDER = 'test/scenarios';
const files = readdirSync(join(REPOSITORY, FOLDER)).filter((name) => name.endsWith('.yaml'));
const scenarios = files.sort().flatMap((name) => readScenarios(`${FOLDER}/${name}`));
/** `SCENARIO=text` runs only those whose file or title has it. */
const only = process.env['SCENARIO'] ?? '';
const chosen = scenarios.filter(({ file, title }) => `${file} ${title}`.includes(only));
const results: Result[] = [];
const SCENARIOS_MIN = 250;

for (const scenario of chosen) {
  const { file, line, title } = scenario;
  t.test(`${file}:${line} ${title}`, async (t) => {
    const result = await runScenario(scenario);
    results.push(result);
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
  t.same(missingFrom(scenarios, results), { reasons: [], transitions: [], rules: [], nights: [] });
});
