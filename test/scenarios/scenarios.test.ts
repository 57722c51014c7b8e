import { join } from 'node:path';
import { readdirSync } from 'node:fs';
import t from 'tap';
import { REPOSITORY } from '../support/repository.js';
import { runScenario, type Result } from './run-scenario.js';
import { readScenarios } from './scenario-file.js';

const FOLDER = 'test/scenarios';
const files = readdirSync(join(REPOSITORY, FOLDER)).filter((name) => name.endsWith('.yaml'));
const scenarios = files.sort().flatMap((name) => readScenarios(`${FOLDER}/${name}`));
/** `SCENARIO=text` runs only those whose file or title has it. */
const only = process.env['SCENARIO'];
const chosen = scenarios.filter(({ file, title }) => only === undefined || `${file} ${title}`.includes(only));
const results: Result[] = [];

for (const scenario of chosen) {
  const { file, line, title } = scenario;
  t.test(`${file}:${line} ${title}`, async (t) => {
    const result = await runScenario(scenario);
    results.push(result);
    for (const problem of result.problems) t.fail(problem, { diagnostic: false });
    t.pass();
  });
}
