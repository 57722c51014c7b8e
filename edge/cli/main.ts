import { runCli } from './program.js';

const streams = { out: process.stdout, err: process.stderr, trace: process.env['SPARC_TRACE'] === '1' };
process.exitCode = await runCli(process.argv.slice(2), streams);
