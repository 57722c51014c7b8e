import type { Trial, TriedDecision } from '@sparc/protocol/cloud-link';
import { SparcError } from '@sparc/protocol/errors';
import type { Decider } from './decider.js';
import type { Devices } from './devices.js';
import type { PolicyInForce } from './policy-in-force.js';
import type { SiteIndex } from './site-index.js';

export interface TryOutDeps {
  readonly decider: Decider;
  readonly policy: PolicyInForce;
  readonly index: () => SiteIndex;
  readonly devices: Devices;
}

/**
 * What a presentation would be answered that nobody makes, as policy, doors, modes, areas and uses are now: nothing is recorded,
 * kept or moved. Throws ERR_POLICY_NONE, ERR_GATEWAY_TRIAL_UNKNOWN, and ERR_CARD_FORMAT_UNKNOWN.
 */
export function tryOut({ decider, policy, index, devices }: TryOutDeps, trial: Trial): TriedDecision {
  const { view } = policy;
  if (view === undefined) throw new SparcError('ERR_POLICY_NONE', 'no policy is in force');
  const { accessPoint, credential, atUnixMs } = trial;
  const point = index().accessPoints.get(accessPoint);
  if (point === undefined) throw unknown(`this gateway has no access point ${accessPoint}`);
  const card = view.cardOf(credential);
  if (card === undefined) throw unknown(`policy ${view.revision} has no credential ${credential} with a card`);
  const { secure = false, tampered = false } = devices.get(point.reader.device) ?? {};
  const decision = decider.decide(
    { accessPointId: accessPoint, card, link: { secure, tampered }, readAgeMs: 0 },
    atUnixMs === undefined ? undefined : { unixMs: atUnixMs, quality: 'synced' },
  );
  const { reason, alsoFailed, flags, inputs } = decision;
  return {
    outcome: OUTCOMES[decision.outcome],
    ...(reason !== undefined && { reason }),
    alsoFailed,
    flags,
    policyRevision: inputs.policyRevision,
    atUnixMs: inputs.atUnixMs,
  };
}

const OUTCOMES = { grant: 'granted', deny: 'denied', pending: 'pending' } as const;

const unknown = (message: string) => new SparcError('ERR_GATEWAY_TRIAL_UNKNOWN', message);
