import t from 'tap';
import { DIRECTIVES_HEARD_AT_ONCE_MAX } from '@sparc/edge/directives';
import { encodeSignedDirective as encode, type Directive } from '@sparc/protocol/directive';
import { HLC_AHEAD_MAX_MS } from '@sparc/protocol/hlc';
import { toHex } from '@sparc/edge/platform';
import type { HeardEntry } from '@sparc/edge/heard';
import { asHeard } from '../../support/as-heard.js';
import { testSigner } from '../../support/test-signer.js';
import {
  ADA,
  AUTHORITY,
  delegation,
  DirectedSite,
  directive,
  keptDirectives,
  signed as sign,
} from './directed-sites.js';
import { CARDS, EIGHT_UNIX_MS, sitePolicy } from './field-site.js';

const LOCKDOWN = { kind: 'raise', what: 'lockdown' } as const;
const OPEN_FRONT = { kind: 'door', door: 'front', order: { kind: 'accessDoor' } } as const;
const REVOKE_ANN = { kind: 'revoke', subject: 'credential', subjectId: 'ann' } as const;
const REFUSED = 'directive.refused';

/** Two gateways that know of Ada. */
async function pair(): Promise<readonly [DirectedSite, DirectedSite]> {
  const both = [await DirectedSite.open('a'), await DirectedSite.open('b')] as const;
  for (const each of both) each.believe(delegation());
  return both;
}

const isLockedDown = ({ site }: DirectedSite): boolean => site.field.snapshot().mode.lockdown;

async function isLetIn({ site }: DirectedSite, card = CARDS.ann): Promise<boolean> {
  site.news();
  site.bus.card('store-in', card);
  await site.clock.advance(2_000);
  return site.news().includes('access.granted');
}

t.test('a lockdown holds where it is given and where it is heard, and ends there by its release', async (t) => {
  const [a, b] = await pair();
  const lockdown = directive(LOCKDOWN);
  t.strictSame(await a.direct(lockdown), { id: lockdown.id, outcome: 'applied' });
  t.ok(isLockedDown(a));
  t.notOk(await isLetIn(a));
  t.ok(await isLetIn(b), 'which has not heard of it');
  await b.hear(a.news());
  t.ok(isLockedDown(b));
  t.notOk(await isLetIn(b));
  const given = a.told.find(({ record }) => record.name === 'directive.given');
  t.match(b.site.record('site.lockdown').record, { causeId: given?.id, detail: { by: 'Ada', directive: lockdown.id } });

  const release = directive({ kind: 'release', raises: [lockdown.id] });
  await b.direct(release);
  await a.hear(b.news());
  t.notOk(isLockedDown(a) || isLockedDown(b));
  t.ok((await isLetIn(a)) && (await isLetIn(b)));
  for (const gateway of [a, b]) {
    t.strictSame(gateway.answers(lockdown.id), ['site.lockdown']);
    t.strictSame(gateway.answers(release.id), ['site.lockdown_ended']);
  }
});

t.test('a restriction is in force before the disk has taken it, and a release is not', async (t) => {
  const [a] = await pair();
  a.site.journal.hanging = true;
  const lockdown = directive(LOCKDOWN);
  const locking = a.site.field.direct(sign(ADA, lockdown));
  t.ok(isLockedDown(a), 'within the call');
  a.site.journal.release();
  await a.settled(locking);
  a.site.journal.hanging = true;
  const release = a.site.field.direct(sign(ADA, directive({ kind: 'release', raises: [lockdown.id] })));
  await a.site.clock.advance(100);
  t.ok(isLockedDown(a));
  a.site.journal.release();
  await a.settled(release);
  t.notOk(isLockedDown(a));
});

t.test('who is revoked at one gateway enters at no other, whatever number it has there', async (t) => {
  const [a, b] = await pair();
  await b.direct(directive({ kind: 'revoke', subject: 'holder', subjectId: 'somebody' }));
  const revocation = directive(REVOKE_ANN);
  await a.direct(revocation);
  await b.hear(a.news());
  t.notOk((await isLetIn(a)) || (await isLetIn(b)));
  t.match(a.site.record('revocation.applied').record.detail, { number: '1', directive: revocation.id });
  t.match(b.site.record('revocation.applied').record.detail, { number: '2', directive: revocation.id });

  const again = directive(REVOKE_ANN);
  t.match(await b.direct(again), { outcome: 'applied' });
  t.strictSame(b.answers(again.id), ['revocation.applied'], 'a policy may absorb one of the two');
});

t.test(
  'a policy lets in whom it absorbed the revocation of, whichever comes first, and no other one does',
  async (t) => {
    const revocation = directive(REVOKE_ANN);
    const { id, subject, subjectId } = { ...revocation, ...REVOKE_ANN };
    const absorbed = [{ id, subject, subjectId }];
    const blocked = sitePolicy({ revision: 'r2', ann: { status: 'blocked' }, absorbed });
    const reissued = sitePolicy({ revision: 'r3', ann: { keys: ['h10301:1:44'] }, absorbed });
    for (const isHeardLast of [false, true]) {
      const [a, b] = await pair();
      await a.direct(revocation);
      const news = a.news();
      if (!isHeardLast) await b.hear(news);
      b.site.field.usePolicy(blocked);
      if (isHeardLast) await b.hear(news);
      t.notOk(await isLetIn(b), 'the policy says it');
      t.equal(b.site.record('access.denied').record.reason, 'credential_blocked');
      b.site.field.usePolicy(reissued);
      t.ok(await isLetIn(b, CARDS.carla), 'by the new card of Ann');
      t.notOk(await isLetIn(b), 'and not by the old one');
      b.site.field.usePolicy(sitePolicy());
      t.notOk(await isLetIn(b), 'an older policy');
      t.equal(b.site.record('access.denied').record.reason, 'credential_revoked');
      b.site.field.usePolicy(reissued);
      await b.direct(directive(REVOKE_ANN));
      t.notOk(await isLetIn(b, CARDS.carla), 'revoked once more');
      t.equal(b.site.record('access.denied').record.reason, 'credential_revoked');
      b.site.field.usePolicy({ kind: 'none' });
      t.notOk(await isLetIn(b, CARDS.carla), 'no policy');
    }
  },
);

t.test('a grant of before the policy went back does not open under the older one', async (t) => {
  const [a] = await pair();
  const revocation = directive(REVOKE_ANN);
  await a.direct(revocation);
  const { id, subject, subjectId } = { ...revocation, ...REVOKE_ANN };
  a.site.field.usePolicy(sitePolicy({ revision: 'r2', absorbed: [{ id, subject, subjectId }] }));
  t.ok(await isLetIn(a));
  a.site.journal.hanging = true;
  a.site.bus.card('front-in', CARDS.ann);
  await a.site.clock.advance(50);
  a.site.field.usePolicy(sitePolicy());
  a.site.journal.release();
  await a.site.clock.advance(100);
  t.notOk(a.site.released('front'));
});

t.test('a door opens once, at the gateway that has it, and recorded first', async (t) => {
  const a = await DirectedSite.open('a', { policy: sitePolicy({ removed: ['front'] }) });
  const b = await DirectedSite.open('b');
  for (const each of [a, b]) each.believe(delegation());
  const open = directive(OPEN_FRONT);
  t.match(await a.direct(open), { outcome: 'elsewhere' });
  const news = a.news();
  await b.hear(news);
  t.match(b.site.journal.names, /operator\.release/);
  t.strictSame(b.answers(open.id), ['operator.release']);
  t.strictSame(a.answers(open.id), []);
  const releases = () => b.site.journal.names.filter((name) => name === 'operator.release').length;
  await b.hear(news);
  t.match(await b.direct(open), { outcome: 'known' });
  t.equal(releases(), 1);
});

t.test('a door opens at a gateway whose clock is ahead by more than the command lasts', async (t) => {
  const [a, b] = await pair();
  b.site.clock.stepWall(100_000);
  const open = directive(OPEN_FRONT);
  await b.direct(directive({ kind: 'forgive', holder: 'ann' }, { expiresUnixMs: EIGHT_UNIX_MS + 600_000 }));
  await a.hear(b.told);
  await a.direct(open);
  await b.hear(a.told);
  t.strictSame(b.answers(open.id), ['operator.release']);
});

t.test(
  'a door opens, and nobody is blamed, where another gateway said that it is as far ahead as anybody is heard',
  async (t) => {
    const [a, b] = await pair();
    b.site.clock.stepWall(-50);
    a.site.field.keepUpWith(a.site.clock.wall().unixMs + HLC_AHEAD_MAX_MS - 10);
    const open = directive(OPEN_FRONT);
    await a.direct(open);
    await b.hear(a.told);
    t.strictSame(b.answers(open.id), ['operator.release']);
    t.notOk(b.site.journal.names.includes('clock.stamps_ahead'));
  },
);

t.test('no door opens after the deadline, or by a clock that shows another day', async (t) => {
  const [a, b] = await pair();
  const late = directive(OPEN_FRONT);
  await a.direct(late);
  await b.site.clock.advance(120_000);
  await b.hear(a.news());
  t.strictSame(b.answers(late.id), [`${REFUSED} ERR_DIRECTIVE_EXPIRED`]);
  const c = await DirectedSite.open('c');
  c.believe(delegation());
  c.site.clock.stepWall(-86_400_000);
  await c.hear(a.told);
  t.strictSame(c.answers(late.id), [`${REFUSED} ERR_DIRECTIVE_EXPIRED`]);
  t.notOk([...b.site.journal.names, ...c.site.journal.names].includes('operator.release'));
});

/** As another gateway carries it. */
function carriedBy(carrier: string, sequence: number, given: Directive, unixMs = EIGHT_UNIX_MS): HeardEntry {
  const detail = { directive: given.id, kind: given.kind, operator: toHex(ADA.publicKey) };
  return asHeard({
    id: { author: carrier.repeat(64), epoch: 1, sequence },
    hlc: { unixMs, counter: sequence },
    wallUnixMs: unixMs,
    timeQuality: 'synced',
    record: { name: 'directive.given', directive: encode(sign(ADA, given)), detail },
  });
}

t.test('an operator who gives at many gateways opens a door no more often than one who gives at one', async (t) => {
  const [a] = await pair();
  const opens: string[] = [];
  for (const carrier of ['b', 'c', 'd']) {
    const carried = Array.from({ length: DIRECTIVES_HEARD_AT_ONCE_MAX / 2 }, (_, at) => {
      const open = directive(OPEN_FRONT);
      opens.push(open.id);
      return carriedBy(carrier, at + 1, open);
    });
    await a.hear(carried);
  }
  const answers = opens.map((id) => a.answers(id).join());
  t.equal(answers.filter((answer) => answer === 'operator.release').length, DIRECTIVES_HEARD_AT_ONCE_MAX);
  t.ok(answers.includes(`${REFUSED} ERR_DIRECTIVE_TOO_FAST`));
});

t.test('a visitor of whom two ledgers tell was let in at the earlier time, whichever is heard first', async (t) => {
  const visitOf = (id: string) =>
    directive({
      kind: 'visitor',
      visitor: {
        id,
        name: 'Guest',
        identifier: { format: 'h10301', facility: 1, number: 99 },
        profiles: ['p-store-in'],
        fromUnixMs: EIGHT_UNIX_MS,
        untilUnixMs: EIGHT_UNIX_MS + 3_600_000,
      },
    });
  const [guest, other] = [visitOf('guest'), visitOf('other')];
  const revocation = directive({ kind: 'revoke', subject: 'credential', subjectId: 'other' });
  const at = (ms: number) => EIGHT_UNIX_MS + ms;
  const told = [carriedBy('b', 1, guest, at(1_000)), carriedBy('c', 1, guest, at(10_000))];
  const known = [carriedBy('d', 1, other, at(500)), carriedBy('d', 2, revocation, at(5_000))];
  const whyDenied = async (...entries: readonly HeardEntry[]) => {
    const gateway = await DirectedSite.open('a');
    gateway.believe(delegation());
    for (const entry of [...known, ...entries]) await gateway.hear([entry]);
    await isLetIn(gateway, CARDS.stranger);
    return gateway.site.record('access.denied').record.reason;
  };
  t.equal(await whyDenied(...told.slice(1)), 'no_right', 'the card was issued since, to somebody without rights');
  for (const entries of [told, told.toReversed()]) t.equal(await whyDenied(...entries), 'credential_revoked');
});

t.test('a mode of a door and a forgiveness name the directive behind them', async (t) => {
  const [a, b] = await pair();
  const unlock = directive({ kind: 'door', door: 'front', order: { kind: 'door', mode: 'unlocked', forMs: 5_000 } });
  await a.direct(unlock);
  const given = a.site.record('directive.given').id;
  t.match(a.site.record('door.ordered').record, {
    causeId: given,
    detail: { by: 'Ada', mode: 'unlocked', directive: unlock.id },
  });
  const forgiveness = directive({ kind: 'forgive', holder: 'ann-holder' });
  await a.direct(forgiveness);
  await b.hear(a.news());
  for (const gateway of [a, b]) t.strictSame(gateway.answers(forgiveness.id), ['apb.forgiven']);
});

t.test(
  'a visitor is let in at every gateway that heard, and out when the operator turns out to have had no right',
  async (t) => {
    const [a, b] = await pair();
    const visitor = {
      id: 'guest',
      name: 'Guest',
      identifier: { format: 'h10301', facility: 1, number: 99 },
      profiles: ['p-store-in'],
      fromUnixMs: EIGHT_UNIX_MS,
      untilUnixMs: EIGHT_UNIX_MS + 3_600_000,
    };
    const visit = directive({ kind: 'visitor', visitor });
    await a.direct(visit);
    await b.hear(a.news());
    for (const gateway of [a, b]) {
      t.strictSame(gateway.answers(visit.id), ['visitor.added']);
      gateway.believe(delegation({ rights: [], issuedUnixMs: EIGHT_UNIX_MS }));
      await gateway.site.clock.advance(1_000);
      t.strictSame(gateway.answers(visit.id), ['visitor.added', 'visitor.ended ERR_DIRECTIVE_NOT_ENTITLED']);
    }
  },
);

t.test('a card that two visitors have opens for neither once one is revoked, till it is issued anew', async (t) => {
  const [a, b] = await pair();
  const visit = (id: string, issuedUnixMs: number) => {
    const visitor = {
      id,
      name: 'Guest',
      identifier: { format: 'h10301', facility: 1, number: 99 },
      profiles: ['p-store-in'],
      fromUnixMs: EIGHT_UNIX_MS,
      untilUnixMs: EIGHT_UNIX_MS + 3_600_000,
    };
    return directive({ kind: 'visitor', visitor }, { issuedUnixMs });
  };
  const whose = async ({ site }: DirectedSite) => {
    site.bus.card('store-in', CARDS.stranger);
    await site.clock.advance(2_000);
    const { credentialId, reason } = site.record('access.denied').record;
    return `${credentialId} ${reason}`;
  };
  // What the machines of operators show, ahead or behind, says nothing about what came first.
  const at = (ms: number) => EIGHT_UNIX_MS + ms;
  await b.direct(visit('guest-2', at(50_000)));
  await a.site.clock.advance(2_000);
  const revocation = { kind: 'revoke', subject: 'credential', subjectId: 'guest-1' } as const;
  await a.direct(directive(revocation, { issuedUnixMs: at(2) }));
  await b.hear(a.news());
  t.equal(await whose(b), 'guest-2 no_right', 'nobody of that card was revoked, as far as it has heard');
  await a.direct(visit('guest-1', at(0)));
  for (const [gateway, news] of [
    [b, a.news()],
    [a, b.news()],
  ] as const) {
    await gateway.hear(news);
    t.equal(await whose(gateway), 'guest-1 credential_revoked');
    t.equal(gateway.site.record('revocation.applied').record.detail?.['unlisted'], 'true', 'nobody was called that');
  }
  await b.direct(visit('guest-3', at(-300_000)));
  await a.hear(b.news());
  for (const gateway of [a, b]) t.equal(await whose(gateway), 'guest-3 no_right');
  await b.direct(directive({ ...revocation, subjectId: 'guest-3' }, { issuedUnixMs: at(3) }));
  const { detail } = b.site.record('revocation.applied').record;
  t.notOk('unlisted' in (detail ?? {}), 'a visitor is somebody, though no policy has them');
});

t.test('what was withdrawn before it was used raises nothing, in whatever order that is heard', async (t) => {
  const [a, b] = await pair();
  const withdrawn = delegation({ rights: [], issuedUnixMs: EIGHT_UNIX_MS });
  const lockdown = directive(LOCKDOWN);
  await a.direct(lockdown);
  t.ok(isLockedDown(a));
  b.believe(withdrawn);
  await b.hear(a.news());
  t.notOk(isLockedDown(b));
  t.strictSame(b.answers(lockdown.id), [`${REFUSED} ERR_DIRECTIVE_NOT_ENTITLED`]);
  a.believe(withdrawn);
  await a.site.clock.advance(1_000);
  t.notOk(isLockedDown(a), 'as at the gateway that heard it first');
  t.strictSame(a.answers(lockdown.id), ['site.lockdown', 'site.lockdown_ended ERR_DIRECTIVE_NOT_ENTITLED']);

  const [c] = await pair();
  await c.direct(lockdown);
  c.believe(delegation({ rights: [], issuedUnixMs: EIGHT_UNIX_MS + 60_000 }));
  await c.site.clock.advance(1_000);
  t.ok(isLockedDown(c), 'what was withdrawn later leaves it');
});

t.test('a directive waits for a delegation that is on its way', async (t) => {
  const [a] = await pair();
  const b = await DirectedSite.open('b');
  const lockdown = directive(LOCKDOWN);
  await a.direct(lockdown);
  await b.hear(a.news());
  t.notOk(isLockedDown(b));
  t.strictSame(b.answers(lockdown.id), [], 'nothing is said of it yet');
  b.believe(delegation());
  t.ok(isLockedDown(b));
  await t.rejects(b.direct(directive(LOCKDOWN), testSigner(9)), { code: 'ERR_DIRECTIVE_OPERATOR_UNKNOWN' });
  await b.direct(directive({ kind: 'raise', what: 'threat', level: 3 }), AUTHORITY);
  t.equal(b.site.field.snapshot().mode.threatLevel, 3, 'the authority needs none');
});

t.test('a release by whoever has the right in one area ends no lockdown of the site', async (t) => {
  const [a, b] = await pair();
  const eve = testSigner(9);
  const scoped = delegation({ operator: toHex(eve.publicKey), name: 'Eve', scope: ['front'] });
  for (const gateway of [a, b]) gateway.believe(scoped);
  await t.rejects(a.direct(directive(LOCKDOWN), eve), { code: 'ERR_DIRECTIVE_NOT_ENTITLED' });
  const [wide, narrow] = [directive(LOCKDOWN), directive({ ...LOCKDOWN, scope: ['front'] })];
  await a.direct(wide);
  await a.direct(narrow);
  const release = directive({ kind: 'release', raises: [wide.id, narrow.id] });
  await a.direct(release, eve);
  // The release comes first, as it may over a mesh.
  await b.hear(a.news().reverse());
  for (const gateway of [a, b]) {
    t.strictSame(
      gateway.site.field.snapshot().mode.raises.map(({ id }) => id),
      [wide.id],
    );
  }
});

t.test('what is forged, of another site or over is refused, and opens nothing', async (t) => {
  const [a, b] = await pair();
  const entry = (signed: ReturnType<typeof sign>, sequence: number): HeardEntry => {
    const [like] = a.told;
    if (like === undefined) throw new Error('nothing was recorded');
    const detail = { directive: 'f'.repeat(32), kind: 'raise', operator: signed.operator };
    const bytes = encode(signed);
    const record = { name: 'directive.given' as const, directive: bytes, detail };
    return asHeard({ ...like, id: { ...like.id, sequence }, record });
  };
  const good = sign(ADA, directive(LOCKDOWN));
  const over = directive(LOCKDOWN, { issuedUnixMs: EIGHT_UNIX_MS - 600_000, expiresUnixMs: EIGHT_UNIX_MS - 180_000 });
  const foreign = directive(LOCKDOWN, { site: 'other' });
  await b.hear([
    entry({ ...good, text: good.text.replace('lockdown', 'evacuation') }, 901),
    entry(sign(ADA, foreign), 902),
    entry(sign(ADA, over), 903),
  ]);
  t.notOk(isLockedDown(b));
  const refusals = b.site.journal.entries.filter(({ record }) => record.name === REFUSED);
  t.strictSame(
    refusals.map(({ record: { code, causeId, detail } }) => [code, causeId?.sequence, detail?.['directive']]),
    [
      ['ERR_DIRECTIVE_INVALID', 901, undefined],
      ['ERR_DIRECTIVE_OTHER_SITE', 902, undefined],
      ['ERR_DIRECTIVE_EXPIRED', 903, over.id],
    ],
    'and who did not sign is not named',
  );
  for (const wrong of [foreign, over]) await t.rejects(b.direct(wrong), { code: /ERR_DIRECTIVE_(OTHER_SITE|EXPIRED)/ });
  await b.hear(Array.from({ length: 500 }, (_, at) => entry({ ...good, signature: '00'.repeat(64) }, 1_000 + at)));
  const count = b.site.journal.names.filter((name) => name === REFUSED).length;
  t.ok(count < 20, `whoever lies fills no journal of others: ${count}`);
});

t.test('a start hears everything anew, and does and records nothing twice', async (t) => {
  const [a] = await pair();
  const store = keptDirectives();
  const first = await DirectedSite.open('b', {}, store);
  first.believe(delegation());
  const [open, revocation] = [directive(OPEN_FRONT), directive(REVOKE_ANN)];
  await a.direct(open);
  await a.direct(revocation);
  await a.direct(directive({ kind: 'forgive', holder: 'ann-holder' }));
  await first.hear(a.told);
  t.same(first.answers(open.id), ['operator.release']);
  const again = await DirectedSite.open('b', {}, store);
  again.believe(delegation());
  await again.hear(a.told);
  t.strictSame([...again.answers(open.id), ...again.answers(revocation.id)], []);
  t.notOk(again.site.journal.names.includes('apb.forgiven'));
});

t.test('what the run before recorded and had no time for is carried out at the start', async (t) => {
  const store = keptDirectives();
  const first = await DirectedSite.open('a', {}, store);
  first.believe(delegation());
  const [revocation, lockdown] = [directive(REVOKE_ANN), directive(LOCKDOWN)];
  await first.direct(revocation);
  const done = store.load();
  await first.direct(lockdown);
  // The power failed between the record and the effect.
  if (done !== undefined) await store.save(done);
  const again = await DirectedSite.open('a', {}, store, first.told);
  t.notOk(isLockedDown(again), 'the right to it is not known yet');
  again.believe(delegation());
  await again.site.clock.advance(1_000);
  t.ok(isLockedDown(again));
  t.strictSame(again.answers(lockdown.id), ['site.lockdown']);
  t.strictSame(again.answers(revocation.id), [], 'which was done');
});

t.test('an expulsion reaches the site process once a roster names the gateway', async (t) => {
  const [a, b] = await pair();
  const gone = 'cd'.repeat(32);
  const expulsion = directive({ kind: 'expel', gateway: gone, heads: [] });
  await a.belong(gone);
  await a.direct(expulsion);
  await b.hear(a.news());
  t.strictSame([a.expelled, b.expelled], [[gone], []]);
  t.strictSame(b.answers(expulsion.id), [`${REFUSED} ERR_MESH_MEMBER_UNKNOWN`]);
  for (const keys of [[], [gone], []]) await b.belong(...keys);
  t.strictSame(b.expelled, [gone]);
  t.match(await b.direct(expulsion), { outcome: 'known' });
});

t.test('a gateway of no site takes no directive', async (t) => {
  const alone = await DirectedSite.open('d', { directives: undefined });
  await t.rejects(alone.direct(directive(LOCKDOWN)), { code: 'ERR_MESH_NOT_A_MEMBER' });
});
