import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { SiteAuthorities } from '@sparc/cloud-sync/authority';
import { buildGatewayApi } from '@sparc/cloud-sync/api';
import { createDatabase, createTenant, type Connections } from '@sparc/cloud-sync/db';
import { Enrolment, type Admitted } from '@sparc/cloud-sync/enrolment';
import { CertificateAuthorities, FileAuthorityKeys, siteSigner } from '@sparc/cloud-sync/identity';
import { nodeCrypto, nodePartTools } from '@sparc/cloud-sync/platform';
import { LinkFiles } from '@sparc/edge/cloud-enrolment';
import { joinSite } from '@sparc/edge/membership';
import { findIdentity, loadIdentity, nodeRandom, toHex, verifySignature } from '@sparc/edge/platform';
import type { Clock } from '@sparc/protocol/ports';
import { signRequest } from '@sparc/protocol/roster';
import { freePort } from '@sparc/simulator/live';
import { systemClock } from '../../support/system-clock.js';
import { SEALING_SECRET } from '../../support/sealing.js';

interface Test {
  teardown(undo: () => unknown): void;
}

/** What keys of the cloud are made of. */
export const SECRET = new Uint8Array(32).fill(11);

/** A tenant whose site `harbour` has its authority in the cloud, and what gateways reach of it. */
export async function enrolmentScene(t: Test, connections: Connections) {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-enrolment-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  let aheadMs = 0;
  const clock: Clock = {
    ...systemClock,
    wall: () => ({ ...systemClock.wall(), unixMs: systemClock.wall().unixMs + aheadMs }),
  };
  const database = createDatabase(connections, SEALING_SECRET);
  const tenant = await createTenant(database, { name: 'Port', region: 'eu', retentionDays: 90 });
  const certificates = await CertificateAuthorities.open(join(folder, 'keys'), { clock, random: nodeRandom });
  const authorities = new SiteAuthorities({
    ...{ clock, random: nodeRandom, crypto: nodeCrypto, database, partTools: nodePartTools },
    keys: new FileAuthorityKeys(join(folder, 'keys'), nodeRandom),
  });
  await authorities.create(tenant, { id: 'harbour', name: 'Harbour' });
  const signerOf = (of: string, site: string) => siteSigner(SECRET, of, site);
  const deps = { clock, random: nodeRandom, database, certificates, authorities, signerOf };
  const [port, brokerPort] = [await freePort(), await freePort()];
  const url = new URL(`https://127.0.0.1:${port}`);
  const enrolment = new Enrolment(deps, { brokerUrl: `mqtts://127.0.0.1:${brokerPort}`, gatewayUrl: url.origin });
  const log = pino({ level: 'silent' });
  const api = await buildGatewayApi({ clock, log, onAnswer: () => undefined, enrolment, certificates }, ['127.0.0.1']);
  t.teardown(() => api.close());
  await api.listen({ host: '127.0.0.1', port });
  return {
    by: { tenant, name: 'ada' },
    ...{ folder, tenant, brokerPort, database, certificates, authorities, enrolment, url, signerOf },
    goAhead: (ms: number) => (aheadMs += ms),
    authority: () => authorities.of(tenant, 'harbour'),
    /** State and number of valid certificates by name. */
    gateways: () =>
      database.inTenant(tenant, async ({ query }) => {
        const rows = await query
          .selectFrom('gateways')
          .leftJoin('gateway_certificates', (join) =>
            join.onRef('gateway_id', '=', 'gateways.id').on('revoked_at', 'is', null),
          )
          .select(({ fn }) => ['name', 'state', fn.count<number>('serial').as('count')])
          .groupBy(['gateways.tenant_id', 'gateways.id', 'name', 'state', 'claimed_at'])
          .orderBy('claimed_at')
          .execute();
        return rows.map(({ name, state, count }) => `${name} ${state} ${Number(count)}`);
      }),
  };
}

/** The file that a gateway joins by, where the cloud keeps the authority. */
export function admissionOf(admitted: Admitted): Uint8Array {
  if ('admission' in admitted) return admitted.admission;
  throw new Error('an admission');
}

/** A gateway of its own data directory. */
export class NewGateway {
  readonly files: LinkFiles;

  constructor(
    readonly dataDir: string,
    readonly name: string,
  ) {
    this.files = new LinkFiles(dataDir);
  }

  get signer() {
    const found = findIdentity(this.dataDir);
    if (found === undefined) throw new Error('an identity');
    return found;
  }

  get key(): string {
    return toHex(this.signer.publicKey);
  }

  request(): Uint8Array {
    return signRequest(
      loadIdentity(this.dataDir),
      { name: this.name, addresses: ['10.0.0.5:7400'] },
      this.files.request(),
    );
  }

  join(admission: Uint8Array) {
    return joinSite(this.dataDir, verifySignature, undefined, admission, Date.now());
  }
}
