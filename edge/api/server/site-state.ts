import { SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import type { OwnTime } from '../../clock/index.js';
import type { BusesView, CommissioningView } from '../../commissioning/index.js';
import { LIFE_INTERVAL_MS } from '../../platform/index.js';
import type { FieldToSite } from '../site-messages.js';
import type { SiteSnapshot } from '../site-snapshot.js';

/** What the API gives as the state of the site. */
export interface SiteView extends SiteSnapshot {
  /** Origin of a live simulator. */
  readonly simulatorUrl?: string;
  /** Messages that the API could not take in time; their events are in the journal. */
  readonly droppedCount: number;
}

/** Three signs of life missed. */
export const FIELD_SILENT_AFTER_MS = 3 * LIFE_INTERVAL_MS;

/** The newest state that the field told, and how old it is. */
export class SiteState {
  #snapshot: SiteSnapshot | undefined;
  #commissioning: CommissioningView | undefined;
  #buses: BusesView | undefined;
  #droppedCount = 0;
  #time: OwnTime | undefined;
  #timeInUse: OwnTime | undefined;
  #heardAtMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly simulatorUrl: string | undefined,
  ) {
    this.#heardAtMs = clock.monotonicMs();
  }

  apply(message: FieldToSite): void {
    this.#heardAtMs = this.clock.monotonicMs();
    if (message.kind === 'snapshot') this.#snapshot = message.snapshot;
    if (message.kind === 'commissioning') this.#commissioning = message.view;
    if (message.kind === 'buses') this.#buses = message.view;
    if (message.kind === 'health') {
      this.#droppedCount = message.droppedCount;
      this.#time = message.time;
      this.#timeInUse = message.timeInUse;
    }
  }

  /** Throws ERR_API_STARTING before the first snapshot. */
  view(): SiteView {
    const snapshot = known(this.#snapshot);
    const { simulatorUrl } = this;
    return {
      ...snapshot,
      droppedCount: this.#droppedCount,
      ...(simulatorUrl === undefined ? {} : { simulatorUrl }),
    };
  }

  /** Nothing before the first snapshot. */
  policyLane(): SiteSnapshot['policyLane'] {
    return this.#snapshot?.policyLane ?? {};
  }

  /** Gateways whose logs the field does not read to their end; nobody before the first snapshot. */
  unread(): readonly string[] {
    return this.#snapshot?.unread ?? [];
  }

  /** It has said nothing for so long that it hangs, or is about to be found dead. */
  isFieldSilent(): boolean {
    return this.#silentMs() > FIELD_SILENT_AFTER_MS;
  }

  /** What the clock of the gateway is worth by itself; undefined where the field has not said so lately. */
  ownTime(): OwnTime | undefined {
    return this.isFieldSilent() ? undefined : this.#time;
  }

  /** What the gateway goes by; undefined where the field has not said so lately. */
  timeInUse(): OwnTime | undefined {
    return this.isFieldSilent() ? undefined : this.#timeInUse;
  }

  /** Throws ERR_API_STARTING. */
  commissioning(): CommissioningView {
    return known(this.#commissioning);
  }

  /** Throws ERR_API_STARTING. */
  buses(): BusesView {
    return known(this.#buses);
  }

  /** Throws ERR_API_STARTING or ERR_API_FIELD_SILENT; a return means that what is shown is current. */
  assertCurrent(): void {
    this.view();
    const silentMs = this.#silentMs();
    if (silentMs > FIELD_SILENT_AFTER_MS) {
      const seconds = Math.round(silentMs / 1_000);
      throw new SparcError('ERR_API_FIELD_SILENT', `nothing was heard from the gateway for ${seconds} s`, { silentMs });
    }
  }

  #silentMs(): number {
    return this.clock.monotonicMs() - this.#heardAtMs;
  }
}

function known<T>(state: T | undefined): T {
  if (state === undefined) throw new SparcError('ERR_API_STARTING', 'the state of the site is not known yet');
  return state;
}
