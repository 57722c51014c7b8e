import type { Carrier } from '@sparc/protocol/cloud-link';
import type { ErrorCode } from '@sparc/protocol/errors';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { Refusal } from '../broker/index.js';
import type { IngestRefusal } from '../ingest/index.js';
import type { PublisherRefusal } from '../link/index.js';

/** Why something that was said to the cloud is not taken. */
export type RefusalReason = Refusal | IngestRefusal | PublisherRefusal | 'answer';

/** As people are told. */
const CODES: Readonly<Record<RefusalReason, ErrorCode>> = {
  certificate: 'ERR_LINK_CERTIFICATE_INVALID',
  identifier: 'ERR_LINK_NAME_FOREIGN',
  publish: 'ERR_LINK_TOPIC_FOREIGN',
  subscribe: 'ERR_LINK_TOPIC_FOREIGN',
  session: 'ERR_LINK_TOPIC_FOREIGN',
  notAdmitted: 'ERR_LINK_NOT_ADMITTED',
  notOfSite: 'ERR_LINK_NOT_ADMITTED',
  packetTooLong: 'ERR_LINK_PACKET_TOO_LONG',
  flood: 'ERR_LINK_FLOOD',
  foreignAuthor: 'ERR_LINK_AUTHOR_FOREIGN',
  expelledAuthor: 'ERR_LINK_AUTHOR_EXPELLED',
  forgedHead: 'ERR_LINK_HEAD_FORGED',
  emptiedEarly: 'ERR_LINK_EMPTIED_EARLY',
  malformed: 'ERR_LINK_MALFORMED',
  unread: 'ERR_LINK_UNREAD',
  answer: 'ERR_LINK_ANSWER_INVALID',
};

/** What is refused again and again is told at first, and then this often. */
export const REFUSALS_TOLD_EVERY_MS = 60_000;
/** Gateways and codes that are told of in that time; what is beyond is counted in the metrics alone. */
export const REFUSALS_TOLD_MAX = 256;

/** Of one gateway, or of whoever showed no certificate of one. */
export interface ToldRefusal {
  readonly code: ErrorCode;
  readonly carrier: Carrier | undefined;
  /** Since it was told last. */
  readonly count: number;
}

export interface RefusalsDeps {
  readonly clock: Clock;
  /** Each one. */
  readonly count: (code: ErrorCode) => void;
  readonly tell: (refusal: ToldRefusal) => void;
}

/** What the roles of a process refuse, counted, and told at a pace that no attacker sets. */
export class Refusals {
  /** By code, site and gateway: what was told within the period, and how often it came since. */
  #told = new Map<string, ToldRefusal>();
  #timer: Timer | undefined;

  constructor(private readonly deps: RefusalsDeps) {}

  refused(why: RefusalReason, carrier: Carrier | undefined): void {
    const { count, tell } = this.deps;
    const code = CODES[why];
    count(code);
    const name = `${code} ${carrier?.tenant} ${carrier?.site} ${carrier?.gateway}`;
    const told = this.#told.get(name);
    if (told === undefined && this.#told.size >= REFUSALS_TOLD_MAX) return;
    this.#told.set(name, { code, carrier, count: told === undefined ? 0 : told.count + 1 });
    if (told === undefined) tell({ code, carrier, count: 1 });
    this.#timer ??= this.#later();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #tellAgain(): void {
    const again = [...this.#told].filter(([, { count }]) => count > 0);
    this.#told = new Map(again.map(([name, refusal]) => [name, { ...refusal, count: 0 }]));
    for (const [, refusal] of again) this.deps.tell(refusal);
    this.#timer = again.length === 0 ? undefined : this.#later();
  }

  #later(): Timer {
    return this.deps.clock.setTimer(REFUSALS_TOLD_EVERY_MS, () => this.#tellAgain());
  }
}
