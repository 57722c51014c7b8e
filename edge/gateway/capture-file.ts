import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OsdpBus, TappedFrame } from '@sparc/firmware-bridges/osdp';
import { encodeCaptureLine } from '@sparc/protocol/osdp';
import type { Clock } from '@sparc/protocol/ports';

/** Of the data directory, mode 0700: who has a capture of a KEYSET under SCBK-D has the key. */
export const CAPTURES_FOLDER = 'captures';
/** The oldest goes when there are more. */
export const CAPTURES_MAX = 20;
/** A capture ends at this size. */
export const CAPTURE_SIZE_MAX_BYTES = 67_108_864;
const WRITE_INTERVAL_MS = 250;
/** Frames that wait for a disk that does not take them; then the capture ends. */
const FRAMES_WAITING_MAX = 10_000;
const US_PER_MS = 1_000;
const NS_PER_US = 1_000n;

export interface CaptureRequest {
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** `name`: of the file, once it is there. */
  readonly onProgress: (progress: number, name: string) => void;
}

/**
 * Writes the frames of a bus to an osdpcap file, both directions, ciphertext as it is. The bus only puts them into memory:
 * a disk that is slow or full ends the capture, and holds up no poll. Rejects with what the disk says.
 */
export async function captureToFile(
  { clock, dataDir, bus }: { readonly clock: Clock; readonly dataDir: string; readonly bus: OsdpBus },
  { seconds, signal, onProgress }: CaptureRequest,
): Promise<void> {
  const folder = join(dataDir, CAPTURES_FOLDER);
  const { unixMs } = clock.wall();
  const offsetMs = unixMs - clock.monotonicMs();
  const name = `${bus.busId}-${new Date(unixMs).toISOString().replace(/[-:]|\.\d+/g, '')}.osdpcap`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await removeOldest(folder);
  const file = await open(join(folder, name), 'wx', 0o600);
  const waiting: TappedFrame[] = [];
  let isBehind = false;
  const untap = bus.tap((frame) => {
    isBehind ||= waiting.length >= FRAMES_WAITING_MAX;
    if (!isBehind) waiting.push(frame);
  });
  const startMs = clock.monotonicMs();
  let size = 0;
  try {
    for (let progress = 0; progress < 1 && !signal.aborted && size < CAPTURE_SIZE_MAX_BYTES;) {
      onProgress(progress, name);
      await pause(clock, WRITE_INTERVAL_MS);
      if (isBehind) throw new Error('the disk does not take what is on the line');
      const frames = waiting.splice(0);
      const text = frames.map((frame) => `${encodeCaptureLine(recordOf(frame, offsetMs))}\n`).join('');
      await file.writeFile(text);
      size += text.length;
      progress = (clock.monotonicMs() - startMs) / (seconds * 1_000);
    }
  } finally {
    untap();
    await file.close();
  }
  signal.throwIfAborted();
}

function recordOf({ atMs, direction, bytes }: TappedFrame, offsetMs: number) {
  return {
    unixNs: BigInt(Math.round((atMs + offsetMs) * US_PER_MS)) * NS_PER_US,
    io: direction === 'acu' ? ('output' as const) : ('input' as const),
    bytes,
  };
}

/** Their names begin with the bus, so the time at the end orders them. */
async function removeOldest(folder: string): Promise<void> {
  const timeOf = (name: string) => name.slice(name.lastIndexOf('-') + 1);
  const names = (await readdir(folder)).sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1));
  for (const name of names.slice(CAPTURES_MAX - 1)) await rm(join(folder, name), { force: true });
}

const pause = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => clock.setTimer(ms, () => resolve()));
