import type { SignedHead } from '@sparc/protocol/ledger';
import type { AccessPoint, Credential, SiteFile } from '@sparc/protocol/policy';
import { entitlement, type Claim, type Entitlement } from './entitlement.js';
import { between } from './instants.js';
import type { SiteHistory } from './site-history.js';
import { TOWN_GUARDED_FROM_LEVEL, TOWN_STALENESS, townBlockOf, townOccupancyMax, type TownDoor } from './town-site.js';

/** What an operator directed, and what it can be seen to come to. */
export interface Given {
  readonly id: string;
  readonly kind: 'lockdown' | 'threat' | 'fire' | 'release' | 'revoke' | 'visitor' | 'forgive' | 'open' | 'expel';
  readonly atMs: number;
  /** The number of the gateway at which it was given. */
  readonly gateway: number;
  /** Of a lockdown or a threat: areas and doors. Absent: the site. */
  readonly scope?: readonly string[];
  /** Of a threat. */
  readonly level?: number;
  /** Of a release: the lockdowns, threats and fire alarms that it names. */
  readonly raises?: readonly string[];
  /** Of a revocation or a visitor: the credential; of a command: the door. */
  readonly subject?: string;
  /** Of a visitor. */
  readonly untilMs?: number;
  /** Of an expulsion: the heads to which all leads that counts of the log of that gateway. */
  readonly attested?: readonly SignedHead[];
  /** A gateway said so itself, without an operator: whoever hears it counts it, and records nothing. */
  readonly isRaisedByGateway?: true;
  /** By number of the gateway: when the record of its effect was on that gateway's platter. */
  readonly appliedAtMs: Map<number, number>;
}

/** Where somebody is, and what gateways can know of it. */
export interface Whereabouts {
  /** The block that they are in; undefined on the street. */
  readonly block: string | undefined;
  /** Of the last passage with their card. */
  readonly atMs: number;
  /** Body and card parted, or a passage was not seen as one. */
  readonly isDoubtful: boolean;
}

/** By credential. */
export type Places = ReadonlyMap<string, Whereabouts>;

export const ON_THE_STREET: Whereabouts = { block: undefined, atMs: -Infinity, isDoubtful: false };

const isLimited = ({ isGate, block }: TownDoor): boolean => isGate && townOccupancyMax(block) < Infinity;

/** From a passage to the moment when both gateways of a block know of it. */
const CLAIM_MAX_MS = 10_000;
/** Whoever was let in has passed by then, or did not. */
const ON_THE_WAY_MAX_MS = 60_000;
/** Of a gateway that writes down who passed where, in time. */
const WRITING_PARTS = ['gateway', 'disk', 'memory', 'commands', 'clock'] as const;
/** Of one that knows what another wrote. */
const KNOWING_PARTS = [...WRITING_PARTS, 'mesh'] as const;
/** Ages and borders of schedules are told by clocks that are a little wrong. */
const CLOCK_ERROR_MS = 120_000;

interface Overlay {
  /** Hold for certain. */
  readonly reasons: string[];
  /** Hold or do not. */
  readonly perhaps: string[];
}

/** What is so in the town, whatever gateways say of it: who directed what, and who is where. */
export class TownTruth {
  readonly given: Given[] = [];
  /** Ids of directives that their operators had no right to give. */
  readonly vain = new Set<string>();
  readonly #lied = new Set<string>();
  /** By credential: when somebody said last of a person that they are where they need not be, and was believed. */
  readonly #contested = new Map<string, number>();

  constructor(
    private readonly site: SiteFile,
    /** By number of the gateway. */
    private readonly histories: readonly SiteHistory[],
    /** When the policy was confirmed, on the monotonic clock of the world. */
    private readonly confirmedAtMs: number,
  ) {}

  /** The lockdowns and threats that somebody gave and nobody released. */
  get standing(): readonly Given[] {
    return this.#unreleased('lockdown', 'threat');
  }

  /** The fire alarms that nobody released, or those of one gateway. */
  fires(gateway?: number): readonly Given[] {
    return this.#unreleased('fire').filter((each) => gateway === undefined || each.gateway === gateway);
  }

  /** A gateway says that it raised something itself; it stands everywhere until an operator releases it. */
  raised(kind: 'lockdown' | 'fire', id: string, gateway: number, atMs: number): void {
    if (this.given.some((each) => each.id === id && each.isRaisedByGateway === true)) return;
    this.given.push({ id, kind, atMs, gateway, isRaisedByGateway: true, appliedAtMs: new Map() });
  }

  #unreleased(...kinds: readonly Given['kind'][]): readonly Given[] {
    const released = new Set(this.given.flatMap(({ raises = [] }) => raises));
    return this.given.filter((each) => kinds.includes(each.kind) && !released.has(each.id));
  }

  /**
   * Somebody says that a person is where they need not be. `counts`: gateways believe it, so that what they take for the place
   * of the person is another matter from now on than where the person is.
   */
  contest(credentialId: string, atMs: number, counts: boolean): void {
    this.#lied.add(credentialId);
    if (counts) this.#contested.set(credentialId, atMs);
  }

  /** Of whom somebody said that. */
  get lied(): readonly string[] {
    return [...this.#lied];
  }

  applied(id: string, gateway: number, atMs: number): Given | undefined {
    const given = this.given.find((each) => each.id === id);
    if (given?.appliedAtMs.has(gateway) === false) given.appliedAtMs.set(gateway, atMs);
    return given;
  }

  /** It was applied by a gateway, which did not forget it. */
  knows({ appliedAtMs }: Given, gateway: number): boolean {
    const history = this.histories[gateway];
    return appliedAtMs.has(gateway) && history?.wereWhole(['memory'], history.endMs, history.endMs) === true;
  }

  /** What ought to become of a card that is held to a reader now. `places`: by credential, of all who were ever seen. */
  entitlement(door: TownDoor, claim: Claim, places: Places, nowMs: number): Entitlement {
    const base = this.#byTheSiteFile(claim);
    const overlay: Overlay = { reasons: [], perhaps: [] };
    this.#lockdown(door, overlay);
    this.#threat(door, claim.accessPoint, claim.credential, overlay);
    this.#revocation(door, claim.credential, overlay);
    // The rest grants and flags on the way out.
    if (claim.accessPoint.direction === 'entry') {
      this.#staleness(claim.accessPoint, nowMs, overlay);
      if (door.isGate && claim.credential !== undefined)
        this.#antiPassback(door, claim.credential, places.get(claim.credential.id) ?? ON_THE_STREET, nowMs, overlay);
      if (isLimited(door)) this.#occupancy(door, claim.credential, places, nowMs, overlay);
    }
    return under(overlay, base);
  }

  /** No more may be in the block behind a gate, for certain, and all its gateways know it. */
  isFull(door: TownDoor, credentialId: string | undefined, places: Places, nowMs: number): boolean {
    if (!isLimited(door) || !this.#isPairWhole(door, nowMs - ON_THE_WAY_MAX_MS, nowMs)) return false;
    const others = [...places].filter(
      ([id, place]) => id !== credentialId && place.block === door.block && this.#isSettled(door, id, place, nowMs),
    );
    return others.length >= townOccupancyMax(door.block);
  }

  /** A visitor's card, which no site file names, at a door of the block that they were let in to. */
  visitorsEntitlement(door: TownDoor, point: AccessPoint, visit: Given, nowMs: number): Entitlement {
    if (!visit.appliedAtMs.has(door.gateway)) return { outcome: 'deny', reasons: ['credential_unknown'] };
    if (!this.knows(visit, door.gateway)) return { outcome: 'either' };
    const overlay: Overlay = { reasons: [], perhaps: [] };
    this.#lockdown(door, overlay);
    this.#threat(door, point, undefined, overlay);
    this.#staleness(point, nowMs, overlay);
    const { untilMs = Infinity } = visit;
    const isClockRight = this.histories[door.gateway]?.wereWhole(['clock'], nowMs, nowMs) === true;
    if (isClockRight && nowMs > untilMs + CLOCK_ERROR_MS) overlay.reasons.push('expired');
    else if (!isClockRight || nowMs > untilMs - CLOCK_ERROR_MS) overlay.perhaps.push('expired');
    return under(overlay, { outcome: 'grant' });
  }

  /** Around the borders of a schedule both is right. */
  #byTheSiteFile(claim: Claim): Entitlement {
    const [before, after] = [-CLOCK_ERROR_MS, CLOCK_ERROR_MS].map((byMs) =>
      entitlement(this.site, { ...claim, unixMs: claim.unixMs + byMs }),
    );
    return before !== undefined && before.outcome === after?.outcome ? before : { outcome: 'either' };
  }

  #lockdown(door: TownDoor, overlay: Overlay): void {
    this.#raised(({ kind }) => kind === 'lockdown', 'lockdown', door, overlay);
  }

  /** A visitor has no clearance. */
  #threat(
    door: TownDoor,
    { minimumClearance }: AccessPoint,
    credential: Credential | undefined,
    overlay: Overlay,
  ): void {
    const [, , needed = 0] = minimumClearance ?? [];
    if (needed === 0) return;
    const holder = this.site.credentialHolders.find(({ id }) => id === credential?.holder);
    if ((holder?.clearance ?? 0) >= needed) return;
    const isHigh = ({ kind, level = 0 }: Given) => kind === 'threat' && level >= TOWN_GUARDED_FROM_LEVEL;
    this.#raised(isHigh, 'clearance_too_low', door, overlay);
  }

  #raised(isIt: (given: Given) => boolean, reason: string, door: TownDoor, { reasons, perhaps }: Overlay): void {
    for (const raise of this.given) {
      if (!isIt(raise) || !covers(raise, door)) continue;
      const releases = this.given.filter(({ raises = [] }) => raises.includes(raise.id));
      if (releases.some((release) => this.knows(release, door.gateway))) continue;
      const isCertain = this.knows(raise, door.gateway) && releases.length === 0;
      (isCertain ? reasons : perhaps).push(reason);
    }
  }

  #revocation({ gateway }: TownDoor, credential: Credential | undefined, { reasons, perhaps }: Overlay): void {
    for (const given of this.given) {
      if (given.kind !== 'revoke' || given.subject !== credential?.id) continue;
      (this.knows(given, gateway) ? reasons : perhaps).push('credential_revoked');
    }
  }

  #staleness({ policyStaleness }: AccessPoint, nowMs: number, { reasons, perhaps }: Overlay): void {
    const ageMs = nowMs - this.confirmedAtMs;
    const { maxAgeMs } = policyStaleness ?? TOWN_STALENESS.site;
    if (ageMs > maxAgeMs + CLOCK_ERROR_MS) reasons.push('policy_stale');
    else if (ageMs > maxAgeMs - CLOCK_ERROR_MS) perhaps.push('policy_stale');
  }

  #antiPassback(
    door: TownDoor,
    { id }: Credential,
    place: Whereabouts,
    nowMs: number,
    { reasons, perhaps }: Overlay,
  ): void {
    const isInside = place.block === door.block;
    const isKnown = !this.#isContested(id, place) && this.#isKnown(door, place, nowMs);
    if (isInside && isKnown) reasons.push('apb_violation');
    else if (isInside || !isKnown) perhaps.push('apb_violation', 'apb_unknown');
  }

  /** Where more than are in the block may be taken to be in it, it may be full. */
  #occupancy(
    door: TownDoor,
    credential: Credential | undefined,
    places: Places,
    nowMs: number,
    { perhaps }: Overlay,
  ): void {
    const pair = [this.histories[door.gateway], this.histories[door.gateway ^ 1]];
    const coming = pair.flatMap((history) =>
      between(history?.presentations ?? [], ({ atMs }) => atMs, nowMs - ON_THE_WAY_MAX_MS, nowMs),
    );
    const isKnown = this.#isPairWhole(door, nowMs - ON_THE_WAY_MAX_MS, nowMs);
    const maybe = new Set(coming.map(({ credentialId }) => credentialId));
    for (const [id, place] of places) {
      const isAway = isKnown && place.block !== door.block && this.#isSettled(door, id, place, nowMs);
      if (!isAway && (townBlockOf(id) === door.block || this.#contested.has(id))) maybe.add(id);
    }
    for (const id of this.#contested.keys()) maybe.add(id);
    maybe.delete(credential?.id);
    if (maybe.size >= townOccupancyMax(door.block)) perhaps.push('occupancy_max');
    if (!isKnown) perhaps.push('occupancy_unknown');
  }

  /** What either gateway of the block wrote of their last passage is so, and nobody says otherwise. */
  #isSettled(door: TownDoor, id: string, place: Whereabouts, nowMs: number): boolean {
    const { atMs, isDoubtful } = place;
    if (isDoubtful || nowMs < atMs + CLAIM_MAX_MS || this.#isContested(id, place)) return false;
    return this.#isPairWhole(door, atMs - CLAIM_MAX_MS, atMs + CLAIM_MAX_MS, WRITING_PARTS);
  }

  #isContested(id: string, { atMs }: Whereabouts): boolean {
    return (this.#contested.get(id) ?? -Infinity) > atMs - CLAIM_MAX_MS;
  }

  #isPairWhole({ gateway }: TownDoor, fromMs: number, toMs: number, parts: readonly string[] = KNOWING_PARTS): boolean {
    const pair = [this.histories[gateway], this.histories[gateway ^ 1]];
    return pair.every((history) => history?.wereWhole(parts, fromMs, toMs) === true);
  }

  /** Nothing was out of order between the two gateways of the block since they were last there. */
  #isKnown(door: TownDoor, place: Whereabouts, nowMs: number): boolean {
    if (place.isDoubtful || nowMs - place.atMs < CLAIM_MAX_MS) return false;
    return this.#isPairWhole(door, Math.max(0, place.atMs) - CLAIM_MAX_MS, nowMs);
  }
}

/** What the site file says, under what was directed since. */
function under({ reasons, perhaps }: Overlay, base: Entitlement): Entitlement {
  const all = [...(base.outcome === 'deny' ? base.reasons : []), ...reasons];
  if (all.length > 0) return { outcome: 'deny', reasons: [...all, ...perhaps] };
  return perhaps.length > 0 ? { outcome: 'either' } : base;
}

export const covers = ({ scope }: Given, { id, isGate, block }: TownDoor): boolean =>
  scope === undefined || scope.includes(id) || (isGate && (scope.includes(block) || scope.includes('street')));
