import type { Clock } from '@sparc/protocol/ports';
import type { DirectiveDesk } from '../directives/index.js';
import type { HeardEntry } from '../heard/index.js';
import type { JournalStartReport, LoggedEntry } from '../ledger/index.js';
import { lossClaim, type Claim, type PassageBook } from '../passages/index.js';
import { codeOf, type FieldLog, type Recorder } from './recorder.js';

export interface EarlierRunDeps {
  readonly clock: Clock;
  readonly log: FieldLog;
  readonly recorder: Recorder;
  readonly passages: PassageBook;
  readonly directives: DirectiveDesk | undefined;
  /** Who passed where, oldest first. Undefined: there was no earlier run. */
  readonly claims: (() => Promise<readonly Claim[]>) | undefined;
  /** The directives that were given here shortly before the start, oldest first. */
  readonly given: (() => Promise<readonly HeardEntry[]>) | undefined;
}

/** What the journal has of the run before, and what that one may have left undone. */
export class EarlierRun {
  #restoring = Promise.resolve();

  constructor(private readonly deps: EarlierRunDeps) {}

  /** Once, when the books listen. */
  restore(): void {
    this.#restoring = this.#restoreClaims();
    void this.#restoreDirectives();
  }

  /**
   * Grants of which nobody knows what became: whoever they were for may have passed. Not before it is known who passed where
   * till then.
   */
  async closeGrants({
    openGrants,
    releasedGrants,
  }: Pick<JournalStartReport, 'openGrants' | 'releasedGrants'>): Promise<void> {
    await this.#restoring;
    const { recorder, passages } = this.deps;
    for (const grant of openGrants) {
      const subject = subjectOf(grant);
      void recorder.record({ ...subject, name: 'access.outcome_unknown' });
      passages.presume(subject);
    }
    for (const grant of releasedGrants) void recorder.record({ ...subjectOf(grant), name: 'access.unverified' });
  }

  /** Of its own ledger a gateway hears from nobody. */
  async #restoreDirectives(): Promise<void> {
    const { log, directives, given } = this.deps;
    try {
      for (const entry of (await given?.()) ?? []) directives?.heard(entry);
    } catch (error) {
      log.error({ code: codeOf(error), error }, 'which directives were given could not be read back');
    }
  }

  /** Until it is done, and if it fails, areas go by their policy for the unknown, and no limit of uses has any left. */
  async #restoreClaims(): Promise<void> {
    const { clock, log, passages, claims } = this.deps;
    try {
      passages.restore((await claims?.()) ?? []);
    } catch (error) {
      log.error({ code: codeOf(error), error }, 'who passed where could not be read back');
      passages.restore([lossClaim(codeOf(error), clock.wall().unixMs)]);
    }
  }
}

/** What the outcome of a grant says of it. */
function subjectOf({ id: causeId, record }: LoggedEntry) {
  const { accessPointId, doorId, credentialId, holderId } = record ?? {};
  return {
    causeId,
    ...(accessPointId !== undefined && { accessPointId }),
    ...(doorId !== undefined && { doorId }),
    ...(credentialId !== undefined && { credentialId }),
    ...(holderId !== undefined && { holderId }),
  };
}
