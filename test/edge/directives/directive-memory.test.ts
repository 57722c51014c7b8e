import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { encodeSignedDirective as encode, signDirective, type Directive } from '@sparc/protocol/directive';
import { DirectiveFile, DIRECTIVES_REMEMBERED_MAX, type DirectiveStore } from '@sparc/edge/directives';
import { asHeard } from '../../support/as-heard.js';
import { testSigner } from '../../support/test-signer.js';
import { AUTHORITY_SEED, deskOf } from './desk.js';

const ID = (number: number) => number.toString(16).padStart(32, '0');
const saved = (remembered: { id: string; unixMs: number }[], floorUnixMs = -1) => ({
  remembered,
  floorUnixMs,
  refused: [],
});
const raise = (number: number): Directive => ({
  v: 1,
  id: ID(number),
  site: 'site',
  issuedUnixMs: 0,
  expiresUnixMs: 80_000_000,
  kind: 'raise',
  what: 'lockdown',
});
const byAuthority = (number: number) => signDirective(testSigner(AUTHORITY_SEED), raise(number));

t.test('the file gives back what was saved, is its account’s alone, and says when it is damaged', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'directives-'));
  const file = new DirectiveFile(folder);
  t.equal(file.load(), undefined, 'nothing yet');
  const state = { ...saved([{ id: ID(1), unixMs: 5 }], 3), refused: [ID(2)] };
  await file.save(state);
  t.strictSame(new DirectiveFile(folder).load(), state);
  const path = join(folder, 'directives.json');
  t.equal(statSync(path).mode & 0o777, 0o600);
  writeFileSync(path, '{"remembered":[{"id":"x"}]}');
  t.throws(() => file.load(), { code: 'ERR_DIRECTIVE_MEMORY_DAMAGED' });
});

t.test('beyond what is remembered, older directives pass for dealt with and newer ones are carried out', async (t) => {
  const all = Array.from({ length: DIRECTIVES_REMEMBERED_MAX }, (_, at) => ({ id: ID(at + 1), unixMs: 1_000 + at }));
  let last: ReturnType<DirectiveStore['load']>;
  const store: DirectiveStore = { load: () => saved(all), save: async (state) => void (last = state) };
  const { desk, clock, inForce } = deskOf(store);
  await clock.advance(10_000);
  t.match(await desk.direct(byAuthority(1)), { outcome: 'known' });
  t.match(await desk.direct(byAuthority(9_001)), { outcome: 'applied' });
  t.equal(last?.remembered.length, DIRECTIVES_REMEMBERED_MAX);
  t.equal(last?.floorUnixMs, 1_000, 'the oldest went');
  const again = deskOf({ ...store, load: () => last });
  const carry = (number: number, unixMs: number) =>
    asHeard({
      id: { author: 'c'.repeat(64), epoch: 1, sequence: number },
      hlc: { unixMs, counter: 0 },
      wallUnixMs: unixMs,
      timeQuality: 'synced' as const,
      record: { name: 'directive.given' as const, directive: encode(byAuthority(number)) },
    });
  again.desk.heard(carry(1, 1_000));
  again.desk.heard(carry(9_002, 1_000));
  t.strictSame([...again.inForce], []);
  again.desk.heard(carry(9_003, 1_001));
  t.strictSame([...again.inForce], [ID(9_003)]);
  t.strictSame([...inForce], [ID(9_001)]);
});

t.test('a disk that does not take it is told, and a directive holds all the same', async (t) => {
  const failures: unknown[] = [];
  let isBroken = true;
  const store: DirectiveStore = {
    load: () => undefined,
    save: () => (isBroken ? Promise.reject(new Error('no space')) : Promise.resolve()),
  };
  const { desk, clock, inForce } = deskOf(store, (error) => failures.push(error));
  await clock.advance(1_000);
  t.match(await desk.direct(byAuthority(1)), { outcome: 'applied' });
  t.equal(failures.length, 1);
  isBroken = false;
  await desk.direct(byAuthority(2));
  t.equal(failures.length, 1, 'the next one is saved with it');
  t.strictSame([...inForce], [ID(1), ID(2)]);
});
