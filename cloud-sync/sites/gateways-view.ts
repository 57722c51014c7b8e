import { sql } from 'kysely';
import {
  deliveryOf,
  directiveOf,
  standingOf,
  type DeliverySite,
  type DirectiveView,
  type GatewayDelivery,
  type StandingRaise,
} from '@sparc/protocol/delivery';
import type { GatewayState, Transaction } from '../db/index.js';
import { isMemberState } from '../identity/index.js';
import { toHex } from '../platform/index.js';
import { readRefusals, type GatewayRefusal } from './gateway-refusals.js';
import type { SiteFollower } from './site-follower.js';

/** Of three greetings, which come every 30 s, one at least has come. */
export const REACHED_MAX_MS = 90_000;

/** A gateway: what its own log proves, and what the cloud knows beside that. */
export interface GatewayView extends GatewayDelivery {
  readonly state: GatewayState;
  /**
   * Entries of the newest run that anybody in its site has of it, and that are not here; what an earlier run left behind
   * comes before them, and nobody has counted it. Absent before anybody said anything.
   */
  readonly queuedEntryCount?: number;
  /** Entries of its log that are here without what they said: the cloud lost it when gateways had emptied them. Absent: none. */
  readonly emptiedCount?: number;
  readonly lastContactUnixMs?: number;
  readonly certificateEndsUnixMs?: number;
  /** What was said in its name and not taken, the last ones first. */
  readonly refusals: readonly GatewayRefusal[];
}

export interface GatewaysView {
  readonly gateways: readonly GatewayView[];
  /** What was raised for the site and stands, the oldest first. */
  readonly raises: readonly StandingRaise[];
  /** Newest first. */
  readonly directives: readonly DirectiveView[];
  /** Those that were expelled, or replaced. */
  readonly former: readonly FormerGateway[];
}

export type FormerGateway = Pick<GatewayView, 'key' | 'name' | 'state' | 'refusals'>;

interface GatewayRow {
  readonly id: Uint8Array;
  readonly name: string;
  readonly state: GatewayState;
  readonly queued_entries: number | null;
  readonly emptied_count: number | null;
  readonly last_contact_at: Date | null;
  readonly ends_at: Date | null;
}

export async function gatewaysView(
  transaction: Transaction,
  site: string,
  follower: SiteFollower,
  nowUnixMs: number,
): Promise<GatewaysView> {
  const rows = await readGateways(transaction, site);
  const current = rows.filter(isCurrent);
  const of = deliverySite(current, follower, nowUnixMs);
  const { gateways, directives } = deliveryOf(follower.delivery, of, true);
  const byKey = new Map(current.map((row) => [toHex(row.id), row]));
  const refusals = await readRefusals(transaction, site);
  const refusalsOf = (key: string) => refusals.get(key) ?? [];
  return {
    gateways: gateways.flatMap((gateway) => {
      const row = byKey.get(gateway.key);
      return row === undefined ? [] : [{ ...gateway, ...linkOf(row), refusals: refusalsOf(gateway.key) }];
    }),
    raises: standingOf(follower.delivery, of, follower.attested),
    directives,
    former: rows
      .filter((row) => !isCurrent(row))
      .map(({ id, name, state }) => ({ key: toHex(id), name, state, refusals: refusalsOf(toHex(id)) })),
  };
}

/** Undefined for one that no log here carries, or that its operator had no right to. */
export async function directiveView(
  transaction: Transaction,
  site: string,
  follower: SiteFollower,
  id: string,
  nowUnixMs: number,
): Promise<DirectiveView | undefined> {
  const given = follower.delivery.given(id);
  const current = (await readGateways(transaction, site)).filter(isCurrent);
  return given && directiveOf(follower.delivery, deliverySite(current, follower, nowUnixMs), given);
}

const isCurrent = ({ state }: GatewayRow): boolean => isMemberState(state);

const deliverySite = (rows: readonly GatewayRow[], follower: SiteFollower, nowUnixMs: number): DeliverySite => ({
  members: rows.map(({ id, name, last_contact_at: contact }) => ({
    key: toHex(id),
    name,
    isSelf: false,
    isReached: contact !== null && nowUnixMs - contact.getTime() <= REACHED_MAX_MS,
  })),
  operatorNames: follower.operatorNames,
});

const linkOf = ({
  state,
  queued_entries: queued,
  emptied_count: emptied,
  last_contact_at: contact,
  ends_at: ends,
}: GatewayRow) => ({
  state,
  ...(queued !== null && { queuedEntryCount: queued }),
  ...(emptied !== null && emptied > 0 && { emptiedCount: emptied }),
  ...(contact !== null && { lastContactUnixMs: contact.getTime() }),
  ...(ends !== null && { certificateEndsUnixMs: ends.getTime() }),
});

async function readGateways({ query }: Transaction, site: string): Promise<readonly GatewayRow[]> {
  return query
    .selectFrom('gateways')
    .leftJoin('gateway_status', 'gateway_status.gateway_id', 'gateways.id')
    .leftJoin('author_heads', (join) =>
      join
        .onRef('author_heads.author', '=', 'gateways.id')
        .onRef('author_heads.epoch', '=', 'said_epoch')
        .onRef('author_heads.epoch_random', '=', 'said_epoch_random'),
    )
    .select(['gateways.id', 'gateways.name', 'gateways.state', 'last_contact_at'])
    .select(
      // Of a log that split nothing more comes.
      sql<number | null>`case when said_sequence is null then null when stopped_at is not null then 0
        else greatest(said_sequence - coalesce(author_heads.sequence, 0), 0) end`.as('queued_entries'),
    )
    .select(
      sql<number | null>`(select sum(emptied_count)::bigint from author_heads h where h.author = gateways.id)`.as(
        'emptied_count',
      ),
    )
    .select(
      sql<Date | null>`(select max(not_after) from gateway_certificates c
        where c.gateway_id = gateways.id and c.revoked_at is null)`.as('ends_at'),
    )
    .where('gateways.site_id', '=', site)
    .orderBy('gateways.name')
    .execute();
}
