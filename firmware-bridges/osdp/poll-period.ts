import type { ErrorCode } from '@sparc/protocol/errors';

/** A card is read when its reader is polled; whoever waits longer presents it again. */
export const POLL_PERIOD_MAX_MS = 1_000;
/** From an answer with nothing in it to the next poll (default of the ACU machine). */
const POLL_INTERVAL_MS = 50;
/** Mark, POLL and its ACK: bare, and with security block and MAC. */
const CLEAR_POLL_CHARACTERS = 2 * (1 + 8);
const SECURE_POLL_CHARACTERS = 2 * (1 + 14);
/** Silence before each frame. */
const IDLE_CHARACTERS = 2;
/** What a reader and its adapter take to answer: most readers 1 to 3 ms (IEC 60839-11-5, 5.7), adapters a little more. */
const TURNAROUND_MS = 4;
const BITS_PER_CHARACTER = 10;

/** As much of a plan as says how long its polls take. */
export interface PolledDevice {
  readonly secureChannel: { readonly mode: 'required' | 'install' | 'clear' };
}

/** Milliseconds from one poll of a device to its next, on a line where nobody has anything to report. */
export function predictedPollPeriodMs(devices: readonly PolledDevice[], baudRate: number): number {
  const exchangesMs = devices.map(({ secureChannel }) => {
    const characters = secureChannel.mode === 'clear' ? CLEAR_POLL_CHARACTERS : SECURE_POLL_CHARACTERS;
    return ((characters + IDLE_CHARACTERS) * BITS_PER_CHARACTER * 1_000) / baudRate + TURNAROUND_MS;
  });
  if (exchangesMs.length === 0) return 0;
  const roundMs = exchangesMs.reduce((sum, exchangeMs) => sum + exchangeMs);
  return Math.max(roundMs, POLL_INTERVAL_MS + Math.max(...exchangesMs));
}

/** Why a bus cannot serve so many devices at this rate; undefined if it can. */
export function busPlanProblem(
  devices: readonly PolledDevice[],
  baudRate: number,
): { readonly code: ErrorCode; readonly message: string } | undefined {
  const periodMs = predictedPollPeriodMs(devices, baudRate);
  if (periodMs <= POLL_PERIOD_MAX_MS) return undefined;
  const figures = `${devices.length} devices at ${baudRate} baud are polled every ${Math.round(periodMs)} ms`;
  return {
    code: 'ERR_BUS_POLL_PERIOD',
    message: `${figures}; ${POLL_PERIOD_MAX_MS} ms are the longest that people bear`,
  };
}
