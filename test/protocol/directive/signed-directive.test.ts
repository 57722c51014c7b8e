import t from 'tap';
import { isSparcError } from '@sparc/protocol/errors';
import {
  decodeSignedDirective,
  directiveId,
  directiveMessage,
  encodeSignedDirective,
  openDirective,
  signDirective,
  type DirectiveContent,
  type SignedDirective,
} from '@sparc/protocol/directive';
import { nodeCrypto } from '@sparc/edge/ledger';
import { pureCrypto } from '@sparc/protocol/ledger';
import { testSigner } from '../../support/test-signer.js';

const OPERATOR = testSigner(7);
const HEX = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const EVERY = { v: 1, site: 'harbour', issuedUnixMs: 1_000, expiresUnixMs: 61_000 } as const;
const RAISE: DirectiveContent = { ...EVERY, kind: 'raise', what: 'lockdown', scope: ['lab'] };
const VISITOR = {
  id: 'guest',
  name: 'Guest',
  identifier: { format: 'h10301', facility: 1, number: 77 },
  profiles: ['lobby'],
  fromUnixMs: 1,
  untilUnixMs: 2,
};
const EVERY_KIND: readonly DirectiveContent[] = [
  RAISE,
  { ...EVERY, kind: 'raise', what: 'threat', level: 4, instead: ['ab'.repeat(16)] },
  { ...EVERY, kind: 'raise', what: 'evacuation' },
  { ...EVERY, kind: 'release', raises: ['ab'.repeat(16)] },
  { ...EVERY, kind: 'revoke', subject: 'holder', subjectId: 'ann' },
  { ...EVERY, kind: 'visitor', visitor: VISITOR },
  { ...EVERY, kind: 'forgive', holder: 'ann' },
  {
    ...EVERY,
    kind: 'expel',
    gateway: 'cd'.repeat(32),
    heads: ['x'.repeat(1_000), 'y'.repeat(1_000), 'z'.repeat(1_000)],
  },
  { ...EVERY, kind: 'door', door: 'front', order: { kind: 'accessDoor' } },
  { ...EVERY, kind: 'door', door: 'front', order: { kind: 'door', mode: 'unlocked', forMs: 60_000 } },
  { ...EVERY, kind: 'door', door: 'front', order: { kind: 'releaseDoor' } },
];

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'nothing';
  } catch (error) {
    return isSparcError(error) ? error.code : String(error);
  }
}

const signedText = (text: string): SignedDirective => ({
  operator: HEX(OPERATOR.publicKey),
  text,
  signature: HEX(OPERATOR.sign(directiveMessage(text))),
});

t.test(
  'every kind is opened as it was signed, by either implementation, and after a journey in a record',
  async (t) => {
    for (const directive of EVERY_KIND) {
      const signed = decodeSignedDirective(encodeSignedDirective(signDirective(OPERATOR, directive)));
      const opened = { ...directive, id: directiveId(signed) };
      t.strictSame(openDirective(nodeCrypto.verify, signed), opened, directive.kind);
      t.strictSame(openDirective(pureCrypto.verify, signed), opened, `${directive.kind}, by noble`);
    }
  },
);

t.test('the text is what was signed: another text, another operator or another domain is refused', async (t) => {
  const signed = signDirective(OPERATOR, RAISE);
  const forgeries: Record<string, SignedDirective> = {
    'a changed text': { ...signed, text: signed.text.replace('"lab"', '"lob"') },
    'another operator': { ...signed, operator: HEX(testSigner(8).publicKey) },
    'no key at all': { ...signed, operator: 'ff'.repeat(32) },
    'the text alone': { ...signed, signature: HEX(OPERATOR.sign(new TextEncoder().encode(signed.text))) },
  };
  for (const [what, forged] of Object.entries(forgeries)) {
    t.equal(
      codeOf(() => openDirective(nodeCrypto.verify, forged)),
      'ERR_DIRECTIVE_INVALID',
      what,
    );
  }
});

t.test('the id is that of the text and of its operator, and nobody else has it', async (t) => {
  const ids = [
    signDirective(OPERATOR, RAISE),
    signDirective(testSigner(8), RAISE),
    signDirective(OPERATOR, { ...RAISE, issuedUnixMs: RAISE.issuedUnixMs + 1 }),
  ].map(directiveId);
  t.equal(new Set(ids).size, 3);
  t.equal(directiveId(signDirective(OPERATOR, RAISE)), ids[0], 'the same once more is the same');
  t.match(ids[0], /^[0-9a-f]{32}$/);
});

t.test('what contradicts itself, or is longer than its kind may be, is neither signed nor opened', async (t) => {
  const wrong: Record<string, object> = {
    'a field too many': { ...RAISE, force: true },
    'another version': { ...RAISE, v: 2 },
    'an id of its own': { ...RAISE, id: '0f'.repeat(16) },
    'an end before its beginning': { ...RAISE, expiresUnixMs: 999 },
    'more than a day': { ...RAISE, expiresUnixMs: 1_000 + 86_400_001 },
    'a lockdown with a level': { ...RAISE, level: 3 },
    'a threat without one': { ...RAISE, what: 'threat' },
    'an evacuation of one area': { ...RAISE, what: 'evacuation' },
    'a release of nothing': { ...EVERY, kind: 'release', raises: [] },
    'a visit that ends first': { ...EVERY, kind: 'visitor', visitor: { ...VISITOR, untilUnixMs: 1 } },
    'a visit of more than 30 days': {
      ...EVERY,
      kind: 'visitor',
      visitor: { ...VISITOR, untilUnixMs: 2_592_000_002 },
    },
    'a mode that no order has': { ...EVERY, kind: 'door', door: 'front', order: { kind: 'door', mode: 'accessed' } },
    'a lockdown as long as an expulsion': {
      ...RAISE,
      scope: Array.from({ length: 32 }, (_, at) => `${at}-`.padEnd(64, 'x')),
    },
  };
  for (const [what, directive] of Object.entries(wrong)) {
    t.equal(
      codeOf(() => signDirective(OPERATOR, directive as DirectiveContent)),
      'ERR_DIRECTIVE_INVALID',
      what,
    );
    const signed = signedText(JSON.stringify({ ...RAISE, ...directive }));
    t.equal(
      codeOf(() => openDirective(nodeCrypto.verify, signed)),
      'ERR_DIRECTIVE_INVALID',
      `${what}, signed by hand`,
    );
  }
  const withPrototype = JSON.stringify(RAISE).replace('{', '{"__proto__":{"kind":"release"},');
  for (const text of [withPrototype, '', '[]', 'null', '{', `{"x":"${'x'.repeat(9_000)}"}`]) {
    t.equal(
      codeOf(() => openDirective(nodeCrypto.verify, signedText(text))),
      'ERR_DIRECTIVE_INVALID',
      text.slice(0, 9),
    );
  }
});

t.test('what is wrong with a directive is told by the part of its kind', async (t) => {
  const messageOf = (content: object) => {
    try {
      signDirective(OPERATOR, { ...EVERY, ...content } as DirectiveContent);
      return 'nothing';
    } catch (error) {
      return (error as Error).message;
    }
  };
  t.match(messageOf({ kind: 'release', raises: ['3f0c'] }), '/raises/0');
  t.match(messageOf({ kind: 'revoke', subject: 'credential', subjectId: 'Card Ada' }), '/subjectId');
});
