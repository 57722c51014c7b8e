import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Signer, VerifySignature } from '@sparc/protocol/ports';
import type { SignedRoster } from '@sparc/protocol/roster';
import { fromHex, toHex } from '../platform/index.js';
import type { Frame, FrameTime, Hello } from './frames.js';
import type { Links } from './links.js';

export const SESSION_VERSION = 1;
/** From the connection to the proof of the other end. */
export const GREETING_MAX_MS = 10_000;
export const PING_INTERVAL_MS = 1_000;
/**
 * A neighbour that says nothing while so many pings go out is taken for gone, after 3 to 4 s. Pings are counted and not
 * milliseconds, so that whoever was held up itself does not blame its neighbours.
 */
export const UNANSWERED_PINGS_MAX = 3;

export interface SessionState {
  readonly phase: 'greeting' | 'proving' | 'open' | 'ended';
  readonly own: Hello;
  readonly theirs: Hello | undefined;
  readonly startedAtMs: number;
  readonly pingedAtMs: number;
  /** Pings since anything was heard. */
  readonly unansweredCount: number;
  /** Of the last answer. */
  readonly roundTripMs: number | undefined;
}

/** What a session needs to know of the site; it may change while the session goes on. */
export interface SessionSite {
  readonly siteId: string;
  readonly signer: Signer;
  readonly verify: VerifySignature;
  /** Takes a roster over if it is valid and newer; says whether the key is a member under the newest. Throws for a forged one. */
  admits(neighbour: string, roster: SignedRoster): boolean;
  /** False: another session with the same neighbour goes on. */
  isWanted(): boolean;
  /** What the own clock is worth by itself; undefined where that is not known. */
  time(): FrameTime | undefined;
  /** The own field does not answer. */
  isFieldSilent(): boolean;
}

export type SessionInput =
  | { readonly kind: 'frame'; readonly frame: Frame }
  /** Something came on the connection, be it a part of a frame or of what was asked for. */
  | { readonly kind: 'arrival' }
  | { readonly kind: 'send'; readonly frame: Pick<Frame, 'message' | 'links'> }
  | { readonly kind: 'time' };

export type SessionEffect =
  | { readonly kind: 'frame'; readonly frame: Frame }
  /** The other end proved its key and is a member. */
  | { readonly kind: 'open' }
  | { readonly kind: 'message'; readonly message: Uint8Array }
  | { readonly kind: 'links'; readonly links: Links }
  /** Read from its clock at some instant of the round trip that ends now. */
  | { readonly kind: 'time'; readonly time: FrameTime; readonly roundTripMs: number }
  /** Of the gateway at the other end; with each answer. */
  | { readonly kind: 'field'; readonly isSilent: boolean }
  /** `refused`: it broke a rule or does not belong here; else it is silent. */
  | { readonly kind: 'end'; readonly why: string; readonly refused: boolean };

export interface SessionStep {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

export function openSession(own: Hello, nowMs: number): SessionStep {
  const state: SessionState = {
    phase: 'greeting',
    own,
    theirs: undefined,
    startedAtMs: nowMs,
    pingedAtMs: nowMs,
    unansweredCount: 0,
    roundTripMs: undefined,
  };
  return { state, effects: [{ kind: 'frame', frame: { hello: own } }] };
}

/** `neighbour`: the key that the transport proved, in hex. Throws what `admits` throws, and then the session is over. */
export function step(
  state: SessionState,
  nowMs: number,
  input: SessionInput,
  neighbour: string,
  site: SessionSite,
): SessionStep {
  if (state.phase === 'ended') return { state, effects: [] };
  switch (input.kind) {
    case 'frame':
      return onFrame({ ...state, unansweredCount: 0 }, nowMs, input.frame, neighbour, site);
    case 'arrival':
      return { state: { ...state, unansweredCount: 0 }, effects: [] };
    case 'send':
      if (state.phase !== 'open') return { state, effects: [] };
      return { state, effects: [{ kind: 'frame', frame: input.frame }] };
    case 'time':
      return onTime(state, nowMs);
  }
}

export function nextDeadlineMs({ phase, startedAtMs, pingedAtMs }: SessionState): number {
  switch (phase) {
    case 'ended':
      return Infinity;
    case 'open':
      return pingedAtMs + PING_INTERVAL_MS;
    case 'greeting':
    case 'proving':
      return startedAtMs + GREETING_MAX_MS;
  }
}

function onFrame(
  state: SessionState,
  nowMs: number,
  { hello, proof, ping, pong, message, links, time, field }: Frame,
  neighbour: string,
  site: SessionSite,
): SessionStep {
  if (hello !== undefined) return onHello(state, hello, neighbour, site);
  if (proof !== undefined) return onProof(state, nowMs, proof, neighbour, site);
  if (state.phase !== 'open') return end(state, 'it speaks before it has proved its key');
  if (ping !== undefined) return { state, effects: [{ kind: 'frame', frame: answerTo(ping, site) }] };
  // Any other pong is an answer to an older ping, or to none.
  if (pong === state.pingedAtMs) {
    const roundTripMs = nowMs - pong;
    const life = { kind: 'field', isSilent: field === 'silent' } as const;
    return {
      state: { ...state, roundTripMs },
      effects: [...(time === undefined ? [] : [{ kind: 'time', time, roundTripMs } as const]), life],
    };
  }
  if (message !== undefined) return { state, effects: [{ kind: 'message', message }] };
  if (links !== undefined) return { state, effects: [{ kind: 'links', links }] };
  // A late pong, or a frame of a newer version.
  return { state, effects: [] };
}

/** A ping is answered within the step that takes it: of the four timestamps of an exchange, those of the answerer are one. */
function answerTo(ping: number, site: SessionSite): Frame {
  const time = site.time();
  return { pong: ping, ...(time !== undefined && { time }), ...(site.isFieldSilent() && { field: 'silent' }) };
}

function onHello(state: SessionState, hello: Hello, neighbour: string, site: SessionSite): SessionStep {
  const { siteId, signer } = site;
  if (state.phase !== 'greeting') return end(state, 'a second hello');
  if (hello.version !== SESSION_VERSION) return end(state, `it speaks version ${hello.version}`);
  if (hello.site !== siteId) return end(state, `it belongs to site ${hello.site}`);
  if (!site.admits(neighbour, hello.roster)) return end(state, 'it is not on the roster');
  const greeted: SessionState = { ...state, phase: 'proving', theirs: hello };
  return { state: greeted, effects: isDecider(signer, neighbour) ? [] : [proofTo(neighbour, greeted, hello, signer)] };
}

function onProof(
  state: SessionState,
  nowMs: number,
  proof: Uint8Array,
  neighbour: string,
  site: SessionSite,
): SessionStep {
  const { theirs } = state;
  const { signer, verify } = site;
  if (state.phase !== 'proving' || theirs === undefined) return end(state, 'a proof before its hello');
  const key = fromHex(neighbour);
  if (!verify(key, proofMessage(key, signer.publicKey, theirs, state.own), proof)) {
    return end(state, 'its proof is not signed by its key');
  }
  // The roster may have changed since it greeted.
  if (!site.admits(neighbour, theirs.roster)) return end(state, 'it is no longer on the roster');
  const opened: SessionState = { ...state, phase: 'open', pingedAtMs: nowMs };
  if (!isDecider(signer, neighbour)) return { state: opened, effects: [{ kind: 'open' }] };
  if (!site.isWanted()) return end(state, 'another session with it goes on', false);
  return { state: opened, effects: [proofTo(neighbour, opened, theirs, signer), { kind: 'open' }] };
}

/**
 * Where both have called, the lower key decides which session counts: it proves itself last, and only in that one. So both
 * always mean the same session.
 */
const isDecider = ({ publicKey }: Signer, neighbour: string): boolean => toHex(publicKey) < neighbour;

const proofTo = (neighbour: string, { own }: SessionState, theirs: Hello, signer: Signer): SessionEffect => ({
  kind: 'frame',
  frame: { proof: signer.sign(proofMessage(signer.publicKey, fromHex(neighbour), own, theirs)) },
});

function onTime(state: SessionState, nowMs: number): SessionStep {
  if (state.phase !== 'open') {
    return nowMs < state.startedAtMs + GREETING_MAX_MS ? { state, effects: [] } : end(state, 'it did not greet', false);
  }
  if (nowMs < state.pingedAtMs + PING_INTERVAL_MS) return { state, effects: [] };
  if (state.unansweredCount >= UNANSWERED_PINGS_MAX) return end(state, 'it is silent', false);
  const pinged = { ...state, pingedAtMs: nowMs, unansweredCount: state.unansweredCount + 1 };
  return { state: pinged, effects: [{ kind: 'frame', frame: { ping: nowMs } }] };
}

const end = (state: SessionState, why: string, refused = true): SessionStep => ({
  state: { ...state, phase: 'ended' },
  effects: [{ kind: 'end', why, refused }],
});

const DOMAIN = utf8ToBytes('sparc/session/1\0');

/** Names both ends, so that no proof can be used towards anybody else or again. */
const proofMessage = (from: Uint8Array, to: Uint8Array, fromHello: Hello, toHello: Hello): Uint8Array =>
  concatBytes(DOMAIN, from, to, fromHello.nonce, toHello.nonce);
