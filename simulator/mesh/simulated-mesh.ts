import type { Clock } from '@sparc/protocol/ports';
import type { SeededRandom } from '../world/index.js';
import { Path, type PathCondition } from './path.js';
import { Pipe } from './pipe.js';
import { SimulatedNetwork } from './simulated-network.js';

/**
 * The network of a site, between machines that are named by whoever joins them: every way from one to another has its
 * own latency, speed and cuts. What a path does wrong shows as with TCP: late, or as a link that ends.
 */
export class SimulatedMesh {
  /** What went over it so far. */
  readonly carried = {
    sessions: 0,
    refusals: 0,
    messages: 0,
    lostMessages: 0,
    messageBytes: 0,
    requests: 0,
    pieceBytes: 0,
  };
  /** Whatever a program hears from another, the moment it does; for those who watch. */
  onMessage: (from: SimulatedNetwork, to: SimulatedNetwork, message: Uint8Array) => void = () => undefined;
  /** From one machine, to another. */
  readonly #paths = new Map<string, Map<string, Path>>();
  /** The program that runs on each machine. */
  readonly #programs = new Map<string, SimulatedNetwork>();
  /** Rises whenever a session begins or ends, or a program does. */
  changesCount = 0;
  #pipesCount = 0;

  constructor(
    readonly clock: Clock,
    readonly random: SeededRandom,
    /** Between which machines there is a cable at all. Default: between any two. */
    readonly isWired: (a: string, b: string) => boolean = () => true,
  ) {}

  /** The end of the mesh for a program that starts on a machine; one that ran there before is gone. `key` in hex. */
  join(machine: string, key: string): SimulatedNetwork {
    this.powerOff(machine);
    const program = new SimulatedNetwork(this, machine, key);
    this.#programs.set(machine, program);
    this.changed();
    return program;
  }

  /** The machine dies without a word: no handler of its program runs again, and neighbours hear nothing more. */
  powerOff(machine: string): void {
    this.#programs.get(machine)?.die();
    this.#programs.delete(machine);
    this.changed();
  }

  /** A session or a program began or ended, or a way was cut or repaired. */
  changed(): void {
    this.changesCount += 1;
    for (const program of this.#programs.values()) program.wake();
  }

  path(from: string, to: string): Path {
    const paths = this.#paths.get(from) ?? new Map<string, Path>();
    this.#paths.set(from, paths);
    const path =
      paths.get(to) ??
      new Path(
        () => this.clock.monotonicMs(),
        () => this.changed(),
      );
    paths.set(to, path);
    return path;
  }

  /** Cuts both ways between two machines, and returns what repairs them. */
  cut(a: string, b: string): () => void {
    const repairs = [this.path(a, b).cut(), this.path(b, a).cut()];
    return () => repairs.forEach((repair) => repair());
  }

  /** Changes how bytes travel both ways between two machines. */
  setLink(a: string, b: string, change: Partial<PathCondition>): void {
    for (const path of [this.path(a, b), this.path(b, a)]) path.condition = { ...path.condition, ...change };
  }

  /** Ends the session of two machines as a router does that forgets them. */
  reset(a: string, b: string): void {
    for (const [machine, other] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#programs.get(machine)?.lose(other, 'the connection is reset');
    }
  }

  /** The programs that run, each on its machine. */
  programs(): readonly SimulatedNetwork[] {
    return [...this.#programs.values()];
  }

  /** By key of a program: the keys of all others that it hears, directly or through others. */
  reached(): ReadonlyMap<string, ReadonlySet<string>> {
    const neighbours = new Map(this.programs().map((program) => [program.key, program.neighbours]));
    const reached = new Map<string, Set<string>>();
    for (const start of neighbours.keys()) {
      if (reached.has(start)) continue;
      const component = new Set([start]);
      for (const key of component) for (const next of neighbours.get(key) ?? []) component.add(next);
      for (const key of component) {
        const others = new Set(component);
        others.delete(key);
        reached.set(key, others);
      }
    }
    return reached;
  }

  programOn(machine: string): SimulatedNetwork | undefined {
    return this.#programs.get(machine);
  }

  pipe(from: string, to: string): Pipe {
    const name = `pipe ${++this.#pipesCount}`;
    return new Pipe(this.clock, this.random.fork(name), this.path(from, to));
  }
}
