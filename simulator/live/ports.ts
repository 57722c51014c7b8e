import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { SparcError } from '@sparc/protocol/errors';

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

/** A port of loopback that was free a moment ago. */
export const freePort = (): Promise<number> => probe(0);

async function probe(wanted: number): Promise<number> {
  const server = createServer();
  server.listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const closed = once(server, 'close');
  server.close();
  await closed;
  return port;
}
