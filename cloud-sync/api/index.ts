/**
 * The HTTP API of the cloud: for its page, and for programs of the customer.
 * @packageDocumentation
 */
export { buildApi, type ApiDeps, type ApiOptions } from './build-api.js';
export {
  EventStreams,
  STREAM_HEARTBEAT_MS,
  STREAMS_MAX,
  TENANT_STREAMS_MAX,
  type EventStream,
} from './event-streams.js';
export { buildGatewayApi, type GatewayApiDeps } from './gateway-api.js';
export { addHealthRoutes, type PartHealth } from './health-routes.js';
export { newApp, type AppDeps, type AppLimits } from './new-app.js';
export { BODY_PACE_BYTES, BODY_PACE_MS } from './paced-body.js';
