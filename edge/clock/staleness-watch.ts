import type { EventDraft } from '@sparc/protocol/events';
import type { AccessPoint, PolicyStaleness } from '@sparc/protocol/policy';
import type { Clock, Timer } from '@sparc/protocol/ports';

/** What part of the allowed time is over when people are told. */
const WARNINGS_PERCENT = [50, 80] as const;
const STALE_PERCENT = 100;
/** The age follows the wall clock, which may be set. */
const LOOK_INTERVAL_MS = 60_000;

interface Rule {
  readonly staleness: PolicyStaleness;
  /** Absent: the rule of the site, for all that have none of their own. */
  readonly accessPointId?: string;
  /** Of `WARNINGS_PERCENT` and `STALE_PERCENT`: what was announced last. */
  toldPercent: number;
}

export interface StalenessWatchDeps {
  readonly clock: Clock;
  readonly record: (event: EventDraft) => unknown;
  /** Undefined while there is no policy. */
  readonly ageMs: () => number | undefined;
}

/** Announces that a policy grows old, before it bites. Each decision asks the age itself. */
export class StalenessWatch {
  #rules: readonly Rule[] = [];
  #timer: Timer | undefined;

  constructor(private readonly deps: StalenessWatchDeps) {}

  /** A policy was confirmed or replaced: what was announced is announced anew when it comes. */
  use(ofSite: PolicyStaleness | undefined, accessPoints: readonly AccessPoint[]): void {
    const own = accessPoints.flatMap(({ id: accessPointId, policyStaleness: staleness }) =>
      staleness === undefined ? [] : [{ accessPointId, staleness, toldPercent: 0 }],
    );
    const isSiteRuleUsed = ofSite !== undefined && own.length < accessPoints.length;
    this.#rules = isSiteRuleUsed ? [{ staleness: ofSite, toldPercent: 0 }, ...own] : own;
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    this.#timer?.cancel();
    const ageMs = this.deps.ageMs();
    if (ageMs === undefined || this.#rules.length === 0) return;
    for (const rule of this.#rules) this.#tell(rule, ageMs);
    const next = this.#rules.flatMap(({ staleness: { maxAgeMs } }) =>
      [...WARNINGS_PERCENT, STALE_PERCENT].map((percent) => (maxAgeMs * percent) / 100 - ageMs).filter((ms) => ms > 0),
    );
    this.#timer = this.deps.clock.setTimer(Math.min(LOOK_INTERVAL_MS, ...next), () => this.#look());
  }

  #tell(rule: Rule, ageMs: number): void {
    const { staleness, accessPointId, toldPercent } = rule;
    const { maxAgeMs, then } = staleness;
    const percent = [...WARNINGS_PERCENT, STALE_PERCENT].findLast((each) => ageMs >= (maxAgeMs * each) / 100) ?? 0;
    if (percent <= toldPercent) return;
    rule.toldPercent = percent;
    const where = accessPointId === undefined ? {} : { accessPointId };
    const detail = { ageMs: String(ageMs), maxAgeMs: String(maxAgeMs), then };
    if (percent === STALE_PERCENT) this.deps.record({ name: 'policy.stale', ...where, detail });
    else this.deps.record({ name: 'policy.aging', ...where, detail: { ...detail, percent: String(percent) } });
  }
}
