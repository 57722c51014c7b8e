import type { ServerResponse } from 'node:http';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Timer } from '@sparc/protocol/ports';

export const STREAMS_MAX = 256;
/** What waits in memory for one client; what is more it is told to have missed. */
export const STREAM_BACKLOG_MAX_BYTES = 262_144;
/** Below the idle limit of common proxies. */
export const STREAM_HEARTBEAT_MS = 15_000;

/** One client of server-sent events (WHATWG HTML, 9.2), in bounded memory. */
export interface EventStream {
  send(event: string, data: unknown, id?: string): void;
}

interface Client {
  readonly isStillWelcome: () => Promise<boolean>;
  missedCount: number;
}

/** Live streams. Whoever may not read any more is let go at the next beat. */
export class EventStreams {
  readonly #clients = new Map<ServerResponse, Client>();
  #heartbeat: Timer | undefined;

  constructor(private readonly clock: Clock) {}

  get count(): number {
    return this.#clients.size;
  }

  /** `onClose` runs once. Throws ERR_API_STREAMS_MAX. */
  open(
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    isStillWelcome: () => Promise<boolean>,
    onClose: () => void,
  ): EventStream {
    if (this.#clients.size >= STREAMS_MAX) {
      throw new SparcError('ERR_API_STREAMS_MAX', `${STREAMS_MAX} live streams are open already`);
    }
    const client: Client = { isStillWelcome, missedCount: 0 };
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': open\n\n');
    this.#clients.set(response, client);
    response.once('close', () => {
      this.#clients.delete(response);
      onClose();
    });
    response.on('drain', () => this.#tellMissed(response, client));
    this.#beatLater();
    return { send: (event, data, id) => this.#send(response, client, event, data, id) };
  }

  close(): void {
    this.#heartbeat?.cancel();
    for (const client of this.#clients.keys()) client.destroy();
  }

  #send(response: ServerResponse, client: Client, event: string, data: unknown, id?: string): void {
    if (client.missedCount > 0 || response.writableLength > STREAM_BACKLOG_MAX_BYTES) client.missedCount += 1;
    else response.write(frame(event, data, id));
  }

  #tellMissed(response: ServerResponse, client: Client): void {
    if (client.missedCount === 0) return;
    response.write(frame('missed', { count: client.missedCount }));
    client.missedCount = 0;
  }

  #beatLater(): void {
    this.#heartbeat ??= this.clock.setTimer(STREAM_HEARTBEAT_MS, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    for (const [response, { isStillWelcome }] of [...this.#clients]) {
      if (await isStillWelcome()) response.write(': alive\n\n');
      else response.end();
    }
    this.#heartbeat = undefined;
    if (this.#clients.size > 0) this.#beatLater();
  }
}

const frame = (event: string, data: unknown, id?: string): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
