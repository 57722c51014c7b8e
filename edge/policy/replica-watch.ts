import type { ErrorCode } from '@sparc/protocol/errors';
import { readPointer } from './generation-files.js';
import type { Verify } from './signed-file.js';
import { verifyGeneration } from './verify-generation.js';

/** What the replica thread tells the field. */
export type ReplicaMessage =
  /** Use this one from now on. Open it soon: two applications later it is removed. */
  | { readonly kind: 'generation'; readonly path: string; readonly revision: string; readonly confirmedUnixMs: number }
  /** A newer one is damaged or not authentic; what is used instead follows. */
  | { readonly kind: 'rejected'; readonly code: ErrorCode; readonly message: string }
  /** There is none to use. */
  | { readonly kind: 'none' };

/** Follows the pointer of a data directory. Verification reads a whole generation, so it has a thread of its own. */
export class ReplicaWatch {
  #pointer: ReturnType<typeof readPointer> | undefined;
  #told: string | undefined;

  constructor(
    readonly dataDir: string,
    readonly verify: Verify,
  ) {}

  /** What is new since the last look; at the first, how things stand. */
  look(): ReplicaMessage[] {
    const pointer = readPointer(this.dataDir);
    if (pointer === this.#pointer) return [];
    this.#pointer = pointer;
    const { current, rejected } = verifyGeneration(this.dataDir, this.verify);
    const messages: ReplicaMessage[] = rejected.map(({ code, message }) => ({ kind: 'rejected', code, message }));
    const revision = current?.manifest.revision ?? '';
    if (revision !== this.#told) {
      this.#told = revision;
      messages.push(
        current === undefined
          ? { kind: 'none' }
          : { kind: 'generation', path: current.path, revision, confirmedUnixMs: current.manifest.appliedUnixMs },
      );
    }
    return messages;
  }
}
