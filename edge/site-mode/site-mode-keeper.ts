import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, Timer } from '@sparc/protocol/ports';
import { OrderExpiry } from './order-expiry.js';
import { isOpening, obey, refused, type FireAlarm, type StandingOrder, type Toggle } from './orders.js';
import { FIRE_ALARM, foldMode, MODE_CLAIMS, type ModeClaim } from './recorded-mode.js';
import { afterRestart, NORMAL, withoutOrders, type Act, type DoorOrder, type SiteMode } from './site-mode.js';

/** Where the mode survives a restart. */
export interface ModeStore {
  /** Undefined when nothing is there. Throws when what was saved cannot be read. */
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
  /** Carries out once the record is on disk; rejects with OrderRefused when it is not, or late, or `carryOut` throws. */
  readonly commit: (event: EventDraft, carryOut: () => void) => Promise<unknown>;
  /** What the journal has of earlier runs, oldest first; asked where the store has nothing to give. */
  readonly recorded: () => Promise<readonly ModeClaim[]>;
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
 * in is recorded before. The file comes after; who ordered a restriction hears of it when it is there.
 */
export class SiteModeKeeper {
  #mode: SiteMode = NORMAL;
  #saving: Promise<boolean> | undefined;
  #isSaved = true;
  /** It was told that the disk does not take it. */
  #isUnsavedTold = false;
  /** What was ordered in this run, until it is known what stood before it. */
  #sinceStart: ModeClaim[] | undefined;
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
    let saved: SiteMode | undefined;
    try {
      saved = this.deps.store.load();
    } catch (error) {
      this.#lost(error);
    }
    if (saved === undefined) {
      void this.#restore();
      return;
    }
    this.#mode = afterRestart(saved);
    this.#expiry.follow(this.#orders, false);
    this.#expire();
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
    if (this.#mode.fires[inputId] === undefined) void this.#apply({ kind: 'fire', inputId }, FIRE_ALARM);
  }

  /** When what was ordered for a door ends by itself, on the wall clock as it is now. */
  endsAtUnixMs(doorId: string): number | undefined {
    const order = this.#mode.doors[doorId];
    return order && this.#expiry.endsAtUnixMs(order);
  }

  /**
   * Resolves when the order is in force, and stands after a restart as far as it restricts. Rejects with
   * ERR_GATEWAY_ORDER_REFUSED, or with ERR_GATEWAY_MODE_UNSAVED when it is in force but a restart would forget it.
   */
  async order(order: StandingOrder | Toggle, by: string): Promise<void> {
    if (isOpening(order, this.#mode)) return this.#applyRecorded(order, by);
    if (await this.#apply(order, by)) return;
    const message = 'the order is in force, but the disk does not take it: a restart would forget it';
    throw new SparcError('ERR_GATEWAY_MODE_UNSAVED', message);
  }

  /** In force within this call; resolves to whether it is on disk. */
  #apply(order: StandingOrder | Toggle | FireAlarm, by: string): Promise<boolean> {
    const { mode, record } = obey(this.#mode, order, this.#act(by), [...this.#activeFireInputs]);
    const saved = this.#enter(mode, record);
    this.deps.record(record);
    return saved;
  }

  async #applyRecorded(order: StandingOrder | Toggle, by: string): Promise<void> {
    const before = this.#mode;
    this.#assertFree(order);
    const { mode, record } = obey(before, order, this.#act(by));
    await this.deps.commit(record, () => {
      // A lockdown that came meanwhile is not undone by an order that did not know of it.
      if (this.#mode !== before) throw refused('the mode of the site changed meanwhile; look, and order again');
      this.#assertFree(order);
      void this.#enter(mode, record);
    });
  }

  /** That it ends was recorded with the order. */
  #expire(): void {
    const isOver = (order: DoorOrder) => this.#expiry.isOver(order);
    const over = [this.#mode.doors, this.#mode.overruled ?? {}].flatMap((orders) =>
      Object.entries(orders).filter(([, order]) => isOver(order)),
    );
    if (over.length === 0) return;
    void this.#enter(withoutOrders(this.#mode, isOver));
    for (const [doorId, { by, mode }] of over) {
      const again = this.#mode.doors[doorId]?.mode;
      const detail = { by, mode, ...(again !== undefined && { again }) };
      this.deps.record({ name: 'door.order_expired', doorId, detail });
    }
  }

  /** What the journal tells of the time before this run; what was ordered since then comes after it. */
  async #restore(): Promise<void> {
    const sinceStart = (this.#sinceStart = [] as ModeClaim[]);
    try {
      const before = await this.deps.recorded();
      const { lockdown: _since, ...mode } = this.#mode;
      void this.#enter({ ...mode, ...foldMode([...before, ...sinceStart]) });
      const { lockdown, threatLevel, fires } = foldMode(before);
      const firesCount = Object.keys(fires).length;
      if (lockdown === undefined && threatLevel === 0 && firesCount === 0) return;
      const detail = {
        lockdown: String(lockdown !== undefined),
        threatLevel: String(threatLevel),
        fires: String(firesCount),
      };
      this.deps.record({ name: 'site.mode_restored', detail });
    } catch (error) {
      this.#lost(error);
    } finally {
      this.#sinceStart = undefined;
    }
  }

  #lost(error: unknown): void {
    this.deps.onFailure(error, 'the mode of the site is lost');
    const code = isSparcError(error) ? error.code : 'ERR_GATEWAY_INTERNAL';
    this.deps.record({ name: 'site.mode_lost', code });
  }

  get #orders(): readonly DoorOrder[] {
    return [...Object.values(this.#mode.doors), ...Object.values(this.#mode.overruled ?? {})];
  }

  #assertFree(order: StandingOrder | Toggle): void {
    const obstacle = this.deps.obstacle(order);
    if (obstacle !== undefined) throw refused(obstacle);
  }

  #act(by: string): Act {
    const { clock, isClockKnown } = this.deps;
    return { by, atUnixMs: clock.wall().unixMs, ...(!isClockKnown() && { isTimeUnknown: true as const }) };
  }

  #enter(mode: SiteMode, record?: EventDraft): Promise<boolean> {
    this.#mode = mode;
    this.#isSaved = false;
    if (record !== undefined && record.name in MODE_CLAIMS) {
      this.#sinceStart?.push({ record, atUnixMs: this.deps.clock.wall().unixMs });
    }
    this.#expiry.follow(this.#orders, true);
    this.deps.onChange();
    return this.#save();
  }

  /** Only while something is unsaved. Resolves to whether the newest state is on disk. */
  #save(): Promise<boolean> {
    return (this.#saving ??= this.#saveAll());
  }

  /** One at a time, and the newest state only. */
  async #saveAll(): Promise<boolean> {
    this.#retry?.cancel();
    try {
      while (!this.#isSaved) {
        this.#isSaved = true;
        await this.deps.store.save(this.#mode);
      }
      this.#isUnsavedTold = false;
      return true;
    } catch (error) {
      this.#isSaved = false;
      this.#unsaved(error);
      return false;
    } finally {
      this.#saving = undefined;
    }
  }

  /** One alarm, however often it fails in a row. */
  #unsaved(error: unknown): void {
    const { clock, onFailure, record } = this.deps;
    this.#retry = clock.setTimer(SAVE_RETRY_MS, () => void this.#save());
    if (this.#isUnsavedTold) return;
    this.#isUnsavedTold = true;
    onFailure(error, 'the mode of the site cannot be saved');
    record({ name: 'site.mode_unsaved', code: 'ERR_GATEWAY_MODE_UNSAVED' });
  }
}
