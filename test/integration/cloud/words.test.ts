import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { LinkFiles } from '@sparc/edge/cloud-enrolment';
import { CLOUD_WORDS_FILE } from '@sparc/edge/emptying';
import { JOURNAL_FILE, JournalLog } from '@sparc/edge/ledger';
import { findIdentity } from '@sparc/edge/platform';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import { tipsOf } from '@sparc/protocol/replication';
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

function headsOf(gateway: MeshGateway) {
  const log = new JournalLog(join(gateway.dataDir, JOURNAL_FILE), identity(gateway).publicKey);
  try {
    return tipsOf(log.log());
  } finally {
    log.close();
  }
}

const wordsPath = ({ dataDir }: MeshGateway) => join(dataDir, CLOUD_WORDS_FILE);
const wordsOf = (gateway: MeshGateway): readonly string[] =>
  existsSync(wordsPath(gateway))
    ? (JSON.parse(readFileSync(wordsPath(gateway), 'utf8')) as { words: string[] }).words
    : [];

t.test('what the cloud said is kept over restarts, and who cannot reach it has it from a neighbour', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-words-'));
  const [north, south] = [await MeshGateway.create(folder, 'north'), await MeshGateway.create(folder, 'south')];
  const both = [north, south];
  const end = () => Promise.all(both.map((each) => each.end('SIGTERM')));
  t.teardown(async () => {
    await end();
    rmSync(folder, { recursive: true, force: true });
  });
  await enrol(folder, 'harbour', both);
  const cloud = await Cloud.start(t, await migrated(await openPglite(t)), both.map(identity));
  for (const each of both) {
    const files = new LinkFiles(each.dataDir);
    files.keep(await cloud.grant(identity(each), files.request()));
  }
  north.start();
  await eventually('it is reached', async () => (await north.mesh())?.cloud?.isConnected === true, 60_000);
  await north.sparc('clock', 'accept', '--by', 'Ada');
  await eventually('a word of the cloud is on the disk', () => wordsOf(north).length > 0, 60_000);
  await end();
  await cloud.stop();

  // As far as anybody can tell by its date.
  const issuedUnixMs = Date.now() - EIGHT_DAYS_MS;
  const heads = [...headsOf(north)];
  const old = signAcknowledgement(cloud.siteSigner, { site: 'harbour', issuedUnixMs, complete: true, heads });
  const words = [Buffer.from(old).toString('base64'), ...wordsOf(north)];
  writeFileSync(wordsPath(north), JSON.stringify({ words }), { mode: 0o600 });
  for (const each of both) each.start();
  await eventually('the other has them, too', () => wordsOf(south).length === words.length, 90_000);
  t.same(wordsOf(south), words);
  t.equal((await south.mesh())?.cloud?.isConnected, false);
  t.notMatch(north.output + south.output, /drops nothing/, 'nor does the journal find fault with them');
  await end();
  t.strictSame(cloud.failures, []);
});
