import type { AccessPoint, Credential, SiteFile } from '@sparc/protocol/policy';
import type { CardBits, SimulatedDoor } from '../../devices/index.js';
import { Person, type Habits } from '../../people/index.js';
import { entitlement, type Entitlement } from '../../scenarios/index.js';
import { sleep } from '../../world/index.js';
import { gatewayOfBus } from '../demo-gateways.js';
import { found } from '../http-parts.js';
import type { LiveSite } from '../live-site.js';
import { LiveClock, unixMsOf } from '../real-world.js';
import type { Visit } from './offline-history.js';
import { WatchedReader } from './watched-reader.js';

/** People in a hurry. */
const HURRIED: Habits = { keyPauseMs: 100, handlePauseMs: 25, patienceMs: 2_500, walkMs: 400, buttonMs: 300 };
/** Whoever comes next waits until the door is locked again, but not for ever. */
const LOCKED_AGAIN_MAX_MS = 12_000;
const LOOK_INTERVAL_MS = 10;
/** Every fourth has no right; every third leaves by the button. */
const STRANGER_EVERY = 4;
const LEAVES_EVERY = 3;
const NO_CARD: CardBits = { bitCount: 0, bits: new Uint8Array() };

interface Guests {
  readonly due: readonly Credential[];
  readonly strangers: readonly Credential[];
}

/** Real cards and buttons at the doors of a live site: one person at a door at a time, at all doors at once. */
export class LiveCrowd {
  readonly visits: Visit[] = [];
  readonly #clock = new LiveClock();
  readonly #guests: ReadonlyMap<string, Guests>;
  #drawnCount = 0;

  constructor(
    private readonly site: SiteFile,
    private readonly live: LiveSite,
  ) {
    this.#guests = new Map(site.accessPoints.map((point) => [point.id, this.#guestsOf(point)]));
  }

  /** So many come to each of the doors, in and out. Resolves when the last one is done. */
  async come(doorIds: readonly string[], count: number): Promise<void> {
    const visitDoor = async (doorId: string) => {
      const points = this.#pointsOf(doorId);
      for (let n = 1; n <= count; n++) {
        const point = points[n % points.length];
        if (point === undefined || n % LEAVES_EVERY === 0) await this.#leave(doorId);
        else await this.#enter(point, n % STRANGER_EVERY === 0 ? 'strangers' : 'due');
      }
    };
    await Promise.all(doorIds.map(visitDoor));
  }

  /** Somebody leaves by the button, at each of the doors. */
  async leave(doorIds: readonly string[]): Promise<void> {
    await Promise.all(doorIds.map((doorId) => this.#leave(doorId)));
  }

  /** Somebody with a right comes to each of the doors from outside. */
  async enter(doorIds: readonly string[]): Promise<void> {
    const enterBy = async (doorId: string) => {
      const point = this.#pointsOf(doorId).find(({ direction }) => direction === 'entry');
      if (point !== undefined) await this.#enter(point, 'due');
    };
    await Promise.all(doorIds.map(enterBy));
  }

  async #leave(doorId: string): Promise<void> {
    const person = new Person(this.#clock, 'somebody inside', NO_CARD, undefined, HURRIED);
    const visit = { gateway: this.#gatewayOf(doorId), door: doorId, atUnixMs: Date.now() };
    await person.leave(this.#door(doorId));
    await this.#remember(visit, person);
  }

  async #enter(point: AccessPoint, whom: keyof Guests): Promise<void> {
    const guests = this.#guests.get(point.id)?.[whom] ?? [];
    const credential = guests[this.#drawnCount++ % guests.length];
    const [reader, bits] = [this.live.readers.get(point.reader), this.live.cardBits(credential?.id ?? '')];
    if (credential === undefined || reader === undefined || bits === undefined) return;
    const types = whom === 'due' && point.authentication === 'cardAndPin';
    const person = new Person(this.#clock, credential.id, bits, types ? credential.pin : undefined, HURRIED);
    const watched = new WatchedReader(reader, this.live);
    await person.enter(watched, this.#door(point.door));
    watched.stop();
    const { presentedUnixMs, completedUnixMs, answeredUnixMs } = watched;
    const card = {
      credential: credential.id,
      accessPoint: point.id,
      isExit: point.direction === 'exit',
      entitlement: this.#entitlementOf(point, credential),
      completedUnixMs,
      ...(answeredUnixMs !== undefined && { answeredUnixMs }),
    };
    const { door } = point;
    await this.#remember({ gateway: this.#gatewayOf(door), door, atUnixMs: presentedUnixMs, card }, person);
  }

  /** Pulls the door shut behind the person. */
  async #remember(visit: Visit, { passages: [passage] }: Person): Promise<void> {
    const throughUnixMs = passage && unixMsOf(passage.atMs);
    this.visits.push({ ...visit, ...(throughUnixMs !== undefined && { throughUnixMs }) });
    const door = this.#door(visit.door);
    door.close();
    const givesUpAtMs = this.#clock.monotonicMs() + LOCKED_AGAIN_MAX_MS;
    while (door.lock.released && this.#clock.monotonicMs() < givesUpAtMs) await sleep(this.#clock, LOOK_INTERVAL_MS);
  }

  /** With a reader that is in service. */
  #pointsOf(doorId: string): AccessPoint[] {
    return this.site.accessPoints.filter(
      ({ door, reader }) => door === doorId && this.live.readers.get(reader)?.device.secure === true,
    );
  }

  #gatewayOf(doorId: string): string {
    const reader = this.site.accessPoints.find(({ door }) => door === doorId)?.reader ?? '';
    const { device } = this.site.readers.find(({ id }) => id === reader) ?? {};
    return gatewayOfBus(this.site.devices.find(({ id }) => id === device)?.bus ?? '').id;
  }

  #door(doorId: string): SimulatedDoor {
    return found(this.live.doors, doorId, 'door');
  }

  #guestsOf(point: AccessPoint): Guests {
    const due: Credential[] = [];
    const strangers: Credential[] = [];
    for (const credential of this.site.credentials) {
      // The second opinion knows nothing of cards that are not valid yet.
      if (credential.validFrom !== undefined) continue;
      const opinion = this.#entitlementOf(point, credential);
      if (opinion.outcome === 'grant') due.push(credential);
      // Whoever has no PIN at all is asked for one for a while.
      else if (opinion.outcome === 'deny' && !opinion.reasons.includes('pin_required')) strangers.push(credential);
    }
    return { due, strangers };
  }

  #entitlementOf(accessPoint: AccessPoint, credential: Credential): Entitlement {
    const pin = credential.pin === undefined ? 'none' : 'right';
    return entitlement(this.site, {
      credential,
      accessPoint,
      pin,
      unixMs: Date.now(),
      clockKnown: true,
      stale: false,
    });
  }
}
