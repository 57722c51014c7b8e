import { headToText, type SignedHead } from '@sparc/protocol/ledger';
import { directiveId, signDirective, type DirectiveContent, type SignedDirective } from '@sparc/protocol/directive';
import type { Signer } from '@sparc/protocol/ports';
import type { Delegation } from '@sparc/protocol/roster';
import { TOWN_BLOCKS_COUNT, TOWN_DOORS, TOWN_HOLDERS_COUNT, type Given, type TownTruth } from '../scenarios/index.js';
import { sleep, type SeededRandom, type VirtualClock } from '../world/index.js';
import { seededSigner } from './seeded-signer.js';
import type { TownGateway } from './town-gateway.js';

const PAUSE_MIN_MS = 4 * 60_000;
const PAUSE_MAX_MS = 12 * 60_000;
const LOCKDOWN_MIN_MS = 60_000;
const LOCKDOWN_MAX_MS = 8 * 60_000;
const DAY_MS = 86_400_000;
const LIFETIME_MS = 60_000;
const VISIT_MS = 3_600_000;
/** A visit has begun for every clock. */
const BEGUN_MS = 5 * 60_000;
/** Number of the card of the first visitor; nobody else of the town has such a number. */
const VISITOR_CARD = 50_000;

export interface TownOperatorsDeps {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  /** How many times as often as usual they direct something. */
  readonly pace: number;
  readonly siteId: string;
  readonly gateways: readonly TownGateway[];
  readonly truth: TownTruth;
  /** Something is directed now, or was until now: whoever stands at a reader may be decided either way. */
  unsettle(): void;
  /** Nobody directs anything there. */
  isStolen(gateway: TownGateway): boolean;
  /** A door is opened for one passage, soon. */
  opens(doorId: string): void;
  /** A visitor comes to a door with this card. */
  visit(given: Given, cardNumber: number, block: string): void;
  trace(line: string): void;
}

/** What one kind of directive says beside what all do. */
type DirectivePart = DirectiveContent extends infer D
  ? D extends DirectiveContent
    ? Omit<D, keyof Common>
    : never
  : never;
type Common = Pick<DirectiveContent, 'v' | 'site' | 'issuedUnixMs' | 'expiresUnixMs'>;

/** Operators with keys that the authority delegated, each day and night at any gateway. */
export class TownOperators {
  /** With every right, and one whose key the authority never heard of. */
  readonly #operator: Signer;
  readonly stranger: Signer;
  /** The last one that was given. */
  last: SignedDirective | undefined;
  #visitors = 0;
  #closed = false;

  constructor(private readonly deps: TownOperatorsDeps) {
    this.#operator = seededSigner(deps.random.fork('operator'));
    this.stranger = seededSigner(deps.random.fork('stranger'));
  }

  /** As the authority of the site gave it. */
  delegation(unixMs: number): Delegation {
    return {
      operator: Buffer.from(this.#operator.publicKey).toString('hex'),
      name: 'Ada',
      rights: ['mode', 'revoke', 'grant', 'order', 'expel'],
      scope: [],
      issuedUnixMs: unixMs,
      notAfterUnixMs: unixMs + 30 * DAY_MS,
    };
  }

  /** Until `close`. */
  async live(): Promise<void> {
    const { clock, random } = this.deps;
    for (;;) {
      await sleep(clock, random.between(PAUSE_MIN_MS, PAUSE_MAX_MS) / this.deps.pace);
      if (this.#closed) return;
      await this.#one();
    }
  }

  close(): void {
    this.#closed = true;
  }

  /** Ends every lockdown that stands. */
  async releaseAll(): Promise<void> {
    const raises = this.deps.truth.standing.map(({ id }) => id);
    if (raises.length > 0) await this.#release(raises);
  }

  /** `head`: up to where the log of the gateway counts. True when another gateway took it. */
  async expel(gateway: TownGateway, head: SignedHead): Promise<boolean> {
    const part = { kind: 'expel' as const, gateway: gateway.key, heads: [headToText(head)] };
    return (await this.#give('expel', part, { subject: gateway.key }, gateway)) !== undefined;
  }

  /** What a thief would have the site do. */
  forged(): DirectiveContent {
    const { truth } = this.deps;
    const [raise] = truth.standing;
    const parts =
      raise !== undefined
        ? { kind: 'release' as const, raises: [raise.id] }
        : { kind: 'revoke' as const, subject: 'credential' as const, subjectId: 'card-1' };
    return { ...this.#common(), ...parts };
  }

  async #one(): Promise<void> {
    const { random, truth, clock } = this.deps;
    switch (random.pick(['lockdown', 'lockdown', 'revoke', 'revoke', 'visitor', 'forgive', 'open'] as const)) {
      case 'lockdown': {
        if (truth.standing.length > 0) return this.releaseAll();
        const block = `block-${random.integer(1, TOWN_BLOCKS_COUNT)}`;
        const scope = random.chance(0.5) ? [random.chance(0.5) ? block : random.pick(TOWN_DOORS).id] : undefined;
        const parts = scope === undefined ? {} : { scope };
        const given = await this.#give('lockdown', { kind: 'raise', what: 'lockdown', ...parts }, parts);
        if (given === undefined) return;
        await sleep(clock, random.between(LOCKDOWN_MIN_MS, LOCKDOWN_MAX_MS) / Math.sqrt(this.deps.pace));
        await this.#release([given.id]);
        return;
      }
      case 'revoke': {
        const subject = `card-${random.integer(1, TOWN_HOLDERS_COUNT)}`;
        await this.#give('revoke', { kind: 'revoke', subject: 'credential', subjectId: subject }, { subject });
        return;
      }
      case 'visitor':
        return this.#visitor();
      case 'forgive':
        await this.#give('forgive', { kind: 'forgive', holder: `person-${random.integer(1, TOWN_HOLDERS_COUNT)}` }, {});
        return;
      case 'open': {
        const subject = random.pick(TOWN_DOORS).id;
        this.deps.opens(subject);
        await this.#give('open', { kind: 'door', door: subject, order: { kind: 'accessDoor' } }, { subject });
        return;
      }
    }
  }

  async #visitor(): Promise<void> {
    const { clock, random } = this.deps;
    const number = VISITOR_CARD + this.#visitors++;
    const block = `block-${random.integer(1, TOWN_BLOCKS_COUNT)}`;
    const id = `visitor-${number}`;
    const nowUnixMs = clock.wall().unixMs;
    const visitor = {
      id,
      name: `Visitor ${number}`,
      identifier: { format: 'h10301', facility: 7, number },
      profiles: [`${block}-always`],
      fromUnixMs: nowUnixMs - BEGUN_MS,
      untilUnixMs: nowUnixMs + VISIT_MS,
    };
    const given = await this.#give(
      'visitor',
      { kind: 'visitor', visitor },
      {
        subject: id,
        untilMs: clock.monotonicMs() + VISIT_MS,
      },
    );
    if (given !== undefined) this.deps.visit(given, number, block);
  }

  async #release(raises: readonly string[]): Promise<void> {
    await this.#give('release', { kind: 'release', raises: [...raises] }, { raises });
  }

  /** Undefined where the gateway was not there, or refused. */
  async #give(
    kind: Given['kind'],
    part: DirectivePart,
    about: Partial<Given>,
    notAt?: TownGateway,
  ): Promise<Given | undefined> {
    const { clock, random, truth, gateways } = this.deps;
    const running = gateways.filter((each) => each.field !== undefined && each !== notAt && !this.deps.isStolen(each));
    if (running.length === 0) return undefined;
    const at = random.pick(running);
    const signed = (this.last = signDirective(this.#operator, { ...this.#common(), ...part }));
    const given: Given = {
      id: directiveId(signed),
      kind,
      atMs: clock.monotonicMs(),
      gateway: gateways.indexOf(at),
      appliedAtMs: new Map(),
      ...about,
    };
    truth.given.push(given);
    this.deps.trace(`directs ${kind} ${at.name}`);
    this.deps.unsettle();
    // A machine that dies meanwhile answers nobody.
    const answered = await Promise.race([
      at.direct(signed).then(
        () => true,
        () => false,
      ),
      sleep(clock, LIFETIME_MS).then(() => false),
    ]);
    this.deps.unsettle();
    return answered ? given : undefined;
  }

  #common(): Common {
    const { clock, siteId } = this.deps;
    const { unixMs } = clock.wall();
    return {
      v: 1,
      site: siteId,
      issuedUnixMs: unixMs,
      expiresUnixMs: unixMs + LIFETIME_MS,
    };
  }
}
