/** Each may do what those before it may. */
export const ROLES = ['viewer', 'operator', 'administrator'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks for something, as the login and the database say it. */
export interface Identity {
  readonly tenant: string;
  /** A UUID. */
  readonly user: string;
  /** By which it logs in; the audit has it. */
  readonly name: string;
  readonly role: Role;
}

export const hasRole = ({ role }: Pick<Identity, 'role'>, least: Role): boolean =>
  ROLES.indexOf(role) >= ROLES.indexOf(least);
