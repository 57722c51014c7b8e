/** Kinds of entries in the log of a site authority that concern who belongs to the site. */
export const ROSTER_KIND = 'roster';
export const SITE_SECRET_KIND = 'site-secret';
export const DELEGATION_KIND = 'delegation';
