import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { Database, loadIdentity, nodeRandom, verifySignature } from '@sparc/edge/platform';
import {
  applyGeneration,
  policyContentOf,
  validateSiteFile,
  verifyGeneration,
  type Manifest,
  type Verify,
} from '@sparc/edge/policy';
import { nodePartTools } from '@sparc/edge/policy-parts';
import type { CredentialHolder, HashedCredential, PolicyContent } from '@sparc/protocol/policy';
import { cutRevision, readRevision } from '@sparc/protocol/policy-revision';
import { SITE_FILE } from '../../support/site-file.js';
import { STOPPED_CLOCK } from './policy-scene.js';

/** A plan with access points and schedules, and two profiles. */
export const SITE: PolicyContent = policyContentOf(validateSiteFile(SITE_FILE, 'site.yaml'), new Uint8Array(32));

const isBeginning = (id: string) => (createHash('sha256').update(id).digest()[0] ?? 1) % 256 === 0;
const candidates = Array.from({ length: 9_000 }, (_, index) => `p${String(index).padStart(4, '0')}`);
/** Ids in order; every fifth begins a part of its own, so that few people make many parts. */
export const IDS: readonly string[] = candidates
  .filter(isBeginning)
  .slice(0, 20)
  .flatMap((id) => [id, ...['a', 'b', 'c', 'd'].map((end) => `${id}${end}`)]);

export const person = (id: string, rest: Partial<CredentialHolder> = {}): CredentialHolder => ({
  id,
  name: `Holder ${id}`,
  status: 'active',
  ...rest,
});
export const card = (id: string, rest: Partial<HashedCredential> = {}): HashedCredential => ({
  id,
  holder: id,
  status: 'active',
  identifiers: [{ bits: 32, value: IDS.indexOf(id).toString(16).padStart(8, '0') }],
  accessProfiles: ['staff'],
  ...rest,
});
/** Everybody of `IDS` with a card each. */
export const everybody = (rest: Partial<PolicyContent> = {}): PolicyContent => ({
  ...SITE,
  profiles: [...SITE.profiles].sort((a, b) => (a.id < b.id ? -1 : 1)),
  holders: IDS.map((id) => person(id)),
  credentials: IDS.map((id) => card(id)),
  ...rest,
});

export type CopyScene = ReturnType<typeof openCopyScene>;

/** A data directory of its own, into which revisions come. */
export function copyScene(t: Test): CopyScene {
  const dataDir = mkdtempSync(join(tmpdir(), 'sparc-copy-'));
  t.teardown(() => rmSync(dataDir, { recursive: true }));
  return openCopyScene(dataDir);
}

export function openCopyScene(dataDir: string) {
  const signer = loadIdentity(dataDir);
  const verify: Verify = (message, signature) => verifySignature(signer.publicKey, message, signature);
  const fileOf = (generation: number, end: 'db' | 'json') => join(dataDir, 'policy', `generation-${generation}.${end}`);
  return {
    dataDir,
    verify,
    fileOf,
    inForce: (): Manifest | undefined => verifyGeneration(dataDir, verify).current?.manifest,
    /** Cuts a policy into parts, and brings what is read out of them into force. */
    apply(content: PolicyContent): Manifest {
      const parts = new Map<string, Uint8Array>();
      const revision = cutRevision(nodePartTools, { number: 1, content }, (part) => parts.set(part.hash, part.content));
      const issued = { name: 'revision', number: 1, issuedUnixMs: 0 };
      const options = { dataDir, signer, verify, random: nodeRandom, clock: STOPPED_CLOCK, issued };
      return applyGeneration(options, readRevision(nodePartTools, revision, parts));
    },
    /** Every row of a generation. */
    rows: ({ generation }: Manifest) => rowsOf(fileOf(generation, 'db')),
    /** Changes a generation as one that this gateway signed. */
    forge({ generation }: Manifest, sql: string): void {
      const db = new Database(fileOf(generation, 'db'));
      db.exec(sql);
      db.close();
      const [, text = ''] = readFileSync(fileOf(generation, 'json'), 'utf8').split('\n');
      const bytes = readFileSync(fileOf(generation, 'db'));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const { size: sizeBytes } = statSync(fileOf(generation, 'db'));
      const body = JSON.stringify({ ...(JSON.parse(text) as Manifest), sha256, sizeBytes });
      const signature = Buffer.from(signer.sign(Buffer.from(`sparc policy generation 1\n${body}`))).toString('hex');
      writeFileSync(fileOf(generation, 'json'), `${JSON.stringify({ signature })}\n${body}\n`);
    },
  };
}

/** By table, its statement first; a credential has its id in place of its number, which means nothing. Throws where a reference leads nowhere. */
function rowsOf(path: string): Record<string, readonly string[]> {
  const db = new Database(path, { readonly: true });
  try {
    const broken = [...(db.pragma('foreign_key_check') as unknown[]), ...(db.pragma('integrity_check') as object[])];
    if (JSON.stringify(broken) !== '[{"integrity_check":"ok"}]') throw new Error(JSON.stringify(broken));
    const idOf = new Map(
      db.prepare('SELECT credential, id FROM credential').raw().all() as (readonly [number, string])[],
    );
    const tables = db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
    return Object.fromEntries(
      (tables as { name: string; sql: string }[]).map(({ name, sql }) => {
        const rows = (db.prepare(`SELECT * FROM ${name}`).all() as Record<string, unknown>[]).map((row) =>
          JSON.stringify('credential' in row ? { ...row, credential: idOf.get(row['credential'] as number) } : row),
        );
        return [name, [sql, ...rows.sort()]];
      }),
    );
  } finally {
    db.close();
  }
}
