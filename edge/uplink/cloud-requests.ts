import {
  openRequest,
  REQUEST_LIFETIME_MAX_MS,
  signAnswer,
  type Answer,
  type Request,
} from '@sparc/protocol/cloud-link';
import type { SignedDirective } from '@sparc/protocol/directive';
import { isSparcError } from '@sparc/protocol/errors';
import type { Clock, Signer, VerifySignature } from '@sparc/protocol/ports';
import { toHex } from '../platform/index.js';

/** What the field says to a directive; one that it refuses throws. */
export type Direct = (directive: SignedDirective) => Promise<Pick<Answer, 'outcome' | 'code'>>;

export interface CloudRequestsDeps {
  readonly clock: Clock;
  readonly verify: VerifySignature;
  readonly signer: Signer;
  readonly siteId: string;
  readonly cloudKey: Uint8Array;
  readonly direct: Direct;
}

/**
 * Does what the cloud asks of this gateway, before its deadline or not at all. That a directive is carried out once, the
 * field sees to: it knows those that it has had, also over starts.
 */
export class CloudRequests {
  constructor(private readonly deps: CloudRequestsDeps) {}

  /**
   * The signed answer; undefined where nobody knows what became of it. Rejects with ERR_LINK_REQUEST_INVALID where it is no
   * request of the cloud.
   */
  async take(signed: Uint8Array): Promise<Uint8Array | undefined> {
    const { verify, signer, siteId, cloudKey } = this.deps;
    const request = openRequest(verify, cloudKey, { site: siteId, gateway: toHex(signer.publicKey) }, signed);
    const outcome = await this.#outcomeOf(request);
    return outcome && signAnswer(signer, { site: siteId, id: request.id, ...outcome });
  }

  async #outcomeOf({ deadlineUnixMs, directive }: Request): Promise<Pick<Answer, 'outcome' | 'code'> | undefined> {
    const leftMs = deadlineUnixMs - this.deps.clock.wall().unixMs;
    if (leftMs < 0 || leftMs > REQUEST_LIFETIME_MAX_MS) return { outcome: 'expired' };
    if (directive === undefined) return { outcome: 'refused', code: 'ERR_LINK_REQUEST_UNKNOWN' };
    try {
      return await this.deps.direct(directive);
    } catch (error) {
      if (!isSparcError(error) || error.code === 'ERR_API_FIELD_SILENT') return undefined;
      return { outcome: 'refused', code: error.code };
    }
  }
}
