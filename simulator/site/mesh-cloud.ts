import type { LedgerCrypto } from '@sparc/protocol/ledger';
import type { CloudLink } from '@sparc/protocol/ports';
import type { CloudHistory, Platter } from '../scenarios/index.js';
import type { SeededRandom, VirtualClock } from '../world/index.js';

/** A machine of a mesh, as others know it; `key` in hex. */
export interface MachineName {
  readonly name: string;
  readonly key: string;
}

/** What a cloud sees of the site that it is made for. */
export interface CloudSite {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly crypto: LedgerCrypto;
  readonly siteId: string;
  readonly machines: readonly MachineName[];
  /** Gateways keep entries beside it for so long. Default: as in a site. */
  readonly keptMs?: number;
  trace(line: string): void;
}

/** A cloud that the machines of a mesh carry their logs to, with what goes wrong with it. */
export interface MeshCloud {
  /** By which it signs for the site. */
  readonly key: Uint8Array;
  readonly history: CloudHistory;
  /** Faults that fired, by name, and figures. */
  readonly fired: ReadonlyMap<string, number>;
  readonly counts: Readonly<Record<string, number>>;
  /** The way of a program that starts on a machine. */
  link(machine: MachineName): CloudLink;
  /** The machine dies without a word. */
  powerOff(machine: string): void;
  startFaults(durationMs: number): void;
  heal(): Promise<void>;
  /** Lets time pass as far as the cloud gets in no time: until an instant of the world's clock. */
  run(untilMs: number): Promise<void>;
  /** It hears that a gateway was expelled. How many entries it has then of each of its epochs. */
  expel(machine: MachineName): Promise<ReadonlyMap<string, number>>;
  /** What it has stored. */
  platter(): Promise<Platter>;
  close(): Promise<void>;
}
