import { mkdtempSync, rmSync } from 'node:fs';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import {
  EventStreams,
  STREAM_HEARTBEAT_MS,
  STREAMS_MAX,
  TENANT_STREAMS_MAX,
  type EventStream,
} from '@sparc/cloud-sync/api';
import type { Database } from '@sparc/cloud-sync/db';
import { Months, takeBatch } from '@sparc/cloud-sync/ingest';
import { nodeCrypto, toHex } from '@sparc/cloud-sync/platform';
import { SiteFollower, STARTED_FROM_MAX, keepRefusal } from '@sparc/cloud-sync/sites';
import { REPORTING_EVENTS } from '@sparc/protocol/delivery';
import { EVENTS } from '@sparc/protocol/events';
import type { LogCommit } from '@sparc/protocol/ports';
import { VirtualClock } from '@sparc/simulator/world';
import { sql } from 'kysely';
import { CloudApi } from '../../support/cloud-api.js';
import { cloudSite } from '../../support/cloud-site.js';
import { migrated, openPglite } from '../../support/databases.js';
import { systemClock } from '../../support/system-clock.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

const fail = (): never => {
  throw new Error('is missing');
};
const keys = mkdtempSync(join(tmpdir(), 'sparc-cloud-keys-'));
t.teardown(() => rmSync(keys, { recursive: true, force: true }));
const chains = [new TestChain(testSigner(3)), new TestChain(testSigner(4))] as const;
const [hall, cellar] = chains;
const [hallKey, cellarKey] = [toHex(hall.signer.publicKey), toHex(cellar.signer.publicKey)];
const { database, tenant } = await cloudSite(
  await migrated(await openPglite(t)),
  chains.map(({ signer }) => signer.publicKey),
);
const api = await CloudApi.build(t, { database, clock: systemClock, keys });
const token = await api.tokenOf(tenant, 'ada', 'viewer');
const get = async (path: string) => (await api.call('GET', path, undefined, token)).body;
// A site without an authority has no gateways that could be followed.
await database.inTenant(tenant, ({ query }) =>
  query
    .updateTable('sites')
    .set({ authority_key: Buffer.alloc(32, 9) })
    .execute(),
);
const months = new Months(database);

/** All that each gateway has committed: a batch names the entry before it. */
const lives = new Map<string, LogCommit[]>();

async function arrives(...commits: readonly LogCommit[]): Promise<void> {
  for (const commit of commits) {
    const author = toHex(commit.head.author);
    const life = [...(lives.get(author) ?? []), commit];
    lives.set(author, life);
    const [batch] = batchesOf(life).slice(-1);
    const carrier = { tenant, site: 'harbour', gateway: hallKey };
    const taken = batch && (await takeBatch({ database, crypto: nodeCrypto, months }, carrier, batch));
    if (taken?.kind !== 'stored') throw new Error(taken?.kind);
  }
}

const opened = (doorId: string) => ({ name: 'door.opened', doorId });
const revision = (number: number) => `${number}-0123456789abcdef`;

t.test('how far each gateway is, is what its own log says', async (t) => {
  await arrives(hall.open(1, [{ name: 'gateway.started', detail: { buses: 'a b' } }]));
  await arrives(cellar.open(1, [opened('cellar')]));
  const before = await get('/api/v1/sites/harbour/gateways');
  t.match(before.gateways, [
    { key: hallKey, name: 'gate 0', buses: ['a', 'b'], state: 'active', revocation: { number: 0 }, isReached: false },
    { key: cellarKey, newest: { cursor: '1.2' } },
  ]);
  t.notOk('policy' in before.gateways[0]);

  await arrives(hall.add({ name: 'policy.loaded', detail: { revision: revision(7) } }));
  await arrives(cellar.add({ name: 'revocation.applied', detail: { number: '3' } }));
  const isAfter = (views: { gateways: unknown }) =>
    t.match(views.gateways, [
      { policy: { revision: revision(7), number: 7 }, newest: { cursor: '1.3' } },
      { revocation: { number: 3 } },
    ]);
  isAfter(await get('/api/v1/sites/harbour/gateways'));
  const another = await CloudApi.build(t, { database, clock: systemClock, keys });
  isAfter((await another.call('GET', '/api/v1/sites/harbour/gateways', undefined, token)).body);
});

t.test('what was raised and stands is shown, also to a process that starts from the database', async (t) => {
  const raise = '0b'.repeat(16);
  await arrives(hall.add({ name: 'site.lockdown', detail: { by: 'panic', raise } }));
  const causeId = { author: hallKey, epoch: 1, sequence: 4 };
  await arrives(cellar.add({ name: 'site.lockdown', detail: { by: 'panic', raise }, causeId }));
  const stands = { id: raise, what: 'lockdown', by: 'panic', gateway: hallKey, standsAt: [hallKey, cellarKey] };
  t.match((await get('/api/v1/sites/harbour/gateways')).raises, [stands]);
  const another = await CloudApi.build(t, { database, clock: systemClock, keys });
  const raises = async () =>
    (await another.call('GET', '/api/v1/sites/harbour/gateways', undefined, token)).body.raises as unknown[];
  t.match(await raises(), [stands]);
  await arrives(hall.add({ name: 'site.lockdown_ended', detail: { by: 'Ada', raises: raise } }));
  await arrives(cellar.add({ name: 'site.lockdown_ended', detail: { by: 'Ada', raises: raise } }));
  t.strictSame(await raises(), []);
});

t.test('a gateway that was expelled is no member any more, and is not forgotten', async (t) => {
  const state = (state: 'active' | 'expelled') => withState(database, cellar.signer.publicKey, state);
  await state('expelled');
  const { gateways, former } = await get('/api/v1/sites/harbour/gateways');
  t.match([gateways, former], [[{ key: hallKey }], [{ key: cellarKey, state: 'expelled' }]]);
  t.equal(gateways.length, 1);
  await state('active');
});

t.test('what was refused in the name of a gateway is shown beside it, and of a stranger nothing is kept', async (t) => {
  const refused = (gateway: string, count: number, lastUnixMs: number, site = 'harbour') =>
    keepRefusal(database, { tenant, site, gateway }, { code: 'ERR_LINK_FLOOD', count, lastUnixMs });
  await refused(cellarKey, 40, 5_000);
  await refused(cellarKey, 2, 3_000);
  for (const [gateway, site] of [
    ['ab'.repeat(32), 'harbour'],
    [hallKey, 'depot'],
  ] as const)
    await refused(gateway, 1, 5_000, site);
  t.match((await get('/api/v1/sites/harbour/gateways')).gateways, [
    { key: hallKey, refusals: [] },
    { key: cellarKey, refusals: [{ code: 'ERR_LINK_FLOOD', count: 42, lastUnixMs: 5_000 }] },
  ]);
});

t.test('events are read back in time, page by page, without one twice or none', async (t) => {
  for (let door = 0; door < 6; door += 1) await arrives(hall.add(opened(`h${door}`)), cellar.add(opened(`c${door}`)));
  const all = (await get('/api/v1/events?site=harbour')).events as { cursor: string; atUnixMs: number }[];
  t.equal(all.length, 20);
  t.ok(
    all.every(({ atUnixMs }, index) => atUnixMs <= (all[index - 1]?.atUnixMs ?? Infinity)),
    'newest first',
  );
  const paged: string[] = [];
  for (let before = ''; ;) {
    const { events, next } = await get(`/api/v1/events?site=harbour&limit=5${before}`);
    paged.push(...events.map(({ cursor }: { cursor: string }) => cursor));
    if (next === undefined) break;
    before = `&before=${next}`;
  }
  t.strictSame(
    paged,
    all.map(({ cursor }) => cursor),
  );
  const [{ atUnixMs: newest = 0 } = {}] = all;
  const count = async (filter: string) => (await get(`/api/v1/events?site=harbour&${filter}`)).events.length;
  t.equal(await count(`gateway=${cellarKey}`), 10);
  t.equal(await count('name=policy.loaded'), 1);
  t.equal(await count(`fromUnixMs=${newest}`), all.filter(({ atUnixMs }) => atUnixMs === newest).length);
  t.equal(await count(`untilUnixMs=${newest}`), all.filter(({ atUnixMs }) => atUnixMs < newest).length);
  t.equal((await api.call('GET', '/api/v1/events?site=harbour&before=1', undefined, token)).status, 400);
});

t.test('an event that a stolen gateway gave the name of something else hides no others', async (t) => {
  for (const name of ['constructor', '__proto__', 'toString']) {
    await arrives(cellar.add({ name, detail: { constructor: 'x' } }));
    const { events = [] } = await get('/api/v1/events?site=harbour');
    t.match(events[0], { name, severity: 'info', detail: { constructor: 'x' } });
    t.ok(events.length > 1, 'and those before it are there');
  }
});

t.test('no card number and no bits are in what an event says', async (t) => {
  const card = { bitCount: 26, bits: Uint8Array.of(0xbd, 0x88, 0xeb, 0x80), formatId: 'h10301', cardNumber: '4567' };
  await arrives(hall.add({ name: 'access.denied', accessPointId: 'front', card }));
  const [event] = (await get('/api/v1/events?site=harbour&name=access.denied')).events;
  t.match(event, { accessPointId: 'front', gatewayName: 'gate 0', card: { bitCount: 26, formatId: 'h10301' } });
  t.notOk(/4567|189,136/.test(JSON.stringify(event)));
});

t.test('what arrives is told at once to whoever listens, once and in order', async (t) => {
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  const leaving = new AbortController();
  const response = await fetch(`${url}/api/v1/events/stream?site=harbour`, {
    headers: { authorization: `Bearer ${token}` },
    signal: leaving.signal,
  });
  t.equal(response.status, 200);
  await arrives(
    hall.add(opened('x1')),
    hall.add(opened('x2')),
    hall.add({ name: 'revocation.applied', detail: { number: '9' } }),
  );
  let said = '';
  for await (const chunk of response.body ?? []) {
    said += Buffer.from(chunk as Uint8Array).toString();
    if (said.includes('event: state')) break;
  }
  const doors = [...said.matchAll(/^id: (\S+)\ndata: (.*)$/gm)].map(([, id, data]) => ({
    id,
    ...JSON.parse(data ?? ''),
  }));
  t.strictSame(
    doors.map(({ doorId, name }) => doorId ?? name),
    ['x1', 'x2', 'revocation.applied'],
  );
  t.ok(doors.every(({ id, cursor }) => id === cursor));
  leaving.abort();
});

t.test('a stream whose login ends is over at once, also where its client does not read', async (t) => {
  const clock = new VirtualClock();
  const streams = new EventStreams(clock);
  const response = unread();
  let detached = 0;
  const opened: EventStream[] = [];
  const isWelcome = () => Promise.resolve(detached > 0);
  streams.open('ours', response, {}, isWelcome, (stream) => {
    opened.push(stream);
    return () => void (detached += 1);
  });
  await clock.advance(STREAM_HEARTBEAT_MS);
  t.ok(response.destroyed);
  t.equal(detached, 1);
  // An error of the response that nobody hears would end the process.
  for (let count = 0; count < 3; count += 1) opened[0]?.send('event', { count });
  await setImmediate();
  t.equal(detached, 1);
});

t.test('a client that has gone before its stream is open takes no place', async (t) => {
  const streams = new EventStreams(new VirtualClock());
  const isWelcome = () => Promise.resolve(true);
  const gone = unread();
  gone.destroy();
  for (let count = 0; count < STREAMS_MAX; count += 1) {
    streams.open('ours', gone, {}, isWelcome, () => {
      throw new Error('nothing is to be told');
    });
  }
  const open = (tenant: string) => streams.open(tenant, unread(), {}, isWelcome, () => () => undefined);
  for (let count = 0; count < TENANT_STREAMS_MAX; count += 1) open('ours');
  t.throws(() => open('ours'), { code: 'ERR_API_STREAMS_MAX' }, 'a tenant has its share');
  for (let count = TENANT_STREAMS_MAX; count < STREAMS_MAX; count += 1) open(`tenant ${count}`);
  t.throws(() => open('theirs'), { code: 'ERR_API_STREAMS_MAX' });
  streams.close();
});

t.test('of a gateway that records very much no more is read than counts', async (t) => {
  const { epoch, sequence } = hall.head ?? fail();
  const author = Buffer.from(hall.signer.publicKey);
  const record = { name: 'clock.holdover', detail: { errorMs: '7' } };
  await database.inTenant(tenant, async ({ query }) => {
    await sql`insert into events (tenant_id, site_id, author, epoch, epoch_random, sequence, at, time_quality,
        hlc_unix_ms, hlc_counter, kind, hash, content, record)
      select ${tenant}::uuid, 'harbour', ${author}::bytea, ${epoch.counter}::bigint, ${Buffer.from(epoch.random)}::bytea,
        ${sequence}::bigint + n, now(), 'synced', 1900000000000, n, 'event', '\\x00', '\\x00',
        ${JSON.stringify(record)}::jsonb
      from generate_series(1, ${STARTED_FROM_MAX}::integer) n`.execute(query);
    const head = query.updateTable('author_heads').where('author', '=', author);
    await head.set({ sequence: sequence + STARTED_FROM_MAX }).execute();
  });
  const followed = async () => (await SiteFollower.open(database, nodeCrypto.verify, tenant, 'harbour')) ?? fail();
  const { newest, policy, clockErrorMs } = (await followed()).delivery.reportOf(hallKey);
  t.equal(newest?.id.sequence, sequence + STARTED_FROM_MAX);
  t.equal(clockErrorMs, 7);
  t.equal(policy, undefined, 'what it said before all that is not read');
  t.strictSame((await followed()).delivery.reportOf(cellarKey).revocation.number, 3, 'of others all is');
});

t.test('the index of the database has every event that a report is made of, and directives', async (t) => {
  const isIn = (record: object) =>
    database.inTenant(tenant, async ({ query }) => {
      const { rows } = await sql<{
        is: boolean;
      }>`select is_followed(${JSON.stringify(record)}::jsonb) as is`.execute(query);
      return rows[0]?.is === true;
    });
  for (const name of ['door.opened', ...REPORTING_EVENTS])
    t.equal(await isIn({ name }), REPORTING_EVENTS.has(name), name);
  t.ok([...REPORTING_EVENTS].every((name) => name in EVENTS));
  t.ok(await isIn({ name: 'directive.refused', detail: { directive: 'x' } }));
});

async function withState(of: Database, key: Uint8Array, state: 'active' | 'expelled'): Promise<void> {
  await of.inTenant(tenant, ({ query }) =>
    query.updateTable('gateways').set({ state }).where('id', '=', Buffer.from(key)).execute(),
  );
}

/** To a client that takes nothing. */
const unread = () => new ServerResponse(new IncomingMessage(new Socket()));
