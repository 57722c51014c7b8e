import t from 'tap';
import { encodeSignedDirective } from '@sparc/protocol/directive';
import { heardScene, SELF } from '../heard/heard-scene.js';
import { ADA, delegation, DirectedSite, directive, signed } from './directed-sites.js';
import { keyOf } from '../../support/roster.js';
import { CARDS, EIGHT_UNIX_MS, sitePolicy } from './field-site.js';

const HOUR_MS = 3_600_000;
const TIMES = { site: 'harbour', issuedUnixMs: EIGHT_UNIX_MS, expiresUnixMs: EIGHT_UNIX_MS + HOUR_MS };

t.test(
  'what was directed at a gateway before its disk was set back is in force again when neighbours give it back',
  async (t) => {
    const { journal, logs, hear, chain } = heardScene();
    const gateway = await DirectedSite.open('a');
    gateway.believe(delegation());
    const [revocation, release] = [
      directive({ kind: 'revoke', subject: 'credential', subjectId: 'ann' }, TIMES),
      directive({ kind: 'door', door: 'front', order: { kind: 'accessDoor' } }, TIMES),
    ];
    const [kept, ...lost] = [release, revocation].map((said) => {
      return { name: 'directive.given', directive: encodeSignedDirective(signed(ADA, said)) } as const;
    });
    const before = chain(SELF);
    const first = before.open(1, kept && [kept]);
    journal.append(first, before.branch().open(2, [], false, 77));
    logs.append(first, before.add(...lost));
    gateway.site.news();
    for (const heard of [...hear(), ...hear()]) gateway.site.field.heard(heard);
    await gateway.site.clock.advance(1_000);
    t.strictSame(gateway.answers(revocation.id), ['revocation.applied']);
    t.strictSame(gateway.answers(release.id), [], 'which its journal has');
    gateway.site.bus.card('store-in', CARDS.ann);
    await gateway.site.clock.advance(2_000);
    t.notOk(gateway.site.news().includes('access.granted'));
    t.strictSame(gateway.site.journal.overtaken, [1], 'the journal is told of which epoch it lost the end');
  },
);

t.test('what was raised, claimed and said of visitors and of the stolen before it counts again, too', async (t) => {
  const { journal, logs, hear, chain } = heardScene();
  const areas = [{ id: 'hall', name: 'Hall', antiPassback: { mode: 'hard', unknown: 'failSecure' } }] as const;
  const policy = sitePolicy({ areas: [...areas], accessPoints: { 'front-in': { areaTo: 'hall' } } });
  const gateway = await DirectedSite.open('a', { policy });
  gateway.believe(delegation());
  const visitor = {
    id: 'guest',
    name: 'Guest',
    identifier: { format: 'h10301', facility: 1, number: 99 },
    profiles: ['p-store-in'],
    fromUnixMs: EIGHT_UNIX_MS,
    untilUnixMs: EIGHT_UNIX_MS + HOUR_MS,
  };
  const [lockdown, visit, expulsion] = [
    directive({ kind: 'raise', what: 'lockdown', scope: ['vault'] }, TIMES),
    directive({ kind: 'visitor', visitor }, TIMES),
    directive({ kind: 'expel', gateway: keyOf(3), heads: [] }, TIMES),
  ];
  const given = [lockdown, visit, expulsion].map((said) => {
    return { name: 'directive.given', directive: encodeSignedDirective(signed(ADA, said)) } as const;
  });
  const before = chain(SELF);
  const kept = before.open(1);
  journal.append(kept, before.branch().open(2, [], false, 77));
  const raise = 'ab'.repeat(16);
  const said = [
    ...given,
    { name: 'site.lockdown', detail: { by: 'rule:panic', raise, scope: 'store' } },
    { name: 'area.moved', holderId: 'ann-holder', accessPointId: 'front-in', detail: { to: 'hall', certain: 'true' } },
  ] as const;
  logs.append(kept, before.open(2, said));
  for (const heard of hear()) gateway.site.field.heard(heard);
  await gateway.site.clock.advance(1_000);
  t.strictSame(gateway.answers(lockdown.id), ['site.lockdown']);
  t.strictSame(gateway.answers(visit.id), ['visitor.added']);
  t.strictSame(gateway.expelled, [keyOf(3)]);
  t.strictSame(
    gateway.site.field.snapshot().mode.raises.map(({ id }) => id),
    [lockdown.id, raise],
  );
  gateway.site.bus.card('front-in', CARDS.ann);
  await gateway.site.clock.advance(2_000);
  t.equal(gateway.site.record('access.denied').record.reason, 'apb_violation');
  t.strictSame(gateway.site.journal.overtaken, [2]);
});
