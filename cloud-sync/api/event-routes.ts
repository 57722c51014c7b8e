import type { FastifyInstance } from 'fastify';
import { Type, type Static } from '@sinclair/typebox';
import { assertSite, type Database } from '../db/index.js';
import { CURSOR_PATTERN, readEvents, type SiteFollowers } from '../sites/index.js';
import type { Session } from '../users/index.js';
import type { EventStreams } from './event-streams.js';
import { answers } from './guard.js';
import { closed, Instant, instant, Key, Limit, OfSite, SiteId } from './schemas.js';

export interface EventRoutesDeps {
  readonly database: Database;
  readonly followers: SiteFollowers;
  readonly streams: EventStreams;
  /** Whether a login goes on. */
  readonly isLoggedIn: (session: Session) => Promise<boolean>;
}

const Text = Type.Optional(Type.String());
const Texts = Type.Optional(Type.Array(Type.String()));
const Cursor = Type.String({ pattern: CURSOR_PATTERN });
const EventView = closed({
  cursor: Cursor,
  gateway: Key,
  gatewayName: Type.String(),
  entry: Type.String({ description: '`EPOCH.SEQUENCE` in the log of the gateway' }),
  cause: Type.Optional(
    Type.String({ description: '`EPOCH.SEQUENCE` of the event of the same gateway that led to it' }),
  ),
  atUnixMs: instant('by the clock of the gateway'),
  timeQuality: Type.String(),
  receivedUnixMs: instant('when it arrived in the cloud'),
  name: Type.String(),
  severity: Type.String(),
  accessPointId: Text,
  doorId: Text,
  deviceId: Text,
  busId: Text,
  credentialId: Text,
  holderId: Text,
  reason: Text,
  alsoFailed: Texts,
  flags: Texts,
  card: Type.Optional(closed({ bitCount: Type.Integer(), formatId: Text, facility: Type.Optional(Type.Integer()) })),
  code: Text,
  detail: Type.Optional(Type.Record(Type.String(), Type.String())),
});
const EventsWanted = closed({
  site: SiteId,
  gateway: Type.Optional(Key),
  name: Type.Optional(Type.String({ maxLength: 64 })),
  fromUnixMs: Type.Optional(Instant),
  untilUnixMs: Type.Optional(Instant),
  before: Type.Optional(Cursor),
  limit: Limit,
});
const EventsView = closed({
  events: Type.Array(EventView, { description: 'newest first, by the clocks of the gateways' }),
  next: Type.Optional(Type.String({ description: '`before` of the page of older ones' })),
});

/** What gateways recorded: back in time, and as it arrives. */
export function addEventRoutes(api: FastifyInstance, deps: EventRoutesDeps): void {
  const { database, followers, streams, isLoggedIn } = deps;

  api.get<{ Querystring: Static<typeof EventsWanted> }>(
    '/api/v1/events',
    { schema: { querystring: EventsWanted, ...answers(EventsView) } },
    async ({ identity: { tenant }, query: wanted }) => {
      const events = await database.readInTenant(tenant, async (transaction) => {
        await assertSite(transaction, wanted.site);
        return readEvents(transaction, wanted);
      });
      const oldest = events.at(-1);
      return { events, ...(events.length === wanted.limit && oldest !== undefined && { next: oldest.cursor }) };
    },
  );

  /** `event`, in the order of arrival; `state` where `…/gateways` has news; `missed` for whoever reads too slowly. */
  api.get<{ Querystring: OfSite }>(
    '/api/v1/events/stream',
    { schema: { querystring: OfSite } },
    async (request, reply) => {
      const { identity, user: session, query } = request;
      await followers.upToDate(identity.tenant, query.site);
      const headers = reply.getHeaders() as Record<string, string>;
      const isWelcome = () => isLoggedIn(session);
      streams.open(identity.tenant, reply.raw, headers, isWelcome, (stream) =>
        followers.watch(identity.tenant, query.site, ({ events, isDelivery }) => {
          for (const event of events) stream.send('event', event, event.cursor);
          if (isDelivery) stream.send('state', { what: 'gateways' });
        }),
      );
      return reply.hijack();
    },
  );
}
