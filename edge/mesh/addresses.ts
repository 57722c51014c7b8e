import type { PeerId } from '@libp2p/interface';
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import { ADDRESSES_MAX } from '@sparc/protocol/roster';

/** A host name, an IPv4 or an IPv6 address. */
export const addressOf = (host: string, port: number): Multiaddr =>
  multiaddr(`/${host.includes(':') ? 'ip6' : /^[\d.]+$/.test(host) ? 'ip4' : 'dns'}/${host}/tcp/${port}`);

/** Where whoever proves that it is the peer is to be called; what is no `host:port`, an IPv6 address in brackets, is left out. */
export const dialable = (addresses: readonly string[], peer: PeerId): Multiaddr[] =>
  addresses.flatMap(parseAddress).map((address) => address.encapsulate(`/p2p/${peer.toString()}`));

/** As `host:port`. */
export function formatAddress(address: Multiaddr): string {
  const parts = address.getComponents();
  const valueOf = (...names: string[]) => parts.find(({ name }) => names.includes(name))?.value ?? '';
  const host = valueOf('ip4', 'ip6', 'dns', 'dns4', 'dns6');
  return `${host.includes(':') ? `[${host}]` : host}:${valueOf('tcp')}`;
}

/** Those that other machines can call; all, where the machine has no such address. */
export function reachable(addresses: readonly string[]): readonly string[] {
  const beyond = addresses.filter((address) => !/^(127\.|\[::1\]|\[fe80:)/i.test(address));
  return beyond.length > 0 ? beyond : addresses;
}

function parseAddress(text: string): Multiaddr[] {
  const [, host, port] = /^\[?([^\]/]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  try {
    return host === undefined ? [] : [addressOf(host, Number(port))];
  } catch {
    return [];
  }
}

/** Of each list the first address, then the second…, once each and `ADDRESSES_MAX` in all: none displaces the others. */
export function inTurn(lists: readonly (readonly string[])[]): string[] {
  const turns = Array.from({ length: ADDRESSES_MAX }, (_, turn) => lists.flatMap((list) => list[turn] ?? []));
  return [...new Set(turns.flat())].slice(0, ADDRESSES_MAX);
}
