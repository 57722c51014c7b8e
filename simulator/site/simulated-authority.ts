import {
  EntryContent,
  EPOCH_KIND,
  EpochBody,
  hashEntry,
  NO_HASH,
  signHead,
  type EpochId,
  type LedgerCrypto,
} from '@sparc/protocol/ledger';
import type { ReplicaAppend, Signer } from '@sparc/protocol/ports';
import {
  Delegation,
  DELEGATION_KIND,
  ROSTER_KIND,
  SignedRoster,
  signRoster,
  type Roster,
} from '@sparc/protocol/roster';
import type { SeededRandom } from '../world/index.js';
import { seededSigner } from './seeded-signer.js';

/** The authority of a site: whoever holds its key writes a log, which somebody carries to a gateway. */
export class SimulatedAuthority {
  readonly key: string;
  readonly signer: Signer;
  readonly #epoch: EpochId;
  #sequence = 0;
  #hash: Uint8Array = NO_HASH;

  constructor(
    random: SeededRandom,
    private readonly crypto: LedgerCrypto,
    private readonly siteId: string,
  ) {
    this.signer = seededSigner(random.fork('identity'));
    this.key = Buffer.from(this.signer.publicKey).toString('hex');
    this.#epoch = { counter: 1, random: random.bytes(8) };
  }

  /** Opens its log: who belongs to the site, and what operators may do. */
  begin(unixMs: number, roster: Roster, delegations: readonly Delegation[]): ReplicaAppend {
    return this.#commit(unixMs, [
      [EPOCH_KIND, EpochBody.encode({ predecessorLost: false })],
      [ROSTER_KIND, SignedRoster.encode(signRoster(this.signer, roster))],
      ...delegations.map((delegation): Said => [DELEGATION_KIND, Delegation.encode(delegation)]),
    ]);
  }

  delegate(unixMs: number, delegation: Delegation): ReplicaAppend {
    return this.#commit(unixMs, [[DELEGATION_KIND, Delegation.encode(delegation)]]);
  }

  #commit(unixMs: number, said: readonly Said[]): ReplicaAppend {
    const { signer, siteId: site } = this;
    const place = { site, author: signer.publicKey, epoch: this.#epoch };
    const entries = said.map(([kind, body], index) => {
      const content = EntryContent.encode({
        kind,
        hlc: { unixMs, counter: index },
        wallUnixMs: unixMs,
        timeQuality: 'synced',
        body,
      });
      const sequence = ++this.#sequence;
      const hash = hashEntry(this.crypto, { ...place, sequence, previousHash: this.#hash }, content);
      this.#hash = hash;
      return { epoch: this.#epoch, sequence, hash, content };
    });
    return { entries, head: signHead(signer, { ...place, sequence: this.#sequence, hash: this.#hash }) };
  }
}

type Said = readonly [kind: string, body: Uint8Array];
