import type { EventName, EventRecord } from '@sparc/protocol/events';
import { decodeEvent, EntryContent, EPOCH_KIND, EVENT_KIND, isKnownRecord } from '@sparc/protocol/ledger';

/**
 * Events that count until another one ends them, however old they are: what operators directed, how the site stands, and whom
 * nobody lets in again. A gateway that comes later has to hear each of them, and with a raise its release.
 */
export const LASTING = [
  'directive.given',
  'revocation.applied',
  'site.lockdown',
  'site.lockdown_ended',
  'site.threat_level',
  'site.released',
  'fire.alarm',
  'fire.evacuation',
  'fire.ended',
] as const satisfies readonly EventName[];
const lasting: ReadonlySet<string> = new Set(LASTING);

/**
 * For how long the content of an entry counts: not longer than everybody keeps everything (`passing`), until its author says at its
 * next start what it serves (`start`), until it has told again what was used of cards with a limit (`uses`, of which `telling`
 * begins to tell all, `told` ends it, and `retold` does both), or until something ends it, whenever that is (`lasting`).
 */
export type Worth = 'passing' | 'start' | 'uses' | 'telling' | 'told' | 'retold' | 'lasting';

export function worthOf(content: Uint8Array): Worth {
  const { kind, body } = EntryContent.decode(content);
  if (kind === EPOCH_KIND) return 'passing';
  try {
    const record = kind === EVENT_KIND ? decodeEvent(body) : undefined;
    // What only a newer version can read may count for ever.
    if (record === undefined || !isKnownRecord(record) || lasting.has(record.name)) return 'lasting';
    if (record.name === 'gateway.started') return 'start';
    return usesOf(record);
  } catch {
    return 'lasting';
  }
}

function usesOf({ name, detail }: EventRecord): Worth {
  if (name !== 'use_limit.restated')
    return name.startsWith('use_limit.') || name === 'journal.gap' ? 'uses' : 'passing';
  const isEnd = detail?.['complete'] !== undefined;
  if (detail?.['part'] === '1') return isEnd ? 'retold' : 'telling';
  return isEnd ? 'told' : 'uses';
}

/** What the entries of one epoch are worth together, as far as they were read. */
export class EpochWorth {
  isLasting = false;
  hasStart = false;
  hasUses = false;
  /** All uses before its end are told in it. */
  hasTold = false;
  #isTelling = false;

  add(content: Uint8Array): void {
    const worth = worthOf(content);
    this.isLasting ||= worth === 'lasting';
    this.hasStart ||= worth === 'start';
    this.hasUses ||= ['uses', 'telling', 'told', 'retold'].includes(worth);
    this.hasTold ||= worth === 'retold' || (worth === 'told' && this.#isTelling);
    if (worth === 'telling') this.#isTelling = true;
  }
}
