import { isWithin, type JournalLine, type OfflineHistory } from './offline-history.js';

/** A gateway that was to lock down, and how long it took from when it could know; absent: it did not. */
export interface LockdownDelay {
  readonly gateway: string;
  readonly delayMs?: number;
}

/** By what each gateway recorded: from the directive itself where it was given, from its first neighbour elsewhere. */
export function lockdownDelays(history: OfflineHistory): readonly LockdownDelay[] {
  const { givenAt, fromUnixMs, couldHearUnixMs } = history.lockdown;
  const givenUnixMs = recordInLockdown('directive.given', givenAt, history)?.wallUnixMs ?? fromUnixMs;
  return [[givenAt, givenUnixMs] as const, ...couldHearUnixMs].map(([gateway, knowsUnixMs]) => {
    const record = recordInLockdown('site.lockdown', gateway, history);
    return { gateway, ...(record && { delayMs: Math.max(0, record.wallUnixMs - knowsUnixMs) }) };
  });
}

/** The first of its name that a gateway recorded between the lockdown and its release. */
export const recordInLockdown = (
  event: string,
  gateway: string,
  { journals, lockdown }: Pick<OfflineHistory, 'journals' | 'lockdown'>,
): JournalLine | undefined =>
  journals.get(gateway)?.find(({ name, wallUnixMs }) => name === event && isWithin(wallUnixMs, lockdown));
