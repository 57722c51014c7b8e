import { encodeSignedDirective } from '@sparc/protocol/directive';
import type { EventDraft } from '@sparc/protocol/events';
import { townFireInput, TOWN_HOLDERS_COUNT, type TownTruth } from '../scenarios/index.js';
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
  'falseRaise',
  'falseFire',
  'falseEffect',
  'overreachingDirective',
  'falseTime',
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
  'falseEffect',
  'falseRaise',
] as const;

const BEGINS_AT = 0.45;
const LIE_PAUSE_MS = 60_000;
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
    // Of two branches one head does not attest both.
    const quarter = random.pick(quarters.filter(({ gateway }) => !gateway.isSetBack));
    const stolen = quarters.indexOf(quarter);
    this.#stolen = stolen;
    this.#fire('theft', quarter.gateway.name);
    quarter.history.outage('gateway');
    quarter.history.outage('commands');
    // Of the block that it served with another, nobody knows who is inside.
    quarters[stolen ^ 1]?.history.outage('clock');
    for (const lie of LIES) {
      await sleep(clock, random.between(0, LIE_PAUSE_MS));
      this.#lie(quarter, lie);
    }
    await this.#expel(quarter);
    this.#ended = true;
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
      case 'falseClaim': {
        const holder = this.deps.somebody() ?? random.integer(1, TOWN_HOLDERS_COUNT);
        this.deps.truth.contest(`card-${holder}`, this.deps.clock.monotonicMs());
        const detail = { from: 'street', to: `block-${(holder % 8) + 1}`, certain: 'true' };
        gateway.field?.record({ name: 'area.moved', holderId: `person-${holder}`, detail } as EventDraft);
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
      case 'falseRaise':
        gateway.field?.record({
          name: 'site.lockdown',
          detail: { by: 'thief', raise: this.#raise(gateway, 'lockdown') },
        });
    }
  }

  /** The id of one that the gateway says it raised; it stands everywhere until an operator releases it. */
  #raise(gateway: TownGateway, kind: 'lockdown' | 'fire'): string {
    const { truth, clock } = this.deps;
    const id = this.#newId();
    truth.raised(kind, id, this.#numberOf(gateway), clock.monotonicMs());
    this.deps.unsettle();
    return id;
  }

  #numberOf(gateway: TownGateway): number {
    return this.deps.quarters.findIndex((each) => each.gateway === gateway);
  }

  #newId(): string {
    return Buffer.from(this.deps.random.bytes(16)).toString('hex');
  }

  /** At the head that another gateway holds of it. */
  async #expel({ gateway }: Quarter): Promise<void> {
    const { quarters, operators, random, clock } = this.deps;
    for (;;) {
      const witness = random.pick(quarters).gateway;
      const head = witness === gateway || witness.field === undefined ? undefined : witness.newestOf(gateway.key);
      if (head !== undefined && (await operators.expel(gateway, head))) break;
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
