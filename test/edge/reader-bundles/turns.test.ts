import t from 'tap';
import { sitePlanOf } from '@sparc/protocol/site-check';
import { recipientOf } from '@sparc/edge/reader-bundles';
import { validateSiteFile } from '@sparc/edge/policy';
import { SITE_FILE } from '../../support/site-file.js';

const plan = sitePlanOf(validateSiteFile(SITE_FILE, 'site.yaml'));

t.test('a reader belongs to its door, and is no way out', async (t) => {
  const [point] = plan.accessPoints;
  const device = plan.readers.find(({ id }) => id === point?.reader)?.device ?? '';
  const recipient = recipientOf(plan, device);
  t.ok(recipient?.doorIds.includes(point?.door ?? ''));
  t.strictSame(recipient?.outageDoorIds, []);
});

t.test('what drives a lock or carries an exit request is a way out', async (t) => {
  const [door] = plan.doors;
  const device = plan.outputs.find(({ id }) => id === door?.lock.output)?.device ?? '';
  t.ok(recipientOf(plan, device)?.outageDoorIds.includes(door?.id ?? ''));
});

t.test('a device that is not planned is nobody', async (t) => {
  t.equal(recipientOf(plan, 'nobody'), undefined);
});
