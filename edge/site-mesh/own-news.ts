import type { Batch, SignedHead } from '@sparc/protocol/ledger';
import { isSameEpoch, tipsOf } from '@sparc/protocol/replication';
import type { OwnLog } from '../replica/index.js';

/** What the own log has grown by from one look at it to the next. */
export class OwnNews {
  #tip: SignedHead | undefined;

  constructor(private readonly own: OwnLog) {}

  /** Undefined where it did not grow. `batch`: all that is new, where that fits into one. */
  look(): { readonly batch?: Batch } | undefined {
    const before = this.#tip;
    const [tip] = tipsOf(this.own.log());
    this.#tip = tip;
    if (tip === undefined) return undefined;
    if (before === undefined || !isSameEpoch(before.epoch, tip.epoch)) return {};
    if (before.sequence === tip.sequence) return undefined;
    const batch = this.own.batchAfter(before);
    const last = batch && batch.firstSequence + batch.contents.length - 1;
    return batch !== undefined && last === tip.sequence ? { batch } : {};
  }
}
