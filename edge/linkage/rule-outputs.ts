import { SparcError } from '@sparc/protocol/errors';
import type { Output } from '@sparc/protocol/policy';
import type { Clock, CommandOutcome, FieldBus, OutputAction, Timer } from '@sparc/protocol/ports';

/** How long a command may wait for the line: a lamp may come late, by no more than this. */
const COMMAND_TTL_MS = 2_000;
/** A command that failed on a device that answers is sent again after this. */
const RETRY_MS = 5_000;

export interface RuleOutputsDeps {
  readonly clock: Clock;
  readonly fieldBus: Pick<FieldBus, 'setOutput'>;
  readonly isOnline: (deviceId: string) => boolean;
}

interface Driven {
  readonly output: Output;
  on: boolean;
  retry: Timer | undefined;
}

/**
 * The outputs that rules drive. Each is off until a rule turns it on, also on a device that comes back: what an earlier
 * run, or its power, left on is no rule's word.
 */
export class RuleOutputs {
  readonly #driven = new Map<string, Driven>();

  constructor(private readonly deps: RuleOutputsDeps) {}

  /** Those that no rule drives any more are turned off; those that are wired as before stay as they are. */
  configure(outputs: readonly Output[]): void {
    for (const [id, driven] of this.#driven) {
      const now = outputs.find((output) => output.id === id);
      if (now?.device === driven.output.device && now.number === driven.output.number) continue;
      driven.retry?.cancel();
      this.#driven.delete(id);
      void this.#send(driven.output, { kind: 'off' });
    }
    for (const output of outputs) {
      if (this.#driven.has(output.id)) continue;
      const driven = { output, on: false, retry: undefined };
      this.#driven.set(output.id, driven);
      if (this.deps.isOnline(output.device)) void this.#assert(driven);
    }
  }

  deviceOnline(deviceId: string): void {
    for (const driven of this.#driven.values()) if (driven.output.device === deviceId) void this.#assert(driven);
  }

  /** What became of the first command; it is sent again until the device has it. */
  turn(outputId: string, on: boolean): Promise<CommandOutcome | undefined> {
    const driven = this.#driven.get(outputId);
    if (driven === undefined) return Promise.resolve(undefined);
    driven.on = on;
    return this.#assert(driven);
  }

  /** Ends in the device by itself, and is never sent again. */
  async pulse(outputId: string, durationMs: number): Promise<CommandOutcome | undefined> {
    const driven = this.#driven.get(outputId);
    return driven && this.#send(driven.output, { kind: 'onFor', durationMs });
  }

  stop(): void {
    for (const { retry } of this.#driven.values()) retry?.cancel();
    this.#driven.clear();
  }

  async #assert(driven: Driven): Promise<CommandOutcome> {
    const { clock, isOnline } = this.deps;
    const { output, on } = driven;
    driven.retry?.cancel();
    driven.retry = undefined;
    const outcome = await this.#send(output, { kind: on ? 'on' : 'off' });
    const isOutdated = driven.on !== on || driven.retry !== undefined || this.#driven.get(output.id) !== driven;
    // A device that is away is told when it comes back.
    if (outcome.kind !== 'acknowledged' && !isOutdated && isOnline(output.device)) {
      driven.retry = clock.setTimer(RETRY_MS, () => void this.#assert(driven));
    }
    return outcome;
  }

  async #send({ device, number }: Output, action: OutputAction): Promise<CommandOutcome> {
    const command = { deviceId: device, outputNumber: number, action, ttlMs: COMMAND_TTL_MS };
    try {
      return await this.deps.fieldBus.setOutput(command);
    } catch (cause) {
      const error = new SparcError('ERR_GATEWAY_INTERNAL', 'the bus failed on an output', {}, { cause });
      return { kind: 'unknown', error };
    }
  }
}
