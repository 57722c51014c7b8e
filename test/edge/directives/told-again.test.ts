import t from 'tap';
import { directiveId, signDirective, type DirectiveContent } from '@sparc/protocol/directive';
import { toHex } from '@sparc/edge/platform';
import type { DirectiveStore } from '@sparc/edge/directives';
import { testSigner } from '../../support/test-signer.js';
import { AUTHORITY_SEED, carry, deskOf, keptStore, OPERATORS, settle } from './desk.js';

const [ADA] = OPERATORS;
const AUTHORITY = toHex(testSigner(AUTHORITY_SEED).publicKey);

const every = { v: 1, site: 'site', issuedUnixMs: 0, expiresUnixMs: 80_000_000 } as const;
const LOCKDOWN: DirectiveContent = { ...every, kind: 'raise', what: 'lockdown' };
const byAda = signDirective(testSigner(ADA.seed), LOCKDOWN);

const adaMay = (rights: readonly 'mode'[], issuedUnixMs: number) => ({
  operator: ADA.key,
  name: 'Ada',
  scope: [],
  rights: [...rights],
  issuedUnixMs,
  notAfterUnixMs: 1_000,
});

t.test('what restricts counts however late it is heard, and what opens, lets in or forgives does not', async (t) => {
  const operators = [{ operator: AUTHORITY, remembered: [], floorUnixMs: 1_000 }];
  const store: DirectiveStore = {
    load: () => ({ operators, refused: [], given: [] }),
    save: () => Promise.resolve(),
  };
  const done: string[] = [];
  const sink = (kind: string) => () => {
    done.push(kind);
    return 'unchanged' as const;
  };
  const { desk, inForce, recorded } = deskOf(store, undefined, {
    forgive: sink('forgive'),
    door: sink('door'),
    revoke: sink('revoke'),
    release: sink('release'),
  });
  const all: DirectiveContent[] = [
    LOCKDOWN,
    { ...every, kind: 'forgive', holder: 'ann' },
    { ...every, kind: 'door', door: 'front', order: { kind: 'accessDoor' } },
    { ...every, kind: 'revoke', subject: 'credential', subjectId: 'card' },
    { ...every, kind: 'release', raises: ['9'.repeat(32)] },
  ];
  for (const content of all) desk.heard(carry(signDirective(testSigner(AUTHORITY_SEED), content), 900));
  await settle();
  t.equal(inForce.size, 1);
  t.strictSame(done, ['revoke', 'release']);
  t.strictSame(recorded, [], 'that it is so already was recorded when it was dealt with first');
});

t.test('for whom an operator acts that is a service stands in the entry', async (t) => {
  const { desk, recorded } = deskOf();
  desk.believe([adaMay(['mode'], 0)]);
  await desk.direct(signDirective(testSigner(ADA.seed), { ...LOCKDOWN, onBehalfOf: 'otto' }));
  t.match(recorded[0], { name: 'directive.given', detail: { operator: ADA.key, onBehalfOf: 'otto' } });
});

t.test(
  'what was in force before a restart ends when its entry is told after the word that took the right',
  async (t) => {
    const store = keptStore();
    const before = deskOf(store);
    before.desk.believe([adaMay(['mode'], 1)]);
    before.desk.heard(carry(byAda, 20));
    await settle();
    const id = directiveId(byAda);
    t.strictSame([...before.inForce], [id]);

    const restarted = () => {
      const after = deskOf(store, undefined, {}, new Set([id]));
      after.desk.believe([adaMay(['mode'], 1), adaMay([], 10)]);
      return after;
    };
    const repeated = restarted();
    repeated.desk.heard(carry(byAda, 5, { id: { author: 'd'.repeat(64), epoch: 1, sequence: 1 } }));
    repeated.desk.heard(carry(byAda, 20));
    t.strictSame([...repeated.inForce], [id], 'another gateway carries it from when the right to it was there');

    const withdrawn = restarted();
    withdrawn.desk.heard(carry(byAda, 20));
    t.strictSame([...withdrawn.inForce], []);
  },
);

t.test('a clock that was set back gives nobody a right that had ended', async (t) => {
  const { desk, inForce } = deskOf(undefined, undefined, {}, new Set(), 1_001);
  desk.believe([adaMay(['mode'], 1)]);
  await t.rejects(desk.direct(byAda), { code: 'ERR_DIRECTIVE_NOT_ENTITLED' });
  t.strictSame([...inForce], []);
});
