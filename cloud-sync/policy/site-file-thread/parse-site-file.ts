import { parse } from 'yaml';

/** What a site file may have beside its version. */
export interface SiteFileFields {
  /** Of objects, each in a list. */
  readonly lists: readonly string[];
  readonly singles: readonly string[];
}

/** Some of the entries of one field. */
export interface SiteFilePiece {
  readonly field: string;
  readonly given: readonly unknown[];
}

/** Of an object as JSON: so many characters fit into a part of a revision. Bounds what one object is checked for, too. */
export const SITE_FILE_OBJECT_LENGTH_MAX = 262_144;
/** Objects that are handed over at once, and keep whoever takes them busy for some milliseconds. */
const GIVEN_AT_ONCE = 200;

/** Reads YAML, or JSON in a fraction of the time. Throws an error that says what is wrong with it. */
export function* parseSiteFile(text: string, { lists, singles }: SiteFileFields): Generator<SiteFilePiece> {
  const file = valueOf(text);
  if (typeof file !== 'object' || file === null || Array.isArray(file)) throw new Error('it is no site file');
  const { version, ...fields } = file as Readonly<Record<string, unknown>>;
  if (version !== 1) throw new Error('it does not say `version: 1`');
  for (const [field, value] of Object.entries(fields)) {
    const isSingle = singles.includes(field);
    if (!isSingle && !lists.includes(field)) throw new Error(`\`${field.slice(0, 64)}\` is no known field`);
    if (!isSingle && !Array.isArray(value)) throw new Error(`${field} is no list`);
    const entries = isSingle ? [value] : (value as readonly unknown[]);
    for (let first = 0; first < entries.length; first += GIVEN_AT_ONCE) {
      const given = entries.slice(first, first + GIVEN_AT_ONCE);
      for (const [index, entry] of given.entries())
        assertLength(entry, isSingle ? field : `${field}[${first + index}]`);
      yield { field, given };
    }
  }
}

function valueOf(text: string): unknown {
  try {
    if (text.trimStart().startsWith('{')) return JSON.parse(text);
  } catch {
    // YAML has braces of its own.
  }
  return parse(text, { maxAliasCount: 100, prettyErrors: false });
}

/** An alias of YAML makes much out of little. */
function assertLength(entry: unknown, where: string): void {
  const length = JSON.stringify(entry)?.length ?? 0;
  if (length <= SITE_FILE_OBJECT_LENGTH_MAX) return;
  throw new Error(`${where} is ${length} characters long as JSON; the most is ${SITE_FILE_OBJECT_LENGTH_MAX}`);
}
