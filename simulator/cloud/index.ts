/**
 * A cloud for the gateways of a simulated mesh: the real ingest on a real database, on the world's clock. The only place
 * where the simulator meets the cloud in one process.
 * @packageDocumentation
 */
export { CLOUD_DEFECTS, type CloudDefect } from './cloud-defects.js';
export { CLOUD_FAULTS, type CloudFault } from './cloud-faults.js';
export { SimulatedCloud, type SimulatedCloudOptions } from './simulated-cloud.js';
