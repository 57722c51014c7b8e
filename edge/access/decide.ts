import type { CardRecord, DecisionInputs, Reason } from '@sparc/protocol/events';
import { asksHost } from '@sparc/protocol/policy';
import type { AccessRequest, DecisionContext } from './access-request.js';
import { failedChecks, type Failure } from './checks.js';
import type { Decision, DecisionAlarm } from './decision.js';
import { decisionTime } from './decision-time.js';
import { identify, type Identified } from './identify.js';
import { isLockedOut } from './lock-out.js';
import { typedAlone, whileLockedOut, type Factors } from './pin-alone.js';
import type { PolicyView } from './policy-view.js';

/**
 * Decides one presentation. Pure: the same request, view and context give the same decision. Default deny; whatever is
 * thrown on the way is a denial `internal_error`.
 */
export function decide(request: AccessRequest, view: PolicyView, context: DecisionContext): Decision {
  let factors = NO_FACTORS;
  try {
    const typed = typedAlone(request, view, context);
    const identified = identify(view, request.accessPointId, request.card, context.wall, {
      pinAlone: typed?.pinAlone,
      findVisitor: visitorFinder(context, context.wall.unixMs),
    });
    factors = typed ?? factorsOf(request, view, context, identified);
    const inputs = inputsOf(request, context, view.revision, factors);
    const { credential, accessPoint, visitor } = identified;
    if (visitor !== undefined) inputs.visitor = visitor;
    if (credential && accessPoint) Object.assign(inputs, context.passages?.factsOf(credential, accessPoint, request));
    addRevocations(inputs, context, credential);
    return judge(view, request.accessPointId, identified, inputs);
  } catch (error) {
    return failure(request.accessPointId, request.card, inputsOf(request, context, view.revision, factors), error);
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
    return judge(
      view,
      accessPointId,
      identify(view, accessPointId, card, decisionTime(inputs), {
        pinAlone: inputs.pinAlone,
        findVisitor: () => inputs.visitor,
      }),
      inputs,
    );
  } catch (error) {
    return failure(accessPointId, card, inputs, error);
  }
}

const visitorFinder = ({ visitors }: Pick<DecisionContext, 'visitors'>, atUnixMs: number) =>
  visitors && ((key: string) => visitors.visitorOf(key, atUnixMs));

/** Checks 1, 3, 4, 6, 7 and 9, revocations and the threat level included: what may have changed while the record of a grant went to disk. */
const SECOND_LOOK: ReadonlySet<Reason> = new Set<Reason>([
  'point_unknown',
  'point_disabled',
  'lockdown',
  'point_blocked',
  'interlock_busy',
  'credential_unknown',
  'credential_revoked',
  'credential_lost',
  'credential_stolen',
  'credential_damaged',
  'credential_blocked',
  'credential_inactive',
  'credential_destroyed',
  'holder_suspended',
  'clearance_too_low',
]);

/**
 * The second look at the instant of release, at the view, the mode and the revocations of that instant. Undefined:
 * release. A reason: do not, and record `denied(decision, reason)`.
 */
export function releaseObstacle(decision: Decision, view: PolicyView, now: Instant): Reason | undefined {
  const { doorMode: _m, interlockBusy: _i, threatLevel: _t, revocations: _r, ...inputs } = decision.inputs;
  try {
    const at = decisionTime(decision.inputs);
    const identified = identify(view, decision.accessPointId, decision.card, at, {
      pinAlone: inputs.pinAlone,
      findVisitor: visitorFinder(now, inputs.atUnixMs),
    });
    addMode(inputs, now);
    addRevocations(inputs, now, identified.credential);
    const failed = failedChecks(view, identified, inputs);
    const wasFlagged = ({ reason }: Failure) => decision.flags.includes(reason);
    // An override that nobody was told of is none: whoever has it presents the card again.
    return failed.find(
      (each) =>
        SECOND_LOOK.has(each.reason) && (!each.isFlagOnly || (OVERRIDDEN.includes(each.reason) && !wasFlagged(each))),
    )?.reason;
  } catch {
    return 'internal_error';
  }
}

type Draft = { -readonly [Name in keyof DecisionInputs]: DecisionInputs[Name] };
type Mode = Pick<DecisionContext, 'doorMode' | 'interlockBusy' | 'threatLevel'>;
type Instant = Mode & Pick<DecisionContext, 'revocations' | 'visitors'>;

const NO_FACTORS: Factors = { direction: 'entry', pin: 'none', lockedOut: false };

function addMode(inputs: Draft, { doorMode, interlockBusy, threatLevel = 0 }: Mode): void {
  if (doorMode !== undefined) inputs.doorMode = doorMode;
  if (interlockBusy !== undefined) inputs.interlockBusy = interlockBusy;
  if (threatLevel > 0) inputs.threatLevel = threatLevel;
}

/** What revocations say of a credential; nothing where nothing was ever revoked. */
export function addRevocations(
  inputs: Draft,
  { revocations }: Pick<DecisionContext, 'revocations'>,
  credential: { readonly id: string; readonly holderId: string | undefined } | undefined,
): void {
  if (revocations === undefined) return;
  const { newest } = revocations;
  const hit = credential && revocations.of(credential.id, credential.holderId);
  if (newest === 0 && hit === undefined) return;
  inputs.revocations = hit === undefined ? { newest } : { newest, hit };
}

/** What is recorded as seen. Filled in field by field: spread objects cost four times as much as all the checks. */
export function inputsOf(
  { link, readAgeMs, partner, escort, hostAnswer }: AccessRequest,
  context: DecisionContext,
  policyRevision: string,
  { direction, pin, lockedOut, pinAlone }: Factors,
): Draft {
  const { wall, policyAgeMs, secureChannelRequired } = context;
  const inputs: Draft = {
    atUnixMs: wall.unixMs,
    timeQuality: wall.quality,
    policyRevision,
    direction,
    linkSecure: link.secure || !secureChannelRequired,
    linkTampered: link.tampered,
    readAgeMs,
    pin,
    lockedOut,
  };
  if (wall.errorMs !== undefined) inputs.clockErrorMs = wall.errorMs;
  if (wall.floorUnixMs !== undefined) inputs.clockFloorUnixMs = wall.floorUnixMs;
  if (policyAgeMs !== undefined) inputs.policyAgeMs = policyAgeMs;
  if (pinAlone !== undefined) inputs.pinAlone = pinAlone;
  if (partner !== undefined) inputs.partner = partner;
  if (escort !== undefined) inputs.escort = escort;
  if (hostAnswer !== undefined) inputs.hostAnswer = hostAnswer;
  addMode(inputs, context);
  return inputs;
}

/** A PIN is compared whatever else fails, so that alarms never depend on rank; while locked out it says nothing else. */
function factorsOf(
  { pin }: AccessRequest,
  view: PolicyView,
  { lockOuts, monotonicMs }: DecisionContext,
  { accessPoint, credential }: Identified,
): Factors {
  const direction = accessPoint?.direction ?? 'entry';
  if (accessPoint?.authentication !== 'cardAndPin' || !credential) return { direction, pin: 'none', lockedOut: false };
  const lockedOut = isLockedOut(lockOuts, credential.id, accessPoint.reader, monotonicMs);
  if (pin === undefined || !credential.hasPin) return { direction, pin: 'none', lockedOut };
  return { direction, pin: whileLockedOut(lockedOut, view.comparePin(credential.id, pin)), lockedOut };
}

const NONE: readonly never[] = [];
const OVERRIDDEN: readonly Reason[] = ['point_disabled', 'lockdown'];

/** Raised whatever the outcome, but for an override that came to nothing. */
function alarmsOf(
  credential: Identified['credential'],
  { pin, revocations }: DecisionInputs,
  isOverride: boolean,
): readonly DecisionAlarm[] {
  const isWanted = credential?.status === 'lost' || credential?.status === 'stolen' || revocations?.hit !== undefined;
  if (!isWanted && pin !== 'duress' && !isOverride) return NONE;
  const alarms: DecisionAlarm[] = [];
  if (isWanted) alarms.push('credential.alarm');
  if (pin === 'duress') alarms.push('access.duress');
  if (isOverride) alarms.push('access.override');
  return alarms;
}

function judge(view: PolicyView, accessPointId: string, identified: Identified, inputs: DecisionInputs): Decision {
  const { credential, card } = identified;
  const failures = failedChecks(view, identified, inputs);
  const primary = failures.find(({ isFlagOnly }) => !isFlagOnly);
  const reason = primary?.reason;
  const isAlone = failures.length === (primary === undefined ? 0 : 1);
  const others = isAlone ? NONE : failures.filter((each) => each !== primary).map((each) => each.reason);
  const isHostDue =
    identified.accessPoint !== undefined && inputs.hostAnswer === undefined && asksHost(identified.accessPoint);
  const isPending =
    reason === undefined ? isHostDue : failures.every(({ isFlagOnly, isAwaited }) => isFlagOnly || isAwaited);
  const outcome = isPending ? 'pending' : reason === undefined ? 'grant' : 'deny';
  return {
    outcome,
    reason,
    alsoFailed: reason === undefined ? NONE : others,
    flags: reason === undefined ? others : NONE,
    alarms: alarmsOf(credential, inputs, outcome === 'grant' && others.some((each) => OVERRIDDEN.includes(each))),
    accessPointId,
    credentialId: credential?.id,
    holderId: credential?.holderId,
    card,
    inputs,
    extendedTime: credential?.extendedTime,
  };
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
    alsoFailed: NONE,
    flags: NONE,
    alarms: NONE,
    accessPointId,
    credentialId: undefined,
    holderId: undefined,
    card: { bitCount, bits },
    inputs,
    error,
  };
}
