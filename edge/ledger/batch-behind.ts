import type { Batch, SignedHead } from '@sparc/protocol/ledger';

/** Where a batch is cut from: behind an entry of an epoch. */
interface Place {
  readonly epochOf: SignedHead;
  /** 0: at the start of the epoch. */
  readonly sequence: number;
  readonly hashAt: (sequence: number) => Uint8Array | undefined;
}

/** A batch of the entries behind a place, as they are on disk; `signature` is over the last of them. */
export function batchBehind(
  { epochOf: { site, author, epoch }, sequence, hashAt }: Place,
  contents: readonly Uint8Array[],
  signature: Uint8Array,
): Batch {
  const previousHash = sequence === 0 ? undefined : hashAt(sequence);
  return {
    site,
    author,
    epoch,
    firstSequence: sequence + 1,
    ...(previousHash !== undefined && { previousHash }),
    contents: [...contents],
    signature,
  };
}
