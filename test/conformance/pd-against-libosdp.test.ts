import t from 'tap';
import type { ByteLink } from '@sparc/protocol/ports';
import { PdDevice, pdProfile, SimulatedReader } from '@sparc/simulator/devices';
import { SeededRandom, SerialLine } from '@sparc/simulator/world';
import { eventually } from '../support/peers.js';
import { systemClock } from '../support/system-clock.js';
import { BAUD_RATE, MEDIA } from './libosdp-line.js';
import { hex, LIBOSDP, type LibosdpDeviceConfig } from './libosdp-peer.js';
import { key } from './libosdp-readers.js';

const ADDRESS = 9;
const SCBK = key(9);
const ACU: LibosdpDeviceConfig = {
  address: ADDRESS,
  flags: [LIBOSDP.flag.enforceSecure],
  scbk: hex(SCBK),
};

/** A simulated line in real time whose far end is a real one. */
function bridge(line: SerialLine, link: ByteLink): void {
  const port = line.attach('link', BAUD_RATE, (bytes) => link.write(bytes));
  link.start({
    onOpen: () => undefined,
    onDown: () => undefined,
    onData: (bytes) => port.transmit(bytes),
  });
}

for (const medium of MEDIA) {
  t.test(`a libosdp ACU and our reader ${medium.name}`, { skip: medium.skip }, async (t) => {
    const random = new SeededRandom(3);
    const line = new SerialLine(systemClock, random.fork('line'));
    const device = new PdDevice(
      systemClock,
      random.fork('device'),
      line,
      'reader',
      pdProfile({ address: ADDRESS, baudRate: BAUD_RATE, scbk: SCBK, readerCount: 1, inputCount: 2, outputCount: 2 }),
    );
    const reader = new SimulatedReader('reader', device, 0);
    const { link, peer, remove } = await medium.open('acu', ACU);
    t.teardown(async () => {
      await link.stop();
      await remove();
    });
    bridge(line, link);
    const event = (type: number) => peer.device().events.find((each) => each.event === type);

    await t.test('Secure Channel comes up', async (t) => {
      await eventually('libosdp has a session', () => peer.device().session.secure);
      t.equal(peer.device().session.online, true);
      t.equal(device.secure, true);
    });

    await t.test('a card arrives bit by bit', async (t) => {
      reader.presentCard({ bitCount: 26, bits: Uint8Array.of(0xcd, 0x22, 0xc7, 0xc0) });
      await eventually('the card is read', () => event(LIBOSDP.event.cardRead) !== undefined);
      t.match(event(LIBOSDP.event.cardRead), { reader_no: 0, format: 0, length: 26, data: { hex: 'cd22c7c0' } });
    });

    await t.test('keys arrive as the standard writes them', async (t) => {
      reader.pressKeys('1234*#');
      await eventually('the keys are there', () => event(LIBOSDP.event.keyPress) !== undefined);
      t.match(event(LIBOSDP.event.keyPress), { reader_no: 0, data: { hex: '313233347f0d' } });
    });

    await t.test('the LED changes colour', async (t) => {
      await peer.submit({
        command: LIBOSDP.command.led,
        reader: 0,
        led_number: 0,
        temporary: false,
        control_code: 1,
        on_color: 2,
        off_color: 0,
        on_count: 1,
        off_count: 0,
      });
      await eventually('the light is green', () => reader.led.color === 'green');
      t.match(reader.led, { blinking: false, temporary: false });
    });

    await t.test('the buzzer sounds', async (t) => {
      await peer.submit({
        command: LIBOSDP.command.buzzer,
        reader: 0,
        control_code: 2,
        on_count: 1,
        off_count: 1,
        rep_count: 3,
      });
      await eventually('it was set off', () => reader.beepCount === 1);
      t.pass();
    });

    await t.test('a timed output goes on and comes back by itself', async (t) => {
      const changes: boolean[] = [];
      device.wireOutput(1, (active) => changes.push(active));
      await peer.submit({ command: LIBOSDP.command.output, output_no: 1, control_code: 5, timer_count: 3 });
      await eventually('the output was on and is off', () => changes.length === 2);
      t.same(changes, [true, false]);
    });

    await t.test('an input and the tamper switch are reported', async (t) => {
      const status = (type: number) =>
        peer
          .device()
          .events.filter((each) => each.event === LIBOSDP.event.status && each.type === type)
          .at(-1)?.report;
      device.setInput(1, true);
      device.setTampered(true);
      await eventually('the tamper is there', () => status(LIBOSDP.statusReport.local) !== undefined);
      t.same(status(LIBOSDP.statusReport.input), { hex: '0001' });
      t.same(status(LIBOSDP.statusReport.local), { hex: '0100' });
    });
  });
}
