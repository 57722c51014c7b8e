import type { Carrier, Down, Up } from '@sparc/protocol/cloud-link';

/** What a gateway said; nothing is known of the body. It keeps nobody waiting: what cannot be taken, is dropped. */
export type OnSaid = (carrier: Carrier, body: Uint8Array) => void;

/** How the roles of the cloud speak with gateways over a broker. What is said while a gateway is away is lost. */
export interface CloudBus {
  /**
   * Hears what gateways say of one kind, also after the broker was away. Of the processes that share, by a name, one hears
   * each message, where the broker can do that; without it all do.
   */
  hear(what: Up, onSaid: OnSaid, sharing?: string): Promise<void>;
  /** Resolves when the broker has it, or is away. */
  say(carrier: Carrier, what: Down, body: Uint8Array): Promise<void>;
}
