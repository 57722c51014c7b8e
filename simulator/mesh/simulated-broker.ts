import type { Carrier, Down, Up } from '@sparc/protocol/cloud-link';
import type { Clock, CloudLink } from '@sparc/protocol/ports';
import type { SeededRandom } from '../world/index.js';
import { SimulatedCloudLink, type Ways } from './simulated-cloud-link.js';
import { Way } from './way.js';

type OnSaid = (carrier: Carrier, body: Uint8Array) => void;

interface Listener {
  readonly process: string;
  readonly what: Up;
  readonly sharing: string | undefined;
  readonly onSaid: OnSaid;
}

/** What a process of the cloud has of a broker. */
export interface BrokerClient {
  hear(what: Up, onSaid: OnSaid, sharing?: string): Promise<void>;
  say(carrier: Carrier, what: Down, body: Uint8Array): Promise<void>;
}

/** The broker between the machines of a site and the processes of a cloud; the ways to machines may lose, double and delay. */
export class SimulatedBroker {
  /** What went over it so far. */
  readonly carried = { links: 0, up: 0, down: 0, lost: 0, doubled: 0, overtaken: 0 };
  readonly #ways = new Map<string, Ways>();
  /** Programs, by machine. */
  readonly #programs = new Map<string, SimulatedCloudLink>();
  /** By gateway: of two links with one key the later takes the place of the earlier. */
  readonly #open = new Map<string, SimulatedCloudLink>();
  #listeners: readonly Listener[] = [];
  #isDown = false;

  constructor(
    private readonly clock: Clock,
    private readonly random: SeededRandom,
  ) {}

  ways(machine: string): Ways {
    const way = (name: string) => new Way(this.clock, this.random.fork(`${machine} ${name}`), this.carried);
    const ways = this.#ways.get(machine) ?? { up: way('up'), down: way('down') };
    this.#ways.set(machine, ways);
    return ways;
  }

  /** For a program that starts on a machine. */
  link(machine: string, carrier: Carrier): CloudLink {
    this.powerOff(machine);
    const random = this.random.fork(`${machine} at ${this.clock.monotonicMs()}`);
    const link = new SimulatedCloudLink(this.clock, random, this.#end, this.ways(machine), carrier);
    this.#programs.set(machine, link);
    return link;
  }

  /** The machine dies without a word. */
  powerOff(machine: string): void {
    this.#programs.get(machine)?.die();
    this.#programs.delete(machine);
  }

  /** For a process of the cloud; of those that share, one hears each message. */
  join(process: string): BrokerClient {
    return {
      hear: async (what, onSaid, sharing) => {
        this.#listeners = [...this.#listeners, { process, what, sharing, onSaid }];
      },
      say: async ({ gateway }, what, body) => {
        this.carried.down += 1;
        this.#open.get(gateway)?.hear(what, body);
      },
    };
  }

  /** The process dies. */
  leave(process: string): void {
    this.#listeners = this.#listeners.filter((listener) => listener.process !== process);
  }

  /** It dies, and every link ends. Returns what starts it again. */
  stop(): () => void {
    this.#isDown = true;
    const ended = [...this.#open.values()];
    this.#open.clear();
    for (const link of ended) link.end('the broker ended the link');
    return () => (this.#isDown = false);
  }

  readonly #end = {
    admit: (link: SimulatedCloudLink): boolean => {
      if (this.#isDown) return false;
      const { gateway } = link.carrier;
      const before = this.#open.get(gateway);
      this.#open.set(gateway, link);
      if (before !== link) before?.end('another link has its place');
      this.carried.links += 1;
      return true;
    },
    heard: (carrier: Carrier, what: Up, body: Uint8Array): void => {
      if (this.#isDown) return;
      this.carried.up += 1;
      const listeners = this.#listeners.filter((listener) => listener.what === what);
      for (const name of new Set(listeners.map(({ sharing }) => sharing))) {
        const sharing = listeners.filter((listener) => listener.sharing === name);
        for (const { onSaid } of name === undefined ? sharing : [this.random.pick(sharing)]) onSaid(carrier, body);
      }
    },
  };
}
