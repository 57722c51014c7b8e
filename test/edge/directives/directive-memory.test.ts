import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { SparcError } from '@sparc/protocol/errors';
import { HLC_AHEAD_MAX_MS, HLC_TOLERATED_MAX_MS } from '@sparc/protocol/hlc';
import {
  directiveId,
  signDirective,
  type DirectiveContent,
  type DirectiveOf,
  type SignedDirective,
} from '@sparc/protocol/directive';
import { DirectiveFile, DIRECTIVES_REMEMBERED_MAX, type DirectiveStore } from '@sparc/edge/directives';
import { testSigner } from '../../support/test-signer.js';
import { AUTHORITY_SEED, carry, deskOf, keptStore, OPERATORS, settle } from './desk.js';

const DAY_MS = 86_400_000;
const [ADA, BEN] = OPERATORS;
const every = (number: number) => ({ v: 1, site: 'site', issuedUnixMs: number, expiresUnixMs: 80_000_000 }) as const;
const raise = (number: number): DirectiveContent => ({ ...every(number), kind: 'raise', what: 'lockdown' });
const command = (number: number): DirectiveContent => ({
  ...every(number),
  kind: 'door',
  door: 'shed',
  order: { kind: 'accessDoor' },
});
const byAuthority = (content: DirectiveContent) => signDirective(testSigner(AUTHORITY_SEED), content);
const by = ({ seed }: { readonly seed: number }, content: DirectiveContent) => signDirective(testSigner(seed), content);
const delegated = ({ key }: { readonly key: string }, more = {}) => ({
  operator: key,
  name: key.slice(0, 4),
  rights: ['mode', 'order'],
  scope: [],
  issuedUnixMs: 0,
  notAfterUnixMs: 400 * DAY_MS,
  ...more,
});

t.test('the file gives back what was saved, is its account’s alone, and says when it is damaged', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'directives-'));
  const file = new DirectiveFile(folder);
  t.equal(file.load(), undefined, 'nothing yet');
  const signed = byAuthority(raise(1));
  const id = directiveId(signed);
  const state = {
    operators: [{ operator: signed.operator, remembered: [{ id, unixMs: 5 }], floorUnixMs: 3 }],
    refused: [id],
    given: [{ ...signed, unixMs: 5 }],
  };
  await file.save(state);
  t.strictSame(new DirectiveFile(folder).load(), state);
  const path = join(folder, 'directives.json');
  t.equal(statSync(path).mode & 0o777, 0o600);
  writeFileSync(path, '{"operators":[{"operator":"x"}]}');
  t.throws(() => file.load(), { code: 'ERR_DIRECTIVE_MEMORY_DAMAGED' });
});

t.test('beyond what is remembered of an operator, older directives pass for dealt with, and only theirs', async (t) => {
  const full = Array.from({ length: DIRECTIVES_REMEMBERED_MAX }, (_, at) => ({
    id: at.toString(16).padStart(32, '0'),
    unixMs: 2_000 + at,
  }));
  const store = keptStore();
  await store.save({ operators: [{ operator: BEN.key, remembered: full, floorUnixMs: -1 }], refused: [], given: [] });
  const { desk, opened } = deskOf(store);
  desk.believe([delegated(ADA), delegated(BEN)]);
  const aYearAhead = { issuedUnixMs: 365 * DAY_MS, expiresUnixMs: 365 * DAY_MS + 1 };
  desk.heard(carry(by(BEN, { ...command(1), ...aYearAhead }), 365 * DAY_MS));
  await settle();
  t.equal(opened.length, 1);
  const saved = store.load()?.operators.find(({ operator }) => operator === BEN.key);
  t.equal(saved?.remembered.length, DIRECTIVES_REMEMBERED_MAX);
  t.equal(saved?.floorUnixMs, 2_000, 'the oldest went');
  const again = deskOf(store);
  again.desk.believe([delegated(ADA), delegated(BEN)]);
  again.desk.heard(carry(by(BEN, command(9_999)), 1_000));
  const lockdown = by(ADA, raise(1));
  again.desk.heard(carry(lockdown, 1_000));
  await settle();
  t.strictSame([...again.inForce], [directiveId(lockdown)]);
  t.strictSame(again.opened, []);
});

t.test('a disk that does not take it is told, and a restriction holds all the same', async (t) => {
  const failures: unknown[] = [];
  let isBroken = true;
  const store: DirectiveStore = {
    load: () => undefined,
    save: () => (isBroken ? Promise.reject(new Error('no space')) : Promise.resolve()),
  };
  const { desk, clock, inForce } = deskOf(store, (error) => failures.push(error));
  await clock.advance(1_000);
  const signed = [byAuthority(raise(1)), byAuthority(raise(2))] as const;
  t.match(await desk.direct(signed[0]), { outcome: 'applied' });
  t.equal(failures.length, 1);
  isBroken = false;
  await desk.direct(signed[1]);
  t.equal(failures.length, 1, 'the next one is saved with it');
  t.strictSame([...inForce], signed.map(directiveId));
});

t.test('a door is not opened where a restart would open it again', async (t) => {
  const failures: unknown[] = [];
  const isBroken: DirectiveStore = { load: () => undefined, save: () => Promise.reject(new Error('no space')) };
  const { desk, opened, recorded } = deskOf(isBroken, (error) => failures.push(error));
  const entry = carry(byAuthority(command(1)), 1_000);
  desk.heard(entry);
  await settle();
  t.strictSame(opened, []);
  t.match(recorded, [{ name: 'directive.refused', code: 'ERR_DIRECTIVE_UNSAVED' }]);
  const isDamaged: DirectiveStore = {
    load: () => {
      throw new SparcError('ERR_DIRECTIVE_MEMORY_DAMAGED', 'no JSON');
    },
    save: async () => undefined,
  };
  const again = deskOf(isDamaged, (error) => failures.push(error));
  again.desk.heard(entry);
  const [early, later] = [byAuthority(command(4)), byAuthority(command(2))];
  again.desk.heard(carry(early, HLC_AHEAD_MAX_MS + 1));
  again.desk.heard(carry(later, HLC_TOLERATED_MAX_MS + 1));
  const here = byAuthority(command(3));
  const giving = again.desk.direct(here);
  await again.clock.advance(1_000);
  t.match(await giving, { outcome: 'applied' });
  t.strictSame(again.opened.sort(), [directiveId(later), directiveId(here)].sort());
  t.match(again.recorded[0], { name: 'directive.refused', code: 'ERR_DIRECTIVE_UNSAVED' });
});

t.test('a refusal is recorded once, over all restarts, and one that was not recorded is recorded later', async (t) => {
  const store = keptStore();
  const told: string[] = [];
  const entries = Array.from({ length: 9 }, (_, number) =>
    carry(byAuthority({ ...raise(number), expiresUnixMs: 1_000 }), HLC_AHEAD_MAX_MS + 1_001),
  );
  for (let start = 0; start < 3; start += 1) {
    const { desk, recorded } = deskOf(store);
    for (const entry of entries) desk.heard(entry);
    await settle();
    for (const each of recorded) if (each.name === 'directive.refused') told.push(each.detail.directive ?? '');
  }
  t.equal(told.length, 9);
  t.equal(new Set(told).size, 9);
});

t.test('what is withheld until it is over counts for nobody, whatever the entry says of the wall clock', async (t) => {
  const { desk, inForce } = deskOf();
  const evacuation = byAuthority({ ...raise(1), what: 'evacuation', expiresUnixMs: 60_000 } as DirectiveOf<'raise'>);
  desk.heard(carry(evacuation, 30 * DAY_MS, { wallUnixMs: 1_000 }));
  t.strictSame([...inForce], []);
  desk.heard(carry(evacuation, 60_000 + HLC_AHEAD_MAX_MS));
  t.strictSame([...inForce], [directiveId(evacuation)], 'a clock that follows others is ahead by no more');
});

t.test('another operator who repeats a text gives another directive, and the first one counts', async (t) => {
  const { desk, inForce } = deskOf();
  desk.believe([delegated(ADA), delegated(BEN, { scope: ['shed'] })]);
  const [copied, lockdown] = [by(BEN, raise(1)), by(ADA, raise(1))] as const;
  desk.heard(carry(copied, 1_000));
  desk.heard(carry(lockdown, 1_005));
  t.strictSame([...inForce], [directiveId(lockdown)]);
});

t.test('what was given here ends after a restart, too, when its operator had no right to it', async (t) => {
  const store = keptStore();
  const { desk, clock } = deskOf(store);
  await clock.advance(1_000);
  desk.believe([delegated(ADA)]);
  const lockdown: SignedDirective = by(ADA, raise(1));
  t.match(await desk.direct(lockdown), { outcome: 'applied' });
  const again = deskOf(store);
  again.inForce.add(directiveId(lockdown));
  again.desk.believe([delegated(ADA)]);
  t.equal(again.inForce.size, 1);
  again.desk.believe([delegated(ADA, { rights: [], issuedUnixMs: 500 })]);
  t.equal(again.inForce.size, 0);
});
