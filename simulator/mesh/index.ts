/**
 * The network between the gateways of a simulated site, and the disks under their replicas. Knows nothing of the
 * gateway.
 * @packageDocumentation
 */
export { HEALTHY_PATH, type Path, type PathCondition } from './path.js';
export { ReplicaDisk, type ReplicaWrite } from './replica-disk.js';
export { appendOf, SimulatedLog } from './simulated-log.js';
export { SimulatedMesh } from './simulated-mesh.js';
export type { SimulatedNetwork } from './simulated-network.js';
export { SimulatedReplicaStore, type StorePhase } from './simulated-replica-store.js';
