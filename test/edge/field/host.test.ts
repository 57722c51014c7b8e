import t from 'tap';
import { SparcError } from '@sparc/protocol/errors';
import type { AccessPoint } from '@sparc/protocol/policy';
import { isDecision, replayEntry } from '@sparc/edge/access';
import { HOST_QUESTIONS_MAX, type AuthorisationHost, type HostQuestion } from '@sparc/edge/host';
import { CARDS, FieldSite, sitePolicy, type SiteChanges } from './field-site.js';

type Answer = 'allowed' | 'denied' | 'silent' | 'down';

/** Answers as it is told, after as long as it is told. */
class TestHost implements AuthorisationHost {
  answer: Answer = 'allowed';
  answerMs = 0;
  site: FieldSite | undefined;
  readonly questions: HostQuestion[] = [];
  abortedCount = 0;

  authorise(question: HostQuestion, signal: AbortSignal): Promise<'allowed' | 'denied'> {
    this.questions.push(question);
    signal.addEventListener('abort', () => (this.abortedCount += 1));
    return new Promise((resolve, reject) => {
      if (this.answer === 'silent') return;
      const { answer } = this;
      this.site?.clock.setTimer(this.answerMs, () =>
        answer === 'allowed' || answer === 'denied'
          ? resolve(answer)
          : reject(new SparcError('ERR_HOST_UNREACHABLE', 'down')),
      );
    });
  }
}

const asksHost = (fallback: 'deny' | 'local', more: Partial<AccessPoint> = {}): SiteChanges => ({
  carla: true,
  accessPoints: { 'front-in': { hostAuthorisation: { timeoutMs: 1_000, fallback }, ...more } },
});

async function openSite(changes: SiteChanges, host = new TestHost()) {
  const site = await FieldSite.open({ policy: sitePolicy(changes), host });
  host.site = site;
  site.news();
  return { site, host };
}

t.test('a host that agrees lets in, and is told who wants to pass where', async (t) => {
  const { site, host } = await openSite(asksHost('deny'));
  host.answerMs = 400;
  site.bus.card('front-in', CARDS.ann);
  t.equal(site.shown('front-in'), 'processing');
  await site.clock.advance(399);
  t.notOk(site.released('front'));
  await site.clock.advance(100);
  t.ok(site.released('front'));
  t.same(site.news(), ['access.host_pending', 'access.granted', 'access.released']);
  t.equal(site.record('access.granted').record.inputs?.hostAnswer, 'allowed');
  t.match(host.questions, [
    { accessPointId: 'front-in', doorId: 'front', persons: [{ credentialId: 'ann', holderId: 'ann-holder' }] },
  ]);
});

t.test('a host that refuses denies', async (t) => {
  const { site, host } = await openSite(asksHost('local'));
  host.answer = 'denied';
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(200);
  t.notOk(site.released('front'));
  t.equal(site.record('access.denied').record.reason, 'host_denied');
  t.equal(site.shown('front-in'), 'denied');
});

t.test('without an answer in time the access point says what happens, and never silently', async (t) => {
  for (const answer of ['silent', 'down'] as const) {
    for (const fallback of ['deny', 'local'] as const) {
      const { site, host } = await openSite(asksHost(fallback));
      host.answer = answer;
      site.bus.card('front-in', CARDS.ann);
      await site.clock.advance(1_200);
      t.equal(site.released('front'), fallback === 'local', `${answer}, ${fallback}`);
      const { record } = site.record(fallback === 'local' ? 'access.granted' : 'access.denied');
      t.same(fallback === 'local' ? record.flags : [record.reason], ['host_timeout']);
      t.equal(record.inputs?.hostAnswer, 'none');
      const code = answer === 'silent' ? 'ERR_HOST_TIMEOUT' : 'ERR_HOST_UNREACHABLE';
      t.equal(site.record('host.unavailable').record.code, code);
      t.equal(host.abortedCount, answer === 'silent' ? 1 : 0);
    }
  }
});

t.test('that the host is away, and that it is back, is told once', async (t) => {
  const { site, host } = await openSite(asksHost('local'));
  const answers: Answer[] = ['down', 'down', 'allowed', 'allowed'];
  for (const answer of answers) {
    host.answer = answer;
    site.bus.card('front-in', CARDS.ann);
    await site.clock.advance(10_000);
  }
  t.same(
    site.news().filter((name) => name.startsWith('host.')),
    ['host.unavailable', 'host.available'],
  );
});

t.test('where no host is configured, the fallback holds and the event says why', async (t) => {
  const site = await FieldSite.open({ policy: sitePolicy(asksHost('deny')) });
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  t.equal(site.record('access.denied').record.reason, 'host_timeout');
  t.equal(site.record('host.unavailable').record.code, 'ERR_HOST_NOT_CONFIGURED');
});

t.test('nobody is asked about who is denied anyway, or about who wants out', async (t) => {
  const changes = asksHost('deny');
  const out = { hostAuthorisation: { timeoutMs: 1_000, fallback: 'deny' } } as const;
  const { site, host } = await openSite({ ...changes, accessPoints: { ...changes.accessPoints, 'front-out': out } });
  site.bus.card('front-in', CARDS.bob);
  site.bus.card('front-in', CARDS.stranger);
  await site.clock.advance(100);
  host.answer = 'denied';
  site.bus.card('front-out', CARDS.ann);
  await site.clock.advance(100);
  t.ok(site.released('front'));
  t.same(host.questions, []);
  t.same(site.record('access.granted').record.flags, undefined);
});

t.test('what changes while the host thinks counts', async (t) => {
  const { site, host } = await openSite(asksHost('deny'));
  host.answerMs = 500;
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  await site.field.order({ kind: 'revoke', subject: 'credential', id: 'ann' }, 'Ada');
  await site.clock.advance(1_000);
  t.notOk(site.released('front'));
  t.equal(site.record('access.denied').record.reason, 'credential_revoked');
});

t.test('the host is asked once about two who enter together, when both are there', async (t) => {
  const { site, host } = await openSite(asksHost('deny', { authentication: 'twoCards' }));
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(100);
  t.same(host.questions, []);
  site.bus.card('front-in', CARDS.carla);
  await site.clock.advance(100);
  t.ok(site.released('front'));
  t.equal(host.questions.length, 1);
  t.same(
    host.questions[0]?.persons.map(({ credentialId }) => credentialId),
    ['ann', 'carla'],
  );
});

t.test('a visitor who comes while the host is asked about the escort follows', async (t) => {
  const changes = asksHost('deny', { hostAuthorisation: { timeoutMs: 5_000, fallback: 'deny' } });
  const { site, host } = await openSite({
    ...changes,
    ann: { may: { 'front-in': ['escort'] } },
    people: [{ id: 'vera', number: 44, escortRequired: true }],
    carla: false,
  });
  host.answerMs = 4_000;
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(400);
  site.bus.card('front-in', CARDS.carla);
  await site.clock.advance(10_000);
  t.same(
    site.journal.entries.flatMap(({ record }) => (record.name === 'access.granted' ? [record.credentialId] : [])),
    ['ann', 'vera'],
  );
});

t.test('only so many questions are under way', async (t) => {
  const { site, host } = await openSite(asksHost('deny'));
  host.answer = 'silent';
  for (let count = 0; count <= HOST_QUESTIONS_MAX; count++) {
    site.bus.card('front-in', count % 2 === 0 ? CARDS.ann : CARDS.carla);
  }
  await site.clock.advance(10);
  t.equal(host.questions.length, HOST_QUESTIONS_MAX);
  t.equal(site.record('host.unavailable').record.code, 'ERR_HOST_BUSY');
});

t.test('what a host said decides the same again from the record', async (t) => {
  const policy = sitePolicy(asksHost('local'));
  const host = new TestHost();
  const site = await FieldSite.open({ policy, host });
  host.site = site;
  const answers: Answer[] = ['allowed', 'denied', 'silent'];
  for (const answer of answers) {
    host.answer = answer;
    site.bus.card('front-in', CARDS.ann);
    await site.clock.advance(10_000);
  }
  const decisions = site.journal.entries.flatMap(({ record }) => (isDecision(record) ? [record] : []));
  t.same(
    decisions.map(({ name }) => name),
    [
      'access.host_pending',
      'access.granted',
      'access.host_pending',
      'access.denied',
      'access.host_pending',
      'access.granted',
    ],
  );
  for (const record of decisions) t.ok(replayEntry(record, policy.view).isSame, record.name);
});

t.test('a PIN under duress is asked about as any other, and the reader shows nothing of it', async (t) => {
  const seen = async (pin: string) => {
    const { site, host } = await openSite({
      ...asksHost('deny', { authentication: 'cardAndPin' }),
      ann: { duressPin: '8642' },
    });
    host.answerMs = 300;
    site.bus.card('front-in', CARDS.ann);
    site.bus.keys('front-in', `${pin}#`);
    await site.clock.advance(10_000);
    const { questions } = host;
    const { indications, movements } = site.bus;
    return { names: site.news(), outside: { questions, indications, movements } };
  };
  const [right, duress] = [await seen('2468'), await seen('8642')];
  t.same(duress.outside, right.outside);
  t.same(
    duress.names.filter((name) => name !== 'access.duress'),
    right.names,
  );
  t.equal(duress.names.filter((name) => name === 'access.duress').length, 1, 'and alarms once');
});

t.test('a gateway that stops waits for no host, and blames none', async (t) => {
  const { site, host } = await openSite(asksHost('deny'));
  host.answer = 'silent';
  site.bus.card('front-in', CARDS.ann);
  await site.clock.advance(10);
  await site.field.stop();
  t.equal(host.abortedCount, 1);
  t.notOk(site.journal.names.includes('host.unavailable'));
  t.notOk(site.released('front'));
});
