import type { SiteHistory } from '../site-history.js';
import { townBellDoor, townDevice } from '../town-site.js';
import { covers, type Given } from '../town-truth.js';
import type { Violations } from '../violation.js';

/** Somebody rang at a gateway. */
export interface Ring {
  readonly gateway: number;
  readonly atMs: number;
}

/** From the bell to the lock at the other side of the town. */
const OPENED_WITHIN_MS = 4_000;
/** Whatever was wrong before is over, and devices were told so. */
const CALM_MS = 60_000;
const PARTS = ['gateway', 'disk', 'memory', 'commands', 'clock', 'mesh'] as const;

/**
 * A linkage rule over two gateways: where both are whole and reach each other, and nobody locked the door down, its lock moves
 * soon after the bell. Returns how often that was seen. That it moves late for no bell, only-the-entitled sees.
 */
export function checkBellsOpen(
  rings: readonly Ring[],
  given: readonly Given[],
  histories: readonly (SiteHistory | undefined)[],
  violations: Violations,
): number {
  let seen = 0;
  for (const { gateway, atMs } of rings) {
    const door = townBellDoor(gateway);
    const endMs = atMs + OPENED_WITHIN_MS;
    const isWhole = [gateway, door.gateway].every(
      (at) => histories[at]?.wereWhole([...PARTS, townDevice(at)], atMs - CALM_MS, endMs) === true,
    );
    const isHeldShut = given.some(
      (raise) =>
        raise.kind === 'lockdown' &&
        covers(raise, door) &&
        raise.atMs <= endMs &&
        !given.some(
          ({ raises = [], atMs: releasedAtMs }) => raises.includes(raise.id) && releasedAtMs < atMs - CALM_MS,
        ),
    );
    if (!isWhole || isHeldShut) continue;
    seen += 1;
    const movements = histories[door.gateway]?.doors.get(door.id)?.lock.movements ?? [];
    const wasReleased = movements.filter((movement) => movement.atMs <= atMs).at(-1)?.released === true;
    if (wasReleased || movements.some((each) => each.released && each.atMs > atMs && each.atMs <= endMs)) continue;
    violations.add('bells-open', `${door.id} stayed locked when somebody rang at ${atMs} ms`);
  }
  return seen;
}
