import type { SignedHead } from '../ledger/index.js';
import { isAttested, kindOf, type Raise } from '../site-mode/index.js';
import type { DeliveryLog } from './delivery-log.js';
import type { DeliverySite } from './delivery-of.js';
import type { StandingRaise } from './delivery-view.js';

/**
 * What stands at any member of the site by its own log, the oldest first. One that lies speaks for itself alone. What a
 * gateway raised that was expelled members drop without a word, each when it hears of that. `attested`: up to which heads
 * its log counts, by its key.
 */
export function standingOf(
  log: DeliveryLog,
  { members }: Pick<DeliverySite, 'members'>,
  attested: ReadonlyMap<string, readonly SignedHead[]>,
): readonly StandingRaise[] {
  const found = new Map<string, StandingRaise>();
  for (const { key } of members) {
    const { raises, expelled } = log.reportOf(key);
    for (const raise of raises) {
      const isDropped = raise.entry !== undefined && expelled.includes(raise.entry.author);
      if (isDropped && !isAttested(raise, attested)) continue;
      const name = `${raise.id} ${kindOf(raise)}`;
      const before = found.get(name) ?? standingRaise(log, key, raise);
      const atUnixMs = Math.min(before.atUnixMs, raise.atUnixMs);
      found.set(name, { ...before, atUnixMs, standsAt: [...before.standsAt, key] });
    }
  }
  return [...found.values()].sort((a, b) => a.atUnixMs - b.atUnixMs);
}

function standingRaise(log: DeliveryLog, heldBy: string, raise: Raise): StandingRaise {
  const { id, what, by, level, scope, input, isDirected, entry, atUnixMs } = raise;
  const onBehalfOf = isDirected ? log.given(id)?.directive.onBehalfOf : undefined;
  return {
    ...{ id, what, by, atUnixMs, standsAt: [] },
    ...(level !== undefined && { level }),
    ...(scope !== undefined && { scope: [...scope] }),
    ...(input !== undefined && { input }),
    ...(onBehalfOf !== undefined && { onBehalfOf }),
    ...(isDirected !== true && { gateway: entry?.author ?? heldBy }),
  };
}
