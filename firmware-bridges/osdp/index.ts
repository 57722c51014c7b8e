/**
 * OSDP buses on real lines.
 * @packageDocumentation
 */
export { SerialLink, type SerialLinkOptions } from './serial-link.js';
export { TcpLink, type TcpLinkOptions } from './tcp-link.js';
