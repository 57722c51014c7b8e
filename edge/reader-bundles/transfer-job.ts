import { SparcError, isSparcError } from '@sparc/protocol/errors';
import type { PdId } from '@sparc/protocol/osdp';
import type { Clock } from '@sparc/protocol/ports';
import type { Bundle } from './bundle.js';
import { assertCompatible, firmwareText, hasBundle } from './compatibility.js';
import type { ResumePoints } from './resume-points.js';
import { mayBegin, type Recipient } from './turns.js';

/** How a file transfer over a bus ended; `offset`: bytes that the device has acknowledged. */
export type TransferEnd =
  /** `rebooting`: the device says that it restarts now. */
  | { readonly kind: 'completed'; readonly rebooting: boolean }
  | { readonly kind: 'aborted'; readonly offset: number }
  | { readonly kind: 'failed'; readonly error: SparcError; readonly offset: number };

export interface TransferRequest {
  readonly fileType: number;
  readonly data: Uint8Array;
  readonly offset: number;
  readonly signal: AbortSignal;
}

/** What a job needs of the buses. */
export interface TransferLine {
  /** PDID as the device gives it now, inside its session; undefined while it does not answer. */
  identity(deviceId: string): Promise<PdId | undefined>;
  transferFile(
    deviceId: string,
    request: TransferRequest,
    onProgress: (sentBytes: number) => void,
  ): Promise<TransferEnd>;
}

export type RecipientState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'sending'; readonly sentBytes: number }
  /** The payload is there; the device writes it, restarts, and has to show what it runs. */
  | { readonly kind: 'proving' }
  | { readonly kind: 'done'; readonly firmware: string }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'failed'; readonly error: SparcError };

export interface TransferJobDeps {
  readonly clock: Clock;
  readonly line: TransferLine;
  readonly resume: ResumePoints;
}

/** How long a device may take to come back with what it was given. */
const PROVING_MAX_MS = 120_000;
const PROVING_INTERVAL_MS = 1_000;
/** A device that restarts may still answer for a moment, and must not pass for one that has come back. */
const REBOOT_MS = 5_000;

/** Brings one bundle to many devices, so that every door keeps a reader. */
export class TransferJob {
  readonly #states = new Map<string, RecipientState>();

  constructor(
    private readonly deps: TransferJobDeps,
    private readonly bundle: Bundle & { readonly payload: Uint8Array },
    private readonly recipients: readonly Recipient[],
    private readonly onChange: (states: ReadonlyMap<string, RecipientState>) => void,
  ) {
    for (const { deviceId } of recipients) this.#states.set(deviceId, { kind: 'waiting' });
  }

  /** Resolves when nobody waits any more; each device then has an end of its own. Never rejects. */
  async run(signal: AbortSignal): Promise<ReadonlyMap<string, RecipientState>> {
    let waiting = [...this.recipients];
    const running = new Map<Recipient, Promise<Recipient>>();
    for (;;) {
      if (signal.aborted) for (const { deviceId } of waiting.splice(0)) this.#set(deviceId, { kind: 'aborted' });
      for (const recipient of mayBegin(waiting, [...running.keys()])) {
        running.set(
          recipient,
          this.#serve(recipient, signal).then(() => recipient),
        );
      }
      waiting = waiting.filter((recipient) => !running.has(recipient));
      if (running.size === 0) return this.#states;
      const ended = await Promise.race(running.values());
      running.delete(ended);
      if (this.#states.get(ended.deviceId)?.kind === 'failed') waiting = this.#holdBack(waiting, ended);
    }
  }

  /** What broke one reader of a door would break the other. */
  #holdBack(waiting: readonly Recipient[], failed: Recipient): Recipient[] {
    return waiting.filter(({ deviceId, doorIds }) => {
      if (!doorIds.some((id) => failed.doorIds.includes(id))) return true;
      const message = `${deviceId} was left as it is: ${failed.deviceId}, at the same door, failed`;
      this.#set(deviceId, { kind: 'failed', error: new SparcError('ERR_BUNDLE_HELD_BACK', message, { deviceId }) });
      return false;
    });
  }

  async #serve({ deviceId }: Recipient, signal: AbortSignal): Promise<void> {
    try {
      this.#set(deviceId, await this.#bring(deviceId, signal));
    } catch (error) {
      if (!isSparcError(error)) throw error;
      this.#set(deviceId, { kind: 'failed', error });
    }
  }

  async #bring(deviceId: string, signal: AbortSignal): Promise<RecipientState> {
    const { line, resume } = this.deps;
    const { manifest, payload, id: bundle } = this.bundle;
    const before = await line.identity(deviceId);
    if (before === undefined) throw absent(deviceId);
    if (hasBundle(manifest, before)) return { kind: 'done', firmware: firmwareText(before) };
    assertCompatible(manifest, deviceId, before);

    const { serial } = before;
    const offset = resume.find(deviceId, bundle, serial);
    const request = { fileType: manifest.fileType, data: payload, offset, signal };
    const end = await line.transferFile(deviceId, request, (sentBytes) => {
      this.#set(deviceId, { kind: 'sending', sentBytes });
      resume.keep(deviceId, { bundle, serial, offset: sentBytes });
    });
    if (end.kind !== 'completed') {
      resume.keep(deviceId, { bundle, serial, offset: end.offset });
      return end.kind === 'aborted' ? { kind: 'aborted' } : { kind: 'failed', error: end.error };
    }
    resume.forget(deviceId);
    if (end.rebooting) await this.#pause(REBOOT_MS);
    return this.#prove(deviceId, signal);
  }

  async #prove(deviceId: string, signal: AbortSignal): Promise<RecipientState> {
    const { clock, line } = this.deps;
    const { manifest } = this.bundle;
    this.#set(deviceId, { kind: 'proving' });
    const givesUpAtMs = clock.monotonicMs() + PROVING_MAX_MS;
    for (;;) {
      const id = await line.identity(deviceId);
      if (id !== undefined && (manifest.firmwareAfter === undefined || hasBundle(manifest, id))) {
        return { kind: 'done', firmware: firmwareText(id) };
      }
      if (signal.aborted || clock.monotonicMs() >= givesUpAtMs) throw notTaken(deviceId, manifest.firmwareAfter, id);
      await this.#pause(PROVING_INTERVAL_MS);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.deps.clock.setTimer(ms, resolve));
  }

  #set(deviceId: string, state: RecipientState): void {
    this.#states.set(deviceId, state);
    this.onChange(this.#states);
  }
}

const absent = (deviceId: string): SparcError =>
  new SparcError('ERR_BUNDLE_DEVICE_ABSENT', `${deviceId} does not answer`, { deviceId });

function notTaken(deviceId: string, wanted: string | undefined, id: PdId | undefined): SparcError {
  const runs = id === undefined ? 'does not answer' : `runs firmware ${firmwareText(id)}`;
  const message = `${deviceId} took everything, and ${runs}${wanted === undefined ? '' : `; ${wanted} was expected`}`;
  return new SparcError('ERR_BUNDLE_NOT_TAKEN', message, { deviceId });
}
