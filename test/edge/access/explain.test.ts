import t from 'tap';
import { decide, decisionRecord, explain, type DecisionContext, type PassageFacts } from '@sparc/edge/access';
import { MemoryPolicyView, type MemoryCredential } from '../../support/memory-policy-view.js';
import { ACCESS_POINTS, ALICE, CONTEXT, REQUEST } from './scene.js';

function told(facts: PassageFacts, credential: Partial<MemoryCredential> = {}, more: Partial<DecisionContext> = {}) {
  const view = new MemoryPolicyView({
    accessPoints: ACCESS_POINTS,
    schedules: [],
    credentials: [{ ...ALICE, rights: { entry: 'always' }, ...credential }],
  });
  return explain(
    decisionRecord(decide(REQUEST, view, { ...CONTEXT, passages: { factsOf: () => facts }, ...more })),
  ).map((line) => line.trim());
}

t.test('what was known of passages is told in words, and what was not known as well', async (t) => {
  const lines = told(
    {
      location: { areaId: 'hall', certain: false },
      sinceHereMs: 5_400_000,
      occupancy: [{ areaId: 'hall', others: 7 }],
      pendingElsewhere: true,
      usesCount: 3,
      firstCardIn: false,
    },
    { usesMax: 3 },
    { threatLevel: 2 },
  );
  for (const line of [
    'the threat level was 2',
    'the holder was perhaps in hall',
    'the holder had passed here 1.5 hours before',
    'people beside the holder in hall, those on their way in included: 7',
    'the holder was on the way through another door',
    'uses that counted, those under way included: 3',
    'somebody who may had NOT opened the door first',
  ]) {
    t.ok(lines.includes(line), line);
  }
  t.ok(told({ location: { certain: true }, firstCardIn: true }).includes('the holder was in no area'));
  t.ok(told({}, { usesMax: 3 }).includes('how often the card had been used was NOT known'));
  t.notOk(
    told({}).some((line) => /used|first|threat|holder was/.test(line)),
    'nothing where nothing is counted',
  );
});
