import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import type { CommissioningAction, CommissioningAnswer } from '../../commissioning/index.js';
import type { DirectiveRequest } from '../../directives/index.js';
import type { OrderRequest } from '../../site-mode/index.js';
import { REQUESTS_WAITING_MAX, type FieldAnswer, type RequestAnswer, type SiteToField } from '../site-messages.js';
import type { TrialRequest } from '../trial-request.js';

/** The field answers at once; only one that hangs or is flooded takes longer. */
const ANSWER_MAX_MS = 5_000;

/** People ask less; the field ends a site process that asks much more (`MESSAGES_PER_SECOND_MAX`). */
const REQUESTS_PER_SECOND_MAX = 50;
/** Beside them, those that operators of the site have signed: no garbage keeps a lockdown out. */
const OPERATORS_PER_SECOND_MAX = 20;
const SECOND_MS = 1_000;

/** What people ask of the field through the API. */
export class FieldRequests {
  readonly #waiting = new Map<number, (answer: FieldAnswer) => void>();
  #nextId = 1;
  readonly #anybodys: Slots;
  readonly #operators: Slots;

  constructor(
    private readonly clock: Clock,
    private readonly tell: (message: SiteToField) => void,
  ) {
    this.#anybodys = new Slots(clock, REQUESTS_PER_SECOND_MAX);
    this.#operators = new Slots(clock, OPERATORS_PER_SECOND_MAX);
  }

  /**
   * Rejects with what the field says, ERR_COMMISSIONING_BUSY, or ERR_API_FIELD_SILENT. `isOperators`: an operator of the site
   * signed it, which was verified.
   */
  ask(action: CommissioningAction, authorization: string | undefined): Promise<CommissioningAnswer>;
  ask(action: OrderRequest, authorization: string | undefined): Promise<RequestAnswer>;
  ask(
    action: DirectiveRequest,
    authorization: undefined,
    isOperators: boolean,
  ): Promise<Extract<RequestAnswer, { kind: 'directed' }>>;
  ask(action: TrialRequest): Promise<Extract<RequestAnswer, { kind: 'tried' }>>;
  async ask(
    action: CommissioningAction | OrderRequest | DirectiveRequest | TrialRequest,
    authorization?: string,
    isOperators = false,
  ): Promise<RequestAnswer> {
    const slots = isOperators ? this.#operators : this.#anybodys;
    if (!slots.take()) {
      throw new SparcError('ERR_COMMISSIONING_BUSY', 'more requests come than the gateway takes');
    }
    const id = this.#nextId++;
    const answer = await new Promise<FieldAnswer>((resolve) => {
      const timer = this.clock.setTimer(ANSWER_MAX_MS, () =>
        resolve({ ok: false, code: 'ERR_API_FIELD_SILENT', message: 'the gateway does not answer the request' }),
      );
      this.#waiting.set(id, (given) => {
        timer.cancel();
        resolve(given);
      });
      this.tell({ kind: 'request', id, action, ...(authorization === undefined ? {} : { authorization }) });
    }).finally(() => {
      this.#waiting.delete(id);
      slots.giveBack();
    });
    if (answer.ok) return answer.value;
    throw new SparcError(answer.code, answer.message);
  }

  /** Late answers are answers to nobody. */
  answered(id: number, answer: FieldAnswer): void {
    this.#waiting.get(id)?.(answer);
  }
}

/** How many requests are under way, and how many were within a second. */
class Slots {
  #waitingCount = 0;
  #takenCount = 0;
  #sinceMs = -Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly perSecondMax: number,
  ) {}

  /** False where there is none. */
  take(): boolean {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.#sinceMs >= SECOND_MS) {
      this.#sinceMs = nowMs;
      this.#takenCount = 0;
    }
    if (this.#waitingCount >= REQUESTS_WAITING_MAX || this.#takenCount >= this.perSecondMax) return false;
    this.#takenCount += 1;
    this.#waitingCount += 1;
    return true;
  }

  giveBack(): void {
    this.#waitingCount -= 1;
  }
}
