import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import t from 'tap';
import { AuthoritySource, SiteAuthorities } from '@sparc/cloud-sync/authority';
import { createDatabase, createTenant, openDatabase, openEntry, SEALED_ENTRY, Seals } from '@sparc/cloud-sync/db';
import { FileAuthorityKeys } from '@sparc/cloud-sync/identity';
import { Months, takeBatch } from '@sparc/cloud-sync/ingest';
import { nodeCrypto, nodePartTools, nodeRandom, toHex } from '@sparc/cloud-sync/platform';
import { DraftSecrets, PolicyDesk } from '@sparc/cloud-sync/policy';
import type { EventRecord } from '@sparc/protocol/events';
import { PolicyRevision, surveyParts } from '@sparc/protocol/policy-revision';
import { migrated, openPglite, pgliteFolder } from '../../support/databases.js';
import { SEALING_SECRET } from '../../support/sealing.js';
import { SITE_FILE } from '../../support/site-file.js';
import { systemClock } from '../../support/system-clock.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const GATEWAY = testSigner(41);
/** Of SITE_FILE, as it is read. */
const BITS = Buffer.from('04a1b2c3d4e5f6', 'hex');
const NUMBER = 8_604_321_097n;
const GRANTED: EventRecord = {
  name: 'access.granted',
  credentialId: 'card-ada',
  card: { bitCount: 56, bits: BITS, formatId: 'h10302', cardNumber: String(NUMBER) },
};
const at = { site: 'harbour' };
const code = 'ERR_DATABASE_SEAL_BROKEN';

const connections = await migrated(await openPglite(t));
const database = createDatabase(connections, SEALING_SECRET);
const tenant = await createTenant(database, { name: 'Port', region: 'eu', retentionDays: 90 });
const folder = mkdtempSync(join(tmpdir(), 'sparc-sealed-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const shared = { clock: systemClock, random: nodeRandom, crypto: nodeCrypto, database, partTools: nodePartTools };
const authorities = new SiteAuthorities({ ...shared, keys: new FileAuthorityKeys(folder, nodeRandom) });
await authorities.create(tenant, { id: at.site, name: 'Harbour' });
const source = new AuthoritySource(database);
const secrets = new DraftSecrets(SEALING_SECRET, { tenant, ...at });
const desk = new PolicyDesk({
  ...{ database, tenant, ...at, secrets, authority: authorities.of(tenant, at.site), source },
  partTools: nodePartTools,
});

const asOwner = async (text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  connections.use(async ({ client }) => (await client.query<Record<string, unknown>>(text, values)).rows);

const ENCODED = [BITS, ...[8, 5].map(bytesOf), bytesOf(5).reverse()].flatMap((bytes) => [
  bytes,
  ...[bytes.toString('hex'), bytes.toString('base64').slice(0, -2)].map((text) => Buffer.from(text)),
]);
const TEXTS = [NUMBER, BigInt(`0x${BITS.toString('hex')}`)].map((number) => Buffer.from(String(number)));

function bytesOf(length: number): Buffer {
  return Buffer.from(NUMBER.toString(16).padStart(2 * length, '0'), 'hex');
}

/** In it, or in what is deflated in it from any of its first bytes on. */
function tells(bytes: Buffer): boolean {
  const inflated = Array.from({ length: 64 }, (_, from) => {
    try {
      return inflateRawSync(bytes.subarray(from), { maxOutputLength: 1_000_000 });
    } catch {
      return Buffer.alloc(0);
    }
  });
  return [bytes, ...inflated].some((each) => [...ENCODED, ...TEXTS].some((card) => each.includes(card)));
}

const bytesIn = (value: unknown): Buffer =>
  value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(JSON.stringify(value));

t.before(async () => {
  const row = { tenant_id: tenant, site_id: at.site, id: Buffer.from(GATEWAY.publicKey), name: 'hall' };
  await database.inTenant(tenant, ({ query }) =>
    query
      .insertInto('gateways')
      .values({ ...row, state: 'active' })
      .execute(),
  );
  await desk.imported(SITE_FILE, 'ada');
  await desk.publish({ by: 'ada' });
  const chain = new TestChain(GATEWAY, Date.now(), at.site);
  const months = new Months(database);
  const carrier = { tenant, ...at, gateway: toHex(GATEWAY.publicKey) };
  for (const batch of batchesOf([chain.open(1, [GRANTED, GRANTED])])) {
    t.match(await takeBatch({ database, crypto: nodeCrypto, months }, carrier, batch), { kind: 'stored' });
  }
});

const entries = () =>
  database.inTenant(tenant, async ({ query, seals }) => {
    const rows = await query.selectFrom('events').select(SEALED_ENTRY).where('kind', '=', 'event').execute();
    return { rows, seals };
  });

t.test('nothing of the database tells a card that was read, or may enter', async (t) => {
  const tables = await asOwner(`select relname as name from pg_class where relnamespace = 'sparc'::regnamespace
    and relkind in ('r', 'p') and not relispartition`);
  const told: string[] = [];
  for (const { name } of tables) {
    for (const row of await asOwner(`select * from sparc.${String(name)}`)) {
      for (const [column, value] of Object.entries(row)) {
        if (tells(bytesIn(value))) told.push(`${String(name)}.${column}`);
      }
    }
  }
  t.strictSame(told, []);
});

t.test('who has the key reads it', async (t) => {
  const { rows, seals } = await entries();
  t.strictSame(
    rows.map((row) => tells(Buffer.from(openEntry(seals, row).content))),
    [true, true],
  );
  const { stored } = await parts();
  const opened = [...(await source.parts({ tenant, ...at }, stored)).values()];
  t.ok(opened.some((part) => tells(Buffer.from(part ?? []))));
});

t.test('the hash of an entry, by which a card number could be tried, is sealed with it', async (t) => {
  const { rows, seals } = await entries();
  t.strictSame(
    rows.map((row) => [row.hash.length, openEntry(seals, row).hash.length]),
    [
      [0, 32],
      [0, 32],
    ],
  );
  const { stored, marks } = await parts();
  t.notOk(stored.some((hash) => marks.includes(hash)));
});

t.test('what stands in the place of something else does not open', async (t) => {
  const { rows, seals } = await entries();
  const [first, second] = rows;
  if (first === undefined || second === undefined) throw new Error('two entries');
  for (const moved of [
    { ...first, content: second.content },
    { ...first, site_id: 'depot' },
    { ...first, epoch: 2 },
    { ...first, author: testSigner(42).publicKey },
    { ...first, content: first.content.map((byte, index) => (index === 40 ? byte ^ 1 : byte)) },
    { ...first, content: first.content.subarray(0, 9) },
  ]) {
    t.throws(() => openEntry(seals, moved), { code });
  }
  t.throws(() => openEntry(new Seals(SEALING_SECRET, 'another'), first), { code });
  t.throws(
    () =>
      openEntry(
        new Seals(
          SEALING_SECRET.map((byte) => byte ^ 1),
          tenant,
        ),
        first,
      ),
    { code },
  );

  const swapped = (table: string, where: string) =>
    asOwner(`update sparc.${table} as a set content = b.content from sparc.${table} b where ${where}`);
  await swapped('events', `a.author = b.author and a.kind = 'roster' and b.kind = 'policy'`);
  await t.rejects(source.batches({ tenant, ...at }, []), { code });
  const { stored } = await parts();
  await swapped('policy_parts', 'a.hash <> b.hash');
  for (const hash of stored) await t.rejects(source.parts({ tenant, ...at }, [hash]), { code });
});

t.test('what was stored before there were seals is read as it is', async (t) => {
  const { rows, seals } = await entries();
  const opened = rows.slice(0, 1).map((row) => ({ ...row, ...openEntry(seals, row) }));
  for (const row of opened) t.strictSame(openEntry(seals, row), { hash: row.hash, content: row.content });
  const content = nodePartTools.deflate(Buffer.from('as it was'));
  const hash = Buffer.from(nodeCrypto.sha256(content));
  await asOwner('insert into sparc.policy_parts values ($1, $2, $3, $4)', [
    tenant,
    at.site,
    hash,
    Buffer.from(content),
  ]);
  t.same((await source.parts({ tenant, ...at }, [toHex(hash)])).get(toHex(hash)), Uint8Array.from(content));
});

t.test('a process that has another key does not open the database', async (t) => {
  const location = { url: `pglite:${await pgliteFolder(t)}`, connectionsMax: 1 };
  const opened = async (secret: Uint8Array) => (await openDatabase(location, secret)).close();
  await opened(SEALING_SECRET);
  await t.rejects(opened(nodeRandom.bytes(32)), { code: 'ERR_DATABASE_KEY_OTHER' });
  await opened(SEALING_SECRET);
});

/** Hashes of the parts of the newest revision, and by what they are found. */
async function parts() {
  const [row] = await asOwner('select signed from sparc.policy_revisions');
  const revision = PolicyRevision.decode(Uint8Array.from(row?.['signed'] as Uint8Array));
  const held = new Map<string, Uint8Array>();
  const store = { has: (hash: string) => held.has(hash), get: (hash: string) => held.get(hash) };
  for (;;) {
    const { missing } = surveyParts(nodePartTools, revision, store);
    if (missing.length === 0) break;
    for (const [hash, content] of await source.parts({ tenant, ...at }, missing)) held.set(hash, content);
  }
  const marks = await asOwner('select hash from sparc.policy_parts');
  return { stored: [...held.keys()], marks: marks.map(({ hash }) => toHex(hash as Uint8Array)) };
}
