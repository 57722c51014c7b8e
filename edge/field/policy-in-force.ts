import type { PolicyView } from '../access/index.js';
import { policyAge, type PolicyConfirmation } from '../clock/index.js';
import type { Clock } from '@sparc/protocol/ports';
import { NO_POLICY, revisionOf, type FieldPolicy } from './field-policy.js';
import type { Recorder } from './recorder.js';

const NONE_ABSORBED: ReadonlySet<string> = new Set();

/** What the field decides by at the moment, since when, and whether the journal knows of it. */
export class PolicyInForce {
  #policy: FieldPolicy = NO_POLICY;
  #takenUpUnixMs: number | undefined;
  #confirmed: PolicyConfirmation | undefined;
  #isRecorded = true;
  #absorbed: ReadonlySet<string> = NONE_ABSORBED;

  constructor(
    private readonly clock: Clock,
    private readonly recorder: Recorder,
  ) {}

  get policy(): FieldPolicy {
    return this.#policy;
  }

  /** Undefined under `no_policy`. */
  get view(): PolicyView | undefined {
    return this.#policy.kind === 'policy' ? this.#policy.view : undefined;
  }

  /**
   * Its record goes to the journal at once, before any grant under it. What is in force already may come again, in another
   * file: that one is asked from now on, and nothing of it is news.
   */
  use(policy: FieldPolicy): void {
    const revision = revisionOf(policy);
    const isAgain = revision !== undefined && revision === revisionOf(this.#policy);
    this.#policy = policy;
    const { absorbedDirectives = [] } = policy.kind === 'policy' ? policy.plan : {};
    this.#absorbed = new Set(absorbedDirectives.map(({ id }) => id));
    if (isAgain) return;
    this.#takenUpUnixMs = this.clock.wall().unixMs;
    this.#confirm(policy.kind === 'policy' ? policy.confirmedUnixMs : undefined);
    this.#isRecorded = false;
    this.announce();
  }

  /** Whether it says by itself what the directive said. What is left without a policy does not. */
  hasAbsorbed(directive: string): boolean {
    return this.#absorbed.has(directive);
  }

  /** Its authority said again that a revision holds. False: it is not the one in force. */
  confirm(revision: string, confirmedUnixMs: number): boolean {
    if (revision !== revisionOf(this.#policy)) return false;
    this.#confirm(confirmedUnixMs);
    return true;
  }

  /** Until the journal has taken it, it is tried with each entry and each refused grant: else none could be recorded. */
  announce(): void {
    if (this.#isRecorded) return;
    this.#isRecorded = true;
    const revision = revisionOf(this.#policy);
    const record =
      revision === undefined
        ? ({ name: 'policy.lost', code: 'ERR_POLICY_NONE' } as const)
        : ({ name: 'policy.loaded', detail: { revision } } as const);
    this.recorder.commit({ record }).catch(() => {
      if (revision === revisionOf(this.#policy)) this.#isRecorded = false;
    });
  }

  /** Since its authority confirmed it, at least. */
  ageMs(now = this.clock.wall()): number | undefined {
    if (this.#policy.kind === 'none' || this.#confirmed === undefined) return undefined;
    return policyAge(this.#confirmed, now, this.clock.monotonicMs());
  }

  /** For people's screens. */
  snapshot(): { revision: string; appliedAtUnixMs: number; confirmedAtUnixMs: number } | undefined {
    const revision = revisionOf(this.#policy);
    if (revision === undefined || this.#takenUpUnixMs === undefined) return undefined;
    const now = this.clock.wall();
    const confirmedAtUnixMs = now.unixMs - (this.ageMs(now) ?? 0);
    return { revision, appliedAtUnixMs: this.#takenUpUnixMs, confirmedAtUnixMs };
  }

  #confirm(confirmedUnixMs: number | undefined): void {
    const takenUpMonotonicMs = this.clock.monotonicMs();
    this.#confirmed = { takenUpMonotonicMs, ...(confirmedUnixMs !== undefined && { confirmedUnixMs }) };
  }
}
