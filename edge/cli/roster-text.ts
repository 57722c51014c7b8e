import type { Roster } from '@sparc/protocol/roster';
import { table } from './text-table.js';

/** For programs. */
export const rosterValue = (authority: string, { site, epoch, issuedUnixMs, notAfterUnixMs, members }: Roster) => ({
  site,
  authority,
  epoch,
  issuedAt: new Date(issuedUnixMs).toISOString(),
  validUntil: new Date(notAfterUnixMs).toISOString(),
  members,
});

/** For people. */
export function rosterLines(authority: string, roster: Roster): string[] {
  const { site, epoch, issuedAt, validUntil, members } = rosterValue(authority, roster);
  const rows = members.map(({ name, key, addresses }) => [
    name,
    key,
    addresses.join(' ') || '(found by multicast DNS)',
  ]);
  return [
    `Site ${site}, roster ${epoch} of ${issuedAt}, valid until ${validUntil}.`,
    `Authority ${authority}`,
    ...(rows.length === 0 ? ['No gateway is on it.'] : table(['name', 'key', 'addresses'], rows)),
  ];
}
