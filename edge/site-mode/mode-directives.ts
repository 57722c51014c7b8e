import { AUTHORITY_NAME } from '@sparc/protocol/directive';
import type { ErrorCode } from '@sparc/protocol/errors';
import { whyOf, type EventDraft } from '@sparc/protocol/events';
import type { Clock, EntryId } from '@sparc/protocol/ports';
import {
  isReleased,
  isStanding,
  isTooMany,
  newOf,
  type Raise,
  raiseRecord,
  RAISES_OF_ONE_MAX,
  type Release,
  releaseRecord,
  withRaise,
  withReleases,
} from '@sparc/protocol/site-mode';
import type { Directed, DirectedRaise, DirectedRelease, ModeOutcome } from './directed-mode.js';
import { OrderRefused, refused } from './orders.js';
import type { SiteMode } from './site-mode.js';

/** What an operator released is tried again after this, where it could not be recorded: it holds for the whole site. */
export const RELEASE_RETRY_MS = 5_000;

export interface ModeDirectivesDeps {
  readonly clock: Clock;
  /** As it is now. */
  readonly mode: () => SiteMode;
  /** Puts a mode in force; resolves when it is on disk. */
  readonly enter: (mode: SiteMode, record?: EventDraft) => Promise<void>;
  /** Something was released: what is active raises anew. */
  readonly onReleased: () => void;
  /** Keeps a record whenever the journal can. */
  readonly record: (event: EventDraft, cause?: Promise<EntryId | undefined>) => unknown;
  /** Carries out once the record is on disk; rejects with OrderRefused when it is not, or late, or `carryOut` throws. */
  readonly commit: (event: EventDraft, carryOut: () => void) => Promise<unknown>;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** Carries out what operators direct of the mode, each directive once. */
export class ModeDirectives {
  #isStopped = false;

  constructor(private readonly deps: ModeDirectivesDeps) {}

  /** A release that could not be recorded is not tried again. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Resolves when it is in force and recorded. Rejects with OrderRefused; what is raised stands then all the same. */
  async apply(directed: DirectedRaise | DirectedRelease): Promise<ModeOutcome> {
    if (directed.kind === 'release') return this.#release(directed, directed.raises);
    const raised = await this.#raise(directed);
    const { instead = [] } = directed;
    if (instead.length === 0) return raised;
    const released = await this.#release(directed, instead);
    return raised === 'known' ? released : raised;
  }

  /**
   * The operator had no right to what was directed, as the authority says meanwhile. Recorded first; till then it stands. It
   * is not released: should they have the right after all, it is raised again.
   */
  retract(directive: string, code: ErrorCode): void {
    const { mode, enter, commit, onFailure } = this.deps;
    const isMeant = ({ id, isDirected }: Raise) => id === directive && isDirected === true;
    if (!mode().raises.some(isMeant)) return;
    const record = { ...releaseRecord(mode(), [{ id: directive }], { by: AUTHORITY_NAME, directive }), code };
    const end = () => void enter({ ...mode(), raises: mode().raises.filter((raise) => !isMeant(raise)) }, record);
    commit(record, end).catch((error: unknown) => onFailure(error, 'what an operator had no right to raise stands'));
  }

  /** In force and on its way to the journal within this call; resolves when the file has it, or the disk refused that. */
  async #raise({ directive, by, what, level, scope, atUnixMs, cause }: DirectedRaise): Promise<ModeOutcome> {
    const raise: Raise = {
      id: directive,
      what,
      by,
      atUnixMs,
      ...(level !== undefined && { level }),
      ...(scope !== undefined && { scope }),
      isDirected: true,
    };
    const mode = this.deps.mode();
    if (isReleased(mode, raise)) return 'released';
    if (isStanding(mode, raise)) return 'known';
    if (isTooMany(mode, raise)) throw refused(`${by} has raised ${RAISES_OF_ONE_MAX} that stand; release some`);
    const record = raiseRecord(mode, raise, false);
    const saved = this.deps.enter(withRaise(mode, raise), record);
    this.deps.record(record, cause);
    await saved.catch(() => undefined);
    return 'applied';
  }

  /** Recorded first, however late: the others have released it, and no door stays locked down because a disk was full. */
  async #release(directed: Directed, ids: readonly string[]): Promise<ModeOutcome> {
    const { clock, mode } = this.deps;
    const { by, within, cause } = directed;
    const releases: Release[] = ids.map((id) => ({ id, by, ...(within !== undefined && { within }) }));
    const causeId = await cause;
    for (;;) {
      if (newOf(mode(), releases).length === 0) return 'known';
      try {
        await this.#commitRelease(directed, releases, causeId);
        return 'applied';
      } catch (error) {
        if (this.#isStopped || !(error instanceof OrderRefused)) throw error;
        await new Promise<void>((resolve) => clock.setTimer(RELEASE_RETRY_MS, resolve));
      }
    }
  }

  async #commitRelease(
    { directive, by }: Directed,
    releases: readonly Release[],
    causeId: EntryId | undefined,
  ): Promise<void> {
    const { mode, enter, onReleased, commit } = this.deps;
    const record: EventDraft = {
      ...releaseRecord(mode(), releases, { by, directive }),
      ...(causeId !== undefined && { causeId }),
    };
    try {
      await commit(record, () => {
        void enter(withReleases(mode(), releases), record);
        onReleased();
      });
    } catch (error) {
      if (error instanceof OrderRefused && error.undoes !== undefined) {
        const detail = { by, order: 'release', why: whyOf(error.message) };
        this.deps.record({ name: 'order.refused', causeId: error.undoes, detail });
      }
      throw error;
    }
  }
}
