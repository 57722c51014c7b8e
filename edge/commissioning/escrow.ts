import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, Random, Timer } from '@sparc/protocol/ports';
import { replaceFileDurablyLater } from '../platform/index.js';
import { digestOfBundle, sealBundle, type EscrowContent } from './escrow-bundle.js';

/** Of the data directory. Sealed: whoever copies it cannot read it. */
export const ESCROW_FILE = 'escrow.sealed';
/** A share that was cut off can hang for ever. */
const WRITE_MAX_MS = 5_000;

export interface EscrowOptions {
  /** X25519 public key, 32 bytes. */
  readonly recoveryKey: Uint8Array;
  /** A second copy, away from this machine: on a mounted share. */
  readonly path?: string;
}

export interface EscrowDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly dataDir: string;
  readonly record: (event: EventDraft) => void;
}

/** Seals every change of keys to the recovery key of the site. */
export class Escrow {
  /** One after the other: a share that hangs holds up one thread, and the newest bundle is the last. */
  #turns: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly deps: EscrowDeps,
    private readonly options: EscrowOptions,
  ) {}

  /** Resolves when every copy is on its disk. Throws ERR_ESCROW_WRITE_FAILED; either way it is recorded. */
  async write(content: EscrowContent): Promise<void> {
    const { clock, random, dataDir, record } = this.deps;
    const { recoveryKey, path } = this.options;
    const bytes = sealBundle(recoveryKey, content, random);
    const digest = digestOfBundle(bytes);
    const paths = [join(dataDir, ESCROW_FILE), ...(path === undefined ? [] : [path])];
    try {
      const written = this.#turns.then(() =>
        Promise.all(paths.map((each) => replaceFileDurablyLater(each, bytes, 0o600))),
      );
      this.#turns = written.catch(() => undefined);
      await within(clock, WRITE_MAX_MS, written);
    } catch (cause) {
      const code = 'ERR_ESCROW_WRITE_FAILED';
      record({ name: 'escrow.failed', code });
      throw new SparcError(code, `the escrow bundle: ${(cause as Error).message}`, { paths }, { cause });
    }
    record({ name: 'escrow.written', detail: { digest, devices: String(content.devices.length) } });
  }
}

async function within(clock: Clock, maxMs: number, work: Promise<unknown>): Promise<void> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = clock.setTimer(maxMs, () => reject(new Error(`not written within ${maxMs} ms`)));
  });
  await Promise.race([work, late]).finally(() => timer?.cancel());
}
