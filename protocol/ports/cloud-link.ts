import type { Down, Up } from '../cloud-link/topic.js';

export interface CloudLinkHandlers {
  onConnected(): void;
  /** Also where a call failed. */
  onDisconnected(why: string): void;
  /** Nothing is known of the bytes. */
  onMessage(what: Down, body: Uint8Array): void;
}

/**
 * The way of one gateway to the cloud, over a broker. It comes and goes by itself; what is handed over while it is away, or as
 * it goes, is lost.
 */
export interface CloudLink {
  /** Calls, and goes on calling. Does not wait for anybody. */
  start(handlers: CloudLinkHandlers): void;
  send(what: Up, body: Uint8Array): void;
  /** Idempotent; no handler runs after it resolves. */
  stop(): Promise<void>;
}
