import { SerialLink, TcpLink } from '@sparc/firmware-bridges/osdp';
import type { ByteLink } from '@sparc/protocol/ports';
import { PtyPair, SKIP_WITHOUT_SOCAT } from '../support/peers.js';
import { systemClock } from '../support/system-clock.js';
import { LibosdpPeer, SKIP_WITHOUT_LIBOSDP, type LibosdpDeviceConfig } from './libosdp-peer.js';

export const BAUD_RATE = 115_200;

/** A line with libosdp at its far end. */
export interface LibosdpLine {
  readonly link: ByteLink;
  readonly peer: LibosdpPeer;
  /** Ends libosdp and takes the line away; the link is stopped by whoever started it. */
  readonly remove: () => Promise<void>;
}

export interface Medium {
  readonly name: string;
  readonly skip: string | false;
  open(
    role: 'pd' | 'acu',
    config: LibosdpDeviceConfig | readonly LibosdpDeviceConfig[],
    baudRate?: number,
  ): Promise<LibosdpLine>;
}

export const PTY: Medium = {
  name: 'over a pseudo-terminal',
  skip: SKIP_WITHOUT_LIBOSDP || SKIP_WITHOUT_SOCAT,
  async open(role, config, baudRate = BAUD_RATE) {
    const pair = await PtyPair.create();
    const peer = await LibosdpPeer.start(role, pair.b, config);
    const remove = async () => {
      await peer.stop();
      await pair.remove();
    };
    return { link: new SerialLink(systemClock, { path: pair.a, baudRate }), peer, remove };
  },
};

export const TCP: Medium = {
  name: 'over TCP',
  skip: SKIP_WITHOUT_LIBOSDP,
  async open(role, config) {
    const peer = await LibosdpPeer.start(role, 'tcp', config);
    const link = new TcpLink(systemClock, { host: '127.0.0.1', port: peer.port });
    return { link, peer, remove: () => peer.stop() };
  },
};

export const MEDIA: readonly Medium[] = [PTY, TCP];
