import type { Command } from './commands.js';
import { CodecError, type Decoded } from './codec-error.js';
import { type Assembly, type AssemblyResult, assemble, FRAGMENT_HEADER_SIZE, splitMessage } from './multipart.js';
import { AUTHENTICATION_HEAD_SIZE, type AuthenticationFragment } from './multipart-codecs.js';
import type { Dialect } from './tolerance.js';

/** What GENAUTH or CRAUTH asks a card to prove (SP 800-73, GENERAL AUTHENTICATE). */
export interface AuthenticationRequest {
  /** 0x07 RSA-2048, 0x11 ECC P-256, 0x14 ECC P-384. */
  readonly algorithm: number;
  /** 0x9E card authentication, 0x9A PIV authentication. */
  readonly keyReference: number;
  /** A dynamic authentication template (BER-TLV), or the challenge. */
  readonly data: Uint8Array;
}

export type AuthenticationName = 'GENAUTH' | 'CRAUTH';

/**
 * The commands that carry a request, to be sent in this order.
 * @param payloadSizeMax longest payload that the PD takes, as `payloadSizeMax` gives it.
 */
export function authenticationCommands(
  name: AuthenticationName,
  { algorithm, keyReference, data }: AuthenticationRequest,
  payloadSizeMax: number,
  { authenticationHeadCounted }: Dialect,
): readonly Extract<Command, { name: AuthenticationName }>[] {
  const head = Uint8Array.of(algorithm, keyReference);
  const size = payloadSizeMax - FRAGMENT_HEADER_SIZE;
  if (authenticationHeadCounted) {
    return splitMessage(Uint8Array.of(...head, ...data), size).map((part) => ({
      name,
      head: new Uint8Array(0),
      ...part,
    }));
  }
  return splitMessage(data, size - AUTHENTICATION_HEAD_SIZE).map((part) => ({
    name,
    head: part.offset === 0 ? head : new Uint8Array(0),
    ...part,
  }));
}

/** A request of which the first part is there. */
export interface AuthenticationAssembly {
  readonly head: Uint8Array;
  readonly assembly: Assembly;
}

export type AuthenticationResult =
  | Exclude<AssemblyResult, { kind: 'complete' }>
  | { readonly kind: 'complete'; readonly request: AuthenticationRequest };

/** Takes the next fragment of a request, in whichever way it counts; see `assemble`. */
export function assembleAuthentication(
  state: AuthenticationAssembly | undefined,
  part: AuthenticationFragment,
  nowMs: number,
): { readonly state: AuthenticationAssembly | undefined; readonly result: AuthenticationResult } {
  const head = part.offset === 0 || state === undefined ? part.head : state.head;
  const { state: assembly, result } = assemble(state?.assembly, part, nowMs);
  const next = assembly === undefined ? undefined : { head, assembly };
  if (result.kind !== 'complete') return { state: next, result };
  const request = requestIn(Uint8Array.of(...head, ...result.data));
  return {
    state: next,
    result: request.ok ? { kind: 'complete', request: request.value } : { kind: 'refused', error: request.error },
  };
}

function requestIn(bytes: Uint8Array): Decoded<AuthenticationRequest> {
  const [algorithm, keyReference] = bytes;
  if (algorithm === undefined || keyReference === undefined) {
    return { ok: false, error: new CodecError('ERR_OSDP_LENGTH', 'algorithm and key reference are missing') };
  }
  return { ok: true, value: { algorithm, keyReference, data: bytes.slice(AUTHENTICATION_HEAD_SIZE) } };
}
