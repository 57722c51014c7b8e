import { AUTHORITY_NAME } from '@sparc/protocol/directive';
import { isSparcError, SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import { compareHlc, type Hlc } from '@sparc/protocol/hlc';
import type { Clock, EntryId, Random, Timer } from '@sparc/protocol/ports';
import type { SignedHead } from '@sparc/protocol/ledger';
import { furthestHeads } from '@sparc/protocol/roster';
import { toHex } from '../platform/index.js';
import type { Origin } from '../directives/index.js';
import type { HeardEntry } from '../heard/index.js';
import type { Directed, DirectedRaise, DirectedRelease, ModeOutcome } from './directed-mode.js';
import { isPast, withHeard, withoutHeard, type HeardRaise } from './heard-raises.js';
import { OrderExpiry } from './order-expiry.js';
import {
  isOpening,
  obey,
  OrderRefused,
  refused,
  type FireAlarm,
  type Obeyed,
  type StandingOrder,
  type Toggle,
} from './orders.js';
import {
  isRaisedHere,
  isReleased,
  isStanding,
  isTooMany,
  newOf,
  RAISES_OF_ONE_MAX,
  threatLevel,
  withRaise,
  withReleases,
  type Act,
  type Raise,
  type Release,
} from './raise.js';
import {
  FIRE_ALARM,
  foldMode,
  isModeClaim,
  lateRecord,
  raiseOf,
  raiseRecord,
  releaseRecord,
  type ModeClaim,
} from './recorded-mode.js';
import { afterRestart, NORMAL, withoutOrders, type DoorOrder, type SiteMode } from './site-mode.js';

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
/** What an operator released is tried again after this, where it could not be recorded: it holds for the whole site. */
export const RELEASE_RETRY_MS = 5_000;
const RAISE_ID_SIZE = 16;
/** An alarm of another gateway that is first heard later than this releases nothing: people there have seen to it. */
export const FIRE_HEARD_LATE_MS = 3_600_000;
/** Of whom another gateway names. */
const NAME_LENGTH_MAX = 64;
/** Of the sentence that says why an order was refused. */
const WHY_LENGTH_MAX = 256;

/** What another gateway recorded. */
export type HeardClaim = ModeClaim & Pick<HeardEntry, 'id' | 'hlc'>;

export interface SiteModeDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: ModeStore;
  /** Others count what is raised here, and this gateway what they raise. */
  readonly isInMesh: boolean;
  /** Keeps a record whenever the journal can. */
  readonly record: (event: EventDraft, cause?: Promise<EntryId | undefined>) => unknown;
  /** Carries out once the record is on disk; rejects with OrderRefused when it is not, or late, or `carryOut` throws. */
  readonly commit: (event: EventDraft, carryOut: () => void) => Promise<unknown>;
  /**
   * What the journal has of earlier runs, oldest first: all of it, or where the store gave something what was recorded
   * last, which it may lack.
   */
  readonly recorded: (which: 'all' | 'last') => Promise<readonly ModeClaim[]>;
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
  #isStopped = false;
  /** Fire inputs that are active now: what they latched cannot be ended yet. */
  readonly #activeFireInputs = new Set<string>();
  /** By the key of a gateway that was expelled. */
  readonly #attested = new Map<string, readonly SignedHead[]>();
  /** By the key of another gateway: when a person last ended the fire there. */
  readonly #fireEnds = new Map<string, Hlc>();
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
    if (saved !== undefined) {
      this.#mode = afterRestart(saved);
      this.#expiry.follow(this.#orders, false);
      this.#expire();
    }
    void this.#restore(saved === undefined ? 'all' : 'last');
  }

  /** A last save that is under way goes on. */
  stop(): void {
    this.#isStopped = true;
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
    this.#alarm(inputId);
  }

  /**
   * Carries out what an operator directed, once. Resolves when it is in force and recorded, or rejects as `order`: what is
   * raised stands then all the same.
   */
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
    const isMeant = ({ id, isDirected }: Raise) => id === directive && isDirected === true;
    if (!this.#mode.raises.some(isMeant)) return;
    const releases = [{ id: directive }];
    const record = { ...releaseRecord(this.#mode, releases, { by: AUTHORITY_NAME, directive }), code };
    const end = () =>
      void this.#enter({ ...this.#mode, raises: this.#mode.raises.filter((raise) => !isMeant(raise)) }, record);
    this.deps
      .commit(record, end)
      .catch((error: unknown) => this.deps.onFailure(error, 'what an operator had no right to raise stands'));
  }

  /** A person ended the fire at another gateway: what that one told of it before, and was not heard yet, is over. */
  fireEnded({ id: { author }, hlc, record }: HeardClaim): void {
    if (record.detail?.['raises'] === undefined) this.#fireEnds.set(author, hlc);
  }

  /** What another gateway recorded of itself. It may raise; it cannot lower, and an evacuation is its own. */
  heard(entry: HeardClaim): void {
    const { causeId, detail } = entry.record;
    // An effect of what somebody else raised or directed; or of a time when nobody was to hear it.
    if (causeId !== undefined || detail?.['directive'] !== undefined) return;
    if (detail?.['raise'] === undefined || detail['alone'] !== undefined) return;
    const raised = raiseOf(entry);
    if (raised === undefined || raised.what === 'evacuation') return;
    const raise = { ...raised, by: raised.by.slice(0, NAME_LENGTH_MAX), entry: entry.id };
    const { heard = {}, ...mode } = this.#mode;
    const told = { raise, author: entry.id.author, hlc: entry.hlc };
    if (!this.#counts(raise) || isPast(heard, told) || isTooMany(mode, raise)) return;
    const isLate = this.#isLateFire(told);
    const next = isLate || this.#isOverFire(told) ? mode : withRaise(mode, raise);
    const isNew = next.raises.includes(raise);
    const record = isNew ? raiseRecord(mode, raise, false) : isLate ? lateRecord(raise) : undefined;
    void this.#enter({ ...next, heard: withHeard(heard, told) }, record);
    if (record !== undefined) this.deps.record(record);
  }

  /**
   * A gateway was expelled: of what it raised counts what leads to the attested heads of its log. Of several expulsions what
   * leads to the heads of one of them does, in whatever order they come.
   */
  expelled(author: string, heads: readonly SignedHead[]): void {
    this.#attested.set(author, furthestHeads([...(this.#attested.get(author) ?? []), ...heads]));
    const raises = this.#mode.raises.filter((raise) => this.#counts(raise));
    if (raises.length === this.#mode.raises.length) return;
    void this.#enter({ ...this.#mode, raises, heard: withoutHeard(this.#mode.heard ?? {}, author) });
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
  async order(order: StandingOrder | Toggle, by: string, origin?: Origin): Promise<void> {
    if (isOpening(order, this.#mode, by)) return this.#applyRecorded(order, by, origin);
    if (await this.#apply(order, by, origin)) return;
    const message = 'the order is in force, but the disk does not take it: a restart would forget it';
    throw new SparcError('ERR_GATEWAY_MODE_UNSAVED', message);
  }

  /** In force within this call; resolves to whether it is on disk. */
  #apply(order: StandingOrder | Toggle | FireAlarm, by: string, origin?: Origin): Promise<boolean> {
    const { mode, record } = this.#obey(order, by, origin);
    if (record === undefined) return this.#save();
    const saved = this.#enter(mode, record);
    this.deps.record(record);
    return saved;
  }

  async #applyRecorded(order: StandingOrder | Toggle, by: string, origin?: Origin): Promise<void> {
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

  #obey(order: StandingOrder | Toggle | FireAlarm, by: string, origin?: Origin): Obeyed {
    const { random, isInMesh } = this.deps;
    const newId = () => toHex(random.bytes(RAISE_ID_SIZE));
    const circumstances = { newId, isInMesh, activeFireInputs: this.#activeFireInputs };
    const { mode, record } = obey(this.#mode, order, this.#act(by), circumstances);
    if (record?.name !== 'door.ordered' || origin === undefined) return { mode, ...(record && { record }) };
    const { directive, causeId } = origin;
    const detail = { ...record.detail, directive };
    return { mode, record: { ...record, ...(causeId !== undefined && { causeId }), detail } };
  }

  /** An input that is active raises what a release ended. */
  #alarm(inputId: string): void {
    void this.#apply({ kind: 'fire', inputId }, FIRE_ALARM);
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
    const mode = this.#mode;
    if (isReleased(mode, raise)) return 'released';
    if (isStanding(mode, raise)) return 'known';
    if (isTooMany(mode, raise)) throw refused(`${by} has raised ${RAISES_OF_ONE_MAX} that stand; release some`);
    const record = raiseRecord(mode, raise, false);
    const saved = this.#enter(withRaise(mode, raise), record);
    this.deps.record(record, cause);
    await saved;
    return 'applied';
  }

  /** Recorded first, however late: the others have released it, and no door stays locked down because a disk was full. */
  async #release(directed: Directed, ids: readonly string[]): Promise<ModeOutcome> {
    const { clock } = this.deps;
    const { within, cause } = directed;
    const releases: Release[] = ids.map((id) => ({ id, ...(within !== undefined && { within }) }));
    const causeId = await cause;
    for (;;) {
      if (newOf(this.#mode, releases).length === 0) return 'known';
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
    const record: EventDraft = {
      ...releaseRecord(this.#mode, releases, { by, directive }),
      ...(causeId !== undefined && { causeId }),
    };
    try {
      await this.deps.commit(record, () => {
        void this.#enter(withReleases(this.#mode, releases), record);
        const told = new Set(this.#mode.raises.filter(isRaisedHere).map(({ input }) => input));
        for (const inputId of this.#activeFireInputs) if (!told.has(inputId)) this.#alarm(inputId);
      });
    } catch (error) {
      if (error instanceof OrderRefused && error.undoes !== undefined) {
        const detail = { by, order: 'release', why: error.message.slice(0, WHY_LENGTH_MAX) };
        this.deps.record({ name: 'order.refused', causeId: error.undoes, detail });
      }
      throw error;
    }
  }

  #isOverFire({ raise: { what }, author, hlc }: HeardRaise): boolean {
    const end = this.#fireEnds.get(author);
    return what === 'fire' && end !== undefined && compareHlc(hlc, end) < 0;
  }

  #isLateFire({ raise: { what }, hlc }: HeardRaise): boolean {
    const { clock, isClockKnown } = this.deps;
    return what === 'fire' && isClockKnown() && clock.wall().unixMs - hlc.unixMs > FIRE_HEARD_LATE_MS;
  }

  #counts({ entry }: Raise): boolean {
    const heads = entry && this.#attested.get(entry.author);
    if (entry === undefined || heads === undefined) return true;
    return heads.some(
      ({ epoch: { counter }, sequence }) =>
        entry.epoch < counter || (entry.epoch === counter && entry.sequence <= sequence),
    );
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
    try {
      const before = await this.deps.recorded(which);
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
    if (record !== undefined && isModeClaim(record)) {
      // Where it raises something, that is the last.
      this.#sinceStart?.push({ record, wallUnixMs: mode.raises.at(-1)?.atUnixMs ?? 0 });
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
