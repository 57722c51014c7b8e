import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { SerialLink } from '@sparc/firmware-bridges/osdp';
import type { PdOptions } from '@sparc/protocol/osdp';
import { LinkWitness } from '../../contract/byte-link/byte-link-contract.js';
import { fromHex, VECTORS } from '../../protocol/osdp/osdp-vectors.js';
import { eventually, PtyPair, SKIP_WITHOUT_SOCAT } from '../../support/peers.js';
import { REPOSITORY } from '../../support/repository.js';
import { sparc } from '../../support/sparc-command.js';
import { systemClock } from '../../support/system-clock.js';
import { startPds } from './pd-peer.js';

const [RECORDING] = VECTORS.sessions;
if (RECORDING === undefined) throw new Error('no recorded session');
const WIRE = RECORDING.frames.map(({ wire }) => wire);
const [KEY = ''] = RECORDING.scbks;
/** Indices of polls, and whether an ACK follows. */
const POLLS = RECORDING.frames.flatMap(({ dir, code }, index) => (dir === 'acu' && code === '0x60' ? [index] : []));
const isQuiet = (index: number) => RECORDING.frames[index + 1]?.code === '0x40';
/** In the recorded session: a card read, keys at a keypad, a new SCBK. */
const SECRETS = ['00111111100010100010000111', '3f8a21c0', '1234#', '3132333423', '0f0e0d0c0b0a09080706050403020100'];

/** A recorded session of libosdp as a capture, a frame each 20 ms from 2026-01-01T00:00:00Z on, and a file of its key. */
function folder(t: Test) {
  const lines = WIRE.map((data, index) =>
    JSON.stringify({ timeSec: '1767225600', timeNano: String(index * 20_000_000), io: 'trace', data }),
  );
  const path = t.testdir({ 'door.osdpcap': lines.join('\n'), 'keys.yaml': `101: "${KEY}"\n` });
  chmodSync(join(path, 'keys.yaml'), 0o600);
  return {
    lines,
    capture: join(path, 'door.osdpcap'),
    keys: join(path, 'keys.yaml'),
    file: (name: string) => join(path, name),
  };
}

/** The recorded key stands in manuals, and is refused for a session of our own. */
const STRONG_KEY = '9f86d081884c7d659a2feaa0c55ad015';
const READER: PdOptions = {
  address: 3,
  baudRate: 9_600,
  scbk: fromHex(STRONG_KEY),
  requireSecureChannel: false,
  installMode: false,
  id: { vendor: '5c2623', model: 8, version: 3, serial: 88712, firmware: { major: 1, minor: 2, build: 3 } },
  capabilities: [{ function: 9, compliance: 1, count: 0 }],
  inputCount: 2,
  outputCount: 1,
  readerCount: 1,
};

async function pds(t: Test, ...options: readonly PdOptions[]) {
  const peer = await startPds(...options);
  t.teardown(() => peer.stop());
  return peer;
}

t.test('a capture is told for people: times, directions, meaning, findings and figures', async (t) => {
  const { capture, keys } = folder(t);
  const { exitCode, stdout, stderr } = await sparc(['osdp', 'replay', capture, '--keys', keys]);
  t.equal(exitCode, 0, stderr);
  t.match(stdout, /^2026-01-01, times in UTC\n00:00:00\.000 {2}ACU > 101 {4}0 {2}ID\n/);
  t.match(
    stdout,
    '00:00:00.020  ACU < 101    0  PDID vendor 2c1b0a, model 153 version 1, serial 16909060, firmware 10.11.12 (20.0 ms)',
  );
  t.match(stdout, '! a session is up, and can be read');
  t.match(stdout, 'ACU > 101  S 2  LED reader 0 LED 0: red 0.5 s / green 0.5 s for 3 s, then green permanently');
  t.match(stdout, 'RAW reader 0, card of 26 bits: ***');
  t.match(stdout, /polls without news: 2\n.*FILETRANSFER type 1, bytes 0 to 219 of 300 \(73 %\)/);
  t.match(stdout, /\n101 +36 +36 +0 +0 +0 +0 +20 \/ 20 \/ 20 ms\n$/);
});

t.test('polls without news are told when they are asked for', async (t) => {
  const { capture } = folder(t);
  const polls = (text: string) => text.split('\n').filter((line) => line.endsWith('POLL')).length;
  t.equal(polls((await sparc(['osdp', 'replay', capture, '--all'])).stdout), POLLS.length);
  t.equal(polls((await sparc(['osdp', 'replay', capture])).stdout), POLLS.length - POLLS.filter(isQuiet).length);
});

t.test('a program gets a JSON object a line, figures last, and no fields of what has a secret', async (t) => {
  const { capture, keys } = folder(t);
  const { stdout } = await sparc(['osdp', 'replay', capture, '--keys', keys, '--json']);
  const items = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.equal(items.length, WIRE.length + 1);
  t.match(items[1], {
    atUnixMs: 1_767_225_600_020,
    address: 101,
    direction: 'pd',
    secure: false,
    delayMs: 20,
    fields: { serial: 16909060 },
  });
  t.match(items[7].findings, [{ code: 'sessionOpened' }]);
  t.match(items[15], { name: 'RAW', secure: true, bytes: WIRE[15] });
  t.notOk('fields' in items[15]);
  t.match(items.at(-1), {
    kind: 'summary',
    devices: [{ address: 101, commands: 36, replies: 36, delayMs: { p50: 20 } }],
  });
});

t.test('no secret of a capture is shown to people or programs, unless it is asked for', async (t) => {
  const { capture, keys } = folder(t);
  for (const format of [[], ['--json']]) {
    const masked = await sparc(['osdp', 'replay', capture, '--keys', keys, '--all', ...format]);
    for (const secret of SECRETS) t.notMatch(masked.stdout + masked.stderr, secret);
    const shown = await sparc(['osdp', 'replay', capture, '--keys', keys, '--show-secrets', ...format]);
    for (const secret of SECRETS.slice(format.length === 0 ? 4 : 1)) {
      if (secret !== '1234#' || format.length === 0) t.match(shown.stdout, secret);
    }
  }
});

t.test('without a key the command says what cannot be seen, and why', async (t) => {
  const { capture, lines, file } = folder(t);
  t.match((await sparc(['osdp', 'replay', capture])).stdout, 'RAW, 16 encrypted bytes: no key for this session');
  writeFileSync(file('late.osdpcap'), lines.slice(20).join('\n'));
  t.match((await sparc(['osdp', 'replay', file('late.osdpcap')])).stdout, 'the session began before the capture');
});

t.test(
  'lines that cannot be read are named when the rest has been told; a last one that was cut short is passed over',
  async (t) => {
    const { lines, file } = folder(t);
    writeFileSync(
      file('bad.osdpcap'),
      [...lines.slice(0, 4), '{"timeSec":1', 'nonsense', ...lines.slice(4, 6)].join('\n'),
    );
    const bad = await sparc(['osdp', 'replay', file('bad.osdpcap')]);
    t.equal(bad.exitCode, 2);
    t.match(bad.stderr, /ERR_OSDP_CAPTURE.*\n.*line 5: is no JSON object, or was cut short\n.*and 1 more line/);
    t.match(bad.stdout, 'CCRYPT');
    writeFileSync(file('cut.osdpcap'), lines.slice(0, 4).join('\n').slice(0, -9));
    const cut = await sparc(['osdp', 'replay', file('cut.osdpcap')]);
    t.equal(cut.exitCode, 0);
    t.match(cut.stderr, 'The last line of');
    t.match(await sparc(['osdp', 'replay', file('none')]), { exitCode: 3, stderr: /ERR_CLI_READ_FAILED/ });
  },
);

t.test('keys that others can read are refused', async (t) => {
  const { capture, keys } = folder(t);
  chmodSync(keys, 0o644);
  t.match(await sparc(['osdp', 'replay', capture, '--keys', keys]), {
    stderr: /ERR_CONFIG_SECRET_EXPOSED/,
    stdout: '',
  });
});

t.test('every tool has help with an example', async (t) => {
  for (const name of ['discover', 'monitor', 'send', 'capture', 'replay']) {
    const { exitCode, stdout } = await sparc(['osdp', name, '--help']);
    t.equal(exitCode, 0);
    t.match(stdout, `$ sparc osdp ${name}`);
    t.match(stdout, '--json');
  }
});

t.test('a line, a rate and a command are checked before anything is opened', async (t) => {
  const refused = async (what: RegExp, ...args: string[]) => {
    t.match(await sparc(['osdp', ...args]), { exitCode: 2, stderr: what }, args.join(' '));
  };
  await refused(/either --serial or --tcp/, 'monitor');
  await refused(/either --serial or --tcp/, 'monitor', '--serial', '/dev/null', '--tcp', 'localhost:1');
  await refused(/OSDP knows 9600/, 'monitor', '--serial', '/dev/null', '--baud', '4800');
  await refused(/HOST:PORT/, 'monitor', '--tcp', 'localhost');
  const send = ['send', '--serial', '/dev/null', '--address'];
  await refused(/0 to 127/, ...send, '128', '--command', 'POLL');
  await refused(/either --command or --hex/, ...send, '3');
  await refused(/no command FROB/, ...send, '3', '--command', 'frob');
  await refused(/reader: an integer from 0 to 255/, ...send, '3', '--command', 'BUZ', '--args', '{"reader": 256}');
  await refused(/no JSON object/, ...send, '3', '--command', 'OUT');
  await refused(/payload ends/, ...send, '3', '--hex', '6a 00');
  for (const secret of [
    ['--command', 'KEYSET'],
    ['--hex', '75 01'],
    ['--command', 'CHLNG'],
  ]) {
    await refused(/sparc commission set-key/, ...send, '3', ...secret);
  }
});

t.test(
  'a monitor on a serial line tells what two others say, and the figures at the end',
  { skip: SKIP_WITHOUT_SOCAT },
  async (t) => {
    const { keys } = folder(t);
    const pair = await PtyPair.create();
    t.teardown(() => pair.remove());
    const line = new SerialLink(systemClock, { path: pair.b, baudRate: 9_600 });
    const witness = new LinkWitness();
    line.start(witness);
    t.teardown(() => line.stop());
    await eventually('the far end is open', () => witness.opens > 0);
    const monitoring = sparc(['osdp', 'monitor', '--serial', pair.a, '--keys', keys, '--seconds', '2', '--json']);
    await pause(700);
    line.write(
      fromHex(
        WIRE.slice(0, 12)
          .map((wire) => `ff${wire}`)
          .join(''),
      ),
    );
    const { exitCode, stdout, stderr } = await monitoring;
    t.equal(exitCode, 0, stderr);
    const items = stdout
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
    t.match(
      items.map(({ name, kind }) => name ?? kind),
      ['ID', 'PDID', 'CAP', 'PDCAP', 'CHLNG', 'CCRYPT', 'SCRYPT', 'RMAC_I', 'LED', 'ACK', 'POLL', 'ACK', 'summary'],
    );
    t.match(items[8].fields, { records: [{ reader: 0 }] });
  },
);

t.test(
  'a port that a gateway holds is refused, with the way to ask the gateway',
  { skip: SKIP_WITHOUT_SOCAT },
  async (t) => {
    const pair = await PtyPair.create();
    t.teardown(() => pair.remove());
    const holder = new SerialLink(systemClock, { path: pair.a, baudRate: 9_600 });
    const witness = new LinkWitness();
    holder.start(witness);
    t.teardown(() => holder.stop());
    await eventually('it is held', () => witness.opens > 0);
    const { exitCode, stderr } = await sparc(['osdp', 'discover', '--serial', pair.a]);
    t.equal(exitCode, 3);
    t.match(stderr, /ERR_BUS_DEVICE_BUSY/);
    t.match(stderr, 'sparc commission');
  },
);

t.test('what is captured is replayed; a capture is for its owner alone and is never overwritten', async (t) => {
  const { keys, file } = folder(t);
  const peer = await pds(t, READER);
  const target = ['osdp', 'capture', file('new.osdpcap'), '--tcp', peer.address];
  const capturing = sparc([...target, '--seconds', '1', '--json']);
  await pause(400);
  for (const wire of WIRE.slice(0, 12)) peer.write(fromHex(wire));
  peer.write(fromHex('0102'));
  const { exitCode, stdout, stderr } = await capturing;
  t.equal(exitCode, 0, stderr);
  t.match(JSON.parse(stdout), { devices: [{ address: 101, commands: 6, replies: 6 }], noiseBytes: 2 });
  t.equal(statSync(file('new.osdpcap')).mode & 0o777, 0o600);
  const replayed = await sparc(['osdp', 'replay', file('new.osdpcap'), '--keys', keys, '--all']);
  t.match(replayed.stdout, 'LED reader 0 LED 0');
  t.match(replayed.stdout, '2 bytes: no frame');
  const before = readFileSync(file('new.osdpcap'));
  t.match(await sparc(target), { exitCode: 3, stderr: /ERR_CLI_WRITE_FAILED/ });
  t.strictSame(readFileSync(file('new.osdpcap')), before);
});

t.test('Ctrl-C ends a monitor in order, with its figures', async (t) => {
  const peer = await pds(t, READER);
  const bin = join(REPOSITORY, 'edge', 'bin', 'sparc.js');
  const child = spawn(process.execPath, [bin, 'osdp', 'monitor', '--tcp', peer.address]);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  await eventually('it listens', () => stderr.includes('Listening on'));
  for (const wire of WIRE.slice(0, 2)) peer.write(fromHex(wire));
  await eventually('it has heard', () => stdout.includes('PDID'));
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  t.strictSame(await ended, [0, null]);
  t.match(stdout, /\n101 +1 +1 /);
});

t.test('a command is sent in clear, and through Secure Channel where there is a key', async (t) => {
  const { file } = folder(t);
  writeFileSync(file('reader.yaml'), `weak: "${KEY}"\nfront: "${STRONG_KEY}"\n`, { mode: 0o600 });
  const peer = await pds(t, READER, { ...READER, address: 4, requireSecureChannel: true });
  const send = (...args: string[]) => sparc(['osdp', 'send', '--tcp', peer.address, ...args]);
  const clear = await send('--address', '3', '--command', 'id', '--args', '{"type": 0}');
  t.equal(clear.exitCode, 0, clear.stderr);
  t.equal(clear.stdout, 'PDID vendor 5c2623, model 8 version 3, serial 88712, firmware 1.2.3\n');
  const secure = await send('--address', '4', '--keys', file('reader.yaml'), '--key', 'front', '--hex', '65', '--json');
  t.equal(secure.exitCode, 0, secure.stderr);
  t.match(JSON.parse(secure.stdout), { command: 'ISTAT', reply: 'ISTATR', fields: { inputs: [0, 0] } });
  const weak = await send('--address', '4', '--keys', file('reader.yaml'), '--key', 'weak', '--command', 'LSTAT');
  t.match(weak, { exitCode: 2, stderr: /ERR_OSDP_KEY_WEAK/ });
  t.notMatch(weak.stderr, KEY);
  const refused = await send('--address', '4', '--command', 'LSTAT');
  t.match(refused, { exitCode: 3, stderr: /ERR_OSDP_SECURE_REQUIRED/ });
});

t.test('a wrong key, and a command that the reader refuses, end with their codes', async (t) => {
  const { file } = folder(t);
  writeFileSync(file('reader.yaml'), '3: "5feceb66ffc86f38d952786c6d696c79"\n', { mode: 0o600 });
  const peer = await pds(t, READER);
  const send = (...args: string[]) => sparc(['osdp', 'send', '--tcp', peer.address, '--address', '3', ...args]);
  const wrong = await send('--keys', file('reader.yaml'), '--command', 'POLL');
  t.match(wrong, { exitCode: 3, stderr: /ERR_OSDP_KEY_REJECTED/ });
  t.notMatch(wrong.stderr, '5feceb66');
  t.match(await send('--keys', file('reader.yaml'), '--key', 'back', '--command', 'POLL'), {
    exitCode: 2,
    stderr: /has no key named back/,
  });
  const nak = await send('--command', 'OUT', '--args', '{"records": [{"output": 9, "code": 1, "timerTicks": 0}]}');
  t.equal(nak.exitCode, 3);
  t.match(nak.stderr, /ERR_OSDP_NAK.*\n.*OUT: NAK 9/);
});

t.test('a search finds readers, and ends with 1 where two have one address', async (t) => {
  const other = { ...READER, address: 1, id: { ...READER.id, serial: 5 } };
  const peer = await pds(t, READER, other);
  const discover = (...args: string[]) =>
    sparc(['osdp', 'discover', '--tcp', peer.address, '--addresses', '1-3', ...args]);
  const people = await discover();
  t.equal(people.exitCode, 0, people.stderr);
  t.match(people.stdout, /^address {2}baud {2}vendor {2}model {2}serial {2}firmware\n/);
  t.match(people.stdout, /\n3 {8}9600 {2}5c2623 {2}8\.3 {4}88712 {3}1\.2\.3/);
  t.match(JSON.parse((await discover('--json')).stdout), [
    { address: 1, baudRate: 9_600, conflict: false, pdid: { serial: 5 } },
    { address: 3, conflict: false, pdid: { serial: 88712 } },
  ]);
  const doubled = await pds(t, READER, { ...READER, id: other.id, replyDelayMs: 20 });
  const conflict = await sparc(['osdp', 'discover', '--tcp', doubled.address, '--addresses', '3']);
  t.equal(conflict.exitCode, 1, conflict.stderr);
  t.match(conflict.stdout, 'CONFLICT');
});
