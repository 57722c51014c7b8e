import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, Timer } from '@sparc/protocol/ports';
import { OrderExpiry } from './order-expiry.js';
import { isOpening, obey, refused, type FireAlarm, type StandingOrder, type Toggle } from './orders.js';
import { afterRestart, NORMAL, type Act, type SiteMode } from './site-mode.js';

/** Where the mode survives a restart. */
export interface ModeStore {
  /** Undefined when nothing was ever saved. Throws when what was saved cannot be read. */
  load(): SiteMode | undefined;
  save(mode: SiteMode): Promise<void>;
}

/** For a gateway that has no disk of its own, such as one in a test: each start is in normal mode. */
export const VOLATILE_MODE: ModeStore = { load: () => undefined, save: () => Promise.resolve() };

/** A disk that failed is tried again after this. */
const SAVE_RETRY_MS = 1_000;

export interface SiteModeDeps {
  readonly clock: Clock;
  readonly store: ModeStore;
  /** Keeps a record whenever the journal can. */
  readonly record: (event: EventDraft) => void;
  /** Resolves when the record is on disk; rejects when it cannot be, or was so late that nobody waits for it any more. */
  readonly commit: (event: EventDraft) => Promise<unknown>;
  /** Why an order that lets in cannot be obeyed at the moment; asked before its record, and again after. */
  readonly obstacle: (order: StandingOrder | Toggle) => string | undefined;
  /** Whether somebody vouches for the wall clock. */
  readonly isClockKnown: () => boolean;
  /** Doors follow within this call. */
  readonly onChange: () => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/**
 * Holds the mode of the site. What restricts and what frees people takes effect at once and is recorded after; what lets
 * in is recorded before. Neither waits for the file.
 */
export class SiteModeKeeper {
  #mode: SiteMode = NORMAL;
  #isSaving = false;
  #isSaved = true;
  #retry: Timer | undefined;
  /** Fire inputs that are active now: what they latched cannot be ended yet. */
  readonly #activeFireInputs = new Set<string>();
  readonly #expiry: OrderExpiry;

  constructor(private readonly deps: SiteModeDeps) {
    const { clock, isClockKnown } = deps;
    this.#expiry = new OrderExpiry({ clock, isClockKnown, onDue: () => this.#expire() });
  }

  get mode(): SiteMode {
    return this.#mode;
  }

  /** Once, before doors are driven: takes up what stood when the gateway stopped. */
  start(): void {
    try {
      this.#mode = afterRestart(this.deps.store.load() ?? NORMAL);
      this.#expiry.follow(this.#mode.doors, false);
      this.#expire();
    } catch (error) {
      this.deps.onFailure(error, 'the mode of the site is lost');
      this.deps.record({ name: 'site.mode_lost', code: 'ERR_GATEWAY_MODE_DAMAGED' });
    }
  }

  /** A last save that is under way goes on. */
  stop(): void {
    this.#retry?.cancel();
    this.#expiry.stop();
  }

  /** A fire input became active, or ended being so; the alarm stays latched until a person ends it. */
  fireInput(inputId: string, active: boolean): void {
    if (!active) {
      this.#activeFireInputs.delete(inputId);
      return;
    }
    this.#activeFireInputs.add(inputId);
    if (this.#mode.fires[inputId] === undefined) this.#apply({ kind: 'fire', inputId }, 'fire alarm');
  }

  /** Resolves when the order is in force. Rejects with ERR_GATEWAY_ORDER_REFUSED. */
  async order(order: StandingOrder | Toggle, by: string): Promise<void> {
    if (isOpening(order)) await this.#applyRecorded(order, by);
    else this.#apply(order, by);
  }

  #apply(order: StandingOrder | Toggle | FireAlarm, by: string): void {
    const { mode, record } = obey(this.#mode, order, this.#act(by), [...this.#activeFireInputs]);
    this.#enter(mode);
    this.deps.record(record);
  }

  async #applyRecorded(order: StandingOrder | Toggle, by: string): Promise<void> {
    const before = this.#mode;
    this.#assertFree(order);
    const { mode, record } = obey(before, order, this.#act(by));
    try {
      await this.deps.commit(record);
    } catch {
      throw refused('the order cannot be recorded in time, and what lets people in is recorded first');
    }
    // A lockdown that came meanwhile is not undone by an order that did not know of it.
    if (this.#mode !== before) throw refused('the mode of the site changed meanwhile; look, and order again');
    this.#assertFree(order);
    this.#enter(mode);
  }

  /** That it ends was recorded with the order. */
  #expire(): void {
    const over = this.#expiry.over();
    if (over.length === 0) return;
    const { doors } = this.#mode;
    const standing = Object.entries(doors).filter(([door]) => !over.includes(door));
    this.#enter({ ...this.#mode, doors: Object.fromEntries(standing) });
    for (const doorId of over) {
      const { by = '', mode = 'locked' } = doors[doorId] ?? {};
      this.deps.record({ name: 'door.order_expired', doorId, detail: { by, mode } });
    }
  }

  #assertFree(order: StandingOrder | Toggle): void {
    const obstacle = this.deps.obstacle(order);
    if (obstacle !== undefined) throw refused(obstacle);
  }

  #act(by: string): Act {
    const { clock, isClockKnown } = this.deps;
    return { by, atUnixMs: clock.wall().unixMs, ...(!isClockKnown() && { isTimeUnknown: true as const }) };
  }

  #enter(mode: SiteMode): void {
    this.#mode = mode;
    this.#isSaved = false;
    this.#expiry.follow(mode.doors, true);
    this.deps.onChange();
    void this.#save();
  }

  /** One at a time, and the newest state only. */
  async #save(): Promise<void> {
    if (this.#isSaving) return;
    this.#isSaving = true;
    this.#retry?.cancel();
    try {
      while (!this.#isSaved) {
        this.#isSaved = true;
        await this.deps.store.save(this.#mode);
      }
    } catch (error) {
      this.#isSaved = false;
      this.deps.onFailure(error, 'the mode of the site cannot be saved');
      this.#retry = this.deps.clock.setTimer(SAVE_RETRY_MS, () => void this.#save());
    } finally {
      this.#isSaving = false;
    }
  }
}
