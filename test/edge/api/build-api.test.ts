import t from 'tap';
import { NO_DELIVERY, type DeliveryView, type DirectiveView } from '@sparc/protocol/delivery';
import { SparcError, ERRORS } from '@sparc/protocol/errors';
import type { AppendedEntry } from '@sparc/protocol/ports';
import { MESH_OFF, type ListedEvent, type MeshView, type SiteEvent } from '@sparc/edge/api';
import { NO_PLACES } from '@sparc/edge/policy';
import {
  buildApi,
  EventLog,
  EventStreams,
  FieldRequests,
  JournalHistory,
  SiteState,
  type DeliveryViews,
  type EventRange,
} from '@sparc/edge/api/server';
import { VirtualClock } from '@sparc/simulator/world';
import { emptyJournal, writeJournal } from '../../support/journal.js';
import { siteEvent, siteSnapshot } from '../../support/site-fixture.js';

const NOTHING_DELIVERED: DeliveryViews = { delivery: () => NO_DELIVERY, directive: () => undefined };

function setUp(
  history: (range: EventRange) => readonly ListedEvent[] = () => [],
  mesh: MeshView = MESH_OFF,
  delivery = NOTHING_DELIVERED,
) {
  const clock = new VirtualClock();
  const state = new SiteState(clock, 'http://127.0.0.1:9000');
  const log = new EventLog({ read: history });
  const streams = new EventStreams(clock);
  const requests = new FieldRequests(clock, () => undefined);
  const api = buildApi({
    state,
    log,
    streams,
    requests,
    mesh: () => mesh,
    delivery,
    places: () => NO_PLACES,
    logLevel: 'silent',
    simulatorUrl: 'http://127.0.0.1:9000',
  });
  const get = (url: string, headers: Record<string, string> = {}) =>
    api.inject({ url, headers: { host: '127.0.0.1:8080', ...headers } });
  return { clock, state, log, api, get };
}

const cursorOf = (entry: AppendedEntry | undefined) => `${entry?.id.epoch}.${entry?.id.sequence}`;

t.test('the state of the site is given whole', async (t) => {
  const { state, get } = setUp();
  const snapshot = siteSnapshot();
  state.apply({ kind: 'snapshot', snapshot });
  const response = await get('/api/site');
  t.equal(response.statusCode, 200);
  t.strictSame(response.json(), { ...snapshot, simulatorUrl: 'http://127.0.0.1:9000', droppedCount: 0 });
});

t.test('what is known of the mesh is given whole, also where nothing is', async (t) => {
  t.strictSame((await setUp().get('/api/mesh')).json(), MESH_OFF);
  const [HALLWAY, GATE] = ['ab'.repeat(32), 'ac'.repeat(32)] as const;
  const head = {
    site: 'harbour',
    author: HALLWAY,
    epoch: { counter: 2, random: '00'.repeat(8) },
    sequence: 7,
    hash: 'cd'.repeat(32),
    signature: 'ef'.repeat(64),
  };
  const view: MeshView = {
    state: 'running',
    trouble: { code: 'ERR_MESH_OTHER_SITE', message: 'why' },
    roster: { site: 'harbour', epoch: 3, issuedUnixMs: 1, notAfterUnixMs: 2 },
    listensAt: ['10.0.0.5:7400'],
    members: [
      { key: HALLWAY, name: 'hallway', addresses: ['10.0.0.5:7400'], isSelf: true, isReached: true, hears: [GATE] },
      {
        key: GATE,
        name: 'gate',
        addresses: [],
        isSelf: false,
        isReached: true,
        hereSinceUnixMs: 5,
        awaySinceUnixMs: 4,
        roundTripMs: 0.4,
        clockAheadMs: 12,
        hears: [HALLWAY],
        ownMissingCount: 3,
      },
    ],
    partitions: [[HALLWAY, GATE]],
    logs: [{ author: HALLWAY, name: 'hallway', heads: [head], behindCount: 2, full: 'disk' }],
    own: { replicasCount: 1, unreplicatedCount: 3, unreplicatedSinceUnixMs: 4 },
    forks: [{ kind: 'setBack', first: head, second: { ...head, sequence: 9 } }],
    expelled: [{ key: 'ad'.repeat(32), name: 'gate', heads: [head] }],
    operators: [{ key: 'ae'.repeat(32), name: 'Ada', rights: ['revoke'], scope: [], untilUnixMs: 9 }],
    policy: {
      inForce: { number: 3, issuedUnixMs: 6 },
      newest: { number: 4, issuedUnixMs: 7, knownSinceUnixMs: 8 },
      partsMissingCount: 2,
      rejected: { number: 4, code: 'ERR_POLICY_INVALID' },
    },
  };
  t.strictSame((await setUp(undefined, view).get('/api/mesh')).json(), view);
});

t.test('what the logs prove of each gateway is given whole, and of one directive alone', async (t) => {
  const [gateway, id] = ['ab'.repeat(32), '0f'.repeat(16)] as const;
  const directive: DirectiveView = {
    id,
    kind: 'raise',
    detail: { what: 'lockdown' },
    operator: { key: 'cd'.repeat(32), name: 'Ada' },
    issuedUnixMs: 1,
    given: { gateway, name: 'hallway', cursor: '3.4', atUnixMs: 2 },
    answeredBy: 'all',
    gateways: [
      { gateway, name: 'hallway', isReached: true, state: 'refused', atUnixMs: 3, cursor: '3.5', code: 'ERR_X' },
      { gateway: 'ac'.repeat(32), name: 'gate', isReached: false, state: 'unheard' },
    ],
  };
  const view: DeliveryView = {
    isComplete: true,
    gateways: [
      {
        key: gateway,
        name: 'hallway',
        isSelf: true,
        isReached: true,
        newest: { cursor: '3.5', atUnixMs: 3 },
        startedUnixMs: 1,
        buses: ['bus-a'],
        policy: { revision: '12-00112233aabbccdd', number: 12, sinceUnixMs: 2 },
        revocation: { number: 7, sinceUnixMs: 3 },
        directives: { appliedCount: 1, refusedCount: 0, unheardCount: 1, unheardSinceUnixMs: 2 },
        clock: { quality: 'holdover', errorMs: 1_500, aheadMs: -20 },
      },
    ],
    directives: [directive],
  };
  const { get } = setUp(undefined, MESH_OFF, {
    delivery: () => view,
    directive: (asked) => (asked === id ? directive : undefined),
  });
  t.strictSame((await get('/api/delivery')).json(), view);
  t.strictSame((await get(`/api/directives/${id}`)).json(), directive);
  const unknown = await get(`/api/directives/${'00'.repeat(16)}`);
  t.strictSame([unknown.statusCode, unknown.json().code], [404, 'ERR_API_DIRECTIVE_UNKNOWN']);
  t.equal((await get('/api/directives/..%2fsecret')).statusCode, 400);
});

t.test('Prometheus is answered before the field has said anything, and after', async (t) => {
  const { clock, state, get } = setUp();
  const first = await get('/metrics');
  t.match(first.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  t.match(first.body, /^sparc_field_up 0$/m);
  state.apply({ kind: 'snapshot', snapshot: siteSnapshot() });
  t.match((await get('/metrics')).body, /^sparc_field_up 1$[^]*^sparc_doors\{mode="locked"\} 2$/m);
  await clock.advance(60_000);
  t.match((await get('/metrics')).body, /^sparc_field_up 0$/m, 'silent for a minute');
});

t.test('before the first snapshot the API says that it is starting, and what to do', async (t) => {
  const { get } = setUp();
  for (const url of ['/api/site', '/healthz', '/api/stream']) {
    const response = await get(url);
    t.equal(response.statusCode, 503);
    t.equal(response.json().code, 'ERR_API_STARTING');
    t.equal(response.json().action, ERRORS.ERR_API_STARTING.action);
  }
});

t.test('a gateway that falls silent makes the API unhealthy, and healthy again when it speaks', async (t) => {
  const { clock, state, get } = setUp();
  state.apply({ kind: 'snapshot', snapshot: siteSnapshot() });
  t.strictSame((await get('/healthz')).json(), { status: 'ok' });
  await clock.advance(15_001);
  t.equal((await get('/healthz')).json().code, 'ERR_API_FIELD_SILENT');
  state.apply({ kind: 'health', droppedCount: 0, time: undefined, timeInUse: undefined });
  t.equal((await get('/healthz')).statusCode, 200);
});

t.test('events come from memory while it reaches back far enough, else from the journal', async (t) => {
  const asked: EventRange[] = [];
  const { log, get } = setUp((range) => {
    asked.push({ ...range });
    return [siteEvent(1)];
  });
  for (const sequence of [10, 11, 12]) log.push(siteEvent(sequence));
  const cursors = async (query: string) =>
    (await get(`/api/events?${query}`)).json().events.map(({ cursor }: SiteEvent) => cursor);
  t.strictSame(await cursors('limit=2'), ['3.11', '3.12']);
  t.strictSame(await cursors('after=3.10'), ['3.11', '3.12']);
  t.strictSame(await cursors('after=3.9&limit=1'), ['3.10'], 'nothing lies between the cursor and the oldest here');
  t.strictSame(asked, []);
  t.strictSame(await cursors('limit=5'), ['3.1', '3.10', '3.11', '3.12']);
  t.strictSame(await cursors('after=3.5&limit=7'), ['3.1']);
  t.strictSame(await cursors('before=3.10&limit=7'), ['3.1']);
  t.strictSame(asked, [
    { limit: 2, before: '3.10' },
    { after: '3.5', limit: 7 },
    { before: '3.10', limit: 7 },
  ]);
  log.push(siteEvent(20));
  t.strictSame(await cursors('after=3.12&limit=7'), ['3.1'], 'a gap sends the question to the journal');
});

t.test('events of earlier runs are read from the journal on disk', async (t) => {
  const dataDir = t.testdir({});
  const first = await writeJournal(dataDir, 5);
  const second = await writeJournal(dataDir, 5);
  const history = new JournalHistory(dataDir);
  const doors = (range: EventRange) =>
    history.read(range).map((event) => ('doorId' in event ? event.doorId : undefined));
  t.strictSame(doors({ limit: 3 }), ['door-2', 'door-3', 'door-4']);
  const before = cursorOf(second[0]);
  t.strictSame(doors({ limit: 2, before }), ['door-4'], 'the entry that opens an epoch is no event');
  t.strictSame(doors({ limit: 100, before }), ['door-0', 'door-1', 'door-2', 'door-3', 'door-4']);
  t.equal(history.read({ limit: 100, before })[0]?.cursor, cursorOf(first[0]));
  t.strictSame(doors({ limit: 2, after: before }), ['door-1', 'door-2']);
  t.strictSame(new JournalHistory(`${dataDir}/nothing`).read({ limit: 3 }), []);
});

t.test('of an event that was emptied is given when it was, and the way to older ones', async (t) => {
  const dataDir = t.testdir({});
  const old = await writeJournal(dataDir, 2);
  const [first] = await writeJournal(dataDir, 1);
  t.equal(emptyJournal(dataDir, { epoch: 1, sequence: 3 }), 1);
  const { get } = setUp((range) => new JournalHistory(dataDir).read(range));
  const events = async (query: string) => (await get(`/api/events?${query}`)).json().events;
  const emptied = old.map((entry) => ({
    cursor: cursorOf(entry),
    atUnixMs: entry.wallUnixMs,
    timeQuality: entry.timeQuality,
    name: 'emptied',
    severity: 'info',
  }));
  t.strictSame(await events(`before=${cursorOf(first)}`), emptied);
  t.match(await events('limit=10'), [...emptied, { name: 'door.opened', doorId: 'door-0' }]);
});

t.test('an event is given with all it says', async (t) => {
  const { log, get } = setUp();
  const event = siteEvent(5, {
    name: 'access.denied',
    severity: 'notice',
    reason: 'outside_schedule',
    alsoFailed: ['pin_required'],
    flags: ['expired'],
    cause: '3.4',
    code: 'ERR_OSDP_LINE_DOWN',
    detail: { lateMs: '12' },
    busId: 'bus-a',
    deviceId: 'reader-1',
  });
  log.push(event);
  t.strictSame((await get('/api/events?limit=1')).json().events, [event]);
});

t.test('a parameter out of range is refused with its name', async (t) => {
  const { get } = setUp();
  for (const query of ['limit=0', 'limit=501', 'limit=x', 'after=1', 'after=1.x', 'after=1.2&before=1.3', 'foo=1']) {
    const response = await get(`/api/events?${query}`);
    t.equal(response.statusCode, 400, query);
    t.equal(response.json().code, 'ERR_API_REQUEST_INVALID', query);
  }
});

t.test('a journal that cannot be read is named, and a defect gives nothing away', async (t) => {
  const broken = setUp(() => {
    throw new SparcError('ERR_LEDGER_STOPPED', 'the journal is closed');
  });
  t.equal((await broken.get('/api/events')).json().code, 'ERR_LEDGER_STOPPED');
  const defect = setUp(() => {
    throw new Error('secret detail');
  });
  const response = await defect.get('/api/events');
  t.equal(response.statusCode, 500);
  t.equal(response.json().code, 'ERR_API_INTERNAL');
  t.notMatch(response.body, /secret detail/);
});

t.test('what is not there is refused by a stable code', async (t) => {
  const { api, get } = setUp();
  t.equal((await get('/api/nothing')).json().code, 'ERR_API_NOT_FOUND');
  t.equal((await get('/..%2f..%2fpackage.json')).json().code, 'ERR_API_NOT_FOUND');
  const post = await api.inject({ method: 'POST', url: '/api/site', headers: { host: 'localhost' } });
  t.equal(post.json().code, 'ERR_API_NOT_FOUND');
  t.equal((await get('/%')).json().code, 'ERR_API_REQUEST_INVALID');
});

t.test('only loopback names are served, with any port', async (t) => {
  const { state, get } = setUp();
  state.apply({ kind: 'snapshot', snapshot: siteSnapshot() });
  for (const host of ['localhost', 'localhost:81', '127.0.0.1:8080', '127.1.2.3', '[::1]:8080']) {
    t.equal((await get('/api/site', { host })).statusCode, 200, host);
  }
  for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:8080', '10.0.0.1', '[::2]']) {
    const response = await get('/api/site', { host });
    t.equal(response.statusCode, 403, host);
    t.equal(response.json().code, 'ERR_API_HOST_REFUSED');
  }
});

t.test('every answer carries the security headers, and none opens the API to other origins', async (t) => {
  const { get } = setUp();
  for (const url of ['/', '/api/site', '/api/events', '/nothing', '/%']) {
    const { headers } = await get(url, { origin: 'http://evil.example' });
    const policy = String(headers['content-security-policy']);
    t.match(policy, "default-src 'none'", url);
    t.match(policy, "connect-src 'self' http://127.0.0.1:9000", url);
    t.match(policy, "frame-ancestors 'none'", url);
    t.equal(headers['x-content-type-options'], 'nosniff', url);
    t.equal(headers['access-control-allow-origin'], undefined, url);
  }
});

t.test('the console is served with an entity tag and answers a repeated request briefly', async (t) => {
  const { get } = setUp();
  const page = await get('/');
  t.match(page.headers['content-type'], 'text/html');
  t.match(page.body, /<script type="module" src="console.js">/);
  t.match((await get('/console.js')).headers['content-type'], 'text/javascript');
  const again = await get('/', { 'if-none-match': String(page.headers['etag']) });
  t.equal(again.statusCode, 304);
  t.equal(again.body, '');
});

t.test('the catalogue explains every error, event and reason', async (t) => {
  const { get } = setUp();
  const catalogue = (await get('/api/catalogue')).json();
  t.strictSame(catalogue.errors, ERRORS);
  t.equal(catalogue.reasons.no_right, 'no right here');
  t.equal(catalogue.events['door.forced'].severity, 'alarm');
});
