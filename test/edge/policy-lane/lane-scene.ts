import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { AuthorityFolder } from '@sparc/edge/authority';
import { nodeCrypto } from '@sparc/edge/ledger';
import { joinSite } from '@sparc/edge/membership';
import { loadIdentity, nodeRandom, verifySignature } from '@sparc/edge/platform';
import {
  policyContentOf,
  ReplicaWatch,
  validateSiteFile,
  verifyGeneration,
  type Manifest,
  type Verify,
} from '@sparc/edge/policy';
import { PolicyLane, type LaneRejection } from '@sparc/edge/policy-lane';
import { AuthorityPolicy, PARTS_FILE, SqlitePartStore } from '@sparc/edge/policy-parts';
import { REPLICA_FILE, SqliteReplicaStore } from '@sparc/edge/replica';
import type { CredentialHolder } from '@sparc/protocol/policy';
import { accept } from '@sparc/protocol/replication';
import { VirtualClock } from '@sparc/simulator/world';
import { SITE_FILE } from '../../support/site-file.js';

const START = Date.parse('2026-03-02T08:00:00Z');

/** A site authority, and one gateway of it whose site process is the test. */
export function laneScene(t: Test, busIds: readonly string[] = ['bus-a', 'bus-b']) {
  const path = mkdtempSync(join(tmpdir(), 'sparc-policy-lane-'));
  const [authorityDir, dataDir] = [join(path, 'authority'), join(path, 'data')];
  const clock = new VirtualClock({ startUnixMs: START });
  const folder = AuthorityFolder.create(authorityDir, 'harbour', {
    clock,
    random: nodeRandom,
    verify: verifySignature,
  });
  const authorityParts = SqlitePartStore.open(join(authorityDir, 'parts.db'));
  const policy = new AuthorityPolicy(folder.log, authorityParts);
  const signer = loadIdentity(dataDir);
  const key = Buffer.from(signer.publicKey).toString('hex');
  const [admission = new Uint8Array()] = folder.enrol([{ key, name: 'closet', addresses: [] }]);
  joinSite(dataDir, verifySignature, undefined, admission, START);
  t.teardown(() => {
    authorityParts.close();
    folder.close();
    rmSync(path, { recursive: true, force: true });
  });
  const author = Buffer.from(folder.publicKey).toString('hex');
  const verify: Verify = (message, signature) => verifySignature(signer.publicKey, message, signature);

  /** The log of the authority comes to the disk of the gateway, as a neighbour brings it, or with another signature. */
  const bringLog = (signature?: Uint8Array) => {
    const store = SqliteReplicaStore.open(join(dataDir, REPLICA_FILE));
    for (const batch of folder.log.batches()) {
      const log = store.logs().get(author) ?? [];
      const accepted = accept(nodeCrypto, log, (epoch, sequence) => store.hashAt(author, epoch, sequence), batch);
      if (accepted.kind !== 'append') continue;
      const head = { ...accepted.head, ...(signature && { signature }) };
      store.append([{ ...accepted, head }], []);
    }
    store.close();
  };
  /** So many parts of the newest revision, or all. */
  const bringParts = (countMax = Infinity) => {
    const store = SqlitePartStore.open(join(dataDir, PARTS_FILE));
    const contents = [...policy.contents()].slice(0, countMax);
    store.put(contents.map((content) => ({ hash: hashOf(content), content })));
    store.close();
  };
  const rejections: LaneRejection[] = [];
  const onRejected = (rejection: LaneRejection) => void rejections.push(rejection);
  let freeBytes = Infinity;
  const deps = { clock, random: nodeRandom, signer, dataDir, busIds, freeBytes: () => freeBytes, onRejected };
  const newLane = () => new PolicyLane(deps);
  let lane = newLane();
  return {
    dataDir,
    clock,
    folder,
    policy,
    author,
    signer,
    verify,
    rejections,
    bringLog,
    bringParts,
    sign: (text = SITE_FILE) => policy.sign(policyContentOf(validateSiteFile(text, 'site.yaml'), folder.pinKey)),
    /** The same for so many holders more, who have nothing. */
    signLarge: (holdersCount: number) => {
      const content = policyContentOf(validateSiteFile(SITE_FILE, 'site.yaml'), folder.pinKey);
      return policy.sign({ ...content, holders: [...content.holders, ...holdersNamed('zz', holdersCount)] });
    },
    bringAll: () => {
      bringLog();
      bringParts();
    },
    look: () => lane.look(),
    restart: () => (lane = newLane()),
    leaveFree: (bytes: number) => (freeBytes = bytes),
    replica: new ReplicaWatch(dataDir, verify),
    inForce: (): Manifest | undefined => verifyGeneration(dataDir, verify).current?.manifest,
    generation: () => verifyGeneration(dataDir, verify).current,
  };
}

export const hashOf = (content: Uint8Array): string => Buffer.from(nodeCrypto.sha256(content)).toString('hex');

function* holdersNamed(prefix: string, count: number): Generator<CredentialHolder> {
  for (let at = 0; at < count; at++) {
    const id = `${prefix}-${String(at).padStart(7, '0')}`;
    yield { id, name: `Holder ${id}`, status: 'active' };
  }
}
