import { basename } from 'node:path';
import { readRepositoryFile } from '../support/repository.js';
import type { SiteChanges } from './site-changes.js';
import { filled, parseTree, plain, type Tree } from './tree.js';

/** One line of a scenario. */
export interface Phrase {
  readonly text: string;
  readonly line: number;
  /** Of `policy:`, which is no sentence. */
  readonly changes?: SiteChanges;
}

/** What happens, and what has to be seen after it. */
export interface Round {
  readonly when: readonly Phrase[];
  readonly then: readonly Phrase[];
}

export interface Scenario {
  readonly file: string;
  readonly line: number;
  readonly title: string;
  /** The rules of access control that it shows, such as `4.10/7`. */
  readonly rules: readonly string[];
  /** Name of the site file. */
  readonly site: string;
  /** In the order in which they are made. */
  readonly changes: readonly SiteChanges[];
  readonly given: readonly Phrase[];
  readonly rounds: readonly Round[];
}

const FILE_KEYS = ['site', 'about', 'changes', 'given', 'scenarios'];
const SCENARIO_KEYS = ['title', 'rules', 'changes', 'given', 'when', 'then', 'rounds', 'cases'];
/** What a file does not say: nobody is where a rule would matter. */
const DEFAULT_GIVEN = 'the time is 2026-01-05 10:00';

/** Reads a file of the repository as `parseScenarios` does. */
export const readScenarios = (path: string): Scenario[] => parseScenarios(readRepositoryFile(path), basename(path));

/** Each row of `cases` is a scenario of its own. Throws with file and line on what cannot be read. */
export function parseScenarios(text: string, file: string): Scenario[] {
  const root = parseTree(text, file);
  const read = new Reader(file);
  const keys = read.map(root, FILE_KEYS);
  const site = read.text(keys.get('site'), 'office');
  const shared = {
    changes: changesOf(keys.get('changes')),
    given: read.phrases(keys.get('given')),
  };
  return read.items(keys.get('scenarios')).flatMap((item) => {
    const cases = item.kind === 'map' ? item.entries.get('cases') : undefined;
    if (cases === undefined) return [scenarioOf(read, item, item.line, site, shared)];
    return read.items(cases).map((row, at) => {
      if (row.kind !== 'map') throw read.error(row, 'a case is a map');
      const scenario = scenarioOf(read, filled(item, row.entries), row.line, site, shared);
      return { ...scenario, title: `${scenario.title}${whichCase(item, row.entries, at + 1)}` };
    });
  });
}

/** Where the title of its cases is one and the same, their values tell them apart. */
function whichCase(item: Tree, values: ReadonlyMap<string, Tree>, number: number): string {
  const title = item.kind === 'map' ? item.entries.get('title') : undefined;
  if (title?.kind !== 'scalar' || /<[\w-]+>/.test(String(title.value))) return '';
  const words = [...values.values()].flatMap((value) => (value.kind === 'scalar' ? [String(value.value)] : []));
  return ` (${words.length > 0 ? words.join(', ') : number})`;
}

function scenarioOf(
  read: Reader,
  item: Tree,
  line: number,
  site: string,
  shared: { readonly changes: readonly SiteChanges[]; readonly given: readonly Phrase[] },
): Scenario {
  const keys = read.map(item, SCENARIO_KEYS);
  const first = { when: read.phrases(keys.get('when')), then: read.phrases(keys.get('then')) };
  const more = read.items(keys.get('rounds')).map((round) => {
    const parts = read.map(round, ['when', 'then']);
    return { when: read.phrases(parts.get('when')), then: read.phrases(parts.get('then')) };
  });
  const rounds = [...(first.when.length + first.then.length > 0 ? [first] : []), ...more];
  if (rounds.some(({ then }) => then.length === 0))
    throw read.error(item, 'something has to be seen after each `when`');
  const given = [...shared.given, ...read.phrases(keys.get('given'))];
  const isTimeGiven = given.some(({ text }) => text.startsWith('the time is '));
  return {
    file: read.file,
    line,
    title: read.text(keys.get('title')),
    rules: read.items(keys.get('rules')).map((rule) => read.text(rule)),
    site,
    changes: [...shared.changes, ...changesOf(keys.get('changes'))],
    given: isTimeGiven ? given : [{ text: DEFAULT_GIVEN, line }, ...given],
    rounds,
  };
}

const changesOf = (tree: Tree | undefined): SiteChanges[] => (tree === undefined ? [] : [plain(tree) as SiteChanges]);

class Reader {
  constructor(readonly file: string) {}

  error({ line }: Tree, message: string): Error {
    return new Error(`${this.file}:${line}: ${message}`);
  }

  map(tree: Tree, known: readonly string[]): ReadonlyMap<string, Tree> {
    if (tree.kind !== 'map') throw this.error(tree, 'should be a map');
    for (const [key, value] of tree.entries) {
      if (!known.includes(key)) throw this.error(value, `${key} is none of ${known.join(', ')}`);
    }
    return tree.entries;
  }

  /** A single one needs no list. */
  items(tree: Tree | undefined): readonly Tree[] {
    if (tree === undefined) return [];
    return tree.kind === 'list' ? tree.items : [tree];
  }

  text(tree: Tree | undefined, otherwise?: string): string {
    if (tree === undefined && otherwise !== undefined) return otherwise;
    if (tree?.kind !== 'scalar' || tree.value === null) throw this.error(tree ?? NOWHERE, 'should be a text');
    const text = String(tree.value);
    if (/<[\w-]+>/.test(text)) throw this.error(tree, `no case says what stands for the brackets of ${text}`);
    return text;
  }

  phrases(tree: Tree | undefined): Phrase[] {
    return this.items(tree).map((item) => {
      if (item.kind !== 'map') return { text: this.text(item), line: item.line };
      const policy = this.map(item, ['policy']).get('policy');
      return { text: 'a new policy comes into force', line: item.line, changes: changesOf(policy)[0] ?? {} };
    });
  }
}

const NOWHERE: Tree = { kind: 'scalar', line: 0, value: null };
