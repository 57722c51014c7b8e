import type { EventName, EventRecord } from '@sparc/protocol/events';
import { EVACUATION, NORMAL, type Act, type SiteMode } from './site-mode.js';

/** What the journal tells of the mode; what was ordered for single doors is in the file alone. */
export type RecordedMode = Pick<SiteMode, 'lockdown' | 'threatLevel' | 'fires'>;

/** An event of `MODE_CLAIMS`. */
export interface ModeClaim {
  readonly record: EventRecord;
  readonly atUnixMs: number;
}

/** In place of a person's name. */
export const FIRE_ALARM = 'fire alarm';

interface Meaning {
  readonly of: keyof RecordedMode;
  /** Of the same it makes everything before it irrelevant. */
  readonly settles: boolean;
  readonly fold: (mode: RecordedMode, act: Act, detail: NonNullable<EventRecord['detail']>) => RecordedMode;
}

/** The events that say what stands for the whole site. */
export const MODE_CLAIMS: Partial<Record<EventName, Meaning>> = {
  'site.lockdown': { of: 'lockdown', settles: true, fold: (mode, act) => ({ ...mode, lockdown: act }) },
  'site.lockdown_ended': { of: 'lockdown', settles: true, fold: ({ lockdown: _ended, ...rest }) => rest },
  'site.threat_level': {
    of: 'threatLevel',
    settles: true,
    fold: (mode, _act, { to }) => ({ ...mode, threatLevel: Number(to) }),
  },
  'fire.alarm': {
    of: 'fires',
    settles: false,
    fold: (mode, { atUnixMs }, { input = '' }) => withFire(mode, input, { by: FIRE_ALARM, atUnixMs }),
  },
  'fire.evacuation': { of: 'fires', settles: false, fold: (mode, act) => withFire(mode, EVACUATION, act) },
  'fire.ended': { of: 'fires', settles: true, fold: (mode) => ({ ...mode, fires: NORMAL.fires }) },
};

const withFire = (mode: RecordedMode, alarm: string, act: Act): RecordedMode => ({
  ...mode,
  fires: { ...mode.fires, [alarm]: act },
});

/** Folds claims, oldest first. */
export function foldMode(claims: readonly ModeClaim[]): RecordedMode {
  const { threatLevel, fires } = NORMAL;
  return claims.reduce<RecordedMode>(
    (mode, { record: { name, detail = {} }, atUnixMs }) =>
      MODE_CLAIMS[name]?.fold(mode, { by: detail['by'] ?? '', atUnixMs }, detail) ?? mode,
    { threatLevel, fires },
  );
}
