import { once } from 'node:events';
import { createServer } from 'node:net';
import { SparcError } from '@sparc/protocol/errors';

/**
 * Below what systems hand out for outgoing connections (32768 and up on Linux): such a port cannot be taken by a
 * connection between its choice and its use. Above all that browsers refuse.
 */
const FIRST_PORT = 20_000;
const PORT_COUNT = 12_000;

/** Throws ERR_SIMULATOR_PORT_IN_USE. `count`: of ports from this one on. */
export async function assertPortsFree(first: number, count: number): Promise<void> {
  for (let port = first; port < first + count; port++) {
    try {
      await probe(port);
    } catch (cause) {
      throw new SparcError(
        'ERR_SIMULATOR_PORT_IN_USE',
        `port ${port} is in use; choose others: npm start -- --port ${port + 1}`,
        { port },
        { cause },
      );
    }
  }
}

/** The first of so many ports of loopback in a row that are free. Another place for each process and each call. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = next;
    next = wrapped(next + count);
    try {
      for (let port = first; port < first + count; port++) await probe(port);
      return first;
    } catch {
      // One of them is taken.
    }
  }
}

export const freePort = (): Promise<number> => freePorts(1);

const wrapped = (port: number): number => FIRST_PORT + ((port - FIRST_PORT) % PORT_COUNT);

/** Neighbours by process id are far apart. */
let next = wrapped(FIRST_PORT + process.pid * 37);

async function probe(port: number): Promise<void> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const closed = once(server, 'close');
  server.close();
  await closed;
}
