import { chmodSync, closeSync, openSync } from 'node:fs';
import t from 'tap';
import { SerialLink, type SerialLinkOptions } from '@sparc/firmware-bridges/osdp';
import { eventually, PtyPair, SKIP_WITHOUT_SOCAT } from '../../support/peers.js';
import { systemClock } from '../../support/system-clock.js';
import { byteLinkContract, LinkWitness } from './byte-link-contract.js';

byteLinkContract(
  'serial line over a pseudo-terminal',
  async () => {
    const pair = await PtyPair.create();
    const farEnd = new SerialLink(systemClock, { path: pair.b, baudRate: 9_600 });
    const heard = new LinkWitness();
    farEnd.start(heard);
    return {
      link: new SerialLink(systemClock, { path: pair.a, baudRate: 9_600 }),
      received: () => Uint8Array.from(heard.data),
      send: (bytes) => farEnd.write(bytes),
      cut: () => pair.unplug(),
      restore: async () => {
        const opens = heard.opens;
        await pair.plug();
        await eventually('the far end is open again', () => heard.opens > opens);
      },
      dispose: async () => {
        await farEnd.stop();
        await pair.remove();
      },
    };
  },
  { skip: SKIP_WITHOUT_SOCAT },
);

async function firstReason(options: SerialLinkOptions): Promise<string> {
  const witness = new LinkWitness();
  const link = new SerialLink(systemClock, options);
  link.start(witness);
  await eventually('a reason is given', () => witness.downs.length > 0);
  await link.stop();
  return witness.downs[0]?.code ?? '';
}

t.test('a path that does not exist is a missing device', async (t) => {
  t.equal(
    await firstReason({ path: `${import.meta.dirname}/no-such-device`, baudRate: 9_600 }),
    'ERR_BUS_DEVICE_MISSING',
  );
});

t.test('a file, and a device without a line discipline, are no serial devices', async (t) => {
  t.equal(await firstReason({ path: import.meta.filename, baudRate: 9_600 }), 'ERR_BUS_DEVICE_NOT_SERIAL');
  t.equal(await firstReason({ path: '/dev/null', baudRate: 9_600 }), 'ERR_BUS_DEVICE_NOT_SERIAL');
});

t.test(
  'a device that another program holds is busy, and is opened when it is let go',
  { skip: SKIP_WITHOUT_SOCAT },
  async (t) => {
    const pair = await PtyPair.create();
    t.teardown(() => pair.remove());
    const holder = new SerialLink(systemClock, { path: pair.a, baudRate: 9_600 });
    const held = new LinkWitness();
    holder.start(held);
    await eventually('the holder has it', () => held.opens === 1);
    const witness = new LinkWitness();
    const link = new SerialLink(systemClock, { path: pair.a, baudRate: 9_600 });
    t.teardown(() => link.stop());
    link.start(witness);
    await eventually('a reason is given', () => witness.downs.length > 0);
    t.equal(witness.downs[0]?.code, 'ERR_BUS_DEVICE_BUSY');
    await holder.stop();
    await eventually('the link has it', () => witness.opens === 1);
    t.equal(witness.downs.length, 1);
  },
);

t.test('an adapter that vanishes is unplugged, then missing', { skip: SKIP_WITHOUT_SOCAT }, async (t) => {
  const pair = await PtyPair.create();
  t.teardown(() => pair.remove());
  const witness = new LinkWitness();
  const link = new SerialLink(systemClock, { path: pair.a, baudRate: 9_600 });
  t.teardown(() => link.stop());
  link.start(witness);
  await eventually('the link is open', () => witness.opens === 1);
  await pair.unplug();
  await eventually('both reasons are given', () => witness.downs.length === 2);
  t.same(
    witness.downs.map(({ code }) => code),
    ['ERR_BUS_DEVICE_UNPLUGGED', 'ERR_BUS_DEVICE_MISSING'],
  );
});

t.test('a device without permission is denied', { skip: SKIP_WITHOUT_SOCAT }, async (t) => {
  const pair = await PtyPair.create();
  t.teardown(() => pair.remove());
  chmodSync(pair.a, 0);
  // Root may open everything: give that up for a moment.
  const root = process.getuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  t.teardown(() => root && process.seteuid?.(0));
  t.throws(() => closeSync(openSync(pair.a, 'r')), 'the test itself is refused');
  t.equal(await firstReason({ path: pair.a, baudRate: 9_600 }), 'ERR_BUS_DEVICE_DENIED');
});
