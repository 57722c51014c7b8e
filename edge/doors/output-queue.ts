import type { Clock, CommandOutcome, Timer } from '@sparc/protocol/ports';

interface Sent {
  /** It leaves this long after the one before it. */
  readonly afterMs?: number;
}

export interface OutputQueueDeps<T extends Sent> {
  readonly transmit: (command: T) => Promise<CommandOutcome>;
  /** What becomes of a command that is dropped. */
  readonly dropped: () => CommandOutcome;
}

/** Commands to the outputs of a door, in their order, with a pause before those that ask for one. */
export class OutputQueue<T extends Sent> {
  #waiting: { readonly command: T; readonly resolve: (outcome: CommandOutcome | Promise<CommandOutcome>) => void }[] =
    [];
  #pause: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly deps: OutputQueueDeps<T>,
  ) {}

  /** Leaves within this call, unless it or one before it asks for a pause. */
  send(command: T): Promise<CommandOutcome> {
    return new Promise((resolve) => {
      this.#waiting.push({ command, resolve });
      if (this.#pause === undefined) this.#next();
    });
  }

  /** Nothing that waits is sent. */
  drop(): void {
    this.#pause?.cancel();
    this.#pause = undefined;
    for (const { resolve } of this.#waiting.splice(0)) resolve(this.deps.dropped());
  }

  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const { afterMs = 0 } = first.command;
      if (afterMs > 0) {
        this.#pause = this.clock.setTimer(afterMs, () => {
          this.#pause = undefined;
          this.#transmitFirst();
          this.#next();
        });
        return;
      }
      this.#transmitFirst();
    }
  }

  #transmitFirst(): void {
    const first = this.#waiting.shift();
    first?.resolve(this.deps.transmit(first.command));
  }
}
