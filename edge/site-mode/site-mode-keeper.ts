import { isSparcError, SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { SignedHead } from '@sparc/protocol/ledger';
import type { Random } from '@sparc/protocol/ports';
import {
  type Act,
  FIRE_ALARM,
  foldMode,
  isModeClaim,
  isRaisedHere,
  isReleased,
  isStanding,
  type ModeClaim,
  type Raise,
  raiseOf,
  raiseRecord,
  threatLevel,
  withRaise,
  withReleases,
} from '@sparc/protocol/site-mode';
import type { Origin } from '../directives/index.js';
import { NewestSaver, toHex } from '../platform/index.js';
import type { DirectedRaise, DirectedRelease, ModeOutcome } from './directed-mode.js';
import { HeardClaims, type HeardClaim, type HeardClaimsDeps } from './heard-claims.js';
import { ModeDirectives, type ModeDirectivesDeps } from './mode-directives.js';
import { OrderExpiry } from './order-expiry.js';
import {
  isOpening,
  obey,
  refused,
  type FireAlarm,
  type Obeyed,
  type RuleRaise,
  type StandingOrder,
  type Toggle,
} from './orders.js';
import { RAISE_ID_SIZE } from './raise-id.js';
import { afterRestart, NORMAL, withoutOrders, type DoorOrder, type SiteMode } from './site-mode.js';

/** Where the mode survives a restart. */
export interface ModeStore {
  /** Undefined when nothing is there. Throws when what was saved cannot be read. */
  load(): SiteMode | undefined;
  save(mode: SiteMode): Promise<void>;
}

/** For a gateway that has no disk of its own, such as one in a test: each start is in normal mode. */
export const VOLATILE_MODE: ModeStore = { load: () => undefined, save: () => Promise.resolve() };

export interface SiteModeDeps extends HeardClaimsDeps, Pick<ModeDirectivesDeps, 'record' | 'commit' | 'onFailure'> {
  readonly random: Random;
  readonly store: ModeStore;
  /** Others count what is raised here, and this gateway what they raise. */
  readonly isInMesh: boolean;
  /**
   * What the journal has of earlier runs, oldest first: all of it, or where the store gave something what was recorded
   * last, which it may lack.
   */
  readonly recorded: (which: 'all' | 'last') => Promise<readonly ModeClaim[]>;
  /** Why an order that lets in cannot be obeyed at the moment; asked before its record, and again after. */
  readonly obstacle: (order: StandingOrder | Toggle | RuleRaise) => string | undefined;
  /** Doors follow within this call. */
  readonly onChange: () => void;
}

/**
 * Holds the mode of the site. What restricts and what frees people takes effect at once and is recorded after; what lets
 * in is recorded before. The file comes after; who ordered a restriction hears of it when it is there.
 */
export class SiteModeKeeper {
  #mode: SiteMode = NORMAL;
  /** What was ordered in this run, until it is known what stood before it. */
  #sinceStart: ModeClaim[] | undefined;
  /** Fire inputs that are active now: what they latched cannot be ended yet. */
  readonly #activeFireInputs = new Set<string>();
  readonly #claims: HeardClaims;
  readonly #directives: ModeDirectives;
  readonly #saver: NewestSaver;
  readonly #expiry: OrderExpiry;

  constructor(private readonly deps: SiteModeDeps) {
    const { clock, isClockKnown, store } = deps;
    this.#claims = new HeardClaims(deps);
    this.#directives = new ModeDirectives({
      ...deps,
      mode: () => this.#mode,
      enter: (mode, record) => this.#enter(mode, record),
      onReleased: () => this.#alarmAgain(),
    });
    this.#saver = new NewestSaver({
      clock,
      save: () => store.save(this.#mode),
      onFailure: (error) => this.#unsaved(error),
    });
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
    if (saved !== undefined) {
      this.#mode = afterRestart(saved);
      this.#expiry.follow(this.#orders, false);
      this.#expire();
    }
    void this.#restore(saved === undefined ? 'all' : 'last');
  }

  /** Resolves when a last save that is under way has ended. */
  async stop(): Promise<void> {
    this.#directives.stop();
    this.#expiry.stop();
    await this.#saver.stop();
  }

  /** A fire input became active, or ended being so; the alarm stays latched until a person ends it. */
  fireInput(inputId: string, active: boolean): void {
    if (!active) {
      this.#activeFireInputs.delete(inputId);
      return;
    }
    this.#activeFireInputs.add(inputId);
    this.#alarm(inputId);
  }

  /**
   * Carries out what an operator directed, once. Resolves when it is in force and recorded, or rejects as `order`: what is
   * raised stands then all the same.
   */
  apply(directed: DirectedRaise | DirectedRelease): Promise<ModeOutcome> {
    return this.#directives.apply(directed);
  }

  /** The operator had no right to what was directed, as the authority says meanwhile: it ends. */
  retract(directive: string, code: ErrorCode): void {
    this.#directives.retract(directive, code);
  }

  /** A person ended the fire at another gateway. */
  fireEnded(entry: HeardClaim): void {
    this.#claims.fireEnded(entry);
  }

  /** What another gateway recorded of itself. */
  heard(entry: HeardClaim): void {
    const heard = this.#claims.heard(this.#mode, entry);
    if (heard === undefined) return;
    const { mode, record } = heard;
    void this.#enter(mode, record);
    if (record !== undefined) this.deps.record(record);
  }

  /** A gateway was expelled, and its log ends at these heads. */
  expelled(author: string, heads: readonly SignedHead[]): void {
    const mode = this.#claims.expelled(this.#mode, author, heads);
    if (mode !== undefined) void this.#enter(mode);
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
  async order(order: StandingOrder | Toggle | RuleRaise, by: string, origin?: Origin): Promise<void> {
    if (isOpening(order, this.#mode)) return this.#applyRecorded(order, by, origin);
    await this.#apply(order, by, origin).catch((cause: unknown) => {
      const message = 'the order is in force, but the disk does not take it: a restart would forget it';
      throw new SparcError('ERR_GATEWAY_MODE_UNSAVED', message, {}, { cause });
    });
  }

  /** In force within this call; resolves when it is on disk. */
  #apply(order: StandingOrder | Toggle | RuleRaise | FireAlarm, by: string, origin?: Origin): Promise<void> {
    const { mode, record } = this.#obey(order, by, origin);
    if (record === undefined) return this.#saver.save();
    const saved = this.#enter(mode, record);
    this.deps.record(record);
    return saved;
  }

  async #applyRecorded(order: StandingOrder | Toggle | RuleRaise, by: string, origin?: Origin): Promise<void> {
    const before = this.#mode;
    this.#assertFree(order);
    const { mode, record } = this.#obey(order, by, origin);
    if (record === undefined) return;
    await this.deps.commit(record, () => {
      // A lockdown that came meanwhile is not undone by an order that did not know of it.
      if (this.#mode !== before) throw refused('the mode of the site changed meanwhile; look, and order again');
      this.#assertFree(order);
      void this.#enter(mode, record);
    });
  }

  #obey(order: StandingOrder | Toggle | RuleRaise | FireAlarm, by: string, origin?: Origin): Obeyed {
    const { random, isInMesh } = this.deps;
    const newId = () => toHex(random.bytes(RAISE_ID_SIZE));
    const circumstances = { newId, isInMesh, activeFireInputs: this.#activeFireInputs };
    const { mode, record } = obey(this.#mode, order, this.#act(by), circumstances);
    if (record?.name !== 'door.ordered' || origin === undefined) return { mode, ...(record && { record }) };
    const { directive, causeId } = origin;
    const detail = { ...record.detail, directive };
    return { mode, record: { ...record, ...(causeId !== undefined && { causeId }), detail } };
  }

  #alarm(inputId: string): void {
    void this.#apply({ kind: 'fire', inputId }, FIRE_ALARM);
  }

  /** An input that is active raises what a release ended. */
  #alarmAgain(): void {
    const told = new Set(this.#mode.raises.filter(isRaisedHere).map(({ input }) => input));
    for (const inputId of this.#activeFireInputs) if (!told.has(inputId)) this.#alarm(inputId);
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

  /**
   * What the journal tells of the time before this run; what was ordered since then comes after it. What other gateways
   * raised they tell again: only where the file is gone it is not waited for.
   */
  async #restore(which: 'all' | 'last'): Promise<void> {
    const sinceStart = (this.#sinceStart = [] as ModeClaim[]);
    const saved = this.#mode.raises.filter(isRaisedHere);
    try {
      const before = await this.deps.recorded(which);
      await this.#tellUntold(saved, before);
      const isMissing = (raise: Raise) => (which === 'all' || raise.entry === undefined) && !this.#isKnown(raise);
      const missing = foldMode(before).raises.filter(isMissing);
      const { raises, released } = foldMode([...before, ...sinceStart]);
      const restored = withReleases(this.#mode, released);
      const mode = raises.filter(isMissing).reduce((mode, raise) => withRaise(mode, raise), restored);
      void this.#enter(mode);
      if (missing.length === 0) return;
      const fires = missing.filter(({ what }) => what === 'fire' || what === 'evacuation');
      const detail = {
        lockdown: String(missing.some(({ what }) => what === 'lockdown')),
        threatLevel: String(threatLevel({ raises: missing, released: [] })),
        fires: String(fires.length),
      };
      this.deps.record({ name: 'site.mode_restored', detail });
    } catch (error) {
      if (which === 'all') this.#lost(error);
      else this.deps.onFailure(error, 'what was recorded last of the mode of the site cannot be read');
    } finally {
      this.#sinceStart = undefined;
    }
  }

  /** A crash came between the file and the record of what was raised here: nobody else knows of it. */
  async #tellUntold(saved: readonly Raise[], last: readonly ModeClaim[]): Promise<void> {
    const untoldIn = (claims: readonly ModeClaim[]) => {
      const told = new Set(claims.map((claim) => raiseOf(claim)?.id));
      return saved.filter((raise) => !told.has(raise.id) && isStanding(this.#mode, raise));
    };
    if (untoldIn(last).length === 0) return;
    for (const raise of untoldIn(await this.deps.recorded('all'))) {
      this.deps.record(raiseRecord(this.#mode, raise, !this.deps.isInMesh));
    }
  }

  #isKnown(raise: Raise): boolean {
    return isReleased(this.#mode, raise) || isStanding(this.#mode, raise);
  }

  #lost(error: unknown): void {
    this.deps.onFailure(error, 'the mode of the site is lost');
    const code = isSparcError(error) ? error.code : 'ERR_GATEWAY_INTERNAL';
    this.deps.record({ name: 'site.mode_lost', code });
  }

  get #orders(): readonly DoorOrder[] {
    return [...Object.values(this.#mode.doors), ...Object.values(this.#mode.overruled ?? {})];
  }

  #assertFree(order: StandingOrder | Toggle | RuleRaise): void {
    const obstacle = this.deps.obstacle(order);
    if (obstacle !== undefined) throw refused(obstacle);
  }

  #act(by: string): Act {
    const { clock, isClockKnown } = this.deps;
    return { by, atUnixMs: clock.wall().unixMs, ...(!isClockKnown() && { isTimeUnknown: true as const }) };
  }

  /** Resolves when it is on disk. */
  #enter(mode: SiteMode, record?: EventDraft): Promise<void> {
    this.#mode = mode;
    this.#saver.changed();
    if (record !== undefined && isModeClaim(record)) {
      // Where it raises something, that is the last.
      this.#sinceStart?.push({ record, wallUnixMs: mode.raises.at(-1)?.atUnixMs ?? 0 });
    }
    this.#expiry.follow(this.#orders, true);
    this.deps.onChange();
    return this.#saver.save();
  }

  #unsaved(error: unknown): void {
    this.deps.onFailure(error, 'the mode of the site cannot be saved');
    this.deps.record({ name: 'site.mode_unsaved', code: 'ERR_GATEWAY_MODE_UNSAVED' });
  }
}
