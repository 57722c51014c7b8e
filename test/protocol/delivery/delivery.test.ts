import t from 'tap';
import {
  ACKNOWLEDGEMENTS,
  ANSWERS_KEPT_MAX,
  DeliveryLog,
  deliveryOf,
  DENIALS,
  DIRECTIVES_KEPT_MAX,
  directiveOf,
  RAISES_KEPT_MAX,
  standingOf,
  UNENTITLED_KEPT_MAX,
  type DeliverySite,
} from '@sparc/protocol/delivery';
import {
  directiveId,
  encodeSignedDirective,
  Entitlements,
  signDirective,
  type DirectiveContent,
} from '@sparc/protocol/directive';
import { EVENTS } from '@sparc/protocol/events';
import type { SignedHead, StoredRecord } from '@sparc/protocol/ledger';
import type { OperatorRight } from '@sparc/protocol/roster';
import { verifySignature } from '@sparc/edge/platform';
import { testSigner } from '../../support/test-signer.js';

const START_UNIX_MS = 1_790_000_000_000;
const [HALLWAY, GATE, CELLAR] = ['aa'.repeat(32), 'bb'.repeat(32), 'cc'.repeat(32)] as const;
const OPERATOR = testSigner(7);
const OPERATOR_KEY = Buffer.from(OPERATOR.publicKey).toString('hex');

const SITE: DeliverySite = {
  members: [
    { key: HALLWAY, name: 'hallway', isSelf: true, isReached: true },
    { key: GATE, name: 'gate', isSelf: false, isReached: true, clockAheadMs: -20 },
    { key: CELLAR, name: 'cellar', isSelf: false, isReached: false },
  ],
  operatorNames: new Map([[OPERATOR_KEY, 'Ada']]),
};

const common = (at: number) => ({
  v: 1 as const,
  site: 'harbour',
  issuedUnixMs: START_UNIX_MS + at,
  expiresUnixMs: START_UNIX_MS + at + 10_000,
});
const lockdown = (at = 1): DirectiveContent => ({ ...common(at), kind: 'raise', what: 'lockdown', scope: ['lab'] });
const idFor = (content: DirectiveContent): string =>
  directiveId({ operator: OPERATOR_KEY, text: JSON.stringify(content) });
const idOf = (at: number): string => idFor(lockdown(at));

/** Logs that gateways write, one entry a second, as they are read here. */
class Said {
  readonly #entitlements = new Entitlements(undefined);
  readonly log = new DeliveryLog(verifySignature, this.#entitlements);
  readonly #sequences = new Map<string, number>();
  #epoch = 3;
  #atMs = START_UNIX_MS;

  constructor({ isDelegated = true } = {}) {
    if (isDelegated) this.delegate(['mode', 'revoke', 'grant', 'order', 'expel']);
  }

  delegate(rights: readonly OperatorRight[], issuedUnixMs = START_UNIX_MS): void {
    const notAfterUnixMs = START_UNIX_MS + 31_536_000_000;
    const delegation = { operator: OPERATOR_KEY, name: 'Ada', rights: [...rights], scope: [], issuedUnixMs };
    this.#entitlements.take({ ...delegation, notAfterUnixMs });
    this.log.believed();
  }

  say(author: string, record: StoredRecord): void {
    const sequence = (this.#sequences.get(author) ?? 0) + 1;
    this.#sequences.set(author, sequence);
    this.#atMs += 1_000;
    const hlc = { unixMs: this.#atMs, counter: 0 };
    const id = { author, epoch: this.#epoch, sequence };
    const mark = { id, hlc, wallUnixMs: this.#atMs, timeQuality: 'synced' as const };
    this.log.mark(mark);
    this.log.take({ ...mark, record });
  }

  /** Whoever speaks from now on was started anew. */
  restart(): void {
    this.#epoch += 1;
    this.#sequences.clear();
  }

  /** Well signed by somebody to whom nothing was delegated. */
  giveAs(seed: number, author: string, directive: DirectiveContent): void {
    this.say(author, {
      name: 'directive.given',
      directive: encodeSignedDirective(signDirective(testSigner(seed), directive)),
    });
  }

  give(author: string, directive: DirectiveContent, signer = OPERATOR): void {
    const bytes = encodeSignedDirective({ ...signDirective(signer, directive), operator: OPERATOR_KEY });
    this.say(author, { name: 'directive.given', directive: bytes, detail: { directive: idFor(directive) } });
  }

  answers(id: string) {
    const given = this.log.given(id);
    return given && directiveOf(this.log, SITE, given).gateways.map(({ name, state, code }) => [name, state, code]);
  }
}

t.test('a directive is answered by each gateway in its own log, refusals with their code', async (t) => {
  const said = new Said();
  said.give(HALLWAY, lockdown());
  said.say(HALLWAY, { name: 'site.lockdown', detail: { directive: idOf(1) } });
  said.say(GATE, { name: 'directive.refused', code: 'ERR_DIRECTIVE_EXPIRED', detail: { directive: idOf(1) } });
  t.strictSame(deliveryOf(said.log, SITE, true).directives, [
    {
      id: idOf(1),
      kind: 'raise',
      detail: { what: 'lockdown', scope: 'lab' },
      operator: { key: OPERATOR_KEY, name: 'Ada' },
      issuedUnixMs: START_UNIX_MS + 1,
      given: { gateway: HALLWAY, name: 'hallway', cursor: '3.1', atUnixMs: START_UNIX_MS + 1_000 },
      answeredBy: 'all',
      gateways: [
        {
          gateway: HALLWAY,
          name: 'hallway',
          isReached: true,
          state: 'applied',
          atUnixMs: START_UNIX_MS + 2_000,
          cursor: '3.2',
        },
        {
          gateway: GATE,
          name: 'gate',
          isReached: true,
          state: 'refused',
          atUnixMs: START_UNIX_MS + 3_000,
          cursor: '3.1',
          code: 'ERR_DIRECTIVE_EXPIRED',
        },
        { gateway: CELLAR, name: 'cellar', isReached: false, state: 'unheard' },
      ],
    },
  ]);
});

t.test('an answer that is read before the directive it answers counts', async (t) => {
  const said = new Said();
  const revocation = { ...common(1), kind: 'revoke', subject: 'credential', subjectId: 'card-ada' } as const;
  said.say(GATE, { name: 'revocation.applied', detail: { directive: idFor(revocation), number: '4' } });
  t.equal(said.answers(idFor(revocation)), undefined);
  said.give(HALLWAY, revocation);
  t.strictSame(said.answers(idFor(revocation)), [
    ['hallway', 'unheard', undefined],
    ['gate', 'applied', undefined],
    ['cellar', 'unheard', undefined],
  ]);
});

t.test('what was carried out stays so, and what was refused may be carried out later', async (t) => {
  const said = new Said();
  said.give(HALLWAY, lockdown());
  const detail = { directive: idOf(1) };
  said.say(GATE, { name: 'directive.refused', code: 'ERR_DIRECTIVE_OPERATOR_UNKNOWN', detail });
  said.say(GATE, { name: 'site.lockdown', detail });
  said.say(GATE, { name: 'directive.refused', code: 'ERR_DIRECTIVE_EXPIRED', detail });
  t.strictSame(said.answers(idOf(1))?.[1], ['gate', 'applied', undefined]);
});

t.test('what no operator signed is no directive, and a repetition elsewhere adds none', async (t) => {
  const said = new Said();
  said.give(CELLAR, lockdown(1), testSigner(8));
  t.equal(said.log.given(idOf(1)), undefined, 'signed with another key than it names');
  said.say(CELLAR, { name: 'directive.given', directive: new Uint8Array([1, 2, 3]), detail: { directive: idOf(1) } });
  t.equal(said.log.given(idOf(1)), undefined, 'bytes that are none');
  said.give(HALLWAY, lockdown(1));
  said.give(CELLAR, lockdown(1));
  t.equal(said.log.given(idOf(1))?.carrier.id.author, HALLWAY);
  t.equal(said.log.allGiven().length, 1);
});

t.test('a door command is answered by the gateway of the door alone, and nobody else owes an answer', async (t) => {
  const said = new Said();
  const command = { ...common(1), kind: 'door', door: 'front', order: { kind: 'releaseDoor' } } as const;
  said.give(HALLWAY, command);
  t.strictSame(said.answers(idFor(command)), []);
  t.equal(deliveryOf(said.log, SITE, true).gateways[2]?.directives.unheardCount, 0);
  said.say(GATE, { name: 'operator.release', doorId: 'front', detail: { directive: idFor(command) } });
  t.strictSame(said.answers(idFor(command)), [['gate', 'applied', undefined]]);
});

t.test('whoever is expelled is not asked', async (t) => {
  const said = new Said();
  const expulsion: DirectiveContent = { ...common(1), kind: 'expel', gateway: CELLAR, heads: [] };
  said.give(HALLWAY, expulsion);
  t.strictSame(
    said.answers(idFor(expulsion))?.map(([name]) => name),
    ['hallway', 'gate'],
  );
  t.equal(deliveryOf(said.log, SITE, true).gateways[2]?.directives.unheardCount, 0);
});

t.test('the identifier of a card is not shown', async (t) => {
  const said = new Said();
  const identifier = { format: 'h10301', facility: 12, number: 47_114 };
  const times = { fromUnixMs: START_UNIX_MS, untilUnixMs: START_UNIX_MS + 1 };
  const visitor = { id: 'vera', name: 'Vera', identifier, profiles: ['lobby'], ...times };
  said.give(HALLWAY, { ...common(1), kind: 'visitor', visitor });
  const view = deliveryOf(said.log, SITE, true);
  t.match(view.directives[0]?.detail, { visitor: 'vera', name: 'Vera', profiles: 'lobby' });
  t.notMatch(JSON.stringify(view), /47114/);
});

t.test('of each gateway it is known how far it is', async (t) => {
  const said = new Said();
  said.say(GATE, { name: 'gateway.started', detail: { name: 'gate', buses: 'bus-a bus-b' } });
  said.say(GATE, { name: 'policy.loaded', detail: { revision: '12-00112233aabbccdd' } });
  said.say(GATE, { name: 'revocation.applied', detail: { number: '7' } });
  said.say(GATE, { name: 'clock.holdover', detail: { errorMs: '1500' } });
  said.give(HALLWAY, lockdown(1));
  said.give(HALLWAY, lockdown(2));
  said.say(GATE, { name: 'site.lockdown', detail: { directive: idOf(2) } });
  t.strictSame(deliveryOf(said.log, SITE, false).gateways[1], {
    key: GATE,
    name: 'gate',
    isSelf: false,
    isReached: true,
    newest: { cursor: '3.5', atUnixMs: START_UNIX_MS + 7_000 },
    startedUnixMs: START_UNIX_MS + 1_000,
    buses: ['bus-a', 'bus-b'],
    policy: { revision: '12-00112233aabbccdd', number: 12, sinceUnixMs: START_UNIX_MS + 2_000 },
    revocation: { number: 7, sinceUnixMs: START_UNIX_MS + 3_000 },
    directives: {
      appliedCount: 1,
      refusedCount: 0,
      unheardCount: 1,
      unheardSinceUnixMs: START_UNIX_MS + 5_000,
    },
    clock: { quality: 'synced', errorMs: 1_500, aheadMs: -20 },
  });
});

t.test('a gateway that starts has no policy until it says so, and an older revocation lowers nothing', async (t) => {
  const said = new Said();
  said.say(GATE, { name: 'policy.loaded', detail: { revision: 'ab12' } });
  t.strictSame(said.log.reportOf(GATE).policy, { revision: 'ab12', sinceUnixMs: START_UNIX_MS + 1_000 });
  said.say(GATE, { name: 'revocation.applied', detail: { number: '7' } });
  said.say(GATE, { name: 'revocation.applied', detail: { number: '6' } });
  said.say(GATE, { name: 'revocation.applied', detail: { number: 'many' } });
  said.restart();
  said.say(GATE, { name: 'gateway.started' });
  t.equal(said.log.reportOf(GATE).policy, undefined);
  t.equal(said.log.reportOf(GATE).revocation.number, 7);
});

t.test('a policy that a gateway found in force before it had started is in force', async (t) => {
  const said = new Said();
  said.say(GATE, { name: 'gateway.started' });
  said.restart();
  said.say(GATE, { name: 'policy.loaded', detail: { revision: 'ab12' } });
  said.say(GATE, { name: 'gateway.started' });
  t.match(said.log.reportOf(GATE), { policy: { revision: 'ab12' }, startedUnixMs: START_UNIX_MS + 3_000 });
});

t.test('one gateway that answers without end costs others nothing', async (t) => {
  const said = new Said();
  said.say(GATE, { name: 'site.lockdown', detail: { directive: idOf(1) } });
  for (let at = 0; at <= ANSWERS_KEPT_MAX; at += 1) {
    said.say(CELLAR, { name: 'site.lockdown', detail: { directive: idOf(at + 1) } });
  }
  t.equal(said.log.answerOf(CELLAR, idOf(1)), undefined, 'its own oldest answer gave way');
  t.equal(said.log.answerOf(GATE, idOf(1))?.state, 'applied');
});

t.test('who has no right to direct takes nobody the answer to what was directed, and is not shown', async (t) => {
  const said = new Said();
  said.give(HALLWAY, lockdown());
  for (let at = 0; at < 2 * DIRECTIVES_KEPT_MAX; at += 1) {
    const ahead = { issuedUnixMs: 2 ** 48 - 2, expiresUnixMs: 2 ** 48 - 1 };
    said.giveAs(9, CELLAR, { ...common(at), ...ahead, kind: 'forgive', holder: `h${at}` });
  }
  t.strictSame(
    said.log.allGiven().map(({ directive }) => directive.id),
    [idOf(1)],
  );
  t.equal(deliveryOf(said.log, SITE, true).gateways[2]?.directives.unheardCount, 1);
});

t.test('a directive is shown once its operator is known to have the right, and not longer', async (t) => {
  const said = new Said({ isDelegated: false });
  said.give(HALLWAY, lockdown());
  for (let at = 0; at < 2 * UNENTITLED_KEPT_MAX; at += 1) said.giveAs(9, CELLAR, lockdown(at));
  t.equal(said.log.given(idOf(1)), undefined);
  said.delegate(['mode']);
  t.equal(said.log.given(idOf(1))?.directive.kind, 'raise', 'whatever another gateway carried meanwhile');
  said.delegate([], START_UNIX_MS + 500);
  t.equal(said.log.given(idOf(1)), undefined, 'it was withdrawn before the directive was given');
});

t.test('what was carried out and ended for want of the right does not read as applied', async (t) => {
  const said = new Said();
  said.give(HALLWAY, lockdown());
  const code = 'ERR_DIRECTIVE_NOT_ENTITLED';
  said.say(GATE, { name: 'site.lockdown', detail: { directive: idOf(1) } });
  said.say(GATE, { name: 'site.lockdown_ended', code, detail: { directive: idOf(1) } });
  t.strictSame(said.answers(idOf(1))?.[1], ['gate', 'ended', code]);
  said.say(GATE, { name: 'directive.refused', code, detail: { directive: idOf(1) } });
  t.strictSame(said.answers(idOf(1))?.[1], ['gate', 'ended', code], 'what is refused later was in force');
  said.say(GATE, { name: 'site.lockdown', detail: { directive: idOf(1) } });
  t.strictSame(said.answers(idOf(1))?.[1], ['gate', 'applied', undefined], 'the authority had another word');
});

t.test('an event that only names a directive is no answer to it', async (t) => {
  const said = new Said();
  said.give(HALLWAY, lockdown());
  said.say(GATE, { name: 'linkage.ran', detail: { directive: idOf(1) } });
  said.say(GATE, { name: 'of.a_newer_version', detail: { directive: idOf(1) } });
  t.strictSame(said.answers(idOf(1))?.[1], ['gate', 'unheard', undefined]);
});

t.test('every event that the catalogue lets name a directive is an answer of one kind', async (t) => {
  const naming = Object.entries(EVENTS)
    .filter(([, described]) => 'detail' in described)
    .filter(([, described]) => /"directive\??":/.test(JSON.stringify(described)))
    .map(([name]) => name);
  // An input raises a fire alarm, and no directive does.
  const others = ['directive.given', 'fire.alarm'];
  t.strictSame(naming.sort(), [...ACKNOWLEDGEMENTS, ...DENIALS, ...others].sort());
});

t.test('of more directives than are kept the oldest goes', async (t) => {
  const said = new Said();
  for (let at = DIRECTIVES_KEPT_MAX + 1; at >= 1; at -= 1) said.give(HALLWAY, lockdown(at));
  t.equal(said.log.given(idOf(1)), undefined);
  t.equal(said.log.given(idOf(DIRECTIVES_KEPT_MAX + 1))?.directive.id, idOf(DIRECTIVES_KEPT_MAX + 1));
  t.equal(said.log.allGiven().length, DIRECTIVES_KEPT_MAX);
});

t.test('what stands is said by the log of each gateway, and for whom a service raised it', async (t) => {
  const said = new Said();
  const content = { ...lockdown(), onBehalfOf: 'otto' };
  const id = idFor(content);
  said.give(HALLWAY, content);
  const raised = { by: 'cloud', raise: id, directive: id, scope: 'lab' };
  said.say(HALLWAY, { name: 'site.lockdown', detail: raised });
  said.say(GATE, { name: 'site.lockdown', detail: raised });
  const panic = { by: 'panic', raise: '0b'.repeat(16) };
  said.say(CELLAR, { name: 'site.lockdown', detail: panic });
  said.say(GATE, { name: 'site.lockdown', detail: panic, causeId: { author: CELLAR, epoch: 3, sequence: 1 } });
  const standing = () => standingOf(said.log, SITE, new Map());
  t.strictSame(standing(), [
    {
      ...{ id, what: 'lockdown', by: 'cloud', onBehalfOf: 'otto', scope: ['lab'] },
      ...{ atUnixMs: START_UNIX_MS + 2_000, standsAt: [HALLWAY, GATE] },
    },
    {
      ...{ id: panic.raise, what: 'lockdown', by: 'panic', gateway: CELLAR },
      ...{ atUnixMs: START_UNIX_MS + 4_000, standsAt: [GATE, CELLAR] },
    },
  ]);
  said.say(GATE, { name: 'site.lockdown_ended', detail: { by: 'Ada', raises: `${id} ${panic.raise}` } });
  said.restart();
  said.say(HALLWAY, { name: 'gateway.started', detail: {} });
  t.match(standing(), [{ id, standsAt: [HALLWAY] }, { standsAt: [CELLAR] }], 'a start ends nothing');
  said.say(CELLAR, { name: 'site.threat_level', detail: { by: 'Ada', raise: '0c'.repeat(16), level: '3', to: '3' } });
  said.say(CELLAR, { name: 'site.lockdown_ended', detail: { by: 'Ada' } });
  said.say(HALLWAY, { name: 'site.lockdown_ended', code: 'ERR_DIRECTIVE_NOT_ENTITLED', detail: { raises: id } });
  t.match(standing(), [{ what: 'threat', level: 3, standsAt: [CELLAR] }]);
  t.equal(standing().length, 1);
});

t.test('what an expelled gateway raised stands as far as its log counts, as at the gateways', async (t) => {
  const said = new Said();
  for (const sequence of [4, 5]) {
    const raise = { by: 'panic', raise: `0${sequence}`.repeat(16) };
    for (const gateway of [HALLWAY, GATE]) {
      const causeId = { author: CELLAR, epoch: 3, sequence };
      said.say(gateway, { name: 'site.lockdown', detail: { ...raise, scope: `area-${sequence}` }, causeId });
    }
  }
  const standing = (heads: readonly SignedHead[]) =>
    standingOf(said.log, SITE, new Map([[CELLAR, heads]])).map(({ id }) => id);
  const head = { site: 'harbour', author: Buffer.from(CELLAR, 'hex'), hash: new Uint8Array(32) };
  const at = (counter: number, sequence: number): SignedHead => ({
    ...{ ...head, sequence, epoch: { counter, random: new Uint8Array(8) }, signature: new Uint8Array(64) },
  });
  t.strictSame(standing([]), ['04'.repeat(16), '05'.repeat(16)], 'no gateway has heard of the expulsion');
  said.say(HALLWAY, { name: 'mesh.gateway_expelled', detail: { neighbour: CELLAR, name: 'Cellar', epoch: '2' } });
  const at4 = () => standingOf(said.log, SITE, new Map([[CELLAR, [at(3, 4)]]]));
  t.match(at4(), [{ standsAt: [HALLWAY, GATE] }, { standsAt: [GATE] }], 'one has');
  said.say(GATE, {
    name: 'mesh.expulsion_directed',
    detail: { gateway: CELLAR, by: 'Ada', directive: 'd'.repeat(64) },
  });
  t.strictSame(standing([at(3, 4)]), ['04'.repeat(16)]);
  t.strictSame(standing([at(3, 9)]), ['04'.repeat(16), '05'.repeat(16)]);
  t.strictSame(standing([at(2, 9)]), []);
  t.strictSame(standing([]), [], 'of a log that nobody attested nothing counts');
});

t.test('a revocation says where nobody is known by that id', async (t) => {
  const said = new Said();
  const content: DirectiveContent = { ...common(1), kind: 'revoke', subject: 'credential', subjectId: 'nobody' };
  said.give(HALLWAY, content);
  const applied = { number: '1', directive: idFor(content) };
  said.say(HALLWAY, { name: 'revocation.applied', detail: { ...applied, unlisted: 'true' } });
  said.say(GATE, { name: 'revocation.applied', detail: applied });
  const [view] = deliveryOf(said.log, SITE, true).directives;
  t.strictSame(
    view?.gateways.map(({ state, isUnlisted }) => [state, isUnlisted]),
    [
      ['applied', true],
      ['applied', undefined],
      ['unheard', undefined],
    ],
  );
});

t.test('a gateway that raises without end takes no more room than is kept', async (t) => {
  const said = new Said();
  for (let at = 0; at <= RAISES_KEPT_MAX; at += 1) {
    const raise = at.toString(16).padStart(32, '0');
    said.say(GATE, { name: 'site.lockdown', detail: { by: `rule:${at}`, raise } });
  }
  const standing = standingOf(said.log, SITE, new Map());
  t.equal(standing.length, RAISES_KEPT_MAX);
  t.equal(standing[0]?.by, 'rule:1', 'the newest are');
});
