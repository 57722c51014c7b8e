import type { Directive, DirectiveKind, DirectiveOf } from '@sparc/protocol/directive';
import { isSparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { EntryId } from '@sparc/protocol/ports';

/** A directive that is to be carried out: whoever signed it had the right. */
export interface Carried<K extends DirectiveKind = DirectiveKind> {
  readonly directive: DirectiveOf<K> & { readonly kind: K };
  /** Public key of the operator, in hex, and what the authority of the site calls them. */
  readonly operator: string;
  readonly by: string;
  /** The entry that carries it; undefined where it is lost. What opens or grants waits for it. */
  readonly cause: Promise<EntryId | undefined>;
  /** Of the stamp of that entry. */
  readonly carriedUnixMs: number;
  /** The operator may lower nothing else than raises of these areas and doors. Absent: everything. */
  readonly within?: readonly string[];
  /** Resolves when no restart carries it out again. Rejects with ERR_DIRECTIVE_UNSAVED where that is not sure. */
  readonly once: () => Promise<void>;
}

/** The directive behind an order, for its record. */
export interface Origin {
  readonly directive: string;
  /** The entry that carries it; undefined where it is lost. */
  readonly causeId: EntryId | undefined;
}

/**
 * What became of it. `applied`: the record of the effect names the directive. `unchanged`: it was so already, and the desk
 * records that. `elsewhere`: it is for another gateway to carry out.
 */
export type Outcome = 'applied' | 'unchanged' | 'elsewhere';

/**
 * Who carries directives out, by kind. Each may come again after a restart and is then to change nothing. A restriction is in
 * force from the call on. What one rejects with is recorded as the refusal.
 */
export type DirectiveSinks = {
  readonly [K in DirectiveKind]: (carried: Carried<K>) => Outcome | Promise<Outcome>;
};

export function carryOut<K extends DirectiveKind>(
  sinks: DirectiveSinks,
  carried: Carried<K>,
): Outcome | Promise<Outcome> {
  const kind: K = carried.directive.kind;
  return sinks[kind](carried);
}

/** Whether it lasts, so that it can end when the right to it turns out to be none. */
export const isRetractable = (directive: Directive): directive is DirectiveOf<'raise' | 'visitor'> =>
  directive.kind === 'raise' || directive.kind === 'visitor';

const isOneOf =
  (...codes: readonly ErrorCode[]) =>
  (error: unknown): boolean =>
    codes.some((code) => isSparcError(error, code));

/** What was directed holds, but a restart would forget it. */
export const isInForce = isOneOf(
  'ERR_GATEWAY_MODE_UNSAVED',
  'ERR_GATEWAY_REVOCATION_UNSAVED',
  'ERR_DIRECTIVE_VISITOR_UNSAVED',
  'ERR_MESH_EXPULSION_UNSAVED',
);

/** It is not carried out for a reason that passes: it is tried again with the next roster, and by a start. */
export const isForNow = isOneOf('ERR_DIRECTIVE_VISITOR_UNRECORDED', 'ERR_MESH_MEMBER_UNKNOWN');
