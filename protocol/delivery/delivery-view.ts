import { Type, type Static, type TProperties } from '@sinclair/typebox';

const closed = <T extends TProperties>(properties: T) => Type.Object(properties, { additionalProperties: false });
const instant = (of: string) => Type.Integer({ description: `milliseconds since 1970-01-01T00:00Z: ${of}` });
const count = (of: string) => Type.Integer({ description: of });
const key = Type.String({ description: 'an Ed25519 public key in hex' });
const cursor = (of: string) => Type.String({ description: `\`EPOCH.SEQUENCE\` of ${of}` });

/** How far one gateway is, by its own log; instants are those of its clock. */
export const GatewayDelivery = closed({
  key,
  name: Type.String(),
  isSelf: Type.Boolean(),
  isReached: Type.Boolean({
    description:
      'it hears, directly or through others, the gateway that is asked, which takes and reads all that it says',
  }),
  newest: Type.Optional(
    closed({ cursor: cursor('the newest entry of it that is here'), atUnixMs: instant('when it wrote that') }),
  ),
  startedUnixMs: Type.Optional(instant('its last start')),
  buses: Type.Array(Type.String(), { description: 'ids of those that it has, as it said at its last start' }),
  policy: Type.Optional(
    closed({
      revision: Type.String(),
      number: Type.Optional(count('of a revision that the authority of the site signed')),
      sinceUnixMs: instant('when it came into force, or was found in force at a start'),
    }),
  ),
  revocation: closed({
    number: count('of the newest that it applied; 0: none'),
    sinceUnixMs: Type.Optional(instant('when it did')),
  }),
  directives: closed({
    appliedCount: count('directives that it carried out, of those that are kept here'),
    refusedCount: count('directives that it refused, or ended'),
    unheardCount: count('directives that it said nothing of yet'),
    unheardSinceUnixMs: Type.Optional(instant('when the oldest of them was given')),
  }),
  clock: Type.Optional(
    closed({
      quality: Type.String({ description: 'of its newest entry' }),
      errorMs: Type.Optional(count('bound of the error, as it said last')),
      aheadMs: Type.Optional(
        Type.Integer({ description: 'by how much it is ahead of that of the gateway that is asked, a neighbour' }),
      ),
    }),
  ),
});
export type GatewayDelivery = Static<typeof GatewayDelivery>;

const DirectiveAnswer = closed({
  gateway: key,
  name: Type.String(),
  isReached: Type.Boolean(),
  state: Type.Union([
    Type.Literal('applied', { description: 'its log says that it carried the directive out' }),
    Type.Literal('refused'),
    Type.Literal('ended', { description: 'it carried it out, and ended it since its operator had no right to it' }),
    Type.Literal('unheard', { description: 'its log says nothing of it yet, as far as it is here' }),
  ]),
  atUnixMs: Type.Optional(instant('when it answered, by its clock')),
  cursor: Type.Optional(cursor('the entry that says so, in the log of that gateway')),
  code: Type.Optional(Type.String({ description: 'why it was refused or ended' })),
  isUnlisted: Type.Optional(
    Type.Literal(true, { description: 'of a revocation: neither its policy nor its list of visitors had that id' }),
  ),
});
export type DirectiveAnswer = Static<typeof DirectiveAnswer>;

/** A directive, and who has carried it out. */
export const DirectiveView = closed({
  id: Type.String(),
  kind: Type.String(),
  detail: Type.Record(Type.String(), Type.String(), {
    description: 'what it says, as words; never what opens a door, like the identifier of a card',
  }),
  operator: closed({ key, name: Type.Optional(Type.String({ description: 'as the authority delegated it' })) }),
  issuedUnixMs: instant('when the operator signed it'),
  given: closed({ gateway: key, name: Type.String(), cursor: cursor('the entry'), atUnixMs: instant('when') }),
  answeredBy: Type.Union([
    Type.Literal('all', { description: 'every gateway answers' }),
    Type.Literal('one', { description: 'the gateway alone that serves what it names' }),
  ]),
  gateways: Type.Array(DirectiveAnswer),
});
export type DirectiveView = Static<typeof DirectiveView>;

/** What was raised for a site, and at which of its gateways it stands by their logs. */
export const StandingRaise = closed({
  id: Type.String({ description: 'as releases name it' }),
  what: Type.Union((['lockdown', 'threat', 'evacuation', 'fire'] as const).map((what) => Type.Literal(what))),
  level: Type.Optional(Type.Integer({ description: 'of a threat' })),
  scope: Type.Optional(Type.Array(Type.String(), { description: 'ids of areas and doors; absent: the site' })),
  input: Type.Optional(Type.String({ description: 'of a fire: what tells it' })),
  by: Type.String(),
  onBehalfOf: Type.Optional(Type.String({ description: 'whom the operator, a service, acted for' })),
  gateway: Type.Optional(Type.String({ description: 'public key of the gateway that raised it; absent: an operator' })),
  atUnixMs: instant('when it was raised, as the first of them says'),
  standsAt: Type.Array(key),
});
export type StandingRaise = Static<typeof StandingRaise>;

/** What the gateway that is asked can prove of every gateway of its site. */
export const DeliveryView = closed({
  isComplete: Type.Boolean({ description: 'false while logs from before the start of the process are still read' }),
  gateways: Type.Array(GatewayDelivery),
  directives: Type.Array(DirectiveView, { description: 'the newest, newest first' }),
});
export type DeliveryView = Static<typeof DeliveryView>;

export const NO_DELIVERY: DeliveryView = { isComplete: true, gateways: [], directives: [] };
