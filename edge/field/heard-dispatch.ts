import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, Journal } from '@sparc/protocol/ports';
import { StampsAhead } from '../clock/index.js';
import type { DirectiveDesk } from '../directives/index.js';
import type { Heard, HeardEntry, Peers } from '../heard/index.js';
import type { Linkage } from '../linkage/index.js';
import type { PassageBook } from '../passages/index.js';
import type { SiteModeKeeper } from '../site-mode/index.js';
import type { DoorSet } from './door-set.js';
import { codeOf, type FieldLog } from './recorder.js';
import type { StampClock } from './stamp-clock.js';

export interface HeardDispatchDeps {
  readonly clock: Clock;
  readonly journal: Pick<Journal, 'openEpochAbove'>;
  readonly record: (event: EventDraft) => unknown;
  readonly log: FieldLog;
  readonly stamps: StampClock;
  readonly peers: Peers;
  readonly doors: DoorSet;
  readonly mode: SiteModeKeeper;
  readonly passages: PassageBook;
  readonly linkage: Linkage;
  /** Undefined: the gateway is a member of no site. */
  readonly directives: DirectiveDesk | undefined;
}

/** Takes what other gateways and the authority of the site said to the parts it concerns. */
export class HeardDispatch {
  readonly #ahead: StampsAhead;

  constructor(private readonly deps: HeardDispatchDeps) {
    this.#ahead = new StampsAhead(deps);
  }

  heard(heard: Heard): void {
    const { journal, stamps, peers, doors, mode, passages, linkage, directives } = this.deps;
    // First: what is recorded of the rest is said in the new epoch.
    if (heard.lostEpoch !== undefined) journal.openEpochAbove(heard.lostEpoch);
    for (const { id, hlc } of heard.entries) if (!stamps.follow(hlc)) this.#ahead.look(id.author, hlc);
    const isOther = peers.heard(heard);
    if (isOther) doors.lookAtModes();
    passages.heard(heard);
    if (isOther) passages.reached();
    for (const { key, heads } of heard.roster?.expelled ?? []) mode.expelled(key, heads);
    directives?.believe(heard.delegations);
    if (heard.roster !== undefined) directives?.tryAgain();
    for (const entry of heard.entries) if (entry.record.name === 'fire.ended') mode.fireEnded(entry);
    for (const entry of heard.entries) this.#guard(entry);
    linkage.caughtUp(heard.behind);
  }

  /** Nothing is read of anybody any more, until something is heard again: all of it, from the start. */
  unheard(): void {
    this.deps.peers.unheard();
    this.deps.passages.reached();
  }

  /** Public keys, in hex, of all gateways to which there is a way. */
  reaches(keys: readonly string[]): void {
    this.deps.peers.reaches(keys);
    this.deps.passages.reached();
  }

  /** What is wrong with one entry of another gateway concerns no other. */
  #guard(entry: HeardEntry): void {
    try {
      this.#entry(entry);
    } catch (error) {
      const fields = { ...entry.id, code: codeOf(error), error };
      this.deps.log.error(fields, 'what another gateway recorded cannot be followed');
    }
  }

  #entry(entry: HeardEntry): void {
    const { linkage, directives, mode } = this.deps;
    switch (entry.record.name) {
      case 'linkage.ran':
      case 'linkage.carried_out':
        linkage.heard(entry);
        return;
      case 'directive.given':
        directives?.heard(entry);
        return;
      case 'site.lockdown':
      case 'site.threat_level':
      case 'fire.alarm':
      case 'fire.evacuation':
        mode.heard(entry);
        return;
      default:
        return;
    }
  }
}
