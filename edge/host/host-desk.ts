import { isSparcError, SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { Clock } from '@sparc/protocol/ports';
import type { AuthorisationHost, HostQuestion } from './authorisation-host.js';

/** Questions under way at one time; one more is not asked. */
export const HOST_QUESTIONS_MAX = 32;

export interface HostDeskDeps {
  readonly clock: Clock;
  /** Undefined: none is configured. */
  readonly host: AuthorisationHost | undefined;
  readonly record: (event: EventDraft) => unknown;
}

/** Asks the host within the time that an access point gives it, and says on the record when it stops answering. */
export class HostDesk {
  readonly #questions = new Set<AbortController>();
  #isAvailable = true;
  #stopped = false;

  constructor(private readonly deps: HostDeskDeps) {}

  /** Never rejects: whatever goes wrong is no answer. */
  async ask(question: HostQuestion, timeoutMs: number): Promise<'allowed' | 'denied' | 'none'> {
    const { accessPointId } = question;
    try {
      const answer = await this.#ask(question, timeoutMs);
      if (!this.#isAvailable) this.deps.record({ name: 'host.available', accessPointId });
      this.#isAvailable = true;
      return answer;
    } catch (error) {
      const code: ErrorCode = isSparcError(error) ? error.code : 'ERR_HOST_UNREACHABLE';
      if (this.#isAvailable && !this.#stopped) this.deps.record({ name: 'host.unavailable', accessPointId, code });
      this.#isAvailable = false;
      return 'none';
    }
  }

  /** Ends the questions under way. Idempotent. */
  stop(): void {
    this.#stopped = true;
    for (const each of this.#questions) each.abort();
  }

  async #ask(question: HostQuestion, timeoutMs: number): Promise<'allowed' | 'denied'> {
    const { clock, host } = this.deps;
    if (host === undefined) throw new SparcError('ERR_HOST_NOT_CONFIGURED', 'the gateway configuration names no host');
    if (this.#questions.size >= HOST_QUESTIONS_MAX) {
      throw new SparcError('ERR_HOST_BUSY', `${HOST_QUESTIONS_MAX} questions to the host are under way`);
    }
    const controller = new AbortController();
    const { signal } = controller;
    const late = () => new SparcError('ERR_HOST_TIMEOUT', `the host did not answer within ${timeoutMs} ms`);
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(late()));
    });
    this.#questions.add(controller);
    const timer = clock.setTimer(timeoutMs, () => controller.abort());
    try {
      return await Promise.race([host.authorise(question, signal), aborted]);
    } catch (error) {
      throw signal.aborted ? late() : error;
    } finally {
      timer.cancel();
      this.#questions.delete(controller);
    }
  }
}
