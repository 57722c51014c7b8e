import type { EventDraft } from '@sparc/protocol/events';
import type { Clock } from '@sparc/protocol/ports';
import { noticedEvent } from '../api/index.js';
import { Turns } from '../clock/index.js';
import type { FieldLog } from '../field/index.js';
import { nodeCrypto } from '../ledger/index.js';

/** As when every neighbour is lost at once and comes back. */
export const NOTICES_AT_ONCE_MAX = 64;
/** From then on one in this time: links that come and go fill no journal. */
export const NOTICE_PAUSE_MS = 10_000;

interface MeshJournalDeps {
  readonly clock: Clock;
  readonly log: FieldLog;
  readonly record: (event: EventDraft) => void;
}

/** Takes what the site process tells of the mesh into the journal, as far as it can be true. */
export class MeshJournal {
  /** Of neighbours that come and go, and of all else: a link that flaps for days silences no alarm. */
  readonly #ofLinks: Turns;
  readonly #ofAlarms: Turns;
  readonly #warned = new Set<string>();

  constructor(private readonly deps: MeshJournalDeps) {
    this.#ofLinks = new Turns(deps.clock, NOTICES_AT_ONCE_MAX, NOTICE_PAUSE_MS);
    this.#ofAlarms = new Turns(deps.clock, NOTICES_AT_ONCE_MAX, NOTICE_PAUSE_MS);
  }

  take(notice: unknown): void {
    // Before anything is checked: a signature takes time, too.
    if (!(isOfLinks(notice) ? this.#ofLinks : this.#ofAlarms).take())
      return this.#warn('the mesh tells more than the journal takes of it');
    const event = noticedEvent(nodeCrypto, notice);
    if (event === undefined) this.#warn('the mesh tells what cannot be true');
    else this.deps.record(event);
  }

  /** Once each, or the log would be filled in place of the journal. */
  #warn(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.deps.log.warn({}, message);
  }
}

const isOfLinks = (notice: unknown): boolean => {
  const kind: unknown = typeof notice === 'object' && notice !== null && 'kind' in notice ? notice.kind : undefined;
  return kind === 'found' || kind === 'lost';
};
