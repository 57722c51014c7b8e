import type Database from 'better-sqlite3';
import type { SitePlan } from '@sparc/protocol/policy';
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
  ['absorbed_directive', 'absorbedDirectives'],
] as const satisfies readonly (readonly [table: string, list: keyof SitePlan])[];

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
