/**
 * A process of the cloud, put together of the parts of its roles.
 * @packageDocumentation
 */
export { BrokerPart, type BrokerPartDeps, type BrokerPartOptions } from './broker-part.js';
export { createCloudProcess, type CloudProcess } from './cloud-process.js';
export { enrolmentOf, type EnrolmentParts } from './enrolment-of.js';
export { HttpPart } from './http-part.js';
export { MqttPart } from './mqtt-part.js';
export type { Part } from './part.js';
export { PartsRunner, START_AGAIN_MAX_MS, START_AGAIN_MIN_MS, STOP_MAX_MS } from './parts-runner.js';
export {
  Refusals,
  REFUSALS_TOLD_EVERY_MS,
  REFUSALS_TOLD_MAX,
  type RefusalsDeps,
  type ToldRefusal,
} from './refusals.js';
export { ALL_ROLES, readRoles, SERVE_ROLES, type ServeRole } from './roles.js';
export { Scheduler, SCHEDULER_TICK_MS, type Job } from './scheduler.js';
export type { CloudDeps } from './shared-parts.js';
