import { createServer } from 'node:net';

/** A port of loopback that was free a moment ago. */
export const freePort = (): Promise<number> => probe(0);

/** The first of so many ports in a row. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = await freePort();
    try {
      for (let port = first + 1; port < first + count; port++) await probe(port);
      return first;
    } catch {
      // One of them is taken.
    }
  }
}

function probe(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
