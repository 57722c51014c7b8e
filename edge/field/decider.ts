import type { Reason } from '@sparc/protocol/events';
import type { Clock, WallTime } from '@sparc/protocol/ports';
import { threatLevel } from '@sparc/protocol/site-mode';
import {
  decide,
  decideEmergency,
  mayBesideEntry,
  releaseObstacle,
  type AccessRequest,
  type Decision,
  type DecisionContext,
} from '../access/index.js';
import type { PassageBook } from '../passages/index.js';
import type { RevocationBook } from '../revocation/index.js';
import type { SiteMode } from '../site-mode/index.js';
import type { VisitorBook } from '../visitors/index.js';
import type { Presentation } from './candidate.js';
import type { DoorSet } from './door-set.js';
import type { PolicyInForce } from './policy-in-force.js';
import { codeOf, type FieldLog } from './recorder.js';
import type { SiteIndex } from './site-index.js';

export interface DeciderDeps {
  readonly clock: Clock;
  readonly log: FieldLog;
  readonly policy: PolicyInForce;
  readonly index: () => SiteIndex;
  readonly doors: DoorSet;
  readonly siteMode: () => SiteMode;
  readonly lockOuts: () => DecisionContext['lockOuts'];
  readonly passages: PassageBook;
  readonly revocations: RevocationBook;
  readonly visitors: VisitorBook;
}

/** Asks the pure decision, with what is known at this instant. */
export class Decider {
  constructor(private readonly deps: DeciderDeps) {}

  /** `wall`: the time that it is decided for; everything else is as it is at this instant. */
  decide(request: AccessRequest, wall = this.deps.clock.wall()): Decision {
    const context = this.#context(request.accessPointId, wall);
    const { policy } = this.deps.policy;
    if (policy.kind === 'policy') return decide(request, policy.view, context);
    return decideEmergency(request, policy.emergency ?? NO_EMERGENCY, context);
  }

  /** The second look. A grant under a revision that is no longer in force has to stand under the new one as a whole. */
  obstacle(decision: Decision, { point, request }: Presentation): Reason | undefined {
    const { policy, index, revocations, visitors } = this.deps;
    const doorId = index().accessPoints.get(request.accessPointId)?.accessPoint.door;
    if (doorId !== point.accessPoint.door) return 'point_unknown';
    if (policy.view !== undefined && decision.inputs.policyRevision === policy.view.revision) {
      return releaseObstacle(decision, policy.view, { ...this.#modeAt(doorId), revocations, visitors });
    }
    const again = this.decide(request);
    return again.outcome === 'grant' ? undefined : (again.reason ?? 'host_timeout');
  }

  mayEscort({ credentialId, holderId, accessPointId, inputs }: Decision): boolean {
    const { revocations } = this.deps;
    const { view } = this.deps.policy;
    if (view === undefined || credentialId === undefined) return false;
    if (revocations.of(credentialId, holderId) !== undefined) return false;
    try {
      const accessPoint = view.accessPoint(accessPointId);
      return accessPoint !== undefined && mayBesideEntry(view, credentialId, accessPoint, inputs, 'escort');
    } catch (error) {
      this.deps.log.error({ accessPointId, code: codeOf(error) }, 'whether somebody may escort could not be read');
      return false;
    }
  }

  #context(accessPointId: string, wall: WallTime): DecisionContext {
    const { clock, policy, index, lockOuts, passages, revocations, visitors } = this.deps;
    const policyAgeMs = policy.ageMs(wall);
    const point = index().accessPoints.get(accessPointId);
    return {
      wall,
      ...(policyAgeMs !== undefined && { policyAgeMs }),
      monotonicMs: clock.monotonicMs(),
      lockOuts: lockOuts(),
      passages,
      revocations,
      visitors,
      secureChannelRequired: point?.device.secureChannel !== 'clear',
      ...this.#modeAt(point?.accessPoint.door),
    };
  }

  /** What the door of an access point adds to a decision. */
  #modeAt(doorId: string | undefined): Pick<DecisionContext, 'doorMode' | 'interlockBusy' | 'threatLevel'> {
    const { doors } = this.deps;
    const level = threatLevel(
      this.deps.siteMode(),
      doorId === undefined ? undefined : this.deps.index().doors.get(doorId),
    );
    if (doorId === undefined) return { threatLevel: level };
    const doorMode = doors.get(doorId)?.state.standing;
    return {
      threatLevel: level,
      ...(doorMode !== undefined && { doorMode }),
      ...(doors.isInterlockBusy(doorId) && { interlockBusy: true }),
    };
  }
}

const NO_EMERGENCY = {
  revision: '',
  cardFormats: [],
  accessPoint: () => undefined,
  emergencyCredential: () => undefined,
};
