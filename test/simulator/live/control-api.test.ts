import { buildControlApi, demoSite, LIVE_BAUD_RATE, LiveSite } from '@sparc/simulator/live';
import { FACTORY_MEMORY, READER_QUIRK_NAMES } from '@sparc/simulator/devices';
import t, { type Test } from 'tap';

const ORIGIN = 'http://127.0.0.1:8080';

function apiOf(t: Test) {
  const site = demoSite('UTC');
  const keys = new Map(site.devices.map(({ id }) => [id, new Uint8Array(16).fill(7)]));
  const live = new LiveSite({ site, keys, folder: '', kind: 'tcp', onLineEnd: (error) => t.fail(error.message) });
  const api = buildControlApi(live, [ORIGIN]);
  t.teardown(() => api.close());
  const call = async (method: 'GET' | 'POST' | 'OPTIONS', url: string, payload?: object, headers: object = {}) => {
    const response = await api.inject({
      method,
      url,
      headers: { host: '127.0.0.1:9000', ...headers },
      ...(payload && { payload }),
    });
    return {
      status: response.statusCode,
      headers: response.headers,
      body: response.body === '' ? {} : response.json(),
    };
  };
  return { live, call };
}

t.test('the state shows doors, readers, devices and the cards people carry', async (t) => {
  const { call } = apiOf(t);
  const { body } = await call('GET', '/site');
  t.same(
    body.doors.map(({ id }: { id: string }) => id),
    ['main', 'garden', 'server', 'warehouse'],
  );
  t.equal(body.cards.length, 200);
  t.same(body.cards[3], { id: 'card-dmitri.dubois', name: 'Dmitri Dubois (lost; always-in)' });
  t.same(body.readers[0].led, { color: 'off', offColor: 'off', blinking: false, temporary: false });
});

t.test('a locked door does not open, by force it does, held it stays open', async (t) => {
  const { live, call } = apiOf(t);
  const refused = await call('POST', '/doors/main/open', {});
  t.same([refused.status, refused.body.code], [409, 'ERR_SIMULATOR_DOOR_LOCKED']);
  t.equal((await call('POST', '/doors/main/force', {})).status, 204);
  t.equal((await call('POST', '/doors/main/hold', {})).status, 204);
  t.same([live.doors.get('main')?.open, live.doors.get('main')?.held], [true, true]);
  t.equal((await call('POST', '/doors/main/close', {})).status, 204);
  t.equal(live.doors.get('main')?.open, false);
  t.equal((await call('POST', '/doors/main/exit-button', {})).status, 204);
  t.equal(live.doors.get('main')?.exitPressed, true);
});

t.test('cards are presented by id, by facility and number, or as bits', async (t) => {
  const { call } = apiOf(t);
  const present = async (body: object) => (await call('POST', '/readers/main-in/card', body)).status;
  t.equal(await present({ cardId: 'card-ada.almeida' }), 204);
  t.equal(await present({ facility: 42, number: 1000 }), 204);
  t.equal(await present({ bitCount: 56, bits: '04a1b2c3d4e5f6' }), 204);
  t.equal(await present({ cardId: 'nobody' }), 404);
  t.equal(await present({ facility: 256, number: 1 }), 400);
  t.equal(await present({ cardId: 'card-ada.almeida', more: 1 }), 400);
});

t.test('keys, tamper and power cycles reach the reader', async (t) => {
  const { live, call } = apiOf(t);
  t.equal((await call('POST', '/readers/server-in/keys', { keys: '12*#' })).status, 204);
  t.equal((await call('POST', '/readers/server-in/keys', { keys: 'abc' })).status, 400);
  t.equal((await call('POST', '/readers/server-in/tamper', {})).status, 204);
  t.equal(live.readers.get('server-in')?.device.tampered, true);
  t.equal((await call('POST', '/readers/server-in/power-cycle', {})).status, 204);
  t.equal(live.readers.get('server-in')?.device.powered, false);
  t.equal((await call('POST', '/readers/nowhere/tamper', {})).status, 404);
});

t.test('a device is reset to the factory, and forgets its key and its address', async (t) => {
  const { live, call } = apiOf(t);
  t.equal((await call('POST', '/devices/main-in-reader/factory-reset', {})).status, 204);
  t.same(live.devices.get('main-in-reader')?.memory, { ...FACTORY_MEMORY, baudRate: LIVE_BAUD_RATE });
  t.match((await call('GET', '/site')).body.devices[1], { id: 'main-in-reader', keyed: false, address: 0 });
  t.equal((await call('POST', '/devices/main-in-reader/factory-reset', { address: 12 })).status, 204);
  t.equal(live.devices.get('main-in-reader')?.memory.address, 12, 'where its switches say so');
  t.equal((await call('POST', '/devices/nothing/factory-reset', {})).status, 404);
});

t.test('readers take quirks, cables and lines take faults, and all of it is shown', async (t) => {
  const { live, call } = apiOf(t);
  const { body: choices } = await call('GET', '/faults');
  t.same(Object.keys(choices.quirks), READER_QUIRK_NAMES);
  const post = async (url: string, body: object) => (await call('POST', url, body)).status;
  t.equal(await post('/devices/main-in-reader/quirks', { quirks: ['busyOften', 'shortPdid'] }), 204);
  t.equal(await post('/devices/main-in-reader/quirks', { quirks: ['politeness'] }), 400);
  const cable = { connected: false, crossed: true, faults: { corrupt: 0.1 } };
  t.equal(await post('/devices/main-in-reader/cable', cable), 204);
  t.equal(await post('/lines/bus-2/faults', { faults: { drop: 0.5 }, condition: 'stuckMark' }), 204);
  t.equal(await post('/lines/bus-2/faults', { faults: { drop: 2 } }), 400);
  t.equal(await post('/lines/bus-9/faults', {}), 404);
  const { body } = await call('GET', '/site');
  t.match(body.devices[1], { id: 'main-in-reader', quirks: ['busyOften', 'shortPdid'], ...cable });
  t.same(body.lines[1], { id: 'bus-2', faults: { drop: 0.5 }, condition: 'stuckMark' });
  t.equal(await post('/lines/bus-2/faults', { faults: {}, condition: null }), 204);
  t.equal(live.lines.get('bus-2')?.condition, undefined);
});

t.test('only the console may use it, and only at a loopback host', async (t) => {
  const { call } = apiOf(t);
  const allowed = await call('GET', '/site', undefined, { origin: ORIGIN });
  t.equal(allowed.headers['access-control-allow-origin'], ORIGIN);
  const preflight = await call('OPTIONS', '/doors/main/open', undefined, { origin: ORIGIN });
  t.equal(preflight.status, 204);
  t.equal((await call('GET', '/site', undefined, { origin: 'http://elsewhere.example' })).status, 403);
  t.equal((await call('GET', '/site', undefined, { host: 'elsewhere.example' })).status, 403);
});
