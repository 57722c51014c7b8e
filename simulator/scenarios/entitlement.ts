import type { AccessPoint, Credential, SiteFile } from '@sparc/protocol/policy';

/** What ought to become of a presentation. `either`: the site file leaves it open at this instant. */
export type Entitlement =
  | { readonly outcome: 'grant' }
  | { readonly outcome: 'deny'; /** Any of them is right. */ readonly reasons: readonly string[] }
  | { readonly outcome: 'either' };

/** How the person identifies. */
export interface Claim {
  /** Undefined: a card nobody issued. */
  readonly credential: Credential | undefined;
  readonly accessPoint: AccessPoint;
  readonly pin: 'none' | 'right' | 'wrong';
  readonly unixMs: number;
  readonly clockKnown: boolean;
  /** The reader kept the read back for longer than a read may be old. */
  readonly stale: boolean;
}

const GRANT: Entitlement = { outcome: 'grant' };
const EITHER: Entitlement = { outcome: 'either' };
const deny = (...reasons: string[]): Entitlement => ({ outcome: 'deny', reasons });

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Europe/Berlin in January. */
const ZONE_OFFSET_MS = HOUR_MS;
/** 1970-01-01 was a Thursday; Monday is 0. */
const EPOCH_WEEKDAY = 3;
/** So close to the border of a window, a card and its decision may fall on different sides. */
const BORDER_MS = 5_000;

/**
 * A second opinion on who may enter, written from the site file alone and for drawn sites only (January, one zone, no
 * special days), so that it shares no line with the gateway's.
 */
export function entitlement(site: SiteFile, claim: Claim): Entitlement {
  const { credential, accessPoint, pin } = claim;
  if (claim.stale) return deny('read_too_old');
  if (credential === undefined) return deny('credential_unknown');
  if (credential.status !== 'active') return deny(`credential_${credential.status}`);
  // On the way out the rest is flagged, and grants (access-control 4.0, rule 1).
  if (accessPoint.direction === 'exit') return GRANT;
  const holder = site.credentialHolders.find(({ id }) => id === credential.holder);
  if (holder?.status !== 'active') return deny('holder_suspended');
  if (credential.validTo !== undefined) return deny('expired');
  const schedules = site.accessProfiles
    .filter(({ id }) => credential.accessProfiles.includes(id))
    .flatMap(({ policies }) => policies.filter((policy) => policy.accessPoint === accessPoint.id))
    .map(({ schedule }) => schedule);
  if (schedules.length === 0) return deny('no_right');
  if (!schedules.includes('always')) {
    if (!claim.clockKnown) return EITHER;
    const open = schedules.map((id) => scheduleOpen(site, id, claim.unixMs));
    if (open.includes(undefined)) return EITHER;
    if (!open.includes(true)) return deny('outside_schedule');
  }
  if (accessPoint.authentication === 'cardAndPin') {
    if (pin === 'wrong') return deny('pin_wrong', 'locked_out');
    if (pin === 'none') return deny('pin_required');
  }
  return GRANT;
}

/** Undefined within a few seconds of a border. */
export function scheduleOpen(site: SiteFile, scheduleId: string, unixMs: number): boolean | undefined {
  const isOpen = (atUnixMs: number) => {
    const localMs = atUnixMs + ZONE_OFFSET_MS;
    const weekday = (Math.floor(localMs / DAY_MS) + EPOCH_WEEKDAY) % 7;
    const timeMs = localMs % DAY_MS;
    const windows = site.schedules.find(({ id }) => id === scheduleId)?.weekly ?? [];
    return windows.some(
      ({ days, from, to }) => weekday < days.length && hoursMs(from) <= timeMs && timeMs < hoursMs(to),
    );
  };
  const [before, after] = [isOpen(unixMs - BORDER_MS), isOpen(unixMs + BORDER_MS)];
  return before === after ? before : undefined;
}

/** Days of drawn schedules always begin with Monday. */
const hoursMs = (time: string) => Number(time.slice(0, 2)) * HOUR_MS;
