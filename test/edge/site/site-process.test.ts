import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { LIFE_INTERVAL_MS, UNANSWERED_MAX } from '@sparc/edge/platform';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import { VirtualClock } from '@sparc/simulator/world';
import type { MeshView, SiteEvent, SiteOptions, SiteSnapshot } from '@sparc/edge/api';
import type { CommissioningView } from '@sparc/edge/commissioning';
import { freePort } from '@sparc/simulator/live';
import type { SiteView } from '@sparc/edge/api/server';
import { SITE_BACKLOG_MAX, SiteProcess, type SiteProcessHandlers } from '@sparc/edge/site';
import { membershipScene } from '../membership/membership-scene.js';
import { eventually } from '../../support/peers.js';
import { NO_COMMISSIONING, NO_MESH, siteEvent, siteSnapshot } from '../../support/site-fixture.js';
import { member } from '../../support/roster.js';
import { systemClock } from '../../support/system-clock.js';

type Reply = SiteView & { readonly events: readonly SiteEvent[] };

const OPTIONS: SiteOptions = { host: '127.0.0.1', port: 0, dataDir: 'none', logLevel: 'silent' };

async function run(
  t: Test,
  options: Partial<SiteOptions> = {},
  handlers: Partial<SiteProcessHandlers> = {},
  clock: Clock = systemClock,
) {
  const urls: string[] = [];
  const downs: SparcError[] = [];
  let snapshot: SiteSnapshot = siteSnapshot();
  const site = new SiteProcess(
    clock,
    {
      ...NO_COMMISSIONING,
      snapshot: () => snapshot,
      ...NO_MESH,
      onListening: (url) => urls.push(url),
      onDown: (error) => downs.push(error),
      ...handlers,
    },
    { ...OPTIONS, ...options },
  );
  t.teardown(() => site.stop());
  site.start();
  const get = async (path: string) => (await fetch(new URL(path, urls.at(-1)))).json() as Promise<Reply>;
  const change = (name: string) => {
    snapshot = { ...siteSnapshot(), site: { id: 'harbour', name, timeZone: 'UTC' } };
    site.changed('snapshot');
  };
  return { site, urls, downs, get, change };
}

/** Reads server-sent events until the stop; never reads when `paused`. */
async function stream(url: string, { paused = false } = {}) {
  const received: string[] = [];
  let closed = false;
  const response = await new Promise<http.IncomingMessage>((resolve, reject) =>
    http.get(new URL('/api/stream', url), resolve).on('error', reject),
  );
  response.on('error', () => undefined).on('close', () => (closed = true));
  if (!paused) response.setEncoding('utf8').on('data', (text: string) => received.push(text));
  return { received, isClosed: () => closed, resume: () => response.resume(), stop: () => response.destroy() };
}

t.test('a site process serves the state, and every change and event live', async (t) => {
  const { site, urls, get, change } = await run(t);
  await eventually('it listens', () => urls.length === 1);
  t.equal((await get('/api/site')).site?.name, 'Harbour Street 12');
  const client = await stream(urls[0] ?? '');
  t.teardown(client.stop);
  change('Harbour Street 13');
  site.event(siteEvent(1));
  await eventually('both arrive', () => /Street 13[^]*$/.test(client.received.join('')));
  t.match(client.received.join(''), /event: event\ndata: .*"cursor":"3\.1"/);
  t.strictSame((await get('/api/events')).events, [siteEvent(1)]);
  t.strictSame(await get('/healthz'), { status: 'ok' });
});

t.test('a killed site process is restarted and serves the state again', async (t) => {
  const { site, urls, downs, get } = await run(t);
  await eventually('it listens', () => urls.length === 1);
  const killed = site.pid;
  process.kill(killed ?? 0, 'SIGKILL');
  await eventually('it listens again', () => urls.length === 2);
  t.not(site.pid, killed);
  t.equal(downs[0]?.code, 'ERR_GATEWAY_PART_FAILED');
  t.match(downs[0]?.message, /SIGKILL/);
  t.equal((await get('/api/site')).site?.id, 'harbour');
});

t.test('a site process that starts anew is told whom operators expelled, though no disk has it', async (t) => {
  const { dataDir, signed, self, admission, joins } = membershipScene(t);
  joins(admission(signed({ members: [self, member(1)] })));
  const listen = { host: '127.0.0.1', port: await freePort() };
  const { site, urls } = await run(t, { dataDir, mesh: { listen, discover: false, peers: {} } });
  const expelled = async () => {
    const view = (await (await fetch(new URL('/api/mesh', urls.at(-1)))).json()) as MeshView;
    return view.expelled?.map(({ name }) => name).join();
  };
  // Before it listens, too.
  site.expelled([{ key: member(1).key, heads: [] }]);
  await eventually('it listens', () => urls.length === 1);
  await eventually('it knows', async () => (await expelled()) === member(1).name);
  process.kill(site.pid ?? 0, 'SIGKILL');
  await eventually('it listens again', () => urls.length === 2);
  await eventually('it knows again', async () => (await expelled()) === member(1).name);
});

t.test('a site process that hangs costs bounded memory, loses messages countably, and catches up', async (t) => {
  const { site, urls, get, change } = await run(t);
  await eventually('it listens', () => urls.length === 1);
  process.kill(site.pid ?? 0, 'SIGSTOP');
  const detail = { text: 'x'.repeat(2_000) };
  for (let sequence = 1; sequence <= 5_000; sequence++) site.event(siteEvent(sequence, { detail }));
  t.ok(site.droppedCount >= 5_000 - SITE_BACKLOG_MAX, `${site.droppedCount} dropped`);
  change('After the hang');
  await sleep(100);
  process.kill(site.pid ?? 0, 'SIGCONT');
  const name = async () => (await get('/api/site')).site?.name;
  for (let tries = 0; tries < 500 && (await name()) !== 'After the hang'; tries++) await sleep(10);
  t.equal(await name(), 'After the hang', 'the newest state arrives');
});

t.test('a site process that hangs for good reaches nobody, and another one takes its place', async (t) => {
  const clock = new VirtualClock();
  const reached: (readonly string[])[] = [];
  const { site, urls, downs, get } = await run(t, {}, { reach: (keys) => reached.push(keys) }, clock);
  await eventually('it listens', () => urls.length === 1);
  const hung = site.pid;
  for (let count = 0; count <= UNANSWERED_MAX; count += 1) {
    await get('/api/site');
    await clock.advance(LIFE_INTERVAL_MS);
  }
  process.kill(hung ?? 0, 'SIGSTOP');
  await clock.advance(LIFE_INTERVAL_MS);
  t.same(reached, [], 'it may be late');
  await clock.advance(UNANSWERED_MAX * LIFE_INTERVAL_MS);
  t.same(reached, [[]], 'nobody is reached from then on');
  await eventually('it is ended', () => downs.length > 0);
  t.match(downs[0], { code: 'ERR_GATEWAY_PART_FAILED', message: /does not answer/ });
  await clock.advance(1_000);
  await eventually('another one listens', () => urls.length === 2);
  t.not(site.pid, hung);
  t.equal((await get('/api/site')).site?.id, 'harbour');
});

t.test(
  'a site process that is only behind is asked whether it is there, and answers when it gets to that',
  async (t) => {
    const clock = new VirtualClock();
    const { site, urls, downs, get } = await run(t, {}, { request: () => ({ kind: 'started', task: 'a1' }) }, clock);
    await eventually('it listens', () => urls.length === 1);
    const isAnswered = () => post(urls[0], '/api/commissioning/operations', OPERATION, 'K7');
    // What it says before the second one has come when that is asked.
    const isCaughtUp = async () => (await isAnswered(), await isAnswered());
    await isCaughtUp();
    process.kill(site.pid ?? 0, 'SIGSTOP');
    const detail = { text: 'x'.repeat(2_000) };
    let last = '';
    // Of the first ones the system takes some.
    for (const from of [0, 1_000]) {
      for (let sequence = from + 1; sequence <= from + 1_000; sequence++) {
        const event = siteEvent(sequence, { detail });
        const { droppedCount } = site;
        site.event(event);
        if (site.droppedCount === droppedCount) last = event.cursor;
      }
      await sleep(100);
    }
    await clock.advance((UNANSWERED_MAX + 1) * LIFE_INTERVAL_MS - 1);
    process.kill(site.pid ?? 0, 'SIGCONT');
    const hasLast = async () => (await get('/api/events')).events.some(({ cursor }) => cursor === last);
    await eventually('it has what was told', hasLast);
    await isCaughtUp();
    await clock.advance(LIFE_INTERVAL_MS);
    await isCaughtUp();
    t.strictSame(downs, []);
  },
);

t.test('a client that does not read its stream is dropped, and others are served', async (t) => {
  const { site, urls } = await run(t);
  await eventually('it listens', () => urls.length === 1);
  const slow = await stream(urls[0] ?? '', { paused: true });
  const quick = await stream(urls[0] ?? '');
  t.teardown(slow.stop);
  t.teardown(quick.stop);
  const detail = { text: 'x'.repeat(20_000) };
  const last = 600;
  for (let sequence = 1; sequence <= last; sequence++) {
    site.event(siteEvent(sequence, { detail }));
    if (sequence % 50 > 0) continue;
    const hasIt = () => quick.received.join('').includes(`"cursor":"3.${sequence}"`);
    await eventually(`the quick one has ${sequence}`, hasIt, 30_000);
  }
  t.equal(quick.isClosed(), false);
  slow.resume();
  await eventually('the slow one is closed', slow.isClosed);
});

t.test('a flood of requests is answered, and costs the field no message', async (t) => {
  const { urls, site } = await run(t);
  await eventually('it listens', () => urls.length === 1);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 50 });
  t.teardown(() => agent.destroy());
  const status = (path: string) =>
    new Promise<number>((resolve, reject) =>
      http
        .get(new URL(path, urls[0]), { agent }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode ?? 0));
        })
        .on('error', reject),
    );
  const statuses = await Promise.all(Array.from({ length: 2_000 }, () => status('/api/site')));
  t.ok(statuses.every((code) => code === 200));
  t.equal(site.droppedCount, 0);
});

t.test('a taken address is named, tried again, and served when it is free', async (t) => {
  const other = http.createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const { urls, downs } = await run(t, { port });
  await eventually('the failure is told', () => downs.length > 0);
  t.equal(downs[0]?.code, 'ERR_API_ADDRESS_TAKEN');
  await sleep(1_200);
  t.strictSame(urls, []);
  await new Promise((resolve) => other.close(resolve));
  await eventually('it listens', () => urls.length === 1);
  t.equal(downs.length, 1);
});

t.test('a stopped site process stays stopped, even one that hangs', async (t) => {
  const { site, urls, downs } = await run(t);
  await eventually('it listens', () => urls.length === 1);
  process.kill(site.pid ?? 0, 'SIGSTOP');
  await site.stop();
  t.equal(site.pid, undefined);
  await site.stop();
  t.strictSame(downs, []);
});

const OPERATION = { kind: 'identify', device: 'front' } as const;

async function post(url: string | undefined, path: string, body: unknown, secret?: string) {
  const authorization: Record<string, string> = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  const response = await fetch(new URL(path, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as { code?: string; message?: string } };
}

t.test('what a person asks for is carried to the field with its authorization, and the answer back', async (t) => {
  const asked: unknown[] = [];
  const { urls } = await run(
    t,
    {},
    {
      request: (action, authorization) => {
        asked.push([action, authorization]);
        if (authorization !== 'Bearer K7') throw new SparcError('ERR_COMMISSIONING_CODE_REFUSED', 'wrong');
        return { kind: 'started', task: 'a1' };
      },
    },
  );
  await eventually('it listens', () => urls.length === 1);
  const operations = '/api/commissioning/operations';
  t.match(await post(urls[0], operations, OPERATION, 'K7'), { status: 202, body: { task: 'a1' } });
  const refused = await post(urls[0], operations, OPERATION);
  t.equal(refused.status, 401);
  t.equal(refused.body.code, 'ERR_COMMISSIONING_CODE_REFUSED');
  const invalid = await post(urls[0], operations, { kind: 'identify', device: 'front', extra: 1 }, 'K7');
  t.equal(invalid.status, 400);
  t.match(invalid.body.message, /additional properties/);
  t.match(
    (await post(urls[0], operations, { kind: 'unlock' }, 'K7')).body.message,
    /body\/kind must be one of discover/,
  );
  const run1 = { kind: 'run', operation: OPERATION };
  t.strictSame(asked, [
    [run1, 'Bearer K7'],
    [run1, undefined],
  ]);
});

t.test('the state of commissioning is served, and every change live', async (t) => {
  let view: CommissioningView = NO_COMMISSIONING.commissioning();
  const { site, urls, get } = await run(t, {}, { commissioning: () => view });
  await eventually('it listens', () => urls.length === 1);
  t.strictSame(await get('/api/commissioning'), view);
  t.strictSame(await get('/api/buses'), { buses: [] });
  const client = await stream(urls[0] ?? '');
  t.teardown(client.stop);
  view = { ...view, window: { operator: 'Ada', endsAtUnixMs: 1_790_000_000_000 } };
  site.changed('commissioning');
  await eventually('it arrives', () => /event: commissioning\ndata: .*"operator":"Ada"/.test(client.received.join('')));
  t.strictSame(await get('/api/commissioning'), view);
});

t.test('a flood of requests for the field is held back before it reaches it', async (t) => {
  let count = 0;
  const request = () => {
    count += 1;
    throw new SparcError('ERR_COMMISSIONING_WINDOW_CLOSED', 'closed');
  };
  const { urls, downs } = await run(t, {}, { request });
  await eventually('it listens', () => urls.length === 1);
  const startMs = performance.now();
  const all = Array.from({ length: 200 }, () => post(urls[0], '/api/commissioning/operations', OPERATION, 'x'));
  const codes = (await Promise.all(all)).map(({ body }) => body.code);
  const seconds = Math.ceil((performance.now() - startMs) / 1_000) + 1;
  t.ok(codes.includes('ERR_COMMISSIONING_WINDOW_CLOSED'));
  t.ok(codes.includes('ERR_COMMISSIONING_BUSY'));
  t.ok(count <= 50 * seconds, `${count} reached the field`);
  t.strictSame(downs, []);
});
