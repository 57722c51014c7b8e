/**
 * The link to the cloud over a broker; apart, because a gateway without a cloud does not load what it takes.
 * @packageDocumentation
 */
export { MqttLink, type CallCredentials } from './mqtt-link.js';
export { Renewal, TRY_PAUSE_MS, type RenewalDeps, type Term } from './renewal.js';
export { RenewingLink, type RenewingLinkDeps } from './renewing-link.js';
