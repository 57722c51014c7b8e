#!/usr/bin/env node
// Runs compiled tests: `node run.js [folder or file under dist …]`, all of them without arguments. Each file is a
// process of its own; it passes when it exits with 0 after at least one test. (`node --test` of Node 20 takes a file
// whose event loop runs dry in the middle of a test for passed.)
//
// Files on real time come first and leave processors idle while they wait; files on virtual time, at a lower priority,
// fill these gaps and slow nothing that is timed.
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';

const FILE_MAX_MS = 600_000;
const PATIENT_NICENESS = 10;
/** Of processor time it gets what the others leave. */
const PATIENT_FILE_MAX_MS = 1_500_000;
const dist = join(import.meta.dirname, 'dist');
/** On virtual time. */
const patientSuites = ['simulation', 'scenarios', 'protocol'];
/** The longest first. */
const suites = [
  'integration',
  'conformance',
  'contract',
  'edge',
  'cloud-sync',
  'firmware-bridges',
  'simulator',
  'tidy',
  ...patientSuites,
];

function testFiles(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(path, name))
    .sort();
}

const isPatient = (file) => patientSuites.includes(relative(dist, file).split(sep)[0]);

function runFile(file) {
  return new Promise((resolve) => {
    const startedAtMs = performance.now();
    const [niceness, timeout] = isPatient(file) ? [PATIENT_NICENESS, PATIENT_FILE_MAX_MS] : [0, FILE_MAX_MS];
    const child = spawn('nice', ['-n', String(niceness), process.execPath, file], {
      // tap would end a file after 30 s, which a busy machine needs at times.
      env: { ...process.env, TAP_TIMEOUT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
    });
    let output = '';
    child.stdout.on('data', (bytes) => (output += bytes));
    child.stderr.on('data', (bytes) => (output += bytes));
    child.on('close', (code, signal) => {
      const results = output.split('\n').filter((line) => /^(not )?ok /.test(line));
      const skipped = results.filter((line) => / # SKIP/i.test(line));
      const ok = code === 0 && results.length > 0 && !results.some((line) => line.startsWith('not '));
      const ended = signal ?? `exit code ${code}`;
      resolve({
        file,
        ok,
        output,
        ended,
        skipped,
        passed: results.length,
        seconds: (performance.now() - startedAtMs) / 1000,
      });
    });
  });
}

function report({ file, ok, output, ended, skipped, passed, seconds }) {
  const name = relative(dist, file);
  if (!ok) console.log(`${output}\nFAILED ${name} (${ended}, ${seconds.toFixed(1)} s)`);
  else console.log(`ok ${name}: ${passed} tests, ${seconds.toFixed(1)} s`);
  for (const line of skipped) console.log(`   skipped: ${line}`);
}

const wanted = process.argv.slice(2);
const roots = (wanted.length > 0 ? wanted : suites).map((name) => join(dist, name));
const files = roots.filter((root) => wanted.length > 0 || statSync(root, { throwIfNoEntry: false })).flatMap(testFiles);
if (files.length === 0) {
  console.error('no test files found under test/dist: run `npm run build` first');
  process.exit(1);
}

const patient = files.filter(isPatient);
const prompt = files.filter((file) => !isPatient(file));
const results = [];
async function worker(...queues) {
  for (const queue of queues) {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const result = await runFile(file);
      report(result);
      results.push(result);
    }
  }
}
const workers = Array.from({ length: Math.min(2, availableParallelism()) }, () => worker(prompt, patient));
await Promise.all([...workers, worker(patient)]);

const failed = results.filter(({ ok }) => !ok);
for (const { file } of failed) console.log(`failed: ${relative(dist, file)}`);
console.log(`${results.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length === 0 ? 0 : 1);
