import t from 'tap';
import { OsdpFieldBus, SerialLink, TcpLink } from '@sparc/firmware-bridges/osdp';
import type { ByteLink } from '@sparc/protocol/ports';
import { SeededRandom } from '@sparc/simulator/world';
import { FieldWitness } from '../support/field-witness.js';
import { eventually, PtyPair, SKIP_WITHOUT_SOCAT } from '../support/peers.js';
import { systemClock } from '../support/system-clock.js';
import { LIBOSDP, LibosdpPeer, SKIP_WITHOUT_LIBOSDP, type LibosdpConfig } from './libosdp-peer.js';

const SCBK = Uint8Array.from({ length: 16 }, (_, index) => 0xa0 + index);
const OTHER_KEY = Uint8Array.from({ length: 16 }, (_, index) => 0xc0 + index);
const hex = (bytes: Uint8Array) => ({ hex: Buffer.from(bytes).toString('hex') });

const PD: LibosdpConfig = {
  address: 5,
  flags: [LIBOSDP.flag.enforceSecure],
  scbk: hex(SCBK),
  capabilities: [
    [1, 1, 4], // 4 inputs
    [2, 4, 2], // 2 outputs
    [3, 1, 0],
    [4, 4, 1],
    [5, 2, 1],
    [6, 1, 1],
    [8, 1, 0],
    [9, 1, 1],
    [13, 0, 1],
  ],
};

interface Line {
  readonly link: ByteLink;
  readonly peer: LibosdpPeer;
  readonly remove: () => Promise<void>;
}

const LINES: readonly { name: string; skip: string | false; open: () => Promise<Line> }[] = [
  {
    name: 'over a pseudo-terminal',
    skip: SKIP_WITHOUT_LIBOSDP || SKIP_WITHOUT_SOCAT,
    async open() {
      const pair = await PtyPair.create();
      const peer = await LibosdpPeer.start('pd', pair.b, PD);
      return {
        link: new SerialLink(systemClock, { path: pair.a, baudRate: 115_200 }),
        peer,
        remove: () => pair.remove(),
      };
    },
  },
  {
    name: 'over TCP',
    skip: SKIP_WITHOUT_LIBOSDP,
    async open() {
      const peer = await LibosdpPeer.start('pd', 'tcp', PD);
      const link = new TcpLink(systemClock, { host: '127.0.0.1', port: peer.port });
      return { link, peer, remove: async () => undefined };
    },
  },
];

for (const { name, skip, open } of LINES) {
  t.test(`our ACU and a libosdp PD ${name}`, { skip }, async (t) => {
    const { link, peer, remove } = await open();
    const field = new OsdpFieldBus(
      { clock: systemClock, random: new SeededRandom(1) },
      {
        buses: [
          {
            busId: 'bus',
            link,
            devices: [{ deviceId: 'reader', address: 5, secureChannel: { mode: 'required', scbk: SCBK } }],
          },
        ],
      },
    );
    const witness = new FieldWitness();
    t.teardown(async () => {
      await field.stop();
      await peer.stop();
      await remove();
    });
    field.start(witness);

    await t.test('Secure Channel comes up', async (t) => {
      await eventually('the reader is online', () => witness.device('reader')?.link === 'online');
      t.equal(witness.device('reader')?.secure, true);
      await eventually('libosdp says so too', () => peer.session.secure);
    });

    await t.test('a card arrives bit by bit, its padding masked, its age bounded', async (t) => {
      await eventually('polls had nothing to report', () => (field.health()[0]?.devices['reader']?.polls ?? 0) > 3);
      await peer.submit({
        event: LIBOSDP.event.cardRead,
        reader_no: 0,
        format: LIBOSDP.cardFormat.wiegand,
        direction: 0,
        length: 26,
        data: { hex: 'cd22c7ff' },
      });
      await eventually('the card is read', () => witness.cards.length === 1);
      const [card] = witness.cards;
      t.match(card, { deviceId: 'reader', readerNumber: 0, bitCount: 26, secure: true });
      t.equal(Buffer.from(card?.bits ?? []).toString('hex'), 'cd22c7c0');
      t.ok((card?.ageMaxMs ?? Infinity) < 1_000);
    });

    await t.test('keys arrive in order', async (t) => {
      await peer.submit({ event: LIBOSDP.event.keyPress, reader_no: 0, data: { hex: '313233347f0d' } });
      await eventually('the keys are there', () => witness.keypads.length === 1);
      t.match(witness.keypads[0], { readerNumber: 0, keys: '1234*#', secure: true });
    });

    await t.test('an output is pulsed', async (t) => {
      const outcome = await field.setOutput({
        deviceId: 'reader',
        outputNumber: 1,
        action: { kind: 'onFor', durationMs: 2_950 },
        ttlMs: 2_000,
      });
      t.same(outcome, { kind: 'acknowledged' });
      t.same(
        peer.commands.find(({ command }) => command === LIBOSDP.command.output),
        { command: LIBOSDP.command.output, control_code: 5, output_no: 1, timer_count: 30 },
      );
    });

    await t.test('an output that the device does not have is not executed', async (t) => {
      const outcome = await field.setOutput({
        deviceId: 'reader',
        outputNumber: 9,
        action: { kind: 'on' },
        ttlMs: 2_000,
      });
      t.equal(outcome.kind, 'notExecuted');
      t.equal(outcome.kind === 'notExecuted' && outcome.error.code, 'ERR_OSDP_NAK');
      t.equal(witness.device('reader')?.link, 'online');
    });

    await t.test('light, buzzer and text show a grant, and the standing light stays underneath', async (t) => {
      field.indicate('reader', 0, 'locked');
      field.indicate('reader', 0, 'granted');
      const seen = (command: number) => peer.commands.filter((each) => each.command === command);
      await eventually('the text is there', () => seen(LIBOSDP.command.text).length > 0);
      t.match(seen(LIBOSDP.command.led), [
        { temporary: false, control_code: 1, on_color: 1, on_count: 1, off_count: 0, reader: 0, led_number: 0 },
        { temporary: true, control_code: 2, on_color: 2, on_count: 1, off_count: 0, timer_count: 30 },
      ]);
      t.match(seen(LIBOSDP.command.buzzer), [{ reader: 0, control_code: 2, on_count: 2, off_count: 1, rep_count: 1 }]);
      t.match(seen(LIBOSDP.command.text), [{ reader: 0, control_code: 3, temp_time: 3, data: 'Access granted' }]);
    });

    await t.test('inputs, outputs and tamper are reported', async (t) => {
      const report = (type: number, bytes: string) =>
        peer.submit({ event: LIBOSDP.event.status, type, report: { hex: bytes } });
      await report(LIBOSDP.statusReport.input, '00010203');
      await report(LIBOSDP.statusReport.output, '0001');
      await report(LIBOSDP.statusReport.local, '0100');
      await eventually('the tamper is there', () => witness.device('reader')?.tampered === true);
      t.same(
        witness.inputs.map(({ inputNumber, state }) => [inputNumber, state]),
        [
          [0, 'inactive'],
          [1, 'active'],
          [2, 'short'],
          [3, 'open'],
        ],
      );
      t.same(
        witness.outputs.map(({ outputNumber, active }) => [outputNumber, active]),
        [
          [0, false],
          [1, true],
        ],
      );
    });

    await t.test('nothing was lost or sent twice on the way', async (t) => {
      const health = field.health()[0]?.devices['reader'];
      t.equal(health?.sessionStarts, 1);
      t.equal(health?.badChecks, 0);
      t.comment(`round trip ${health?.roundTripLastMs.toFixed(1)} ms, longest ${health?.roundTripMaxMs.toFixed(1)} ms`);
    });
  });
}

t.test(
  'a libosdp PD with another key is kept out by name, never spoken to in clear',
  { skip: SKIP_WITHOUT_LIBOSDP },
  async (t) => {
    const peer = await LibosdpPeer.start('pd', 'tcp', { ...PD, flags: [], scbk: hex(OTHER_KEY) });
    const field = new OsdpFieldBus(
      { clock: systemClock, random: new SeededRandom(2) },
      {
        buses: [
          {
            busId: 'bus',
            link: new TcpLink(systemClock, { host: '127.0.0.1', port: peer.port }),
            devices: [{ deviceId: 'reader', address: 5, secureChannel: { mode: 'required', scbk: SCBK } }],
          },
        ],
      },
    );
    const witness = new FieldWitness();
    t.teardown(async () => {
      await field.stop();
      await peer.stop();
    });
    field.start(witness);
    await eventually('the key is named', () => witness.device('reader')?.reason === 'ERR_OSDP_KEY_REJECTED');
    t.equal(witness.device('reader')?.link, 'offline');
    t.equal(witness.alarms[0]?.code, 'ERR_OSDP_KEY_REJECTED');
    const outcome = await field.setOutput({
      deviceId: 'reader',
      outputNumber: 0,
      action: { kind: 'on' },
      ttlMs: 1_000,
    });
    t.equal(outcome.kind, 'notExecuted');
    t.same(peer.commands, []);
  },
);
