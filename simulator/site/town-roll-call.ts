import {
  checkAreasAgree,
  foldWhereabouts,
  leadingTo,
  townAreasOf,
  type DurableRecord,
  type TownTruth,
  type Violations,
} from '../scenarios/index.js';
import type { SeededRandom, VirtualClock } from '../world/index.js';
import type { TownPeople } from './town-people.js';
import type { Quarter } from './town-quarters.js';

/** Of those of whom most was said, and of others. */
const ASKED_COUNT = 2;
/** Nobody who was let in is on the way any more. */
const ASKED_PAUSE_MS = 15_000;
/** Whatever that released is locked again. */
const RELOCKED_MS = 60_000;

export interface TownRollCallDeps {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly people: TownPeople;
  readonly truth: TownTruth;
  readonly quarters: readonly Quarter[];
  /** The number of the gateway that was stolen, if one was. */
  readonly stolen: () => number | undefined;
}

/** Once, when all is well and nobody moves: each gateway is asked where some people are. */
export class TownRollCall {
  #askedFromMs = Infinity;

  constructor(private readonly deps: TownRollCallDeps) {}

  async ask(): Promise<void> {
    const { clock, random, people, truth } = this.deps;
    this.#askedFromMs = clock.monotonicMs();
    const seen = random.shuffle(people.seen);
    for (const id of new Set([...truth.lied.slice(-ASKED_COUNT), ...seen.slice(0, ASKED_COUNT)])) {
      people.showEverywhere(id);
      await clock.advance(ASKED_PAUSE_MS);
    }
    await clock.advance(RELOCKED_MS);
  }

  /** When the records of all gateways were read. Returns how often one was asked. */
  check(violations: Violations): number {
    const { quarters, stolen } = this.deps;
    const honest = quarters.filter((_, index) => index !== stolen()).map(({ history }) => history);
    return checkAreasAgree(honest, this.#where(), this.#askedFromMs, violations);
  }

  /** Where everybody was then, as all gateways wrote it: of the stolen one counts what was attested. */
  #where(): ReadonlyMap<string, string | undefined> {
    const { truth, quarters, stolen } = this.deps;
    const thief = stolen();
    const log = thief === undefined ? undefined : quarters[thief]?.gateway.platter.own;
    const attested = leadingTo(
      log ?? new Map(),
      truth.given.flatMap((each) => each.attested ?? []),
    );
    const counts = (index: number, { id, epoch, durableAtMs }: DurableRecord) =>
      durableAtMs < this.#askedFromMs && (index !== thief || id.sequence <= (attested.get(epoch) ?? 0));
    const numberOf = (author: string) => quarters.findIndex(({ gateway }) => gateway.key === author);
    return foldWhereabouts(
      quarters.flatMap(({ history: { records } }, index) => records.filter((each) => counts(index, each))),
      {
        speaksOf: (author, areaId) => townAreasOf(numberOf(author)).includes(areaId),
        isExpelled: (author) => numberOf(author) === thief,
      },
    );
  }
}
