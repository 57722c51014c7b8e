import type { Finding, Reading } from './monitor-types.js';

/** Where the next part of each message in parts has to begin, by the name of the message. */
export type NextOffsets = Readonly<Record<string, number>>;

/** Follows multi-part messages and file transfers of one PD (SIA OSDP v2.2, "Multi-Part Messages"): in order, without gaps. */
export function followFragments(
  next: NextOffsets,
  reading: Reading,
): { readonly next: NextOffsets; readonly findings: readonly Finding[] } {
  const message = reading.kind === 'command' ? reading.command : reading.kind === 'reply' ? reading.reply : undefined;
  if (message === undefined || !('totalSize' in message) || message.data.length === 0) return { next, findings: [] };
  const { name, offset, data } = message;
  const due = next[name] ?? 0;
  const isGap = offset !== 0 && offset !== due;
  return {
    next: { ...next, [name]: offset + data.length },
    findings: isGap ? [{ code: 'fragmentGap', text: `a part at byte ${offset}, where byte ${due} was due` }] : [],
  };
}
