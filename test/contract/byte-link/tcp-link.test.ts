import { createServer, type Server, type Socket } from 'node:net';
import t from 'tap';
import { TcpLink } from '@sparc/firmware-bridges/osdp';
import { freePort } from '@sparc/simulator/live';
import { eventually } from '../../support/peers.js';
import { systemClock } from '../../support/system-clock.js';
import { byteLinkContract, LinkWitness } from './byte-link-contract.js';

/** A serial converter: takes one connection at a time, can lose its power. */
class Converter {
  readonly heard: number[] = [];
  #server: Server | undefined;
  #socket: Socket | undefined;

  private constructor(readonly port: number) {}

  /** With power. */
  static async install(): Promise<Converter> {
    const converter = new Converter(await freePort());
    await converter.powerOn();
    return converter;
  }

  async powerOn(): Promise<void> {
    const server = createServer((socket) => {
      this.#socket = socket;
      socket.on('data', (bytes) => this.heard.push(...bytes));
      socket.on('error', () => undefined);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
  }

  send(bytes: Uint8Array): void {
    this.#socket?.write(bytes);
  }

  hangUp(): void {
    this.#socket?.destroy();
  }

  async powerOff(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    this.hangUp();
    await closed;
  }
}

byteLinkContract('TCP converter', async () => {
  const converter = await Converter.install();
  return {
    link: new TcpLink(systemClock, { host: '127.0.0.1', port: converter.port }),
    received: () => Uint8Array.from(converter.heard),
    send: (bytes) => converter.send(bytes),
    cut: () => converter.powerOff(),
    restore: () => converter.powerOn(),
    dispose: () => converter.powerOff(),
  };
});

t.test('a hang-up is a closed connection, a port where nobody listens a refused one', async (t) => {
  const converter = await Converter.install();
  const witness = new LinkWitness();
  const link = new TcpLink(systemClock, { host: '127.0.0.1', port: converter.port });
  t.teardown(() => link.stop());
  link.start(witness);
  await eventually('the link is open', () => witness.opens === 1);
  await converter.powerOff();
  await eventually('both reasons are given', () => witness.downs.length === 2);
  t.same(
    witness.downs.map(({ code }) => code),
    ['ERR_BUS_TCP_CLOSED', 'ERR_BUS_TCP_REFUSED'],
  );
});

t.test('a name that does not resolve is an unreachable converter', async (t) => {
  const witness = new LinkWitness();
  const link = new TcpLink(systemClock, { host: 'no-such-host.invalid', port: 4001 });
  link.start(witness);
  await eventually('a reason is given', () => witness.downs.length > 0);
  await link.stop();
  t.equal(witness.downs[0]?.code, 'ERR_BUS_TCP_UNREACHABLE');
});

t.test('a converter has the rate that it is said to have, and keeps it', async (t) => {
  const address = { host: '127.0.0.1', port: 4001 };
  t.equal(new TcpLink(systemClock, address).baudRate, 9_600, 'the slowest, where nothing is said');
  const link = new TcpLink(systemClock, { ...address, baudRate: 38_400 });
  await link.setBaudRate(115_200);
  t.same([link.baudRate, link.canSetBaudRate], [38_400, false]);
});
