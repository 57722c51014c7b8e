import t from 'tap';
import type { AccessPoint, Area } from '@sparc/protocol/policy';
import { decide, decisionRecord, isDecision, replayEntry, type PassageFacts } from '@sparc/edge/access';
import { MemoryPolicyView } from '../../support/memory-policy-view.js';
import { ACCESS_POINTS, ALICE, CONTEXT, REQUEST } from './scene.js';

const [ENTRY, EXIT, VAULT_EXIT] = ACCESS_POINTS.filter(({ id }) => ['entry', 'exit', 'vault-exit'].includes(id));

/** `hall` in `house`; a passage from the street into the hall, one out of it, and one out of it with another way out. */
function viewOf(
  areas: { readonly hall?: Partial<Area>; readonly house?: Partial<Area> },
  point: Partial<AccessPoint> = {},
) {
  const through = (base: AccessPoint | undefined, more: Partial<AccessPoint>): AccessPoint => {
    if (base === undefined) throw new Error('no such point in the scene');
    return { ...base, ...more };
  };
  return new MemoryPolicyView({
    areas: [
      { id: 'house', name: 'House', ...areas.house },
      { id: 'hall', name: 'Hall', within: 'house', ...areas.hall },
    ],
    accessPoints: [
      through(ENTRY, { areaTo: 'hall', ...point }),
      through(EXIT, { areaFrom: 'hall' }),
      through(VAULT_EXIT, { areaFrom: 'hall' }),
    ],
    schedules: [],
    credentials: [{ ...ALICE, rights: { entry: 'always', exit: 'always', 'vault-exit': 'always' } }],
  });
}

function answer(view: MemoryPolicyView, facts: PassageFacts, accessPointId = 'entry') {
  const decision = decide({ ...REQUEST, accessPointId }, view, { ...CONTEXT, passages: { factsOf: () => facts } });
  const record = decisionRecord(decision);
  if (!isDecision(record) || !replayEntry(record, view).isSame) throw new Error('its record does not give it again');
  return decision.reason ?? (decision.flags.length > 0 ? `flagged ${decision.flags.join()}` : decision.outcome);
}

const inside = { location: { areaId: 'hall', certain: true } };
const outside = { location: { certain: true } };
const perhapsInside = { location: { areaId: 'hall', certain: false } };
const nobodyKnows = { location: { certain: false } };

t.test('anti-passback has three answers, and a mode and a policy for the unknown by area', async (t) => {
  const modes = {
    hard: viewOf({ hall: { antiPassback: { mode: 'hard', unknown: 'failSecure' } } }),
    soft: viewOf({ hall: { antiPassback: { mode: 'soft', unknown: 'failSoft' } } }),
    local: viewOf({ hall: { antiPassback: { mode: 'hard', unknown: 'localOnly' } } }),
  };
  const rows = [
    ['never seen', {}, 'grant', 'grant', 'grant'],
    ['outside', outside, 'grant', 'grant', 'grant'],
    ['inside', inside, 'apb_violation', 'flagged apb_violation', 'apb_violation'],
    ['perhaps inside', perhapsInside, 'apb_unknown', 'flagged apb_unknown', 'apb_violation'],
    ['not known', nobodyKnows, 'apb_unknown', 'flagged apb_unknown', 'grant'],
  ] as const;
  for (const [who, facts, hard, soft, local] of rows) {
    t.equal(answer(modes.hard, facts), hard, `${who}, hard and fail-secure`);
    t.equal(answer(modes.soft, facts), soft, `${who}, soft and fail-soft`);
    t.equal(answer(modes.local, facts), local, `${who}, hard and local`);
  }
});

t.test('leaving without having come in is a violation, which denies only where there is another way out', async (t) => {
  const view = viewOf({ hall: { antiPassback: { mode: 'hard', unknown: 'failSecure' } } });
  t.equal(answer(view, inside, 'vault-exit'), 'grant');
  t.equal(answer(view, outside, 'vault-exit'), 'apb_violation');
  t.equal(answer(view, outside, 'exit'), 'flagged apb_violation');
  t.equal(answer(view, nobodyKnows, 'exit'), 'flagged apb_unknown');
});

t.test('an area around another counts who is in the inner one', async (t) => {
  const view = viewOf({ house: { antiPassback: { mode: 'hard', unknown: 'failSecure' } } });
  t.equal(answer(view, inside), 'apb_violation', 'in the hall is in the house');
  const fromHouse = viewOf({ house: { antiPassback: { mode: 'hard', unknown: 'failSecure' } } }, { areaFrom: 'house' });
  t.equal(answer(fromHouse, inside), 'grant', 'from the house into its hall does not enter the house');
});

t.test('the strictest of several areas answers', async (t) => {
  const view = viewOf({
    hall: { antiPassback: { mode: 'soft', unknown: 'failSoft' } },
    house: { antiPassback: { mode: 'hard', unknown: 'failSecure' } },
  });
  t.equal(answer(view, inside), 'apb_violation');
});

t.test('timed anti-passback looks at the last passage here', async (t) => {
  const view = viewOf({}, { reuseDelayMs: 60_000 });
  t.equal(answer(view, { sinceHereMs: 59_999 }), 'apb_violation');
  t.equal(answer(view, { sinceHereMs: 60_000 }), 'grant');
  t.equal(answer(view, {}), 'grant');
});

t.test('an area of which a gateway is not heard goes by its policy for that, whoever was seen where', async (t) => {
  const unheard = { occupancy: [{ areaId: 'hall', others: 0, unheard: true }] };
  const rows = [
    ['never seen', {}, 'apb_unknown', 'flagged apb_unknown', 'grant'],
    ['outside', outside, 'apb_unknown', 'flagged apb_unknown', 'grant'],
    ['inside', inside, 'apb_unknown', 'flagged apb_unknown', 'apb_violation'],
  ] as const;
  for (const [who, facts, ...expected] of rows) {
    for (const [index, unknown] of (['failSecure', 'failSoft', 'localOnly'] as const).entries()) {
      const view = viewOf({ hall: { antiPassback: { mode: 'hard', unknown } } });
      t.equal(answer(view, { ...facts, ...unheard }), expected[index], `${who}, ${unknown}`);
    }
  }
  const secure = viewOf({ hall: { antiPassback: { mode: 'hard', unknown: 'failSecure' } } });
  t.equal(answer(secure, { ...outside, ...unheard }, 'exit'), 'flagged apb_unknown', 'it keeps nobody in');
});

t.test('whoever has a free pass is not held to anti-passback, and to everything else', async (t) => {
  const freePass = { occupancy: [{ areaId: 'hall', others: 2, freePass: true }] };
  const view = viewOf({ hall: { antiPassback: { mode: 'hard', unknown: 'failSecure' } } });
  t.equal(answer(view, { ...inside, ...freePass }), 'flagged apb_free_pass');
  t.equal(answer(view, { ...outside, ...freePass }), 'grant', 'nothing is flagged that needs none');
  t.equal(answer(view, { ...perhapsInside, ...freePass }), 'apb_unknown');
  const full = viewOf({ hall: { antiPassback: { mode: 'hard', unknown: 'failSecure' }, occupancyMax: 2 } });
  t.equal(answer(full, { ...inside, ...freePass }), 'occupancy_max');
});

t.test('how many are in an area is known as far as its gateways are heard', async (t) => {
  const rows = [
    [undefined, 'flagged occupancy_unknown', 'occupancy_max'],
    ['localOnly', 'flagged occupancy_unknown', 'occupancy_max'],
    ['failSoft', 'flagged apb_unknown,occupancy_unknown', 'flagged apb_unknown,occupancy_unknown'],
    ['failSecure', 'apb_unknown', 'apb_unknown'],
  ] as const;
  for (const [unknown, room, full] of rows) {
    const antiPassback = unknown && { antiPassback: { mode: 'soft' as const, unknown } };
    const view = viewOf({ hall: { occupancyMax: 2, ...antiPassback } });
    const with_ = (others: number) => ({ occupancy: [{ areaId: 'hall', others, unheard: true }] });
    t.equal(answer(view, with_(1)), room, `room, ${unknown}`);
    t.equal(answer(view, with_(2)), full, `full, ${unknown}`);
  }
  const least = viewOf({ hall: { occupancyMin: 1 } });
  const alone = { occupancy: [{ areaId: 'hall', others: 0, unheard: true }] };
  t.equal(answer(least, alone, 'vault-exit'), 'flagged occupancy_min', 'nobody is kept in for what is not known');
});

t.test('occupancy has a most and a least, and counts the others', async (t) => {
  const view = viewOf({ hall: { occupancyMax: 2, occupancyMin: 1 } });
  const with_ = (others: number) => ({ occupancy: [{ areaId: 'hall', others }] });
  t.equal(answer(view, with_(1)), 'grant');
  t.equal(answer(view, with_(2)), 'occupancy_max');
  t.equal(answer(view, with_(1), 'vault-exit'), 'grant');
  t.equal(answer(view, with_(0), 'vault-exit'), 'occupancy_min');
  t.equal(answer(view, with_(0), 'exit'), 'flagged occupancy_min');
});

t.test('nobody enters an area that is disabled, and whoever is in it leaves', async (t) => {
  const view = viewOf({ house: { enabled: false } });
  t.equal(answer(view, {}), 'area_disabled');
  t.equal(answer(view, {}, 'exit'), 'grant');
});

t.test('a card on its way through another door is denied, and never kept in', async (t) => {
  const counted = viewOf({ hall: { occupancyMax: 5 } });
  t.equal(answer(counted, { pendingElsewhere: true }), 'pending_elsewhere');
  t.equal(answer(counted, { pendingElsewhere: true }, 'exit'), 'flagged pending_elsewhere');
  t.equal(answer(viewOf({}), { pendingElsewhere: true }), 'pending_elsewhere');
});
