import { compareHlc } from '../hlc/index.js';
import { isKnownRecord } from '../ledger/index.js';
import { afterClaim, isModeClaim, type Raise } from '../site-mode/index.js';
import type { EntryMark, SaidEntry } from './said-entry.js';

/** Raises that stand at one gateway, as far as they are kept: the newest. */
export const RAISES_KEPT_MAX = 256;
/** Gateways that one gateway knows to be expelled, as far as they are kept: the newest. */
export const EXPELLED_KEPT_MAX = 256;

/** How a gateway stands by its own log. Instants are those of its own clock. */
export interface GatewayReport {
  /** The newest entry of any kind. */
  readonly newest?: EntryMark;
  readonly startedUnixMs?: number;
  /** Ids of those that it has, as it said at its last start. */
  readonly buses?: readonly string[];
  /** Absent: none was in force since its last start, as far as is known. */
  readonly policy?: {
    readonly revision: string;
    /** Of a revision that the authority of the site signed. */
    readonly number?: number;
    readonly sinceUnixMs: number;
  };
  /** In which it said so: a gateway may find its policy in force before it has started. */
  readonly policyEpoch?: number;
  /** 0: it applied none. */
  readonly revocation: { readonly number: number; readonly sinceUnixMs?: number };
  /** Bound of the error of its clock, as far as it said one since the quality changed. */
  readonly clockErrorMs?: number;
  /** What was raised for the site, and stands there; the oldest first. */
  readonly raises: readonly Raise[];
  /** Public keys of gateways that it takes no word of any more. */
  readonly expelled: readonly string[];
}

export const NO_REPORT: GatewayReport = { revocation: { number: 0 }, raises: [], expelled: [] };

/** Events that a report is made of. */
export const REPORTING_EVENTS: ReadonlySet<string> = new Set([
  'gateway.started',
  'policy.loaded',
  'policy.lost',
  'revocation.applied',
  'clock.holdover',
  'clock.site_time',
  'site.lockdown',
  'site.lockdown_ended',
  'site.threat_level',
  'site.released',
  'fire.alarm',
  'fire.evacuation',
  'fire.ended',
  'mesh.gateway_expelled',
  'mesh.expulsion_directed',
]);

/** How the authority of a site names its revisions: number, and start of a hash. */
const ISSUED_REVISION = /^(\d{1,10})-[0-9a-f]{16}$/;
const DIGITS = /^\d{1,15}$/;

/** The report after an entry of any kind. What a disk that was set back says again changes nothing. */
export function marked(report: GatewayReport, { id, hlc, wallUnixMs, timeQuality }: EntryMark): GatewayReport {
  if (report.newest !== undefined && compareHlc(hlc, report.newest.hlc) <= 0) return report;
  const { clockErrorMs, ...rest } = report;
  const isAsSaid = clockErrorMs !== undefined && report.newest?.timeQuality === timeQuality;
  return { ...rest, newest: { id, hlc, wallUnixMs, timeQuality }, ...(isAsSaid && { clockErrorMs }) };
}

/** The report after an event, which `marked` saw before. */
export function reported(before: GatewayReport, entry: SaidEntry): GatewayReport {
  const report = { ...before, raises: raisesAfter(before, entry) };
  const { id, record, wallUnixMs } = entry;
  const { name, detail = {} } = record;
  const { epoch } = id;
  switch (name) {
    case 'gateway.started':
      return {
        ...(report.policyEpoch === epoch ? report : withoutPolicy(report)),
        startedUnixMs: wallUnixMs,
        ...busesOf(detail['buses']),
      };
    case 'policy.loaded': {
      const { revision } = detail;
      if (revision === undefined) return report;
      const number = ISSUED_REVISION.exec(revision)?.[1];
      const issued = number === undefined ? {} : { number: Number(number) };
      return { ...report, policy: { revision, ...issued, sinceUnixMs: wallUnixMs }, policyEpoch: epoch };
    }
    case 'policy.lost':
      return withoutPolicy(report);
    case 'revocation.applied': {
      const number = numberOf(detail['number']);
      if (number === undefined || number < report.revocation.number) return report;
      return { ...report, revocation: { number, sinceUnixMs: wallUnixMs } };
    }
    case 'clock.holdover':
    case 'clock.site_time': {
      const clockErrorMs = numberOf(detail['errorMs']);
      return clockErrorMs === undefined ? report : { ...report, clockErrorMs };
    }
    case 'mesh.gateway_expelled':
      return withExpelled(report, detail['neighbour']);
    case 'mesh.expulsion_directed':
      return withExpelled(report, detail['gateway']);
    default:
      return report;
  }
}

function withExpelled(report: GatewayReport, key: string | undefined): GatewayReport {
  if (key === undefined || report.expelled.includes(key)) return report;
  return { ...report, expelled: [...report.expelled, key].slice(-EXPELLED_KEPT_MAX) };
}

function raisesAfter({ raises }: GatewayReport, { id, record, wallUnixMs }: SaidEntry): readonly Raise[] {
  if (!isKnownRecord(record) || !isModeClaim(record)) return raises;
  // The gateway itself knows what was released before it was raised.
  const { raises: standing } = afterClaim({ raises, released: [] }, { record, wallUnixMs, id });
  return standing.slice(-RAISES_KEPT_MAX);
}

function withoutPolicy({ policy: _policy, policyEpoch: _epoch, ...report }: GatewayReport): GatewayReport {
  return report;
}

const busesOf = (words: string | undefined): Pick<GatewayReport, 'buses'> =>
  words === undefined ? {} : { buses: words.split(' ').filter((id) => id !== '') };

const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && DIGITS.test(text) ? Number(text) : undefined;
