import { isSparcError, type SparcError } from '@sparc/protocol/errors';
import {
  isFinalRejection,
  surveyParts,
  type PartSurvey,
  type PartTools,
  type PolicyRevision,
} from '@sparc/protocol/policy-revision';
import type { PartStore } from '@sparc/protocol/ports';

/** A revision whose parts are kept. */
export interface WantedRevision {
  readonly revision: PolicyRevision;
  /**
   * `fetch`: its parts are fetched. `rejected`: once they are here, the next one is fetched as well, because this one
   * does not come into force. `keep`: no more of it is fetched.
   */
  readonly use: 'fetch' | 'rejected' | 'keep';
}

/** By name: bytes, as far as an index part told them. */
type Sizes = ReadonlyMap<string, number>;

/** Which parts of the wanted revisions are not here. */
export class WantedParts {
  /** The newest first. */
  #wanted: readonly WantedRevision[] = [];
  #missing = new Map<string, number>();
  #lacking = new Map<string, number>();
  #named: ReadonlySet<string> = new Set();
  readonly #told = new WeakSet<PolicyRevision>();

  constructor(
    private readonly tools: PartTools,
    private readonly store: PartStore,
    /** A revision cannot be read, and is passed over; once for each. */
    private readonly onUnreadable: (error: SparcError) => void,
  ) {}

  want(revisions: readonly WantedRevision[]): void {
    this.#wanted = revisions;
  }

  /** Parts that are to be fetched now; there may be more behind a missing index part. */
  get missing(): Sizes {
    return this.#missing;
  }

  /** Missing parts of all revisions that may be used yet. */
  get lacking(): Sizes {
    return this.#lacking;
  }

  /** Names of all parts that are wanted, as far as they are known. */
  get named(): ReadonlySet<string> {
    return this.#named;
  }

  stored(hash: string): void {
    this.#missing.delete(hash);
    this.#lacking.delete(hash);
  }

  /** Looks what is here, and drops what nobody wants any more once all is. Throws as the store does. */
  survey(): void {
    const surveys = this.#wanted.map((wanted) => ({ ...wanted, survey: this.#surveyOf(wanted.revision) }));
    const usable = surveys.filter(({ use }) => use !== 'keep');
    // What is whole comes into force, unless it was rejected.
    const fetched = usable.find(({ use, survey }) => survey && (use === 'fetch' || survey.missing.length > 0));
    this.#missing = missingOf(fetched?.survey);
    this.#lacking = new Map(usable.flatMap(({ survey }) => [...missingOf(survey)]));
    this.#named = new Set(surveys.flatMap(({ revision, survey }) => [...(survey?.named ?? revision.indexes)]));
    if (this.#missing.size === 0 && surveys.some(({ survey }) => survey)) this.store.keepOnly(this.#named);
  }

  /** Undefined where this version cannot tell its parts. */
  #surveyOf(revision: PolicyRevision): PartSurvey | undefined {
    try {
      return surveyParts(this.tools, revision, this.store);
    } catch (error) {
      if (!isSparcError(error) || !isFinalRejection(error.code)) throw error;
      if (!this.#told.has(revision)) this.onUnreadable(error);
      this.#told.add(revision);
      return undefined;
    }
  }
}

function missingOf(survey: PartSurvey | undefined): Map<string, number> {
  const sizes = new Map(survey?.parts.map(({ hash, sizeBytes }) => [hash, sizeBytes]));
  return new Map(survey?.missing.map((hash) => [hash, sizes.get(hash) ?? 0]));
}
