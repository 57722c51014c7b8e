import t from 'tap';
import { busFindings } from '@sparc/edge/commissioning';
import { bus, deviceHealth } from '../../support/commissioning-site.js';

const texts = (...args: Parameters<typeof bus>) =>
  busFindings(bus(...args)).map(({ level, device, text }) => `${level} ${device ?? '-'}: ${text}`);

t.test('a bus in order has no findings', async (t) => {
  t.strictSame(texts('bus-1', [deviceHealth('a', 'proven'), deviceHealth('b', 'proven')]), []);
});

t.test('a line without a device is one that the site file names otherwise', async (t) => {
  t.strictSame(texts('bus-1', []), ['warn -: the policy in force has no reader on this line']);
});

t.test('the share of damaged replies decides how bad it is, and a few frames say nothing', async (t) => {
  const damaged = (badCheckCount: number, sentCount: number) =>
    texts('bus-1', [deviceHealth('a', 'proven', { badCheckCount, sentCount })]);
  t.strictSame(damaged(400, 10_000), ['bad a: 4 % of its replies are damaged']);
  t.strictSame(damaged(30, 10_000), ['warn a: 0.3 % of its replies are damaged']);
  t.strictSame(damaged(9, 10_000), []);
  t.strictSame(damaged(100, 199), []);
  t.strictSame(damaged(4, 300), [], 'accidents happen');
  t.strictSame(damaged(100, 200), ['bad a: 50 % of its replies are damaged']);
});

t.test('a reader that leaves commands unanswered is told apart from one that is away', async (t) => {
  const silent = { timeoutCount: 900, sentCount: 10_000 };
  t.strictSame(texts('bus-1', [deviceHealth('a', 'proven', silent)]), [
    'bad a: leaves 9 % of its commands without an answer',
  ]);
  t.strictSame(texts('bus-1', [deviceHealth('a', 'proven', { ...silent, link: 'offline' })]), [
    'bad a: does not answer',
  ]);
});

t.test('a key that is missing, unproven or lost says what to do, in place of the silence that it causes', async (t) => {
  for (const [key, level] of [
    ['none', 'warn'],
    ['changing', 'warn'],
    ['lost', 'bad'],
  ] as const) {
    const [finding, ...more] = busFindings(bus('bus-1', [deviceHealth('a', key, { link: 'offline' })]));
    t.equal(finding?.level, level, key);
    t.ok((finding?.action.length ?? 0) > 20);
    t.strictSame(more, []);
  }
});

t.test('refusals count by share and are named by what they mean', async (t) => {
  const naks = (code: number, count: number) =>
    texts('bus-1', [deviceHealth('a', 'proven', { naks: [{ code, name: 'X', count }] })]);
  t.strictSame(naks(1, 60), ['warn a: receives damaged commands (NAK 1 X, 60 times)']);
  t.strictSame(naks(200, 60), ['warn a: refuses some commands (NAK 200 X, 60 times)']);
  t.strictSame(naks(1, 19), []);
});

t.test('slow answers and sessions that broke are told', async (t) => {
  const slow = deviceHealth('a', 'proven', { roundTripMs: { p50: 60, p99: 180, max: 190 }, sessionRestartCount: 3 });
  t.strictSame(texts('bus-1', [slow]), ['warn a: answers slowly: 180 ms', 'warn a: its secure session broke 3 times']);
});

t.test('a round of more than a second is bad, and the plan is blamed before the line', async (t) => {
  const slow = { pollPeriodMs: { p50: 900, p99: 1_400, max: 2_000 } };
  t.match(texts('bus-1', [], { ...slow, predictedPollPeriodMs: 300 }), [
    /^bad -: a reader waits up to 1\.4 s .* 300 ms/,
  ]);
  t.match(texts('bus-1', [], { ...slow, predictedPollPeriodMs: 1_200 }), [/^bad -: a round .* 1\.2 s by arithmetic/]);
});

t.test('worst comes first, an echo last, and a line that is down hides the rest', async (t) => {
  const devices = [deviceHealth('a', 'proven', { sessionRestartCount: 4 }), deviceHealth('b', 'lost')];
  const levels = busFindings(bus('bus-1', devices, { echo: true, strayBytesCount: 1_100 })).map(({ level }) => level);
  t.strictSame(levels, ['bad', 'warn', 'warn', 'note']);
  t.match(texts('bus-1', devices, { up: false }), [/^bad -: the line is down/]);
});
