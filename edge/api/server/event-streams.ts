import type { ServerResponse } from 'node:http';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Timer } from '@sparc/protocol/ports';

export const STREAMS_MAX = 32;
/** A client that lets this much wait in memory is dropped; its browser reconnects and starts from a fresh snapshot. */
export const STREAM_BACKLOG_MAX_BYTES = 262_144;
/** Below the idle limit of common tunnels and proxies. */
export const STREAM_HEARTBEAT_MS = 15_000;

/** States that are sent whole, each as an event of that name. */
const STATE_NAMES = ['site', 'commissioning', 'mesh', 'delivery'] as const;
type StateName = (typeof STATE_NAMES)[number];

/**
 * Live streams of server-sent events (WHATWG HTML, 9.2). Each costs bounded memory: a state replaces an older one that
 * still waits, events wait up to a limit, and a client that stays behind is dropped.
 */
export class EventStreams {
  readonly #clients = new Map<ServerResponse, Map<StateName, string>>();
  /** What each state was when it was last sent to all. */
  readonly #current = new Map<StateName, string>();
  #heartbeat: Timer | undefined;
  #droppedCount = 0;

  constructor(private readonly clock: Clock) {}

  get count(): number {
    return this.#clients.size;
  }

  /** Clients that were dropped because they did not read. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Throws ERR_API_STREAMS_MAX. */
  open(
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    states: Readonly<Record<StateName, unknown>>,
  ): void {
    if (this.#clients.size >= STREAMS_MAX) {
      throw new SparcError('ERR_API_STREAMS_MAX', `${STREAMS_MAX} live streams are open already`);
    }
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 2000\n\n');
    this.#clients.set(response, new Map());
    response.once('close', () => this.#clients.delete(response));
    response.on('drain', () => this.#sendWaiting(response));
    for (const name of STATE_NAMES) {
      const isNew = this.state(name, states[name]);
      if (!isNew) this.#sendState(response, name, frame(name, states[name]));
    }
    this.#heartbeat ??= this.clock.setTimer(STREAM_HEARTBEAT_MS, () => this.#beat());
  }

  /** A state that makes every older one worthless. One that is as before is not sent again: false. */
  state(name: StateName, state: unknown): boolean {
    const text = frame(name, state);
    if (this.#current.get(name) === text) return false;
    this.#current.set(name, text);
    for (const client of this.#clients.keys()) this.#sendState(client, name, text);
    return true;
  }

  /** One event, in order with the others. */
  event(event: unknown): void {
    const text = frame('event', event);
    for (const client of this.#clients.keys()) this.#send(client, text);
  }

  close(): void {
    this.#heartbeat?.cancel();
    this.#heartbeat = undefined;
    for (const client of this.#clients.keys()) client.destroy();
  }

  #sendState(client: ServerResponse, name: StateName, text: string): void {
    const waiting = this.#clients.get(client);
    if (waiting !== undefined && client.writableNeedDrain) waiting.set(name, text);
    else this.#send(client, text);
  }

  #sendWaiting(client: ServerResponse): void {
    const waiting = this.#clients.get(client) ?? new Map<StateName, string>();
    const texts = [...waiting.values()];
    waiting.clear();
    for (const text of texts) this.#send(client, text);
  }

  #send(client: ServerResponse, text: string): void {
    client.write(text);
    if (client.writableLength <= STREAM_BACKLOG_MAX_BYTES) return;
    this.#droppedCount += 1;
    this.#clients.delete(client);
    client.destroy();
  }

  #beat(): void {
    this.#heartbeat = undefined;
    if (this.#clients.size === 0) return;
    for (const client of this.#clients.keys()) this.#send(client, ': alive\n\n');
    this.#heartbeat = this.clock.setTimer(STREAM_HEARTBEAT_MS, () => this.#beat());
  }
}

function frame(event: StateName | 'event', data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
