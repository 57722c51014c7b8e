import { WEEKDAYS, type Schedule, type SiteFile } from '@sparc/protocol/policy';
import { demoSite } from '../demo-site.js';

/** A queue moves quickly where the next one waits for the lock. */
const RELEASE_TIME_MS = 1_000;

/**
 * The demo site as at an hour at which its staff works, nobody else does, and no door stands open by a schedule, whenever
 * it is played.
 */
export function offlineSite(timeZone: string): SiteFile {
  const site = demoSite(timeZone);
  return {
    ...site,
    doors: site.doors.map(({ unlockSchedule: _, ...door }) => ({
      ...door,
      timings: { ...door.timings, releaseTimeMs: RELEASE_TIME_MS },
    })),
    schedules: site.schedules.map(always),
  };
}

const always = ({ id, name }: Schedule): Schedule => ({
  id,
  name,
  weekly: id === 'working-hours' ? [{ days: [...WEEKDAYS], from: '00:00', to: '24:00' }] : [],
});
