import type { SimulatedLock } from '../../devices/index.js';
import type { Violations } from '../violation.js';

/** What a line may add to the life of a command: its own time, and a converter that keeps a frame back. */
const LINE_DELAY_MAX_MS = 1_500;

interface Release {
  readonly atMs: number;
  readonly durationMs: number;
  readonly ttlMs: number;
}

/**
 * A lock is released only by a command that is still alive, each command releases once, and the lock relocks by itself
 * when the time of the command is over.
 */
export class LocksObeyCommands {
  readonly #commands = new Map<string, Release[]>();

  constructor(
    private readonly violations: Violations,
    private readonly nowMs: () => number,
  ) {}

  commanded(lockId: string, durationMs: number, ttlMs: number): void {
    const commands = this.#commands.get(lockId) ?? [];
    this.#commands.set(lockId, [...commands, { atMs: this.nowMs(), durationMs, ttlMs }]);
  }

  /** Over the whole history of the locks. */
  check(locks: Iterable<SimulatedLock>): void {
    for (const lock of locks) {
      const unused = [...(this.#commands.get(lock.id) ?? [])];
      const [, ...rest] = [...lock.movements, undefined];
      lock.movements.forEach(({ atMs, released }, index) => {
        if (!released) return;
        const used = unused.findIndex(
          (command) => command.atMs <= atMs && atMs <= command.atMs + command.ttlMs + LINE_DELAY_MAX_MS,
        );
        const command = unused[used];
        if (command === undefined) {
          this.#object(`${lock.id} was released at ${atMs} ms without a command that was alive`);
          return;
        }
        const relockedAtMs = rest[index]?.atMs ?? this.nowMs();
        const newest = unused.filter((other) => other.atMs <= relockedAtMs).at(-1) ?? command;
        unused.splice(used, 1);
        if (relockedAtMs > newest.atMs + newest.durationMs + newest.ttlMs + LINE_DELAY_MAX_MS) {
          this.#object(`${lock.id}, released at ${atMs} ms, relocked only at ${relockedAtMs} ms`);
        }
      });
    }
  }

  #object(what: string): void {
    this.violations.add('locks-obey-commands', what);
  }
}
