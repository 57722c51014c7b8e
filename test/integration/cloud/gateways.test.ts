import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { LinkFiles } from '@sparc/edge/cloud-enrolment';
import { findIdentity } from '@sparc/edge/platform';
import { Cloud } from '../../support/cloud.js';
import { storedEvents } from '../../support/cloud-site.js';
import { migrated, openPglite } from '../../support/databases.js';
import { enrol, MeshGateway } from '../../support/mesh-gateway.js';
import { eventually } from '../../support/peers.js';

t.test(
  'one gateway with a link carries the ledgers of its site, and a cloud that is away holds nothing up',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sparc-uplink-'));
    const [north, south] = [await MeshGateway.create(folder, 'north'), await MeshGateway.create(folder, 'south')];
    t.teardown(async () => {
      await Promise.all([north.end('SIGTERM'), south.end('SIGTERM')]);
      rmSync(folder, { recursive: true, force: true });
    });
    await enrol(folder, 'harbour', [north, south]);
    const identity = ({ dataDir }: MeshGateway) => {
      const found = findIdentity(dataDir);
      if (found === undefined) throw new Error('an identity');
      return found;
    };
    const cloud = await Cloud.start(t, await migrated(await openPglite(t)), [identity(north), identity(south)]);
    const files = new LinkFiles(north.dataDir);
    files.keep(await cloud.grant(identity(north), files.request()));
    await cloud.stop();

    north.start();
    south.start();
    await eventually(
      'north runs and says why it has no cloud',
      async () => {
        const { state, members, cloud: link } = (await north.mesh()) ?? {};
        return state === 'running' && link?.isConnected === false && link.why !== undefined && members?.length === 2;
      },
      60_000,
    );
    await cloud.run();
    await eventually(
      'all of its log is acknowledged',
      async () => {
        const { cloud: link, own } = (await north.mesh()) ?? {};
        return link?.isConnected === true && link.ownMissingCount === 0 && own?.replicasCount === 1;
      },
      60_000,
    );
    t.strictSame(
      await cloud.tryOut(identity(north), { accessPoint: 'front-in', credential: 'ada' }),
      { outcome: 'refused', code: 'ERR_POLICY_NONE' },
      'the field itself says what it would decide',
    );
    const stored = (gateway: MeshGateway) => storedEvents(cloud.database, cloud.tenant, identity(gateway).publicKey);
    await eventually('it has carried the other log, too', async () => (await stored(south)).length > 3, 60_000);
    await Promise.all([south.end('SIGKILL'), north.end('SIGKILL')]);

    const ledger = (gateway: MeshGateway) =>
      gateway.journal.map(({ id, kind }) => `${id.epoch}/${id.sequence} ${kind}`);
    const [ofNorth, ofSouth] = [await stored(north), await stored(south)];
    t.strictSame(ofNorth, ledger(north).slice(0, ofNorth.length));
    t.strictSame(ofSouth, ledger(south).slice(0, ofSouth.length));
    t.ok(ofNorth.length > 3 && ofSouth.length > 3, `${ofNorth.length} and ${ofSouth.length} entries`);
    t.strictSame(cloud.failures, []);
  },
);
