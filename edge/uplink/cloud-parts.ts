import { PartBrought, PartsWanted } from '@sparc/protocol/cloud-link';
import type { MeshReply } from '@sparc/protocol/ports';

/** Parts of policy revisions that the cloud is asked for. Whoever asks ends a reply that takes too long. */
export class CloudParts {
  readonly #replies = new Map<number, PartReply>();
  #lastRequest = 0;

  constructor(private readonly send: (body: Uint8Array) => void) {}

  /** What the cloud has of these. */
  ask(hashes: readonly string[]): MeshReply {
    const request = ++this.#lastRequest;
    const reply = new PartReply(hashes.length, () => this.#replies.delete(request));
    this.#replies.set(request, reply);
    this.send(PartsWanted.encode({ request, hashes }));
    return reply;
  }

  /** Of a reply that has ended it is passed over. Throws ERR_LEDGER_MALFORMED. */
  brought(body: Uint8Array): void {
    const { request, content } = PartBrought.decode(body);
    const reply = this.#replies.get(request);
    if (content === undefined) reply?.end();
    else reply?.push(content);
  }

  /** The link broke. */
  clear(): void {
    for (const reply of [...this.#replies.values()]) reply.end();
  }
}

class PartReply implements MeshReply {
  readonly #came: Uint8Array[] = [];
  #isEnded = false;
  #wake: (() => void) | undefined;

  constructor(
    /** More is not kept. */
    private restCount: number,
    private readonly onEnd: () => void,
  ) {}

  push(content: Uint8Array): void {
    if (this.#isEnded || this.restCount-- <= 0) return;
    this.#came.push(content);
    this.#wake?.();
  }

  end(): void {
    this.#isEnded = true;
    this.onEnd();
    this.#wake?.();
  }

  cancel(): void {
    this.#came.length = 0;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#came.shift();
      if (next !== undefined) yield next;
      else if (this.#isEnded) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
