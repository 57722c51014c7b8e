import { isSparcError, SparcError } from '@sparc/protocol/errors';
import { whyOf, type EventDraft } from '@sparc/protocol/events';
import type { Clock, EntryId } from '@sparc/protocol/ports';
import { Turns } from '../clock/index.js';
import type { DirectiveMemory } from './directive-memory.js';

/** Refusals of what one gateway carries, or one operator gives here, that are recorded at once; then one after each pause. */
export const REFUSALS_AT_ONCE_MAX = 8;
export const REFUSAL_PAUSE_MS = 10_000;

/** As far as its signature was verified: whoever carries a forgery says nothing about anybody's directive. */
export interface Known {
  readonly directive?: string;
  readonly operator?: string;
}

/** Records what is not carried out, once each, and no more than a gateway that lies can make others write. */
export class Refusals {
  readonly #turns = new Map<string, Turns>();

  constructor(
    private readonly clock: Clock,
    private readonly memory: DirectiveMemory,
    private readonly keep: (event: EventDraft, cause?: Promise<EntryId | undefined>) => unknown,
  ) {}

  /** `source`: whose ledger it is in, or who gave it here. */
  record(source: string, known: Known, error: unknown, cause?: Promise<EntryId | undefined>): void {
    const { directive } = known;
    if (directive !== undefined && this.memory.isRefused(directive)) return;
    if (!this.#turnsOf(source).take()) return;
    if (directive !== undefined) {
      this.memory.addRefused(directive);
      void this.memory.save();
    }
    const { code, message } = asSparcError(error);
    this.keep({ name: 'directive.refused', code, detail: { ...known, why: whyOf(message) } }, cause);
  }

  #turnsOf(source: string): Turns {
    const turns = this.#turns.get(source) ?? new Turns(this.clock, REFUSALS_AT_ONCE_MAX, REFUSAL_PAUSE_MS);
    this.#turns.set(source, turns);
    return turns;
  }
}

export const asSparcError = (error: unknown): SparcError =>
  isSparcError(error) ? error : new SparcError('ERR_GATEWAY_INTERNAL', (error as Error).message, {}, { cause: error });
