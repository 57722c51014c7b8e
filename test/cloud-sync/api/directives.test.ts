import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { signDirective } from '@sparc/protocol/directive';
import { toHex } from '@sparc/edge/platform';
import { VirtualClock } from '@sparc/simulator/world';
import { CloudApi } from '../../support/cloud-api.js';
import { cloudSite } from '../../support/cloud-site.js';
import { migrated, openPglite } from '../../support/databases.js';
import { testSigner } from '../../support/test-signer.js';

t.test('a directive is given to a gateway by operators alone, signed, and on record', async (t) => {
  const keys = mkdtempSync(join(tmpdir(), 'sparc-cloud-keys-'));
  t.teardown(() => rmSync(keys, { recursive: true, force: true }));
  const gateway = testSigner(4).publicKey;
  const { database, tenant } = await cloudSite(await migrated(await openPglite(t)), [gateway]);
  const clock = new VirtualClock({ startUnixMs: Date.now() });
  const api = await CloudApi.build(t, { database, clock, keys });
  const [viewer, operator] = [
    await api.tokenOf(tenant, 'vera', 'viewer'),
    await api.tokenOf(tenant, 'otto', 'operator'),
  ];
  const issuedUnixMs = Date.now();
  const every = { v: 1, site: 'harbour', issuedUnixMs, expiresUnixMs: issuedUnixMs + 60_000 } as const;
  const order = { kind: 'accessDoor' } as const;
  const directive = signDirective(testSigner(3), { ...every, kind: 'door', door: 'front', order });
  const pathOf = (key: string) => `/api/v1/sites/harbour/gateways/${key}/directives`;
  const path = pathOf(toHex(gateway));
  t.match(await api.call('POST', path, directive, viewer), { status: 403, body: { code: 'ERR_API_FORBIDDEN' } });
  const forged = { ...directive, signature: '00'.repeat(64) };
  t.match(await api.call('POST', path, forged, operator), { status: 400, body: { code: 'ERR_DIRECTIVE_INVALID' } });
  t.match(await api.call('POST', pathOf('ab'.repeat(32)), directive, operator), {
    status: 404,
    body: { code: 'ERR_CLAIM_GATEWAY_UNKNOWN' },
  });
  t.match(await api.call('POST', path, directive, operator), { status: 200, body: { outcome: 'unheard' } });
  const acts = await database.inTenant(tenant, ({ query }) =>
    query.selectFrom('audit').select('act').where('act', '=', 'directive.give').execute(),
  );
  t.equal(acts.length, 1);
  await database.inTenant(tenant, ({ query }) => query.updateTable('gateways').set({ state: 'expelled' }).execute());
  t.match(
    await api.call('POST', path, directive, operator),
    { status: 404 },
    'nothing is said to one that is expelled',
  );
});
