import t from 'tap';
import {
  authenticationCommands,
  CAPABILITY,
  type Command,
  decodeReply,
  decodeTransparentReply,
  type Dialect,
  DIALECTS,
  encodeCommand,
  type FragmentedReply,
  payloadSizeMax,
  type PdEvent,
  type PdOptions,
  pivDataCommand,
  readForward,
} from '@sparc/protocol/osdp';
import { toHex } from './osdp-vectors.js';
import { SCBK, VirtualLine } from './virtual-line.js';

const EQUIPPED: Partial<PdOptions> = {
  capabilities: [
    { function: CAPABILITY.smartCard, compliance: 3, count: 0 },
    { function: CAPABILITY.biometrics, compliance: 1, count: 1 },
    { function: CAPABILITY.extendedId, compliance: 1, count: 0 },
  ],
  extendedId: [{ tag: 0, text: 'x'.repeat(300) }],
};
const CLEAR = { mode: 'clear' } as const;
const message = (size: number) => Uint8Array.from({ length: size }, (_, index) => index * 5);
const dialects = Object.entries(DIALECTS) as [keyof typeof DIALECTS, Dialect][];

/** Both ends speak the dialect, and the first status has been reported. */
function settled(dialect: Dialect, options: Partial<PdOptions> = {}, secure = true): VirtualLine {
  const pd = { ...EQUIPPED, dialect, ...options, ...(secure ? {} : { requireSecureChannel: false }) };
  const line = new VirtualLine({ pd, dialect, ...(secure ? {} : { secureChannel: CLEAR }) });
  line.runUntil(() => line.online(), 1_000);
  return line.run(500);
}

const messages = (line: VirtualLine) =>
  line.acuEffects.flatMap((effect) => (effect.kind === 'message' ? [effect] : []));
const notices = (line: VirtualLine) => line.acuEffects.filter(({ kind }) => kind === 'notice').length;

t.test('the object of a PIV card is asked for in the form of the dialect', async (t) => {
  const wire = (dialect: Dialect) =>
    toHex(encodeCommand(pivDataCommand({ objectId: '5fc102', element: 0, offset: 0 }, dialect)).payload);
  t.equal(wire(DIALECTS.libosdp), '5fc1020000', 'as recorded from libosdp');
  t.equal(wire(DIALECTS['osdp-net']), '5fc102000000');
  const far = pivDataCommand({ objectId: '5fc102', element: 0, offset: 256 }, DIALECTS.libosdp);
  t.throws(() => encodeCommand(far), { code: 'ERR_OSDP_VALUE' }, 'one byte does not reach so far');
});

for (const [name, dialect] of dialects) {
  for (const secure of [true, false]) {
    const where = `${name}, ${secure ? 'secure' : 'clear'}`;
    t.test(`requests and long answers get through, whole (${where})`, async (t) => {
      const line = settled(dialect, {}, secure);
      const request = { algorithm: 0x11, keyReference: 0x9e, data: message(300) };
      const size = payloadSizeMax(line.acu.receiveSize, secure);
      const commands: Command[] = [
        ...authenticationCommands('GENAUTH', request, size, dialect),
        pivDataCommand({ objectId: '5fc102', element: 0, offset: 0 }, dialect),
        { name: 'ID', type: 1 },
      ];
      commands.forEach((command, token) => line.command(command, token));
      line.run(1_000);
      t.match(
        line.pdEffects.filter(({ kind }) => kind === 'authenticate'),
        [{ name: 'GENAUTH', request }],
      );
      const answers: PdEvent[] = [
        { kind: 'authenticated', name: 'GENAUTH', data: message(200) },
        { kind: 'authenticated', name: 'CRAUTH', data: message(1) },
        { kind: 'pivData', data: message(3_000) },
        { kind: 'biometricRead', reader: 0, status: 0, type: 1, quality: 9, template: message(500) },
      ];
      for (const event of answers) line.event(event);
      line.run(2_000);
      const sizes = Object.fromEntries(messages(line).map((effect) => [effect.name, effect.data.length]));
      const expected: Record<FragmentedReply['name'], number> = {
        EXT_PDID: 303,
        GENAUTHR: 200,
        CRAUTHR: 1,
        PIVDATAR: 3_000,
        BIOREADR: 500,
      };
      t.strictSame(sizes, expected);
      t.ok(messages(line).every((effect) => effect.secure === secure));
      t.strictSame(line.alarms(), []);
    });
  }

  t.test(`KEYSET gives the session a new key, and commands go on (${name})`, async (t) => {
    const line = settled(dialect);
    const key = SCBK.map((byte) => byte ^ 0x5a);
    line.command({ name: 'KEYSET', keyType: 1, key }, 1);
    line.run(500);
    t.match(line.outcome(1), { outcome: { kind: 'acknowledged' } });
    line.command({ name: 'OUT', records: [{ output: 0, code: 2, timerTicks: 0 }] }, 2);
    line.run(500);
    t.match(line.outcome(2), { outcome: { kind: 'acknowledged' } });
    t.strictSame(line.pd.scbk, key);
    t.ok(line.acu.status?.secure);
    t.strictSame(line.alarms(), []);
  });

  t.test(`a refused command leaves the sequence where the dialect has it (${name})`, async (t) => {
    const line = settled(dialect);
    line.run(20).runUntil(() => !line.acu.inTurn, 100);
    const before = line.acu.sequence;
    line.command({ name: 'MFG', vendor: '000000', data: message(1) }, 1, { urgent: true });
    line.runUntil(() => line.outcome(1) !== undefined, 200);
    t.match(line.outcome(1), { outcome: { kind: 'notExecuted', reason: 'ERR_OSDP_NAK' } });
    t.equal(line.acu.sequence === before, !dialect.nakAdvancesSequence);
    line.command({ name: 'OUT', records: [{ output: 0, code: 2, timerTicks: 0 }] }, 2, { urgent: true });
    line.run(200);
    t.match(line.outcome(2), { outcome: { kind: 'acknowledged' } });
    t.strictSame(line.alarms(), []);
  });

  t.test(`an APDU is answered (${name})`, async (t) => {
    const line = settled(dialect);
    line.event({ kind: 'smartCard', reply: { kind: 'apdu', reader: 0, status: 0, apdu: message(80) } });
    line.run(200);
    const [xrd] = line.replies('XRD');
    if (xrd?.kind !== 'reply' || xrd.reply.name !== 'XRD') throw new Error('no XRD');
    t.equal(xrd.reply.reply, dialect.apduReply === 'cardPresent' ? 1 : 2);
    t.match(decodeTransparentReply(xrd.reply), { ok: true, value: { kind: 'apdu', apdu: message(80) } });
  });

  t.test(`characters keep their direction (${name})`, async (t) => {
    const line = settled(dialect);
    for (const forward of [true, false]) line.event({ kind: 'characters', reader: 0, forward, characters: message(4) });
    line.run(300);
    const read = line
      .replies('FMT')
      .flatMap((effect) =>
        effect.kind === 'reply' && effect.reply.name === 'FMT' ? [readForward(effect.reply.direction, dialect)] : [],
      );
    t.strictSame(read, [true, false]);
  });
}

t.test('plain status is taken from anybody, and worth a notice where the dialect does not expect it', async (t) => {
  t.equal(notices(settled(DIALECTS.libosdp)), 0);
  const line = new VirtualLine({ pd: { dialect: DIALECTS.libosdp } });
  line.runUntil(() => line.online(), 1_000);
  line.run(1_000);
  t.equal(notices(line), 1);
  t.equal(line.replies('ISTATR').length, 1);
  t.strictSame(line.alarms(), []);
});

t.test('a PD that counts no NAK refuses the next number; told so, the ACU never sends it', async (t) => {
  const refusals = (dialect: Dialect) => {
    const line = settled(dialect);
    const seen: string[] = [];
    for (let token = 0; token < 5; token += 1) {
      line.command({ name: 'MFG', vendor: '000000', data: message(1) }, token, { urgent: true });
      line.runUntil(() => line.outcome(token) !== undefined, 200);
      const refused = line.sent.at(-1)?.bytes[5] ?? 0;
      line.run(1).runUntil(() => line.acu.exchange !== undefined, 200);
      seen.push((line.sent.at(-1)?.bytes[5] ?? 0) === refused ? 'same' : 'next');
      line.run(100);
    }
    return new Set(seen);
  };
  t.strictSame([...refusals(DIALECTS['libosdp-conformance'])], ['same']);
  t.strictSame([...refusals(DIALECTS.standard)], ['next']);
});

t.test('a fragment that came twice, or that leads nowhere, delivers nothing', async (t) => {
  const line = settled(DIALECTS.standard);
  const decoded = decodeReply({ code: 0x80, payload: Uint8Array.of(10, 0, 5, 0, 5, 0, 1, 2, 3, 4, 5) });
  if (!decoded.ok) throw decoded.error;
  line.pd = { ...line.pd, reports: [decoded.value, decoded.value] };
  line.run(300);
  t.equal(line.replies('PIVDATAR').length, 2);
  t.equal(messages(line).length, 0);
  t.equal(line.acu.incoming, undefined);
});
