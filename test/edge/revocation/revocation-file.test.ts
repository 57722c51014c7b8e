import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { RevocationFile, type Revocation } from '@sparc/edge/revocation';

const revocation = (number: number): Revocation => ({
  number,
  subject: 'credential',
  id: `card-${number}`,
  by: 'Ada',
  atUnixMs: 1,
});

function folderOf(t: { teardown(work: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-revocations-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

t.test('the list is for its owner, and gives back what was appended', async (t) => {
  const folder = folderOf(t);
  const file = new RevocationFile(folder);
  t.same(file.load(), { revocations: [] });
  await file.append(revocation(1));
  await file.append(revocation(2));
  const again = new RevocationFile(folder);
  t.same(again.load().revocations, [revocation(1), revocation(2)]);
  await again.append(revocation(3));
  t.same(new RevocationFile(folder).load(), { revocations: [1, 2, 3].map(revocation) });
  t.equal(statSync(join(folder, 'revocations.jsonl')).mode & 0o777, 0o600);
});

t.test('the list cut at any byte loses at most the line it was cut in, and takes the next one', async (t) => {
  const folder = folderOf(t);
  const path = join(folder, 'revocations.jsonl');
  const file = new RevocationFile(folder);
  await file.append(revocation(1));
  const first = readFileSync(path).length;
  await file.append(revocation(2));
  const whole = readFileSync(path);
  for (let length = first; length < whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length), { mode: 0o600 });
    const cut = new RevocationFile(folder);
    t.same(cut.load(), { revocations: [revocation(1)] });
    if (length % 16 !== 0) continue;
    await cut.append({ ...revocation(2), id: 'another' });
    t.match(new RevocationFile(folder).load(), { revocations: [revocation(1), { number: 2, id: 'another' }] });
  }
});

t.test('a line that is gone from the middle is said', async (t) => {
  const folder = folderOf(t);
  const path = join(folder, 'revocations.jsonl');
  await new RevocationFile(folder).replace([1, 2, 4].map(revocation));
  t.match(new RevocationFile(folder).load(), {
    revocations: [1, 2, 4].map(revocation),
    error: { code: 'ERR_GATEWAY_REVOCATIONS_DAMAGED' },
  });
  writeFileSync(path, readFileSync(path, 'utf8').split('\n').slice(0, 2).join('\n').concat('\n'), { mode: 0o600 });
  t.equal(new RevocationFile(folder).load().error, undefined, 'of the last only the journal knows');
});

t.test('a damaged line is said, and costs no other', async (t) => {
  const folder = folderOf(t);
  const path = join(folder, 'revocations.jsonl');
  const file = new RevocationFile(folder);
  await file.append(revocation(1));
  appendFileSync(path, 'no json\n{"number":2}\n');
  appendFileSync(path, `${JSON.stringify(revocation(3))}\n`);
  t.match(new RevocationFile(folder).load(), {
    revocations: [revocation(1), revocation(3)],
    error: { code: 'ERR_GATEWAY_REVOCATIONS_DAMAGED' },
  });
  chmodSync(path, 0o644);
  t.match(new RevocationFile(folder).load(), { revocations: [], error: { code: 'ERR_GATEWAY_REVOCATIONS_DAMAGED' } });
});
