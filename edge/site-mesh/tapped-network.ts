import type { MeshNetwork } from '@sparc/protocol/ports';

/** What looks on at a network: told before whoever uses it. */
export interface Taps {
  readonly onConnected?: (neighbour: string) => void;
  readonly onDisconnected?: (neighbour: string) => void;
  /** Undefined for a request that is for whoever uses the network. */
  readonly serve?: (request: Uint8Array) => Iterable<Uint8Array> | undefined;
  /** It is to be stopped; and it is. */
  readonly onStop?: () => void;
  readonly onStopped?: () => void;
}

/** A network as without the taps, for whoever uses it. */
export const tapped = (network: MeshNetwork, taps: Taps): MeshNetwork => ({
  start: (handlers) =>
    network.start({
      onConnected: (neighbour) => {
        taps.onConnected?.(neighbour);
        handlers.onConnected(neighbour);
      },
      onDisconnected: (neighbour) => {
        taps.onDisconnected?.(neighbour);
        handlers.onDisconnected(neighbour);
      },
      onMessage: (neighbour, message) => handlers.onMessage(neighbour, message),
      serve: (neighbour, request) => taps.serve?.(request) ?? handlers.serve(neighbour, request),
    }),
  send: (neighbour, message) => network.send(neighbour, message),
  request: (neighbour, request) => network.request(neighbour, request),
  refuse: (neighbour, why) => network.refuse(neighbour, why),
  stop: async () => {
    taps.onStop?.();
    await network.stop();
    taps.onStopped?.();
  },
});
