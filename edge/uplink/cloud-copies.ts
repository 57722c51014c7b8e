import type { Acknowledgement, StoredHead } from '@sparc/protocol/cloud-link';
import { epochName } from '@sparc/protocol/replication';
import { toHex } from '../platform/index.js';

interface Copy {
  readonly head: StoredHead;
  readonly issuedUnixMs: number;
}

/** What the cloud said to have on its disk. Of two words on one epoch the later counts, in whatever order they come. */
export class CloudCopies {
  /** By author in hex, and epoch. */
  #copies = new Map<string, Copy>();
  #completeUnixMs = -Infinity;

  /** False for what was said before the last complete word. */
  take({ issuedUnixMs, complete, heads }: Acknowledgement): boolean {
    if (issuedUnixMs < this.#completeUnixMs) return false;
    if (complete) {
      this.#completeUnixMs = issuedUnixMs;
      // What it does not name, it has lost.
      this.#copies = new Map([...this.#copies].filter(([, copy]) => copy.issuedUnixMs > issuedUnixMs));
    }
    for (const head of heads) {
      const name = `${toHex(head.author)} ${epochName(head.epoch)}`;
      const known = this.#copies.get(name);
      if (known === undefined || known.issuedUnixMs <= issuedUnixMs) this.#copies.set(name, { head, issuedUnixMs });
    }
    return true;
  }

  /** Of one author, in hex. */
  of(author: string): readonly StoredHead[] {
    return [...this.#copies.values()].map(({ head }) => head).filter((head) => toHex(head.author) === author);
  }
}
