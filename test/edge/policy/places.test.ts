import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { NO_PLACES, readPlaces } from '@sparc/edge/policy';
import { policyScene } from './policy-scene.js';

t.test('the places of the policy in force are those that a person may name', async (t) => {
  const scene = policyScene(t);
  const { dataDir } = scene;
  t.strictSame(readPlaces(dataDir), NO_PLACES, 'before the first policy');
  scene.apply();
  const places = readPlaces(dataDir);
  t.strictSame(
    places.areas.filter(({ id }) => id === 'hall'),
    [{ id: 'hall', name: 'Hall' }],
  );
  t.strictSame(
    places.doors.filter(({ id }) => id === 'front'),
    [{ id: 'front', name: 'Front door' }],
  );
  t.ok(places.profiles.length > 0);
  t.ok(places.profiles.every(({ id, name }) => id !== '' && name !== ''));
  t.strictSame(places.cardFormats, ['h10301', 'simplex-36']);
  t.strictSame(places.buses, ['bus-a', 'bus-b']);
});

t.test('a generation that cannot be read is told as that', async (t) => {
  const scene = policyScene(t);
  const { dataDir } = scene;
  const { generation } = scene.apply();
  writeFileSync(join(dataDir, 'policy', `generation-${generation}.db`), 'no database at all');
  t.throws(() => readPlaces(dataDir), { code: 'ERR_POLICY_CORRUPT' });
});
