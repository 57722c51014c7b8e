import { SparcError } from '@sparc/protocol/errors';
import { hasPerson, readPlaces } from '../policy/index.js';
import { VisitorFile } from '../visitors/index.js';

/** What a command names, by ids of the policy. */
export interface NamedIds {
  readonly door?: readonly string[];
  readonly area?: readonly string[];
  readonly profile?: readonly string[];
  readonly credential?: readonly string[];
  readonly holder?: readonly string[];
}

const SHOWN_MAX = 8;

/**
 * An id that nobody has is a slip, and would be answered as carried out. Throws ERR_CLI_USAGE for one that neither the policy
 * in force at the gateway has nor, of a person, its list of visitors.
 */
export function assertListed(dataDir: string, { credential = [], holder = [], ...named }: NamedIds): void {
  const { doors, areas, profiles } = readPlaces(dataDir);
  const places = { door: doors, area: areas, profile: profiles };
  for (const kind of ['door', 'area', 'profile'] as const) {
    const known = places[kind].map(({ id }) => id);
    for (const id of named[kind] ?? []) if (!known.includes(id)) throw unlisted(kind, id, known);
  }
  const people = { credential, holder };
  for (const kind of ['credential', 'holder'] as const) {
    for (const id of people[kind]) {
      if (!hasPerson(dataDir, kind, id) && !isVisitor(dataDir, id)) throw unlisted(kind, id);
    }
  }
}

const isVisitor = (dataDir: string, id: string): boolean =>
  (new VisitorFile(dataDir).load() ?? []).some(({ visitor }) => visitor.id === id);

function unlisted(kind: string, id: string, known: readonly string[] = []): SparcError {
  const others = known.length > SHOWN_MAX ? [...known.slice(0, SHOWN_MAX), '…'] : known;
  const list = others.length === 0 ? '' : ` (there are ${others.join(', ')})`;
  const message = `the policy in force here has no ${kind} '${id}'${list}; --unlisted where another revision has it`;
  return new SparcError('ERR_CLI_USAGE', message, { [kind]: id });
}
