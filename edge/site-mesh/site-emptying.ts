import type { Clock, MeshNetwork, ReplicaStore } from '@sparc/protocol/ports';
import { CloudWords, WordFile } from '../emptying/index.js';
import type { Membership } from '../membership/index.js';
import { verifySignature } from '../platform/index.js';
import { LogEmptying } from './log-emptying.js';
import type { MeshTime } from './time-teller.js';
import { WordExchange } from './word-exchange.js';

export interface SiteEmptyingDeps {
  readonly clock: Clock;
  readonly time: Pick<MeshTime, 'wall'>;
  readonly network: MeshNetwork;
  readonly store: ReplicaStore;
  readonly membership: Pick<Membership, 'siteId' | 'members'>;
  readonly cloudKey: Uint8Array;
  /** For the journal: what the cloud signed that it has. */
  readonly copied: (words: readonly Uint8Array[]) => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** What the cloud has need not be kept for ever: its words, over the own link and from neighbours, and the logs that are emptied by them. */
export class SiteEmptying {
  /** The network that it looks on at, to be used in its place. */
  readonly network: MeshNetwork;
  readonly #words: CloudWords;
  readonly #file: WordFile;
  readonly #emptying: LogEmptying;

  constructor(deps: SiteEmptyingDeps, dataDir: string) {
    const { time, copied, membership } = deps;
    const { siteId } = membership;
    const words = new CloudWords({ ...deps, siteId, wall: () => time.wall(), verify: verifySignature });
    const file = new WordFile({ ...deps, words }, dataDir);
    const exchange = new WordExchange({ ...deps, siteId, words, take: (signed) => file.take(signed) });
    this.#words = words;
    this.#file = file;
    this.#emptying = new LogEmptying({
      ...deps,
      words,
      askWords: () => exchange.ask(),
      members: () => membership.members().map(({ key }) => key),
      onWords: copied,
    });
    this.network = exchange.network;
  }

  start(): void {
    this.#file.load();
    this.#emptying.start();
  }

  /** What the cloud says now, of all logs. Throws ERR_LINK_ACKNOWLEDGEMENT_INVALID. */
  heard(signed: Uint8Array): void {
    this.#file.hear(signed);
    if (this.#words.newest !== undefined) this.#emptying.heard();
  }

  async stop(): Promise<void> {
    this.#emptying.stop();
    await this.#file.stop();
  }
}
