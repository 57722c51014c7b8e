import { join } from 'node:path';
import { AuthorityFolder } from '@sparc/edge/authority';
import { createNodeClock, nodeRandom, verifySignature } from '@sparc/edge/platform';
import { AuthorityPolicy, PARTS_FILE, SqlitePartStore } from '@sparc/edge/policy-parts';
import type { HashedCredential } from '@sparc/protocol/policy';
import { PolicyRevision } from '@sparc/protocol/policy-revision';
import { contentOf } from './decision-site.js';

export interface SignedRound {
  readonly seconds: number;
  readonly peakBytes: number;
  readonly newPartsCount: number;
  readonly newBytes: number;
  /** Of the entry in the log. */
  readonly bodyBytes: number;
}

/** Signs the site of so many credentials in a folder, where one of them is blocked; -1 for none, by a new authority. */
function signRound(folder: string, credentialsCount: number, changed: number): SignedRound {
  const deps = { clock: createNodeClock(), random: nodeRandom, verify: verifySignature };
  const path = join(folder, 'authority');
  const authority = changed < 0 ? AuthorityFolder.create(path, 'bench', deps) : AuthorityFolder.open(path, deps);
  const parts = SqlitePartStore.open(join(path, PARTS_FILE));
  try {
    const content = contentOf(credentialsCount);
    const startMs = performance.now();
    const credentials = blocking(content.credentials, changed);
    const signed = new AuthorityPolicy(authority.log, parts).sign({ ...content, credentials });
    return {
      seconds: (performance.now() - startMs) / 1_000,
      peakBytes: process.resourceUsage().maxRSS * 1_024,
      newPartsCount: signed.newPartsCount,
      newBytes: signed.newBytes,
      bodyBytes: PolicyRevision.encode(signed.revision).length,
    };
  } finally {
    parts.close();
    authority.close();
  }
}

function* blocking(credentials: Iterable<HashedCredential>, changed: number): Generator<HashedCredential> {
  let index = 0;
  for (const credential of credentials) yield index++ === changed ? { ...credential, status: 'blocked' } : credential;
}

const [folder = '', credentialsCount = '', changed = ''] = process.argv.slice(2);
console.log(JSON.stringify(signRound(folder, Number(credentialsCount), Number(changed))));
