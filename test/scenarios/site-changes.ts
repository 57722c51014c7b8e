import { parse } from 'yaml';
import { readRepositoryFile } from '../support/repository.js';

/**
 * How a scenario's site differs from its site file: `site`, and lists by the id of their entries. Objects are merged, all
 * else is replaced; `absent` takes a field or an entry away.
 */
export type SiteChanges = Readonly<Record<string, unknown>>;

const ABSENT = 'absent';
type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function merged(before: unknown, change: unknown): unknown {
  if (!isFields(before) || !isFields(change)) return change;
  const fields: Fields = { ...before };
  for (const [name, value] of Object.entries(change)) {
    if (value === ABSENT) delete fields[name];
    else fields[name] = merged(fields[name], value);
  }
  return fields;
}

/** Entries of a list that have ids; an id that is not there yet is added. */
function mergedList(list: readonly Fields[], changes: Fields): unknown[] {
  const byId = new Map<unknown, unknown>(list.map((entry) => [entry['id'], entry]));
  for (const [id, change] of Object.entries(changes)) {
    if (change === ABSENT) byId.delete(id);
    else byId.set(id, merged(byId.get(id) ?? { id }, change));
  }
  return [...byId.values()];
}

const files = new Map<string, Fields>();

function siteFile(name: string): Fields {
  let site = files.get(name);
  if (site === undefined) {
    site = parse(readRepositoryFile(`test/scenarios/sites/${name}.yaml`)) as Fields;
    files.set(name, site);
  }
  return site;
}

/** A site file, as JSON. */
export function siteText(name: string, changes: readonly SiteChanges[]): string {
  let site = siteFile(name);
  for (const change of changes) {
    const next: Fields = { ...site };
    for (const [part, value] of Object.entries(change)) {
      const before = site[part] ?? [];
      next[part] =
        Array.isArray(before) && isFields(value) ? mergedList(before as Fields[], value) : merged(before, value);
    }
    site = next;
  }
  return JSON.stringify(site, null, 2);
}
