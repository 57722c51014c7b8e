#!/usr/bin/env node
// Runs compiled tests: `node run.js [folder or file under dist …]`, all of them without arguments. What depends on nothing
// but virtual time shares a process with the other files of its folder, of which each loads hundreds of modules to run for
// an instant; any other file is a process of its own. A file passes when it has at least one test and none that fails, and
// its process exits with 0. (`node --test` of Node 20 takes a file whose event loop runs dry in the middle of a test for
// passed.)
//
// Files on real time come first and leave processors idle while they wait; files on virtual time, at a lower priority,
// fill these gaps and slow nothing that is timed.
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';

/** What takes longer hangs, however busy the machine is: nothing else ends a test. */
const FILE_MAX_MS = 900_000;
const PATIENT_NICENESS = 10;
/** Of processor time it gets what the others leave. */
const PATIENT_FILE_MAX_MS = 3_600_000;
const dist = join(import.meta.dirname, 'dist');
const TOGETHER = join(import.meta.dirname, 'together.js');
/** On virtual time. */
const patientSuites = ['simulation', 'scenarios', 'protocol'];
/** Each folder of these in one process … */
const sharingSuites = ['edge', 'firmware-bridges', 'simulator', 'protocol'];
/** … but for those with processes, threads, sockets or an environment of their own. */
const apart = [
  ...['api', 'cli', 'gateway', 'host', 'mesh', 'platform', 'policy', 'policy-lane', 'replica-thread', 'site'].map(
    (folder) => join('edge', folder),
  ),
  join('simulator', 'live'),
];
/** Of what failed, at the end of all. */
const FAILURE_LINES = 12;
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

const suiteOf = (file) => relative(dist, file).split(sep)[0];
const isPatient = ([file]) => patientSuites.includes(suiteOf(file));

/** Files of one process each. */
function batchesOf(files) {
  const batches = new Map();
  for (const file of files) {
    const folder = relative(dist, dirname(file));
    const isSharing = sharingSuites.includes(suiteOf(file)) && !apart.includes(folder);
    const name = isSharing ? folder : file;
    batches.set(name, [...(batches.get(name) ?? []), file]);
  }
  return [...batches.values()];
}

const running = new Set();

/** With the processes that it started: they would hold its output open, and its ports. */
function endGroup({ pid }) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

// A group of its own hears no Ctrl-C.
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => {
    running.forEach(endGroup);
    process.exit(exitCode);
  });
}

function runBatch(batch) {
  return new Promise((resolve) => {
    const startedAtMs = performance.now();
    const [niceness, timeout] = isPatient(batch) ? [PATIENT_NICENESS, PATIENT_FILE_MAX_MS] : [0, FILE_MAX_MS];
    const child = spawn('nice', ['-n', String(niceness), process.execPath, TOGETHER, ...batch], {
      // tap would end a file after 30 s, which a busy machine needs at times.
      env: { ...process.env, TAP_TIMEOUT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    running.add(child);
    const timer = setTimeout(() => endGroup(child), timeout);
    let output = '';
    child.stdout.on('data', (bytes) => (output += bytes));
    child.stderr.on('data', (bytes) => (output += bytes));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      const ended = signal ?? `exit code ${code}`;
      const seconds = (performance.now() - startedAtMs) / 1000;
      resolve(resultsOf(batch, output, code === 0).map((result) => ({ ...result, ended, seconds })));
    });
  });
}

/** What came of each file: after the last of its tests stands a test that has its name. */
function resultsOf(batch, output, isClean) {
  const lines = output.split('\n');
  let from = 0;
  const results = batch.map((file) => {
    const end = lines.findIndex((line, at) => at >= from && line.includes(` - end of ${relative(dist, file)}`));
    const own = lines.slice(from, end < 0 ? lines.length : end);
    from = end < 0 ? lines.length : end + 1;
    const tests = own.filter((line) => /^(not )?ok /.test(line));
    const ok = end >= 0 && tests.length > 0 && !tests.some((line) => line.startsWith('not '));
    const skipped = tests.filter((line) => / # SKIP/i.test(line));
    return { file, ok, output: own.join('\n'), skipped, passed: tests.length };
  });
  // What is wrong only at the end is nobody's in particular.
  const isWhole = isClean || results.some(({ ok }) => !ok);
  return isWhole ? results : results.map((result) => ({ ...result, ok: false, output }));
}

function report(results) {
  const [{ file: first, seconds }] = results;
  for (const { file, ok, output, ended, skipped, passed } of results) {
    const name = relative(dist, file);
    const took = results.length === 1 ? `, ${seconds.toFixed(1)} s` : '';
    if (!ok) console.log(`${output}\nFAILED ${name} (${ended}${took})`);
    else console.log(`ok ${name}: ${passed} tests${took}`);
    for (const line of skipped) console.log(`   skipped: ${line}`);
  }
  if (results.length > 1) console.log(`   ${seconds.toFixed(1)} s for ${relative(dist, dirname(first))}`);
}

/** The first assertion that failed, or else how it ended. */
function failureOf(output) {
  const lines = (output.trim() || 'It did not run: its process had ended.').split('\n');
  const at = lines.findIndex((line) => /^\s*not ok /.test(line));
  return (at < 0 ? lines.slice(-FAILURE_LINES) : lines.slice(at, at + FAILURE_LINES)).join('\n');
}

const wanted = process.argv.slice(2);
const roots = (wanted.length > 0 ? wanted : suites).map((name) => join(dist, name));
const files = roots.filter((root) => wanted.length > 0 || statSync(root, { throwIfNoEntry: false })).flatMap(testFiles);
if (files.length === 0) {
  console.error('no test files found under test/dist: run `npm run build` first');
  process.exit(1);
}

const batches = batchesOf(files);
const patient = batches.filter(isPatient);
const prompt = batches.filter((batch) => !isPatient(batch));
const results = [];
async function worker(...queues) {
  for (const queue of queues) {
    for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) {
      const ended = await runBatch(batch);
      report(ended);
      results.push(...ended);
    }
  }
}
const workers = Array.from({ length: Math.min(2, availableParallelism()) }, () => worker(prompt, patient));
await Promise.all([...workers, worker(patient)]);

const failed = results.filter(({ ok }) => !ok);
console.log(`${results.length - failed.length} passed, ${failed.length} failed`);
for (const { file, output } of failed) console.log(`failed: ${relative(dist, file)}\n${failureOf(output)}`);
process.exit(failed.length === 0 ? 0 : 1);
