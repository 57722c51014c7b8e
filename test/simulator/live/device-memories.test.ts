import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceMemory } from '@sparc/simulator/devices';
import { DeviceMemories } from '@sparc/simulator/live';
import t from 'tap';

const NEW: DeviceMemory = { address: 9, baudRate: 9_600 };
const KEYED: DeviceMemory = {
  address: 4,
  baudRate: 38_400,
  scbk: Uint8Array.from({ length: 16 }, (_, index) => index),
  firmware: { major: 1, minor: 1, build: 0 },
};

t.test('what a device was told outlives the run; until then it is as delivered', async (t) => {
  const file = join(t.testdir({}), 'devices.json');
  const memories = new DeviceMemories(file);
  t.same(await memories.open(new Map([['spare', NEW]])), new Map([['spare', NEW]]));
  memories.set('spare', { ...NEW, address: 4 });
  memories.set('spare', KEYED);
  await memories.settled();
  t.equal(statSync(file).mode & 0o777, 0o600, 'it holds keys');
  const again = await new DeviceMemories(file).open(new Map([['spare', NEW]]));
  t.same(again, new Map([['spare', KEYED]]));
});

t.test('a file that is none is said, and not overwritten', async (t) => {
  const file = join(t.testdir({}), 'devices.json');
  writeFileSync(file, '{');
  chmodSync(file, 0o600);
  await t.rejects(new DeviceMemories(file).open(new Map()), { code: 'ERR_SIMULATOR_DEMO_FOLDER' });
});
