/**
 * The simulated site in real time: devices on pseudo-terminals or TCP, and an HTTP API for the hands of a visitor.
 * @packageDocumentation
 */
export { buildControlApi } from './control-api.js';
export { Demo, type DemoOptions } from './demo.js';
export { demoSite, DEMO_BUS_IDS, DEMO_FACTORY_NEW } from './demo-site.js';
export { DemoFolder } from './demo-folder.js';
export { DeviceMemories } from './device-memories.js';
export { hasSocat, openPty, openTcp, type LineAddress, type LineEnd, type LineKind } from './line-end.js';
export { LIVE_BAUD_RATE, LiveSite, type LiveCard, type LiveSiteOptions } from './live-site.js';
