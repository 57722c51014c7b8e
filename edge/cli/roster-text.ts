import type { Delegation, Roster } from '@sparc/protocol/roster';
import { table } from './text-table.js';

/** For programs. */
export const rosterValue = (
  authority: string,
  { site, epoch, issuedUnixMs, notAfterUnixMs, members, expelled }: Roster,
) => ({
  site,
  authority,
  epoch,
  issuedAt: new Date(issuedUnixMs).toISOString(),
  validUntil: new Date(notAfterUnixMs).toISOString(),
  members,
  expelled: expelled.map(({ key, name, heads }) => ({
    key,
    name,
    counts: heads.map(({ epoch: { counter }, sequence }) => `${counter}.${sequence}`),
  })),
});

/** For people. */
export function rosterLines(authority: string, roster: Roster): string[] {
  const { site, epoch, issuedAt, validUntil, members, expelled } = rosterValue(authority, roster);
  const rows = members.map(({ name, key, addresses }) => [
    name,
    key,
    addresses.join(' ') || '(found by multicast DNS)',
  ]);
  const gone = expelled.map(({ name, key, counts }) => [name, key, counts.join(' and ') || 'nothing']);
  return [
    `Site ${site}, roster ${epoch} of ${issuedAt}, valid until ${validUntil}.`,
    `Authority ${authority}`,
    ...(rows.length === 0 ? ['No gateway is on it.'] : table(['name', 'key', 'addresses'], rows)),
    ...(gone.length === 0 ? [] : ['', ...table(['EXPELLED', 'key', 'of its ledger counts'], gone)]),
  ];
}

/** For programs. */
export const operatorsValue = (operators: readonly Delegation[]) =>
  operators.map(({ operator, name, rights, scope, issuedUnixMs, notAfterUnixMs }) => ({
    key: operator,
    name,
    rights,
    ...(scope.length > 0 && { scope }),
    issuedAt: new Date(issuedUnixMs).toISOString(),
    validUntil: new Date(notAfterUnixMs).toISOString(),
  }));

/** For people. */
export function operatorLines(operators: readonly Delegation[], nowUnixMs: number): string[] {
  if (operators.length === 0) return [];
  const rows = operators.map(({ operator, name, rights, scope, notAfterUnixMs }) => [
    name,
    operator,
    rights.join(' '),
    scope.join(' ') || 'the site',
    notAfterUnixMs > nowUnixMs ? new Date(notAfterUnixMs).toISOString() : 'EXPIRED',
  ]);
  return ['', ...table(['operator', 'key', 'may', 'within', 'until'], rows)];
}
