import t from 'tap';
import { Refusals, REFUSALS_TOLD_EVERY_MS, REFUSALS_TOLD_MAX, type ToldRefusal } from '@sparc/cloud-sync/main';
import type { Carrier } from '@sparc/protocol/cloud-link';
import { VirtualClock } from '@sparc/simulator/world';

const carrier = (mark: number): Carrier => ({
  tenant: '00000000-0000-0000-0000-000000000001',
  site: 'harbour',
  gateway: mark.toString(16).padStart(64, '0'),
});

function setUp() {
  const clock = new VirtualClock();
  const counted: string[] = [];
  const told: ToldRefusal[] = [];
  const refusals = new Refusals({ clock, count: (code) => counted.push(code), tell: (each) => told.push(each) });
  return { clock, refusals, counted, told: () => told.splice(0) };
}

t.test('what is refused is told at once, and a flood of it once a minute with its count', async (t) => {
  const { clock, refusals, counted, told } = setUp();
  const flood = (count: number) => {
    for (let left = count; left > 0; left -= 1) refusals.refused('flood', carrier(1));
  };
  flood(1_000);
  refusals.refused('publish', carrier(1));
  refusals.refused('flood', carrier(2));
  refusals.refused('certificate', undefined);
  t.strictSame(told(), [
    { code: 'ERR_LINK_FLOOD', carrier: carrier(1), count: 1 },
    { code: 'ERR_LINK_TOPIC_FOREIGN', carrier: carrier(1), count: 1 },
    { code: 'ERR_LINK_FLOOD', carrier: carrier(2), count: 1 },
    { code: 'ERR_LINK_CERTIFICATE_INVALID', carrier: undefined, count: 1 },
  ]);
  t.equal(counted.length, 1_003, 'each is counted');
  await clock.advance(REFUSALS_TOLD_EVERY_MS);
  t.strictSame(told(), [{ code: 'ERR_LINK_FLOOD', carrier: carrier(1), count: 999 }]);
  flood(2);
  t.strictSame(told(), [], 'it goes on');
  await clock.advance(REFUSALS_TOLD_EVERY_MS);
  t.strictSame(told(), [{ code: 'ERR_LINK_FLOOD', carrier: carrier(1), count: 2 }]);
  await clock.advance(2 * REFUSALS_TOLD_EVERY_MS);
  flood(1);
  t.strictSame(told(), [{ code: 'ERR_LINK_FLOOD', carrier: carrier(1), count: 1 }], 'after a quiet minute at once');
  refusals.stop();
  flood(1);
  await clock.advance(2 * REFUSALS_TOLD_EVERY_MS);
  t.strictSame(told(), [], 'stopped, it tells nothing');
});

t.test('whoever has many names makes nobody tell more than so much of them', async (t) => {
  const { clock, refusals, counted, told } = setUp();
  const tries = REFUSALS_TOLD_MAX + 50;
  for (let mark = 0; mark < tries; mark += 1) refusals.refused('notOfSite', carrier(mark));
  t.equal(told().length, REFUSALS_TOLD_MAX);
  t.equal(counted.length, tries);
  await clock.advance(REFUSALS_TOLD_EVERY_MS);
  refusals.refused('notOfSite', carrier(tries));
  t.equal(told().length, 1, 'a minute later there is room');
});
