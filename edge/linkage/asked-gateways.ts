import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, EntryId, Timer } from '@sparc/protocol/ports';
import type { Peer, Peers } from '../heard/index.js';
import { targetOf, type PlacedAction, type RuleParts } from './rule-parts.js';

/** Between gateways that reach each other an entry takes a tenth of that, and its answer as long. */
export const ANSWER_MAX_MS = 3_000;

export interface AskedGatewaysDeps {
  readonly clock: Clock;
  /** Absent: there are no other gateways. */
  readonly peers: Peers | undefined;
  readonly parts: RuleParts;
  readonly record: (event: EventDraft, cause?: Promise<EntryId | undefined>) => unknown;
}

interface Asked {
  readonly gateway: Peer;
  readonly actions: readonly PlacedAction[];
}

/**
 * The gateways that are to carry out what a rule does at them: they hear the entry that says that it ran, and their own
 * entry is the answer. Of whoever is not heard it is recorded what it was to do.
 */
export class AskedGateways {
  /** By the entry that asks: whoever has not answered. */
  readonly #waiting = new Map<string, { readonly left: Map<string, Asked>; readonly timer: Timer }>();

  constructor(private readonly deps: AskedGatewaysDeps) {}

  /** `ran`: the entry that asks, once it is on disk. */
  ask(rule: string, actions: readonly PlacedAction[], ran: Promise<EntryId | undefined>): void {
    const asked = new Map<string, Asked>();
    for (const action of actions) {
      const gateway = this.#gatewayOf(action);
      if (gateway?.isReached !== true) this.#unheard(rule, [action], gateway, ran);
      else asked.set(gateway.key, { gateway, actions: [...(asked.get(gateway.key)?.actions ?? []), action] });
    }
    if (asked.size > 0) void ran.then((id) => this.#wait(rule, asked, id));
  }

  /** A gateway carried out what the entry asked of it. */
  answered(gateway: string, asking: EntryId): void {
    const waiting = this.#waiting.get(nameOf(asking));
    if (waiting === undefined) return;
    waiting.left.delete(gateway);
    if (waiting.left.size > 0) return;
    waiting.timer.cancel();
    this.#waiting.delete(nameOf(asking));
  }

  stop(): void {
    for (const { timer } of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
  }

  #wait(rule: string, left: Map<string, Asked>, ran: EntryId | undefined): void {
    const giveUp = () => {
      for (const { gateway, actions } of left.values()) this.#unheard(rule, actions, gateway, Promise.resolve(ran));
    };
    // Nobody hears what is on no disk.
    if (ran === undefined) return giveUp();
    const name = nameOf(ran);
    const timer = this.deps.clock.setTimer(ANSWER_MAX_MS, () => {
      this.#waiting.delete(name);
      giveUp();
    });
    this.#waiting.set(name, { left, timer });
  }

  /** Of several that say that they have the bus, one that is reached. */
  #gatewayOf(action: PlacedAction): Peer | undefined {
    const bus = this.deps.parts.busOf(action);
    const having = bus === undefined ? [] : (this.deps.peers?.having(bus) ?? []);
    return having.find(({ isReached }) => isReached) ?? having[0];
  }

  #unheard(
    rule: string,
    actions: readonly PlacedAction[],
    gateway: Peer | undefined,
    ran: Promise<EntryId | undefined>,
  ): void {
    for (const action of actions) {
      const where = gateway === undefined ? {} : { gateway: gateway.name };
      this.deps.record({ name: 'linkage.unheard', detail: { rule, action: targetOf(action), ...where } }, ran);
    }
  }
}

const nameOf = ({ author, epoch, sequence }: EntryId): string => `${author} ${epoch}.${sequence}`;
