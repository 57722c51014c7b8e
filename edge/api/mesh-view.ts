import { Type, type Static, type TProperties } from '@sinclair/typebox';

const closed = <T extends TProperties>(properties: T) => Type.Object(properties, { additionalProperties: false });
const instant = (of: string) => Type.Integer({ description: `milliseconds since 1970-01-01T00:00Z: ${of}` });
const key = Type.String({ description: 'an Ed25519 public key in hex' });

/** As `headToText` writes it: a witness of how far a log went. */
const HeadView = closed({
  site: Type.String(),
  author: key,
  epoch: closed({ counter: Type.Integer(), random: Type.String() }),
  sequence: Type.Integer(),
  hash: Type.String(),
  signature: Type.String(),
});
export type HeadView = Static<typeof HeadView>;

const MemberView = closed({
  key,
  name: Type.String(),
  addresses: Type.Array(Type.String(), { description: 'those of the roster' }),
  isSelf: Type.Boolean(),
  isReached: Type.Boolean({
    description: 'it is heard, directly or through others, and all that it says is taken and read here',
  }),
  hereSinceUnixMs: Type.Optional(instant('when it was connected to; absent while there is no link to it')),
  awaySinceUnixMs: Type.Optional(instant('when the last link to it ended; absent where none was since the start')),
  roundTripMs: Type.Optional(Type.Number({ description: 'of the last ping' })),
  clockAheadMs: Type.Optional(
    Type.Integer({ description: 'by how much its clock is ahead of the own one, as pings measure it' }),
  ),
  hears: Type.Optional(
    Type.Array(key, {
      description: 'other members that it has links to, as it says; absent while nobody here hears it',
    }),
  ),
  ownMissingCount: Type.Optional(
    Type.Integer({
      description:
        'entries of the own log that it did not say to have on disk; absent where it said nothing since the start',
    }),
  ),
});
export type MemberView = Static<typeof MemberView>;

const LogView = closed({
  author: key,
  name: Type.Optional(Type.String({ description: 'absent for whoever is no member any more' })),
  heads: Type.Array(HeadView, {
    description: 'up to where it is on disk here; more than one where the author signed several histories',
  }),
  behindCount: Type.Integer({ description: 'entries at least that a neighbour has on disk and this gateway has not' }),
  full: Type.Optional(Type.String({ description: 'the limit (LIMITS.md, Mesh) at which no more of it is taken here' })),
});
export type LogView = Static<typeof LogView>;

/** How far the policy is that the authority of the site signs. */
export const PolicyLaneView = closed({
  inForce: Type.Optional(closed({ number: Type.Integer(), issuedUnixMs: instant('when it was signed') })),
  newest: Type.Optional(
    closed({
      number: Type.Integer({ description: 'of the newest revision that is known here' }),
      issuedUnixMs: instant('when it was signed'),
      knownSinceUnixMs: instant('when its announcement came'),
    }),
  ),
  partsMissingCount: Type.Integer({ description: 'of the newest revision, not fetched yet' }),
  rejected: Type.Optional(
    closed({
      number: Type.Optional(Type.Integer({ description: 'absent: what the authority says cannot be read at all' })),
      code: Type.String(),
    }),
  ),
});
export type PolicyLaneView = Static<typeof PolicyLaneView>;

const OperatorView = closed({
  key,
  name: Type.String(),
  rights: Type.Array(Type.String()),
  scope: Type.Array(Type.String(), {
    description: 'ids of areas, doors and profiles beyond which no right reaches; empty: the whole site',
  }),
  untilUnixMs: instant('when the delegation ends'),
});
export type OperatorView = Static<typeof OperatorView>;

const ExpelledView = closed({
  key,
  name: Type.String({ description: 'that it had as a member' }),
  heads: Type.Array(HeadView, { description: 'behind which nothing of its log counts' }),
});

/** The link of this gateway to the cloud. */
const CloudView = closed({
  isConnected: Type.Boolean(),
  sinceUnixMs: instant('when that began'),
  why: Type.Optional(Type.String({ description: 'why it is not connected' })),
  acknowledgedUnixMs: Type.Optional(instant('when the cloud said last what it has on disk')),
  refusedCount: Type.Integer({ description: "messages that were not the cloud's" }),
  refusedCode: Type.Optional(Type.String({ description: 'why the last one was not' })),
  ownMissingCount: Type.Integer({ description: 'entries of the own log that the cloud did not say to have on disk' }),
});
export type CloudView = Static<typeof CloudView>;

/** What this gateway knows of the mesh of its site. */
export const MeshView = closed({
  state: Type.Union([
    Type.Literal('off', { description: 'the configuration has no mesh' }),
    Type.Literal('starting'),
    Type.Literal('notJoined', { description: 'the gateway is a member of no site' }),
    Type.Literal('running'),
    Type.Literal('failed', { description: 'it cannot run, as `trouble` says, and is tried again' }),
  ]),
  trouble: Type.Optional(closed({ code: Type.String(), message: Type.String() })),
  roster: Type.Optional(
    closed({
      site: Type.String(),
      epoch: Type.Integer(),
      issuedUnixMs: instant('when it was signed'),
      notAfterUnixMs: instant('after it the roster warns and goes on counting'),
    }),
  ),
  listensAt: Type.Array(Type.String()),
  members: Type.Array(MemberView),
  partitions: Type.Array(Type.Array(key), {
    description: 'members that hear each other, directly or through others; that of this gateway is the first',
  }),
  logs: Type.Array(LogView),
  own: Type.Optional(
    closed({
      replicasCount: Type.Integer({
        description:
          'members that said to have all of the own log on disk, as far as the gateway heard since its start',
      }),
      unreplicatedCount: Type.Integer({ description: 'own entries that no member has said to have on disk' }),
      unreplicatedSinceUnixMs: Type.Optional(instant('when the first of them was recorded')),
    }),
  ),
  forks: Type.Array(closed({ kind: Type.String(), first: HeadView, second: HeadView })),
  expelled: Type.Array(ExpelledView),
  operators: Type.Array(OperatorView, { description: 'people whom the authority gave rights to' }),
  policy: Type.Optional(PolicyLaneView),
  cloud: Type.Optional(CloudView),
});
export type MeshView = Static<typeof MeshView>;

export const MESH_OFF: MeshView = {
  state: 'off',
  listensAt: [],
  members: [],
  partitions: [],
  logs: [],
  forks: [],
  expelled: [],
  operators: [],
};
