import type { AccessPoint } from '@sparc/protocol/policy';
import type { CredentialRecord, PolicyView } from '../access/index.js';
import type { BookDeps, PassageDraft } from './book.js';
import { isLoss, type Claim } from './claim.js';
import type { Passage, Reservation } from './grants-under-way.js';

/** Counts are told again after this, so that a start reads back no further. */
const RESTATED_AFTER_MS = 86_400_000;
/** What the value of a detail holds. */
const COUNTS_LENGTH_MAX = 1_024;

/**
 * How often credentials with a limit were used. Each claim says the whole count, so the newest one counts. A credential
 * that no claim names was never used, unless claims may be missing: then its count is not known.
 */
export class UseBook {
  readonly #counts = new Map<string, number>();
  #isComplete = false;
  #restatedAtUnixMs = -Infinity;
  #view: PolicyView | undefined;

  constructor(private readonly deps: BookDeps) {}

  configure(view: PolicyView | undefined): void {
    this.#view = view;
  }

  get isNeeded(): boolean {
    return this.#view?.hasUseLimits === true;
  }

  /** Nothing was used before what is folded from now on. */
  begin(): void {
    this.#counts.clear();
    this.#isComplete = true;
  }

  fold({ record, atUnixMs }: Claim): void {
    const { name, credentialId, detail = {} } = record;
    switch (name) {
      case 'use_limit.changed':
        if (credentialId === undefined) this.#isComplete = true;
        else this.#counts.set(credentialId, Number(detail['uses']));
        break;
      case 'use_limit.restated':
        for (const [id = '', count] of (detail['counts'] ?? '').split(' ').map((each) => each.split('='))) {
          if (count !== undefined) this.#counts.set(id, Number(count));
        }
        if (detail['complete'] === undefined) break;
        this.#isComplete = detail['complete'] === 'true';
        this.#restatedAtUnixMs = atUnixMs;
        break;
      case 'journal.gap':
        if (!isLoss(record)) break;
        this.#counts.clear();
        this.#isComplete = false;
        break;
      default:
    }
  }

  /** Adds how often a credential with a limit was used, where that is known. */
  addFacts(
    facts: PassageDraft,
    { id, usesMax }: CredentialRecord,
    { direction }: AccessPoint,
    underWay: readonly Reservation[],
  ): void {
    if (usesMax === undefined || direction !== 'entry') return;
    const count = this.#countOf(id);
    if (count === undefined) return;
    const reserved = underWay.filter(
      ({ accessPoint, credentialId }) => accessPoint.direction === 'entry' && credentialId === id,
    );
    facts.usesCount = count + reserved.length;
  }

  passed({ credentialId, accessPoint, isCertain }: Passage): void {
    if (credentialId === undefined || accessPoint.direction !== 'entry') return;
    if (this.#view?.usesMax(credentialId) === undefined) return;
    const count = this.#countOf(credentialId);
    // One that is not known is denied as it is.
    if (count === undefined) return;
    const detail = { uses: String(count + 1), ...(!isCertain && { certain: 'false' }) };
    this.deps.record({ name: 'use_limit.changed', credentialId, accessPointId: accessPoint.id, detail });
  }

  /** A named person lets a count begin anew; without a credential, all those that are not known. */
  reset(credentialId: string | undefined, by: string): void {
    const subject = credentialId === undefined ? {} : { credentialId };
    this.deps.record({ name: 'use_limit.changed', ...subject, detail: { uses: '0', by } });
  }

  /** Tells all counts again when it is time to; those whose credential has no limit any more are left behind. */
  restateWhenDue(): void {
    const sinceMs = this.deps.clock.wall().unixMs - this.#restatedAtUnixMs;
    if (!this.isNeeded || Math.abs(sinceMs) < RESTATED_AFTER_MS) return;
    for (const id of [...this.#counts.keys()]) {
      if (this.#view?.usesMax(id) === undefined) this.#counts.delete(id);
    }
    const parts = partsOf([...this.#counts].map(([id, count]) => `${id}=${count}`));
    for (const [index, counts] of parts.entries()) {
      const complete = index === parts.length - 1 ? { complete: String(this.#isComplete) } : {};
      this.deps.record({ name: 'use_limit.restated', detail: { part: String(index + 1), counts, ...complete } });
    }
  }

  /** Says so when credentials are denied because claims are missing. */
  announceLoss(): void {
    if (this.isNeeded && !this.#isComplete) this.deps.record({ name: 'use_limit.unknown' });
  }

  #countOf(credentialId: string): number | undefined {
    return this.#counts.get(credentialId) ?? (this.#isComplete ? 0 : undefined);
  }
}

/** At least one, so that nothing can be told as well. */
function partsOf(words: readonly string[]): string[] {
  const parts = [''];
  for (const word of words) {
    const last = parts.at(-1) ?? '';
    if (last.length + word.length + 1 > COUNTS_LENGTH_MAX) parts.push(word);
    else parts[parts.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return parts;
}
