import { decodeSignedDirective, openDirective, type Directive } from '../directive/index.js';
import { isSparcError } from '../errors/index.js';
import type { VerifySignature } from '../ports/index.js';
import type { EntryMark, SaidEntry } from './said-entry.js';

/** A directive as it came to the site: who signed it, and which entry of which gateway carries it. */
export interface GivenDirective {
  readonly directive: Directive;
  /** Public key in hex. */
  readonly operator: string;
  readonly carrier: EntryMark;
}

/** Undefined for an entry that carries none, or one that nobody signed. */
export function givenDirective(verify: VerifySignature, { record, ...carrier }: SaidEntry): GivenDirective | undefined {
  if (record.directive === undefined) return undefined;
  try {
    const signed = decodeSignedDirective(record.directive);
    return { directive: openDirective(verify, signed), operator: signed.operator, carrier };
  } catch (error) {
    if (isSparcError(error)) return undefined;
    throw error;
  }
}

/** What it says, in words for people; the identifier of a visitor's card stays where it is signed. */
export function detailOf(directive: Directive): Readonly<Record<string, string>> {
  switch (directive.kind) {
    case 'raise': {
      const { what, level, scope, instead } = directive;
      return {
        what,
        ...(level !== undefined && { level: String(level) }),
        ...(scope !== undefined && { scope: scope.join(' ') }),
        ...(instead !== undefined && { instead: instead.join(' ') }),
      };
    }
    case 'release':
      return { raises: directive.raises.join(' ') };
    case 'revoke':
      return { subject: directive.subject, subjectId: directive.subjectId };
    case 'visitor': {
      const { id, name, profiles, fromUnixMs, untilUnixMs } = directive.visitor;
      const times = { fromUnixMs: String(fromUnixMs), untilUnixMs: String(untilUnixMs) };
      return { visitor: id, name, profiles: profiles.join(' '), ...times };
    }
    case 'forgive':
      return { holder: directive.holder };
    case 'expel':
      return { gateway: directive.gateway };
    case 'door': {
      const { door, order } = directive;
      return { door, order: order.kind, ...(order.kind === 'door' && { mode: order.mode }) };
    }
  }
}
