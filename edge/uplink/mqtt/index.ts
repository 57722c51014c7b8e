/**
 * The link to the cloud over a broker; apart, because a gateway without a cloud does not load what it takes.
 * @packageDocumentation
 */
export { MqttLink } from './mqtt-link.js';
