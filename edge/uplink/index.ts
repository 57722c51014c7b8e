/**
 * The link of a gateway to the cloud: it carries the logs of the site there, and knows by signed acknowledgements what has
 * arrived. No door, decision or record waits for it.
 * @packageDocumentation
 */
export { Uplink, type UplinkState } from './uplink.js';
