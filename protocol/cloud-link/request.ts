import { EXPULSION_BYTES_MAX } from '../directive/index.js';
import { SparcError } from '../errors/index.js';
import { hex, message, optional, required, text, uint, type Infer } from '../ledger/index.js';
import type { Signer, VerifySignature } from '../ports/signer.js';
import { openBody, signBody } from './signed-body.js';
import { Trial, TriedDecision } from './trial.js';

/** Longer than any person waits for a door. */
export const REQUEST_LIFETIME_MAX_MS = 300_000;

/** A directive as its operator signed it. */
const Directed = message({
  operator: required(1, hex(32)),
  text: required(2, text(EXPULSION_BYTES_MAX)),
  signature: required(3, hex(64)),
});

/** What the cloud asks of one gateway, one thing at a time: once, and before the deadline or not at all. */
export const Request = message({
  site: required(1, text(64)),
  gateway: required(2, hex(32)),
  /** By chance. */
  id: required(3, hex(16)),
  deadlineUnixMs: required(4, uint(2 ** 48 - 1)),
  directive: optional(5, Directed),
  trial: optional(6, Trial),
});
export type Request = Infer<typeof Request>;

/**
 * Of a directive. `unchanged`: it was so before. `elsewhere`: another gateway carries it out. `known`: it came before, and was
 * judged then. `expired`: it came after its deadline.
 */
export const DIRECTED_OUTCOMES = ['applied', 'unchanged', 'elsewhere', 'refused', 'known', 'expired'] as const;
/** Of a trial. */
export const TRIED_OUTCOMES = ['decided', 'refused', 'expired'] as const;

const REQUEST_OUTCOMES = [...DIRECTED_OUTCOMES, 'decided'] as const;
export type RequestOutcome = (typeof REQUEST_OUTCOMES)[number];

/** What became of a request, by the gateway that it was for. */
export interface Answer {
  readonly site: string;
  /** Of the request. */
  readonly id: string;
  readonly outcome: RequestOutcome;
  /** Why it was refused, of the registry of errors. */
  readonly code?: string;
  /** Of a trial that was decided. */
  readonly decision?: TriedDecision;
}

const AnswerBody = message({
  site: required(1, text(64)),
  id: required(2, hex(16)),
  outcome: required(3, uint(REQUEST_OUTCOMES.length - 1)),
  code: optional(4, text(64)),
  decision: optional(5, TriedDecision),
});

/** `cloud`: the key that the cloud has for the site. */
export const signCloudRequest = (cloud: Signer, request: Request): Uint8Array =>
  signBody(cloud, 'request', Request.encode(request));

/** Throws ERR_LINK_REQUEST_INVALID unless the cloud signed it for this gateway of this site. */
export function openCloudRequest(
  verify: VerifySignature,
  cloudKey: Uint8Array,
  { site, gateway }: Pick<Request, 'site' | 'gateway'>,
  signed: Uint8Array,
): Request {
  return opening('ERR_LINK_REQUEST_INVALID', 'no request of the cloud', () => {
    const request = Request.decode(openBody(verify, cloudKey, 'request', signed));
    if (request.site !== site || request.gateway !== gateway) throw new Error('it is for another gateway');
    return request;
  });
}

export const signAnswer = (gateway: Signer, { outcome, ...answer }: Answer): Uint8Array =>
  signBody(gateway, 'answer', AnswerBody.encode({ ...answer, outcome: REQUEST_OUTCOMES.indexOf(outcome) }));

/** Throws ERR_LINK_ANSWER_INVALID unless the gateway signed it in this site. */
export function openAnswer(verify: VerifySignature, gateway: Uint8Array, site: string, signed: Uint8Array): Answer {
  return opening('ERR_LINK_ANSWER_INVALID', 'no answer of the gateway', () => {
    const { outcome: index, ...answer } = AnswerBody.decode(openBody(verify, gateway, 'answer', signed));
    const outcome = REQUEST_OUTCOMES[index];
    if (outcome === undefined || answer.site !== site) throw new Error('it is of another site, or says nothing');
    if ((outcome === 'decided') !== (answer.decision !== undefined)) throw new Error('a decision without its answer');
    return { ...answer, outcome };
  });
}

function opening<T>(code: 'ERR_LINK_REQUEST_INVALID' | 'ERR_LINK_ANSWER_INVALID', what: string, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SparcError(code, `${what}: ${why}`, {}, { cause });
  }
}
