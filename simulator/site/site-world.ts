import { readEvents } from './durable-records.js';
import { buildSite as buildPolicy, SqlitePolicyView } from '@sparc/edge/policy';
import type { AccessPoint, Credential, SiteFile } from '@sparc/protocol/policy';
import type { LogCommit } from '@sparc/protocol/ports';
import { buildDoors, DOOR_PHYSICS, type CardBits, type SimulatedDoor } from '../devices/index.js';
import { cardBitsOf, HABITS, Person, type ReaderFront } from '../people/index.js';
import {
  checkAnswersInTime,
  checkEgressIsFree,
  checkLocksRelock,
  checkOnlyTheEntitled,
  checkRecordedBeforeReleased,
  checkSaidWhy,
  drawSite,
  entitlement,
  scheduleOpen,
  SiteHistory,
  Violations,
} from '../scenarios/index.js';
import { HEALTHY_DISK, RunDigest, SeededRandom, SimulatedDisk, sleep, VirtualClock } from '../world/index.js';
import { CardLevelBus } from './card-level-bus.js';
import { SimulatedGateway } from './simulated-gateway.js';
import { blindToStatus, defectWrappers, type SiteDefect } from './site-defects.js';
import { SiteFaults } from './site-faults.js';
import type { WorldReport } from './world-report.js';

export interface SiteWorldOptions {
  readonly seed: number;
  /** Simulated time with faults; then the site heals and has to be perfect. Default 2. */
  readonly hours?: number;
  readonly defect?: SiteDefect;
}

const HOUR_MS = 3_600_000;
const HOURS = 2;
/** The longest fault, a clock that is wrong, is over by then. */
const REPAIR_MAX_MS = 15 * 60_000;
const RECOVERY_MS = 60_000;
const HEALTHY_MS = 20 * 60_000;
/** Monday, 11:30 in Berlin: half an hour before the unlock schedule opens. */
const START_UNIX_MS = Date.UTC(2026, 0, 5, 10, 30);
/** A PIN that was not typed is forgotten, and the door is closed again. */
const VISIT_PAUSE_MIN_MS = 16_000;
const VISIT_PAUSE_MAX_MS = 60_000;
/** From the last key to the release. */
const DECISION_MAX_MS = 2_500;
/** Issued by nobody. */
const STRANGER = cardBitsOf({ format: 'h10301', facility: 7, number: 60_000 });
/** Types a wrong PIN always. */
const FORGETFUL_PERSON_INDEX = 3;
const VISITS = ['enter', 'enter', 'enter', 'enter', 'leave', 'leaveByCard', 'stranger', 'force', 'hold'] as const;

/** The real domain of a gateway at card level: people at doors for simulated hours, and everything else failing. */
export class SiteWorld {
  readonly #clock = new VirtualClock({ startUnixMs: START_UNIX_MS });
  readonly #digest = new RunDigest();
  readonly #violations = new Violations(() => this.#clock.monotonicMs());
  readonly #random: SeededRandom;
  readonly #history: SiteHistory;
  readonly #bus: CardLevelBus;
  readonly #disk: SimulatedDisk<LogCommit>;
  readonly #gateway: SimulatedGateway;
  readonly #faults: SiteFaults;
  readonly #people: ReadonlyMap<string, Person>;
  readonly #pinKey: Uint8Array;
  #site: SiteFile;
  #revision = 0;
  #closed = false;

  constructor(private readonly options: SiteWorldOptions) {
    const clock = this.#clock;
    this.#random = new SeededRandom(`site/${options.seed}`);
    this.#site = drawSite(this.#random.fork('site'));
    this.#pinKey = this.#random.fork('pin').bytes(32);
    const site = this.#site;
    this.#bus = new CardLevelBus(
      clock,
      this.#random.fork('bus'),
      site.devices.map(({ id }) => id),
    );
    const { doors } = buildDoors({ clock, site, devices: this.#bus.devices, physics: DOOR_PHYSICS });
    const outputs = new Map(site.outputs.map((output) => [output.id, output.device]));
    this.#history = new SiteHistory(
      () => clock.monotonicMs(),
      doors,
      new Map([
        ...site.doors.map(({ id, lock }) => [id, outputs.get(lock.output) ?? ''] as const),
        ...site.readers.map(({ id, device }) => [id, device] as const),
      ]),
    );
    this.#disk = new SimulatedDisk(clock, this.#random.fork('disk'));
    this.#disk.behaviour = { ...HEALTHY_DISK, lies: options.defect === 'lyingDisk' };
    this.#gateway = new SimulatedGateway(
      { clock, random: this.#random.fork('gateway'), disk: this.#disk, fieldBus: this.#bus, siteId: site.site.id },
      defectWrappers(options.defect),
    );
    this.#faults = new SiteFaults({
      clock,
      random: this.#random.fork('faults'),
      history: this.#history,
      gateway: this.#gateway,
      disk: this.#disk,
      bus: this.#bus,
      trace: (line) => this.#trace(line),
      changePolicy: () => this.#changePolicy(),
      setWall: (offsetMs, quality) => {
        this.#gateway.setWall(offsetMs, quality);
        this.#unsettle();
      },
    });
    this.#people = new Map(
      site.credentials.map((credential) => [credential.id, new Person(clock, credential.holder, cardOf(credential))]),
    );
    this.#watch();
  }

  async run(): Promise<WorldReport> {
    const clock = this.#clock;
    this.#applyPolicy();
    this.#gateway.start();
    for (const door of this.#history.doors.values()) void this.#visitors(door);
    void this.#sampleSchedules();
    this.#faults.start();
    await clock.run((this.options.hours ?? HOURS) * HOUR_MS);
    this.#faults.heal();
    await clock.runUntil(() => this.#faults.ended, REPAIR_MAX_MS);
    await clock.advance(RECOVERY_MS + HEALTHY_MS);
    this.#closed = true;
    await clock.advance(RECOVERY_MS);

    const history = this.#history;
    const { records, problem } = readEvents([this.#disk.durableItems()], this.#gateway.signer.publicKey);
    history.records = records;
    if (problem !== undefined) this.#violations.add('journal-is-whole', problem);
    for (const { name, doorId, credentialId, durableAtMs } of records) {
      this.#digest.add(`${durableAtMs.toFixed(3)} ${name} ${doorId} ${credentialId}`);
    }
    checkOnlyTheEntitled(history, this.#violations);
    checkRecordedBeforeReleased(history, this.#violations);
    checkAnswersInTime(history, this.#violations);
    checkSaidWhy(history, this.#violations);
    checkEgressIsFree(history, this.#violations);
    checkLocksRelock(history, this.#violations);
    return this.#report();
  }

  #report(): WorldReport {
    const { presentations, records, exitPresses, doors } = this.#history;
    const passages = [...this.#people.values()].reduce((count, person) => count + person.passages.length, 0);
    const movements = [...doors.values()].reduce((count, { lock }) => count + lock.movements.length, 0);
    return {
      digest: this.#digest.toString(),
      violations: this.#violations.found,
      faultsFired: new Map<string, number>([...this.#faults.fired, ...this.#disk.fired, ...this.#bus.fired]),
      counts: {
        simulatedMs: this.#clock.monotonicMs(),
        doors: doors.size,
        presentations: presentations.length,
        passages,
        exitPresses: exitPresses.all().length,
        lockMovements: movements,
        records: records.length,
        grants: records.filter(({ name }) => name === 'access.granted').length,
        denials: records.filter(({ name }) => name === 'access.denied').length,
      },
    };
  }

  #trace(line: string): void {
    this.#digest.add(`${this.#clock.monotonicMs().toFixed(3)} ${line}`);
  }

  #watch(): void {
    const history = this.#history;
    const readerAt = new Map(this.#site.readers.map(({ id, device, number }) => [`${device}#${number}`, id]));
    this.#bus.onIndication = (deviceId, readerNumber, indication) => {
      this.#trace(`shows ${deviceId} ${indication}`);
      history.indications.add(readerAt.get(`${deviceId}#${readerNumber}`) ?? '', this.#clock.monotonicMs());
    };
    for (const deviceId of this.#bus.devices.keys()) {
      let end: (() => void) | undefined = history.outage(deviceId);
      this.#bus.onOnline(deviceId, (online) => {
        this.#trace(`device ${deviceId} ${online}`);
        end?.();
        end = online ? undefined : history.outage(deviceId);
      });
    }
    for (const door of history.doors.values()) {
      door.lock.onChange = () => this.#trace(`lock ${door.id} ${door.lock.released}`);
      door.onChange = () => this.#trace(`door ${door.id} ${door.open} ${door.exitPressed}`);
    }
  }

  async #visitors(door: SimulatedDoor): Promise<void> {
    const random = this.#random.fork(`visitors/${door.id}`);
    const points = this.#site.accessPoints.filter((point) => point.door === door.id);
    const entry = points.find(({ direction }) => direction === 'entry');
    const exit = points.find(({ direction }) => direction === 'exit');
    while (!this.#closed) {
      await sleep(this.#clock, random.between(VISIT_PAUSE_MIN_MS, VISIT_PAUSE_MAX_MS));
      const visit = random.pick(VISITS);
      const credential = random.pick(this.#site.credentials);
      this.#trace(`visit ${door.id} ${visit} ${credential.id}`);
      if (visit === 'leave') await this.#leave(door, credential);
      else if (visit === 'force') door.force();
      else if (visit === 'stranger' && entry) await this.#stranger(entry, door);
      else if (visit === 'leaveByCard' && exit) await this.#enter(credential, exit, door, false);
      else if (entry) await this.#enter(credential, entry, door, visit === 'hold');
    }
  }

  async #leave(door: SimulatedDoor, credential: Credential): Promise<void> {
    this.#history.exitPresses.add(door.id, this.#clock.monotonicMs());
    await this.#people.get(credential.id)?.leave(door);
  }

  async #stranger(point: AccessPoint, door: SimulatedDoor): Promise<void> {
    const front = this.#front(point, undefined, 'none', 0);
    await new Person(this.#clock, 'stranger', STRANGER).enter(front, door);
  }

  async #enter(credential: Credential, point: AccessPoint, door: SimulatedDoor, holds: boolean): Promise<void> {
    const person = this.#people.get(credential.id);
    if (point.authentication === 'card') {
      const front = this.#front(point, credential, 'none', 0);
      if (holds) await person?.enterAndHold(front, door, 2 * 60_000);
      else await person?.enter(front, door);
      return;
    }
    const isForgetful = credential === this.#site.credentials[FORGETFUL_PERSON_INDEX];
    const pin = isForgetful ? '0000' : (credential.pin ?? '');
    const front = this.#front(point, credential, isForgetful ? 'wrong' : 'right', (pin.length + 1) * HABITS.keyPauseMs);
    await person?.enter(front, door, pin);
  }

  /** A reader that tells the history who stands before it. */
  #front(
    accessPoint: AccessPoint,
    credential: Credential | undefined,
    pin: 'none' | 'right' | 'wrong',
    typingMs: number,
  ): ReaderFront {
    const { device = '', number = 0 } = this.#site.readers.find(({ id }) => id === accessPoint.reader) ?? {};
    return {
      presentCard: (card) => {
        const atMs = this.#clock.monotonicMs();
        const stale = this.#bus.presentCard(device, number, card);
        const { unixMs, quality } = this.#gateway.wall();
        const claim = { credential, accessPoint, pin, unixMs, clockKnown: quality === 'synced', stale };
        this.#history.presentations.push({
          accessPoint,
          doorId: accessPoint.door,
          credentialId: credential?.id,
          atMs,
          completedAtMs: atMs + typingMs,
          entitlement: entitlement(this.#site, claim),
        });
      },
      pressKeys: (keys) => this.#bus.pressKeys(device, number, keys),
    };
  }

  #applyPolicy(): void {
    this.#revision += 1;
    const site = this.options.defect === 'blindToStatus' ? blindToStatus(this.#site) : this.#site;
    const pinKey = this.#pinKey;
    const db = buildPolicy(site, { path: ':memory:', revision: `revision-${this.#revision}`, pinKey });
    const view = new SqlitePolicyView(db, pinKey);
    this.#gateway.usePolicy({ kind: 'policy', view, plan: view.plan });
  }

  /** Blocks somebody's card, or gives it back. */
  #changePolicy(): void {
    const index = this.#random.fork(`policy/${this.#revision}`).integer(0, 2);
    const credentials = this.#site.credentials.map((credential, at) =>
      at === index
        ? { ...credential, status: credential.status === 'active' ? ('blocked' as const) : ('active' as const) }
        : credential,
    );
    this.#site = { ...this.#site, credentials };
    this.#unsettle();
    this.#applyPolicy();
  }

  /** Who is at a reader right now may be decided as it was before, or as it is from now on. */
  #unsettle(): void {
    const { presentations } = this.#history;
    const nowMs = this.#clock.monotonicMs();
    for (let at = presentations.length - 1; at >= 0; at--) {
      const presentation = presentations[at];
      if (presentation === undefined || presentation.atMs + VISIT_PAUSE_MIN_MS < nowMs) break;
      if (presentation.completedAtMs + DECISION_MAX_MS < nowMs) continue;
      presentations[at] = { ...presentation, entitlement: { outcome: 'either' } };
    }
  }

  /** Once a second: which doors a schedule holds open, on a clock that may be trusted. */
  async #sampleSchedules(): Promise<void> {
    const unlocked = this.#site.doors.flatMap(({ id, unlockSchedule }) =>
      unlockSchedule ? [{ id, unlockSchedule }] : [],
    );
    for (;;) {
      const { unixMs, quality } = this.#gateway.wall();
      for (const { id, unlockSchedule } of unlocked) {
        const isOpen = quality === 'synced' && scheduleOpen(this.#site, unlockSchedule, unixMs) !== false;
        if (isOpen) this.#history.scheduledOpen.add(id, this.#clock.monotonicMs());
      }
      await sleep(this.#clock, 1_000);
    }
  }
}

function cardOf({ identifiers: [first] }: Credential): CardBits {
  if (first === undefined) throw new Error('a drawn credential has an identifier');
  return cardBitsOf(first);
}
