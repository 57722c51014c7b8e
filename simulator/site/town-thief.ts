import { encodeSignedDirective } from '@sparc/protocol/directive';
import type { EventDraft } from '@sparc/protocol/events';
import type { EntryId } from '@sparc/protocol/ports';
import {
  townBell,
  townBellDoor,
  townBellRule,
  townBlock,
  townFireInput,
  TOWN_BLOCKS,
  TOWN_HOLDERS_COUNT,
  townOccupancyMax,
  type TownTruth,
} from '../scenarios/index.js';
import { sleep, type SeededRandom, type VirtualClock } from '../world/index.js';
import type { TownOperators } from './town-operators.js';
import type { TownGateway } from './town-gateway.js';
import type { Quarter } from './town-quarters.js';

/** What the thief of a gateway tries, and how the site gets rid of it. */
export const THIEF_FAULTS = [
  'theft',
  'forgedDirective',
  'replayedDirective',
  'falseClaim',
  'ghosts',
  'falseRaise',
  'falseFire',
  'falseEffect',
  'overreachingDirective',
  'falseTime',
  'falseRun',
  'forgedIds',
  'flood',
  'setBack',
  'expulsion',
] as const;
export type ThiefFault = (typeof THIEF_FAULTS)[number];

/** One after another: what is said first is stamped in time, the rest far before it or after. */
const LIES = [
  'forgedDirective',
  'falseFire',
  'falseClaim',
  'falseTime',
  'replayedDirective',
  'falseClaim',
  'overreachingDirective',
  'ghosts',
  'falseEffect',
  'falseRun',
  'forgedIds',
  'falseRaise',
] as const;

const BEGINS_AT = 0.45;
const LIE_PAUSE_MS = 60_000;
/** How likely, within an hour, they flood the site, and set the gateway back to when they took it. */
const PER_HOUR = 0.25;
const HOUR_MS = 3_600_000;
/** People that nobody has seen, more than a block has places. */
const CROWD_COUNT = 4;
/** More than anybody has seen, and directives of nobody. */
const GHOSTS_COUNT = 600;
const FORGERIES_COUNT = 60;
/** Further on than any log is. */
const FAR = 1_000_000;
const OFF_MS = 5_000;
const FALSE_TIME_MAX_MS = 30 * 86_400_000;

export interface TownThiefDeps {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly quarters: readonly Quarter[];
  readonly truth: TownTruth;
  readonly operators: TownOperators;
  /** The number of a person who is in a block, if anybody is. */
  readonly somebody: () => number | undefined;
  trace(line: string): void;
  unsettle(): void;
}

/** Somebody takes a gateway off the wall, key and all, and has it say whatever serves them, until an operator expels it. */
export class TownThief {
  readonly fired = new Map<ThiefFault, number>();
  #stolen: number | undefined;
  #ended = false;

  constructor(private readonly deps: TownThiefDeps) {}

  /** The number of the gateway. */
  get stolen(): number | undefined {
    return this.#stolen;
  }

  get ended(): boolean {
    return this.#ended;
  }

  async live(durationMs: number): Promise<void> {
    const { clock, random, quarters } = this.deps;
    await sleep(clock, BEGINS_AT * durationMs);
    const quarter = random.pick(quarters.filter(({ gateway }) => !gateway.isCloned));
    const setBack = quarter.gateway.backup();
    const stolen = quarters.indexOf(quarter);
    this.#stolen = stolen;
    this.#fire('theft', quarter.gateway.name);
    quarter.history.outage('gateway');
    quarter.history.outage('commands');
    // Of the block that it served with another, nobody knows who is inside.
    quarters[stolen ^ 1]?.history.outage('clock');
    const isDrawn = () => random.chance((PER_HOUR * durationMs) / HOUR_MS);
    const setBackBefore = isDrawn() ? random.pick(LIES) : undefined;
    for (const lie of LIES) {
      await sleep(clock, random.between(0, LIE_PAUSE_MS));
      if (lie === setBackBefore) await this.#setBack(quarter, setBack);
      this.#lie(quarter, lie);
    }
    if (isDrawn()) this.#flood(quarter);
    await this.#expel(quarter);
    this.#ended = true;
  }

  /** What it says from now on is said as if it had not said the rest. */
  async #setBack({ gateway }: Quarter, setBack: () => void): Promise<void> {
    const { clock } = this.deps;
    // Whoever cut its power turns it on again.
    while (gateway.field === undefined) await sleep(clock, OFF_MS);
    this.#fire('setBack', gateway.name);
    gateway.crash();
    setBack();
    await sleep(clock, OFF_MS);
    gateway.start();
  }

  /** All at once, of the block that it serves. */
  #flood({ gateway }: Quarter): void {
    const { operators } = this.deps;
    this.#fire('flood', gateway.name);
    for (let ghost = 0; ghost < GHOSTS_COUNT; ghost++) this.#claim(gateway, this.#block(gateway), { ghost });
    for (let forgery = 0; forgery < FORGERIES_COUNT; forgery++) {
      gateway.field?.record(given(encodeSignedDirective(operators.forged())));
    }
  }

  #lie({ gateway }: Quarter, kind: (typeof LIES)[number]): void {
    const { random, operators } = this.deps;
    this.#fire(kind, gateway.name);
    switch (kind) {
      case 'forgedDirective':
        gateway.field?.record(given(encodeSignedDirective(operators.forged())));
        return;
      case 'overreachingDirective':
        gateway.field?.record(given(encodeSignedDirective(operators.overreaching())));
        return;
      case 'falseTime':
        gateway.machineClock.hasTimeServer = false;
        gateway.machineClock.step(random.integer(-FALSE_TIME_MAX_MS, FALSE_TIME_MAX_MS));
        return;
      case 'replayedDirective':
        if (operators.last !== undefined) gateway.field?.record(given(encodeSignedDirective(operators.last)));
        return;
      case 'falseClaim':
        this.#claim(gateway, random.pick(TOWN_BLOCKS));
        return;
      case 'ghosts': {
        // Where few may be, and where it has no door.
        const block = random.pick(
          TOWN_BLOCKS.filter((each) => townOccupancyMax(each) < Infinity && each !== this.#block(gateway)),
        );
        for (let ghost = 0; ghost < CROWD_COUNT; ghost++) this.#claim(gateway, block, { ghost });
        return;
      }
      case 'falseFire': {
        // Of a detector that is wired to the gateway beside it, and to which doors of the block listen.
        const input = townFireInput(this.#numberOf(gateway) ^ 1);
        gateway.field?.record({ name: 'fire.alarm', detail: { input, raise: this.#raise(gateway, 'fire') } });
        return;
      }
      case 'falseEffect': {
        // As if an operator had directed it: whoever believes that, heard it from the operator.
        const directive = this.#newId();
        const raises = this.deps.truth.standing.map(({ id }) => id).join(' ');
        this.deps.truth.vain.add(directive);
        const detail = { by: 'thief', directive };
        gateway.field?.record({ name: 'site.lockdown', detail: { ...detail, raise: directive } });
        if (raises !== '') gateway.field?.record({ name: 'site.lockdown_ended', detail: { ...detail, raises } });
        return;
      }
      case 'falseRun': {
        // Of a rule that waits for a bell of another gateway, and that has a door of a third one opened.
        const number = this.#numberOf(gateway);
        const others = [...this.deps.quarters.keys()].filter(
          (at) => at !== number && townBellDoor(at).gateway !== number,
        );
        const bell = random.pick(others);
        const detail = { rule: townBellRule(bell), because: `input ${townBell(bell)} active`, chain: '1' };
        gateway.field?.record({ name: 'linkage.ran', detail });
        return;
      }
      case 'forgedIds': {
        // Under the id of what an operator raised, and released as a rule; and a claim that is to outdo all to come.
        const { truth, quarters } = this.deps;
        const raise = truth.given.findLast((each) => each.kind === 'lockdown' && each.isRaisedByGateway !== true)?.id;
        if (raise !== undefined) {
          this.#raised('lockdown', raise, gateway);
          gateway.field?.record({ name: 'site.lockdown', detail: { by: 'thief', raise } });
        }
        const holder = this.#somebody();
        for (const { gateway: other } of quarters) {
          if (other === gateway) continue;
          const supersedes = { author: other.key, epoch: FAR, sequence: FAR };
          this.#claim(gateway, this.#block(gateway), { holder, supersedes });
        }
        return;
      }
      case 'falseRaise':
        gateway.field?.record({
          name: 'site.lockdown',
          detail: { by: 'thief', raise: this.#raise(gateway, 'lockdown') },
        });
    }
  }

  /** That somebody is in a block; it counts where the gateway has a gate. */
  #claim(
    gateway: TownGateway,
    block: string,
    what: { readonly holder?: number; readonly ghost?: number; readonly supersedes?: EntryId } = {},
  ): void {
    const { truth, clock } = this.deps;
    const { holder = this.#somebody(), ghost, supersedes } = what;
    if (ghost === undefined) truth.contest(`card-${holder}`, clock.monotonicMs(), block === this.#block(gateway));
    gateway.field?.record({
      name: 'area.moved',
      holderId: ghost === undefined ? `person-${holder}` : `ghost-${ghost}`,
      ...(supersedes && { supersedes }),
      detail: { from: 'street', to: block, certain: 'true' },
    } as EventDraft);
  }

  #somebody(): number {
    return this.deps.somebody() ?? this.deps.random.integer(1, TOWN_HOLDERS_COUNT);
  }

  /** Behind its gates. */
  #block(gateway: TownGateway): string {
    return townBlock(this.#numberOf(gateway));
  }

  /** The id of one that the gateway says it raised; it stands everywhere until an operator releases it. */
  #raise(gateway: TownGateway, kind: 'lockdown' | 'fire'): string {
    const id = this.#newId();
    this.#raised(kind, id, gateway);
    return id;
  }

  #raised(kind: 'lockdown' | 'fire', id: string, gateway: TownGateway): void {
    const { truth, clock } = this.deps;
    truth.raised(kind, id, this.#numberOf(gateway), clock.monotonicMs());
    this.deps.unsettle();
  }

  #numberOf(gateway: TownGateway): number {
    return this.deps.quarters.findIndex((each) => each.gateway === gateway);
  }

  #newId(): string {
    return Buffer.from(this.deps.random.bytes(16)).toString('hex');
  }

  /** At all heads that another gateway holds of it. */
  async #expel({ gateway }: Quarter): Promise<void> {
    const { quarters, operators, random, clock } = this.deps;
    for (;;) {
      const witness = random.pick(quarters).gateway;
      const heads = witness === gateway || witness.field === undefined ? [] : witness.tipsOf(gateway.key);
      if (heads.length > 0 && (await operators.expel(gateway, heads))) break;
      await sleep(clock, LIE_PAUSE_MS);
    }
    this.#fire('expulsion', gateway.name);
  }

  #fire(fault: ThiefFault, where: string): void {
    this.deps.trace(`${fault} ${where}`);
    this.fired.set(fault, (this.fired.get(fault) ?? 0) + 1);
  }
}

const given = (directive: Uint8Array): EventDraft => ({
  name: 'directive.given',
  directive,
  detail: { directive: '0'.repeat(32), kind: 'release', operator: '0'.repeat(64) },
});
