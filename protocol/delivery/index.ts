/**
 * Proof of delivery: what the logs of all gateways of a site say of how far each of them is. Pure.
 * @packageDocumentation
 */
export {
  ACKNOWLEDGEMENTS,
  ANSWERS_KEPT_MAX,
  DeliveryLog,
  DENIALS,
  DIRECTIVES_KEPT_MAX,
  UNENTITLED_KEPT_MAX,
  type Answer,
} from './delivery-log.js';
export { deliveryOf, directiveOf, type DeliverySite, type SiteGateway } from './delivery-of.js';
export {
  DeliveryView,
  DirectiveView,
  GatewayDelivery,
  NO_DELIVERY,
  StandingRaise,
  type DirectiveAnswer,
} from './delivery-view.js';
export { EXPELLED_KEPT_MAX, RAISES_KEPT_MAX, REPORTING_EVENTS } from './gateway-report.js';
export { standingOf } from './standing.js';
export type { EntryMark, SaidEntry } from './said-entry.js';
