import t from 'tap';
import { policyAge, StalenessWatch } from '@sparc/edge/clock';
import type { AccessPoint, PolicyStaleness } from '@sparc/protocol/policy';
import { VirtualClock } from '@sparc/simulator/world';

const HOUR_MS = 3_600_000;

t.test('the age of a policy is that by the clock, and never less than it has been in force here', async (t) => {
  const confirmation = { confirmedUnixMs: 10 * HOUR_MS, takenUpMonotonicMs: HOUR_MS };
  const synced = (unixMs: number) => ({ unixMs, quality: 'synced' }) as const;
  t.equal(policyAge(confirmation, synced(15 * HOUR_MS), 2 * HOUR_MS), 5 * HOUR_MS);
  t.equal(policyAge(confirmation, synced(9 * HOUR_MS), 2 * HOUR_MS), HOUR_MS, 'confirmed by a clock that ran ahead');
  t.equal(policyAge({ takenUpMonotonicMs: HOUR_MS }, synced(15 * HOUR_MS), 2.5 * HOUR_MS), 1.5 * HOUR_MS);
  const back = { unixMs: 0, quality: 'stepped', floorUnixMs: 14 * HOUR_MS } as const;
  t.equal(policyAge(confirmation, back, HOUR_MS), 4 * HOUR_MS, 'a clock that went back makes no policy younger');
});

const accessPoint = (id: string, policyStaleness?: PolicyStaleness): AccessPoint => ({
  id,
  name: id,
  door: id,
  reader: id,
  direction: 'entry',
  authentication: 'card',
  onRecordFailure: 'deny',
  ...(policyStaleness && { policyStaleness }),
});

const DENY: PolicyStaleness = { maxAgeMs: 10 * HOUR_MS, then: 'deny' };
const FLAG: PolicyStaleness = { maxAgeMs: 4 * HOUR_MS, then: 'grantAndFlag' };

function watch() {
  const clock = new VirtualClock();
  const told: string[] = [];
  let fromMs = 0;
  const watch = new StalenessWatch({
    clock,
    ageMs: () => clock.monotonicMs() - fromMs,
    record: (event) => {
      if (event.name !== 'policy.aging' && event.name !== 'policy.stale') return;
      const { accessPointId = 'site', name, detail } = event;
      const percent = 'percent' in detail ? ` ${detail.percent}` : '';
      told.push(`${clock.monotonicMs() / HOUR_MS} ${name}${percent} ${accessPointId} ${detail.then}`);
    },
  });
  const confirm = () => (fromMs = clock.monotonicMs());
  return { clock, watch, confirm, grow: (ms: number) => (fromMs -= ms), news: () => told.splice(0) };
}

t.test('each rule is announced once at half of its time, at four fifths, and when it bites', async (t) => {
  const { clock, watch: staleness, confirm, news } = watch();
  staleness.use(DENY, [accessPoint('front'), accessPoint('side'), accessPoint('vault', FLAG)]);
  await clock.advance(12 * HOUR_MS);
  t.same(news(), [
    '2 policy.aging 50 vault grantAndFlag',
    '3.2 policy.aging 80 vault grantAndFlag',
    '4 policy.stale vault grantAndFlag',
    '5 policy.aging 50 site deny',
    '8 policy.aging 80 site deny',
    '10 policy.stale site deny',
  ]);
  confirm();
  staleness.use(DENY, [accessPoint('front')]);
  await clock.advance(6 * HOUR_MS);
  t.same(news(), ['17 policy.aging 50 site deny'], 'confirmed anew, and old again');
  staleness.stop();
  await clock.advance(6 * HOUR_MS);
  t.same(news(), []);
});

t.test('a rule that nobody goes by is not announced, and one that is passed at once only for what it is', async (t) => {
  const { clock, watch: staleness, grow, news } = watch();
  staleness.use(DENY, [accessPoint('vault', FLAG)]);
  grow(100 * HOUR_MS);
  await clock.advance(60_000);
  t.match(news(), [/policy.stale vault/]);
});
