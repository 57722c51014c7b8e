import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { SiteFile } from '@sparc/protocol/policy';

const { version: _version, ...lists } = SiteFile.properties;

/** What a draft is made of: the lists of a site file, and what it has once. */
export type PolicyKind = keyof typeof lists;
export const POLICY_KINDS = Object.keys(lists) as readonly PolicyKind[];

/** What a site has once is one object, named as its kind. The order of card formats is the order of trial. */
const SINGLES: ReadonlySet<PolicyKind> = new Set(['site', 'cardFormats']);
export const isSingle = (kind: PolicyKind): boolean => SINGLES.has(kind);

/** Of one object. */
export function schemaOf(kind: PolicyKind): TSchema {
  const schema: TSchema = lists[kind];
  return isSingle(kind) ? schema : (schema as TSchema & { readonly items: TSchema }).items;
}

/** Undefined where it says none. */
export function idOf(kind: PolicyKind, body: unknown): string | undefined {
  if (isSingle(kind)) return kind;
  const { id, credential } = (body ?? {}) as { readonly id?: unknown; readonly credential?: unknown };
  const own = kind === 'emergencyCredentials' ? credential : id;
  return typeof own === 'string' ? own : undefined;
}

const { identifiers, pin, duressPin } = lists.credentials.items.properties;
/** What of a credential nobody is shown: it is kept sealed. */
export const CredentialSecrets = Type.Object({ identifiers, pin, duressPin }, { additionalProperties: false });
export type CredentialSecrets = Static<typeof CredentialSecrets>;
