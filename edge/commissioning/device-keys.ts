import { isSparcError, SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { Random } from '@sparc/protocol/ports';
import {
  keysAtStart,
  keyStateOf,
  stepDeviceKey,
  type DeviceKeyEffect,
  type DeviceKeyInput,
  type DeviceKeyState,
  type HeldKeys,
  type KeyPath,
} from './key-machine.js';
import type { KeyStore } from './key-store.js';
import type { KeyState } from './operations.js';

/** AES-128 (IEC 60839-11-5, Annex D). */
const SCBK_SIZE_BYTES = 16;

/** What the keys need of the buses. */
export interface KeyLine {
  /** KEYSET inside the present session; resolves with why it was not acknowledged. */
  sendKey(deviceId: string, scbk: Uint8Array): Promise<ErrorCode | undefined>;
  /** `keysInUse` of the device has changed. */
  configure(deviceId: string): void;
}

export interface DeviceKeysDeps {
  readonly random: Random;
  readonly store: KeyStore;
  readonly line: KeyLine;
  /** Seals all keys, where the site has an escrow. Rejects with ERR_ESCROW_WRITE_FAILED. */
  readonly escrow: () => Promise<void>;
  readonly record: (event: EventDraft) => void;
  readonly onStoreFailure: (error: unknown) => void;
  readonly onChange: () => void;
}

/** How a bus may open sessions with a device. `install`: under SCBK-D, to give it `scbk`, until the window ends. */
export type KeysInUse =
  | { readonly mode: 'required'; readonly scbk: Uint8Array; readonly formerScbk?: Uint8Array }
  | { readonly mode: 'install'; readonly scbk: Uint8Array; readonly untilMs: number };

interface Ceremony {
  readonly untilMs: number;
  readonly report: (step: string) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The keys of all devices: what is on disk, what the buses may use, and the ceremonies that change them. */
export class DeviceKeys {
  readonly #states = new Map<string, DeviceKeyState>();
  readonly #ceremonies = new Map<string, Ceremony>();

  /** `broughtKeys`: those that people brought in a file; a key that the gateway gave to a device wins. */
  constructor(
    private readonly deps: DeviceKeysDeps,
    broughtKeys: ReadonlyMap<string, Uint8Array>,
  ) {
    for (const [id, current] of broughtKeys) this.#states.set(id, keysAtStart({ current }));
    for (const [id, keys] of deps.store.devices) this.#states.set(id, keysAtStart(keys));
  }

  stateOf(deviceId: string): KeyState {
    return keyStateOf(this.#stateOf(deviceId));
  }

  /** Undefined: no key is held, and none is being given. */
  keysInUse(deviceId: string): KeysInUse | undefined {
    const { held, phase } = this.#stateOf(deviceId);
    const { current, next } = phase.kind === 'holding' ? phase.before : held;
    if (next === undefined) return current === undefined ? undefined : { mode: 'required', scbk: current };
    const untilMs = this.#ceremonies.get(deviceId)?.untilMs;
    if (phase.kind === 'installing' && untilMs !== undefined) return { mode: 'install', scbk: next, untilMs };
    return { mode: 'required', scbk: next, ...(current === undefined ? {} : { formerScbk: current }) };
  }

  /**
   * False for a device that has shown that it has a key which is held, and has not refused it: SCBK-D would hand a new key
   * to whoever answers in its place.
   */
  mayInstall(deviceId: string): boolean {
    const { held, refused } = this.#stateOf(deviceId);
    return held.current === undefined || refused;
  }

  /** The device opened a session under this key. */
  proven(deviceId: string, scbk: Uint8Array): void {
    this.#feed(deviceId, { kind: 'proven', scbk });
  }

  /** The device refuses what `keysInUse` gave. */
  refused(deviceId: string): void {
    if (this.#stateOf(deviceId).phase.kind === 'installing') {
      this.#ceremonies.get(deviceId)?.report('the device refuses the default key: reset it to its factory state');
    }
    this.#feed(deviceId, { kind: 'refused' });
  }

  /** All keys that are held, by device id; secrets. */
  get held(): ReadonlyMap<string, HeldKeys> {
    return new Map([...this.#states].map(([id, { held }]) => [id, held]));
  }

  /**
   * Gives a device a new random key. Resolves when it has shown that it has it; rejects when it has shown that it has the
   * old one, when it refuses both, when the key could not be stored or sealed, or with the reason of `signal`, after which
   * old and new are held until the device shows which it has. `untilMs`: end of the window, on the monotonic clock.
   */
  async change(
    deviceId: string,
    path: KeyPath,
    { signal, untilMs, report }: Pick<Ceremony, 'untilMs' | 'report'> & { readonly signal: AbortSignal },
  ): Promise<void> {
    if (this.#stateOf(deviceId).phase.kind !== 'idle') {
      throw new SparcError('ERR_COMMISSIONING_BUSY', `a key is on its way to ${deviceId} still`, { deviceId });
    }
    const ended = new Promise<void>((resolve, reject) => {
      this.#ceremonies.set(deviceId, { untilMs, report, resolve, reject });
    });
    const stop = () => {
      this.#feed(deviceId, { kind: 'stopped' });
      this.#ceremonies.get(deviceId)?.reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
    report('storing the new key');
    this.#feed(deviceId, { kind: 'begin', path, fresh: this.deps.random.bytes(SCBK_SIZE_BYTES) });
    try {
      await ended;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#ceremonies.delete(deviceId);
    }
  }

  #stateOf(deviceId: string): DeviceKeyState {
    return this.#states.get(deviceId) ?? keysAtStart({});
  }

  #feed(deviceId: string, input: DeviceKeyInput): void {
    const before = this.#stateOf(deviceId);
    const { state, effects } = stepDeviceKey(before, input);
    if (state === before) return;
    this.#states.set(deviceId, state);
    for (const effect of effects) this.#execute(deviceId, effect, state);
    this.deps.onChange();
  }

  #execute(deviceId: string, effect: DeviceKeyEffect, { held }: DeviceKeyState): void {
    const { line, record } = this.deps;
    const ceremony = this.#ceremonies.get(deviceId);
    switch (effect.kind) {
      case 'hold':
        return void this.#hold(deviceId, held);
      case 'keep':
        return void this.#store(deviceId, held).catch(this.deps.onStoreFailure);
      case 'send':
        ceremony?.report('sending the new key');
        return void this.#send(deviceId, effect.scbk);
      case 'configure':
        if (this.#stateOf(deviceId).phase.kind === 'installing') ceremony?.report('waiting for the device');
        return line.configure(deviceId);
      case 'changed':
        record({ name: 'key.changed', deviceId });
        return ceremony?.resolve();
      case 'unchanged': {
        const message = `${deviceId} has its old key still`;
        record({ name: 'key.unchanged', deviceId, code: effect.trouble });
        return ceremony?.reject(new SparcError(effect.trouble, message, { deviceId }));
      }
      case 'lost': {
        const code = 'ERR_OSDP_KEY_REJECTED';
        record({ name: 'key.lost', deviceId, code });
        return ceremony?.reject(new SparcError(code, `${deviceId} refuses the old key and the new one`, { deviceId }));
      }
    }
  }

  async #hold(deviceId: string, held: HeldKeys): Promise<void> {
    try {
      await this.#store(deviceId, held);
    } catch (error) {
      this.#feed(deviceId, { kind: 'holdFailed' });
      this.#ceremonies.get(deviceId)?.reject(asStoreError(error));
      return;
    }
    this.#feed(deviceId, { kind: 'held' });
  }

  async #store(deviceId: string, held: HeldKeys): Promise<void> {
    await this.deps.store.set(deviceId, held);
    await this.deps.escrow();
  }

  async #send(deviceId: string, scbk: Uint8Array): Promise<void> {
    const trouble = await this.deps.line.sendKey(deviceId, scbk);
    this.#ceremonies.get(deviceId)?.report('waiting for the device to show its key');
    this.#feed(deviceId, { kind: 'sent', ...(trouble === undefined ? {} : { trouble }) });
  }
}

function asStoreError(error: unknown): unknown {
  if (isSparcError(error)) return error;
  const message = `the new key could not be stored: ${(error as Error).message}`;
  return new SparcError('ERR_COMMISSIONING_STORE_FAILED', message, {}, { cause: error });
}
