import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import type { AuthorisationHost } from '@sparc/edge/host';

export const HOST_ANSWERS = ['allows', 'denies', 'is silent', 'is down'] as const;
export type HostAnswer = (typeof HOST_ANSWERS)[number];

/** The system outside that has a say, a quarter of a second away. */
export class ScenarioHost implements AuthorisationHost {
  answer: HostAnswer = 'allows';

  constructor(private readonly clock: Clock) {}

  authorise(): Promise<'allowed' | 'denied'> {
    const { answer } = this;
    return new Promise((resolve, reject) => {
      if (answer === 'is silent') return;
      this.clock.setTimer(250, () => {
        if (answer === 'is down') reject(new SparcError('ERR_HOST_UNREACHABLE', 'the host is down'));
        else resolve(answer === 'allows' ? 'allowed' : 'denied');
      });
    });
  }
}
