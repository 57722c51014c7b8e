import { Type, type TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { SparcError } from '../errors/index.js';
import { hex, message, required, text, type Infer } from '../ledger/index.js';
import type { Signer, VerifySignature } from '../ports/signer.js';
import {
  DirectiveContent,
  DIRECTIVE_BYTES_MAX,
  DIRECTIVE_LIFETIME_MAX_MS,
  EXPULSION_BYTES_MAX,
  VISIT_MAX_MS,
  type Directive,
} from './directive.js';

const ID_SIZE = 16;
const DOMAIN = utf8ToBytes('sparc/directive/1\0');

const SignedDirectiveBytes = message({
  operator: required(1, hex(32)),
  text: required(2, text(EXPULSION_BYTES_MAX)),
  signature: required(3, hex(64)),
});

/** A directive as its operator signed it: the text stays as it is, because a person can read it and a browser signs it. */
export type SignedDirective = Infer<typeof SignedDirectiveBytes>;

/** As it comes to a gateway in JSON. */
export const SignedDirective = Type.Object(
  {
    operator: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Ed25519 public key in hex' }),
    text: Type.String({ minLength: 2, maxLength: EXPULSION_BYTES_MAX, description: 'JSON of the directive' }),
    signature: Type.String({
      pattern: '^[0-9a-f]{128}$',
      description: 'over `sparc/directive/1`, a zero byte and the text',
    }),
  },
  { additionalProperties: false },
);

/** What the signature of an operator is over. */
export const directiveMessage = (text: string): Uint8Array => concatBytes(DOMAIN, utf8ToBytes(text));

/**
 * Names a directive by its operator and its text, in hex: no other has its id, whoever repeats it. The same text once more is
 * the same directive; two differ by the millisecond of their issue at least.
 */
export const directiveId = ({ operator, text }: Pick<SignedDirective, 'operator' | 'text'>): string =>
  bytesToHex(sha256(concatBytes(hexToBytes(operator), directiveMessage(text))).subarray(0, ID_SIZE));

/** Throws ERR_DIRECTIVE_INVALID for what no gateway would carry out. */
export function signDirective(operator: Signer, content: DirectiveContent): SignedDirective {
  const text = JSON.stringify(content);
  parsed(text);
  const signature = bytesToHex(operator.sign(directiveMessage(text)));
  return { operator: bytesToHex(operator.publicKey), text, signature };
}

/** Throws ERR_DIRECTIVE_INVALID unless its operator signed it and it holds together. */
export function openDirective(verify: VerifySignature, { operator, text, signature }: SignedDirective): Directive {
  assertLength(text);
  if (!verify(hexToBytes(operator), directiveMessage(text), hexToBytes(signature))) {
    throw invalid(`${operator} did not sign it`);
  }
  return { ...parsed(text), id: directiveId({ operator, text }) };
}

/** As a record carries it. */
export const encodeSignedDirective = (signed: SignedDirective): Uint8Array => SignedDirectiveBytes.encode(signed);

/** Throws ERR_LEDGER_MALFORMED; the signature is not looked at. */
export const decodeSignedDirective = (bytes: Uint8Array): SignedDirective => SignedDirectiveBytes.decode(bytes);

/** Of its kind alone, so that an error says what is wrong and where. */
function schemaOf(directive: unknown): TSchema {
  const { kind } = (directive ?? {}) as { readonly kind?: unknown };
  return DirectiveContent.anyOf.find(({ properties }) => properties.kind.const === kind) ?? DirectiveContent;
}

function parsed(text: string): DirectiveContent {
  const length = assertLength(text);
  const directive = fromJson(text);
  if (!Value.Check(DirectiveContent, directive)) {
    const wrong = Value.Errors(schemaOf(directive), directive).First();
    throw invalid(wrong === undefined ? 'it is no directive' : `${wrong.path || 'it'}: ${wrong.message}`);
  }
  if (directive.kind !== 'expel' && length > DIRECTIVE_BYTES_MAX) {
    throw invalid(`${length} bytes, where ${DIRECTIVE_BYTES_MAX} may be`);
  }
  assertSense(directive);
  return directive;
}

function assertLength(text: string): number {
  const { length } = utf8ToBytes(text);
  if (length > EXPULSION_BYTES_MAX) throw invalid(`${length} bytes, where ${EXPULSION_BYTES_MAX} may be`);
  return length;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SparcError('ERR_DIRECTIVE_INVALID', 'it is no JSON', {}, { cause });
  }
}

function assertSense(directive: DirectiveContent): void {
  const lifetimeMs = directive.expiresUnixMs - directive.issuedUnixMs;
  if (lifetimeMs < 0) throw invalid('it ends before it was issued');
  if (lifetimeMs > DIRECTIVE_LIFETIME_MAX_MS) throw invalid('a directive is to be given within a day');
  if (directive.kind === 'raise') {
    const { what, level, scope } = directive;
    if ((what === 'threat') !== (level !== undefined)) throw invalid('a threat has a level, and nothing else has one');
    if (what === 'evacuation' && scope !== undefined) throw invalid('an evacuation is of the whole site');
  }
  if (directive.kind === 'visitor') {
    const { fromUnixMs, untilUnixMs } = directive.visitor;
    if (untilUnixMs <= fromUnixMs) throw invalid('the visit ends before it begins');
    if (untilUnixMs - fromUnixMs > VISIT_MAX_MS) throw invalid('a visit lasts 30 days at most');
  }
}

const invalid = (message: string) => new SparcError('ERR_DIRECTIVE_INVALID', message);
