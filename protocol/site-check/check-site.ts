import { checkAreas } from './check-areas.js';
import { checkCounts } from './check-counts.js';
import { checkCredentials, checkEmergencies, checkProfiles } from './check-credentials.js';
import { checkDoors } from './check-doors.js';
import { checkHardware } from './check-hardware.js';
import { checkLinkage } from './check-linkage.js';
import { checkSchedules } from './check-schedules.js';
import type { SiteCheck } from './site-check.js';

/** All that a site file has to be beyond its schema; what is wrong is in `check.problems` then. */
export function checkSite(check: SiteCheck): void {
  checkAllButCredentials(check);
  checkCredentials(check);
}

/** The same for whoever checks the credentials some at a time; those that emergency credentials name are in the file. */
export function checkAllButCredentials(check: SiteCheck): void {
  checkHardware(check);
  checkDoors(check);
  checkAreas(check);
  checkSchedules(check);
  checkLinkage(check);
  checkProfiles(check);
  checkEmergencies(check);
  checkCounts(check);
}
