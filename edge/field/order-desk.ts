import { whyOf, type EventDraft } from '@sparc/protocol/events';
import { isInForce, type Origin } from '../directives/index.js';
import type { PassageBook } from '../passages/index.js';
import type { RevocationBook } from '../revocation/index.js';
import {
  OrderRefused,
  refused,
  type Order,
  type RuleRaise,
  type SiteModeKeeper,
  type Toggle,
} from '../site-mode/index.js';
import type { DoorSet } from './door-set.js';
import { isUnlisted, type KnownPeople } from './is-unlisted.js';
import type { Recorder } from './recorder.js';

/** From an operator's release to its command, as from a card's. */
const OPERATOR_RELEASE_MAX_MS = 2_000;

export interface OrderDeskDeps extends KnownPeople {
  readonly recorder: Recorder;
  readonly doors: DoorSet;
  readonly mode: SiteModeKeeper;
  readonly passages: PassageBook;
  readonly revocations: RevocationBook;
  /** Takes the wall clock as right from now on. Undefined: the clock is not the gateway's own. */
  readonly acceptClock: (() => Promise<void>) | undefined;
}

/** Carries out what named persons order, and records what it refuses. */
export class OrderDesk {
  constructor(private readonly deps: OrderDeskDeps) {}

  /** Rejects with ERR_GATEWAY_ORDER_REFUSED, or with what says that it is in force but not on disk. */
  async obey(order: Order | Toggle | RuleRaise, by: string, origin?: Origin): Promise<void> {
    try {
      await this.#obey(order, by, origin);
    } catch (error) {
      if (!isInForce(error)) this.#refused(order, by, error as Error);
      throw error;
    }
  }

  #refused(order: Order | Toggle | RuleRaise, by: string, error: Error): void {
    const undoes = error instanceof OrderRefused ? error.undoes : undefined;
    void this.deps.recorder.record({
      name: 'order.refused',
      ...('door' in order && { doorId: order.door }),
      ...(undoes !== undefined && { causeId: undoes }),
      detail: { by, order: order.kind, why: whyOf(error.message) },
    });
  }

  async #obey(order: Order | Toggle | RuleRaise, by: string, origin: Origin | undefined): Promise<void> {
    const { doors, recorder, passages, mode } = this.deps;
    if ('door' in order && doors.get(order.door) === undefined) throw refused(`there is no door ${order.door}`);
    switch (order.kind) {
      case 'accessDoor':
        return this.#accessDoor(order.door, by, order.extended === true, origin);
      case 'acknowledge':
        doors.get(order.door)?.acknowledge();
        void recorder.record({ name: 'door.acknowledged', doorId: order.door, detail: { by } });
        return;
      case 'acceptClock':
        return this.#acceptClock(by);
      case 'forgive':
        this.#assertKnown('holder', order.holder);
        return passages.forgive(order.holder, by);
      case 'resetUses':
        return this.#resetUses(order.credential, by);
      case 'revoke':
        return this.#revoke(order, by);
      default:
        return mode.order(order, by, origin);
    }
  }

  /** An operator's release is a decision too: recorded first, and looked at again before the lock moves. */
  async #accessDoor(doorId: string, by: string, extended: boolean, origin: Origin | undefined): Promise<void> {
    const { doors, recorder } = this.deps;
    if (!doors.letsIn(doorId)) throw refused(`door ${doorId} lets nobody in at the moment`);
    const detail = {
      by,
      ...(extended && { extended: 'true' }),
      ...(origin !== undefined && { directive: origin.directive }),
    };
    const causeId = origin?.causeId;
    const record: EventDraft = { name: 'operator.release', doorId, ...(causeId !== undefined && { causeId }), detail };
    await recorder.commitOrder(record, async (id) => {
      const door = doors.letsIn(doorId) ? doors.get(doorId) : undefined;
      if (door === undefined) throw refused(`door ${doorId} lets nobody in any more`);
      const cause = { id: Promise.resolve(id), subject: {} };
      const outcome = await door.release(cause, OPERATOR_RELEASE_MAX_MS, { extended });
      if (outcome.kind !== 'acknowledged') throw refused(`the lock did not answer: ${outcome.error.message}`);
    });
  }

  /** An older policy, or one that comes later, may name whom the present one does not. */
  async #revoke({ subject, id, unlisted }: Extract<Order, { kind: 'revoke' }>, by: string): Promise<void> {
    if (unlisted !== true) this.#assertKnown(subject, id);
    await this.deps.revocations.revoke(subject, id, by, { isUnlisted: isUnlisted(this.deps, subject, id) });
  }

  #resetUses(credential: string | undefined, by: string): void {
    if (credential !== undefined) this.#assertKnown('credential', credential);
    this.deps.passages.resetUses(credential, by);
  }

  /** Recorded first: what has expired since may be in force again. */
  async #acceptClock(by: string): Promise<void> {
    const { acceptClock, recorder } = this.deps;
    if (acceptClock === undefined) throw refused('the clock of this gateway is not its own');
    await recorder.commitOrder({ name: 'clock.accepted', detail: { by } }, acceptClock);
  }

  /** A name that nobody has is a slip, and must not be taken for an order that was carried out. */
  #assertKnown(subject: 'credential' | 'holder', id: string): void {
    if (!isUnlisted(this.deps, subject, id)) return;
    throw refused(`policy ${this.deps.view()?.revision} has no ${subject} ${id}`);
  }
}
