import type { Reason } from '@sparc/protocol/events';
import type { Candidate } from './candidate.js';

/** Somebody whose own checks hold, and who waits at the reader for somebody else's card. */
export interface Waiting {
  readonly candidate: Candidate;
  readonly untilMs: number;
}

/** The escort who was let in last, while visitors may still follow on that presentation. */
export interface EscortAtHand {
  readonly candidate: Candidate;
  readonly untilMs: number;
  readonly visitorsCount: number;
}

/** Those at one reader who depend on each other. */
export interface Gathering {
  /** In the order in which they came. */
  readonly waiting: readonly Waiting[];
  readonly escort: EscortAtHand | undefined;
}

export const NOBODY_GATHERED: Gathering = { waiting: [], escort: undefined };

export type GatheringInput =
  | {
      readonly kind: 'wait';
      readonly nowMs: number;
      readonly candidate: Candidate;
      readonly windowMs: number;
      readonly waitingMax: number;
    }
  /** They wait no longer: somebody came whom they are decided with. */
  | { readonly kind: 'met'; readonly nowMs: number; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'escort'; readonly nowMs: number; readonly escort: EscortAtHand }
  | { readonly kind: 'time'; readonly nowMs: number }
  /** What they wait for may be asked no more. */
  | { readonly kind: 'disband'; readonly nowMs: number };

/** Whoever waited in vain is denied. */
export interface GaveUp {
  readonly candidate: Candidate;
  readonly reason: Reason;
}

export function step(
  state: Gathering,
  input: GatheringInput,
): { readonly state: Gathering; readonly gaveUp: readonly GaveUp[] } {
  const { nowMs } = input;
  const late = state.waiting.filter(({ untilMs }) => nowMs >= untilMs);
  const waiting = state.waiting.filter(({ untilMs }) => nowMs < untilMs);
  const escort = state.escort !== undefined && nowMs < state.escort.untilMs ? state.escort : undefined;
  const gaveUp = late.map(({ candidate }) => ({ candidate, reason: timeoutOf(candidate) }));
  switch (input.kind) {
    case 'wait': {
      const { candidate, windowMs, waitingMax } = input;
      const again = waiting.filter((each) => isSameCredential(each.candidate, candidate));
      const others = waiting.filter((each) => !again.includes(each));
      const replaced = again.map((each) => ({ candidate: each.candidate, reason: wantOf(each.candidate) }));
      if (others.length >= waitingMax) {
        const full: GaveUp = { candidate, reason: 'escort_ratio' };
        return { state: { waiting, escort }, gaveUp: [...gaveUp, full] };
      }
      const next = [...others, { candidate, untilMs: nowMs + windowMs }];
      return { state: { waiting: next, escort }, gaveUp: [...gaveUp, ...replaced] };
    }
    case 'met': {
      const rest = waiting.filter(({ candidate }) => !input.candidates.includes(candidate));
      return { state: { waiting: rest, escort }, gaveUp };
    }
    case 'escort':
      return { state: { waiting, escort: input.escort }, gaveUp };
    case 'time':
      return { state: { waiting, escort }, gaveUp };
    case 'disband': {
      const all = waiting.map(({ candidate }) => ({ candidate, reason: wantOf(candidate) }));
      return { state: NOBODY_GATHERED, gaveUp: [...gaveUp, ...all] };
    }
  }
}

/** When somebody gives up next. */
export const nextDeadlineMs = ({ waiting }: Gathering): number | undefined =>
  waiting.length === 0 ? undefined : Math.min(...waiting.map(({ untilMs }) => untilMs));

const wantOf = ({ decision }: Candidate): Reason => decision.reason ?? 'internal_error';

const timeoutOf = (candidate: Candidate): Reason =>
  wantOf(candidate) === 'second_person_required' ? 'second_person_timeout' : 'escort_timeout';

const isSameCredential = (a: Candidate, b: Candidate): boolean => a.decision.credentialId === b.decision.credentialId;
