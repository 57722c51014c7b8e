import fc from 'fast-check';
import t from 'tap';
import {
  createMonitor,
  describeReply,
  encodeCommand,
  encodeFrame,
  replyText,
  stepMonitor,
  type Command,
  type LedRecord,
  type Reply,
} from '@sparc/protocol/osdp';
import { checkProperty } from '../../support/property.js';
import { anyReply } from './arbitraries.js';
import { fromHex, toHex } from './osdp-vectors.js';

const NOTHING = new Uint8Array(0);

function commandText(command: Command): string | undefined {
  const bytes = encodeFrame({ address: 1, reply: false, sequence: 1, check: 'crc', ...encodeCommand(command) });
  return stepMonitor(createMonitor(), { atMs: 1, bytes }).items[0]?.text;
}

const LED: LedRecord = {
  reader: 0,
  led: 1,
  temporary: { code: 0, onTicks: 0, offTicks: 0, onColor: 0, offColor: 0, timerTicks: 0 },
  permanent: { code: 0, onTicks: 0, offTicks: 0, onColor: 0, offColor: 0 },
};

t.test('commands are told in words', async (t) => {
  const told: readonly (readonly [Command, string])[] = [
    [{ name: 'POLL' }, 'POLL'],
    [{ name: 'ID', type: 1 }, 'ID {type=1}'],
    [{ name: 'OUT', records: [{ output: 2, code: 5, timerTicks: 30 }] }, 'OUT output 2 temporary on for 3 s'],
    [{ name: 'OUT', records: [{ output: 0, code: 1, timerTicks: 9 }] }, 'OUT output 0 permanent off'],
    [{ name: 'LED', records: [LED] }, 'LED reader 0 LED 1: unchanged'],
    [
      { name: 'LED', records: [{ ...LED, temporary: { ...LED.temporary, code: 1 } }] },
      'LED reader 0 LED 1: temporary state cancelled',
    ],
    [
      { name: 'LED', records: [{ ...LED, permanent: { code: 1, onTicks: 2, offTicks: 3, onColor: 4, offColor: 1 } }] },
      'LED reader 0 LED 1: blue 0.2 s / red 0.3 s permanently',
    ],
    [{ name: 'BUZ', reader: 0, tone: 1, onTicks: 1, offTicks: 1, count: 1 }, 'BUZ reader 0 silent'],
    [
      { name: 'BUZ', reader: 0, tone: 2, onTicks: 1, offTicks: 2, count: 0 },
      'BUZ reader 0 until stopped, 0.1 s on, 0.2 s off',
    ],
    [{ name: 'COMSET', address: 7, baudRate: 115_200 }, 'COMSET to address 7 at 115200 baud'],
    [{ name: 'XWR', mode: 1, command: 1, data: fromHex('0000a404') }, 'XWR send apdu, reader 0, apdu 3 bytes ***'],
    [
      { name: 'XWR', mode: 9, command: 1, data: NOTHING },
      'XWR that cannot be decoded: XWR knows no command 1 in mode 9',
    ],
  ];
  for (const [command, text] of told) t.equal(commandText(command), text);
});

t.test('replies are told in words', async (t) => {
  const told: readonly (readonly [Reply, string])[] = [
    [{ name: 'ACK' }, 'ACK'],
    [{ name: 'NAK', error: 3, details: Uint8Array.of(0x6f) }, 'NAK 3: unknown command (6f)'],
    [{ name: 'NAK', error: 0x77, details: NOTHING }, 'NAK 119: error 119'],
    [
      {
        name: 'PDCAP',
        capabilities: [
          { function: 9, compliance: 1, count: 1 },
          { function: 99, compliance: 2, count: 3 },
        ],
      },
      'PDCAP security 1/1, 99 2/3',
    ],
    [{ name: 'LSTATR', tampered: true, powerFailed: false }, 'LSTATR tampered with, power normal'],
    [{ name: 'ISTATR', inputs: [0, 1, 3, 77] }, 'ISTATR 0 inactive, 1 active, 2 open, 3 77'],
    [{ name: 'OSTATR', outputs: [] }, 'OSTATR none'],
    [{ name: 'RSTATR', readers: [1] }, 'RSTATR 0 not connected'],
    [{ name: 'COM', address: 7, baudRate: 9_600 }, 'COM from now on address 7 at 9600 baud'],
    [
      { name: 'FTSTAT', action: 6, delayMs: 20, status: -3, messageSizeMax: 256 },
      'FTSTAT malformed, exclusive, wants to leave Secure Channel, a report waits, next fragment in 20 ms, messages of at most 256 bytes',
    ],
    [
      { name: 'PIVDATAR', totalSize: 300, offset: 100, data: new Uint8Array(50) },
      'PIVDATAR bytes 100 to 149 of 300 (50 %)',
    ],
    [{ name: 'BIOMATCHR', reader: 0, status: 1, score: 0 }, 'BIOMATCHR reader 0, timeout, score 0'],
    [{ name: 'XRD', mode: 1, reply: 2, data: fromHex('00009000') }, 'XRD apdu, reader 0, status 0, apdu 2 bytes ***'],
  ];
  for (const [reply, text] of told) t.equal(replyText(reply, false), text);
  t.equal(
    replyText({ name: 'RAW', reader: 0, format: 0, bitCount: 10, bits: fromHex('a5ff') }, true),
    'RAW reader 0, card of 10 bits: 1010010111',
  );
});

t.test('no text for people shows what the schema masks', async (t) => {
  checkProperty(
    fc.property(anyReply, (reply) => {
      const masked = describeReply(reply);
      const text = replyText(reply, false);
      const hidden = Object.values(reply).filter(
        (value) => value instanceof Uint8Array && !masked.includes(toHex(value)),
      );
      return hidden.every((bytes) => bytes.length < 4 || !text.includes(toHex(bytes)));
    }),
    1_000,
  );
  t.pass();
});
