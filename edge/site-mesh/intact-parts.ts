import { SparcError } from '@sparc/protocol/errors';
import { intactPart, type PartTools } from '@sparc/protocol/policy-revision';
import type { PartStore } from '@sparc/protocol/ports';

/** Parts as they were signed: what does not fit its name was damaged on the disk, and is dropped and told. */
export class IntactParts {
  constructor(
    private readonly tools: Pick<PartTools, 'sha256'>,
    private readonly store: Pick<PartStore, 'has' | 'get' | 'drop'>,
    private readonly onDamaged: (error: SparcError) => void,
  ) {}

  /** Throws as the store does. */
  get(hash: string): Uint8Array | undefined {
    const content = intactPart(this.tools, this.store, hash);
    if (content !== undefined || !this.store.has(hash)) return content;
    this.store.drop(hash);
    this.onDamaged(new SparcError('ERR_POLICY_PART_ABSENT', `the part ${hash} was damaged on the disk`, { hash }));
    return undefined;
  }
}
