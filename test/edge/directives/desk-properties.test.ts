import t from 'tap';
import fc from 'fast-check';
import { signDirective, type DirectiveContent, type SignedDirective } from '@sparc/protocol/directive';
import type { Delegation } from '@sparc/protocol/roster';
import type { HeardEntry } from '@sparc/edge/heard';
import { checkAsyncProperty } from '../../support/property.js';
import { testSigner } from '../../support/test-signer.js';
import { carry, deskOf, keptStore, OPERATORS, settle } from './desk.js';

const delegations = fc.array(
  fc.record({
    operator: fc.constantFrom(...OPERATORS.map(({ key }) => key)),
    rights: fc.constantFrom(['mode'], ['order'], []),
    issuedUnixMs: fc.nat(20),
    notAfterUnixMs: fc.integer({ min: 10, max: 40 }),
  }),
  { maxLength: 8 },
);
const carried = fc.array(
  fc.record({
    number: fc.integer({ min: 1, max: 2 }),
    operator: fc.constantFrom(...OPERATORS),
    author: fc.constantFrom('c', 'd'),
    atUnixMs: fc.nat(30),
    wallUnixMs: fc.nat(60),
  }),
  { minLength: 1, maxLength: 8 },
);

/** The same few directives whoever carries them; two operators sign each of them. */
const signed = new Map<string, SignedDirective>();
function signedOf(number: number, { key, seed }: (typeof OPERATORS)[number]): SignedDirective {
  const name = `${number} ${key}`;
  const known = signed.get(name) ?? signDirective(testSigner(seed), RAISE(number));
  signed.set(name, known);
  return known;
}
const RAISE = (number: number): DirectiveContent => ({
  v: 1,
  site: 'site',
  issuedUnixMs: number - 1,
  expiresUnixMs: 25,
  kind: 'raise',
  what: 'lockdown',
});

type Piece = { readonly delegation: Delegation } | { readonly entry: HeardEntry };

function piecesOf(given: {
  delegations: Omit<Delegation, 'name' | 'scope'>[];
  carried: {
    number: number;
    operator: (typeof OPERATORS)[number];
    author: string;
    atUnixMs: number;
    wallUnixMs: number;
  }[];
}): Piece[] {
  const words = given.delegations.map((each) => ({ delegation: { ...each, name: 'Ada', scope: [] } }));
  const entries = given.carried.map(({ number, operator, author, atUnixMs, wallUnixMs }, sequence) => ({
    entry: carry(signedOf(number, operator), atUnixMs, {
      id: { author: author.repeat(64), epoch: 1, sequence: sequence + 1 },
      wallUnixMs,
    }),
  }));
  return [...words, ...entries];
}

/** The gateway stops after so many pieces, and is told all of them anew when it starts. */
async function inForceAfter(pieces: readonly Piece[], restartAfter: number): Promise<string> {
  const store = keptStore();
  let inForce: ReadonlySet<string> = new Set();
  for (const told of [pieces.slice(0, restartAfter), pieces]) {
    const { desk, inForce: after } = deskOf(store);
    for (const id of inForce) after.add(id);
    inForce = after;
    for (const piece of told) {
      if ('entry' in piece) desk.heard(piece.entry);
      else desk.believe([piece.delegation]);
      // What is saved meanwhile makes no difference.
      await Promise.resolve();
    }
    await settle();
  }
  return [...inForce].sort().join(' ');
}

t.test('gateways that heard the same, in whatever order, have the same raises in force', async (t) => {
  let someInForce = 0;
  const heard = fc.record({ delegations, carried }).chain((given) => {
    const pieces = piecesOf(given);
    const restartAfter = fc.nat(pieces.length);
    return fc.tuple(
      fc.constant(pieces),
      fc.shuffledSubarray(pieces, { minLength: pieces.length }),
      restartAfter,
      restartAfter,
    );
  });
  await checkAsyncProperty(
    fc.asyncProperty(heard, async ([one, other, oneStops, otherStops]) => {
      const inForce = await inForceAfter(one, oneStops);
      if (inForce !== '') someInForce += 1;
      const again = await inForceAfter(other, otherStops);
      if (inForce !== again) throw new Error(`${inForce} here, ${again} there`);
    }),
    200,
  );
  t.ok(someInForce > 40, 'not because nothing is ever in force');
});
