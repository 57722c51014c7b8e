import { isSparcError } from '@sparc/protocol/errors';
import { sameBytes } from '@sparc/protocol/ledger';
import type { Clock, MeshNetwork } from '@sparc/protocol/ports';
import { MeshRequest, type WantWord } from '@sparc/protocol/replication';
import type { CloudWords } from '../emptying/index.js';
import { tapped } from './tapped-network.js';

/** The one that is old enough, and the newest. */
const WORDS_OF_ANSWER = 2;
/** A neighbour that does not answer for so long is not waited for. */
export const WORD_REPLY_MAX_MS = 10_000;

export interface WordExchangeDeps {
  readonly clock: Clock;
  readonly network: MeshNetwork;
  readonly siteId: string;
  readonly cloudKey: Uint8Array;
  readonly words: Pick<CloudWords, 'old' | 'newest'>;
  /** What a neighbour has kept. Throws ERR_LINK_ACKNOWLEDGEMENT_INVALID. */
  readonly take: (signed: Uint8Array) => void;
}

/** Lets neighbours have the cloud's words, and asks them: so does whoever has no link to it, or had none for long. */
export class WordExchange {
  /** The network that it looks on at, to be used in its place. */
  readonly network: MeshNetwork;
  readonly #here = new Set<string>();
  #askedCount = 0;

  constructor(private readonly deps: WordExchangeDeps) {
    this.network = tapped(deps.network, {
      onConnected: (neighbour) => this.#here.add(neighbour),
      onDisconnected: (neighbour) => this.#here.delete(neighbour),
      serve: (request) => this.#serve(request),
    });
  }

  /** Asks a neighbour, each in its turn. Never rejects. */
  async ask(): Promise<void> {
    const neighbours = [...this.#here];
    const neighbour = neighbours[this.#askedCount++ % neighbours.length];
    if (neighbour !== undefined) await this.#askOne(neighbour);
  }

  async #askOne(neighbour: string): Promise<void> {
    const { clock, network, siteId, cloudKey, take } = this.deps;
    const reply = network.request(neighbour, MeshRequest.encode({ word: { site: siteId, cloudKey } }));
    const timer = clock.setTimer(WORD_REPLY_MAX_MS, () => reply.cancel());
    try {
      let count = 0;
      for await (const signed of reply) {
        take(signed);
        if (++count === WORDS_OF_ANSWER) break;
      }
    } catch (error) {
      // Otherwise the link ended, or this one request: another is asked in an hour.
      if (isSparcError(error, 'ERR_LINK_ACKNOWLEDGEMENT_INVALID')) network.refuse(neighbour, error.message);
    } finally {
      timer.cancel();
      reply.cancel();
    }
  }

  /** Undefined for a request that is not for words. */
  #serve(request: Uint8Array): Iterable<Uint8Array> | undefined {
    let asked: WantWord | undefined;
    try {
      asked = MeshRequest.decode(request).word;
    } catch {
      return undefined;
    }
    return asked && this.#answer(asked);
  }

  #answer({ site, cloudKey }: WantWord): readonly Uint8Array[] {
    const { words, ...own } = this.deps;
    if (site !== own.siteId || !sameBytes(cloudKey, own.cloudKey)) return [];
    const { old, newest } = words;
    return [...new Set([old, newest])].flatMap((word) => word?.signed ?? []);
  }
}
