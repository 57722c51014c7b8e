import { isSparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { SitePlan } from '@sparc/protocol/policy';
import type { Random, Signer } from '@sparc/protocol/ports';
import type { SiteClock } from '../clock/index.js';
import type { GatewayConfig } from '../config/index.js';
import type { FieldLog, FieldPolicy } from '../field/index.js';
import { verifySignature } from '../platform/index.js';
import {
  loadEmergencyCredentials,
  pinKeyOf,
  planOfGateway,
  SqlitePolicyView,
  type ReplicaMessage,
} from '../policy/index.js';
import type { GatewayCommissioning } from './gateway-commissioning.js';
import type { LaneState } from './lane-state.js';

/** What the replica says of the policy generation to go by. */
export type GenerationMessage = Extract<ReplicaMessage, { kind: 'generation' | 'none' }>;

export interface PolicyLoaderDeps {
  readonly log: FieldLog;
  readonly random: Random;
  readonly signer: Signer;
  readonly clock: Pick<SiteClock, 'trustUnsynced'>;
  readonly commissioning: Pick<GatewayCommissioning, 'usePlan'>;
  readonly laneState: LaneState;
  readonly onRejected: (code: ErrorCode, message: string) => void;
}

/** Opens the policy generations of the data directory, the emergency credentials where there is none, one at a time. */
export class PolicyLoader {
  #view: SqlitePolicyView | undefined;

  constructor(
    private readonly config: Pick<GatewayConfig, 'dataDir' | 'mesh' | 'buses'>,
    private readonly deps: PolicyLoaderDeps,
  ) {}

  /** Of the generation that was loaded last. */
  get view(): SqlitePolicyView | undefined {
    return this.#view;
  }

  /** Undefined when a generation cannot be had: what is in force stays. */
  load(message: GenerationMessage): FieldPolicy | undefined {
    if (message.kind === 'none') return this.loadNone();
    const { log, random, clock, commissioning, laneState } = this.deps;
    const { path, manifest, confirmedUnixMs } = message;
    try {
      const view = SqlitePolicyView.open(path, pinKeyOf(this.config.dataDir, manifest, random));
      this.#replaceView(view);
      laneState.loaded(manifest.issued);
      const plan = this.#ownPlan(view.plan);
      commissioning.usePlan(plan);
      log.info({ revision: manifest.revision }, 'policy loaded');
      clock.trustUnsynced(view.trustUnsyncedClock);
      return { kind: 'policy', view, plan, site: view.plan, confirmedUnixMs };
    } catch (error) {
      this.deps.onRejected(isSparcError(error) ? error.code : 'ERR_POLICY_CORRUPT', (error as Error).message);
      return undefined;
    }
  }

  loadNone(): FieldPolicy {
    this.close();
    const { log, signer, commissioning, laneState } = this.deps;
    laneState.loaded(undefined);
    const verify = (bytes: Uint8Array, signature: Uint8Array) => verifySignature(signer.publicKey, bytes, signature);
    let emergency;
    try {
      emergency = loadEmergencyCredentials(this.config.dataDir, verify);
    } catch (error) {
      log.error({ error }, 'the emergency credentials cannot be read');
    }
    log.error({ code: 'ERR_POLICY_NONE', emergency: emergency !== undefined }, 'no policy generation can be used');
    if (emergency === undefined) return { kind: 'none' };
    const plan = this.#ownPlan(emergency.plan);
    commissioning.usePlan(plan);
    return { kind: 'none', emergency: { ...emergency, plan } };
  }

  close(): void {
    this.#replaceView(undefined);
  }

  /**
   * In a mesh the policy is of the whole site: what is at other gateways is neither served nor missed here. A gateway that
   * is alone has all of it, and says of a device that its bus is unknown.
   */
  #ownPlan(plan: SitePlan): SitePlan {
    if (this.config.mesh === undefined) return plan;
    const busIds = this.config.buses.map(({ id }) => id);
    for (const busId of busIds) {
      if (!plan.devices.some(({ bus }) => bus === busId))
        this.deps.log.warn({ busId }, 'the policy has no device on it');
    }
    return planOfGateway(plan, busIds);
  }

  /** Decisions are synchronous: none is under way now, and the next one asks the new view. */
  #replaceView(view: SqlitePolicyView | undefined): void {
    this.#view?.close();
    this.#view = view;
  }
}
