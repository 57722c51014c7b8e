import { join } from 'node:path';
import t from 'tap';
import { Months, takeBatch } from '@sparc/cloud-sync/ingest';
import { nodeCrypto } from '@sparc/cloud-sync/platform';
import type { LogCommit } from '@sparc/protocol/ports';
import { CloudApi } from '../../support/cloud-api.js';
import { migrated, openPglite } from '../../support/databases.js';
import { systemClock } from '../../support/system-clock.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { enrolmentScene, NewGateway } from './enrolment-scene.js';

t.test('what a gateway raised behind the heads by which it was expelled stands in the cloud no more', async (t) => {
  const { database, enrolment, by, tenant, folder } = await enrolmentScene(t, await migrated(await openPglite(t)));
  const deps = { database, crypto: nodeCrypto, months: new Months(database) };
  const [hall, cellar] = [
    new NewGateway(join(folder, 'hall'), 'hall'),
    new NewGateway(join(folder, 'cellar'), 'cellar'),
  ];
  for (const gateway of [hall, cellar]) await enrolment.admit(by, { site: 'harbour' }, gateway.request());
  const commits: LogCommit[] = [];
  const arrive = async (commit: LogCommit) => {
    commits.push(commit);
    const batch = batchesOf(commits).at(-1);
    const carrier = { tenant, site: 'harbour', gateway: hall.key };
    t.match(batch && (await takeBatch(deps, carrier, batch)), { kind: 'stored' });
  };
  const keys = join(folder, 'keys');
  const api = await CloudApi.build(t, { database, clock: systemClock, keys });
  const token = await api.tokenOf(tenant, 'ada', 'administrator');
  const raises = async (of: CloudApi) =>
    (await of.call('GET', '/api/v1/sites/harbour/gateways', undefined, token)).body.raises as unknown[];

  const chain = new TestChain(hall.signer);
  await arrive(chain.open(1, [{ name: 'gateway.started', detail: { buses: 'a' } }]));
  const raise = '0b'.repeat(16);
  const causeId = { author: cellar.key, epoch: 1, sequence: 7 };
  await arrive(chain.add({ name: 'site.lockdown', detail: { by: 'panic', raise }, causeId }));
  t.match(await raises(api), [{ id: raise, gateway: cellar.key, standsAt: [hall.key] }]);

  // Of its log nothing is here: nothing of it is attested.
  const expelled = await api.call('POST', `/api/v1/sites/harbour/gateways/${cellar.key}/expulsion`, undefined, token);
  t.equal(expelled.status, 204);
  t.match(await raises(api), [{ id: raise }], 'the hall has not heard of it, and is locked down still');
  const detail = { neighbour: cellar.key, name: 'cellar', epoch: '3' };
  await arrive(chain.add({ name: 'mesh.gateway_expelled', detail }));
  t.strictSame(await raises(api), []);
  const another = await CloudApi.build(t, { database, clock: systemClock, keys });
  t.strictSame(await raises(another), [], 'to a process that starts from the database as well');

  const own = '0c'.repeat(16);
  await arrive(chain.add({ name: 'site.lockdown', detail: { by: 'panic', raise: own } }));
  t.match(await raises(api), [{ id: own }], 'what others raise stands');
});
