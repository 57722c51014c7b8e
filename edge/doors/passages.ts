import type { CommandOutcome } from '@sparc/protocol/ports';
import { isExitActive, type DoorState, type Draft, type Passage } from './door-state.js';
import { beginOpening } from './openings.js';

/** Presentations at one door within one release time; the oldest ends early beyond it. */
const PASSAGES_MAX = 8;

/** A contact is read by polling, so an opening in the last moment of a release is heard of a little later. */
const CONTACT_GRACE_MS = 1_000;

interface NewPassage extends Pick<Passage, 'kind' | 'cause' | 'leaves' | 'releases'> {
  readonly silent?: boolean;
  readonly extended?: boolean;
}

export function beginPassage(draft: Draft, begun: NewPassage): void {
  const { state, nowMs } = draft;
  const { silent = false, extended = false, ...passage } = begun;
  const extraTimeMs = extended ? state.settings.extendedTimeMs : 0;
  const [oldest] = state.passages;
  const isFull = state.passages.length >= PASSAGES_MAX;
  if (isFull && oldest !== undefined) endPassage(draft, { ...oldest, verifiable: false });
  const rest = {
    token: undefined,
    used: false,
    verifiable: isSurelyClosed(state),
    confirmed: false,
    failure: undefined,
  };
  const untilMs = nowMs + state.settings.releaseTimeMs + extraTimeMs;
  state.passages = [...state.passages, { ...passage, ...rest, untilMs, extraTimeMs, silent }];
}

const isSurelyClosed = (state: DoorState): boolean =>
  state.settings.hasContact && state.position === 'closed' && !state.contactFault;

/** The door was opened: the oldest passage that waits takes it, and nobody can say any more that another did not. */
export function usePassage(draft: Draft): void {
  const { state, nowMs } = draft;
  const user = state.passages.find((passage) => !passage.used);
  const { delayTimeBeforeRelockMs } = state.settings;
  state.passages = state.passages.map((passage) => {
    if (passage !== user) return { ...passage, verifiable: false };
    const untilMs =
      delayTimeBeforeRelockMs === undefined
        ? passage.untilMs
        : Math.min(passage.untilMs, nowMs + delayTimeBeforeRelockMs);
    return { ...passage, used: true, verifiable: false, untilMs };
  });
  if (user === undefined) return;
  state.extraOpenTimeMs = user.extraTimeMs;
  beginOpening(draft, user);
  // The opening says that the lock was released, whatever the bus says of the command.
  if (user.releases) confirmLeaving(draft, (passage) => passage.cause === user.cause);
  if (user.kind === 'access') {
    draft.effects.push({ kind: 'event', name: 'access.used', cause: user.cause });
    return;
  }
  if (!user.silent) draft.effects.push({ kind: 'event', name: 'exit.used', cause: user.cause });
}

/** The lock no longer follows the grants in course, but those of who leaves; what becomes of them is still told. */
export function withdrawGrants(draft: Draft): void {
  draft.state.passages = draft.state.passages.map((passage) =>
    passage.leaves ? passage : { ...passage, releases: false },
  );
}

/** Nobody sees any more whether those who were let in pass. */
export function abandonGrants(draft: Draft): void {
  for (const passage of draft.state.passages) {
    if (passage.kind === 'access') endPassage(draft, { ...passage, verifiable: false });
  }
}

/** The door closed after a passage: the lock need not wait for the end of the release time. */
export function relockAfterClose(draft: Draft): void {
  const { state, nowMs } = draft;
  const { relockAfterCloseMs } = state.settings;
  if (relockAfterCloseMs === undefined) return;
  state.passages = state.passages.map((passage) =>
    passage.used ? { ...passage, untilMs: Math.min(passage.untilMs, nowMs + relockAfterCloseMs) } : passage,
  );
}

export function doubtPassages(draft: Draft): void {
  draft.state.passages = draft.state.passages.map((passage) => ({ ...passage, verifiable: false }));
}

/** What the bus says of the command of a passage; release times run from the acknowledgement. */
export function settlePassages(draft: Draft, token: number, outcome: CommandOutcome): void {
  const { state, nowMs } = draft;
  const { command } = state.lock;
  const isNewest = command?.token === token && command.wanted.kind !== 'locked';
  switch (outcome.kind) {
    case 'acknowledged':
      state.passages = state.passages.map((passage) =>
        passage.token === token && !passage.used
          ? { ...passage, untilMs: nowMs + state.settings.releaseTimeMs + passage.extraTimeMs }
          : passage,
      );
      // A later command releases for who leaves as well as their own does.
      if (isNewest) confirmLeaving(draft, (passage) => passage.token !== undefined && passage.token <= token);
      break;
    case 'notExecuted':
      state.passages = state.passages.filter((passage) => passage.token !== token || passage.leaves || passage.used);
      noteFailure(draft, token, isNewest, outcome);
      break;
    case 'unknown':
      noteFailure(draft, token, isNewest, outcome);
      break;
  }
}

/** A release that may have been executed outweighs those that were not. */
function noteFailure({ state }: Draft, token: number, isNewest: boolean, outcome: CommandOutcome): void {
  state.passages = state.passages.map((passage) => {
    const isIts = passage.token === token || (isNewest && passage.token !== undefined && passage.token < token);
    return passage.leaves && isIts && passage.failure?.kind !== 'unknown' ? { ...passage, failure: outcome } : passage;
  });
}

function confirmLeaving(draft: Draft, matches: (passage: Passage) => boolean): void {
  draft.state.passages = draft.state.passages.map((passage) => {
    if (!passage.leaves || !passage.releases || passage.confirmed || !matches(passage)) return passage;
    if (passage.kind === 'exit' && !passage.silent)
      draft.effects.push({ kind: 'event', name: 'exit.released', cause: passage.cause });
    return { ...passage, confirmed: true };
  });
}

/** When the outcome of a passage is due: used ones only hold the lock. */
export const endsAtMs = (passage: Passage): number => passage.untilMs + (passage.used ? 0 : CONTACT_GRACE_MS);

export function expirePassages(draft: Draft): void {
  const { state, nowMs } = draft;
  const isExitHeld = isExitActive(state) && state.settings.exitHoldsWhileActive;
  for (const passage of state.passages) {
    if (nowMs < endsAtMs(passage)) continue;
    if (passage.kind === 'exit' && !passage.used && isExitHeld) {
      const untilMs = nowMs + state.settings.releaseTimeMs;
      state.passages = state.passages.map((other) => (other === passage ? { ...other, untilMs } : other));
    } else {
      endPassage(draft, passage);
    }
  }
}

function endPassage(draft: Draft, passage: Passage): void {
  draft.state.passages = draft.state.passages.filter((other) => other.cause !== passage.cause);
  if (passage.used) return;
  const { cause, verifiable } = passage;
  if (passage.kind === 'access') {
    if (!passage.confirmed && passage.failure?.kind === 'notExecuted') return;
    draft.effects.push({ kind: 'event', name: verifiable ? 'access.not_used' : 'access.unverified', cause });
  } else if (passage.confirmed) {
    if (passage.silent) return;
    draft.effects.push({ kind: 'event', name: verifiable ? 'exit.not_used' : 'exit.unverified', cause });
  } else if (passage.releases) {
    draft.effects.push({ kind: 'event', name: 'exit.not_released', cause });
  }
}
