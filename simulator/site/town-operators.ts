import { headToText, type SignedHead } from '@sparc/protocol/ledger';
import { directiveId, signDirective, type DirectiveContent, type SignedDirective } from '@sparc/protocol/directive';
import type { Signer } from '@sparc/protocol/ports';
import type { Delegation } from '@sparc/protocol/roster';
import { TOWN_BLOCKS_COUNT, TOWN_DOORS, TOWN_HOLDERS_COUNT, type Given, type TownTruth } from '../scenarios/index.js';
import { sleep, type SeededRandom, type VirtualClock } from '../world/index.js';
import { seededSigner } from './seeded-signer.js';
import type { TownGateway } from './town-gateway.js';

/** What they do, each as often as it stands here. */
const ACTS = ['lockdown', 'lockdown', 'threat', 'revoke', 'revoke', 'visitor', 'forgive', 'open', 'overreach'] as const;
const PAUSE_MIN_MS = 4 * 60_000;
const PAUSE_MAX_MS = 12 * 60_000;
const LOCKDOWN_MIN_MS = 60_000;
const LOCKDOWN_MAX_MS = 8 * 60_000;
const DAY_MS = 86_400_000;
const LIFETIME_MS = 60_000;
const RETRY_MS = 5_000;
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
  /** The number of a person who is in a block, if anybody is. */
  readonly somebody: () => number | undefined;
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
  /** With every right, with rights in one block only, and one whose key the authority never heard of. */
  readonly #operator: Signer;
  readonly #warden: Signer;
  readonly #stranger: Signer;
  readonly #wardensBlock: string;
  /** The last one that was given. */
  last: SignedDirective | undefined;
  #visitors = 0;
  #closed = false;

  constructor(private readonly deps: TownOperatorsDeps) {
    this.#operator = seededSigner(deps.random.fork('operator'));
    this.#warden = seededSigner(deps.random.fork('warden'));
    this.#stranger = seededSigner(deps.random.fork('stranger'));
    this.#wardensBlock = `block-${deps.random.fork('block').integer(1, TOWN_BLOCKS_COUNT)}`;
  }

  /** As the authority of the site gave them. */
  delegations(unixMs: number): readonly Delegation[] {
    const term = { issuedUnixMs: unixMs, notAfterUnixMs: unixMs + 30 * DAY_MS };
    const [ada, bo] = [this.#operator, this.#warden].map(({ publicKey }) => Buffer.from(publicKey).toString('hex'));
    return [
      { operator: ada ?? '', name: 'Ada', rights: ['mode', 'revoke', 'grant', 'order', 'expel'], scope: [], ...term },
      { operator: bo ?? '', name: 'Bo', rights: ['mode', 'order'], scope: [this.#wardensBlock], ...term },
    ];
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

  /** Ends every lockdown, every threat and every fire alarm that stands. */
  async releaseAll(): Promise<void> {
    const { truth } = this.deps;
    await this.release([...truth.standing, ...truth.fires()]);
  }

  /** `attested`: of the log of the gateway counts what leads to these. True when another gateway took it. */
  async expel(gateway: TownGateway, attested: readonly SignedHead[]): Promise<boolean> {
    const part = { kind: 'expel' as const, gateway: gateway.key, heads: attested.map(headToText) };
    const about = { subject: gateway.key, attested };
    return (await this.#give('expel', part, about, { notAt: gateway })) !== undefined;
  }

  /** What a thief would have the site do. */
  forged(): SignedDirective {
    const [raise] = this.deps.truth.standing;
    return this.#vain(
      this.#stranger,
      raise !== undefined
        ? { kind: 'release', raises: [raise.id] }
        : { kind: 'revoke', subject: 'credential', subjectId: 'card-1' },
    );
  }

  /** What the warden of one block has no right to: a lockdown of the whole site, or of another block. */
  overreaching(): SignedDirective {
    const { random } = this.deps;
    const others = TOWN_DOORS.filter(({ block }) => block !== this.#wardensBlock);
    const scope = random.chance(0.5) ? {} : { scope: [this.#wardensBlock, random.pick(others).block] };
    return this.#vain(this.#warden, { kind: 'raise', what: 'lockdown', ...scope });
  }

  #vain(by: Signer, part: DirectivePart): SignedDirective {
    const signed = signDirective(by, { ...this.#common(), ...part });
    this.deps.truth.vain.add(directiveId(signed));
    return signed;
  }

  async #one(): Promise<void> {
    const { random, truth, clock, gateways } = this.deps;
    switch (random.pick(ACTS)) {
      case 'overreach': {
        const signed = this.overreaching();
        const at = random.pick(gateways);
        if (!this.deps.isStolen(at)) void at.direct(signed).catch(() => undefined);
        return;
      }
      case 'lockdown': {
        if (truth.standing.length > 0) return this.release(truth.standing);
        const isWarden = random.chance(0.25);
        const block = isWarden ? this.#wardensBlock : `block-${random.integer(1, TOWN_BLOCKS_COUNT)}`;
        const scope = isWarden
          ? [block]
          : random.chance(0.5)
            ? [random.chance(0.5) ? block : random.pick(TOWN_DOORS).id]
            : undefined;
        const parts = scope === undefined ? {} : { scope };
        const by = isWarden ? this.#warden : this.#operator;
        const given = await this.#give('lockdown', { kind: 'raise', what: 'lockdown', ...parts }, parts, { by });
        return given === undefined ? undefined : this.#releaseLater(given);
      }
      case 'threat': {
        const scope = random.chance(0.5) ? { scope: [`block-${random.integer(1, TOWN_BLOCKS_COUNT)}`] } : {};
        const parts = { ...scope, level: random.integer(1, 5) };
        const given = await this.#give('threat', { kind: 'raise', what: 'threat', ...parts }, parts);
        return given === undefined ? undefined : this.#releaseLater(given);
      }
      case 'revoke': {
        const subject = `card-${this.#somebody()}`;
        await this.#give('revoke', { kind: 'revoke', subject: 'credential', subjectId: subject }, { subject });
        return;
      }
      case 'visitor':
        return this.#visitor();
      case 'forgive': {
        const number = this.#somebody();
        truth.contest(`card-${number}`, clock.monotonicMs(), true);
        await this.#give('forgive', { kind: 'forgive', holder: `person-${number}` }, {});
        return;
      }
      case 'open': {
        const subject = random.pick(TOWN_DOORS).id;
        this.deps.opens(subject);
        await this.#give('open', { kind: 'door', door: subject, order: { kind: 'accessDoor' } }, { subject });
        return;
      }
    }
  }

  async #releaseLater(given: Given): Promise<void> {
    const { clock, random, pace } = this.deps;
    await sleep(clock, random.between(LOCKDOWN_MIN_MS, LOCKDOWN_MAX_MS) / Math.sqrt(pace));
    await this.release([given]);
  }

  /** The number of one who is inside, or of anybody. */
  #somebody(): number {
    const { random, somebody } = this.deps;
    return (random.chance(0.5) ? somebody() : undefined) ?? random.integer(1, TOWN_HOLDERS_COUNT);
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
    const about = { subject: id, untilMs: clock.monotonicMs() + VISIT_MS };
    const given = await this.#give('visitor', { kind: 'visitor', visitor }, about);
    if (given !== undefined) this.deps.visit(given, number, block);
  }

  /** Where nobody answers, at another gateway. */
  async release(standing: readonly Given[]): Promise<void> {
    const raises = standing.map(({ id }) => id);
    if (raises.length === 0) return;
    while ((await this.#give('release', { kind: 'release', raises }, { raises })) === undefined) {
      await sleep(this.deps.clock, RETRY_MS);
    }
  }

  /** Undefined where the gateway was not there, or refused. */
  async #give(
    kind: Given['kind'],
    part: DirectivePart,
    about: Partial<Given>,
    { by = this.#operator, notAt }: { readonly by?: Signer; readonly notAt?: TownGateway } = {},
  ): Promise<Given | undefined> {
    const { clock, random, truth, gateways } = this.deps;
    const running = gateways.filter((each) => each.field !== undefined && each !== notAt && !this.deps.isStolen(each));
    if (running.length === 0) return undefined;
    const at = random.pick(running);
    const signed = (this.last = signDirective(by, { ...this.#common(), ...part }));
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
