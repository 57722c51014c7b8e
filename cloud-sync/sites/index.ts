/**
 * What sites have recorded, as people ask for it: events, and how far each gateway is.
 * @packageDocumentation
 */
export { carriedDirectives, judgeCarried, type CarriedDirective } from './carried-directives.js';
export { CURSOR_PATTERN, type CloudEvent } from './cloud-event.js';
export { keepRefusal, type GatewayRefusal } from './gateway-refusals.js';
export { directiveView, gatewaysView, REACHED_MAX_MS, type GatewaysView, type GatewayView } from './gateways-view.js';
export { readEvents, type EventsWanted } from './read-events.js';
export { EPOCHS_FOLLOWED_MAX, SiteFollower, STARTED_FROM_MAX, type SiteNews } from './site-follower.js';
export { FOLLOW_INTERVAL_MS, SiteFollowers, type SiteFollowersDeps } from './site-followers.js';
