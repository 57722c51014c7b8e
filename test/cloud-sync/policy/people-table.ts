import { Readable } from 'node:stream';
import fc from 'fast-check';
import t from 'tap';
import { PEOPLE_TABLE_BYTES_MAX, PeopleTable } from '@sparc/cloud-sync/policy';

const rowsOf = (chunks: readonly Uint8Array[]) => [...new PeopleTable(chunks).pieces()].flat();

t.test('a table that comes in any pieces is read as in one', (t) => {
  const cell = fc.oneof(
    fc.stringMatching(/^[a-z0-9 é€]{0,8}$/),
    fc.constantFrom('"a, b"', '"say ""no"""', '"two\r\nlines"', '"', 'a"b'),
  );
  const table = fc
    .array(fc.tuple(cell, cell, fc.constantFrom('\n', '\r\n', '\r', '\n\n')), { maxLength: 8 })
    .map((rows) => Buffer.from(`\uFEFFholder,name\n${rows.map(([a, b, end]) => `${a},${b}${end}`).join('')}`));
  fc.assert(
    fc.property(table, fc.array(fc.nat(200), { maxLength: 6 }), (bytes, cuts) => {
      const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
      const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      // The header alone has to be whole to be told.
      t.strictSame(rowsOf(pieces), rowsOf([bytes]));
    }),
  );
  t.end();
});

t.test('rows know their lines, and one that cannot be read ends the table', (t) => {
  const text = 'holder,name\nada,"Ada\nKing"\n\nbob,Bob\ncy,"Cy\ndot,Dot\n';
  t.strictSame(rowsOf([Buffer.from(text)]), [
    { line: 2, cells: ['ada', 'Ada\nKing'] },
    { line: 5, cells: ['bob', 'Bob'] },
    { line: 6, cells: [] },
  ]);
  t.end();
});

t.test('a quote that is never closed is not looked for to the end of a large table', (t) => {
  const row = Buffer.from('ada,Ada\n'.repeat(8_192));
  const chunks = [Buffer.from('holder,name\nada,"Ada\n'), ...Array.from({ length: 512 }, () => row)];
  t.strictSame(rowsOf(chunks), [{ line: 2, cells: [] }]);
  t.end();
});

t.test('more than a table may be is refused while it comes', async (t) => {
  const chunk = Buffer.alloc(1_048_576, 'a');
  let count = 0;
  const endless = new Readable({
    read() {
      count += 1;
      this.push(chunk);
    },
  });
  await t.rejects(PeopleTable.read(endless), { code: 'ERR_POLICY_INVALID' });
  t.ok(count * chunk.length < 2 * PEOPLE_TABLE_BYTES_MAX);
});
