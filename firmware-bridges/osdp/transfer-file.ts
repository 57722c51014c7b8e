import {
  createFileTransfer,
  FRAME_LENGTH_MAX,
  fragmentSize,
  receiveSize,
  stepFileTransfer,
  type FileTransferEffect,
  type FileTransferInput,
  type FileTransferOptions,
  type FileTransferResult,
} from '@sparc/protocol/osdp';
import type { OsdpBus } from './osdp-bus.js';

/** A frame of a transfer keeps the line from the doors of its bus for no longer than this. */
const FRAME_TIME_MAX_MS = 150;
/** Every PD takes frames of this length. */
const FRAME_LENGTH_MIN = 128;
/** A fragment that could not be sent for so long is offered again by the transfer. */
const FRAGMENT_TTL_MS = 15_000;

export interface TransferOptions extends FileTransferOptions {
  /** Tells the device to give the file up. */
  readonly signal?: AbortSignal;
}

export interface TransferProgress {
  readonly sentSize: number;
  readonly totalSize: number;
}

/**
 * A file to a device of the plan; its doors, and those of its neighbours, stay usable meanwhile. A transfer that failed
 * tells the offset at which it may be resumed. Rejects with a CodecError for an empty file or an offset beyond its end.
 */
export async function transferFile(
  bus: OsdpBus,
  deviceId: string,
  { signal, ...options }: TransferOptions,
  onProgress: (progress: TransferProgress) => void = () => undefined,
): Promise<FileTransferResult> {
  const device = bus.device(deviceId);
  let state = createFileTransfer(options);
  const step = (input: FileTransferInput): readonly FileTransferEffect[] => {
    const next = stepFileTransfer(state, input);
    state = next.state;
    return next.effects;
  };
  const frameLength = Math.min(
    receiveSize(device.capabilities ?? []),
    Math.max(FRAME_LENGTH_MIN, Math.floor(FRAME_TIME_MAX_MS / bus.lineMs(1))),
    FRAME_LENGTH_MAX,
  );
  let abortTold = false;
  let effects = step({
    kind: 'start',
    nowMs: bus.nowMs(),
    fragmentSizeMax: fragmentSize(frameLength, device.secure),
  });
  for (;;) {
    if (signal?.aborted === true && !abortTold) {
      abortTold = true;
      effects = [...effects.filter(({ kind }) => kind !== 'wait'), ...step({ kind: 'abort', nowMs: bus.nowMs() })];
    }
    const [effect, ...rest] = effects;
    effects = rest;
    switch (effect?.kind) {
      case 'send': {
        const outcome = await bus.send(deviceId, effect.command, { priority: 'normal', ttlMs: FRAGMENT_TTL_MS });
        effects = [...rest, ...step({ kind: 'outcome', nowMs: bus.nowMs(), outcome })];
        break;
      }
      case 'wait':
        await bus.until(() => false, effect.untilMs - bus.nowMs(), abortTold ? undefined : signal);
        effects = [...rest, ...step({ kind: 'time', nowMs: bus.nowMs() })];
        break;
      case 'progress':
        onProgress(effect);
        break;
      case 'done':
        return effect.result;
      case undefined:
        throw new Error(`the transfer to ${deviceId} came to a stop`);
    }
  }
}
