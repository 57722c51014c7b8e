/**
 * Who is where: a fold over claims in the ledger, and reservations of passages under way.
 * @packageDocumentation
 */
export { AREA_MEMORY_MS, AreaBook, type AreaBookDeps, type AreaPlan } from './area-book.js';
export { isAreaClaim, NOBODY_SEEN, step, type AreaClaim, type AreaState, type Presence } from './area-state.js';
export { readAreaClaims } from './read-area-claims.js';
