import { EVENTS, type EventRecord } from '@sparc/protocol/events';
import { isDecision } from '@sparc/edge/access';
import type { LoggedError, OrderAnswer, ScenarioWorld } from './world.js';

/** Something that `then` says and that was not so. */
export class Mismatch extends Error {}

/** One round of a scenario as it is looked at: what was recorded and ordered in it, and what nobody has named yet. */
export class Look {
  readonly #unnamed: Set<EventRecord | OrderAnswer | LoggedError>;
  #decisionsTakenCount = 0;
  readonly events: readonly EventRecord[];
  readonly orders: readonly OrderAnswer[];
  readonly errors: readonly LoggedError[];

  constructor(
    readonly world: ScenarioWorld,
    readonly before: RoundStart,
  ) {
    this.events = world.journal.entries.slice(before.entriesCount).map(({ record }) => record);
    this.orders = world.orders.slice(before.ordersCount);
    this.errors = world.errors.slice(before.errorsCount);
    this.#unnamed = new Set([...this.events.filter(mustBeNamed), ...this.orders, ...this.errors]);
  }

  get decisions(): readonly EventRecord[] {
    return this.events.filter(isDecided);
  }

  /** Names the first that fits and was not named before; else the first that fits. */
  name<T extends EventRecord | LoggedError>(list: readonly T[], fits: (item: T) => boolean): T | undefined {
    const fitting = list.filter(fits);
    const found = fitting.find((item) => this.#unnamed.has(item)) ?? fitting[0];
    if (found !== undefined) this.#unnamed.delete(found);
    return found;
  }

  /** The next decision that fits, after those that were taken before. */
  takeDecision(fits: (decision: EventRecord) => boolean): EventRecord | undefined {
    const { decisions } = this;
    const at = decisions.findIndex((decision, index) => index >= this.#decisionsTakenCount && fits(decision));
    const found = decisions[at];
    if (found === undefined) return undefined;
    this.#decisionsTakenCount = at + 1;
    this.#unnamed.delete(found);
    return found;
  }

  /** Each is taken once. */
  takeOrder(fits: (order: OrderAnswer) => boolean): OrderAnswer | undefined {
    const found = this.orders.find((order) => this.#unnamed.has(order) && fits(order));
    if (found !== undefined) this.#unnamed.delete(found);
    return found;
  }

  /** Decisions, alarms and orders that `then` says nothing of. */
  get unnamed(): readonly string[] {
    return [...this.#unnamed].map((item) => {
      if ('order' in item) return `the order ${item.order}, which was ${item.outcome ?? 'not answered'}`;
      return 'message' in item ? `the log: ${item.message} ${String(item.error)}` : told(item);
    });
  }

  /** For the message of a failure. */
  get seen(): string {
    const events = this.events.map((event) => `    ${told(event)}`);
    return events.length === 0 ? '    nothing was recorded' : events.join('\n');
  }
}

export interface RoundStart {
  readonly entriesCount: number;
  readonly ordersCount: number;
  readonly errorsCount: number;
  readonly atMs: number;
  /** By door. */
  readonly modes: ReadonlyMap<string, string>;
}

export const roundStart = (world: ScenarioWorld): RoundStart => ({
  entriesCount: world.journal.entries.length,
  ordersCount: world.orders.length,
  errorsCount: world.errors.length,
  atMs: world.clock.monotonicMs(),
  modes: new Map(world.doors().map(({ id, mode }) => [id, mode])),
});

/** A reader that belongs to no access point is denied without a decision. */
const isDecided = (record: EventRecord): boolean => isDecision(record) || record.name === 'access.denied';

/** Nobody may be let in, kept out or alarmed without a word about it. */
const mustBeNamed = (record: EventRecord): boolean => isDecided(record) || EVENTS[record.name].severity === 'alarm';

/** An event as a failure shows it. */
export function told(record: EventRecord): string {
  const { name, accessPointId, doorId, deviceId, credentialId, holderId, reason, alsoFailed, flags, detail, code } =
    record;
  const parts = [
    name,
    ...[credentialId ?? holderId ?? []].flat().map((id) => `of ${id}`),
    ...[accessPointId ?? doorId ?? deviceId ?? []].flat().map((id) => `at ${id}`),
    ...(reason === undefined ? [] : [`because ${reason}`]),
    ...(alsoFailed === undefined ? [] : [`and also ${alsoFailed.join(', ')}`]),
    ...(flags === undefined ? [] : [`although ${flags.join(', ')}`]),
    ...(code === undefined ? [] : [`code ${code}`]),
    ...Object.entries(detail ?? {}).map(([key, value]) => `${key}=${value}`),
  ];
  return parts.join(' ');
}
