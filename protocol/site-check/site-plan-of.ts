import { ALWAYS_SCHEDULE_ID, WEEKDAYS, type Schedule, type SiteFile, type SitePlan } from '../policy/index.js';

/** Every site has it, so that references to it hold like any other. */
const ALWAYS: Schedule = {
  id: ALWAYS_SCHEDULE_ID,
  name: 'Always',
  weekly: [{ days: [...WEEKDAYS], from: '00:00', to: '24:00' }],
};

export function sitePlanOf(site: SiteFile): SitePlan {
  const { cardFormats, devices, readers, inputs, outputs, areas, doors, accessPoints, linkageRules = [] } = site;
  const specialDayGroups = site.specialDayGroups ?? [];
  const schedules = [ALWAYS, ...site.schedules];
  const rest = { cardFormats, devices, readers, inputs, outputs, areas, doors, accessPoints, schedules, linkageRules };
  return { site: site.site, ...rest, specialDayGroups, absorbedDirectives: [] };
}
