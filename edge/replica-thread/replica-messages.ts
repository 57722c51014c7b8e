import type { ErrorCode } from '@sparc/protocol/errors';
import type { Heard } from '../heard/index.js';
import type { ExpulsionTexts } from '../membership/index.js';
import type { ReplicaMessage } from '../policy/index.js';

/** What the thread is started with. */
export interface ReplicaThreadData {
  readonly dataDir: string;
  /** Ed25519, 32 bytes: who may sign a generation, and whose journal is not heard. */
  readonly publicKey: Uint8Array;
}

export type ToReplica =
  /** From now on the field takes what others say. */
  | { readonly kind: 'hear' }
  /** There may be more in the replicas; said by a process that is not believed, and so a hint. */
  | { readonly kind: 'stored' }
  /** All whom operators expelled; at its start the thread finds them on the disk. */
  | { readonly kind: 'expelled'; readonly expulsions: ExpulsionTexts }
  /** The field took what it was told last, and wants more. */
  | { readonly kind: 'taken' }
  /** To be answered with `alive`. */
  | { readonly kind: 'ask' };

/** Nothing is heard of an author, or, without one, of anybody until something is heard again: all of it, from the start. */
export interface Unheard {
  readonly author?: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export type FromReplica =
  | ReplicaMessage
  | { readonly kind: 'heard'; readonly heard: Heard }
  | ({ readonly kind: 'unheard' } & Unheard)
  | { readonly kind: 'alive' };
