import { decodeSignedDirective, openDirective, type Directive, type SignedDirective } from '@sparc/protocol/directive';
import { isSparcError, SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { EventRecord } from '@sparc/protocol/events';
import type { VerifySignature } from '@sparc/protocol/ports';

/** What an entry carries, if its operator signed it for this site; else why nobody carries it out. */
export type HeardDirective =
  | {
      readonly signed: SignedDirective;
      readonly directive: Directive;
      /** The latest stamp in the log of its author up to the entry: whoever dates back what it says gains nothing. */
      readonly carriedUnixMs: number;
    }
  | { readonly code: ErrorCode; readonly message: string };

/** Throws as `openDirective`, and ERR_DIRECTIVE_OTHER_SITE. */
export function openForSite(verify: VerifySignature, siteId: string, signed: SignedDirective): Directive {
  const directive = openDirective(verify, signed);
  if (directive.site === siteId) return directive;
  throw new SparcError('ERR_DIRECTIVE_OTHER_SITE', `it is for the site ${directive.site}, and this is ${siteId}`);
}

/** Opens what a record carries. It takes a millisecond, which the thread that drives doors has not for whoever says much. */
export function openHeard(
  verify: VerifySignature,
  siteId: string,
  { directive = NOTHING }: Pick<EventRecord, 'directive'>,
  carriedUnixMs: number,
): HeardDirective {
  try {
    const signed = decodeSignedDirective(directive);
    return { signed, directive: openForSite(verify, siteId, signed), carriedUnixMs };
  } catch (error) {
    if (!isSparcError(error)) throw error;
    const { code, message } = error;
    return { code, message };
  }
}

const NOTHING = new Uint8Array(0);
