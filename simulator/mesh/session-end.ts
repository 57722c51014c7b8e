import type { Pipe } from './pipe.js';
import type { SimulatedNetwork } from './simulated-network.js';

/** Of a request, or of a word that the next piece of its answer may come. */
const REQUEST_BYTES = 100;

/** One end of a session between the programs of two machines. */
export class SessionEnd {
  phase: 'greeting' | 'open' | 'ended' = 'greeting';
  readonly #waiting = new Set<(error: Error) => void>();
  #other: SessionEnd | undefined;

  private constructor(
    readonly owner: SimulatedNetwork,
    /** What this end says. */
    readonly pipe: Pipe,
  ) {}

  /** The end of whoever calls. */
  static between(caller: SimulatedNetwork, called: SimulatedNetwork): SessionEnd {
    const { mesh } = caller;
    const near = new SessionEnd(caller, mesh.pipe(caller.machine, called.machine));
    const far = new SessionEnd(called, mesh.pipe(called.machine, caller.machine));
    near.#other = far;
    far.#other = near;
    return near;
  }

  get other(): SessionEnd {
    if (this.#other === undefined) throw new Error('a session has two ends');
    return this.#other;
  }

  /** The key of whoever is at the other end. */
  get neighbour(): string {
    return this.other.owner.key;
  }

  /** What `serve` gives at the other end, when it is here. Rejects when the session ends, or where `serve` throws. */
  ask<Answer extends Uint8Array | undefined>(serve: (server: SessionEnd) => Answer): Promise<Answer> {
    const { other } = this;
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const back = (sizeBytes: number, settle: () => void) => {
        other.pipe.send(sizeBytes, () => {
          if (this.#waiting.delete(reject)) settle();
        });
      };
      this.pipe.send(REQUEST_BYTES, () => {
        if (other.phase !== 'open') return;
        try {
          const answer = serve(other);
          back(answer?.length ?? 0, () => resolve(answer));
        } catch (error) {
          back(0, () => reject(error instanceof Error ? error : new Error(String(error))));
        }
      });
    });
  }

  /** Whoever waits at this end is told; `tell` at the other end is called when the word gets there. */
  end(why: string, tell: () => void): void {
    this.phase = 'ended';
    this.pipe.close(tell);
    for (const reject of this.#waiting) reject(new Error(why));
    this.#waiting.clear();
  }

  /** The program at this end is gone, and whoever waited with it. */
  die(): void {
    this.phase = 'ended';
    this.pipe.close();
    this.#waiting.clear();
  }
}
