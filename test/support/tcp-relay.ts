import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A cable between two programs of one machine: what goes to its port comes out at the target, unless it is cut. */
export class TcpRelay {
  readonly #server: Server;
  readonly #live = new Set<Socket>();
  readonly #dead = new Set<Socket>();
  /** Connections so far. */
  joinedCount = 0;
  #isCut = false;

  private constructor(
    private readonly targetPort: number,
    /** Either way, of each connection. */
    private readonly bytesPerSecond: number,
  ) {
    this.#server = createServer((near) => this.#join(near, connect(this.targetPort, '127.0.0.1')));
  }

  static async open(targetPort: number, bytesPerSecond = Infinity): Promise<TcpRelay> {
    const relay = new TcpRelay(targetPort, bytesPerSecond);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are up. */
  get liveCount(): number {
    return this.#live.size / 2;
  }

  /** Nothing goes through and nobody is told; when it is whole again, what waited goes on, as TCP does. */
  setCut(isCut: boolean): void {
    this.#isCut = isCut;
    for (const socket of this.#live) {
      if (isCut) socket.pause();
      else socket.resume();
    }
  }

  /** The machine at one end lost its power: connections so far stay silent for ever, new ones work. */
  orphan(): void {
    for (const socket of this.#live) {
      socket.pause();
      this.#dead.add(socket);
    }
    this.#live.clear();
  }

  /** All connections end, and both ends hear it. */
  drop(): void {
    for (const socket of this.#live) socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of [...this.#live, ...this.#dead]) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket, far: Socket): void {
    this.joinedCount += 1;
    this.#feed(near, far);
    this.#feed(far, near);
  }

  #feed(from: Socket, to: Socket): void {
    this.#live.add(from);
    from.on('data', (bytes) => {
      if (this.#dead.has(from)) return;
      to.write(bytes);
      if (this.bytesPerSecond < Infinity) this.#slow(from, bytes.length);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      const wasDead = this.#dead.delete(from);
      this.#live.delete(from);
      if (!wasDead) to.destroy();
    });
    if (this.#isCut) from.pause();
  }

  #slow(from: Socket, bytesCount: number): void {
    from.pause();
    setTimeout(
      () => {
        if (this.#live.has(from) && !this.#isCut) from.resume();
      },
      (bytesCount / this.bytesPerSecond) * 1_000,
    );
  }
}
