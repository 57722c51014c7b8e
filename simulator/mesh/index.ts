/**
 * The network between the gateways of a simulated site, and their disks for the logs of others. Knows nothing of the gateway.
 * @packageDocumentation
 */
export { HEALTHY_PATH, type Path, type PathCondition } from './path.js';
export { SimulatedMesh } from './simulated-mesh.js';
export type { SimulatedNetwork } from './simulated-network.js';
