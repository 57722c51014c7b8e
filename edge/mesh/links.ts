import { bytes, hex, list, message, oneOf, optional, required, text, type Infer } from '@sparc/protocol/ledger';
import { ADDRESSES_MAX, isAddress, MEMBERS_MAX } from '@sparc/protocol/roster';
import { inTurn } from './addresses.js';

const addresses = (tag: number) => list(tag, text(128), ADDRESSES_MAX);

/** Whether the part of a gateway that decides answers the part that speaks to others. */
export const FieldLife = oneOf(['answers', 'silent']);

/** What neighbours tell each other of their place in the mesh, when it changes and every half minute. */
export const Links = message({
  /** Names the site secret that it calls with, and reveals nothing of it. */
  secretId: required(1, bytes(16)),
  /** `host:port`, where it listens. */
  listensAt: addresses(2),
  /** Whom it hears, and where those are to be found. */
  heard: list(
    3,
    message({ key: required(1, hex(32)), addresses: addresses(2), field: optional(3, FieldLife) }),
    MEMBERS_MAX,
  ),
});
export type Links = Infer<typeof Links>;

/** A member that a neighbour hears. */
export type HeardLink = Links['heard'][number];

/**
 * What members told last. It is believed for whom to call, for what people are shown, and for when the previous site secret
 * goes: whoever says that it has the present one and has not shuts out itself.
 */
export class LinksTold {
  /** Whom they hear, by neighbour that is here. */
  readonly #heard = new Map<string, readonly HeardLink[]>();
  /** What they said of themselves, of those that are away, too. */
  readonly #said = new Map<string, Pick<Links, 'secretId' | 'listensAt'>>();

  constructor(private readonly isMember: (key: string) => boolean) {}

  /** By neighbour that is here: the members that it hears. */
  heard(): ReadonlyMap<string, readonly HeardLink[]> {
    const ofMembers = (heard: readonly HeardLink[]) => heard.filter(({ key }) => this.isMember(key));
    return new Map([...this.#heard].map(([neighbour, heard]) => [neighbour, ofMembers(heard)]));
  }

  take(neighbour: string, { secretId, listensAt, heard }: Links): void {
    this.#said.set(neighbour, { secretId, listensAt: listensAt.filter(isAddress) });
    const usable = heard.map((link) => ({ ...link, addresses: link.addresses.filter(isAddress) }));
    this.#heard.set(neighbour, usable);
  }

  /** It is not here any more, so whom it hears is not known. */
  forget(neighbour: string): void {
    this.#heard.delete(neighbour);
  }

  membersChanged(): void {
    for (const key of this.#said.keys()) if (!this.isMember(key)) this.#said.delete(key);
  }

  /** Of the site secret that the member calls with. */
  secretIdOf(key: string): Uint8Array | undefined {
    return this.#said.get(key)?.secretId;
  }

  /** Where the member listens, by its own word. */
  listensAt(key: string): readonly string[] {
    return this.#said.get(key)?.listensAt ?? [];
  }

  /** Where it listens by its own word, and then where others find it: the first of each of them, the second… */
  addressesOf(key: string): readonly string[] {
    const byOthers = [...this.#heard.values()].map((heard) => heard.find((link) => link.key === key)?.addresses ?? []);
    return [...new Set([...this.listensAt(key), ...inTurn(byOthers)])].slice(0, ADDRESSES_MAX);
  }
}
