import '../platform/with-resolvers.js';
import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { Libp2p, PeerDiscovery, PeerId } from '@libp2p/interface';
import { mdns } from '@libp2p/mdns';
import { noise } from '@libp2p/noise';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { tcp } from '@libp2p/tcp';
import type { Random } from '@sparc/protocol/ports';
import type { SiteSecrets } from '@sparc/protocol/roster';
import { createLibp2p } from 'libp2p';
import { addressOf } from './addresses.js';
import { fromHex, toHex } from '../platform/index.js';
import { muxer } from './muxer.js';
import { SiteSecretProtector } from './site-secret.js';

/** All gateways of a site come back at once after a power cut. */
const CONNECTIONS_MAX = 96;
/** Before the key of a caller is known, each of its calls costs tens of milliseconds of CPU. */
const CALLS_OF_ADDRESS_PER_SECOND_MAX = 5;
/** From the first byte to an encrypted connection, while a whole site comes back. */
const UPGRADE_MAX_MS = 15_000;
/** Of one connection, either way; a gateway uses one for the session and some for logs. */
const STREAMS_MAX = 16;
const STREAM_WINDOW_BYTES_MAX = 1_048_576;
const MDNS_NAME = '_sparc._udp.local';

export interface NodeOptions {
  /** Seed of the gateway's Ed25519 key, 32 bytes. */
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
  /** `host` and `port` to listen at; port 0: any. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Look for others by multicast DNS. */
  readonly discover: boolean;
  /** Default: 5. More where all gateways of a site call from one address. */
  readonly callsOfAddressPerSecondMax?: number;
}

/** Who may come in: by the site secrets, which may change, and by public key in hex. */
export interface Gate {
  siteSecrets(): SiteSecrets;
  mayCall(key: string): boolean;
  mayBeCalledBy(key: string): boolean;
}

export type Node = Libp2p<{ discovery?: PeerDiscovery }>;

/**
 * libp2p over TCP with a pre-shared key, Noise and yamux, and nothing else of it: no monitor, no reconnection, no gossip,
 * no store of peers. Discovery is a service of ours, because libp2p tells of a peer once and keeps whatever anybody claims.
 */
export function createNode(
  { seed, publicKey, listen, discover, callsOfAddressPerSecondMax = CALLS_OF_ADDRESS_PER_SECOND_MAX }: NodeOptions,
  gate: Gate,
  random: Random,
): Promise<Node> {
  const mayNotCall = (peer: PeerId) => !gate.mayCall(keyOf(peer));
  return createLibp2p<{ discovery?: PeerDiscovery }>({
    privateKey: privateKeyFromRaw(new Uint8Array([...seed, ...publicKey])),
    addresses: { listen: [addressOf(listen.host, listen.port).toString()] },
    transports: [tcp()],
    streamMuxers: [
      muxer({
        maxInboundStreams: STREAMS_MAX,
        maxOutboundStreams: STREAMS_MAX,
        streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES_MAX },
      }),
    ],
    connectionEncrypters: [noise()],
    connectionProtector: () => new SiteSecretProtector(() => gate.siteSecrets(), random),
    connectionGater: {
      denyDialPeer: mayNotCall,
      denyOutboundEncryptedConnection: mayNotCall,
      denyInboundEncryptedConnection: (peer) => !gate.mayBeCalledBy(keyOf(peer)),
      // Gateways of a site have private addresses.
      denyDialMultiaddr: () => false,
    },
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      inboundConnectionThreshold: callsOfAddressPerSecondMax,
      maxIncomingPendingConnections: CONNECTIONS_MAX,
      inboundUpgradeTimeout: UPGRADE_MAX_MS,
      reconnectRetries: 0,
    },
    ...(discover && { services: { discovery: mdns({ serviceTag: MDNS_NAME }) } }),
  });
}

/** In hex; empty for a kind of key that no gateway has. */
export const keyOf = ({ type, publicKey }: PeerId): string =>
  type === 'Ed25519' && publicKey !== undefined ? toHex(publicKey.raw) : '';

export const peerOf = (key: string): PeerId => peerIdFromPublicKey(publicKeyFromRaw(fromHex(key)));
