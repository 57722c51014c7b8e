/**
 * The thread that reads what comes to the disk without the field: generations of the policy, and what other gateways say.
 * Both take long to verify; the field hears only of what holds.
 * @packageDocumentation
 */
export { ReplicaClient, type ReplicaHandlers } from './replica-client.js';
export type { ReplicaThreadData, Unheard } from './replica-messages.js';
