/** What came over a broker; nothing is known of the body. */
export interface BrokerMessage {
  readonly topic: string;
  readonly body: Uint8Array;
}

/** How the roles of the cloud speak over a broker. What is handed over while a gateway is away is lost. */
export interface CloudBus {
  /** `onMessage` keeps nobody waiting: what it cannot take, it drops. */
  subscribe(filter: string, onMessage: (message: BrokerMessage) => void): Promise<void>;
  publish(topic: string, body: Uint8Array): Promise<void>;
}
