import type { MonitorItem } from './monitor-types.js';

/** What was counted of one PD. */
export interface HeardCounts {
  readonly commands: number;
  readonly replies: number;
  /** Commands that were sent again. */
  readonly repeats: number;
  readonly unanswered: number;
  readonly naks: number;
  readonly busy: number;
  /** From the end of a command to the end of its reply; of the last {@link DELAYS_KEPT}, in milliseconds. */
  readonly delaysMs: readonly number[];
}

/** What a monitor has heard, in figures. */
export interface MonitorSummary {
  /** By address. */
  readonly pds: Readonly<Record<number, HeardCounts>>;
  readonly noiseBytes: number;
  readonly badChecks: number;
}

export const EMPTY_SUMMARY: MonitorSummary = { pds: {}, noiseBytes: 0, badChecks: 0 };
export const DELAYS_KEPT = 1_000;

const NOTHING_HEARD: HeardCounts = {
  commands: 0,
  replies: 0,
  repeats: 0,
  unanswered: 0,
  naks: 0,
  busy: 0,
  delaysMs: [],
};

/** Adds one item of a monitor to the figures. */
export function summarise(summary: MonitorSummary, item: MonitorItem): MonitorSummary {
  if (item.kind === 'noise') {
    const badChecks = summary.badChecks + (item.damage === 'badCheck' ? 1 : 0);
    return { ...summary, noiseBytes: summary.noiseBytes + item.bytes.length, badChecks };
  }
  const address = item.kind === 'unanswered' ? item.address : item.frame.address;
  const counts = summary.pds[address] ?? NOTHING_HEARD;
  return { ...summary, pds: { ...summary.pds, [address]: counted(counts, item) } };
}

function counted(counts: HeardCounts, item: Exclude<MonitorItem, { kind: 'noise' }>): HeardCounts {
  if (item.kind === 'unanswered') return { ...counts, unanswered: counts.unanswered + 1 };
  if (item.direction === 'acu') {
    return { ...counts, commands: counts.commands + 1, repeats: counts.repeats + (item.repeat ? 1 : 0) };
  }
  const name = item.reading.kind === 'reply' ? item.reading.reply.name : undefined;
  const { delayMs } = item;
  return {
    ...counts,
    replies: counts.replies + 1,
    naks: counts.naks + (name === 'NAK' ? 1 : 0),
    busy: counts.busy + (name === 'BUSY' ? 1 : 0),
    delaysMs: delayMs === undefined ? counts.delaysMs : [...counts.delaysMs.slice(1 - DELAYS_KEPT), delayMs],
  };
}

/** The value below or at which `share` (0 to 1) of the values lie; undefined where there is none. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
