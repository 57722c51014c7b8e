import { readFileSync, statSync } from 'node:fs';
import { platform, uptime } from 'node:os';
import type { TimeEvidence } from '@sparc/protocol/ports';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
/** systemd-timesyncd touches it at each synchronisation; other daemons can be told to. */
const SYNCHRONISED_MARK = '/run/systemd/timesync/synchronized';
const HARDWARE_CLOCK = '/sys/class/rtc/rtc0/since_epoch';

/** What Linux tells. Elsewhere nothing is known but the monotonic clock of the process. */
export function createTimeEvidence(): TimeEvidence {
  const bootId = readText(BOOT_ID);
  // Where the start of the machine is computed from the wall clock, setting that clock would go unseen.
  const countsSleep = platform() === 'linux';
  return {
    bootId,
    uptimeMs: () => (countsSleep ? uptime() * 1_000 : performance.now()),
    confirmedUnixMs,
    hardwareUnixMs() {
      const text = readText(HARDWARE_CLOCK);
      return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) * 1_000 : undefined;
    },
  };
}

/** When a time source set or confirmed the wall clock last. */
export function confirmedUnixMs(): number | undefined {
  return statSync(SYNCHRONISED_MARK, { throwIfNoEntry: false })?.mtimeMs;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
