import t from 'tap';
import { NO_DELIVERY } from '@sparc/protocol/delivery';
import { isSparcError } from '@sparc/protocol/errors';
import { MESH_OFF } from '@sparc/edge/api';
import { buildApi, EventLog, EventStreams, FieldRequests, SiteState } from '@sparc/edge/api/server';
import type { DirectiveRequest } from '@sparc/edge/directives';
import { NO_PLACES } from '@sparc/edge/policy';
import { VirtualClock } from '@sparc/simulator/world';
import { testSigner } from '../../support/test-signer.js';
import { ADA, delegation, DirectedSite, directive, signed as sign } from '../field/directed-sites.js';

/** The API of a gateway, and its field. */
async function setUp() {
  const gateway = await DirectedSite.open('a');
  gateway.believe(delegation());
  const clock = new VirtualClock();
  let askedCount = 0;
  const requests: FieldRequests = new FieldRequests(clock, (message) => {
    askedCount += 1;
    if (message.kind !== 'request') throw new Error('only requests were expected');
    const { directive: signed } = message.action as DirectiveRequest;
    gateway.settled(gateway.site.field.direct(signed)).then(
      (receipt) => requests.answered(message.id, { ok: true, value: { kind: 'directed', receipt } }),
      (error: unknown) => {
        if (!isSparcError(error)) throw error;
        requests.answered(message.id, { ok: false, code: error.code, message: error.message });
      },
    );
  });
  const api = buildApi({
    state: new SiteState(clock, undefined),
    log: new EventLog({ read: () => [] }),
    streams: new EventStreams(clock),
    requests,
    mesh: () => MESH_OFF,
    delivery: { delivery: () => NO_DELIVERY, directive: () => undefined },
    places: () => NO_PLACES,
    logLevel: 'silent',
  });
  const post = (payload: object) =>
    api.inject({ method: 'POST', url: '/api/directives', headers: { host: '127.0.0.1:8080' }, payload });
  return { gateway, post, askedCount: () => askedCount };
}

const LOCKDOWN = { kind: 'raise', what: 'lockdown' } as const;

t.test('a directive needs no other authorization than its signature, and is answered when the field did', async (t) => {
  const { gateway, post } = await setUp();
  const lockdown = directive(LOCKDOWN);
  const answer = await post(sign(ADA, lockdown));
  t.equal(answer.statusCode, 200);
  t.strictSame(answer.json(), { id: lockdown.id, outcome: 'applied' });
  t.ok(gateway.site.field.snapshot().mode.lockdown);
  t.match((await post(sign(ADA, lockdown))).json(), { outcome: 'known' });
  const heads = ['x', 'y', 'z'].map((letter) => letter.repeat(1_024));
  const expulsion = directive({ kind: 'expel', gateway: 'cd'.repeat(32), heads });
  const large = await post(sign(ADA, expulsion));
  t.equal(large.statusCode, 200, 'the longest are taken');
  t.match(large.json(), { outcome: 'refused' }, 'and heads that are none are not');
});

t.test('who has no right and what is no directive hear why', async (t) => {
  const { gateway, post, askedCount } = await setUp();
  const signed = sign(ADA, directive(LOCKDOWN));
  const expected: [object, number, string][] = [
    [{ ...signed, signature: '00'.repeat(64) }, 400, 'ERR_DIRECTIVE_INVALID'],
    [sign(testSigner(9), directive(LOCKDOWN)), 403, 'ERR_DIRECTIVE_OPERATOR_UNKNOWN'],
    [sign(ADA, directive(LOCKDOWN, { site: 'other' })), 409, 'ERR_DIRECTIVE_OTHER_SITE'],
    [{ ...signed, by: 'Ada' }, 400, 'ERR_API_REQUEST_INVALID'],
    [{ ...signed, signature: [signed.signature] }, 400, 'ERR_API_REQUEST_INVALID'],
    [{ operator: signed.operator, text: signed.text }, 400, 'ERR_API_REQUEST_INVALID'],
    [{ ...signed, text: 'x'.repeat(20_000) }, 400, 'ERR_API_REQUEST_INVALID'],
  ];
  for (const [payload, status, code] of expected) {
    const answer = await post(payload);
    t.strictSame([answer.statusCode, answer.json<{ readonly code: string }>().code], [status, code]);
  }
  t.notOk(gateway.site.field.snapshot().mode.lockdown);
  t.equal(askedCount(), 2, 'what nobody signed costs the field nothing');
});
