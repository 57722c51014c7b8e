import { EXIT } from './exit-codes.js';
import { runCli } from './program.js';

// Whoever reads may stop early: `sparc ledger export | head`.
process.stdout.on('error', () => process.exit(EXIT.operating));

const streams = { out: process.stdout, err: process.stderr, trace: process.env['SPARC_TRACE'] === '1' };
process.exitCode = await runCli(process.argv.slice(2), streams);
// A thread that hangs on a disk would keep the process; what was written has half a second to leave.
setTimeout(() => process.exit(), 500).unref();
