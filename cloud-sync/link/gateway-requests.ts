import {
  DIRECTED_OUTCOMES,
  openAnswer,
  REQUEST_LIFETIME_MAX_MS,
  signCloudRequest,
  TRIED_OUTCOMES,
  type Answer,
  type Carrier,
  type Request,
  type RequestOutcome,
  type Trial,
} from '@sparc/protocol/cloud-link';
import { openDirective, restricts, type SignedDirective } from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Random, Signer, Timer, VerifySignature } from '@sparc/protocol/ports';
import type { CloudBus } from '../broker/index.js';
import { fromHex, toHex } from '../platform/index.js';

/** Of this process, that wait for their answers; what is asked of several gateways counts once. */
export const GATEWAY_REQUESTS_MAX = 1_024;
/** Of these, of one tenant. */
export const TENANT_REQUESTS_MAX = 128;
/** Of these, for one gateway: no more doors are waited at. */
export const ONE_GATEWAY_REQUESTS_MAX = 16;
/** Of one gateway, while it has something to answer, that answer none of it: more are not looked at. */
export const STRAY_ANSWERS_MAX = 64;
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

/** What is asked, of one gateway or of several. */
interface Asked {
  readonly id: string;
  /** What restricts is counted by itself, so that nothing else keeps it waiting. */
  readonly isRestriction: boolean;
  /** What a gateway may say to it. */
  readonly outcomes: readonly RequestOutcome[];
}

interface Waiting {
  readonly asked: Asked;
  readonly answered: (answer: RequestResult) => void;
}

/** A gateway that has something to answer. */
interface Awaited {
  readonly carrier: Carrier;
  /** By the ids of the requests. */
  readonly requests: Map<string, Waiting>;
  strayCount: number;
}

/** Asks a gateway over its link to do something, or what it would decide, once and within a time. */
export class GatewayRequests {
  /** By the name of a carrier. */
  readonly #awaited = new Map<string, Awaited>();

  constructor(private readonly deps: GatewayRequestsDeps) {}

  /** Every process hears all answers: it is for the one that asked to know its own. */
  start(): Promise<void> {
    return this.deps.bus.hear('answer', (carrier, body) => this.#answered(carrier, body));
  }

  /**
   * What became of a directive at this gateway. `withinMs`: at most REQUEST_LIFETIME_MAX_MS. Rejects with ERR_LINK_BUSY where
   * too many wait, and with ERR_DIRECTIVE_INVALID.
   */
  async direct(carrier: Carrier, directive: SignedDirective, withinMs: number): Promise<RequestResult> {
    const opened = openDirective(this.deps.verify, directive);
    const asked = { id: opened.id, isRestriction: restricts(opened), outcomes: DIRECTED_OUTCOMES };
    return this.#ask(carrier, { directive }, asked, withinMs);
  }

  /** What the gateway would decide of a presentation that nobody makes. As `direct`. */
  async tryOut(carrier: Carrier, trial: Trial, withinMs: number): Promise<RequestResult> {
    return this.#ask(
      carrier,
      { trial },
      { id: this.#newId(), isRestriction: false, outcomes: TRIED_OUTCOMES },
      withinMs,
    );
  }

  /** Those under way are unheard. */
  stop(): void {
    const waiting = [...this.#awaited.values()].flatMap(({ requests }) => [...requests.values()]);
    for (const { answered } of waiting) answered({ outcome: 'unheard' });
  }

  async #ask(
    carrier: Carrier,
    what: Pick<Request, 'directive' | 'trial'>,
    asked: Asked,
    withinMs: number,
  ): Promise<RequestResult> {
    const { clock, bus, signerOf } = this.deps;
    this.#assertFree(carrier, asked);
    const { tenant, site, gateway } = carrier;
    const id = this.#newId();
    const lifetimeMs = Math.min(withinMs, REQUEST_LIFETIME_MAX_MS);
    const deadlineUnixMs = clock.wall().unixMs + lifetimeMs;
    let timer: Timer | undefined;
    const answer = new Promise<RequestResult>((answered) => {
      timer = clock.setTimer(lifetimeMs + ANSWER_UNDER_WAY_MS, () => answered({ outcome: 'unheard' }));
      const awaited = this.#awaited.get(nameOf(carrier)) ?? { carrier, requests: new Map(), strayCount: 0 };
      awaited.requests.set(id, { asked, answered });
      this.#awaited.set(nameOf(carrier), awaited);
    });
    const request = signCloudRequest(signerOf(tenant, site), { site, gateway, id, deadlineUnixMs, ...what });
    try {
      // A gateway that does not read it keeps nobody waiting beyond the time that it has.
      return await Promise.race([answer, bus.say(carrier, 'request', request).then(() => answer)]);
    } finally {
      timer?.cancel();
      this.#forget(carrier, id);
    }
  }

  /** Each tenant has its share, so that none keeps the others waiting. */
  #assertFree({ tenant, gateway }: Carrier, { id, isRestriction }: Asked): void {
    const all = [...this.#awaited.values()].flatMap(({ carrier, requests }) =>
      [...requests.values()]
        .filter(({ asked }) => asked.isRestriction === isRestriction)
        .map(({ asked }) => ({ carrier, id: asked.id })),
    );
    const ofTenant = all.filter(({ carrier }) => carrier.tenant === tenant);
    const ofGateway = ofTenant.filter(({ carrier }) => carrier.gateway === gateway);
    const othersOf = (requests: typeof all) =>
      new Set(requests.map((each) => each.id).filter((each) => each !== id)).size;
    const isFree =
      othersOf(all) < GATEWAY_REQUESTS_MAX &&
      othersOf(ofTenant) < TENANT_REQUESTS_MAX &&
      ofGateway.length < ONE_GATEWAY_REQUESTS_MAX;
    if (isFree) return;
    const counts = `${othersOf(all)}, of this tenant ${othersOf(ofTenant)}, of this gateway ${ofGateway.length}`;
    throw new SparcError('ERR_LINK_BUSY', `requests that wait for gateways: ${counts}`);
  }

  #answered(carrier: Carrier, body: Uint8Array): void {
    const awaited = this.#awaited.get(nameOf(carrier));
    // Nobody waits for it any more, or it says much that is no answer: a signature takes time to verify.
    if (awaited === undefined || awaited.strayCount >= STRAY_ANSWERS_MAX) return;
    try {
      const { site: _site, id, ...result } = openAnswer(this.deps.verify, fromHex(carrier.gateway), carrier.site, body);
      const waiting = awaited.requests.get(id);
      if (waiting === undefined) {
        awaited.strayCount += 1;
        return;
      }
      if (!waiting.asked.outcomes.includes(result.outcome)) throw new Error('it answers something else');
      waiting.answered(result);
    } catch {
      awaited.strayCount += 1;
      this.deps.onRefused(carrier);
    }
  }

  #forget(carrier: Carrier, id: string): void {
    const requests = this.#awaited.get(nameOf(carrier))?.requests;
    requests?.delete(id);
    if (requests?.size === 0) this.#awaited.delete(nameOf(carrier));
  }

  #newId(): string {
    return toHex(this.deps.random.bytes(ID_BYTES));
  }
}

const nameOf = ({ tenant, site, gateway }: Carrier): string => `${tenant}/${site}/${gateway}`;
