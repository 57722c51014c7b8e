import t from 'tap';
import { OsdpFieldBus } from '@sparc/firmware-bridges/osdp';
import { SeededRandom } from '@sparc/simulator/world';
import { FieldWitness } from '../support/field-witness.js';
import { eventually } from '../support/peers.js';
import { systemClock } from '../support/system-clock.js';
import { MEDIA, TCP } from './libosdp-line.js';
import { hex, LIBOSDP, type LibosdpDeviceConfig } from './libosdp-peer.js';
import { CAPABILITIES, key } from './libosdp-readers.js';

const SCBK = key(5);

const PD: LibosdpDeviceConfig = {
  address: 5,
  flags: [LIBOSDP.flag.enforceSecure],
  scbk: hex(SCBK),
  capabilities: CAPABILITIES,
};

for (const medium of MEDIA) {
  t.test(`our ACU and a libosdp PD ${medium.name}`, { skip: medium.skip }, async (t) => {
    const { link, peer, remove } = await medium.open('pd', PD);
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
      await remove();
    });
    field.start(witness);

    await t.test('Secure Channel comes up', async (t) => {
      await eventually('the reader is online', () => witness.device('reader')?.link === 'online');
      t.equal(witness.device('reader')?.secure, true);
      await eventually('libosdp says so too', () => peer.device().session.secure);
    });

    await t.test('a card arrives bit by bit, its padding masked, its age bounded', async (t) => {
      await eventually('polls had nothing to report', () => (field.health()[0]?.devices[0]?.pollCount ?? 0) > 3);
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
        peer.device().commands.find(({ command }) => command === LIBOSDP.command.output),
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
      const seen = (command: number) => peer.device().commands.filter((each) => each.command === command);
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
      const health = field.health()[0]?.devices[0];
      t.equal(health?.sessionStartCount, 1);
      t.equal(health?.badCheckCount, 0);
      t.comment(
        `round trip ${health?.roundTripMs?.p50.toFixed(1)} ms, longest ${health?.roundTripMs?.max.toFixed(1)} ms`,
      );
    });
  });
}

t.test('a libosdp PD with another key is kept out by name, never spoken to in clear', { skip: TCP.skip }, async (t) => {
  const { link, peer, remove } = await TCP.open('pd', { ...PD, flags: [], scbk: hex(key(6)) });
  const field = new OsdpFieldBus(
    { clock: systemClock, random: new SeededRandom(2) },
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
    await remove();
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
  t.same(peer.device().commands, []);
});
