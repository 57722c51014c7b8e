import { sql, type RawBuilder } from 'kysely';
import {
  decodeSignedDirective,
  openDirective,
  type Directive,
  type DirectiveKind,
  type DirectiveOf,
  type Entitlements,
  type Verdict,
} from '@sparc/protocol/directive';
import { isSparcError } from '@sparc/protocol/errors';
import { HLC_AHEAD_MAX_MS } from '@sparc/protocol/hlc';
import { decodeEvent, EntryContent } from '@sparc/protocol/ledger';
import { openEntry, SEALED_ENTRY, type SealedEntry, type Transaction } from '../db/index.js';
import { nodeCrypto } from '../platform/index.js';

/** Of each author the newest ones: a hostile one hides nothing of the others. */
const DIRECTIVES_READ_MAX = 1_024;

/** A directive that somebody signed, and when the entry that carries it was made. */
export interface CarriedDirective<K extends DirectiveKind> {
  /** Public key in hex. */
  readonly operator: string;
  readonly directive: DirectiveOf<K> & { readonly kind: K };
  readonly carriedUnixMs: number;
}

type EntitledVerdict = Extract<Verdict, { readonly isEntitled: true }>;

/** What entries of a site carry of one kind, whoever has the right to it. `only`: a condition on `events`. */
export async function carriedDirectives<K extends DirectiveKind>(
  { query, seals }: Transaction,
  site: string,
  kind: K,
  only: RawBuilder<unknown>,
): Promise<readonly CarriedDirective<K>[]> {
  const columns = sql.join(SEALED_ENTRY.map((column) => sql.ref(column)));
  const { rows } = await sql<SealedEntry>`
    select ${columns} from (
      select ${columns}, row_number() over (partition by author order by hlc_unix_ms desc, hlc_counter desc) as place
        from events
       where site_id = ${site} and is_of_delivery(record) and record ->> 'name' = 'directive.given'
         and record -> 'detail' ->> 'kind' = ${kind} and ${only}) as given
     where place <= ${DIRECTIVES_READ_MAX}`.execute(query);
  return rows.flatMap((row) => carriedBy(openEntry(seals, row).content, site, kind) ?? []);
}

/**
 * By whose right it counts, as gateways judge it, and as far as the authority has said by now; undefined where they refuse it,
 * also because it had run out before it was given.
 */
export function judgeCarried<K extends DirectiveKind>(
  entitlements: Entitlements,
  { operator, directive, carriedUnixMs }: CarriedDirective<K>,
): EntitledVerdict | undefined {
  // The stamp follows clocks that run ahead.
  if (carriedUnixMs - HLC_AHEAD_MAX_MS > directive.expiresUnixMs) return undefined;
  const verdict = entitlements.judge(operator, directive, carriedUnixMs);
  return verdict.isEntitled ? verdict : undefined;
}

/** Undefined for what is another directive, or what nobody signed: gateways record what they like. */
function carriedBy<K extends DirectiveKind>(
  content: Uint8Array,
  site: string,
  kind: K,
): CarriedDirective<K> | undefined {
  try {
    const { body, hlc } = EntryContent.decode(content);
    const { directive: bytes } = decodeEvent(body);
    if (bytes === undefined) return undefined;
    const signed = decodeSignedDirective(bytes);
    const directive = openDirective(nodeCrypto.verify, signed);
    if (directive.site !== site || !isOf(directive, kind)) return undefined;
    return { operator: signed.operator, directive, carriedUnixMs: hlc.unixMs };
  } catch (error) {
    if (isSparcError(error)) return undefined;
    throw error;
  }
}

const isOf = <K extends DirectiveKind>(
  directive: Directive,
  kind: K,
): directive is DirectiveOf<K> & { readonly kind: K } => directive.kind === kind;
