/**
 * A process of the cloud, put together of the parts of its roles.
 * @packageDocumentation
 */
export { createCloudProcess, type CloudDeps, type CloudProcess } from './cloud-process.js';
export { ALL_ROLES, readRoles, SERVE_ROLES, type ServeRole } from './roles.js';
