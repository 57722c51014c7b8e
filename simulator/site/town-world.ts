import type { AccessPoint, Credential } from '@sparc/protocol/policy';
import type { AppendedEntry } from '@sparc/protocol/ports';
import { SimulatedMesh } from '../mesh/index.js';
import type { ReaderFront } from '../people/index.js';
import {
  scheduleOpen,
  TownTruth,
  Violations,
  type Entitlement,
  type Given,
  type SiteHistory,
  type TownDoor,
} from '../scenarios/index.js';
import { RunDigest, SeededRandom, sleep, VirtualClock } from '../world/index.js';
import { TownBells } from './town-bells.js';
import { checkTown } from './town-checks.js';
import { TownClone } from './town-clone.js';
import type { TownDefect } from './town-defects.js';
import { TownFire } from './town-fire.js';
import { MESH_AFTERMATH_MS, TownFaults } from './town-faults.js';
import { TownOperators } from './town-operators.js';
import { townCard, TownPeople } from './town-people.js';
import { TownPolicy } from './town-policy.js';
import { buildTown, type Quarter, type Town } from './town-quarters.js';
import { TownRollCall } from './town-roll-call.js';
import { TownThief } from './town-thief.js';
import { isWired } from './town-wiring.js';
import type { WorldReport } from './world-report.js';

export interface TownWorldOptions {
  readonly seed: number;
  /** Simulated time, of which the last 40 minutes, or half, are to heal and to be perfect. Default 2. */
  readonly hours?: number;
  /** One for many worlds; default: of its own. */
  readonly policy?: TownPolicy;
  readonly defect?: TownDefect;
  /** How many times as often as usual people set out and operators direct. Default 1. */
  readonly pace?: number;
}

const HOUR_MS = 3_600_000;
const HOURS = 2;
/** Monday, 00:00 in Berlin. */
const MONDAY_UNIX_MS = Date.UTC(2026, 0, 4, 23);
/** Which hours of the day a short run sees; a long one begins at six. */
const BEGINNINGS_HOUR = [7, 11.5, 16.5, 2] as const;
/** The longest fault is over by then. */
const REPAIR_MAX_MS = 20 * 60_000;
const HEALTHY_MS = 20 * 60_000;
const RECOVERY_MS = 60_000;
const EVACUATION_MAX_MS = 30 * 60_000;
/** What a gateway is told of whom it reaches comes this much later. */
const REACH_PAUSE_MS = 1_000;
const SCHEDULE_PAUSE_MS = 20_000;
const SCHEDULE_TOLERANCE_MS = 120_000;
/** Whoever was at a reader so long ago has been decided. */
const DECISION_MAX_MS = 5_000;
/** Of a gateway that a record of its own says that it carried a directive out. */
const NO_EFFECT: ReadonlySet<string> = new Set(['directive.given', 'directive.refused']);

/**
 * Sixteen gateways, 200 doors and 5,000 people for hours or days without a cloud: operators direct at any gateway, everything
 * fails, one gateway is stolen and lies, and in the end all is well again.
 */
export class TownWorld {
  readonly #clock: VirtualClock;
  readonly #digest = new RunDigest();
  readonly #violations = new Violations(() => this.#clock.monotonicMs());
  readonly #mesh: SimulatedMesh;
  readonly #policy: TownPolicy;
  readonly #town: Town;
  readonly #quarters: readonly Quarter[];
  readonly #people: TownPeople;
  readonly #truth: TownTruth;
  readonly #operators: TownOperators;
  readonly #faults: TownFaults;
  readonly #fire: TownFire;
  readonly #bells: TownBells;
  readonly #thief: TownThief;
  readonly #clone: TownClone;
  readonly #rollCall: TownRollCall;
  readonly #durationMs: number;
  readonly #faultsMs: number;

  constructor(options: TownWorldOptions) {
    const { seed, hours = HOURS, defect, policy = new TownPolicy() } = options;
    const random = new SeededRandom(`town/${seed}`);
    this.#policy = policy;
    this.#durationMs = hours * HOUR_MS;
    this.#faultsMs = Math.max(this.#durationMs - REPAIR_MAX_MS - HEALTHY_MS, this.#durationMs / 2);
    const beginningHour = hours > 24 ? 6 : (BEGINNINGS_HOUR[seed % BEGINNINGS_HOUR.length] ?? 7);
    const clock = (this.#clock = new VirtualClock({ startUnixMs: MONDAY_UNIX_MS + beginningHour * HOUR_MS }));
    this.#mesh = new SimulatedMesh(clock, random.fork('mesh'), isWired);
    this.#town = buildTown({
      clock,
      random,
      mesh: this.#mesh,
      policy,
      defect,
      onRecord: (gateway, entry) => this.#onRecord(gateway, entry),
      onExpelled: ({ name }, key) => this.#hangUp(name, key),
      trace: (line) => this.#trace(line),
    });
    this.#quarters = this.#town.quarters;
    const gateways = this.#quarters.map(({ gateway }) => gateway);
    const histories = this.#quarters.map(({ history }) => history);
    this.#truth = new TownTruth(policy.site, histories, clock.monotonicMs());
    const common = {
      pace: options.pace ?? 1,
      clock,
      somebody: () => this.#people.somebody(),
      trace: (line: string) => this.#trace(line),
      unsettle: () => this.#unsettle(),
    };
    this.#people = new TownPeople({
      ...common,
      random: random.fork('people'),
      site: policy.site,
      doors: this.#town.doors,
      front: (door, point, credential) => this.#front(door, point, credential),
      leaves: (door) => this.#quarterOf(door).history.exitPresses.add(door.id, clock.monotonicMs()),
      revoked: () => this.#truth.given.flatMap(({ kind, subject }) => (kind === 'revoke' && subject ? [subject] : [])),
      isAvoided: (door) => door.gateway === this.#thief.stolen || this.#fire.isFree(door),
    });
    this.#operators = new TownOperators({
      ...common,
      random: random.fork('operators'),
      siteId: policy.site.site.id,
      gateways,
      truth: this.#truth,
      visit: (given, number, block) => this.#visit(given, number, block),
      isStolen: (gateway) => gateways.indexOf(gateway) === this.#thief.stolen,
      opens: (doorId) => this.#opens(doorId),
    });
    this.#thief = new TownThief({
      ...common,
      random: random.fork('thief'),
      quarters: this.#quarters,
      truth: this.#truth,
      operators: this.#operators,
    });
    this.#clone = new TownClone({
      ...common,
      random: random.fork('clone'),
      quarters: this.#quarters,
      isStolen: (gateway) => gateways.indexOf(gateway) === this.#thief.stolen,
      clone: (of) => this.#town.clone(of),
    });
    this.#rollCall = new TownRollCall({
      clock,
      random: random.fork('roll call'),
      people: this.#people,
      truth: this.#truth,
      quarters: this.#quarters,
      stolen: () => this.#thief.stolen,
    });
    this.#fire = new TownFire({
      ...common,
      random: random.fork('fire'),
      quarters: this.#quarters,
      truth: this.#truth,
      operators: this.#operators,
      isStolen: (gateway) => gateway === this.#thief.stolen,
    });
    this.#bells = new TownBells({
      ...common,
      random: random.fork('bells'),
      quarters: this.#quarters,
      isStolen: (gateway) => gateway === this.#thief.stolen,
    });
    this.#faults = new TownFaults({
      ...common,
      random: random.fork('faults'),
      mesh: this.#mesh,
      quarters: this.#quarters,
      isStolen: (quarter) => this.#quarters.indexOf(quarter) === this.#thief.stolen,
    });
  }

  async run(): Promise<WorldReport> {
    const clock = this.#clock;
    this.#begin();
    void this.#people.live();
    void this.#operators.live();
    void this.#sampleSchedules();
    void this.#watchReach();
    this.#faults.start();
    void this.#fire.live();
    void this.#bells.live();
    void this.#thief.live(this.#faultsMs);
    void this.#clone.live(this.#faultsMs);
    await clock.run(this.#faultsMs);
    this.#operators.close();
    this.#faults.heal();
    this.#fire.close();
    await clock.runUntil(
      () => this.#faults.ended && this.#thief.ended && this.#fire.ended && this.#clone.ended,
      REPAIR_MAX_MS,
    );
    await clock.advance(2 * RECOVERY_MS);
    await this.#within(this.#operators.releaseAll(), RECOVERY_MS);
    await clock.run(this.#durationMs);
    this.#people.close();
    this.#bells.close();
    await clock.advance(RECOVERY_MS);
    await this.#rollCall.ask();
    await this.#within(this.#people.evacuate(), EVACUATION_MAX_MS);
    await clock.advance(RECOVERY_MS);
    return this.#report();
  }

  async #within(work: Promise<unknown>, withinMs: number): Promise<void> {
    let isDone = false;
    void work.then(() => (isDone = true));
    await this.#clock.runUntil(() => isDone, withinMs);
  }

  #report(): WorldReport {
    const seen = checkTown({
      quarters: this.#quarters,
      stolen: this.#thief.stolen,
      truth: this.#truth,
      people: this.#people,
      rollCall: this.#rollCall,
      burnt: this.#fire.burnt,
      rings: this.#bells.rings,
      violations: this.#violations,
      onRecord: ({ name, doorId, credentialId, durableAtMs }) => {
        this.#digest.add(`${durableAtMs.toFixed(3)} ${name} ${doorId} ${credentialId}`);
      },
    });
    const sum = (count: (history: SiteHistory) => number) =>
      this.#quarters.reduce((total, { history }) => total + count(history), 0);
    const named = (event: string) => sum(({ records }) => records.filter(({ name }) => name === event).length);
    const { messages, requests, sessions } = this.#mesh.carried;
    const { given } = this.#truth;
    const fired = new Map<string, number>([
      ...this.#faults.fired,
      ...this.#thief.fired,
      ...this.#fire.fired,
      ...this.#clone.fired,
    ]);
    for (const { gateway, bus } of this.#quarters) {
      for (const [fault, count] of [...gateway.journalDisk.fired, ...bus.fired]) {
        fired.set(fault, (fired.get(fault) ?? 0) + count);
      }
    }
    return {
      digest: this.#digest.toString(),
      violations: this.#violations.found,
      faultsFired: fired,
      counts: {
        simulatedMs: this.#clock.monotonicMs(),
        errands: this.#people.errandsCount,
        presentations: sum(({ presentations }) => presentations.length),
        passages: this.#people.passagesCount,
        visitors: this.#people.visitorsCount,
        records: sum(({ records }) => records.length),
        grants: named('access.granted'),
        denials: named('access.denied'),
        directives: given.length,
        applied: given.reduce((count, { appliedAtMs }) => count + appliedAtMs.size, 0),
        ...seen,
        sessions,
        messages,
        requests,
      },
    };
  }

  #begin(): void {
    const { unixMs } = this.#clock.wall();
    const said = this.#town.authority.begin(unixMs, this.#town.roster, this.#operators.delegations(unixMs));
    for (const [index, { gateway }] of this.#quarters.entries()) {
      gateway.usePolicy(this.#policy.of(index, unixMs));
      // Somebody carried it there when the gateway was put up.
      gateway.carry(said);
      gateway.start();
    }
    // Of gateways that were just put up none is expected to know what the others do.
    const linked = this.#quarters.map(({ history }) => history.outage('mesh'));
    this.#clock.setTimer(MESH_AFTERMATH_MS, () => linked.forEach((end) => end()));
  }

  #quarterOf({ gateway }: TownDoor): Quarter {
    const quarter = this.#quarters[gateway];
    if (quarter === undefined) throw new Error('each door has a gateway');
    return quarter;
  }

  #front(door: TownDoor, accessPoint: AccessPoint, credential: Credential | undefined): ReaderFront {
    return this.#reader(door, accessPoint, credential?.id, (stale) => {
      const { unixMs } = this.#clock.wall();
      const clockKnown = this.#quarterOf(door).history.wereWhole(['clock'], this.#nowMs, this.#nowMs);
      const claim = { credential, accessPoint, pin: 'none' as const, unixMs, clockKnown, stale };
      return this.#truth.entitlement(door, claim, this.#people.places, this.#nowMs);
    });
  }

  /** A reader that tells the history who stands before it. */
  #reader(
    door: TownDoor,
    accessPoint: AccessPoint,
    credentialId: string | undefined,
    entitled: (stale: boolean) => Entitlement,
    visit?: Given,
  ): ReaderFront {
    const { bus, history } = this.#quarterOf(door);
    return {
      presentCard: (card) => {
        const stale = bus.presentCard(`${accessPoint.reader}-device`, 0, card);
        const atMs = this.#nowMs;
        const isFull =
          accessPoint.direction === 'entry' && this.#truth.isFull(door, credentialId, this.#people.places, atMs);
        const when = { atMs, completedAtMs: atMs, entitlement: entitled(stale) };
        const isNew = visit !== undefined && !this.#truth.knows(visit, door.gateway);
        history.presentations.push({ accessPoint, doorId: door.id, credentialId, isNew, ...when, isFull });
      },
      pressKeys: () => undefined,
    };
  }

  #visit(given: Given, number: number, block: string): void {
    void this.#people.visit(townCard(number), block, (door) => {
      const point = this.#policy.site.accessPoints.find(({ id }) => id === `${door.id}-in`);
      if (point === undefined) throw new Error(`${door.id} has a reader`);
      const entitled = () => this.#truth.visitorsEntitlement(door, point, given, this.#nowMs);
      return this.#reader(door, point, given.subject, entitled, given);
    });
  }

  #opens(doorId: string): void {
    const quarter = this.#quarters.find(({ history }) => history.doors.has(doorId));
    quarter?.history.opened.add(doorId, this.#nowMs);
  }

  #onRecord(gateway: number, { record }: AppendedEntry): void {
    const { detail = {}, name, causeId } = record;
    const { raise } = detail;
    if (name === 'fire.alarm' && causeId === undefined && raise !== undefined) {
      this.#truth.raised('fire', raise, gateway, this.#nowMs);
    }
    const directive = detail['directive'];
    if (directive === undefined || NO_EFFECT.has(name)) return;
    if (this.#truth.vain.has(directive) && gateway !== this.#thief.stolen) {
      this.#violations.add('overreach-is-refused', `gateway ${gateway + 1} recorded ${name} of ${directive}`);
    }
    if (this.#truth.applied(directive, gateway, this.#nowMs) !== undefined) this.#unsettle();
  }

  /** Whoever knows of an expulsion speaks to that gateway no more. */
  #hangUp(machine: string, key: string): void {
    const expelled = this.#quarters.find(({ gateway }) => gateway.key === key);
    if (expelled !== undefined && expelled.gateway.name !== machine) this.#mesh.cut(machine, expelled.gateway.name);
  }

  /** Who is at a reader right now may be decided as it was before, or as it is from now on. */
  #unsettle(): void {
    for (const { history } of this.#quarters) {
      const { presentations } = history;
      for (let at = presentations.length - 1; at >= 0; at--) {
        const presentation = presentations[at];
        if (presentation === undefined || presentation.atMs + DECISION_MAX_MS < this.#nowMs) break;
        presentations[at] = { ...presentation, entitlement: { outcome: 'either' }, isFull: false };
      }
    }
  }

  /** Which doors a schedule holds open. */
  async #sampleSchedules(): Promise<void> {
    const { site } = this.#policy;
    const unlocked = site.doors.flatMap(({ id, unlockSchedule }) => (unlockSchedule ? [{ id, unlockSchedule }] : []));
    for (;;) {
      for (const { id, unlockSchedule } of unlocked) {
        const { unixMs } = this.#clock.wall();
        const isOpen = [-SCHEDULE_TOLERANCE_MS, 0, SCHEDULE_TOLERANCE_MS].some(
          (byMs) => scheduleOpen(site, unlockSchedule, unixMs + byMs) !== false,
        );
        const quarter = this.#quarters.find(({ history }) => history.doors.has(id));
        if (isOpen) quarter?.history.scheduledOpen.add(id, this.#nowMs);
      }
      await sleep(this.#clock, SCHEDULE_PAUSE_MS);
    }
  }

  /** Tells each gateway whom it reaches over the sessions that are there, as its site process does. */
  async #watchReach(): Promise<void> {
    let toldAt = -1;
    for (;;) {
      await sleep(this.#clock, REACH_PAUSE_MS);
      if (this.#mesh.changesCount === toldAt) continue;
      toldAt = this.#mesh.changesCount;
      const reached = this.#mesh.reached();
      for (const { gateway } of this.#quarters) gateway.reaches([...(reached.get(gateway.key) ?? [])]);
    }
  }

  get #nowMs(): number {
    return this.#clock.monotonicMs();
  }

  #trace(line: string): void {
    this.#digest.add(`${this.#nowMs.toFixed(3)} ${line}`);
  }
}
