import t, { type Test } from 'tap';
import type { SparcError } from '@sparc/protocol/errors';
import type { ByteLink } from '@sparc/protocol/ports';
import { eventually } from '../../support/peers.js';

/** One fresh line and its far end. */
export interface ByteLinkFixture {
  /** Not started. */
  readonly link: ByteLink;
  /** What the far end has received so far. */
  readonly received: () => Uint8Array;
  /** The far end transmits, at the rate of the link. */
  readonly send: (bytes: Uint8Array) => void;
  /** The far end goes away, or the cable is pulled. */
  readonly cut: () => Promise<void>;
  /** It comes back. */
  readonly restore: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

export interface ByteLinkContractOptions {
  /** Why the suite cannot run here. */
  readonly skip?: string | false;
  /** Waits for a condition: in real time, or by running a virtual clock. */
  readonly until?: (what: string, condition: () => boolean) => Promise<void>;
}

/** Records what a link tells its handlers. */
export class LinkWitness {
  opens = 0;
  readonly downs: SparcError[] = [];
  readonly data: number[] = [];

  onOpen(): void {
    this.opens += 1;
  }

  onData(bytes: Uint8Array): void {
    this.data.push(...bytes);
  }

  onDown(error: SparcError): void {
    this.downs.push(error);
  }
}

/** The contract of the ByteLink port; every implementation, real or simulated, passes it. */
export function byteLinkContract(
  name: string,
  factory: () => Promise<ByteLinkFixture>,
  { skip = false, until = eventually }: ByteLinkContractOptions = {},
): void {
  const contract = (title: string, run: (t: Test, fixture: ByteLinkFixture) => Promise<void>) =>
    t.test(`${name}: ${title}`, { skip }, async (t) => {
      const fixture = await factory();
      t.teardown(async () => {
        await fixture.link.stop();
        await fixture.dispose();
      });
      await run(t, fixture);
    });

  contract('carries every byte value in both directions, in order', async (t, { link, received, send }) => {
    const witness = new LinkWitness();
    link.start(witness);
    await until('the link is open', () => witness.opens === 1);
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    link.write(bytes);
    await until('the far end has all bytes', () => received().length >= 256);
    t.same([...received()], [...bytes]);
    send(bytes);
    await until('the link has all bytes', () => witness.data.length >= 256);
    t.same(witness.data, [...bytes]);
  });

  contract('says that it is down, drops what is written meanwhile, and opens again by itself', async (t, fixture) => {
    const { link, received, send } = fixture;
    const witness = new LinkWitness();
    link.start(witness);
    await until('the link is open', () => witness.opens === 1);
    await fixture.cut();
    await until('the link is down', () => witness.downs.length >= 1);
    link.write(Uint8Array.of(0xee));
    await fixture.restore();
    await until('the link is open again', () => witness.opens === 2);
    link.write(Uint8Array.of(1, 2, 3));
    await until('the far end hears it again', () => received().length >= 3);
    t.same([...received()], [1, 2, 3], 'nothing old arrives late');
    send(Uint8Array.of(4, 5));
    await until('the link hears the far end again', () => witness.data.length >= 2);
    t.same(witness.data, [4, 5]);
  });

  contract('reports a reason once, however often it tries', async (t, fixture) => {
    const witness = new LinkWitness();
    await fixture.cut();
    fixture.link.start(witness);
    await until('the link is down', () => witness.downs.length >= 1);
    await fixture.restore();
    await until('the link is open', () => witness.opens === 1);
    t.same(new Set(witness.downs.map(({ code }) => code)).size, witness.downs.length);
    t.ok(witness.downs.every(({ code }) => code.startsWith('ERR_BUS_')));
  });

  contract('changes its rate without losing what was written before', async (t, { link, received, send }) => {
    const witness = new LinkWitness();
    link.start(witness);
    await until('the link is open', () => witness.opens === 1);
    const before = link.baudRate;
    link.write(Uint8Array.of(1, 2, 3));
    await until('the far end has them', () => received().length === 3);
    let changed = false;
    void link.setBaudRate(38_400).then(() => (changed = true));
    await until('the new rate is in force', () => changed);
    t.equal(link.baudRate, link.canSetBaudRate ? 38_400 : before);
    send(Uint8Array.of(9));
    await until('the link hears the far end at the new rate', () => witness.data.length === 1);
    link.write(Uint8Array.of(4));
    await until('the far end has the last', () => received().length === 4);
    t.same([...received()], [1, 2, 3, 4]);
  });

  contract('stops at any time, twice as well as once, and is silent afterwards', async (t, { link, send }) => {
    const witness = new LinkWitness();
    link.start(witness);
    await link.stop();
    await link.stop();
    const opens = witness.opens;
    link.write(Uint8Array.of(1));
    send(Uint8Array.of(2));
    t.same([witness.opens, witness.data, witness.downs], [opens, [], []]);
  });
}
