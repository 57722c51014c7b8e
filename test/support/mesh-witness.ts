import type { MeshNetworkHandlers } from '@sparc/protocol/ports';

/** What a mesh tells its handlers, and what it is to serve. */
export class MeshWitness implements MeshNetworkHandlers {
  readonly here = new Set<string>();
  /** `+` or `-` and the neighbour, in order. */
  readonly history: string[] = [];
  /** By neighbour. */
  readonly heard = new Map<string, Uint8Array[]>();
  pieces: (neighbour: string, request: Uint8Array) => Iterable<Uint8Array> = () => [];

  onConnected(neighbour: string): void {
    this.here.add(neighbour);
    this.history.push(`+${neighbour}`);
  }

  onDisconnected(neighbour: string): void {
    this.here.delete(neighbour);
    this.history.push(`-${neighbour}`);
  }

  onMessage(neighbour: string, message: Uint8Array): void {
    this.heard.set(neighbour, [...(this.heard.get(neighbour) ?? []), message.slice()]);
  }

  serve(neighbour: string, request: Uint8Array): Iterable<Uint8Array> {
    return this.pieces(neighbour, request);
  }

  heardFrom(neighbour: string): readonly Uint8Array[] {
    return this.heard.get(neighbour) ?? [];
  }
}
