/**
 * The simulated site in real time: devices on pseudo-terminals or TCP, and an HTTP API for the hands of a visitor.
 * @packageDocumentation
 */
export { buildControlApi } from './control-api.js';
export { Demo, DEMO_PORT_COUNT, type DemoOptions, type RunningDemo } from './demo.js';
export { DEMO_GATEWAYS, type DemoGateway } from './demo-gateways.js';
export { demoSite } from './demo-site.js';
export { DeviceMemories } from './device-memories.js';
export type { LineAddress, LineEnd, LineKind } from './line-end.js';
export { GatewayLink, type LinkEnd } from './gateway-link.js';
export type { LiveGateway } from './live-mesh.js';
export { freePort, freePorts } from './ports.js';
export { LIVE_BAUD_RATE, LiveSite, type LiveCard, type LiveSiteOptions } from './live-site.js';
export * from './offline/index.js';
