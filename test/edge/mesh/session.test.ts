import fc from 'fast-check';
import t from 'tap';
import {
  Frame,
  GREETING_MAX_MS,
  nextSessionDeadlineMs,
  openSession,
  PING_INTERVAL_MS,
  SESSION_VERSION,
  stepSession,
  UNANSWERED_PINGS_MAX,
  type SessionEffect,
  type SessionInput,
  type SessionSite,
  type SessionState,
} from '@sparc/edge/mesh';
import { verifySignature } from '@sparc/edge/platform';
import type { Signer } from '@sparc/protocol/ports';
import { checkProperty } from '../../support/property.js';
import { testSigner } from '../../support/test-signer.js';

const ROSTER = { roster: new Uint8Array([1]), signature: new Uint8Array(64) };
const LINKS = { secretId: new Uint8Array(16), listensAt: ['10.0.0.5:7400'], heard: [] };
const keyOf = ({ publicKey }: Signer) => Buffer.from(publicKey).toString('hex');

/** One end of a session, and what it would do. */
class End {
  readonly sent: Frame[] = [];
  readonly told: SessionEffect[] = [];
  #state: SessionState;

  constructor(
    private readonly signer: Signer,
    private readonly neighbour: string,
    private readonly site: Partial<SessionSite> = {},
    hello: { site?: string; version?: number; nonce?: Uint8Array } = {},
  ) {
    const own = { version: SESSION_VERSION, site: 'hq', nonce: new Uint8Array(16).fill(1), roster: ROSTER, ...hello };
    const { state, effects } = openSession(own, 0);
    this.#state = state;
    this.#execute(effects);
  }

  get phase() {
    return this.#state.phase;
  }

  get roundTripMs() {
    return this.#state.roundTripMs;
  }

  get deadlineMs() {
    return nextSessionDeadlineMs(this.#state);
  }

  take(input: SessionInput, nowMs = 0): this {
    const site = {
      siteId: 'hq',
      signer: this.signer,
      verify: verifySignature,
      admits: () => true,
      isWanted: () => true,
      time: () => undefined,
      isFieldSilent: () => false,
      ...this.site,
    };
    const { state, effects } = stepSession(this.#state, nowMs, input, this.neighbour, site);
    this.#state = state;
    this.#execute(effects);
    return this;
  }

  hear(frame: Frame, nowMs = 0): this {
    return this.take({ kind: 'frame', frame }, nowMs);
  }

  #execute(effects: readonly SessionEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'frame') this.sent.push(effect.frame);
      else this.told.push(effect);
    }
  }
}

const [alice, bob, mallory] = [testSigner(1), testSigner(2), testSigner(3)];

/** Hands everything over until both have nothing more to say. */
function exchange(a: End, b: End): void {
  let [fromA, fromB] = [0, 0];
  while (fromA < a.sent.length || fromB < b.sent.length) {
    for (const frame of a.sent.slice(fromA)) b.hear(Frame.decode(Frame.encode(frame)));
    fromA = a.sent.length;
    for (const frame of b.sent.slice(fromB)) a.hear(Frame.decode(Frame.encode(frame)));
    fromB = b.sent.length;
  }
}

function opened(siteOfA: Partial<SessionSite> = {}): { a: End; b: End } {
  const a = new End(alice, keyOf(bob), siteOfA);
  const b = new End(bob, keyOf(alice), {}, { nonce: new Uint8Array(16).fill(2) });
  exchange(a, b);
  return { a, b };
}

t.test('two members greet each other, prove their keys and talk', async (t) => {
  const { a, b } = opened();
  t.same([a.phase, b.phase], ['open', 'open']);
  t.same(a.told, [{ kind: 'open' }]);
  a.take({ kind: 'send', frame: { message: new Uint8Array([5]) } });
  b.hear(a.sent.at(-1) ?? {});
  t.same(b.told.at(-1), { kind: 'message', message: new Uint8Array([5]) });
  a.take({ kind: 'send', frame: { links: LINKS } });
  b.hear(a.sent.at(-1) ?? {});
  t.same(b.told.at(-1), { kind: 'links', links: LINKS });
});

t.test(
  'whoever answers a ping says what its clock shows, and whoever asked learns it with the round trip',
  async (t) => {
    const time = { unixMs: 1_700_000_000_000.5, quality: 'holdover' as const, errorMs: 40 };
    const a = new End(alice, keyOf(bob));
    const b = new End(bob, keyOf(alice), { time: () => time }, { nonce: new Uint8Array(16).fill(2) });
    exchange(a, b);
    a.take({ kind: 'time' }, PING_INTERVAL_MS);
    b.hear(a.sent.at(-1) ?? {}, 77);
    a.hear(Frame.decode(Frame.encode(b.sent.at(-1) ?? {})), PING_INTERVAL_MS + 30);
    t.same(a.told.slice(-2), [
      { kind: 'time', time, roundTripMs: 30 },
      { kind: 'field', isSilent: false },
    ]);
    t.equal(a.roundTripMs, 30);
  },
);

t.test('whoever answers a ping says whether its field answers it', async (t) => {
  let isSilent = true;
  const a = new End(alice, keyOf(bob));
  const b = new End(bob, keyOf(alice), { isFieldSilent: () => isSilent }, { nonce: new Uint8Array(16).fill(2) });
  exchange(a, b);
  for (const [at, expected] of [true, false].entries()) {
    isSilent = expected;
    const nowMs = (at + 1) * PING_INTERVAL_MS;
    a.take({ kind: 'time' }, nowMs);
    b.hear(a.sent.at(-1) ?? {}, nowMs);
    a.hear(Frame.decode(Frame.encode(b.sent.at(-1) ?? {})), nowMs);
    t.same(a.told.at(-1), { kind: 'field', isSilent: expected });
  }
});

t.test('the time beside a pong that is late counts for nothing', async (t) => {
  const { a } = opened();
  a.take({ kind: 'time' }, PING_INTERVAL_MS).take({ kind: 'time' }, 2 * PING_INTERVAL_MS);
  a.hear({ pong: PING_INTERVAL_MS, time: { unixMs: 5, quality: 'synced' } }, 2 * PING_INTERVAL_MS);
  t.same(a.told, [{ kind: 'open' }]);
});

t.test('nothing is said or taken before the other end has proved its key', async (t) => {
  const a = new End(alice, keyOf(bob));
  a.take({ kind: 'send', frame: { message: new Uint8Array([5]) } });
  t.equal(a.sent.length, 1, 'its own hello alone');
  t.match(a.hear({ message: new Uint8Array([5]) }).told, [{ kind: 'end', refused: true }]);
  t.match(new End(alice, keyOf(bob)).hear({ ping: 1 }).told, [{ kind: 'end', refused: true }]);
});

t.test('whoever is of another site, of another version or not on the roster is refused', async (t) => {
  const hello = { version: SESSION_VERSION, site: 'hq', nonce: new Uint8Array(16), roster: ROSTER };
  const refused = (frame: Frame, site: Partial<SessionSite> = {}) => {
    const end = new End(alice, keyOf(bob), site).hear(frame);
    t.equal(end.sent.length, 1, 'nothing is signed for it');
    return end.told;
  };
  t.match(refused({ hello: { ...hello, site: 'elsewhere' } }), [{ kind: 'end', refused: true, why: /elsewhere/ }]);
  t.match(refused({ hello: { ...hello, version: 9 } }), [{ kind: 'end', refused: true, why: /version 9/ }]);
  t.match(refused({ hello }, { admits: () => false }), [{ kind: 'end', refused: true, why: /roster/ }]);
});

t.test('the roster of the other end is taken over before it is judged', async (t) => {
  const shown: unknown[] = [];
  const admits: SessionSite['admits'] = (neighbour, roster) => shown.push([neighbour, roster]) > 0;
  opened({ admits });
  t.same(shown[0], [keyOf(bob), ROSTER]);
});

t.test(
  'whoever is expelled between its greeting and its proof is not let in, and nothing is proved to it',
  async (t) => {
    for (const [self, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      let isMember = true;
      const end = new End(self, keyOf(other), { admits: () => isMember });
      const expelled = new End(other, keyOf(self), {}, { nonce: new Uint8Array(16).fill(2) });
      end.hear(expelled.sent[0] ?? {});
      expelled.hear(end.sent[0] ?? {});
      const sentCount = end.sent.length;
      // Of the two, the lower key proves itself last.
      const proof = expelled.sent[1] ?? expelled.hear(end.sent[1] ?? {}).sent[1] ?? {};
      isMember = false;
      end.hear(proof);
      t.match(end.told, [{ kind: 'end', refused: true, why: /no longer on the roster/ }]);
      t.equal(end.sent.length, sentCount);
    }
  },
);

t.test('a proof of another key, of another session or of the own side is refused', async (t) => {
  const proofBy = (signer: Signer, nonce: number): Uint8Array => {
    const liar = new End(signer, keyOf(alice), {}, { nonce: new Uint8Array(16).fill(nonce) });
    const real = new End(alice, keyOf(signer));
    exchange(real, liar);
    return liar.sent.find(({ proof }) => proof !== undefined)?.proof ?? new Uint8Array(64);
  };
  const hello = { version: SESSION_VERSION, site: 'hq', nonce: new Uint8Array(16).fill(2), roster: ROSTER };
  const judged = (proof: Uint8Array) => new End(alice, keyOf(bob)).hear({ hello }).hear({ proof });
  t.equal(judged(proofBy(bob, 2)).phase, 'open', 'the right one');
  t.match(judged(proofBy(mallory, 2)).told, [{ kind: 'end', refused: true }], 'of another key');
  t.match(judged(proofBy(bob, 3)).told, [{ kind: 'end', refused: true }], 'of another session');
  const mirror = new End(alice, keyOf(bob)).hear({ hello });
  t.match(mirror.hear({ proof: mirror.sent[1]?.proof ?? new Uint8Array(64) }).told, [{ kind: 'end' }], 'its own');
});

t.test('what comes out of turn ends a session', async (t) => {
  const hello = { version: SESSION_VERSION, site: 'hq', nonce: new Uint8Array(16), roster: ROSTER };
  t.match(new End(alice, keyOf(bob)).hear({ hello }).hear({ hello }).told, [{ kind: 'end', refused: true }]);
  t.match(new End(alice, keyOf(bob)).hear({ proof: new Uint8Array(64) }).told, [{ kind: 'end', refused: true }]);
  const { a } = opened();
  const ended = a.hear({ proof: new Uint8Array(64) });
  t.equal(ended.phase, 'ended');
  const { length } = ended.told;
  ended.hear({ message: new Uint8Array([1]) }).take({ kind: 'time' }, 99_000);
  t.equal(ended.told.length, length, 'and what follows is not heard');
  t.equal(ended.deadlineMs, Infinity);
});

t.test('whoever does not greet in time is hung up on, and may come again', async (t) => {
  const a = new End(alice, keyOf(bob));
  t.equal(a.deadlineMs, GREETING_MAX_MS);
  t.same(a.take({ kind: 'time' }, GREETING_MAX_MS - 1).told, []);
  t.match(a.take({ kind: 'time' }, GREETING_MAX_MS).told, [{ kind: 'end', refused: false }]);
});

t.test('a silent neighbour is lost after four seconds', async (t) => {
  const { a } = opened();
  const atMs: number[] = [];
  while (a.phase === 'open') {
    atMs.push(a.deadlineMs);
    a.take({ kind: 'time' }, a.deadlineMs);
  }
  t.same(
    atMs,
    [1, 2, 3, 4].map((turn) => turn * PING_INTERVAL_MS),
  );
  t.equal(a.sent.filter(({ ping }) => ping !== undefined).length, UNANSWERED_PINGS_MAX);
  t.match(a.told.at(-1), { kind: 'end', refused: false });
});

t.test('whoever was held up itself for minutes does not blame its neighbour', async (t) => {
  const { a, b } = opened();
  a.take({ kind: 'time' }, 300_000);
  t.equal(a.phase, 'open');
  b.hear(a.sent.at(-1) ?? {}, 5);
  a.hear(b.sent.at(-1) ?? {}, 300_007);
  t.equal(a.roundTripMs, 7);
});

t.test('anything that is heard shows that a neighbour lives', async (t) => {
  const { a } = opened();
  for (let nowMs = 1_000; nowMs < 20_000; nowMs += 1_000) {
    a.take({ kind: 'time' }, nowMs).hear({ message: new Uint8Array([1]) }, nowMs);
  }
  t.equal(a.phase, 'open');
});

t.test('a neighbour whose pongs wait behind what was asked of it is not taken for gone', async (t) => {
  const { a } = opened();
  for (let nowMs = 1_000; nowMs < 20_000; nowMs += 1_000)
    a.take({ kind: 'time' }, nowMs).take({ kind: 'arrival' }, nowMs);
  t.equal(a.phase, 'open');
  for (let nowMs = 20_000; nowMs <= 23_000; nowMs += 1_000) a.take({ kind: 'time' }, nowMs);
  t.equal(a.phase, 'ended', 'until nothing comes any more');
});

t.test('a pong that answers no ping changes no measured time', async (t) => {
  const { a } = opened();
  a.take({ kind: 'time' }, 1_000);
  for (const pong of [NaN, -1, Infinity, 999]) a.hear({ pong }, 1_010);
  t.equal(a.roundTripMs, undefined);
  t.equal(a.hear({ pong: 1_000 }, 1_012).roundTripMs, 12);
  t.equal(a.phase, 'open');
});

t.test('whatever a stranger says in whatever order, it is not let in', async (t) => {
  const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const hello = fc.record({
    version: fc.constantFrom(SESSION_VERSION, 2),
    site: fc.constantFrom('hq', 'x'),
    nonce: bytesOf(16),
    roster: fc.constant(ROSTER),
  });
  const frame = fc.oneof(
    fc.record({ hello }),
    fc.record({ proof: bytesOf(64) }),
    fc.record({ ping: fc.double() }),
    fc.record({ pong: fc.double() }),
    fc.record({ message: fc.uint8Array({ minLength: 1, maxLength: 9 }) }),
    fc.constant({ links: LINKS }),
    fc.constant({}),
  );
  checkProperty(
    fc.property(fc.array(frame, { maxLength: 6 }), (frames) => {
      const end = new End(alice, keyOf(bob));
      for (const each of frames) end.hear(each);
      return end.told.every(({ kind }) => kind === 'end') && end.told.length <= 1;
    }),
  );
  t.pass();
});

t.test('where both have called, the lower key lets one session open at both ends', async (t) => {
  const [lower, higher] = keyOf(alice) < keyOf(bob) ? [alice, bob] : [bob, alice];
  const session = (isWanted: boolean) => {
    const a = new End(lower, keyOf(higher), { isWanted: () => isWanted });
    const b = new End(higher, keyOf(lower), { isWanted: () => false }, { nonce: new Uint8Array(16).fill(2) });
    exchange(a, b);
    return { a, b };
  };
  const wanted = session(true);
  t.same([wanted.a.phase, wanted.b.phase], ['open', 'open'], 'whatever the higher one has');
  const unwanted = session(false);
  t.match(unwanted.a.told, [{ kind: 'end', refused: false }]);
  t.same([unwanted.b.phase, unwanted.b.told], ['proving', []], 'the higher one never took it for open');
});
