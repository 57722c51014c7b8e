import type { SiteHistory } from '../site-history.js';
import type { Violations } from '../violation.js';

/** Two ways over a line. */
const BUTTON_MAX_MS = 300;
/** A way out waits this long for its record, and no longer. */
const EXIT_READER_MAX_MS = 1_000;

/** Promise 4: whoever leaves gets out, whatever the disk, the policy or the clock are like. */
export function checkEgressIsFree(history: SiteHistory, violations: Violations): void {
  const expectReleased = (doorId: string, readers: readonly string[], atMs: number, withinMs: number) => {
    const devices = [doorId, ...readers].map((id) => history.deviceOf.get(id) ?? '');
    if (!history.wereWhole(['gateway', 'commands', ...devices], atMs, atMs + withinMs)) return;
    const movements = history.doors.get(doorId)?.lock.movements ?? [];
    const before = movements.filter((movement) => movement.atMs <= atMs).at(-1);
    const isReleased =
      before?.released === true ||
      movements.some((movement) => movement.released && movement.atMs >= atMs && movement.atMs <= atMs + withinMs);
    if (!isReleased) violations.add('egress-is-free', `${doorId} kept somebody in at ${atMs} ms`);
  };
  for (const { subject, atMs } of history.exitPresses.all()) expectReleased(subject, [], atMs, BUTTON_MAX_MS);
  for (const { accessPoint, doorId, atMs, entitlement } of history.presentations) {
    if (accessPoint.direction !== 'exit' || entitlement.outcome !== 'grant') continue;
    expectReleased(doorId, [accessPoint.reader], atMs, EXIT_READER_MAX_MS);
  }
}
