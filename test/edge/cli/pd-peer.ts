import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createPd, stepPd, type PdOptions, type PdState } from '@sparc/protocol/osdp';
import { nodeRandom } from '@sparc/edge/platform';

/** Readers of ours behind a converter on loopback, in real time. */
export interface PdPeer {
  /** As `--tcp` takes it. */
  readonly address: string;
  /** Puts bytes on the line, for whoever is connected. */
  write(bytes: Uint8Array): void;
  stop(): Promise<void>;
}

export async function startPds(...options: readonly PdOptions[]): Promise<PdPeer> {
  const pds: PdState[] = options.map((each) => createPd(each));
  const sockets = new Set<Socket>();
  const write = (bytes: Uint8Array) => sockets.forEach((socket) => socket.write(bytes));
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (bytes) => {
      for (const [index, pd] of pds.entries()) {
        const nowMs = performance.now();
        const { state, effects } = stepPd(pd, { kind: 'bytes', nowMs, bytes, rndB: nodeRandom.bytes(8) });
        pds[index] = state;
        for (const effect of effects) {
          if (effect.kind === 'transmit') setTimeout(() => write(effect.bytes), effect.delayMs);
        }
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    write,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
