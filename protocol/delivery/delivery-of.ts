import { AUTHORITY_NAME } from '../directive/index.js';
import type { DeliveryLog } from './delivery-log.js';
import type { DeliveryView, DirectiveAnswer, DirectiveView, GatewayDelivery } from './delivery-view.js';
import { detailOf, type GivenDirective } from './given-directive.js';
import { cursorOf } from './said-entry.js';

/** Directives in a view of the delivery. */
export const DIRECTIVES_SHOWN = 12;

/** Who belongs to the site, as the gateway that is asked knows it. */
export interface DeliverySite {
  readonly members: readonly SiteGateway[];
  /** By public key of an operator, as the authority delegated it. */
  readonly operatorNames: ReadonlyMap<string, string>;
}

export interface SiteGateway {
  readonly key: string;
  readonly name: string;
  readonly isSelf: boolean;
  readonly isReached: boolean;
  /** By how much its wall time is ahead of the own one. */
  readonly clockAheadMs?: number;
}

export function deliveryOf(log: DeliveryLog, site: DeliverySite, isComplete: boolean): DeliveryView {
  const given = log.allGiven();
  return {
    isComplete,
    gateways: site.members.map((member) => gatewayDelivery(log, given, member)),
    directives: given.slice(0, DIRECTIVES_SHOWN).map((each) => directiveOf(log, site, each)),
  };
}

/** Who has carried a directive out. */
export function directiveOf(log: DeliveryLog, site: DeliverySite, given: GivenDirective): DirectiveView {
  const { directive, operator, carrier } = given;
  const { id, kind, issuedUnixMs, onBehalfOf } = directive;
  const gateway = carrier.id.author;
  // Only the authority of the site is an author and directs.
  const authorityName = gateway === operator ? AUTHORITY_NAME : undefined;
  const operatorName = authorityName ?? site.operatorNames.get(operator);
  const answers = site.members
    .filter((member) => isAsked(given, member.key))
    .map((member) => answerOf(log, id, member));
  return {
    id,
    kind,
    detail: { ...detailOf(directive), ...(onBehalfOf !== undefined && { onBehalfOf }) },
    operator: { key: operator, ...(operatorName !== undefined && { name: operatorName }) },
    issuedUnixMs,
    given: {
      gateway,
      name: authorityName ?? site.members.find(({ key }) => key === gateway)?.name ?? 'no member any more',
      cursor: cursorOf(carrier.id),
      atUnixMs: carrier.wallUnixMs,
    },
    answeredBy: kind === 'door' ? 'one' : 'all',
    gateways: kind === 'door' ? answers.filter(({ state }) => state !== 'unheard') : answers,
  };
}

/** Whoever is expelled is not asked what it thinks of it. */
const isAsked = ({ directive }: GivenDirective, gateway: string): boolean =>
  directive.kind !== 'expel' || directive.gateway !== gateway;

function answerOf(log: DeliveryLog, id: string, { key, name, isReached }: SiteGateway): DirectiveAnswer {
  const answer = log.answerOf(key, id);
  const who = { gateway: key, name, isReached };
  if (answer === undefined) return { ...who, state: 'unheard' };
  return { ...who, ...answer };
}

function gatewayDelivery(log: DeliveryLog, given: readonly GivenDirective[], member: SiteGateway): GatewayDelivery {
  const { key, name, isSelf, isReached, clockAheadMs } = member;
  const { newest, startedUnixMs, buses = [], policy, revocation, clockErrorMs } = log.reportOf(key);
  return {
    key,
    name,
    isSelf,
    isReached,
    ...(newest !== undefined && { newest: { cursor: cursorOf(newest.id), atUnixMs: newest.wallUnixMs } }),
    ...(startedUnixMs !== undefined && { startedUnixMs }),
    buses: [...buses],
    ...(policy !== undefined && { policy }),
    revocation,
    directives: countsOf(log, given, key),
    ...(newest !== undefined && {
      clock: {
        quality: newest.timeQuality,
        ...(clockErrorMs !== undefined && { errorMs: clockErrorMs }),
        ...(clockAheadMs !== undefined && { aheadMs: clockAheadMs }),
      },
    }),
  };
}

function countsOf(log: DeliveryLog, given: readonly GivenDirective[], key: string): GatewayDelivery['directives'] {
  let [appliedCount, refusedCount, unheardCount] = [0, 0, 0];
  let unheardSinceUnixMs = Infinity;
  for (const each of given) {
    const answer = log.answerOf(key, each.directive.id);
    if (answer?.state === 'applied') appliedCount += 1;
    else if (answer !== undefined) refusedCount += 1;
    else if (each.directive.kind !== 'door' && isAsked(each, key)) {
      unheardCount += 1;
      unheardSinceUnixMs = Math.min(unheardSinceUnixMs, each.carrier.wallUnixMs);
    }
  }
  const counts = { appliedCount, refusedCount, unheardCount };
  return unheardCount === 0 ? counts : { ...counts, unheardSinceUnixMs };
}
