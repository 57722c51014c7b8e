import type { LinksTold } from './links.js';

/** Of one neighbour, found by multicast DNS, where anybody may claim anything. */
const FOUND_ADDRESSES_MAX = 8;

/** A member and where the configuration and the roster say that it is, as `host:port`. */
export interface MemberPlace {
  readonly key: string;
  readonly addresses: readonly string[];
  /** It is called there and nowhere else, wherever it is found or said to be. */
  readonly isPinned?: boolean;
}

/** Where members are to be found. Whoever answers there has to prove its key, so a wrong address costs a call and no more. */
export class AddressBook {
  /** Where multicast DNS saw a member. */
  readonly #foundAt = new Map<string, readonly string[]>();
  /** Where it was reached last. */
  readonly #reachedAt = new Map<string, string>();

  constructor(
    private readonly members: () => readonly MemberPlace[],
    private readonly told: LinksTold,
  ) {}

  found(key: string, addresses: readonly string[]): void {
    this.#foundAt.set(key, addresses.slice(0, FOUND_ADDRESSES_MAX));
  }

  reached(key: string, address: string): void {
    this.#reachedAt.set(key, address);
  }

  /** Where it was reached last, if it was. */
  reachedAt(key: string): readonly string[] {
    const address = this.#reachedAt.get(key);
    return address === undefined ? [] : [address];
  }

  /** In the order in which it is called at them: the last good one, those of the roster, found ones, told ones. */
  addressesOf(key: string): readonly string[] {
    const { addresses = [], isPinned = false } = this.members().find((member) => member.key === key) ?? {};
    const others = isPinned ? [] : [...(this.#foundAt.get(key) ?? []), ...this.told.addressesOf(key)];
    const known = new Set([...addresses, ...others]);
    return [...new Set([...this.reachedAt(key).filter((address) => known.has(address)), ...known])];
  }

  membersChanged(): void {
    const keys = new Set(this.members().map(({ key }) => key));
    for (const known of [this.#foundAt, this.#reachedAt]) {
      for (const key of known.keys()) if (!keys.has(key)) known.delete(key);
    }
  }
}
