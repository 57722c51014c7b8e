import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccessPoint, Door, Input, Schedule } from '@sparc/protocol/policy';
import { cardFormat, encodeCard } from '@sparc/protocol/card-format';
import { decodeEvent, encodeEvent } from '@sparc/protocol/ledger';
import type { EventRecord } from '@sparc/protocol/events';
import type { InputState, TimeQuality } from '@sparc/protocol/ports';
import { isClaim, type Claim } from '@sparc/edge/passages';
import { Field, type FieldPolicy } from '@sparc/edge/field';
import { loadIdentity, nodeRandom, verifySignature } from '@sparc/edge/platform';
import { applySiteFile, buildSite, loadEmergencyCredentials, SqlitePolicyView } from '@sparc/edge/policy';
import type { Order, SiteMode } from '@sparc/edge/site-mode';
import { VirtualClock } from '@sparc/simulator/world';
import { MemoryFieldBus } from '../support/memory-field-bus.js';
import { MemoryJournal } from '../support/memory-journal.js';
import { instantOf } from './local-time.js';
import { siteOf, siteText, type SiteChanges } from './site-changes.js';

/** What `given` says before the gateway starts. */
export interface Setting {
  startText: string;
  quality: TimeQuality;
  readonly history: EventRecord[];
  readonly away: Set<string>;
}

export interface Card {
  readonly bitCount: number;
  readonly bits: Uint8Array;
}

/** What was ordered, and what became of it; undefined while it is under way. */
export interface OrderAnswer {
  readonly order: string;
  outcome: 'obeyed' | 'refused' | undefined;
}

/** From the last thing that happened to the look at what it caused, unless a time passes by itself. */
const SETTLE_MS = 20;
const PIN_KEY = new Uint8Array(32).fill(7);
/** Longer than all that a start does. */
const START_MS = 1_000;

/**
 * The gateway of one scenario: the real field, on a policy store that was built from a real site file, with a virtual
 * clock, and buses and a journal in memory. Everything of it has the name that the site file gives it.
 */
export class ScenarioWorld {
  readonly clock: VirtualClock;
  readonly bus: MemoryFieldBus;
  readonly journal: MemoryJournal;
  readonly errors: { readonly message: string; readonly error: unknown }[] = [];
  readonly orders: OrderAnswer[] = [];
  /** By revision, for whoever wants to decide again. */
  readonly views = new Map<string, SqlitePolicyView>();
  readonly timeZone: string;
  readonly startUnixMs: number;
  #changes: readonly SiteChanges[];
  #view: SqlitePolicyView;
  #field: Field;
  #mode: string | undefined;
  readonly #history: readonly Claim[];
  readonly #inputs = new Map<string, InputState>();
  readonly #away: Set<string>;
  readonly #folders: string[] = [];

  private constructor(
    private readonly site: string,
    changes: readonly SiteChanges[],
    setting: Setting,
  ) {
    this.#changes = changes;
    this.#away = new Set(setting.away);
    this.#view = this.#build();
    this.timeZone = this.#view.timeZone;
    this.startUnixMs = instantOf(setting.startText, this.timeZone);
    // The first second is the gateway's; it is over at the time that the scenario names.
    this.clock = new VirtualClock({ startUnixMs: this.startUnixMs - START_MS, quality: setting.quality });
    this.bus = new MemoryFieldBus(this.clock);
    this.journal = new MemoryJournal(this.clock);
    this.#history = setting.history.map((record) => ({ record, atUnixMs: this.startUnixMs - START_MS }));
    this.#field = this.#createField();
  }

  static async open(site: string, changes: readonly SiteChanges[], setting: Setting): Promise<ScenarioWorld> {
    const world = new ScenarioWorld(site, changes, setting);
    await world.#start();
    return world;
  }

  async close(): Promise<void> {
    await Promise.all([this.#field.stop(), this.clock.advance(1)]);
    for (const view of this.views.values()) view.close();
    for (const folder of this.#folders) rmSync(folder, { recursive: true });
  }

  get field(): Field {
    return this.#field;
  }

  get view(): SqlitePolicyView {
    return this.#view;
  }

  settle(): Promise<void> {
    return this.clock.advance(SETTLE_MS);
  }

  async waitUntil(text: string): Promise<void> {
    const waitMs = instantOf(text, this.timeZone) - this.clock.wall().unixMs;
    if (waitMs < 0) throw new Error(`${text} is over`);
    await this.clock.advance(waitMs);
  }

  /** The process ends and starts again; devices keep what they were told. */
  async restart(): Promise<void> {
    await Promise.all([this.#field.stop(), this.clock.advance(SETTLE_MS)]);
    this.#field = this.#createField();
    await this.#start();
  }

  usePolicy(changes: SiteChanges): void {
    this.#changes = [...this.#changes, changes];
    this.#view = this.#build();
    this.#field.usePolicy(this.#policy());
  }

  /** What a gateway has left when no generation is readable: the signed file beside the last one. */
  losePolicy(): void {
    this.#field.usePolicy(this.#withoutPolicy());
  }

  loseEverything(): void {
    this.#field.usePolicy({ kind: 'none' });
  }

  breakStore(): void {
    this.#view.close();
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
    this.bus.card(this.#readerDevice(pointId), card, ageMaxMs);
  }

  type(keys: string, pointId: string): void {
    this.bus.keys(this.#readerDevice(pointId), keys);
  }

  cardOf(credentialId: string): Card {
    const credential = siteOf(this.site, this.#changes).credentials.find(({ id }) => id === credentialId);
    const [identifier] = credential?.identifiers ?? [];
    if (identifier === undefined) throw new Error(`the site has no credential ${credentialId}`);
    if ('bits' in identifier) return rawCard(identifier.bits, identifier.value);
    const { format, facility, number, issue } = identifier;
    return formattedCard(format, facility, String(number), issue);
  }

  /** `active` in the sense of its use. A device that is away tells it when it comes back. */
  input(inputId: string, state: InputState): void {
    const input = this.#find(this.#view.plan.inputs, inputId);
    this.#inputs.set(inputId, state);
    if (!this.#away.has(input.device)) this.bus.input(input.device, input.number, asWired(input, state));
  }

  door(doorId: string): Door {
    return this.#find(this.#view.plan.doors, doorId);
  }

  schedule(scheduleId: string): Schedule {
    return this.#find(this.#view.plan.schedules, scheduleId);
  }

  readerKey(pointId: string): string {
    return `${this.#readerDevice(pointId)}#0`;
  }

  #readerDevice(pointId: string): string {
    const point: AccessPoint = this.#find(this.#view.plan.accessPoints, pointId);
    return this.#find(this.#view.plan.readers, point.reader).device;
  }

  outputKey(outputId: string): string {
    const { device, number } = this.#find(this.#view.plan.outputs, outputId);
    return `${device}#${number}`;
  }

  isEnergised(outputId: string): boolean {
    const { device, number } = this.#find(this.#view.plan.outputs, outputId);
    return this.bus.energised(device, number);
  }

  isReleased(doorId: string): boolean {
    const { lock } = this.door(doorId);
    return this.isEnergised(lock.output) !== (lock.type === 'failSafe');
  }

  doorSnapshot(doorId: string) {
    const door = this.#field.snapshot().doors.find(({ id }) => id === doorId);
    return door ?? missing(`the gateway knows no door ${doorId}`);
  }

  modes(): ReadonlyMap<string, string> {
    return new Map(this.#field.snapshot().doors.map(({ id, mode }) => [id, mode]));
  }

  /** What a device says when it comes (back) online. */
  connect(deviceId: string): void {
    this.#away.delete(deviceId);
    this.bus.status(deviceId);
    const inputs = this.#view.plan.inputs.filter(({ device }) => device === deviceId);
    for (const { id } of inputs) this.input(id, this.#inputs.get(id) ?? 'inactive');
  }

  disconnect(deviceId: string): void {
    this.#away.add(deviceId);
    this.bus.status(deviceId, { link: 'offline', secure: false, reason: 'ERR_OSDP_LINE_DOWN' });
  }

  powerOff(deviceId: string): void {
    this.#away.add(deviceId);
    this.bus.powerOff(deviceId);
  }

  #createField(): Field {
    const log = {
      info: () => undefined,
      warn: () => undefined,
      error: (fields: object, message: string) =>
        void this.errors.push({ message, error: 'error' in fields ? fields.error : undefined }),
    };
    const { clock, bus, journal } = this;
    return new Field({
      clock,
      fieldBus: bus,
      journal,
      log,
      modeStore: {
        load: () => (this.#mode === undefined ? undefined : (JSON.parse(this.#mode) as SiteMode)),
        save: (mode) => {
          this.#mode = JSON.stringify(mode);
          return Promise.resolve();
        },
      },
      claims: () => Promise.resolve([...this.#history, ...this.#claims]),
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
    this.#field.usePolicy(this.#policy());
    this.#field.start();
    for (const { id } of this.#view.plan.devices) if (!this.#away.has(id)) this.connect(id);
    await this.clock.advance(START_MS);
  }

  #policy(): FieldPolicy {
    return { kind: 'policy', view: this.#view, plan: this.#view.plan };
  }

  #build(): SqlitePolicyView {
    const revision = `r${this.views.size + 1}`;
    const options = { path: ':memory:', revision, pinKey: PIN_KEY };
    const view = new SqlitePolicyView(buildSite(siteOf(this.site, this.#changes), options), PIN_KEY);
    this.views.set(revision, view);
    return view;
  }

  #withoutPolicy(): FieldPolicy {
    const dataDir = mkdtempSync(join(tmpdir(), 'sparc-scenario-'));
    this.#folders.push(dataDir);
    const signer = loadIdentity(dataDir);
    const verify = (bytes: Uint8Array, signature: Uint8Array) => verifySignature(signer.publicKey, bytes, signature);
    const { clock } = this;
    const text = siteText(this.site, this.#changes);
    applySiteFile({ dataDir, text, fileName: 'site', signer, verify, random: nodeRandom, clock, pinKey: PIN_KEY });
    const emergency = loadEmergencyCredentials(dataDir, verify);
    return emergency === undefined ? { kind: 'none' } : { kind: 'none', emergency };
  }

  #find<T extends { readonly id: string }>(list: readonly T[], id: string): T {
    return list.find((each) => each.id === id) ?? missing(`the site has no ${id} of that kind`);
  }
}

export const missing = (message: string): never => {
  throw new Error(message);
};

export function rawCard(bitCount: number, hex: string): Card {
  const value = BigInt(`0x${hex}`) << BigInt((8 - (bitCount % 8)) % 8);
  const bits = Buffer.from(value.toString(16).padStart(Math.ceil(bitCount / 8) * 2, '0'), 'hex');
  return { bitCount, bits: new Uint8Array(bits) };
}

export function formattedCard(formatId: string, facility: number | undefined, number: string, issue?: number): Card {
  const format = cardFormat(formatId) ?? missing(`there is no format ${formatId}`);
  const fields = { number, ...(facility !== undefined && { facility }), ...(issue !== undefined && { issue }) };
  return { bits: encodeCard(format, fields), bitCount: format.bitCount };
}

function asWired({ activeWhen }: Pick<Input, 'activeWhen'>, state: InputState): InputState {
  if (state !== 'active' && state !== 'inactive') return state;
  return (state === 'active') === (activeWhen === 'active') ? 'active' : 'inactive';
}
