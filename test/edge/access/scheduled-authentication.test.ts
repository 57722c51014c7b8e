import t from 'tap';
import type { TimeQuality } from '@sparc/protocol/ports';
import { decide, releaseObstacle, replay } from '@sparc/edge/access';
import { CONTEXT, policyOf, REQUEST } from './scene.js';

const HOUR_MS = 3_600_000;
/** Wednesday 2026-03-04. */
const at = (hour: number, quality: TimeQuality = 'synced') => ({
  unixMs: Date.UTC(2026, 2, 4) + hour * HOUR_MS,
  quality,
});

const view = policyOf({ schedule: 'always' });

function decideAt(accessPointId: string, wall: ReturnType<typeof at>, pin?: string) {
  const request = { ...REQUEST, accessPointId, ...(pin === undefined ? {} : { pin }) };
  return decide(request, view, { ...CONTEXT, wall });
}

t.test('an access point asks for what its open schedule says, and else for its own', async (t) => {
  t.equal(decideAt('pin-at-night', at(21.99)).outcome, 'grant');
  t.match(decideAt('pin-at-night', at(22)), { outcome: 'pending', reason: 'pin_required' });
  t.match(decideAt('pin-at-night', at(29.99)), { outcome: 'pending', reason: 'pin_required' });
  t.equal(decideAt('pin-at-night', at(30)).outcome, 'grant');
  t.equal(decideAt('no-pin-by-day', at(12)).outcome, 'grant');
  t.match(decideAt('no-pin-by-day', at(18)), { outcome: 'pending', reason: 'pin_required' });
});

t.test('a PIN counts where the schedule asks for it', async (t) => {
  t.match(decideAt('pin-at-night', at(23), '2468'), { outcome: 'grant', inputs: { pin: 'right' } });
  t.match(decideAt('pin-at-night', at(23), '1111'), { outcome: 'deny', reason: 'pin_wrong' });
  t.match(decideAt('pin-at-night', at(12), '1111'), { outcome: 'grant', inputs: { pin: 'none' } });
});

t.test('a clock that nobody vouches for asks for the strictest', async (t) => {
  for (const quality of ['unsynced', 'stepped'] as const) {
    for (const hour of [0, 12, 23]) {
      t.equal(decideAt('pin-at-night', at(hour, quality)).reason, 'pin_required');
      t.equal(decideAt('no-pin-by-day', at(hour, quality)).reason, 'pin_required');
    }
  }
});

t.test('a decision is replayed with what was asked at its time, and looked at again with the same', async (t) => {
  for (const hour of [12, 23]) {
    for (const pin of [undefined, '2468', '1111']) {
      const decision = decideAt('pin-at-night', at(hour), pin);
      t.same(replay(decision, view), decision);
      t.equal(releaseObstacle(decision, view, {}), undefined);
    }
  }
});
