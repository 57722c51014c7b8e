import type { CardRecord, DecisionInputs, EventName, Reason } from '@sparc/protocol/events';
import type { AccessRequest, DecisionContext } from './access-request.js';
import { failedChecks, isFlagOnly } from './checks.js';
import type { Decision } from './decision.js';
import { identify, type Identified } from './identify.js';
import { isLockedOut } from './lock-out.js';
import type { PolicyView } from './policy-view.js';

/**
 * Decides one presentation. Pure: the same request, view and context give the same decision. Default deny; whatever is
 * thrown on the way is a denial `internal_error`.
 */
export function decide(request: AccessRequest, view: PolicyView, context: DecisionContext): Decision {
  let inputs = unidentifiedInputs(request, context);
  try {
    const identified = identify(view, request.accessPointId, request.card);
    inputs = { ...inputs, policyRevision: view.revision, ...factors(request, view, context, identified) };
    return judge(view, request.accessPointId, identified, inputs);
  } catch (error) {
    return failure(request.accessPointId, request.card, inputs, error);
  }
}

/** What a presentation was decided from, as an entry keeps it. */
export interface RecordedPresentation {
  readonly accessPointId: string;
  readonly card: CardRecord;
  readonly inputs: DecisionInputs;
}

/** The decision again, from its record and a view of the revision that the record names. */
export function replay(recorded: RecordedPresentation, view: PolicyView): Decision {
  const { accessPointId, card, inputs } = recorded;
  try {
    return judge(view, accessPointId, identify(view, accessPointId, card), inputs);
  } catch (error) {
    return failure(accessPointId, card, inputs, error);
  }
}

/** Checks 1, 3, 4, 6, 7 and 9: what may have changed while the record of a grant went to disk. */
const SECOND_LOOK: ReadonlySet<Reason> = new Set<Reason>([
  'point_unknown',
  'point_disabled',
  'lockdown',
  'point_blocked',
  'interlock_busy',
  'credential_unknown',
  'credential_lost',
  'credential_stolen',
  'credential_damaged',
  'credential_blocked',
  'credential_inactive',
  'credential_destroyed',
  'holder_suspended',
]);

/**
 * The second look at the instant of release, at the view and the mode of that instant. Undefined: release. A reason: do
 * not, and record `denied(decision, reason)`.
 */
export function releaseObstacle(
  decision: Decision,
  view: PolicyView,
  now: Pick<DecisionContext, 'doorMode' | 'interlockBusy'>,
): Reason | undefined {
  const { doorMode: _mode, interlockBusy: _busy, ...recorded } = decision.inputs;
  try {
    const identified = identify(view, decision.accessPointId, decision.card);
    const failed = failedChecks({ ...identified, view, inputs: { ...recorded, ...modeOf(now) } });
    return failed.find((reason) => SECOND_LOOK.has(reason) && !isFlagOnly(reason, identified.accessPoint));
  } catch {
    return 'internal_error';
  }
}

function modeOf({ doorMode, interlockBusy }: Pick<DecisionContext, 'doorMode' | 'interlockBusy'>) {
  return { ...(doorMode !== undefined && { doorMode }), ...(interlockBusy !== undefined && { interlockBusy }) };
}

/** Inputs before the credential is known; also those of a denial when finding it fails. */
export function unidentifiedInputs(request: AccessRequest, context: DecisionContext): DecisionInputs {
  return {
    atUnixMs: context.wall.unixMs,
    timeQuality: context.wall.quality,
    policyRevision: '',
    direction: 'entry',
    linkSecure: request.link.secure || !context.secureChannelRequired,
    linkTampered: request.link.tampered,
    readAgeMs: request.readAgeMs,
    pin: 'none',
    lockedOut: false,
    ...modeOf(context),
  };
}

/** A PIN is compared whatever else fails, so that alarms never depend on rank; not while locked out. */
function factors(
  { pin }: AccessRequest,
  view: PolicyView,
  { lockOuts, monotonicMs }: DecisionContext,
  { accessPoint, credential }: Identified,
): Pick<DecisionInputs, 'direction' | 'pin' | 'lockedOut'> {
  const direction = accessPoint?.direction ?? 'entry';
  if (accessPoint?.authentication !== 'cardAndPin' || !credential) return { direction, pin: 'none', lockedOut: false };
  const lockedOut = isLockedOut(lockOuts, credential.id, accessPoint.reader, monotonicMs);
  if (lockedOut || pin === undefined || !credential.hasPin) return { direction, pin: 'none', lockedOut };
  return { direction, pin: view.pinMatches(credential.id, pin) ? 'right' : 'wrong', lockedOut };
}

function judge(view: PolicyView, accessPointId: string, identified: Identified, inputs: DecisionInputs): Decision {
  const { accessPoint, credential, card } = identified;
  const failed = failedChecks({ ...identified, view, inputs });
  const denying = failed.filter((reason) => !isFlagOnly(reason, accessPoint));
  const [reason] = denying;
  const stolen = credential?.status === 'lost' || credential?.status === 'stolen';
  const alarms: EventName[] = stolen ? ['credential.alarm'] : [];
  const common = {
    alarms,
    accessPointId,
    card,
    inputs,
    ...(credential && { credentialId: credential.id, holderId: credential.holderId }),
  };
  if (reason === undefined) return { ...common, outcome: 'grant', alsoFailed: [], flags: failed };
  const alsoFailed = failed.filter((other) => other !== reason);
  const onlyPinMissing = reason === 'pin_required' && denying.length === 1;
  return { ...common, outcome: onlyPinMissing ? 'pending' : 'deny', reason, alsoFailed, flags: [] };
}

function failure(
  accessPointId: string,
  { bitCount, bits }: AccessRequest['card'],
  inputs: DecisionInputs,
  error: unknown,
): Decision {
  return {
    outcome: 'deny',
    reason: 'internal_error',
    alsoFailed: [],
    flags: [],
    alarms: [],
    accessPointId,
    card: { bitCount, bits },
    inputs,
    error,
  };
}
