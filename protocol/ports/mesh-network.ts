export interface MeshNetworkHandlers {
  /** A neighbour is admitted: it proved the key of a member, and its roster is ours. */
  onConnected(neighbour: string): void;
  onDisconnected(neighbour: string): void;
  /** What it announced; nothing is known of the bytes. Messages of one neighbour come in order, or its link ends. */
  onMessage(neighbour: string, message: Uint8Array): void;
  /** It asks for a log. Pieces are taken one by one, as fast as it takes them. */
  serve(neighbour: string, request: Uint8Array): Iterable<Uint8Array>;
}

/**
 * Links to the neighbours of a closed mesh, which names each by its Ed25519 public key in lower-case hex.
 * One contract suite runs against every implementation.
 */
export interface MeshNetwork {
  start(handlers: MeshNetworkHandlers): Promise<void>;
  /** Hands a message over; it is lost when the link ends. */
  send(neighbour: string, message: Uint8Array): void;
  /** What a neighbour serves on a request. Never throws by itself. */
  request(neighbour: string, request: Uint8Array): MeshReply;
  /** The neighbour broke the rules: its link ends, and it is not admitted again for a while. */
  refuse(neighbour: string, why: string): void;
  /** Idempotent; no handler runs after it resolves. */
  stop(): Promise<void>;
}

/** Pieces of what a neighbour serves; the next one comes when it is asked for. */
export interface MeshReply extends AsyncIterable<Uint8Array> {
  /** Ends it early. Idempotent. */
  cancel(): void;
}
