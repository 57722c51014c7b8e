import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ESCROW_FILE } from '@sparc/edge/commissioning';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile } from '../../support/live-site-file.js';
import { eventually } from '../../support/peers.js';
import { sparc } from '../../support/sparc-command.js';
import { WIRE_CODE, type WireFrame } from '../../support/wire-monitor.js';
import { Commissioner } from './commissioner.js';

const READER = 'front-reader';
const ADDRESS = 1;
const FOUND_AT = 7;

/** A door whose reader comes from the factory, at an address that is not the planned one. */
async function scene(t: Test, factoryNew: Record<string, number>) {
  const gateway = await LiveGateway.create({ site: liveSiteFile([{ id: 'front', bus: 'bus-1' }]), factoryNew });
  t.teardown(() => gateway.remove());
  const key = join(gateway.folder, 'recovery.key');
  const made = await sparc(['site', 'recovery-key', '--out', key, '--json']);
  const { publicKey } = JSON.parse(made.stdout) as { publicKey: string };
  const config = JSON.parse(readFileSync(gateway.configPath, 'utf8')) as object;
  const share = join(gateway.folder, 'share.sealed');
  writeFileSync(gateway.configPath, JSON.stringify({ ...config, escrow: { recoveryKey: publicKey, path: share } }));
  const device = gateway.live.devices.get(READER);
  const wire = gateway.wires.get('bus-1');
  if (device === undefined || wire === undefined) throw new Error('no reader');
  let passagesCount = 0;
  const opens = async () => {
    // A new session has to hear an empty poll before it knows how old a card is.
    await gateway.online([READER]);
    // The same card again would be a repetition.
    await gateway.released('front', `card-${++passagesCount}`);
    await eventually('the door locks', () => !gateway.lock('front').released);
  };
  return { gateway, person: new Commissioner(gateway), device, wire, share, key, opens };
}

t.test(
  'a reader from the factory is found, moved, given a key, and opens its door; a replacement gateway takes it over',
  async (t) => {
    const { gateway, person, device, share, key, opens } = await scene(t, { [READER]: FOUND_AT });
    await gateway.startOnline({}, ['io-bus-1']);
    await person.open();
    t.equal(await person.keyState(READER), 'none');
    const discovery = await person.run({ kind: 'discover', bus: 'bus-1', addresses: [0, 1, 2, FOUND_AT] });
    t.equal(discovery.state, 'done', JSON.stringify(discovery.error));
    t.match(
      discovery.found?.find(({ address }) => address === FOUND_AT),
      { conflict: false, secureChannel: true },
    );
    t.match(
      discovery.found?.find(({ address }) => address === 0),
      { device: 'io-bus-1' },
    );
    const { baudRate } = discovery.found?.find(({ address }) => address === FOUND_AT) ?? { baudRate: 9_600 };
    const place = { bus: 'bus-1', address: FOUND_AT, baudRate } as const;
    t.equal((await person.run({ kind: 'identifyFound', ...place } as never)).state, 'done');
    const moved = await person.run({ kind: 'setAddress', ...place, newAddress: ADDRESS } as never);
    t.equal(moved.state, 'done', JSON.stringify(moved.error));
    t.equal(device.memory.address, ADDRESS);

    const capture = await person.begin({ kind: 'capture', bus: 'bus-1', seconds: 60 });
    const given = await person.run({ kind: 'setKey', device: READER });
    t.equal(given.state, 'done', JSON.stringify(given.error));
    await gateway.online([READER]);
    t.equal(await person.keyState(READER), 'proven');
    await opens();
    const first = Buffer.from(device.memory.scbk ?? []).toString('hex');
    const again = await person.run({ kind: 'setKey', device: READER });
    t.equal(again.state, 'done', JSON.stringify(again.error));
    t.not(Buffer.from(device.memory.scbk ?? []).toString('hex'), first, 'inside its session it gets another one');
    await opens();
    await person.run({ kind: 'cancel', task: capture });
    const name = (await person.ended(capture)).file ?? '';
    const captured = readFileSync(join(gateway.dataDir, name), 'utf8');
    t.match(captured, /"io":"output","data":"53 01 .* 75 /, 'the capture has KEYSET');
    t.equal(statSync(join(gateway.dataDir, name)).mode & 0o777, 0o600);

    const scbk = Buffer.from(device.memory.scbk ?? []).toString('hex');
    for (const text of [gateway.logText, JSON.stringify(gateway.events), JSON.stringify(await person.view())]) {
      t.notMatch(text, scbk, 'no key is told');
    }
    const names = gateway.events.map((event) => event.name);
    for (const expected of [
      'commissioning.opened',
      'commissioning.started',
      'commissioning.ended',
      'key.changed',
      'escrow.written',
    ]) {
      t.ok(names.includes(expected), expected);
    }

    await gateway.end('SIGKILL');
    t.strictSame(readFileSync(share), readFileSync(join(gateway.dataDir, ESCROW_FILE)));
    for (const file of readdirSync(gateway.folder)) {
      if (/^(data|keys\.json)$/.test(file)) rmSync(join(gateway.folder, file), { recursive: true });
    }
    writeFileSync(
      gateway.configPath,
      readFileSync(gateway.configPath, 'utf8').replace('"osdpKeysFile":"./keys.json",', ''),
    );
    const restored = await gateway.sparc('site', 'restore', share, '--recovery-key', key);
    t.equal(restored.exitCode, 0, restored.stderr);
    await gateway.apply(gateway.site);
    await gateway.startOnline();
    await opens();
    t.ok(await gateway.event(({ name: event }) => event === 'escrow.restored', 'the restore is on record'));
    t.equal(Buffer.from(device.memory.scbk ?? []).toString('hex'), scbk, 'the reader was not touched');
  },
);

/** Where on the wire the gateway is killed, counted from the start of the ceremony. */
const KILLS: Readonly<Record<string, (frame: WireFrame, sinceKeySet: boolean) => boolean>> = {
  'before KEYSET': ({ code, reply }) => code === WIRE_CODE.poll && !reply,
  'at KEYSET': ({ code }) => code === WIRE_CODE.keySet,
  'at its ACK': ({ code, reply }, sinceKeySet) => sinceKeySet && reply && code === WIRE_CODE.ack,
  'at the handshake': ({ code }, sinceKeySet) => sinceKeySet && code === WIRE_CODE.challenge,
  'at the proof': ({ code }, sinceKeySet) => sinceKeySet && code === WIRE_CODE.initialRMac,
};

t.test('a gateway that is killed anywhere in the ceremony comes back with a key that opens', async (t) => {
  const { gateway, person, device, wire, opens } = await scene(t, {});
  await gateway.startOnline();

  /** Resolves when the gateway is dead. */
  const killedAt = async (when: string) => {
    const isTime = KILLS[when];
    let sinceKeySet = false;
    const killed = new Promise<void>((resolve) => {
      wire.onFrame = (frame) => {
        if (frame.address !== ADDRESS || isTime === undefined) return;
        const now = isTime(frame, sinceKeySet);
        sinceKeySet ||= frame.code === WIRE_CODE.keySet;
        if (!now) return;
        wire.onFrame = () => undefined;
        process.kill(gateway.pid, 'SIGKILL');
        resolve();
      };
    });
    void person.begin({ kind: 'setKey', device: READER }).catch(() => undefined);
    await killed;
    await gateway.ended();
  };

  for (const when of Object.keys(KILLS)) {
    await person.open();
    await killedAt(when);
    await gateway.startOnline();
    await opens();
    t.pass(`inside a session, ${when}`);
  }

  for (const when of ['at KEYSET', 'at its ACK']) {
    device.factoryReset({ address: ADDRESS, baudRate: device.memory.baudRate });
    await eventually('it is known as lost', async () => (await person.keyState(READER)) === 'lost');
    await person.open();
    await killedAt(when);
    const hasKey = device.memory.scbk !== undefined;
    await gateway.startOnline({}, hasKey ? undefined : ['io-bus-1']);
    if (!hasKey) {
      await eventually('it is known as lost', async () => (await person.keyState(READER)) === 'lost');
      await person.open();
      const given = await person.run({ kind: 'setKey', device: READER });
      t.equal(given.state, 'done', JSON.stringify(given.error));
    }
    await opens();
    t.pass(`under SCBK-D, ${when}, the reader ${hasKey ? 'with' : 'without'} its key`);
  }
  t.ok(gateway.events.some(({ name, deviceId }) => name === 'key.lost' && deviceId === READER));
  t.ok(gateway.events.some(({ name, deviceId }) => name === 'reader.tamper' && deviceId === READER));
  t.ok(existsSync(join(gateway.dataDir, ESCROW_FILE)));
});
