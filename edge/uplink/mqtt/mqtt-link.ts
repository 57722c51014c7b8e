import { connect, type MqttClient } from 'mqtt';
import { downFilter, readDownTopic, upTopic, type Carrier, type Up } from '@sparc/protocol/cloud-link';
import type { Clock, CloudLink, CloudLinkHandlers, Random, Timer } from '@sparc/protocol/ports';

/** Between two calls, doubled each time; times 0.5 to 1.5 by chance, so that not all sites of a cloud call at once. */
export const CALL_PAUSE_MS = { first: 1_000, max: 60_000 };
/** A link that held so long is taken for good: the next pause is short again. */
const GOOD_AFTER_MS = 60_000;
const CALL_MAX_MS = 15_000;
/** A link that is silent for one and a half times as long is gone. */
const KEEP_ALIVE_S = 20;
const STOP_MAX_MS = 500;

/** Where to call, and as whom; PEM. */
export interface CallCredentials {
  /** `mqtts://HOST:PORT`. */
  readonly url: string;
  readonly keyPem: string;
  /** The gateway's own first. */
  readonly certificatesPem: string;
  /** That the broker's certificate must lead to. */
  readonly rootPem: string;
}

export interface MqttLinkDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Asked for each call; the call fails with what it throws. */
  readonly credentials: () => CallCredentials;
}

/** The link to the cloud by MQTT 3.1.1 over mutual TLS. */
export class MqttLink implements CloudLink {
  #handlers: CloudLinkHandlers | undefined;
  #client: MqttClient | undefined;
  #isReady = false;
  #timer: Timer | undefined;
  #pauseMs = CALL_PAUSE_MS.first;

  constructor(
    private readonly deps: MqttLinkDeps,
    private readonly carrier: Carrier,
  ) {}

  start(handlers: CloudLinkHandlers): void {
    this.#handlers = handlers;
    this.#call();
  }

  send(what: Up, body: Uint8Array): void {
    if (!this.#isReady) return;
    this.#client?.publish(upTopic(this.carrier, what), Buffer.from(body.buffer, body.byteOffset, body.length), {
      qos: 1,
    });
  }

  /** Ends the present link, where there is one: the next call has other credentials. */
  callAgain(): void {
    this.#pauseMs = CALL_PAUSE_MS.first;
    this.#client?.end(true);
  }

  async stop(): Promise<void> {
    this.#handlers = undefined;
    this.#timer?.cancel();
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = this.deps.clock.setTimer(STOP_MAX_MS, resolve);
      client.end(true, () => {
        timer.cancel();
        resolve();
      });
    });
  }

  #call(): void {
    const calledAtMs = this.deps.clock.monotonicMs();
    let why = 'the broker ended the link';
    try {
      const client = this.#connect();
      this.#client = client;
      client.on('error', (error) => (why = error.message || why));
      client.once('close', () => this.#ended(client, calledAtMs, why));
      client.on('message', (topic, body) => {
        const what = readDownTopic(this.carrier, topic);
        if (what !== undefined && client === this.#client) this.#handlers?.onMessage(what, body);
      });
      client.once('connect', () => {
        client.subscribe(downFilter(this.carrier), { qos: 1 }, (error, granted) => {
          if (client !== this.#client) return;
          if (error === null && granted?.every(({ qos }) => qos === 1) === true) {
            this.#isReady = true;
            this.#handlers?.onConnected();
            return;
          }
          why = `the broker refuses what is said to this gateway: ${error?.message ?? 'not authorised'}`;
          client.end(true);
        });
      });
    } catch (error) {
      this.#ended(undefined, calledAtMs, error instanceof Error ? error.message : String(error));
    }
  }

  /** Throws where the credentials cannot be had. */
  #connect(): MqttClient {
    const { url, keyPem, certificatesPem, rootPem } = this.deps.credentials();
    return connect(url, {
      protocolVersion: 4,
      clientId: this.carrier.gateway,
      clean: true,
      cert: certificatesPem,
      key: keyPem,
      ca: rootPem,
      rejectUnauthorized: true,
      keepalive: KEEP_ALIVE_S,
      connectTimeout: CALL_MAX_MS,
      // Calls are repeated here: with jitter, and nothing is sent of an earlier link.
      reconnectPeriod: 0,
      resubscribe: false,
    });
  }

  #ended(client: MqttClient | undefined, calledAtMs: number, why: string): void {
    if (client !== this.#client || this.#handlers === undefined) return;
    const { clock, random } = this.deps;
    const heldMs = this.#isReady ? clock.monotonicMs() - calledAtMs : 0;
    this.#client = undefined;
    this.#isReady = false;
    client?.end(true);
    if (heldMs >= GOOD_AFTER_MS) this.#pauseMs = CALL_PAUSE_MS.first;
    const [chance = 0] = random.bytes(1);
    this.#timer = clock.setTimer(this.#pauseMs * (0.5 + chance / 255), () => this.#call());
    this.#pauseMs = Math.min(this.#pauseMs * 2, CALL_PAUSE_MS.max);
    this.#handlers.onDisconnected(why);
  }
}
