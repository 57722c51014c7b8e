import { Type, type Static, type TProperties } from '@sinclair/typebox';
import { CredentialIdentifier, DOOR_MODES, type StandingMode } from '../policy/index.js';

/** Text of a directive, in bytes. */
export const DIRECTIVE_BYTES_MAX = 2_048;
/** The same of an expulsion, which carries heads of ledgers. */
export const EXPULSION_BYTES_MAX = 8_192;
/** From its issue to its end. It bounds when a directive may be given, not how long its effect lasts. */
export const DIRECTIVE_LIFETIME_MAX_MS = 86_400_000;
/** From the beginning of a visit to its end: who comes for longer belongs into the policy. */
export const VISIT_MAX_MS = 2_592_000_000;
/** Raises that a release names, or that another raise replaces. */
export const RAISES_NAMED_MAX = 32;
/** Areas and doors that a raise is about. */
export const RAISE_SCOPE_MAX = 32;
const VISITOR_PROFILES_MAX = 16;
const HEADS_MAX = 4;

const closed = <T extends TProperties>(properties: T) => Type.Object(properties, { additionalProperties: false });
const id = Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' });
const instant = Type.Integer({ minimum: 0, maximum: 2 ** 48 - 1 });
const key = Type.String({ pattern: '^[0-9a-f]{64}$' });
/** 16 bytes in hex: of a directive those that `directiveId` gives, of a raise that a gateway makes without one random ones. */
export const DirectiveId = Type.String({ pattern: '^[0-9a-f]{32}$' });
const raises = Type.Array(DirectiveId, { minItems: 1, maxItems: RAISES_NAMED_MAX });

export const RAISED = ['lockdown', 'threat', 'evacuation'] as const;
export type Raised = (typeof RAISED)[number];

/** What is ordered for a door, as `Order` of a person at its gateway. */
export const DoorDirective = Type.Union([
  closed({ kind: Type.Literal('accessDoor') }),
  closed({
    kind: Type.Literal('door'),
    mode: Type.Union(
      DOOR_MODES.filter((mode): mode is StandingMode => mode !== 'accessed').map((mode) => Type.Literal(mode)),
    ),
    forMs: Type.Optional(Type.Integer({ minimum: 1_000, maximum: 2_592_000_000 })),
  }),
  closed({ kind: Type.Literal('releaseDoor') }),
]);
export type DoorDirective = Static<typeof DoorDirective>;

/** A holder with one credential, beside the policy and for a time. */
export const Visitor = closed({
  /** Of holder and credential. */
  id,
  name: Type.String({ minLength: 1, maxLength: 128 }),
  identifier: CredentialIdentifier,
  profiles: Type.Array(id, { minItems: 1, maxItems: VISITOR_PROFILES_MAX }),
  fromUnixMs: instant,
  untilUnixMs: instant,
});
export type Visitor = Static<typeof Visitor>;

const every = {
  v: Type.Literal(1),
  site: Type.String({ minLength: 1, maxLength: 64 }),
  issuedUnixMs: instant,
  /** It is not given after that; a door command is not carried out after that. */
  expiresUnixMs: instant,
  /** Who asked for it, by the word of an operator that is a service. */
  onBehalfOf: Type.Optional(Type.String({ pattern: '^[^\\x00-\\x1f\\x7f]{1,128}$' })),
};
const kind = <const K extends string, T extends TProperties>(name: K, properties: T) =>
  closed({ ...every, kind: Type.Literal(name), ...properties });

/** What every directive says, beside what it is about. */
export const DIRECTIVE_FRAME = Object.keys(every) as (keyof typeof every)[];

/** What an operator directs a site to do, as its text says it. */
export const DirectiveContent = Type.Union([
  /** The id of the directive is that of the raise. */
  kind('raise', {
    what: Type.Union(RAISED.map((what) => Type.Literal(what))),
    /** Of a threat. */
    level: Type.Optional(Type.Integer({ minimum: 1, maximum: 5 })),
    /** Areas and doors; absent: the site. */
    scope: Type.Optional(Type.Array(id, { minItems: 1, maxItems: RAISE_SCOPE_MAX })),
    /** Raises that end with it. */
    instead: Type.Optional(raises),
  }),
  kind('release', { raises }),
  kind('revoke', { subject: Type.Union([Type.Literal('credential'), Type.Literal('holder')]), subjectId: id }),
  kind('visitor', { visitor: Visitor }),
  kind('forgive', { holder: id }),
  /** Heads as `headToText` writes them: what counts of the ledger of the gateway. */
  kind('expel', {
    gateway: key,
    heads: Type.Array(Type.String({ maxLength: 1_024 }), { maxItems: HEADS_MAX }),
  }),
  kind('door', { door: id, order: DoorDirective }),
]);
export type DirectiveContent = Static<typeof DirectiveContent>;
/** With the id that follows from its text and its operator. */
export type Directive = DirectiveContent & { readonly id: string };
export type DirectiveKind = Directive['kind'];
export type DirectiveOf<K extends DirectiveKind> = Extract<Directive, { kind: K }>;
