// Applies a policy of the kind argv[4] to the data directory argv[2] and kills itself before step argv[3]: a call that
// changes the disk.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [, , dataDir = '', stepText = '', kind = ''] = process.argv;
let stepsLeft = Number(stepText);
type Call = (...args: unknown[]) => unknown;
const calls = fs as unknown as Record<string, Call>;
for (const name of [
  'openSync',
  'writeSync',
  'fsyncSync',
  'renameSync',
  'linkSync',
  'unlinkSync',
  'rmSync',
  'copyFileSync',
]) {
  const call = calls[name] as Call;
  calls[name] = (...args) => {
    if (String(args[0]).startsWith(dataDir) || typeof args[0] === 'number') {
      if (--stepsLeft === 0) process.kill(process.pid, 'SIGKILL');
    }
    return call(...args);
  };
}
syncBuiltinESMExports();

const { APPLICATIONS } = await import('./killed-apply-scene.js');
APPLICATIONS[kind as keyof typeof APPLICATIONS].apply(dataDir);
