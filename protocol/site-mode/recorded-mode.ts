import type { EventDraft, EventName, EventRecord } from '../events/index.js';
import type { EntryId } from '../ports/index.js';
import {
  releasesOf,
  THREAT_LEVEL_MAX,
  threatLevel,
  withRaise,
  withReleases,
  type Raise,
  type Raised,
  type Release,
} from './raise.js';

/** A record that says something of the mode of the site. */
export interface ModeClaim {
  readonly record: EventRecord;
  readonly wallUnixMs: number;
  /** Absent: it is not on disk yet. */
  readonly id?: EntryId;
}

/** In place of a person's name. */
export const FIRE_ALARM = 'fire alarm';

const RAISES = {
  'site.lockdown': 'lockdown',
  'site.threat_level': 'threat',
  'fire.alarm': 'fire',
  'fire.evacuation': 'evacuation',
} as const satisfies Partial<Record<EventName, Raise['what']>>;
type RaiseEvent = keyof typeof RAISES;

/** Where they name no raises, they end all of these. */
const ENDS: Partial<Record<EventName, readonly Raise['what'][]>> = {
  'site.lockdown_ended': ['lockdown'],
  'fire.ended': ['fire', 'evacuation'],
  'site.threat_level': ['threat'],
  'site.released': [],
};

export const isModeClaim = ({ name }: EventRecord): boolean => Object.hasOwn(RAISES, name) || Object.hasOwn(ENDS, name);

/** `isAlone`: there is nobody who hears it, or who later should take it for a raise. */
export function raiseRecord(mode: Raised, raise: Raise, isAlone: boolean): EventDraft {
  const { id, what, by, level, scope, input, isDirected, entry } = raise;
  const detail = {
    ...(what === 'fire' ? { input: input ?? '' } : { by }),
    raise: id,
    ...(scope !== undefined && { scope: scope.join(' ') }),
    ...(isDirected === true && { directive: id }),
    ...(isAlone && { alone: 'true' }),
  };
  const cause = entry !== undefined && { causeId: entry };
  switch (what) {
    case 'lockdown':
      return { name: 'site.lockdown', detail: { ...detail, by }, ...cause };
    case 'evacuation':
      return { name: 'fire.evacuation', detail: { ...detail, by }, ...cause };
    case 'fire':
      return { name: 'fire.alarm', detail: { ...detail, input: input ?? '' }, ...cause };
    case 'threat': {
      const change = levelChange(mode, withRaise(mode, raise));
      return { name: 'site.threat_level', detail: { ...detail, by, ...change, level: String(level) }, ...cause };
    }
  }
}

/** Of a fire alarm of another gateway that was heard too late to release anything. */
export const lateRecord = ({ id, input = '', entry }: Raise): EventDraft => ({
  name: 'fire.alarm_late',
  ...(entry !== undefined && { causeId: entry }),
  detail: { input, raise: id },
});

/** Of a threat level that is set, whatever was before: `mode` becomes `next`. */
export function setLevelRecord(mode: Raised, next: Raised, by: string, raise: Raise | undefined): EventDraft {
  const id = raise !== undefined && { raise: raise.id, alone: 'true' };
  return { name: 'site.threat_level', detail: { by, ...levelChange(mode, next), ...id } };
}

/** It has the name of the gravest that it ends here. */
export function releaseRecord(
  mode: Raised,
  releases: readonly Release[],
  { by, directive }: { readonly by: string; readonly directive: string },
): EventDraft {
  const next = withReleases(mode, releases);
  const ended = new Set(mode.raises.filter((raise) => !next.raises.includes(raise)).map(({ what }) => what));
  const within = releases[0]?.within;
  const detail = {
    by,
    raises: releases.map(({ id }) => id).join(' '),
    ...(within !== undefined && { within: within.join(' ') }),
    directive,
  };
  if (ended.has('lockdown')) return { name: 'site.lockdown_ended', detail };
  if (ended.has('fire') || ended.has('evacuation')) return { name: 'fire.ended', detail };
  if (ended.has('threat')) return { name: 'site.threat_level', detail: { ...detail, ...levelChange(mode, next) } };
  return { name: 'site.released', detail };
}

const levelChange = (before: Raised, after: Raised) => ({
  from: String(threatLevel(before)),
  to: String(threatLevel(after)),
});

/** What a record raises; undefined where it raises nothing that makes sense. */
export function raiseOf({ record: { name, detail = {}, causeId }, wallUnixMs, id }: ModeClaim): Raise | undefined {
  const { by, raise = idOf(id), level, to, scope, input, directive, raises } = detail;
  const what = RAISES[name as RaiseEvent] as Raise['what'] | undefined;
  if (what === undefined || raises !== undefined || raise === undefined || !/^[0-9a-f]{32}$/.test(raise))
    return undefined;
  const height = what === 'threat' ? Number(level ?? to) : undefined;
  if (height !== undefined && !(Number.isInteger(height) && height > 0 && height <= THREAT_LEVEL_MAX)) return undefined;
  return {
    id: raise,
    what,
    by: by ?? FIRE_ALARM,
    atUnixMs: wallUnixMs,
    ...(height !== undefined && { level: height }),
    ...(scope !== undefined && { scope: scope.split(' ') }),
    ...(input !== undefined && { input }),
    ...(directive !== undefined && { isDirected: true as const }),
    ...(causeId !== undefined && directive === undefined && { entry: causeId }),
  };
}

/** Of a raise that an earlier version recorded, without one. */
const idOf = (entry: EntryId | undefined): string | undefined =>
  entry && [entry.epoch, entry.sequence].map((number) => number.toString(16).padStart(16, '0')).join('');

/** Folds what the gateway recorded itself, oldest first. What was ordered for single doors is in its file alone. */
export const foldMode = (claims: readonly ModeClaim[]): Raised =>
  claims.reduce(afterClaim, { raises: [], released: [] });

/** What stands at a gateway after the next thing that it recorded. */
export function afterClaim(mode: Raised, claim: ModeClaim): Raised {
  const ends = releasesBy(mode, claim.record);
  const isEnded = ({ id }: Raise) => ends.some((end) => end.id === id);
  // What was nobody's right is over, and may be raised again.
  const isRetracted = claim.record.code !== undefined;
  const released = isRetracted
    ? { ...mode, raises: mode.raises.filter((raise) => !isEnded(raise)) }
    : withReleases(mode, ends);
  const raise = raiseOf(claim);
  return raise === undefined ? released : withRaise(released, raise);
}

function releasesBy(mode: Raised, { name, detail = {} }: EventRecord): readonly Release[] {
  const { raises, within, level, by } = detail;
  if (raises !== undefined) {
    const more = { ...(within !== undefined && { within: within.split(' ') }), ...(by !== undefined && { by }) };
    return raises.split(' ').map((id) => ({ id, ...more }));
  }
  // A threat that is raised leaves the others; one that is set does not.
  return level === undefined ? releasesOf(mode, ENDS[name] ?? []) : [];
}
