/**
 * Who passed where: areas, uses of credentials, first cards. A fold over claims in the ledger, those of other gateways about
 * areas included, and reservations of grants under way.
 * @packageDocumentation
 */
export { CLAIM_MEMORY_MS, isClaim, lossClaim, type Claim } from './claim.js';
export type { Forgiveness } from './book.js';
export { PassageBook, type PassageBookDeps } from './passage-book.js';
export { readClaims, type ClaimRange } from './read-claims.js';
