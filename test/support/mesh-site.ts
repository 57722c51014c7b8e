import { Libp2pNetwork, type Libp2pNetworkDeps, type Libp2pNetworkOptions } from '@sparc/edge/mesh';
import { createNodeClock, nodeRandom, verifySignature } from '@sparc/edge/platform';
import type { Clock, Signer } from '@sparc/protocol/ports';
import { openRoster, signRoster, type Member, type SignedRoster } from '@sparc/protocol/roster';
import { freePort } from '@sparc/simulator/live';
import { TcpRelay } from './tcp-relay.js';
import { testSigner } from './test-signer.js';

const AUTHORITY_SEED = 200;
/** The wall clock of all, against the uptime of all. */
export const CLOCK_AHEAD_MS = 1_700_000_000_000;

/** The clock of the machine, so many times as fast: for what a mesh does only after seconds. */
export function fasterClock(factor: number): Clock {
  const clock = createNodeClock();
  return {
    monotonicMs: () => clock.monotonicMs() * factor,
    wall: () => clock.wall(),
    setTimer: (delayMs, callback) => clock.setTimer(delayMs / factor, callback),
  };
}

export interface TestMember {
  readonly key: string;
  readonly signer: Signer;
  readonly seed: Uint8Array;
  readonly port: number;
}

/** Gateways of one site on loopback, over libp2p as it is. */
export class MeshSite {
  readonly siteId = 'head-office';
  readonly siteSecret = new Uint8Array(32).fill(7);
  readonly members: TestMember[] = [];
  readonly authority = testSigner(AUTHORITY_SEED).publicKey;
  readonly logs: string[] = [];
  #epoch = 0;
  #roster: SignedRoster | undefined;
  /** Of the newest roster. */
  #members: readonly Member[] = [];
  readonly #networks = new Set<Libp2pNetwork>();
  readonly #relays = new Map<string, TcpRelay>();

  private constructor(private readonly clock: Clock) {}

  /** `ports`: of the members, where several processes are to mean the same site. */
  static async create(
    membersCount: number,
    clock: Clock = createNodeClock(),
    ports: readonly number[] = [],
  ): Promise<MeshSite> {
    const site = new MeshSite(clock);
    for (let seed = 1; seed <= membersCount; seed += 1) {
      const member = await site.stranger(seed);
      site.members.push({ ...member, port: ports[seed - 1] ?? member.port });
    }
    // The first one has the lowest key: it calls all others.
    site.members.sort((a, b) => (a.key < b.key ? -1 : 1));
    site.publish();
    return site;
  }

  /** The newest one. */
  get roster(): SignedRoster {
    if (this.#roster === undefined) throw new Error('no roster yet');
    return this.#roster;
  }

  /** Somebody with a key and an address, and on no roster. */
  async stranger(seed: number): Promise<TestMember> {
    const signer = testSigner(seed);
    const key = Buffer.from(signer.publicKey).toString('hex');
    return { key, signer, seed: new Uint8Array(32).fill(seed), port: await freePort() };
  }

  /** A newer roster, of these members. */
  publish(members: readonly TestMember[] = this.members): SignedRoster {
    this.#epoch += 1;
    this.#roster = signRoster(testSigner(AUTHORITY_SEED), {
      site: this.siteId,
      epoch: this.#epoch,
      issuedUnixMs: 1,
      notAfterUnixMs: 2 ** 47,
      members: members.map(({ key, port }) => ({ key, name: `gateway ${port}`, addresses: [`127.0.0.1:${port}`] })),
      expelled: [],
    });
    this.#members = this.membersOf(this.#roster);
    return this.#roster;
  }

  /** All that goes between two members from now on takes a cable of its own. */
  async cable(a: TestMember, b: TestMember, bytesPerSecond = Infinity): Promise<void> {
    this.#relays.set(`${a.key} ${b.key}`, await TcpRelay.open(b.port, bytesPerSecond));
    this.#relays.set(`${b.key} ${a.key}`, await TcpRelay.open(a.port, bytesPerSecond));
  }

  cables(a: TestMember, b: TestMember): TcpRelay[] {
    return [`${a.key} ${b.key}`, `${b.key} ${a.key}`].flatMap((name) => this.#relays.get(name) ?? []);
  }

  network(
    member: TestMember,
    options: Partial<Libp2pNetworkOptions> = {},
    deps: Partial<Libp2pNetworkDeps> = {},
  ): Libp2pNetwork {
    const roster = () => this.roster;
    const network = new Libp2pNetwork(
      {
        clock: this.clock,
        random: nodeRandom,
        signer: member.signer,
        verify: verifySignature,
        roster,
        siteSecrets: () => ({ present: this.siteSecret, previous: [] }),
        onSecretShared: () => undefined,
        time: () => ({ unixMs: this.clock.monotonicMs() + CLOCK_AHEAD_MS, quality: 'synced' }),
        uptimeMs: () => this.clock.monotonicMs(),
        isFieldSilent: () => false,
        members: () =>
          this.#members.map(({ key, addresses }) => {
            const relay = this.#relays.get(`${member.key} ${key}`);
            return relay === undefined
              ? { key, addresses }
              : { key, addresses: [`127.0.0.1:${relay.port}`], isPinned: true };
          }),
        admits: (neighbour, shown) => {
          this.membersOf(shown);
          return this.#members.some(({ key }) => key === neighbour);
        },
        onLog: (fields, message) => void this.logs.push(`${message} ${JSON.stringify(fields)}`),
        ...deps,
      },
      {
        siteId: this.siteId,
        seed: member.seed,
        listen: { host: '127.0.0.1', port: member.port },
        discover: false,
        // All of them call from one.
        callsOfAddressPerSecondMax: 200,
        ...options,
      },
    );
    this.#networks.add(network);
    return network;
  }

  /** Throws for a roster that the authority did not sign. */
  membersOf(roster: SignedRoster) {
    return openRoster(verifySignature, this.authority, roster).members;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#networks].map((network) => network.stop()));
    await Promise.all([...this.#relays.values()].map((relay) => relay.close()));
  }
}
