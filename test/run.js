#!/usr/bin/env node
// Runs compiled tests: `node run.js [folder or file under dist …]`, all of them without arguments. Lists the files
// itself, because `node --test` takes directories on Node 20 and globs on later ones.
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const dist = join(import.meta.dirname, 'dist');
const suites = [
  'protocol',
  'firmware-bridges',
  'edge',
  'simulator',
  'contract',
  'simulation',
  'integration',
  'conformance',
  'tidy',
];

function testFiles(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(path, name))
    .sort();
}

const wanted = process.argv.slice(2);
const roots = (wanted.length > 0 ? wanted : suites).map((name) => join(dist, name));
const files = roots.filter((root) => statSync(root, { throwIfNoEntry: false })).flatMap(testFiles);
if (files.length === 0) {
  console.error('no test files found under test/dist: run `npm run build` first');
  process.exit(1);
}
const child = spawn(process.execPath, ['--test', '--test-concurrency=2', ...files], { stdio: 'inherit' });
child.on('exit', (code) => process.exit(code ?? 1));
