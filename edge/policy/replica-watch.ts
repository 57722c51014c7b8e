import type { ErrorCode } from '@sparc/protocol/errors';
import { confirmedUnixMsOf } from './confirmation.js';
import { readPointer } from './generation-files.js';
import type { Manifest } from './manifest.js';
import type { Verify } from './signed-file.js';
import { verifyGeneration } from './verify-generation.js';

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
  #told: { readonly manifest: Manifest | undefined; readonly confirmedUnixMs: number } | undefined;

  constructor(
    readonly dataDir: string,
    readonly verify: Verify,
  ) {}

  /** What is new since the last look; at the first, how things stand. */
  look(): ReplicaMessage[] {
    const pointer = readPointer(this.dataDir);
    if (pointer === this.#pointer) return this.#confirmation();
    this.#pointer = pointer;
    const { current, rejected } = verifyGeneration(this.dataDir, this.verify);
    const messages: ReplicaMessage[] = rejected.map(({ code, message }) => ({ kind: 'rejected', code, message }));
    if (this.#told !== undefined && current?.manifest.revision === this.#told.manifest?.revision) return messages;
    if (current === undefined) {
      this.#told = { manifest: undefined, confirmedUnixMs: 0 };
      return [...messages, { kind: 'none' }];
    }
    const { path, manifest } = current;
    const confirmedUnixMs = confirmedUnixMsOf(this.dataDir, manifest, this.verify);
    this.#told = { manifest, confirmedUnixMs };
    return [...messages, { kind: 'generation', path, manifest, confirmedUnixMs }];
  }

  #confirmation(): ReplicaMessage[] {
    if (this.#told?.manifest === undefined) return [];
    const { manifest } = this.#told;
    const confirmedUnixMs = confirmedUnixMsOf(this.dataDir, manifest, this.verify);
    if (confirmedUnixMs <= this.#told.confirmedUnixMs) return [];
    this.#told = { manifest, confirmedUnixMs };
    return [{ kind: 'confirmed', revision: manifest.revision, confirmedUnixMs }];
  }
}
