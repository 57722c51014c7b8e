import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { downTopic, readUpTopic, upFilter, type Carrier, type Down, type Up } from '@sparc/protocol/cloud-link';
import { PACKET_BYTES_MAX } from './broker.js';
import type { CloudBus, OnSaid } from './cloud-bus.js';

const RECALL_MS = 1_000;
const CALL_MAX_MS = 15_000;
const KEEP_ALIVE_S = 20;

export interface MqttBusOptions {
  /** `mqtts://…`, with login and password where the broker wants them. */
  readonly url: string;
  /** PEM: what the broker's certificate must lead to, and the own, where the broker wants one. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface MqttBusDeps {
  /** The broker is reached, or not any more. */
  readonly onTurn: (isConnected: boolean, why?: string) => void;
}

interface Hearer {
  /** Of its subscription, where it shares one. */
  readonly id: number;
  readonly what: Up;
  readonly onSaid: OnSaid;
  readonly sharing: string | undefined;
}

/**
 * A broker of somebody else, by MQTT 5, or 3.1.1 where that is all it speaks. It calls again for as long as it runs; the
 * broker may come later than this.
 */
export class MqttBus implements CloudBus {
  readonly #hearers: Hearer[] = [];
  /** Of messages that the broker does not have yet. */
  readonly #underWay = new Set<() => void>();
  #client: MqttClient | undefined;
  #version: 4 | 5 = 5;
  #isSharing = false;
  #why: string | undefined;

  constructor(
    private readonly deps: MqttBusDeps,
    private readonly options: MqttBusOptions,
  ) {}

  /** Does not wait for the broker. */
  start(): void {
    const { url, ...tls } = this.options;
    const client = connect(url, { ...tls, ...SETTINGS, protocolVersion: this.#version });
    this.#client = client;
    client.on('connect', ({ properties }) => {
      // MQTT 5, 3.2.2.3.12 and 13: absent, they are available. In 3.1.1 nobody says.
      const { sharedSubscriptionAvailable = true, subscriptionIdentifiersAvailable = true } = properties ?? {};
      this.#isSharing = this.#version === 5 && sharedSubscriptionAvailable && subscriptionIdentifiersAvailable;
      this.#why = undefined;
      for (const hearer of this.#hearers) this.#subscribe(hearer);
      this.deps.onTurn(true);
    });
    client.on('error', (error) => {
      this.#why = error.message;
      if (this.#version === 5 && 'code' in error && UNACCEPTABLE_VERSION.includes(Number(error.code))) {
        this.#speakOlder(client);
      }
    });
    client.on('close', () => {
      for (const gone of [...this.#underWay]) gone();
      if (client === this.#client) this.deps.onTurn(false, this.#why);
    });
    client.on('message', (topic, body, { properties }) => {
      const said = readUpTopic(topic);
      if (said === undefined) return;
      // What two names share comes twice, each time for one of them.
      const { subscriptionIdentifier: given } = properties ?? {};
      for (const { what, onSaid, id, sharing } of this.#hearers) {
        const isFor = this.#isSharing && sharing !== undefined ? [given].flat().includes(id) : given === undefined;
        if (what === said.what && isFor) onSaid(said.carrier, body);
      }
    });
  }

  hear(what: Up, onSaid: OnSaid, sharing?: string): Promise<void> {
    const hearer = { id: this.#hearers.length + 1, what, onSaid, sharing };
    this.#hearers.push(hearer);
    if (this.#client?.connected === true) this.#subscribe(hearer);
    return Promise.resolve();
  }

  say(carrier: Carrier, what: Down, body: Uint8Array): Promise<void> {
    const client = this.#client;
    if (client?.connected !== true) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#underWay.delete(done);
        resolve();
      };
      this.#underWay.add(done);
      client.publish(downTopic(carrier, what), Buffer.from(body), { qos: 1 }, done);
    });
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) await client.endAsync(true);
  }

  #subscribe({ id, what, sharing }: Hearer): void {
    const filter = upFilter(what);
    const isShared = this.#isSharing && sharing !== undefined;
    const options = { qos: 1, ...(isShared && { properties: { subscriptionIdentifier: id } }) } as const;
    this.#client?.subscribe(isShared ? `$share/${sharing}/${filter}` : filter, options, (error, granted) => {
      if (error !== null || granted?.some(({ qos }) => qos > 2) === true) {
        this.deps.onTurn(false, `the broker lets nobody hear ${filter}`);
      }
    });
  }

  #speakOlder(client: MqttClient): void {
    this.#version = 4;
    this.#client = undefined;
    client.end(true);
    this.start();
  }
}

const SETTINGS: IClientOptions = {
  clean: true,
  keepalive: KEEP_ALIVE_S,
  connectTimeout: CALL_MAX_MS,
  reconnectPeriod: RECALL_MS,
  // Both are done here: what was said on an earlier link is said anew when a gateway says hello.
  resubscribe: false,
  reconnectOnConnackError: true,
  properties: { maximumPacketSize: PACKET_BYTES_MAX },
};
/** As MQTT 3.1.1 says it (3.2.2.3), and as MQTT 5 does (3.2.2.2). */
const UNACCEPTABLE_VERSION = [1, 132];
