/**
 * Authorities of sites, kept in the cloud: what they say is signed here, and is entries of the site's ledger like anybody's.
 * @packageDocumentation
 */
export { AuthoritySource } from './authority-source.js';
export { takeCourier, type OwnerCourierDeps, type TakenCourier } from './owner-courier.js';
export { RUNS_KEPT_MAX } from './kept-runs.js';
export type { PeopleRun, PolicyStream, Stream } from './revision-parts.js';
export { SiteAuthorities, type AuthorityDeps, type NewSite } from './site-authorities.js';
export { SiteAuthority, type Enrolling, type Published, type PublishOptions, type Within } from './site-authority.js';
