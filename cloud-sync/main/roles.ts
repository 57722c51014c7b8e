import { SparcError } from '@sparc/protocol/errors';
import type { CloudConfig } from '../config/index.js';

/** What a process of the cloud does; any number of processes may share one installation. */
export const SERVE_ROLES = {
  api: 'serves the page, the API, and gateways that claim a place or renew their certificate',
  ingest: 'takes what gateways recorded',
  publisher: 'hands out policies, and what operators direct',
  scheduler: 'does what has to be done once in a while',
} as const;

export type ServeRole = keyof typeof SERVE_ROLES;

export const ALL_ROLES = Object.keys(SERVE_ROLES) as readonly ServeRole[];

/** Of a list with commas. Throws ERR_CLI_USAGE. */
export function readRoles(text: string): ReadonlySet<ServeRole> {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !Object.hasOwn(SERVE_ROLES, name));
  if (unknown === undefined) return new Set(names as ServeRole[]);
  throw new SparcError('ERR_CLI_USAGE', `'${unknown}' is no role: ${ALL_ROLES.join(', ')}`);
}

/** Throws ERR_CONFIG_INVALID where a part of the roles would have to reach into a process that it is not in. */
export function assertRolesReach(roles: ReadonlySet<ServeRole>, { DATABASE_URL, MQTT_URL }: CloudConfig): void {
  const absent = ALL_ROLES.filter((role) => !roles.has(role));
  if (absent.length === 0) return;
  const problems = [
    ...(DATABASE_URL.startsWith('pglite:') ? ['DATABASE_URL: a database inside the program is of one process'] : []),
    ...(MQTT_URL === undefined ? ['MQTT_URL: a broker inside the program is of one process'] : []),
  ];
  if (problems.length === 0) return;
  const message = `without ${absent.join(', ')} in this process:\n${problems.join('\n')}`;
  throw new SparcError('ERR_CONFIG_INVALID', message, { problems });
}
