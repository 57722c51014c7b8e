import type { SiteHistory } from '../site-history.js';
import type { Given } from '../town-truth.js';
import type { Violations } from '../violation.js';

/** From the word of an operator to the record of its effect on the last platter of the site. */
const SPREAD_MAX_MS = 1_000;
/** Before it, links were whole for so long that nobody has anything to catch up with. */
const CALM_MS = 1_000;
/** Kinds that every gateway carries out. */
const EVERYWHERE: readonly Given['kind'][] = ['lockdown', 'threat', 'release', 'revoke', 'visitor', 'forgive'];

/** Promise 7: what an operator directs is applied in time by every gateway that is reached. Returns how often that was seen. */
export function checkSpreadsInTime(
  given: readonly Given[],
  histories: readonly (SiteHistory | undefined)[],
  violations: Violations,
): { readonly seen: number; readonly slowestMs: number } {
  let seen = 0;
  let slowestMs = 0;
  for (const { id, kind, atMs, gateway, appliedAtMs, isRaisedByGateway } of given) {
    if (!EVERYWHERE.includes(kind) || isRaisedByGateway === true) continue;
    const endMs = atMs + SPREAD_MAX_MS;
    const isWhole = (history: SiteHistory | undefined) =>
      history?.wereWhole(['gateway', 'mesh', 'disk'], atMs - CALM_MS, endMs) === true;
    if (!isWhole(histories[gateway])) continue;
    for (const [other, history] of histories.entries()) {
      if (!isWhole(history)) continue;
      const heardAtMs = appliedAtMs.get(other) ?? Infinity;
      seen += 1;
      if (heardAtMs <= endMs) slowestMs = Math.max(slowestMs, heardAtMs - atMs);
      else {
        const when = heardAtMs === Infinity ? 'never' : `${Math.round(heardAtMs - atMs)} ms later`;
        violations.add('spreads-in-time', `${kind} ${id} of ${atMs} ms was applied by gateway ${other + 1} ${when}`);
      }
    }
  }
  return { seen, slowestMs };
}
