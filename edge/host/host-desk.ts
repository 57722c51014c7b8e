import { isSparcError, SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { AuthorisationHost, HostQuestion } from './authorisation-host.js';

/** Questions under way at one time; one more is not asked. */
export const HOST_QUESTIONS_MAX = 32;

export interface HostDeskDeps {
  readonly clock: Clock;
  /** Undefined: none is configured. */
  readonly host: AuthorisationHost | undefined;
  readonly record: (event: EventDraft) => void;
}

/** Asks the host within the time that an access point gives it, and says on the record when it stops answering. */
export class HostDesk {
  #underWayCount = 0;
  #isAvailable = true;

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
      if (this.#isAvailable) this.deps.record({ name: 'host.unavailable', accessPointId, code });
      this.#isAvailable = false;
      return 'none';
    }
  }

  async #ask(question: HostQuestion, timeoutMs: number): Promise<'allowed' | 'denied'> {
    const { clock, host } = this.deps;
    if (host === undefined) throw new SparcError('ERR_HOST_NOT_CONFIGURED', 'the gateway configuration names no host');
    if (this.#underWayCount >= HOST_QUESTIONS_MAX) {
      throw new SparcError('ERR_HOST_BUSY', `${HOST_QUESTIONS_MAX} questions to the host are under way`);
    }
    const controller = new AbortController();
    this.#underWayCount += 1;
    let timer: Timer | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = clock.setTimer(timeoutMs, () => {
        reject(new SparcError('ERR_HOST_TIMEOUT', `the host did not answer within ${timeoutMs} ms`));
        controller.abort();
      });
    });
    try {
      return await Promise.race([host.authorise(question, controller.signal), late]);
    } finally {
      timer?.cancel();
      this.#underWayCount -= 1;
    }
  }
}
