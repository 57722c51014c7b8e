/**
 * Links to the other gateways of a site.
 * @packageDocumentation
 */
export { Libp2pNetwork, type Libp2pNetworkDeps, type Libp2pNetworkOptions } from './libp2p-network.js';
