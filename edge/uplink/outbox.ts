import type { Wants } from '@sparc/protocol/cloud-link';
import { epochName, isSameEpoch, type EpochEnd } from '@sparc/protocol/replication';
import { toHex } from '../platform/index.js';

/** Of batches under way, whatever credit the cloud gives: they are in memory until the broker has them. */
export const CREDIT_MAX_BYTES = 4_194_304;
/** A batch that is not acknowledged for so long is given up: the next hello makes the cloud ask anew. */
export const ACKNOWLEDGED_WITHIN_MS = 30_000;

interface Sent {
  /** Its last entry. */
  readonly end: EpochEnd;
  readonly sizeBytes: number;
  readonly atMs: number;
}

interface Wanted {
  /** Up to where the cloud has the log. */
  readonly ends: readonly EpochEnd[];
  readonly sent?: Sent;
}

/** What the cloud asked for, and what is under way to it: one batch an author, and several authors within its credit. */
export class Outbox {
  #creditBytes = 0;
  /** By author, in hex; whose turn it is next comes first. */
  readonly #wanted = new Map<string, Wanted>();

  /** The link broke: what was under way is lost, and the cloud asks anew. */
  clear(): void {
    this.#wanted.clear();
  }

  want({ logs, creditBytes }: Wants): void {
    this.#creditBytes = Math.min(creditBytes, CREDIT_MAX_BYTES);
    for (const { author, ends } of logs) this.#wanted.set(toHex(author), { ends });
  }

  /** Who is next, where a batch of this size may be sent. */
  next(batchBytes: number): { readonly author: string; readonly ends: readonly EpochEnd[] } | undefined {
    const underWay = [...this.#wanted.values()].flatMap(({ sent }) => sent ?? []);
    const usedBytes = underWay.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (underWay.length > 0 && usedBytes + batchBytes > this.#creditBytes) return undefined;
    for (const [author, { ends, sent }] of this.#wanted) if (sent === undefined) return { author, ends };
    return undefined;
  }

  sent(author: string, sent: Sent): void {
    const wanted = this.#wanted.get(author);
    if (wanted === undefined) return;
    this.#wanted.delete(author);
    this.#wanted.set(author, { ...wanted, sent });
  }

  /** The cloud has all that is here. */
  done(author: string): void {
    this.#wanted.delete(author);
  }

  /** The cloud has a log up to here. */
  acknowledged(author: string, end: EpochEnd): void {
    const wanted = this.#wanted.get(author);
    if (wanted === undefined) return;
    const { sent } = wanted;
    const others = wanted.ends.filter(({ epoch }) => epochName(epoch) !== epochName(end.epoch));
    const isAnswered =
      sent !== undefined && isSameEpoch(sent.end.epoch, end.epoch) && sent.end.sequence <= end.sequence;
    const ends = [...others, { epoch: end.epoch, sequence: end.sequence }];
    this.#wanted.set(author, { ends, ...(sent !== undefined && !isAnswered && { sent }) });
  }

  giveUp(nowMs: number): void {
    for (const [author, { sent }] of this.#wanted) {
      if (sent !== undefined && nowMs - sent.atMs >= ACKNOWLEDGED_WITHIN_MS) this.#wanted.delete(author);
    }
  }
}
