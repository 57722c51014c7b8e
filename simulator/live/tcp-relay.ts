import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One direction of a cable between two programs of this machine: who calls its port reaches the target, unless it is cut. */
export class TcpRelay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(private readonly targetPort: number) {
    this.#server = createServer((near) => this.#join(near));
  }

  /** To a port of loopback, from another one; 0: any that is free. */
  static async open(targetPort: number, port = 0): Promise<TcpRelay> {
    const relay = new TcpRelay(targetPort);
    relay.#server.listen(port, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * While it is cut, nothing goes through connections that are up, and neither end is told; new ones are not made. What
   * waited goes on afterwards, as TCP does.
   */
  setCut(isCut: boolean): void {
    this.#isCut = isCut;
    for (const socket of this.#sockets) {
      if (isCut) socket.pause();
      else socket.resume();
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #join(near: Socket): void {
    if (this.#isCut) {
      near.destroy();
      return;
    }
    const far = connect(this.targetPort, '127.0.0.1');
    this.#feed(near, far);
    this.#feed(far, near);
  }

  #feed(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (bytes) => {
      if (!to.write(bytes)) this.#rest(from, to);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  /** Whoever takes slowly slows down who sends. */
  #rest(from: Socket, to: Socket): void {
    from.pause();
    to.once('drain', () => {
      if (!this.#isCut) from.resume();
    });
  }
}
