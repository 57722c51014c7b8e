import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { CloudBus } from './cloud-bus.js';

/** A gateway that does not read keeps whoever speaks to it waiting for so long, and no longer. */
export const SAY_WITHIN_MS = 5_000;

/**
 * The same, where nobody waits for a gateway that does not read: `say` rejects with ERR_LINK_UNREAD then, and what was said may
 * still come to it. It asks for the rest when it says hello.
 */
export const impatient = (clock: Clock, bus: CloudBus): CloudBus => ({
  hear: (what, onSaid, sharing) => bus.hear(what, onSaid, sharing),
  async say(carrier, what, body) {
    let timer: Timer | undefined;
    const unread = new Promise<never>((_, reject) => {
      const message = `${carrier.gateway} took no ${what} within ${SAY_WITHIN_MS} ms`;
      timer = clock.setTimer(SAY_WITHIN_MS, () => reject(new SparcError('ERR_LINK_UNREAD', message, { ...carrier })));
    });
    try {
      await Promise.race([bus.say(carrier, what, body), unread]);
    } finally {
      timer?.cancel();
    }
  },
});
