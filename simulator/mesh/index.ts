/**
 * The network between the gateways of a simulated site, their ways to a cloud, and the disks under their replicas. Knows
 * nothing of gateway and cloud.
 * @packageDocumentation
 */
export { HEALTHY_PATH, type Path, type PathCondition } from './path.js';
export { ReplicaDisk, type ReplicaWrite } from './replica-disk.js';
export { SimulatedBroker, type BrokerClient } from './simulated-broker.js';
export { appendOf, emptiedEntry, SimulatedLog } from './simulated-log.js';
export { SimulatedMesh } from './simulated-mesh.js';
export type { SimulatedNetwork } from './simulated-network.js';
export { SimulatedReplicaStore, type StorePhase } from './simulated-replica-store.js';
export { HEALTHY_WAY, type WayCondition } from './way.js';
