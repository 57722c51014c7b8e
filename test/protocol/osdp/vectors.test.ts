import t from 'tap';
import {
  checksum8,
  clientCryptogram,
  crc16,
  decodeCommand,
  decodeFrame,
  decodeReply,
  deriveSessionKeys,
  encodeCommand,
  encodeFrame,
  encodeReply,
  FrameParser,
  initialRMac,
  open,
  seal,
  serverCryptogram,
  type SecureSession,
} from '@sparc/protocol/osdp';
import { fromHex, toHex, unmarked, VECTORS } from './osdp-vectors.js';

t.test('CRC-16 has the values of the catalogue and of the standard', async (t) => {
  for (const { message, crc } of VECTORS.crc16.cases) {
    t.equal(crc16(fromHex(message)), Number.parseInt(crc, 16), message);
  }
});

t.test('the checksum has the values of the standard', async (t) => {
  for (const { message, checksum } of VECTORS.checksum.cases) {
    t.equal(checksum8(fromHex(message)), Number.parseInt(checksum, 16), message);
  }
});

t.test('session keys, cryptograms and R-MAC_I are those of Annex E', async (t) => {
  for (const vector of VECTORS.secureChannelKeys) {
    const [rndA, rndB] = [fromHex(vector.rndA), fromHex(vector.rndB)];
    const keys = deriveSessionKeys(fromHex(vector.scbk), rndA);
    t.equal(toHex(clientCryptogram(keys, rndA, rndB)), vector.clientCryptogram);
    const cryptogram = serverCryptogram(keys, rndA, rndB);
    t.equal(toHex(cryptogram), vector.serverCryptogram);
    t.equal(toHex(initialRMac(keys, cryptogram)), vector.rmacI);
  }
});

for (const vector of VECTORS.frames) {
  t.test(`frame "${vector.name}" decodes and encodes to the same bytes`, async (t) => {
    const wire = unmarked(vector.wire);
    const decoded = decodeFrame(wire);
    if (!decoded.ok) throw decoded.error;
    const frame = decoded.value;
    t.match(frame, {
      address: vector.address,
      reply: vector.reply,
      sequence: vector.sequence,
      check: vector.crc ? 'crc' : 'checksum',
      code: Number(vector.code),
    });
    t.equal(toHex(frame.payload), vector.payload);
    t.equal(toHex(encodeFrame(frame)), toHex(wire));

    const again = reencoded(vector.reply, frame);
    t.equal(toHex(again.payload), vector.payload, 'payload through its schema');
  });
}

function reencoded(reply: boolean, encoded: { code: number; payload: Uint8Array }) {
  const result = reply ? decodeReply(encoded) : decodeCommand(encoded);
  if (!result.ok) throw result.error;
  return reply ? encodeReply(result.value as never) : encodeCommand(result.value as never);
}

t.test('decoded fields of known frames', async (t) => {
  const fields = (name: string) => {
    const vector = VECTORS.frames.find((frame) => frame.name.startsWith(name));
    if (vector === undefined) throw new Error(`no vector ${name}`);
    const encoded = { code: Number(vector.code), payload: fromHex(vector.payload) };
    const result = vector.reply ? decodeReply(encoded) : decodeCommand(encoded);
    return result.ok ? result.value : result.error;
  };
  t.strictSame(fields('COMSET addr 1'), { name: 'COMSET', address: 1, baudRate: 9600 });
  t.strictSame(fields('OUT two records'), {
    name: 'OUT',
    records: [
      { output: 0, code: 3, timerTicks: 100 },
      { output: 1, code: 6, timerTicks: 120 },
    ],
  });
  t.match(fields('PDID (checksum)'), {
    vendor: 'a4d9a4',
    model: 3,
    version: 255,
    serial: 1879113779,
    firmware: { major: 3, minor: 0, build: 2 },
  });
  t.match(fields('LSTATR power failure'), { tampered: false, powerFailed: true });
  t.match(fields('RAW (checksum)'), { reader: 255, format: 1, bitCount: 26 });
  t.strictSame(fields('TEXT HELLO'), {
    name: 'TEXT',
    reader: 0,
    command: 1,
    temporarySeconds: 0,
    row: 1,
    column: 1,
    text: 'HELLO',
  });
});

for (const [index, recording] of VECTORS.sessions.entries()) {
  t.test(`recorded session ${index + 1}: every frame is authentic, and our sealing gives its bytes`, async (t) => {
    let session: SecureSession | undefined;
    let keys = deriveSessionKeys(new Uint8Array(16), new Uint8Array(8));
    let rndA = new Uint8Array(8);
    let handshakes = 0;
    for (const recorded of recording.frames) {
      const wire = fromHex(recorded.wire);
      const decoded = decodeFrame(wire);
      if (!decoded.ok) throw decoded.error;
      const frame = decoded.value;
      if (frame.securityBlock?.type === 0x11) rndA = Uint8Array.from(frame.payload);
      if (frame.securityBlock?.type === 0x12) {
        const scbk = fromHex(recording.scbks[handshakes] ?? '');
        handshakes += 1;
        const rndB = frame.payload.slice(8, 16);
        keys = deriveSessionKeys(scbk, rndA);
        t.equal(toHex(frame.payload.slice(16)), toHex(clientCryptogram(keys, rndA, rndB)));
      }
      if (frame.securityBlock?.type === 0x13) {
        session = { keys, chain: initialRMac(keys, frame.payload) };
      }
      if (frame.securityBlock?.type === 0x14 && session !== undefined) {
        t.equal(toHex(frame.payload), toHex(session.chain));
      }
      if (recorded.fullMac === undefined || session === undefined) continue;
      t.equal(toHex(session.chain), recorded.icv);
      const opened = open(session, wire);
      if (!opened.ok) throw opened.error;
      t.equal(toHex(opened.value.frame.payload), recorded.plain);
      t.equal(toHex(opened.value.session.chain), recorded.fullMac);
      const { securityBlock: _block, ...plain } = opened.value.frame;
      t.equal(toHex(seal(session, plain).bytes), recorded.wire);
      session = opened.value.session;
    }
    t.equal(handshakes, recording.scbks.length);
  });
}

t.test('every message of the recorded sessions goes through its schema and comes out as it was', async (t) => {
  const names = new Set<string>();
  for (const { dir, code, plain } of VECTORS.sessions.flatMap(({ frames }) => frames)) {
    const encoded = { code: Number(code), payload: fromHex(plain) };
    t.equal(toHex(reencoded(dir === 'pd', encoded).payload), plain, code);
    const decoded = dir === 'pd' ? decodeReply(encoded) : decodeCommand(encoded);
    if (decoded.ok) names.add(decoded.value.name);
  }
  for (const name of ['BIOREADR', 'FILETRANSFER', 'FTSTAT', 'GENAUTH', 'GENAUTHR', 'PIVDATA', 'XRD', 'XWR']) {
    t.ok(names.has(name), name);
  }
});

t.test('negative vectors: what is no frame is passed over, what is one is found', async (t) => {
  const foundIn = (name: string): string[] => {
    const vector = VECTORS.negative.find((negative) => negative.name.startsWith(name));
    if (vector === undefined) throw new Error(`no vector ${name}`);
    const parser = new FrameParser();
    return [...parser.push(fromHex(vector.wire), 0), ...parser.silence()].map(toHex);
  };
  t.strictSame(foundIn('bad CRC'), []);
  t.strictSame(foundIn('corrupt code byte'), []);
  t.strictSame(foundIn('length below minimum'), []);
  t.strictSame(foundIn('length 0xFFFF'), []);
  t.strictSame(foundIn('garbage, then a SOM'), ['53000800066089cc']);
  t.strictSame(foundIn('reserved CTRL bits set'), [], 'refused, as a strict receiver does');
  t.equal(foundIn('reply bit set').length, 1);
  t.equal(foundIn('other address').length, 1);
  t.equal(foundIn('SCS_15 frame with no session').length, 1);
  t.equal(foundIn('undefined security block').length, 1);
});

t.test('every frame of the recorded scenarios is read', async (t) => {
  for (const { about, frames } of VECTORS.scenarios) {
    for (const { wire } of frames) t.ok(decodeFrame(unmarked(wire)).ok, `${about.slice(0, 40)}: ${wire}`);
  }
});
