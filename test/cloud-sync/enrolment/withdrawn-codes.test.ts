import { join } from 'node:path';
import t from 'tap';
import { CloudApi } from '../../support/cloud-api.js';
import { changeUser, createUser } from '@sparc/cloud-sync/users';
import { nodeRandom } from '@sparc/edge/platform';
import { migrated, openPglite } from '../../support/databases.js';
import { systemClock } from '../../support/system-clock.js';
import { enrolmentScene, NewGateway } from './enrolment-scene.js';

t.test('claim codes that are not to be good any more', async (t) => {
  const scene = await enrolmentScene(t, await migrated(await openPglite(t)));
  const { enrolment, by, folder, tenant, database } = scene;
  const at = { site: 'harbour' };
  let count = 0;
  const gateway = () => new NewGateway(join(folder, `gateway-${++count}`), 'factory');
  const unknown = { code: 'ERR_CLAIM_CODE_UNKNOWN' };

  await t.test('an administrator withdraws those of a site', async (t) => {
    const api = await CloudApi.build(t, { database, clock: systemClock, keys: join(folder, 'keys') });
    const path = '/api/v1/sites/harbour/claims';
    const viewer = await api.tokenOf(tenant, 'vera', 'viewer');
    const admin = await api.tokenOf(tenant, 'eve', 'administrator');
    const [used, open] = [await enrolment.offer(by, at), await enrolment.offer(by, at)];
    await scene.authorities.create(tenant, { id: 'depot', name: 'Depot' });
    const elsewhere = await enrolment.offer(by, { site: 'depot' });
    const hall = gateway();
    await enrolment.claim(used.code, hall.request());

    t.equal((await api.call('DELETE', path, undefined, viewer)).status, 403);
    t.match(await api.call('DELETE', path, undefined, admin), { status: 200, body: { withdrawnCount: 1 } });
    t.equal((await api.call('DELETE', '/api/v1/sites/nowhere/claims', undefined, admin)).status, 404);
    await t.rejects(enrolment.claim(open.code, gateway().request()), unknown);
    t.ok(await enrolment.claim(used.code, hall.request()), 'whoever has its place may come again');
    t.ok(await enrolment.claim(elsewhere.code, gateway().request()));
    const { body } = await api.call('GET', '/api/v1/audit', undefined, admin);
    t.ok(
      body.entries.some(
        ({ act, actor }: Record<string, string>) => act === 'gateway.offers_withdrawn' && actor === 'eve',
      ),
    );
  });

  const ends = { 'whoever is barred': { isBarred: true }, 'who administers no more': { role: 'operator' } } as const;
  for (const [who, change] of Object.entries(ends)) {
    await t.test(`${who} leaves none`, async (t) => {
      const password = 'correct horse battery staple';
      const name = who.replaceAll(' ', '-');
      const ada = await createUser(database, nodeRandom, by, { name, role: 'administrator', password });
      const [hers, other] = [
        await enrolment.offer({ ...by, name }, at),
        await enrolment.offer({ ...by, name: 'bob' }, at),
      ];
      await changeUser(database, nodeRandom, by, ada.id, change);
      await t.rejects(enrolment.claim(hers.code, gateway().request()), unknown);
      t.ok(await enrolment.claim(other.code, gateway().request()));
    });
  }
});
