import {
  nearestName,
  type JsonPath,
  type Problem,
  type ProblemOptions,
  type SourceDocument,
} from '../document/index.js';
import { ALWAYS_SCHEDULE_ID, type SiteFile } from '../policy/index.js';

/** The lists of a site file whose entries have ids. */
export type ListName = Exclude<
  { [K in keyof SiteFile]-?: NonNullable<SiteFile[K]> extends readonly { id: string }[] ? K : never }[keyof SiteFile],
  undefined
>;
/** Every list of a site file. */
type AnyListName = ListName | 'cardFormats' | 'emergencyCredentials';
type Entry<L extends AnyListName> = NonNullable<SiteFile[L]>[number];

/**
 * What the checks beyond the schema share. Entries that break the schema are passed over, yet count as existing, so
 * that all errors can be shown at once and none twice.
 */
export class SiteCheck {
  readonly problems: Problem[] = [];
  readonly #lists: Readonly<Record<string, unknown>>;
  readonly #broken: ReadonlySet<string>;
  readonly #indexes = new Map<ListName, ReadonlyMap<string, number>>();

  constructor(
    readonly source: SourceDocument,
    schemaProblems: readonly Problem[],
  ) {
    const { value } = source;
    this.#lists = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
    this.#broken = new Set(
      schemaProblems
        .filter(({ isUnknownField }) => isUnknownField !== true)
        .map(({ path }) => /^\w+(\[\d+\])?/.exec(path)?.[0] ?? ''),
    );
  }

  refuse(path: JsonPath, message: string, options?: ProblemOptions): void {
    this.problems.push(this.source.problem('ERR_POLICY_INVALID', path, message, options));
  }

  /** The site itself, unless the schema refuses it. */
  get site(): SiteFile['site'] | undefined {
    return this.#broken.has('site') ? undefined : (this.#lists['site'] as SiteFile['site'] | undefined);
  }

  /** Entries that fit the schema, with their index in the file. */
  *entries<L extends AnyListName>(list: L): Generator<[index: number, entry: Entry<L>]> {
    for (const [index, entry] of this.#raw(list).entries()) {
      if (!this.#broken.has(`${list}[${index}]`)) yield [index, entry as Entry<L>];
    }
  }

  /** The entry of that id, unless the schema refuses it. */
  find<L extends ListName>(list: L, id: string): Entry<L> | undefined {
    const index = this.#index(list).get(id);
    return index === undefined || this.#broken.has(`${list}[${index}]`)
      ? undefined
      : (this.#raw(list)[index] as Entry<L>);
  }

  /** Refuses an id that nothing has. */
  refer(list: ListName, id: string, path: JsonPath): void {
    if (list === 'schedules' && id === ALWAYS_SCHEDULE_ID) return;
    const index = this.#index(list);
    const isListed = Array.isArray(this.#lists[list]) || list === 'specialDayGroups' || list === 'linkageRules';
    if (index.has(id) || !isListed) return;
    this.refuse(path, `names \`${id}\`, which is not among the ${list}`, { suggestion: nearestName(id, index.keys()) });
  }

  /** Returns a function that refuses the second use of a key, and names the first. `owners`: of keys that were used before. */
  once(what: string, owners = new Map<string, string>()): (key: string, path: JsonPath, owner: string) => void {
    return (key, path, owner) => {
      const first = owners.get(key);
      if (first === undefined) owners.set(key, owner);
      else this.refuse(path, `${what} ${first} has already`);
    };
  }

  #raw(list: AnyListName): readonly unknown[] {
    const raw = this.#lists[list];
    return Array.isArray(raw) ? raw : [];
  }

  /** First index by id; broken entries included where they have an id at all. */
  #index(list: ListName): ReadonlyMap<string, number> {
    let index = this.#indexes.get(list);
    if (index === undefined) {
      const built = new Map<string, number>();
      for (const [position, entry] of this.#raw(list).entries()) {
        const id: unknown = (entry as { id?: unknown } | null)?.id;
        if (typeof id === 'string' && !built.has(id)) built.set(id, position);
      }
      this.#indexes.set(list, (index = built));
    }
    return index;
  }
}
