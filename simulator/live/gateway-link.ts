import { TcpRelay } from './tcp-relay.js';

/** The port at which a gateway listens to others. */
export interface LinkEnd {
  readonly id: string;
  readonly meshPort: number;
}

/** The cable between two gateways: whoever calls the other one does so through it. */
export class GatewayLink {
  #isCut = false;

  private constructor(
    readonly ends: readonly [string, string],
    /** By whom they lead to. */
    private readonly relays: ReadonlyMap<string, TcpRelay>,
  ) {}

  static async open(a: LinkEnd, b: LinkEnd): Promise<GatewayLink> {
    const [toA, toB] = await Promise.all([TcpRelay.open(a.meshPort), TcpRelay.open(b.meshPort)]);
    return new GatewayLink(
      [a.id, b.id],
      new Map([
        [a.id, toA],
        [b.id, toB],
      ]),
    );
  }

  get id(): string {
    return this.ends.join('-');
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** Where one end calls the other. */
  addressOf(id: string): string | undefined {
    const relay = this.relays.get(id);
    return relay && `127.0.0.1:${relay.port}`;
  }

  setCut(isCut: boolean): void {
    this.#isCut = isCut;
    for (const relay of this.relays.values()) relay.setCut(isCut);
  }

  async close(): Promise<void> {
    await Promise.all([...this.relays.values()].map((relay) => relay.close()));
  }
}
