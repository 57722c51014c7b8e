import { MeshRequest } from '@sparc/protocol/replication';
import type { IntactParts } from './intact-parts.js';

/** Lets neighbours have parts of policy revisions. */
export class PartServer {
  constructor(
    private readonly siteId: string,
    private readonly parts: Pick<IntactParts, 'get'>,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /** Undefined for a request that is not for parts. */
  serve(request: Uint8Array): Iterable<Uint8Array> | undefined {
    let asked;
    try {
      asked = MeshRequest.decode(request).parts;
    } catch {
      return undefined;
    }
    if (asked === undefined) return undefined;
    return asked.site === this.siteId ? this.#partsOf(asked.hashes) : [];
  }

  *#partsOf(hashes: readonly string[]): Iterable<Uint8Array> {
    try {
      for (const hash of hashes) {
        const content = this.parts.get(hash);
        if (content !== undefined) yield content;
      }
    } catch (error) {
      this.onFailure(error);
    }
  }
}
