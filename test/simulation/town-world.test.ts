import { TOWN_DEFECTS, TownPolicy, TownWorld, type TownDefect } from '@sparc/simulator/site';
import t from 'tap';

/** The checker that has to object to each defect, and how busy the town has to be for it to show. */
const CAUGHT_BY: Readonly<Record<TownDefect, { readonly checker: string; readonly pace: number }>> = {
  silentReaders: { checker: 'answers-in-time', pace: 1 },
  forgottenDenials: { checker: 'said-why', pace: 1 },
  opensToAnyCard: { checker: 'only-the-entitled', pace: 1 },
  opensInLockdown: { checker: 'lockdown-holds', pace: 12 },
  opensToRevoked: { checker: 'revoked-opens-nothing', pace: 8 },
  slowOutputs: { checker: 'egress-is-free', pace: 10 },
  deadButtons: { checker: 'nobody-is-trapped', pace: 10 },
  deafToDirectives: { checker: 'spreads-in-time', pace: 1 },
  deafToReleases: { checker: 'lockdown-ends', pace: 1 },
  neglectsAuthor: { checker: 'logs-agree', pace: 1 },
  deafToClaims: { checker: 'areas-agree', pace: 2 },
  countsAlone: { checker: 'occupancy-holds', pace: 10 },
  blindToScope: { checker: 'overreach-is-refused', pace: 4 },
  believesAnyFire: { checker: 'only-the-entitled', pace: 1 },
  deafToDetectors: { checker: 'fire-frees', pace: 4 },
  deafToRuns: { checker: 'bells-open', pace: 2 },
  believesAnyRun: { checker: 'only-the-entitled', pace: 1 },
  believesAnyClaim: { checker: 'areas-agree', pace: 1 },
  believesAnyName: { checker: 'areas-agree', pace: 1 },
};

t.test('one seed has one history, another seed another', async (t) => {
  const policy = new TownPolicy();
  const digestOf = async (seed: number) => (await new TownWorld({ seed, hours: 0.05, policy }).run()).digest;
  const [first, again, other] = [await digestOf(11), await digestOf(11), await digestOf(12)];
  t.equal(first, again);
  t.not(first, other);
});

for (const defect of TOWN_DEFECTS) {
  const { checker, pace } = CAUGHT_BY[defect];
  t.test(`the defect ${defect} is caught by ${checker}`, async (t) => {
    const { violations } = await new TownWorld({ seed: 0, hours: 0.3, pace, defect }).run();
    t.ok(violations.some((each) => each.checker === checker));
  });
}
