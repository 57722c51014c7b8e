import t from 'tap';
import { nodeRandom, loadIdentity } from '@sparc/edge/platform';
import {
  applyGeneration,
  planOfGateway,
  policyChanges,
  policyContentOf,
  readPointer,
  SqlitePolicyView,
  validateSiteFile,
  verifyGeneration,
} from '@sparc/edge/policy';
import type { AbsorbedDirective } from '@sparc/protocol/policy';
import { SITE_FILE } from '../../support/site-file.js';
import { policyScene, STOPPED_CLOCK } from './policy-scene.js';

t.test('a generation has the directives that its policy absorbed, whatever part of the site is its own', async (t) => {
  const { dataDir, verify, pinKey } = policyScene(t);
  const { plan, ...people } = policyContentOf(validateSiteFile(SITE_FILE, 'site.yaml'), pinKey);
  const apply = (absorbedDirectives: AbsorbedDirective[]) =>
    applyGeneration(
      { dataDir, verify, signer: loadIdentity(dataDir), random: nodeRandom, clock: STOPPED_CLOCK },
      { ...people, plan: { ...plan, absorbedDirectives } },
    );
  apply([]);
  const before = readPointer(dataDir);
  const absorbed = ['ab', 'cd'].map((byte, index) => ({
    id: byte.repeat(16),
    subject: index === 0 ? ('credential' as const) : ('holder' as const),
    subjectId: 'ada',
  }));
  apply(absorbed);
  const view = SqlitePolicyView.open(verifyGeneration(dataDir, verify).current?.path ?? '', pinKey);
  t.teardown(() => view.close());
  t.strictSame(view.plan.absorbedDirectives, absorbed);
  t.strictSame(planOfGateway(view.plan, []).absorbedDirectives, absorbed);
  t.equal(policyChanges(dataDir, before), 'absorbedDirectives: 2 added');
  t.throws(() => apply([...absorbed, ...absorbed]), { code: 'ERR_POLICY_INVALID' });
});
