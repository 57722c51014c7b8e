/**
 * Configuration: YAML or JSON documents validated by a schema, with every problem at its line; the gateway's own
 * configuration file and its OSDP keys.
 * @packageDocumentation
 */
export { baudRateOf, loadGatewayConfig, parseGatewayConfig } from './gateway-config.js';
export type { BusConfig, GatewayConfig } from './gateway-config.js';
export {
  checkDocument,
  loadDocument,
  type CheckedDocument,
  type LoadedDocument,
  type LoadOptions,
} from './load-document.js';
export { loadHostToken } from './host-token.js';
export type { MeshConfig } from './mesh-config.js';
export { loadOsdpKeys, readOsdpKeys } from './osdp-keys.js';
export { readTextFile } from './text-file.js';
