import t from 'tap';
import { encodeSignedDirective } from '@sparc/protocol/directive';
import { heardScene, SELF } from '../heard/heard-scene.js';
import { ADA, delegation, DirectedSite, directive, signed } from './directed-sites.js';
import { CARDS, EIGHT_UNIX_MS } from './field-site.js';

const HOUR_MS = 3_600_000;

t.test(
  'what was directed at a gateway before its disk was set back is in force again when neighbours give it back',
  async (t) => {
    const { journal, logs, hear, chain } = heardScene();
    const gateway = await DirectedSite.open('a');
    gateway.believe(delegation());
    const times = { site: 'harbour', issuedUnixMs: EIGHT_UNIX_MS, expiresUnixMs: EIGHT_UNIX_MS + HOUR_MS };
    const [revocation, release] = [
      directive({ kind: 'revoke', subject: 'credential', subjectId: 'ann' }, times),
      directive({ kind: 'door', door: 'front', order: { kind: 'accessDoor' } }, times),
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
