import type { EventRecord } from '@sparc/protocol/events';
import { decodeEvent, encodeEvent } from '@sparc/protocol/ledger';
import type { AppendedEntry, InputState } from '@sparc/protocol/ports';
import { SiteClock } from '@sparc/edge/clock';
import { Field, type FieldDeps, type FieldPolicy } from '@sparc/edge/field';
import type { EntriesBack } from '@sparc/edge/ledger';
import { isClaim, type Claim } from '@sparc/edge/passages';
import type { SqlitePolicyView } from '@sparc/edge/policy';
import { readMode, type Order } from '@sparc/edge/site-mode';
import { SeededRandom, type VirtualClock } from '@sparc/simulator/world';
import { MemoryFieldBus } from '../support/memory-field-bus.js';
import { MemoryJournal } from '../support/memory-journal.js';
import type { Card } from './cards.js';
import { instantOf } from './local-time.js';
import { Machine } from './machine.js';
import { ScenarioHost } from './scenario-host.js';
import { ScenarioSite } from './scenario-site.js';
import type { SiteChanges } from './site-changes.js';

/** What `given` says before the gateway starts. */
export interface Setting {
  startText: string;
  hasTimeSource: boolean;
  /** Entries of the ledger. */
  readonly history: EventRecord[];
  readonly away: Set<string>;
}

/** What was ordered, and what became of it; undefined while it is under way. */
export interface OrderAnswer {
  readonly order: string;
  outcome: 'obeyed' | 'refused' | undefined;
}

export interface LoggedError {
  readonly message: string;
  readonly error: unknown;
}

/** From the last thing that happened to the look at what it caused, unless a time passes by itself. */
const SETTLE_MS = 20;
/** Longer than all that a start does. */
const START_MS = 1_000;

/**
 * The gateway of one scenario: the real field and the real clock of a gateway, on a policy store that was built from a
 * real site file, with virtual time, and buses and a journal in memory.
 */
export class ScenarioWorld {
  readonly machine: Machine;
  readonly host: ScenarioHost;
  readonly bus: MemoryFieldBus;
  readonly journal: MemoryJournal;
  readonly errors: LoggedError[] = [];
  readonly orders: OrderAnswer[] = [];
  /** By revision, for whoever wants to decide again. */
  readonly views = new Map<string, SqlitePolicyView>();
  readonly startUnixMs: number;
  #site: ScenarioSite;
  #siteClock: SiteClock;
  #field: Field;
  readonly #history: readonly Claim[];
  readonly #inputs = new Map<string, InputState>();
  /** Goes on over restarts. */
  readonly #random = new SeededRandom('field');
  readonly #away: Set<string>;

  private constructor(name: string, changes: readonly SiteChanges[], setting: Setting) {
    this.#site = new ScenarioSite(name, changes, 'r1');
    this.views.set('r1', this.#site.view);
    this.startUnixMs = instantOf(setting.startText, this.#site.timeZone);
    // The first second is the gateway's; it is over at the time that the scenario names.
    const startUnixMs = this.startUnixMs - START_MS;
    this.machine = new Machine(startUnixMs, setting.hasTimeSource);
    this.host = new ScenarioHost(this.clock);
    this.bus = new MemoryFieldBus(this.clock);
    this.journal = new MemoryJournal(this.clock);
    this.#history = setting.history.map((record) => ({ record, atUnixMs: startUnixMs }));
    this.#away = new Set(setting.away);
    this.#siteClock = this.#createClock();
    this.#field = this.#createField();
  }

  static async open(name: string, changes: readonly SiteChanges[], setting: Setting): Promise<ScenarioWorld> {
    const world = new ScenarioWorld(name, changes, setting);
    await world.#start();
    return world;
  }

  async close(): Promise<void> {
    await this.#stop();
    for (const view of this.views.values()) view.close();
  }

  get clock(): VirtualClock {
    return this.machine.clock;
  }

  get site(): ScenarioSite {
    return this.#site;
  }

  settle(): Promise<void> {
    return this.clock.advance(SETTLE_MS);
  }

  async waitUntil(text: string): Promise<void> {
    const waitMs = instantOf(text, this.#site.timeZone) - this.clock.wall().unixMs;
    if (waitMs < 0) throw new Error(`${text} is over`);
    await this.clock.advance(waitMs);
  }

  /** The process ends, something happens to the machine, and it starts again; devices keep what they were told. */
  async restart(meanwhile: () => void = () => undefined): Promise<void> {
    await this.#stop();
    meanwhile();
    this.#siteClock = this.#createClock();
    this.#field = this.#createField();
    await this.#start();
  }

  changeSite(changes: SiteChanges): void {
    const revision = `r${this.views.size + 1}`;
    this.#site = this.#site.changed(changes, revision);
    this.views.set(revision, this.#site.view);
    this.usePolicy(this.#site.policy);
  }

  usePolicy(policy: FieldPolicy): void {
    if (policy.kind === 'policy') this.#siteClock.trustUnsynced(policy.view.trustUnsyncedClock === true);
    this.#field.usePolicy(policy);
  }

  order(order: Order, by: string): void {
    const answer: OrderAnswer = { order: order.kind, outcome: undefined };
    this.orders.push(answer);
    this.#field.order(order, by).then(
      () => (answer.outcome = 'obeyed'),
      () => (answer.outcome = 'refused'),
    );
  }

  present(card: Card, pointId: string, ageMaxMs = 50): void {
    this.bus.card(this.#site.readerAt(pointId).device, card, ageMaxMs);
  }

  type(keys: string, pointId: string): void {
    this.bus.keys(this.#site.readerAt(pointId).device, keys);
  }

  /** `active` in the sense of its use. A device that is away tells it when it comes back. */
  input(inputId: string, state: InputState): void {
    const { device, number, activeWhen } = this.#site.input(inputId);
    this.#inputs.set(inputId, state);
    const isTurned = activeWhen === 'inactive' && (state === 'active' || state === 'inactive');
    const wired = isTurned ? (state === 'active' ? 'inactive' : 'active') : state;
    if (!this.#away.has(device)) this.bus.input(device, number, wired);
  }

  /** What a device says when it comes (back) online. */
  connect(deviceId: string): void {
    this.#away.delete(deviceId);
    this.bus.status(deviceId);
    for (const { id } of this.#site.inputsOf(deviceId)) this.input(id, this.#inputs.get(id) ?? 'inactive');
  }

  disconnect(deviceId: string): void {
    this.#away.add(deviceId);
    this.bus.status(deviceId, { link: 'offline', secure: false, reason: 'ERR_OSDP_LINE_DOWN' });
  }

  powerOff(deviceId: string): void {
    this.#away.add(deviceId);
    this.bus.powerOff(deviceId);
  }

  isEnergised(outputId: string): boolean {
    const { device, number } = this.#site.output(outputId);
    return this.bus.energised(device, number);
  }

  isReleased(doorId: string): boolean {
    const { lock } = this.#site.door(doorId);
    return this.isEnergised(lock.output) !== (lock.type === 'failSafe');
  }

  doors() {
    return this.#field.snapshot().doors;
  }

  #createClock(): SiteClock {
    const onFailure = (error: unknown, message: string) => void this.errors.push({ message, error });
    const { clock, machine } = this;
    return new SiteClock({ clock, evidence: machine, store: machine.clockStore, onFailure });
  }

  #createField(): Field {
    const clock = this.#siteClock;
    const { bus: fieldBus, journal, host, machine } = this;
    const log = {
      info: () => undefined,
      warn: () => undefined,
      error: (fields: object, message: string) =>
        void this.errors.push({ message, error: 'error' in fields ? fields.error : undefined }),
    };
    const { modeStore, revocationStore } = machine;
    const before = [...journal.entries];
    const recordedMode: FieldDeps['recordedMode'] = (which) => readMode(newestFirst(before), which);
    const claims = () => Promise.resolve([...this.#history, ...this.#claims]);
    const acceptClock = () => clock.accept();
    return new Field({
      clock,
      fieldBus,
      journal,
      log,
      random: this.#random,
      host,
      modeStore,
      recordedMode,
      revocationStore,
      claims,
      acceptClock,
    });
  }

  /** As they come back from the disk. */
  get #claims(): Claim[] {
    return this.journal.entries
      .filter(({ record }) => isClaim(record))
      .map(({ record, wallUnixMs }) => ({
        record: decodeEvent(encodeEvent(record)) as EventRecord,
        atUnixMs: wallUnixMs,
      }));
  }

  async #start(): Promise<void> {
    const field = this.#field;
    this.#siteClock.start();
    this.#siteClock.tell({
      record: (event) => field.record(event),
      onChange: () => field.clockChanged(),
      onAhead: (unixMs) => field.keepUpWith(unixMs),
    });
    this.usePolicy(this.#site.policy);
    field.start();
    void field.closeGrants(this.journal.unsettled);
    for (const id of this.#site.deviceIds) if (!this.#away.has(id)) this.connect(id);
    await this.clock.advance(START_MS);
  }

  async #stop(): Promise<void> {
    await Promise.all([this.#field.stop(), this.clock.advance(SETTLE_MS)]);
    await this.#siteClock.stop();
  }
}

async function* newestFirst(entries: readonly AppendedEntry[]): EntriesBack {
  for (const entry of entries.toReversed()) yield { ...entry, kind: 'event' };
}
