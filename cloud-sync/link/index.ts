/**
 * The way down: what the authority of a site says and the parts of its policy, to the gateways that have a link; and what
 * operators ask one gateway to do.
 * @packageDocumentation
 */
export { AuthorityWatch, type AuthorityWatchDeps } from './authority-watch.js';
export { firstTaken } from './first-taken.js';
export {
  GatewayRequests,
  ONE_GATEWAY_REQUESTS_MAX,
  STRAY_ANSWERS_MAX,
  TENANT_REQUESTS_MAX,
  type GatewayRequestsDeps,
  type RequestResult,
} from './gateway-requests.js';
export { Publisher, type PublisherDeps, type PublisherRefusal } from './publisher.js';
