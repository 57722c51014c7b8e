/**
 * Real parts of a gateway in a simulated world: the only place where simulator and gateway meet in one process.
 * @packageDocumentation
 */
export { BUS_DEFECTS, BUS_FAULTS, BusWorld, type BusDefect, type BusWorldOptions } from './bus-world.js';
export { BUS_BEHAVIOUR_FAULTS, CardLevelBus } from './card-level-bus.js';
export {
  COMMISSIONING_DEFECTS,
  COMMISSIONING_QUIRKS,
  CommissioningWorld,
  type CommissioningDefect,
  type CommissioningWorldOptions,
} from './commissioning-world.js';
export type { CloudSite, MachineName, MeshCloud } from './mesh-cloud.js';
export { MESH_DEFECTS, type MeshDefect } from './mesh-defects.js';
export { MESH_FAULTS } from './mesh-faults.js';
export { MeshWorld, type MeshWorldOptions } from './mesh-world.js';
export { ProcessClock } from './process-clock.js';
export { seededSigner } from './seeded-signer.js';
export { SimulatedLogStore } from './simulated-log-store.js';
export { SITE_DEFECTS, type SiteDefect } from './site-defects.js';
export { SITE_FAULTS } from './site-faults.js';
export { SiteWorld, type SiteWorldOptions } from './site-world.js';
export { TOWN_DEFECTS, type TownDefect } from './town-defects.js';
export { TOWN_FAULTS } from './town-faults.js';
export { TownPolicy } from './town-policy.js';
export { THIEF_FAULTS } from './town-thief.js';
export { TownWorld, type TownWorldOptions } from './town-world.js';
export type { WorldReport } from './world-report.js';
