import { Type, type Static, type TProperties } from '@sinclair/typebox';
import { ROLES } from '../users/index.js';

/** An object without further properties. */
export const closed = <T extends TProperties>(properties: T) =>
  Type.Object(properties, { additionalProperties: false });

export const Nothing = Type.Null({ description: 'no body' });
export const Uuid = Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' });
export const SiteId = Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' });
/** The parameters of a route that is about a site, or its query. */
export const OfSite = closed({ site: SiteId });
export type OfSite = Static<typeof OfSite>;
export const Key = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'an Ed25519 public key in hex' });
export const Count = Type.Integer({ minimum: 0 });
/** That a number of JSON and a `bigint` both hold. */
export const Whole = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** A time that is asked of: some thousand years, which `Date` and the database both hold. */
export const Instant = Type.Integer({ minimum: 0, maximum: 2 ** 48 - 1 });
export const instant = (of: string) => Type.Integer({ description: `milliseconds since 1970-01-01T00:00Z: ${of}` });
export const RoleName = Type.Unsafe<(typeof ROLES)[number]>({ type: 'string', enum: ROLES });
export const Limit = Type.Integer({ minimum: 1, maximum: 500, default: 100 });

export const IdentityView = closed({
  tenant: Uuid,
  tenantName: Type.String(),
  user: Uuid,
  name: Type.String(),
  role: RoleName,
});
