import t from 'tap';
import { TcpLink } from '@sparc/firmware-bridges/osdp';
import {
  createMonitor,
  decodeCaptureLine,
  encodeCaptureLine,
  stepMonitor,
  type MonitorFrame,
  type MonitorItem,
  type MonitorOptions,
} from '@sparc/protocol/osdp';
import { eventually } from '../support/peers.js';
import { systemClock } from '../support/system-clock.js';
import { hex, LIBOSDP, LibosdpPeer, SKIP_WITHOUT_LIBOSDP } from './libosdp-peer.js';
import { CAPABILITIES, key } from './libosdp-readers.js';

const ADDRESS = 9;
const SCBK = key(9);

t.test('between an ACU and a PD of libosdp the monitor reads everything', { skip: SKIP_WITHOUT_LIBOSDP }, async (t) => {
  const device = { address: ADDRESS, flags: [LIBOSDP.flag.enforceSecure], scbk: hex(SCBK) };
  const pd = await LibosdpPeer.start('pd', 'tcp', { ...device, capabilities: CAPABILITIES });
  const acu = await LibosdpPeer.start('acu', 'tcp', device);
  const [fromPd, fromAcu] = [pd, acu].map((peer) => new TcpLink(systemClock, { host: '127.0.0.1', port: peer.port }));
  if (fromPd === undefined || fromAcu === undefined) throw new Error('no line');
  t.teardown(() => Promise.all([fromPd.stop(), fromAcu.stop(), pd.stop(), acu.stop()]));

  const lines: string[] = [];
  const relay = (to: TcpLink) => (bytes: Uint8Array) => {
    lines.push(encodeCaptureLine({ unixNs: BigInt(Math.round(performance.now() * 1e6)), io: 'trace', bytes }));
    to.write(bytes);
  };
  const ignore = () => undefined;
  fromPd.start({ onOpen: ignore, onDown: ignore, onData: relay(fromAcu) });
  fromAcu.start({ onOpen: ignore, onDown: ignore, onData: relay(fromPd) });

  await eventually('a session is up', () => acu.device().session.secure);
  await pd.submit({
    event: LIBOSDP.event.cardRead,
    reader_no: 0,
    format: LIBOSDP.cardFormat.wiegand,
    direction: 0,
    length: 26,
    data: { hex: 'cd22c7c0' },
  });
  await eventually('the card is read', () => acu.device().events.length > 0);
  await acu.submit({ command: LIBOSDP.command.status, type: LIBOSDP.statusReport.input, report: { hex: '' } });
  const isNak = ({ text }: MonitorItem) => text.startsWith('NAK 9');
  await eventually('nobody tells the inputs', () => replayed(lines.slice(-20)).some(isNak));

  const items = replayed(lines, { keys: [{ scbk: SCBK, address: ADDRESS }] });
  const frames = items.filter((item): item is MonitorFrame => item.kind === 'frame');
  t.strictSame(
    frames.filter(({ reading }) => reading.kind === 'hidden' || reading.kind === 'undecodable').map(({ text }) => text),
    [],
  );
  const codes = frames.flatMap(({ findings }) => findings.map(({ code }) => code));
  t.ok(codes.includes('sessionOpened'));
  t.strictSame(
    frames.filter(({ findings }) => findings.some(({ code }) => code === 'plainInSession')).map(({ text }) => text),
    ['NAK 9: unable to process the record'],
    'libosdp answers a question for status authentic, and in plain text',
  );
  const card = frames.find(({ reading }) => reading.kind === 'reply' && reading.reply.name === 'RAW');
  t.equal(card?.text, 'RAW reader 0, card of 26 bits: ***');
  t.equal(Buffer.from(card?.frame.payload ?? []).toString('hex'), '00011a00cd22c7c0');

  const blind = replayed(lines);
  t.match(
    blind.map(({ text }) => text),
    /RAW, 16 encrypted bytes: no key for this session/,
  );
});

function replayed(lines: readonly string[], options: MonitorOptions = {}): MonitorItem[] {
  let state = createMonitor(options);
  return lines.flatMap((line, index) => {
    const record = decodeCaptureLine(line, index + 1);
    if (!record.ok || record.value === undefined) throw new Error('a line of ours cannot be read');
    const next = stepMonitor(state, { atMs: Number(record.value.unixNs) / 1e6, bytes: record.value.bytes });
    state = next.state;
    return next.items;
  });
}
