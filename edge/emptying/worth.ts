import type { EventName } from '@sparc/protocol/events';
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

/** For how long the content of an entry counts. `start`: until its author says the next time what it serves. */
export function worthOf(content: Uint8Array): 'passing' | 'start' | 'lasting' {
  const { kind, body } = EntryContent.decode(content);
  if (kind === EPOCH_KIND) return 'passing';
  try {
    const record = kind === EVENT_KIND ? decodeEvent(body) : undefined;
    // What only a newer version can read may count for ever.
    if (record === undefined || !isKnownRecord(record) || lasting.has(record.name)) return 'lasting';
    return record.name === 'gateway.started' ? 'start' : 'passing';
  } catch {
    return 'lasting';
  }
}
