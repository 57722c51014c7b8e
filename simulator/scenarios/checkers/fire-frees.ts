import type { SiteHistory } from '../site-history.js';
import { TOWN_DOORS, townDevice } from '../town-site.js';
import type { Violations } from '../violation.js';

/** Smoke at the detector of a gateway, until a person ended the alarm. */
export interface Burning {
  readonly gateway: number;
  readonly atMs: number;
  endMs: number;
}

/** From the smoke to the lock. */
const FREED_WITHIN_MS = 1_000;
/** Whatever was wrong before is over, and devices were told so. */
const CALM_MS = 60_000;

/**
 * While it burns, and after that until a person says that it is over, doors that fire frees are open, whatever is locked down:
 * at the gateway of the detector, and at the other one of its block when that hears of it. Returns how often that was seen.
 */
export function checkFireFrees(
  burnt: readonly Burning[],
  histories: readonly (SiteHistory | undefined)[],
  violations: Violations,
): number {
  let seen = 0;
  for (const { gateway, atMs, endMs } of burnt) {
    for (const door of TOWN_DOORS.filter((each) => each.isFreedByFire && (each.gateway ^ gateway) <= 1)) {
      const [history, origin] = [histories[door.gateway], histories[gateway]];
      const wholeParts = [
        'gateway',
        'disk',
        'memory',
        'commands',
        'clock',
        ...(door.gateway === gateway ? [] : ['mesh']),
      ];
      const isWhole = [door.gateway, gateway].every(
        (at) => histories[at]?.wereWhole([...wholeParts, townDevice(at)], atMs - CALM_MS, endMs) === true,
      );
      if (!isWhole || history === undefined || origin === undefined) continue;
      seen += 1;
      const movements = history.doors.get(door.id)?.lock.movements ?? [];
      const before = movements.filter((movement) => movement.atMs <= atMs + FREED_WITHIN_MS).at(-1);
      const later = movements.find((each) => each.atMs > atMs + FREED_WITHIN_MS && each.atMs < endMs && !each.released);
      if (before?.released === true && later === undefined) continue;
      violations.add('fire-frees', `${door.id} was locked at ${later?.atMs ?? atMs} ms, and it burnt from ${atMs} ms`);
    }
  }
  return seen;
}
