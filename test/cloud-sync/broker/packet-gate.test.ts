import { once } from 'node:events';
import fc from 'fast-check';
import t from 'tap';
import { PacketGate } from '@sparc/cloud-sync/broker';
import { checkAsyncProperty } from '../../support/property.js';

/** A packet with so many bytes behind its header (MQTT 3.1.1, 2.2.3). */
function packet(length: number): Buffer {
  const digits: number[] = [];
  for (let rest = length; digits.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
    digits.push((rest % 128) | (rest >= 128 ? 128 : 0));
  }
  return Buffer.concat([Buffer.of(0x30, ...digits), Buffer.alloc(length, 0xff)]);
}

/** What comes out of a gate for packets of at most 300 bytes, in pieces of these sizes; undefined where it failed. */
async function through(bytes: Buffer, pieceBytes: number): Promise<Buffer | undefined> {
  const gate = new PacketGate(300);
  const out: Buffer[] = [];
  gate.on('data', (piece: Buffer) => out.push(piece));
  const ended = once(gate, 'end').then(
    () => Buffer.concat(out),
    () => undefined,
  );
  for (let at = 0; at < bytes.length; at += pieceBytes) gate.write(bytes.subarray(at, at + pieceBytes));
  gate.end();
  return ended;
}

t.test('packets pass as they are, however they are cut into pieces', async (t) => {
  const lengths = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 });
  await checkAsyncProperty(
    fc.asyncProperty(lengths, fc.integer({ min: 1, max: 400 }), async (packets, pieceBytes) => {
      const bytes = Buffer.concat(packets.map(packet));
      return (await through(bytes, pieceBytes))?.equals(bytes) === true;
    }),
    60,
  );
  t.pass();
});

t.test('one that is too long ends the link, as soon as its header says so', async (t) => {
  for (const pieceBytes of [1, 2, 500]) {
    t.equal(await through(Buffer.concat([packet(3), packet(301).subarray(0, 3)]), pieceBytes), undefined);
    t.equal(await through(Buffer.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x01), pieceBytes), undefined, 'or never ends');
  }
});
