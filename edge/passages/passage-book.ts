import type { EventRecord } from '@sparc/protocol/events';
import type { AccessPoint, SitePlan } from '@sparc/protocol/policy';
import type { AppendedEntry, Timer } from '@sparc/protocol/ports';
import type { AccessRequest, CredentialRecord, PassageFacts, PassageView, PolicyView } from '../access/index.js';
import type { Heard } from '../heard/index.js';
import { AreaBook, type AreaBookDeps } from './area-book.js';
import type { Forgiveness, PassageDraft } from './book.js';
import { isClaim, type Claim } from './claim.js';
import { FirstCardBook } from './first-card-book.js';
import { GrantsUnderWay, type Passage, type Person } from './grants-under-way.js';
import { UseBook } from './use-book.js';

/** How often presences are looked over. */
const LOOK_MS = 30_000;

export interface PassageBookDeps extends AreaBookDeps {
  /** Somebody opened a door first, or that ended. */
  readonly onFirstCard: () => void;
}

/**
 * Who passed where: areas, uses, first cards. It watches what is recorded here, records claims about it, hears what other
 * gateways of the site claim of areas, and answers decisions from them.
 */
export class PassageBook implements PassageView {
  readonly #areas: AreaBook;
  readonly #uses: UseBook;
  readonly #firstCards: FirstCardBook;
  readonly #underWay: GrantsUnderWay;
  #points: ReadonlyMap<string, AccessPoint> = new Map();
  /** Claims since the start, until those before it are known. */
  #early: Claim[] | undefined = [];
  #timer: Timer | undefined;

  constructor(private readonly deps: PassageBookDeps) {
    this.#areas = new AreaBook(deps);
    this.#uses = new UseBook(deps);
    this.#firstCards = new FirstCardBook(deps);
    this.#underWay = new GrantsUnderWay(deps.clock);
  }

  /** Without a view, limits and first cards are those of no policy. `site`: all of what `plan` is this gateway's part of. */
  configure(plan: SitePlan, view: PolicyView | undefined, site: SitePlan): void {
    this.#points = new Map(plan.accessPoints.map((point) => [point.id, point]));
    this.#areas.configure(plan, site);
    this.#areas.tellOccupancy();
    this.#uses.configure(view);
    this.#firstCards.configure(plan.doors, view);
    this.#look();
  }

  /** Once: the claims of earlier runs, oldest first. */
  restore(claims: readonly Claim[]): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    this.#areas.restore(claims);
    for (const book of this.#ownBooks) {
      book.begin();
      for (const claim of [...claims, ...early]) book.fold(claim);
    }
    this.#areas.tellOccupancy();
    this.#uses.announceLoss();
    this.#look();
    this.deps.onFirstCard();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#areas.stop();
  }

  /** What other gateways said; not before `peers` has heard it. */
  heard(heard: Heard): void {
    this.#areas.heard(heard);
    this.#areas.tellOccupancy();
  }

  /** Other gateways are reached, or are not any more; not before `peers` knows it. */
  reached(): void {
    this.#areas.reached();
  }

  factsOf(credential: CredentialRecord, accessPoint: AccessPoint, request: AccessRequest): PassageFacts {
    const underWay = this.#underWay.besides(request);
    const facts: PassageDraft = {};
    if (underWay.some((each) => each.credentialId === credential.id && each.accessPoint.door !== accessPoint.door)) {
      facts.pendingElsewhere = true;
    }
    this.#areas.addFacts(facts, credential.holderId, accessPoint, request, underWay);
    this.#uses.addFacts(facts, credential, accessPoint, underWay);
    this.#firstCards.addFacts(facts, accessPoint);
    return facts;
  }

  /** Somebody who may opened the door, and that still holds. */
  isOpenedFirst(doorId: string): boolean {
    return this.#firstCards.isIn(doorId);
  }

  /** Undefined until the ledger was read back. */
  peopleIn(areaId: string): ReturnType<AreaBook['peopleIn']> {
    return this.#areas.peopleIn(areaId);
  }

  /** Keeps place and count for a grant, until its outcome is recorded or the returned function is called. */
  reserve({ credentialId, holderId }: Person, request: AccessRequest): () => void {
    const accessPoint = this.#points.get(request.accessPointId);
    if (accessPoint === undefined || credentialId === undefined) return () => undefined;
    return this.#underWay.reserve({ credentialId, holderId, accessPoint, request });
  }

  /** Everything that the field records, at the moment it happens. */
  readonly observe = (record: EventRecord, entry: Promise<AppendedEntry | undefined>): void => {
    if (isClaim(record)) {
      this.#areas.observe(record, entry);
      this.#fold({ record, atUnixMs: this.deps.clock.wall().unixMs });
      this.#areas.tellOccupancy();
    }
    const { name, doorId, accessPointId } = record;
    if (name === 'exit.used' && doorId !== undefined) this.#areas.leftAnonymously(doorId);
    // `locked` is told when the lock has confirmed it; every other change of mode tells where it came from.
    const isRelocked =
      name === 'door.locked' || (name === 'door.mode_changed' && record.detail?.['from'] === 'unlocked');
    if (isRelocked && doorId !== undefined) this.#firstCards.relocked(doorId);
    const point = accessPointId === undefined ? undefined : this.#points.get(accessPointId);
    const passage = this.#underWay.settle(record, point);
    if (passage !== undefined) this.#passed(passage);
  };

  /** Somebody whom an earlier run let in, and of whom nobody knows whether they were: they may have passed. */
  presume({
    accessPointId,
    credentialId,
    holderId,
  }: Pick<EventRecord, 'accessPointId' | 'credentialId' | 'holderId'>): void {
    const accessPoint = accessPointId === undefined ? undefined : this.#points.get(accessPointId);
    if (accessPoint === undefined) return;
    this.#passed({ credentialId, holderId, accessPoint, isCertain: false, escortId: undefined });
  }

  /** A named person lets a holder begin anew with anti-passback, here or by a directive; the record is the act. */
  forgive(holderId: string, by: string, forgiveness?: Forgiveness): void {
    this.#areas.forgive(holderId, by, forgiveness);
  }

  /** A named person lets the uses of a credential begin anew, or all those that are not known. */
  resetUses(credentialId: string | undefined, by: string): void {
    this.#uses.reset(credentialId, by);
  }

  #passed(passage: Passage): void {
    this.#areas.passed(passage);
    for (const book of this.#ownBooks) book.passed(passage);
  }

  /** Of what is claimed here alone. */
  get #ownBooks() {
    return [this.#uses, this.#firstCards] as const;
  }

  #fold(claim: Claim): void {
    this.#early?.push(claim);
    for (const book of this.#ownBooks) book.fold(claim);
    if (claim.record.name.startsWith('first_card.')) this.deps.onFirstCard();
  }

  #look(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#areas.look();
    if (this.#early === undefined) this.#uses.restateWhenDue();
    if (!this.#areas.isNeeded && !this.#uses.isNeeded) return;
    this.#timer = this.deps.clock.setTimer(LOOK_MS, () => this.#look());
  }
}
