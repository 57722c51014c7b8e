import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

export const GATEWAYS = 3;
/** Of each gateway: 50,001 in all. */
export const BACKLOG = 16_667;
/** Of each gateway: 99 in all. */
export const NEWS = 33;
export const EVENT_BYTES = 200;
const POLL_MS = 2;
const HEAL_MAX_MS = 180_000;

/** Every connection that this process opened; all of them are between the gateways. */
const sockets: Socket[] = [];
subscribe('net.client.socket', (message) => sockets.push((message as { socket: Socket }).socket));
const bytesOnWire = () => sockets.reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0);

export interface Healed {
  readonly ms: number;
  /** Of the processor, by all gateways together. */
  readonly cpuMs: number;
  /** Of all TCP connections, handshakes included. */
  readonly bytes: number;
}

/** What it takes from the moment when gateways may reach each other until each has all. */
export async function timeHeal(reach: () => void, isHealed: () => boolean): Promise<Healed> {
  const before = bytesOnWire();
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  reach();
  while (!isHealed()) {
    if (performance.now() > startMs + HEAL_MAX_MS) throw new Error(`not healed after ${HEAL_MAX_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const ms = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { ms, cpuMs: (user + system) / 1_000, bytes: bytesOnWire() - before };
}

/** What one product needed for the backlog, and then for the news. */
export interface HealRun {
  readonly heal: Healed;
  readonly cold: Healed;
}
