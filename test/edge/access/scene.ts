import { cardFormat, encodeCard, type ActiveFormat } from '@sparc/protocol/card-format';
import type { AccessPoint, OnUnknownClock, PolicyStaleness, Schedule } from '@sparc/protocol/policy';
import { NO_LOCK_OUTS, type AccessRequest, type DecisionContext } from '@sparc/edge/access';
import { MemoryPolicyView, type MemoryCredential } from '../../support/memory-policy-view.js';

/** Wednesday 2026-03-04, 12:00 in the zone of the scene (UTC). */
export const NOON_UNIX_MS = Date.UTC(2026, 2, 4, 12);

const point = (id: string, more: Partial<AccessPoint> = {}): AccessPoint => ({
  id,
  name: id,
  door: 'door',
  reader: `${id}-reader`,
  direction: 'entry',
  authentication: 'card',
  onRecordFailure: 'deny',
  ...more,
});

/** Access points of the scene, by what is particular about them. */
export const ACCESS_POINTS: readonly AccessPoint[] = [
  point('entry'),
  point('exit', { direction: 'exit' }),
  point('vault-exit', { direction: 'exit', independentEgress: true }),
  point('pin-entry', { authentication: 'cardAndPin' }),
  point('pin-exit', { direction: 'exit', authentication: 'cardAndPin' }),
  point('pin-at-night', { scheduledAuthentication: [{ schedule: 'night', authentication: 'cardAndPin' }] }),
  point('no-pin-by-day', {
    authentication: 'cardAndPin',
    scheduledAuthentication: [{ schedule: 'day', authentication: 'card' }],
  }),
  point('disabled', { enabled: false }),
  point('facility-7', { facilityCodes: [7] }),
];

const everyPoint = (scheduleId: string): Record<string, string> =>
  Object.fromEntries(ACCESS_POINTS.map(({ id }) => [id, scheduleId]));

const SCHEDULES: readonly Schedule[] = [
  { id: 'day', name: 'Day', weekly: [{ days: ['mo', 'tu', 'we', 'th', 'fr'], from: '08:00', to: '18:00' }] },
  { id: 'night', name: 'Night', weekly: [{ days: ['mo', 'tu', 'we', 'th', 'fr'], from: '22:00', to: '06:00' }] },
  {
    id: 'whole-week',
    name: 'Whole week',
    weekly: [{ days: ['mo', 'tu', 'we', 'th', 'fr', 'sa', 'su'], from: '00:00', to: '24:00' }],
  },
];

/** An active credential with facility 1, card 42, PIN 2468, and a right to every access point by day. */
export const ALICE: MemoryCredential = {
  id: 'alice-card',
  holderId: 'alice',
  holderStatus: 'active',
  status: 'active',
  hasPin: true,
  keys: ['h10301:1:42'],
  rights: everyPoint('day'),
  pin: '2468',
};

export interface Given {
  readonly credential?: Partial<MemoryCredential>;
  readonly schedule?: string;
  readonly formats?: readonly ActiveFormat[];
  readonly trustUnsyncedClock?: boolean;
  readonly onUnknownClock?: OnUnknownClock;
  readonly policyStaleness?: PolicyStaleness;
}

export function policyOf({ credential, schedule, formats, ...ofSite }: Given = {}): MemoryPolicyView {
  const rights = schedule === undefined ? {} : { rights: everyPoint(schedule) };
  return new MemoryPolicyView({
    accessPoints: ACCESS_POINTS,
    schedules: SCHEDULES,
    credentials: [{ ...ALICE, ...rights, ...credential }],
    ...(formats && { cardFormats: formats }),
    ...ofSite,
  });
}

export function cardBits(formatId: string, facility: number | undefined, number: number, issue?: number) {
  const format = cardFormat(formatId);
  if (!format) throw new Error(`no format ${formatId}`);
  const fields = {
    number: String(number),
    ...(facility !== undefined && { facility }),
    ...(issue !== undefined && { issue }),
  };
  return { bits: encodeCard(format, fields), bitCount: format.bitCount };
}

/** Alice's card at the entry over Secure Channel, a moment ago. */
export const REQUEST: AccessRequest = {
  accessPointId: 'entry',
  card: cardBits('h10301', 1, 42),
  link: { secure: true, tampered: false },
  readAgeMs: 50,
};

export const CONTEXT: DecisionContext = {
  wall: { unixMs: NOON_UNIX_MS, quality: 'synced' },
  monotonicMs: 1_000_000,
  lockOuts: NO_LOCK_OUTS,
  secureChannelRequired: true,
};
