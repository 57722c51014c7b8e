import fc from 'fast-check';
import t from 'tap';
import { CAPTURE_IO, decodeCaptureLine, encodeCaptureLine, type CaptureRecord } from '@sparc/protocol/osdp';
import { checkProperty } from '../../support/property.js';
import { toHex } from './osdp-vectors.js';

const POLL = '53000800066089cc';

function read(line: string): CaptureRecord {
  const result = decodeCaptureLine(line, 1);
  if (!result.ok) throw result.error;
  if (result.value === undefined) throw new Error('a blank line');
  return result.value;
}

const problem = (line: string, lineNumber = 7): string => {
  const result = decodeCaptureLine(line, lineNumber);
  return result.ok ? 'none' : `${result.error.code} ${result.error.message}`;
};

t.test('what is written is read again, to the nanosecond', async (t) => {
  checkProperty(
    fc.property(
      fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n }),
      fc.constantFrom(...CAPTURE_IO),
      fc.uint8Array({ maxLength: 1_440 }),
      (unixNs, io, bytes) => {
        const again = read(encodeCaptureLine({ unixNs, io, bytes, source: 'bench' }));
        return (
          again.unixNs === unixNs && again.io === io && again.source === 'bench' && toHex(again.bytes) === toHex(bytes)
        );
      },
    ),
  );
  t.pass();
});

t.test('a line is written as other programs read it', async (t) => {
  const line = encodeCaptureLine({ unixNs: 1_618_331_440_000_000_042n, io: 'trace', bytes: Uint8Array.of(0x53, 0, 8) });
  t.strictSame(JSON.parse(line), {
    timeSec: '1618331440',
    timeNano: '000000042',
    io: 'trace',
    data: '53 00 08',
    osdpTraceVersion: '1',
    osdpSource: 'sparc',
  });
});

t.test('the separators, letters and numbers of other programs are read', async (t) => {
  for (const data of [
    '53 00 08 00 06 60 89 CC',
    ' 53 00 08 00 06 60 89 cc ',
    '53-00-08-00-06-60-89-CC',
    '53:00:08:00:06:60:89:cc',
    POLL,
  ]) {
    const record = read(JSON.stringify({ timeSec: '12', timeNano: '5', io: 'Input', data, more: [1] }));
    t.equal(toHex(record.bytes), POLL);
    t.equal(record.unixNs, 12_000_000_005n);
    t.equal(record.io, 'input');
    t.equal(record.source, undefined);
  }
  t.equal(read(`{ "timeSec" : 12, "timeNano" : 0, "io" : "output", "data" : "" }\r`).bytes.length, 0);
  t.equal(read(`\uFEFF{"timeSec":"1","timeNano":"2","io":"trace","data":"FF"}`).bytes[0], 0xff);
});

t.test('a blank line is none', async (t) => {
  for (const line of ['', '  ', '\r']) t.strictSame(decodeCaptureLine(line, 3), { ok: true, value: undefined });
});

t.test('a line that cannot be read is named by its number and its field, and not shown', async (t) => {
  const with_ = (fields: object) => JSON.stringify({ timeSec: '1', timeNano: '2', io: 'trace', data: POLL, ...fields });
  t.equal(problem(with_({})), 'none');
  t.match(problem(with_({}).slice(0, 30), 31), /^ERR_OSDP_CAPTURE line 31: is no JSON object/);
  t.match(problem('[1'), 'is no JSON object');
  t.match(problem('null'), 'is no JSON object');
  t.match(problem(with_({ timeSec: '-1' })), 'timeSec');
  t.match(problem(with_({ timeNano: 1.5 })), 'timeNano');
  t.match(problem(with_({ timeNano: undefined })), 'timeNano');
  t.match(problem(with_({ io: 'both' })), 'io is neither');
  t.match(problem(with_({ data: '5300080' })), 'data is not hexadecimal');
  t.match(problem(with_({ data: 'secret' })), 'data is not hexadecimal');
  t.match(problem(with_({ data: { a: 1 } })), 'data is not hexadecimal');
  t.notMatch(problem(with_({ data: 'secret' })), 'secret');
  t.match(problem(with_({ data: '00'.repeat(60_000) })), 'longer than 100000 characters');
});

t.test('any text is read or refused, without an exception', async (t) => {
  checkProperty(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      const result = decodeCaptureLine(line, 1);
      return result.ok || result.error.code === 'ERR_OSDP_CAPTURE';
    }),
    500,
  );
  t.pass();
});
