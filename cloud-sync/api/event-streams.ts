import type { ServerResponse } from 'node:http';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Timer } from '@sparc/protocol/ports';

export const STREAMS_MAX = 256;
/** Of these, for people of one tenant. */
export const TENANT_STREAMS_MAX = 64;
/** What waits in memory for one client; what is more it is told to have missed. */
export const STREAM_BACKLOG_MAX_BYTES = 262_144;
/** Below the idle limit of common proxies. */
export const STREAM_HEARTBEAT_MS = 15_000;

/** One client of server-sent events (WHATWG HTML, 9.2), in bounded memory. What is sent after its end is lost. */
export interface EventStream {
  send(event: string, data: unknown, id?: string): void;
}

interface Client {
  readonly tenant: string;
  readonly isStillWelcome: () => Promise<boolean>;
  readonly detach: () => void;
  missedCount: number;
}

/** Live streams. Whoever may not read any more is let go at the next beat. */
export class EventStreams {
  readonly #clients = new Map<ServerResponse, Client>();
  #heartbeat: Timer | undefined;

  constructor(private readonly clock: Clock) {}

  /**
   * `attach` lets news come to the stream, and what it returns ends that: it is called once. Neither is called for a
   * client that has gone already, whose 'close' nobody hears any more. Throws ERR_API_STREAMS_MAX.
   */
  open(
    tenant: string,
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    isStillWelcome: () => Promise<boolean>,
    attach: (stream: EventStream) => () => void,
  ): void {
    if (response.destroyed) return;
    const ofTenant = [...this.#clients.values()].filter((client) => client.tenant === tenant);
    if (this.#clients.size >= STREAMS_MAX || ofTenant.length >= TENANT_STREAMS_MAX) {
      const counts = `${this.#clients.size} live streams, ${ofTenant.length} of this tenant`;
      throw new SparcError('ERR_API_STREAMS_MAX', `${counts}, are open already`);
    }
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': open\n\n');
    const detach = attach({ send: (event, data, id) => this.#send(response, frame(event, data, id)) });
    this.#clients.set(response, { tenant, isStillWelcome, detach, missedCount: 0 });
    response.once('close', () => this.#leave(response));
    response.on('error', () => this.#leave(response));
    response.on('drain', () => this.#tellMissed(response));
    this.#beatLater();
  }

  close(): void {
    this.#heartbeat?.cancel();
    for (const response of [...this.#clients.keys()]) this.#leave(response);
  }

  #send(response: ServerResponse, text: string): void {
    const client = this.#clients.get(response);
    if (client === undefined) return;
    if (client.missedCount > 0 || response.writableLength > STREAM_BACKLOG_MAX_BYTES) client.missedCount += 1;
    else response.write(text);
  }

  #tellMissed(response: ServerResponse): void {
    const client = this.#clients.get(response);
    if (client === undefined || client.missedCount === 0) return;
    response.write(frame('missed', { count: client.missedCount }));
    client.missedCount = 0;
  }

  /** Not by an end, which a client that does not read would never come to. */
  #leave(response: ServerResponse): void {
    const client = this.#clients.get(response);
    this.#clients.delete(response);
    client?.detach();
    response.destroy();
  }

  #beatLater(): void {
    this.#heartbeat ??= this.clock.setTimer(STREAM_HEARTBEAT_MS, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    for (const [response, client] of [...this.#clients]) {
      if (!(await client.isStillWelcome())) this.#leave(response);
      else if (this.#clients.has(response)) response.write(': alive\n\n');
    }
    this.#heartbeat = undefined;
    if (this.#clients.size > 0) this.#beatLater();
  }
}

const frame = (event: string, data: unknown, id?: string): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
