import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { AuthorityFolder } from '@sparc/edge/authority';
import { carriedParts } from '@sparc/edge/courier';
import { nodeCrypto } from '@sparc/edge/ledger';
import { nodeRandom, verifySignature } from '@sparc/edge/platform';
import { policyContentOf, validateSiteFile } from '@sparc/edge/policy';
import { AuthorityPolicy, SqlitePartStore } from '@sparc/edge/policy-parts';
import { POLICY_KIND } from '@sparc/protocol/policy-revision';
import { accept } from '@sparc/protocol/replication';
import { ReplicaDisk, SimulatedReplicaStore } from '@sparc/simulator/mesh';
import { VirtualClock } from '@sparc/simulator/world';
import { SITE_FILE } from '../../support/site-file.js';

t.test('parts of the kept revisions are carried, whatever entries somebody has, and no damaged ones', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'sparc-carried-parts-'));
  const clock = new VirtualClock({ startUnixMs: Date.parse('2026-03-02T08:00:00Z') });
  const folder = AuthorityFolder.create(path, 'harbour', { clock, random: nodeRandom, verify: verifySignature });
  const parts = SqlitePartStore.open(join(path, 'parts.db'));
  t.teardown(() => {
    parts.close();
    folder.close();
    rmSync(path, { recursive: true });
  });
  const policy = new AuthorityPolicy(folder.log, parts);
  for (const name of ['Gate', 'Portal']) {
    const text = SITE_FILE.replace('name: Front door', `name: ${name}`);
    policy.sign(policyContentOf(validateSiteFile(text, 'site.yaml'), folder.pinKey));
  }
  folder.log.append([{ kind: POLICY_KIND, body: new Uint8Array([255, 255]) }]);
  const author = Buffer.from(folder.publicKey).toString('hex');
  const logs = new SimulatedReplicaStore(new ReplicaDisk());
  for (const batch of folder.log.batches()) {
    const taken = accept(nodeCrypto, logs.logs().get(author) ?? [], (...at) => logs.hashAt(author, ...at), batch);
    if (taken.kind === 'append') logs.append([taken], []);
  }
  const hashOf = (content: Uint8Array) => Buffer.from(nodeCrypto.sha256(content)).toString('hex');
  const carried = () => [...carriedParts(logs, author, parts)].map(hashOf);
  const all = [...policy.contents()].map(hashOf);
  t.strictSame(carried(), all);
  t.equal(new Set(all).size, all.length, 'each once');
  const last = all.at(-1) ?? '';
  parts.put([{ hash: last, content: Uint8Array.of(1) }]);
  t.strictSame(carried(), all.slice(0, -1));
});
