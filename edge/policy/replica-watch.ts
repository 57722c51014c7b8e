import type { ErrorCode } from '@sparc/protocol/errors';
import { compareHlc } from '@sparc/protocol/hlc';
import { confirmedUnixMsOf, readConfirmation, type Confirmation } from './confirmation.js';
import { readPointer } from './generation-files.js';
import { atOnce, type InPieces } from './in-pieces.js';
import type { Manifest } from './manifest.js';
import type { Verify } from './signed-file.js';
import { verifyGenerationInPieces } from './verify-generation.js';

/** What the replica thread tells the field. */
export type ReplicaMessage =
  /** Use this one from now on. Open it soon: two applications later it is removed. */
  | {
      readonly kind: 'generation';
      readonly path: string;
      readonly manifest: Manifest;
      readonly confirmedUnixMs: number;
    }
  /** The authority of the site said again that it holds. */
  | { readonly kind: 'confirmed'; readonly revision: string; readonly confirmedUnixMs: number }
  /** A newer one is damaged or not authentic; what is used instead follows. */
  | { readonly kind: 'rejected'; readonly code: ErrorCode; readonly message: string }
  /** There is none to use. */
  | { readonly kind: 'none' };

/**
 * Follows the pointer of a data directory, and what confirms its generation. Verification reads a whole generation, so it
 * has a thread of its own.
 */
export class ReplicaWatch {
  #pointer: ReturnType<typeof readPointer> | undefined;
  /** Undefined before the first look; without a manifest, there is none to use. */
  #told: { readonly manifest: Manifest | undefined; readonly confirmation?: Confirmation | undefined } | undefined;

  constructor(
    readonly dataDir: string,
    readonly verify: Verify,
  ) {}

  /** What is new since the last look; at the first, how things stand. */
  look(): ReplicaMessage[] {
    return atOnce(this.lookInPieces());
  }

  /** As `look`: a generation is read whole. One look at a time. */
  *lookInPieces(): InPieces<ReplicaMessage[]> {
    const pointer = readPointer(this.dataDir);
    if (pointer === this.#pointer) return this.#confirmation();
    this.#pointer = pointer;
    const { current, rejected } = yield* verifyGenerationInPieces(this.dataDir, this.verify);
    const messages: ReplicaMessage[] = rejected.map(({ code, message }) => ({ kind: 'rejected', code, message }));
    // One that was damaged and made again has another number and the old revision.
    if (this.#told !== undefined && current?.manifest.generation === this.#told.manifest?.generation) return messages;
    if (current === undefined) {
      this.#told = { manifest: undefined };
      return [...messages, { kind: 'none' }];
    }
    const { path, manifest } = current;
    const confirmation = readConfirmation(this.dataDir, manifest, this.verify);
    this.#told = { manifest, confirmation };
    const confirmedUnixMs = confirmedUnixMsOf(manifest, confirmation);
    return [...messages, { kind: 'generation', path, manifest, confirmedUnixMs }];
  }

  #confirmation(): ReplicaMessage[] {
    if (this.#told?.manifest === undefined) return [];
    const { manifest, confirmation: before } = this.#told;
    const confirmation = readConfirmation(this.dataDir, manifest, this.verify);
    // Each later one counts, whatever the clock of the authority showed.
    if (confirmation === undefined || (before && compareHlc(confirmation.hlc, before.hlc) <= 0)) return [];
    this.#told = { manifest, confirmation };
    return [{ kind: 'confirmed', revision: manifest.revision, confirmedUnixMs: confirmation.confirmedUnixMs }];
  }
}
