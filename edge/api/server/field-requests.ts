import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import type { CommissioningAction, CommissioningAnswer } from '../../commissioning/index.js';
import type { DirectiveRequest } from '../../directives/index.js';
import type { OrderRequest } from '../../site-mode/index.js';
import { REQUESTS_WAITING_MAX, type FieldAnswer, type RequestAnswer, type SiteToField } from '../site-messages.js';

/** The field answers at once; only one that hangs or is flooded takes longer. */
const ANSWER_MAX_MS = 5_000;

/** People ask less; the field ends a site process that asks much more (`MESSAGES_PER_SECOND_MAX`). */
const REQUESTS_PER_SECOND_MAX = 50;
const SECOND_MS = 1_000;

/** What people ask of the field through the API. */
export class FieldRequests {
  readonly #waiting = new Map<number, (answer: FieldAnswer) => void>();
  #nextId = 1;
  #askedCount = 0;
  #askedSinceMs = -Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly tell: (message: SiteToField) => void,
  ) {}

  /** Rejects with what the field says, ERR_COMMISSIONING_BUSY, or ERR_API_FIELD_SILENT. */
  ask(action: CommissioningAction, authorization: string | undefined): Promise<CommissioningAnswer>;
  ask(action: OrderRequest, authorization: string | undefined): Promise<RequestAnswer>;
  ask(action: DirectiveRequest): Promise<Extract<RequestAnswer, { kind: 'directed' }>>;
  async ask(
    action: CommissioningAction | OrderRequest | DirectiveRequest,
    authorization?: string,
  ): Promise<RequestAnswer> {
    if (this.#waiting.size >= REQUESTS_WAITING_MAX || this.#isTooOften()) {
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
    }).finally(() => this.#waiting.delete(id));
    if (answer.ok) return answer.value;
    throw new SparcError(answer.code, answer.message);
  }

  #isTooOften(): boolean {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.#askedSinceMs >= SECOND_MS) {
      this.#askedSinceMs = nowMs;
      this.#askedCount = 0;
    }
    this.#askedCount += 1;
    return this.#askedCount > REQUESTS_PER_SECOND_MAX;
  }

  /** Late answers are answers to nobody. */
  answered(id: number, answer: FieldAnswer): void {
    this.#waiting.get(id)?.(answer);
  }
}
