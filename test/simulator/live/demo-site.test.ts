import { validateSiteFile } from '@sparc/edge/policy';
import { demoSite } from '@sparc/simulator/live';
import { drawSite } from '@sparc/simulator/scenarios';
import { SeededRandom } from '@sparc/simulator/world';
import t from 'tap';
import { stringify } from 'yaml';

t.test('the demo site is a valid site file', async (t) => {
  const site = validateSiteFile(stringify(demoSite('Europe/Zurich')), 'site.yaml');
  t.equal(site.doors.length, 4);
  t.equal(site.credentialHolders.length, 200);
  t.equal(new Set(site.devices.map(({ bus }) => bus)).size, 3);
  const directionsAt = (door: string) =>
    new Set(site.accessPoints.filter((point) => point.door === door).map(({ direction }) => direction));
  t.equal(
    site.doors.filter(({ id }) => directionsAt(id).size === 2).length,
    2,
    'two doors have a reader on both sides',
  );
});

t.test('the demo site is the same every time', async (t) => {
  t.same(demoSite('UTC'), demoSite('UTC'));
});

t.test('drawn sites are valid site files', async (t) => {
  for (let seed = 0; seed < 50; seed++) {
    t.doesNotThrow(
      () => validateSiteFile(JSON.stringify(drawSite(new SeededRandom(seed))), 'site.json'),
      `seed ${seed}`,
    );
  }
});
