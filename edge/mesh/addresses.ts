import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';

/** A host name, an IPv4 or an IPv6 address. */
export const addressOf = (host: string, port: number): Multiaddr =>
  multiaddr(`/${host.includes(':') ? 'ip6' : /^[\d.]+$/.test(host) ? 'ip4' : 'dns'}/${host}/tcp/${port}`);

/** `host:port`, with an IPv6 address in brackets; nothing for what is neither. */
export function parseAddress(text: string): Multiaddr[] {
  const [, host, port] = /^\[?([^\]/]+?)\]?:(\d{1,5})$/.exec(text) ?? [];
  try {
    return host === undefined ? [] : [addressOf(host, Number(port))];
  } catch {
    return [];
  }
}

/** As `host:port`. */
export function formatAddress(address: Multiaddr): string {
  const parts = address.getComponents();
  const host = parts[0]?.value ?? '';
  return `${host.includes(':') ? `[${host}]` : host}:${parts.find(({ name }) => name === 'tcp')?.value ?? ''}`;
}
