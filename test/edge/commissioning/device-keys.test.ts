import t, { type Test } from 'tap';
import { DeviceKeys, KeyStore, type KeysInUse } from '@sparc/edge/commissioning';
import { nodeRandom } from '@sparc/edge/platform';
import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { EventRecord } from '@sparc/protocol/events';
import { eventually } from '../../support/peers.js';
import { scratch } from './commissioning-scene.js';

const BROUGHT = Uint8Array.from({ length: 16 }, (_, index) => 0x10 + index);
const UNTIL_MS = 5_000;

async function scene(t: Test, options: { readonly trouble?: ErrorCode; readonly escrow?: () => Promise<void> } = {}) {
  const dataDir = scratch(t);
  const events: EventRecord[] = [];
  const sent: Uint8Array[] = [];
  const used: (KeysInUse | undefined)[] = [];
  const steps: string[] = [];
  const failures: unknown[] = [];
  const store = KeyStore.load(dataDir, nodeRandom);
  const keys: DeviceKeys = new DeviceKeys(
    {
      random: nodeRandom,
      store,
      line: {
        sendKey: async (_deviceId, scbk) => {
          sent.push(scbk);
          return options.trouble;
        },
        configure: (deviceId) => used.push(keys.keysInUse(deviceId)),
      },
      escrow: options.escrow ?? (async () => undefined),
      record: (event) => events.push(event),
      onStoreFailure: (error) => failures.push(error),
      onChange: () => undefined,
    },
    new Map([['front', BROUGHT]]),
  );
  const abort = new AbortController();
  const change = (deviceId: string, path: 'session' | 'install') =>
    keys.change(deviceId, path, { signal: abort.signal, untilMs: UNTIL_MS, report: (step) => steps.push(step) });
  const onDisk = (deviceId: string) => KeyStore.load(dataDir, nodeRandom).devices.get(deviceId);
  return { keys, events, sent, used, steps, failures, abort, change, onDisk };
}

t.test('a key that people brought is used until the gateway has given the device one of its own', async (t) => {
  const { keys, events, sent, steps, change, onDisk } = await scene(t);
  t.equal(keys.stateOf('front'), 'proven');
  t.strictSame(keys.keysInUse('front'), { mode: 'required', scbk: BROUGHT });
  const changed = change('front', 'session');
  await eventually('it is sent', () => sent.length === 1);
  const [next = BROUGHT] = sent;
  t.not(Buffer.from(next).toString('hex'), Buffer.from(BROUGHT).toString('hex'));
  t.strictSame(onDisk('front'), { current: BROUGHT, next }, 'both are on disk before one is sent');
  t.strictSame(keys.keysInUse('front'), { mode: 'required', scbk: next, formerScbk: BROUGHT });
  t.equal(keys.stateOf('front'), 'changing');
  keys.proven('front', next);
  await changed;
  t.strictSame(events, [{ name: 'key.changed', deviceId: 'front' }]);
  t.strictSame(keys.keysInUse('front'), { mode: 'required', scbk: next });
  await eventually('the old one goes', () => onDisk('front')?.next === undefined);
  t.strictSame(onDisk('front'), { current: next });
  t.strictSame(steps, ['storing the new key', 'sending the new key', 'waiting for the device to show its key']);
});

t.test('a device in its factory state is on the bus under SCBK-D until the window ends, and no longer', async (t) => {
  const { keys, used, abort, change, onDisk } = await scene(t);
  t.equal(keys.keysInUse('spare'), undefined);
  const changed = change('spare', 'install');
  await eventually('the bus may install', () => used.length === 1);
  t.match(used[0], { mode: 'install', untilMs: UNTIL_MS });
  abort.abort(new SparcError('ERR_COMMISSIONING_WINDOW_CLOSED', 'over'));
  await t.rejects(changed, { code: 'ERR_COMMISSIONING_WINDOW_CLOSED' });
  t.match(used[1], { mode: 'required' });
  t.equal(keys.stateOf('spare'), 'changing');
  t.ok(onDisk('spare')?.next, 'it may have been sent: it is held');
});

t.test('nothing is sent when the key cannot be sealed', async (t) => {
  const { keys, sent, failures, change, onDisk } = await scene(t, {
    escrow: () => Promise.reject(new SparcError('ERR_ESCROW_WRITE_FAILED', 'the share is away')),
  });
  await t.rejects(change('spare', 'install'), { code: 'ERR_ESCROW_WRITE_FAILED' });
  t.strictSame(sent, []);
  t.equal(keys.keysInUse('spare'), undefined);
  t.equal(keys.stateOf('spare'), 'none');
  await eventually('no trace is left', () => failures.length === 1);
  t.equal(onDisk('spare')?.next, undefined);
});

t.test('a refused KEYSET is looked into, and the old key stays the key', async (t) => {
  const { keys, events, used, change, onDisk } = await scene(t, { trouble: 'ERR_OSDP_NAK' });
  const changed = change('front', 'session');
  await eventually('a new session is asked for', () => used.length === 1);
  keys.proven('front', BROUGHT);
  await t.rejects(changed, { code: 'ERR_OSDP_NAK', message: /old key still/ });
  t.strictSame(events, [{ name: 'key.unchanged', deviceId: 'front', code: 'ERR_OSDP_NAK' }]);
  t.equal(keys.stateOf('front'), 'proven');
  await eventually('the new one goes', () => onDisk('front')?.next === undefined);
  t.strictSame(onDisk('front'), { current: BROUGHT });
});

t.test('a device that refuses both keys is lost, recorded once, and may be given a key under SCBK-D', async (t) => {
  const { keys, events, sent, change } = await scene(t);
  t.notOk(keys.mayInstall('front'));
  const changed = change('front', 'session');
  await eventually('it is sent', () => sent.length === 1);
  await new Promise((resolve) => setImmediate(resolve));
  keys.refused('front');
  keys.refused('front');
  await t.rejects(changed, { code: 'ERR_OSDP_KEY_REJECTED' });
  t.strictSame(
    events.map(({ name }) => name),
    ['key.lost'],
  );
  t.equal(keys.stateOf('front'), 'lost');
  t.ok(keys.mayInstall('front'));
});
