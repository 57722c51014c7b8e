import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { LinkFiles } from '@sparc/edge/cloud-enrolment';
import { CLOUD_WORDS_FILE } from '@sparc/edge/emptying';
import { JOURNAL_FILE, JournalLog } from '@sparc/edge/ledger';
import { findIdentity } from '@sparc/edge/platform';
import { REPLICA_FILE, SqliteReplicaStore } from '@sparc/edge/replica';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import { tipsOf, type AuthorLog } from '@sparc/protocol/replication';
import { Cloud } from '../../support/cloud.js';
import { migrated, openPglite } from '../../support/databases.js';
import { enrol, MeshGateway } from '../../support/mesh-gateway.js';
import { eventually } from '../../support/peers.js';

const EIGHT_DAYS_MS = 8 * 86_400_000;

const identity = ({ dataDir }: MeshGateway) => {
  const found = findIdentity(dataDir);
  if (found === undefined) throw new Error('an identity');
  return found;
};

function journalOf(gateway: MeshGateway): AuthorLog {
  const log = new JournalLog(join(gateway.dataDir, JOURNAL_FILE), identity(gateway).publicKey);
  try {
    return log.log();
  } finally {
    log.close();
  }
}

function replicaAt(gateway: MeshGateway, of: MeshGateway): AuthorLog {
  const store = SqliteReplicaStore.openReadOnly(join(gateway.dataDir, REPLICA_FILE));
  try {
    return store.logs().get(Buffer.from(identity(of).publicKey).toString('hex')) ?? [];
  } finally {
    store.close();
  }
}

const emptiedIn = (log: AuthorLog) => log.filter(({ gap }) => gap !== undefined).map(({ head }) => head.epoch.counter);

t.test(
  'what the cloud has had for more than seven days a gateway empties, in its journal and in its replicas',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sparc-emptying-'));
    const [north, south] = [await MeshGateway.create(folder, 'north'), await MeshGateway.create(folder, 'south')];
    const both = [north, south];
    const end = () => Promise.all(both.map((each) => each.end('SIGTERM')));
    t.teardown(async () => {
      await end();
      rmSync(folder, { recursive: true, force: true });
    });
    await enrol(folder, 'harbour', both);
    const cloud = await Cloud.start(t, await migrated(await openPglite(t)), both.map(identity));
    const files = new LinkFiles(north.dataDir);
    files.keep(await cloud.grant(identity(north), files.request()));
    /** Until the other has all of the log of each, and the cloud has that of north. */
    const run = async () => {
      for (const each of both) each.start();
      await eventually(
        'all is in the cloud and at the other',
        async () => {
          const [ofNorth, ofSouth] = await Promise.all(both.map((each) => each.mesh()));
          return (
            ofNorth?.cloud?.ownMissingCount === 0 &&
            ofNorth.own?.replicasCount === 1 &&
            ofSouth?.own?.replicasCount === 1
          );
        },
        60_000,
      );
    };
    await run();
    await north.sparc('clock', 'accept', '--by', 'Ada');
    await end();
    await run();
    await end();
    // What the cloud said eight days ago, as far as anybody can tell by its clock.
    const heads = both.flatMap((each) => tipsOf(journalOf(each)));
    const issuedUnixMs = Date.now() - EIGHT_DAYS_MS;
    const word = signAcknowledgement(cloud.siteSigner, { site: 'harbour', issuedUnixMs, complete: true, heads });
    const path = join(north.dataDir, CLOUD_WORDS_FILE);
    const kept = JSON.parse(readFileSync(path, 'utf8')) as { words: string[] };
    t.ok(kept.words.length > 0, 'what the cloud said is kept');
    t.same([emptiedIn(journalOf(north)), emptiedIn(replicaAt(north, south))], [[], []]);
    const words = [Buffer.from(word).toString('base64'), ...kept.words];
    writeFileSync(path, JSON.stringify({ words }), { mode: 0o600 });

    // Its next run begins with a word of the cloud that does not reach the end of this one.
    await run();
    await end();
    await run();
    await eventually(
      'the first run is emptied; what the second says of the start counts on',
      async () => emptiedIn(journalOf(north)).includes(1) && emptiedIn(replicaAt(north, south)).includes(1),
      120_000,
    );
    t.same([emptiedIn(journalOf(north)), emptiedIn(replicaAt(north, south))], [[1], [1]]);
    t.same(emptiedIn(journalOf(south)), [], 'who has no link to the cloud knows nothing of it');
    t.match(await north.sparc('ledger', 'verify'), /the cloud signed that it has the rest/);
    await end();
    t.match(await north.sparc('ledger', 'verify'), /the cloud signed that it has the rest/);
    t.strictSame(cloud.failures, []);
  },
);
