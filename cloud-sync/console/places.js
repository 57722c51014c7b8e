import { get } from './session.js';

/** What the draft of a site has of a kind, all of it. */
export async function objectsOf(path, kind) {
  const bodies = [];
  for (let after = ''; ;) {
    const { objects, next } = await get(`${path}/policy/objects/${kind}?limit=500${after}`);
    bodies.push(...objects.map(({ body }) => body));
    if (next === undefined) return bodies;
    after = `&after=${encodeURIComponent(next)}`;
  }
}

export const NO_PLACES = { doors: [], areas: [], profiles: [], cardFormats: [] };

/** What orders name, `{ id, name }`, and the ids of card formats. */
export async function placesOf(path) {
  const kinds = ['doors', 'areas', 'accessProfiles', 'cardFormats'];
  const [doors, areas, profiles, formats] = await Promise.all(kinds.map((kind) => objectsOf(path, kind)));
  return { doors, areas, profiles, cardFormats: formats.flat().map(({ format }) => format) };
}
