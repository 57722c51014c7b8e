import {
  DIRECTED_OUTCOMES,
  openAnswer,
  REQUEST_LIFETIME_MAX_MS,
  signRequest,
  TRIED_OUTCOMES,
  type Answer,
  type Carrier,
  type Request,
  type RequestOutcome,
  type Trial,
} from '@sparc/protocol/cloud-link';
import type { SignedDirective } from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Random, Signer, VerifySignature } from '@sparc/protocol/ports';
import type { CloudBus } from '../broker/index.js';
import { fromHex, toHex } from '../platform/index.js';

/** Of this process, that wait for their answers. */
export const GATEWAY_REQUESTS_MAX = 1_024;
/** Of these, for gateways of one tenant. */
export const TENANT_REQUESTS_MAX = 128;
/** Of these, for one gateway: no more doors are waited at. */
export const ONE_GATEWAY_REQUESTS_MAX = 16;
/** An answer that was given before the deadline may be so long on its way. */
const ANSWER_UNDER_WAY_MS = 2_000;
const ID_BYTES = 16;

/** `unheard`: nobody knows whether it came to the gateway; after the deadline it does nothing there any more. */
export type RequestResult = Pick<Answer, 'code' | 'decision'> & { readonly outcome: RequestOutcome | 'unheard' };

export interface GatewayRequestsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly verify: VerifySignature;
  readonly bus: CloudBus;
  /** The key by which the cloud signs for a site. */
  readonly signerOf: (tenant: string, site: string) => Signer;
  readonly onRefused: (carrier: Carrier) => void;
}

interface Waiting {
  readonly carrier: Carrier;
  /** What a gateway may say to it. */
  readonly outcomes: readonly RequestOutcome[];
  readonly answered: (answer: RequestResult) => void;
}

/** Asks a gateway over its link to do something, or what it would decide, once and within a time. */
export class GatewayRequests {
  readonly #waiting = new Map<string, Waiting>();

  constructor(private readonly deps: GatewayRequestsDeps) {}

  /** Every process hears all answers: it is for the one that asked to know its own. */
  start(): Promise<void> {
    return this.deps.bus.hear('answer', (carrier, body) => this.#answered(carrier, body));
  }

  /**
   * What became of a directive at this gateway. `withinMs`: at most REQUEST_LIFETIME_MAX_MS. Rejects with ERR_LINK_BUSY where
   * too many wait.
   */
  direct(carrier: Carrier, directive: SignedDirective, withinMs: number): Promise<RequestResult> {
    return this.#ask(carrier, { directive }, DIRECTED_OUTCOMES, withinMs);
  }

  /** What the gateway would decide of a presentation that nobody makes. As `direct`. */
  tryOut(carrier: Carrier, trial: Trial, withinMs: number): Promise<RequestResult> {
    return this.#ask(carrier, { trial }, TRIED_OUTCOMES, withinMs);
  }

  /** Those under way are unheard. */
  stop(): void {
    for (const { answered } of [...this.#waiting.values()]) answered({ outcome: 'unheard' });
  }

  async #ask(
    carrier: Carrier,
    what: Pick<Request, 'directive' | 'trial'>,
    outcomes: Waiting['outcomes'],
    withinMs: number,
  ): Promise<RequestResult> {
    const { clock, random, bus, signerOf } = this.deps;
    this.#assertFree(carrier);
    const { tenant, site, gateway } = carrier;
    const id = toHex(random.bytes(ID_BYTES));
    const lifetimeMs = Math.min(withinMs, REQUEST_LIFETIME_MAX_MS);
    const deadlineUnixMs = clock.wall().unixMs + lifetimeMs;
    const answer = new Promise<RequestResult>((resolve) => {
      const timer = clock.setTimer(lifetimeMs + ANSWER_UNDER_WAY_MS, () => resolve({ outcome: 'unheard' }));
      const answered = (result: RequestResult) => {
        timer.cancel();
        resolve(result);
      };
      this.#waiting.set(id, { carrier, outcomes, answered });
    }).finally(() => this.#waiting.delete(id));
    await bus.say(
      carrier,
      'request',
      signRequest(signerOf(tenant, site), { site, gateway, id, deadlineUnixMs, ...what }),
    );
    return answer;
  }

  /** Each tenant has its share, so that none keeps the others waiting. */
  #assertFree({ tenant, gateway }: Carrier): void {
    const waiting = [...this.#waiting.values()];
    const ofTenant = waiting.filter(({ carrier }) => carrier.tenant === tenant);
    const ofGateway = ofTenant.filter(({ carrier }) => carrier.gateway === gateway);
    const isFree =
      waiting.length < GATEWAY_REQUESTS_MAX &&
      ofTenant.length < TENANT_REQUESTS_MAX &&
      ofGateway.length < ONE_GATEWAY_REQUESTS_MAX;
    if (isFree) return;
    const counts = `${waiting.length}, of this tenant ${ofTenant.length}, of this gateway ${ofGateway.length}`;
    throw new SparcError('ERR_LINK_BUSY', `requests that wait for gateways: ${counts}`);
  }

  #answered(carrier: Carrier, body: Uint8Array): void {
    try {
      const { site: _site, id, ...result } = openAnswer(this.deps.verify, fromHex(carrier.gateway), carrier.site, body);
      const waiting = this.#waiting.get(id);
      if (waiting === undefined || !isSame(waiting.carrier, carrier)) return;
      if (!waiting.outcomes.includes(result.outcome)) throw new Error('it answers something else');
      waiting.answered(result);
    } catch {
      this.deps.onRefused(carrier);
    }
  }
}

const isSame = (a: Carrier, b: Carrier): boolean =>
  a.tenant === b.tenant && a.site === b.site && a.gateway === b.gateway;
