import { connect, type Socket } from 'node:net';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import { ReopeningLink, type Transport, type TransportEvents } from './reopening-link.js';

export interface TcpLinkOptions {
  readonly host: string;
  readonly port: number;
  /** Of the line behind the converter, which only the converter can change. Default: the slowest of OSDP. */
  readonly baudRate?: number;
}

const BAUD_RATE_DEFAULT = 9_600;

const CONNECT_TIMEOUT_MS = 5_000;
const WRITE_BUFFER_MAX = 4_096;
/**
 * Polls that nobody answers may be stuck in the network and arrive later, an unlock among them. After this silence the
 * connection is reset, which also drops what the kernel still holds. Shorter than the 8 s after which a PD ends its session.
 */
const SILENCE_MAX_MS = 5_000;
/** The same on a connection that never carried an answer: no device may be there at all. */
const FIRST_SILENCE_MAX_MS = 60_000;

/** A serial converter that speaks raw TCP. The line's rate is set at the converter. */
export class TcpLink extends ReopeningLink {
  constructor(clock: Clock, { host, port, baudRate = BAUD_RATE_DEFAULT }: TcpLinkOptions) {
    super(`tcp ${host}:${port}`, baudRate, false, clock, (events, _, signal) =>
      openTcp(clock, host, port, events, signal),
    );
  }
}

async function openTcp(
  clock: Clock,
  host: string,
  port: number,
  events: TransportEvents,
  signal: AbortSignal,
): Promise<Transport> {
  const socket = await connected(clock, host, port, signal);
  let answered = false;
  let askedAtMs: number | undefined;
  socket.on('data', (bytes: Buffer) => {
    answered = true;
    askedAtMs = undefined;
    events.onData(bytes);
  });
  socket.on('close', () => {
    events.onEnd(new SparcError('ERR_BUS_TCP_CLOSED', `${host}:${port} closed the connection`, { host, port }));
  });
  return {
    write: (bytes) => {
      const nowMs = clock.monotonicMs();
      askedAtMs ??= nowMs;
      if (nowMs - askedAtMs > (answered ? SILENCE_MAX_MS : FIRST_SILENCE_MAX_MS)) {
        socket.resetAndDestroy();
        events.onEnd();
      } else if (socket.writableLength + bytes.length <= WRITE_BUFFER_MAX) {
        socket.write(bytes);
      }
    },
    close: () =>
      new Promise((resolve) => {
        if (socket.closed) resolve();
        else socket.once('close', () => resolve()).destroy();
      }),
  };
}

function connected(clock: Clock, host: string, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, keepAlive: true, signal });
    const timer = clock.setTimer(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('timed out')));
    const onError = (cause: NodeJS.ErrnoException) => {
      timer.cancel();
      const refused = cause.code === 'ECONNREFUSED';
      reject(
        new SparcError(
          refused ? 'ERR_BUS_TCP_REFUSED' : 'ERR_BUS_TCP_UNREACHABLE',
          `${host}:${port} ${refused ? 'refuses the connection' : `cannot be reached: ${cause.message}`}`,
          { host, port },
          { cause },
        ),
      );
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      timer.cancel();
      socket.off('error', onError);
      // A failed read or write is followed by `close`.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}
