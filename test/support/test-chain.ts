import { isEventName, PASSING_EVENTS } from '@sparc/protocol/events';
import {
  encodeEvent,
  EntryContent,
  EPOCH_KIND,
  EpochBody,
  EVENT_KIND,
  hashEntry,
  NO_HASH,
  pureCrypto,
  signHead,
  type ChainedEntry,
  type SignedHead,
  type StoredRecord,
} from '@sparc/protocol/ledger';
import type { LogCommit, Signer } from '@sparc/protocol/ports';
import { testSigner } from './test-signer.js';

/** Makes commits as a gateway does, without its journal: the other opinion on what a chain is. */
export class TestChain {
  #head: SignedHead | undefined;
  #wallUnixMs: number;

  /** Each entry is made a millisecond after the one before it. */
  constructor(
    readonly signer: Signer = testSigner(),
    startUnixMs = 1_767_600_000_000,
    readonly site = 'harbour',
    /** Its hybrid clock is so far ahead of the other, which was set back. */
    private readonly hlcAheadMs = 0,
  ) {
    this.#wallUnixMs = startUnixMs;
  }

  get head(): SignedHead | undefined {
    return this.#head;
  }

  /** Another life of the same author from where this one stands: on a restored disk, or with a cloned key. */
  branch(): TestChain {
    const other = new TestChain(this.signer, undefined, this.site, this.hlcAheadMs);
    other.#head = this.#head;
    return other;
  }

  /** A commit that opens an epoch; its random bytes are `random` eight times. */
  open(
    counter: number,
    records: readonly StoredRecord[] = [],
    predecessorLost = false,
    random: number = counter,
  ): LogCommit {
    const previous = this.#head;
    const body = EpochBody.encode({ ...(previous !== undefined && { previous }), predecessorLost });
    const first = this.#content(EPOCH_KIND, body);
    const epoch = { counter, random: new Uint8Array(8).fill(random) };
    return this.#commit(epoch, 0, previous?.hash ?? NO_HASH, [first, ...records.map((record) => this.#event(record))]);
  }

  add(...records: readonly StoredRecord[]): LogCommit {
    if (this.#head === undefined) throw new Error('open first');
    const { epoch, sequence, hash } = this.#head;
    return this.#commit(
      epoch,
      sequence,
      hash,
      records.map((record) => this.#event(record)),
    );
  }

  /** Of a kind of its own, as an authority writes them. */
  addBody(kind: string, body: Uint8Array): LogCommit {
    return this.addContent(this.#content(kind, body));
  }

  /** Whatever an author may sign. */
  addContent(content: Uint8Array): LogCommit {
    if (this.#head === undefined) throw new Error('open first');
    const { epoch, sequence, hash } = this.#head;
    return this.#commit(epoch, sequence, hash, [content]);
  }

  #event(record: StoredRecord): Uint8Array {
    const isPassing = isEventName(record.name) && PASSING_EVENTS.has(record.name);
    return this.#content(EVENT_KIND, encodeEvent(record), isPassing);
  }

  #content(kind: string, body: Uint8Array, isPassing = false): Uint8Array {
    const wallUnixMs = this.#wallUnixMs++;
    return EntryContent.encode({
      kind,
      hlc: { unixMs: wallUnixMs + this.hlcAheadMs, counter: 0 },
      wallUnixMs,
      timeQuality: 'synced',
      body,
      ...(isPassing && { passing: true }),
    });
  }

  #commit(epoch: SignedHead['epoch'], last: number, lastHash: Uint8Array, contents: readonly Uint8Array[]): LogCommit {
    const author = this.signer.publicKey;
    const entries: ChainedEntry[] = [];
    let previousHash = lastHash;
    for (const [index, content] of contents.entries()) {
      const sequence = last + index + 1;
      const hash = hashEntry(pureCrypto, { author, epoch, sequence, previousHash }, content);
      entries.push({ epoch, sequence, hash, content });
      previousHash = hash;
    }
    const sequence = last + contents.length;
    this.#head = signHead(this.signer, { site: this.site, author, epoch, sequence, hash: previousHash });
    return { entries, head: this.#head, recovery: Uint8Array.of() };
  }
}
