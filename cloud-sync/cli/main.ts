import { runCli } from './program.js';

// Whoever reads may stop early.
process.stdout.on('error', () => process.exit(3));

const ended = new AbortController();
process.once('SIGINT', () => ended.abort());
process.once('SIGTERM', () => ended.abort());

process.exitCode = await runCli(process.argv.slice(2), {
  out: process.stdout,
  err: process.stderr,
  environment: process.env,
  now: () => new Date(),
  ended: ended.signal,
});
