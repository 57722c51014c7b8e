import { ADDRESSES_MAX } from '@sparc/protocol/roster';
import { inTurn } from './addresses.js';
import type { LinksTold } from './links.js';

/** About one neighbour, found by multicast DNS, where anybody may claim anything. */
const FOUND_CLAIMS_MAX = 8;

/** A member and where the configuration and the roster say that it is, as `host:port`. */
export interface MemberPlace {
  readonly key: string;
  readonly addresses: readonly string[];
  /** It is called there and nowhere else, wherever it is found or said to be. */
  readonly isPinned?: boolean;
}

/** Where members are to be found. Whoever answers there has to prove its key, so a wrong address costs a call and no more. */
export class AddressBook {
  /** What multicast DNS claimed, the newest first; a false claim stands beside a true one, not in its place. */
  readonly #foundAt = new Map<string, readonly (readonly string[])[]>();
  /** Where it was reached last. */
  readonly #reachedAt = new Map<string, string>();

  constructor(
    private readonly members: () => readonly MemberPlace[],
    private readonly told: LinksTold,
  ) {}

  found(key: string, addresses: readonly string[]): void {
    const claim = addresses.slice(0, ADDRESSES_MAX);
    const others = (this.#foundAt.get(key) ?? []).filter((other) => other.join() !== claim.join());
    this.#foundAt.set(key, [claim, ...others].slice(0, FOUND_CLAIMS_MAX));
  }

  reached(key: string, address: string): void {
    this.#reachedAt.set(key, address);
  }

  /** In the order in which it is called at them: the last good one, those of the roster, told ones, found ones. */
  addressesOf(key: string): readonly string[] {
    const { addresses, isPinned = false } = this.#place(key);
    const others = isPinned ? [] : [...this.told.addressesOf(key), ...inTurn(this.#foundAt.get(key) ?? [])];
    const reached = this.#reached(key).filter((address) => !isPinned || addresses.includes(address));
    return [...new Set([...reached, ...addresses, ...others])];
  }

  /** For others who look for it, at first hand; what is pinned here leads there from here alone. */
  addressesToTell(key: string): readonly string[] {
    const reached = this.#place(key).isPinned === true ? [] : this.#reached(key);
    return [...new Set([...reached, ...this.told.listensAt(key)])].slice(0, ADDRESSES_MAX);
  }

  membersChanged(): void {
    const keys = new Set(this.members().map(({ key }) => key));
    for (const known of [this.#foundAt, this.#reachedAt]) {
      for (const key of known.keys()) if (!keys.has(key)) known.delete(key);
    }
  }

  #place(key: string): Omit<MemberPlace, 'key'> {
    return this.members().find((member) => member.key === key) ?? { addresses: [] };
  }

  #reached(key: string): string[] {
    const address = this.#reachedAt.get(key);
    return address === undefined ? [] : [address];
  }
}
