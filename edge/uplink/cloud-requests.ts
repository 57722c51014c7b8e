import {
  openCloudRequest,
  REQUEST_LIFETIME_MAX_MS,
  signAnswer,
  type Answer,
  type Request,
  type Trial,
  type TriedDecision,
} from '@sparc/protocol/cloud-link';
import type { SignedDirective } from '@sparc/protocol/directive';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { Clock, Signer, VerifySignature } from '@sparc/protocol/ports';
import { toHex } from '../platform/index.js';

/** What the field says of a presentation that nobody makes; one that it cannot judge throws. */
export type TryOut = (trial: Trial) => Promise<TriedDecision>;
/** What the field says to a directive; one that it refuses throws. */
export type Direct = (directive: SignedDirective) => Promise<Pick<Answer, 'outcome' | 'code'>>;

/** Trials that a gateway takes at once, and then one after each pause: the field has doors to serve. */
export const TRIALS_AT_ONCE_MAX = 8;
export const TRIAL_PAUSE_MS = 500;

type Result = Omit<Answer, 'site' | 'id'>;

export interface CloudRequestsDeps {
  readonly clock: Clock;
  readonly verify: VerifySignature;
  readonly signer: Signer;
  readonly siteId: string;
  readonly cloudKey: Uint8Array;
  readonly direct: Direct;
  readonly tryOut: TryOut;
}

/**
 * Does what the cloud asks of this gateway, before its deadline or not at all. That a directive is carried out once, the
 * field sees to: it knows those that it has had, also over starts.
 */
export class CloudRequests {
  /** Until then all trials are paid for, at one in a pause. */
  #trialsOwedUntilMs = -Infinity;

  constructor(private readonly deps: CloudRequestsDeps) {}

  /**
   * The signed answer; undefined where nobody knows what became of it. Rejects with ERR_LINK_REQUEST_INVALID where it is no
   * request of the cloud.
   */
  async take(signed: Uint8Array): Promise<Uint8Array | undefined> {
    const { verify, signer, siteId, cloudKey } = this.deps;
    const request = openCloudRequest(verify, cloudKey, { site: siteId, gateway: toHex(signer.publicKey) }, signed);
    const outcome = await this.#outcomeOf(request);
    return outcome && signAnswer(signer, { site: siteId, id: request.id, ...outcome });
  }

  async #outcomeOf({ deadlineUnixMs, directive, trial }: Request): Promise<Result | undefined> {
    const leftMs = deadlineUnixMs - this.deps.clock.wall().unixMs;
    if (leftMs < 0 || leftMs > REQUEST_LIFETIME_MAX_MS) return { outcome: 'expired' };
    try {
      if (directive !== undefined) return await this.#directed(directive);
      if (trial !== undefined) return { outcome: 'decided', decision: await this.#tried(trial) };
      return { outcome: 'refused', code: 'ERR_LINK_REQUEST_UNKNOWN' };
    } catch (error) {
      if (!isSparcError(error) || error.code === 'ERR_API_FIELD_SILENT') return undefined;
      return { outcome: 'refused', code: error.code };
    }
  }

  /** Of what the field says more there is nothing in the answer. */
  async #directed(directive: SignedDirective): Promise<Result> {
    const { outcome, code } = await this.deps.direct(directive);
    return { outcome, ...(code !== undefined && { code }) };
  }

  #tried(trial: Trial): Promise<TriedDecision> {
    const nowMs = this.deps.clock.monotonicMs();
    const owedUntilMs = Math.max(nowMs, this.#trialsOwedUntilMs);
    if (owedUntilMs - nowMs > (TRIALS_AT_ONCE_MAX - 1) * TRIAL_PAUSE_MS) {
      throw new SparcError('ERR_LINK_TRIAL_PACE', 'more decisions are tried than the gateway answers');
    }
    this.#trialsOwedUntilMs = owedUntilMs + TRIAL_PAUSE_MS;
    return this.deps.tryOut(trial);
  }
}
