import { fuzzFrames } from '../protocol/osdp/frame-fuzz.js';
import { fuzzSessions } from '../protocol/osdp/session-fuzz.js';

/** One piece of the long fuzz runs, in a process of its own: `frames|sessions SEED COUNT`, counts as JSON on stdout. */
const FUZZERS = { frames: fuzzFrames, sessions: fuzzSessions } as const;

const [what, seed, count] = process.argv.slice(2);
const fuzz = what === 'frames' || what === 'sessions' ? FUZZERS[what] : undefined;
if (fuzz === undefined) throw new Error('frames or sessions, a seed and a count are needed');
// Refused frames are errors by the million; nobody reads where each was made.
Error.stackTraceLimit = 0;
process.stdout.write(`${JSON.stringify(fuzz(Number(seed), Number(count)))}\n`);
