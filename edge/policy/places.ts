import { Type, type Static } from '@sinclair/typebox';
import { PlanBuses } from '@sparc/protocol/policy';
import { generationFiles, readPointer } from './generation-files.js';
import { openGeneration } from './open-generation.js';
import { readSitePlan } from './site-plan.js';

const Named = Type.Object({ id: Type.String(), name: Type.String() }, { additionalProperties: false });

/** What people name in directives, of the whole site; and the lines that its devices hang on. */
export const Places = Type.Object(
  {
    doors: Type.Array(Named),
    areas: Type.Array(Named),
    profiles: Type.Array(Named),
    cardFormats: Type.Array(Type.String(), { description: 'ids of those that readers of the site decode' }),
    buses: Type.Array(Type.String(), { description: 'ids of all that the policy has devices on' }),
  },
  { additionalProperties: false },
);
export type Places = Static<typeof Places>;

export const NO_PLACES: Places = { doors: [], areas: [], profiles: [], cardFormats: [], buses: [] };

/** Whether the generation that the pointer names has somebody; as little verified. Throws ERR_POLICY_CORRUPT. */
export function hasPerson(dataDir: string, kind: 'credential' | 'holder', id: string): boolean {
  const generation = readPointer(dataDir);
  if (typeof generation !== 'number') return false;
  const db = openGeneration(generationFiles(dataDir, generation).database);
  try {
    const table = kind === 'credential' ? 'credential' : 'credential_holder';
    return db.prepare<[string]>(`SELECT 1 FROM ${table} WHERE id = ?`).get(id) !== undefined;
  } finally {
    db.close();
  }
}

/**
 * Of the generation that the pointer names, for menus: it is not verified, and nothing is decided by it.
 * Throws ERR_POLICY_CORRUPT.
 */
export function readPlaces(dataDir: string): Places {
  const generation = readPointer(dataDir);
  if (typeof generation !== 'number') return NO_PLACES;
  const db = openGeneration(generationFiles(dataDir, generation).database);
  try {
    const plan = readSitePlan(db);
    const { doors, areas, cardFormats } = plan;
    const profiles = db
      .prepare<[], Places['profiles'][number]>('SELECT id, name FROM access_profile ORDER BY name')
      .all();
    const named = ({ id, name }: Places['doors'][number]) => ({ id, name });
    const buses = [...new PlanBuses(plan).all];
    const formats = cardFormats.map(({ format }) => format);
    return { doors: doors.map(named), areas: areas.map(named), profiles, cardFormats: formats, buses };
  } finally {
    db.close();
  }
}
