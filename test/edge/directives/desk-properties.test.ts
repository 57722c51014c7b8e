import t from 'tap';
import fc from 'fast-check';
import { encodeSignedDirective, signDirective, type Directive, type SignedDirective } from '@sparc/protocol/directive';
import type { Delegation } from '@sparc/protocol/roster';
import type { HeardEntry } from '@sparc/edge/heard';
import { asHeard } from '../../support/as-heard.js';
import { checkAsyncProperty } from '../../support/property.js';
import { testSigner } from '../../support/test-signer.js';
import { deskOf, OPERATORS } from './desk.js';

const ID = (number: number) => number.toString(16).padStart(32, '0');

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
  fc.record({ number: fc.integer({ min: 1, max: 4 }), author: fc.constantFrom('c', 'd'), atUnixMs: fc.nat(30) }),
  { minLength: 1, maxLength: 8 },
);

/** The same few directives whoever carries them. */
const signed = new Map<number, SignedDirective>();
function signedOf(number: number): SignedDirective {
  const operator = OPERATORS[number % OPERATORS.length] ?? OPERATORS[0];
  const raise: Directive = {
    v: 1,
    id: ID(number),
    site: 'site',
    issuedUnixMs: 0,
    expiresUnixMs: 25,
    kind: 'raise',
    what: 'lockdown',
  };
  const known = signed.get(number) ?? signDirective(testSigner(operator.seed), raise);
  signed.set(number, known);
  return known;
}

type Piece = { readonly delegation: Delegation } | { readonly entry: HeardEntry };

function piecesOf(given: {
  delegations: Omit<Delegation, 'name' | 'scope'>[];
  carried: { number: number; author: string; atUnixMs: number }[];
}): Piece[] {
  const words = given.delegations.map((each) => ({ delegation: { ...each, name: 'Ada', scope: [] } }));
  const entries = given.carried.map(({ number, author, atUnixMs }, sequence) => ({
    entry: asHeard({
      id: { author: author.repeat(64), epoch: 1, sequence: sequence + 1 },
      hlc: { unixMs: atUnixMs, counter: 0 },
      wallUnixMs: atUnixMs,
      timeQuality: 'synced' as const,
      record: { name: 'directive.given' as const, directive: encodeSignedDirective(signedOf(number)) },
    }),
  }));
  return [...words, ...entries];
}

async function inForceAfter(pieces: readonly Piece[]): Promise<string> {
  const { desk, inForce } = deskOf();
  for (const piece of pieces) {
    if ('entry' in piece) desk.heard(piece.entry);
    else desk.believe([piece.delegation]);
    // What is saved meanwhile makes no difference.
    await Promise.resolve();
  }
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  return [...inForce].sort().join(' ');
}

t.test('gateways that heard the same, in whatever order, have the same raises in force', async (t) => {
  let someInForce = 0;
  const heard = fc.record({ delegations, carried }).chain((given) => {
    const pieces = piecesOf(given);
    return fc.tuple(fc.constant(pieces), fc.shuffledSubarray(pieces, { minLength: pieces.length }));
  });
  await checkAsyncProperty(
    fc.asyncProperty(heard, async ([one, other]) => {
      const inForce = await inForceAfter(one);
      if (inForce !== '') someInForce += 1;
      const again = await inForceAfter(other);
      if (inForce !== again) throw new Error(`${inForce} here, ${again} there`);
    }),
    500,
  );
  t.ok(someInForce > 100, 'not because nothing is ever in force');
});
