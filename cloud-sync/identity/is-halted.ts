import { sql } from 'kysely';

/**
 * A condition on the row of a site in `site_authorities`: its authority signs nothing, since it is not known yet what it signed
 * before the database was restored. False where there is no such row: the owner of the site keeps its authority.
 */
export const isHalted = sql<boolean>`(site_authorities.site_id is not null
  and site_authorities.incarnation is distinct from (select id from incarnation))`;
