import type Database from 'better-sqlite3';
import { WEEKDAYS, type Schedule, type SiteFile, type SitePlan } from '@sparc/protocol/policy';
import { ALWAYS_SCHEDULE_ID } from '../access/index.js';
import { openGeneration } from './open-generation.js';

/** In the order in which references need them. */
export const PLAN_TABLES = [
  ['device', 'devices'],
  ['reader', 'readers'],
  ['input', 'inputs'],
  ['output', 'outputs'],
  ['area', 'areas'],
  ['special_day_group', 'specialDayGroups'],
  ['schedule', 'schedules'],
  ['door', 'doors'],
  ['access_point', 'accessPoints'],
  ['linkage_rule', 'linkageRules'],
] as const satisfies readonly (readonly [table: string, list: keyof SitePlan])[];

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
  return { site: site.site, ...rest, specialDayGroups };
}

/** Reads the plan of a generation, each list in the order of the site file. */
export function readSitePlan(generation: string | Database.Database): SitePlan {
  const db = typeof generation === 'string' ? openGeneration(generation) : generation;
  try {
    const definitions = (table: string) =>
      (db.prepare(`SELECT definition FROM ${table} ORDER BY position`).pluck().all() as string[]).map(
        (text) => JSON.parse(text) as unknown,
      );
    const site = JSON.parse(db.prepare('SELECT site FROM policy').pluck().get() as string) as unknown;
    return {
      site,
      cardFormats: definitions('card_format'),
      ...Object.fromEntries(PLAN_TABLES.map(([table, list]) => [list, definitions(table)])),
    } as SitePlan;
  } finally {
    if (typeof generation === 'string') db.close();
  }
}
