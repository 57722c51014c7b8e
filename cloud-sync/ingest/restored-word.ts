import type { Carrier } from '@sparc/protocol/cloud-link';
import type { Roster } from '@sparc/protocol/roster';

/** From the first hello of a site on: gateways that have not called by then are not waited for. */
export const RESTORED_WAIT_MS = 300_000;

interface Heard {
  readonly sinceMs: number;
  /** Gateways, in hex; false: it knows more of what the authority said than has come. */
  readonly told: Map<string, boolean>;
}

/**
 * What gateways of restored sites have told of their authority. One alone may be the stolen one that was expelled since, and
 * may keep that to itself. In the memory of one process: another one, or a later one, only waits longer.
 */
export class RestoredWord {
  readonly #sites = new Map<string, Heard>();

  /** A gateway knows more than is here. */
  announced(carrier: Carrier, nowMs: number): void {
    this.#of(carrier, nowMs).told.set(carrier.gateway, false);
  }

  /** All that a gateway knows is here. */
  told(carrier: Carrier, nowMs: number): void {
    this.#of(carrier, nowMs).told.set(carrier.gateway, true);
  }

  /**
   * Whether it is known what the authority said, as far as anybody can tell: all members of the roster have told, or, after a
   * while, all of those that called. Nobody is not enough.
   */
  isEnough(carrier: Carrier, { members }: Roster, nowMs: number): boolean {
    const { sinceMs, told } = this.#of(carrier, nowMs);
    const words = members.map(({ key }) => told.get(key));
    if (!words.includes(true) || words.includes(false)) return false;
    return !words.includes(undefined) || nowMs - sinceMs >= RESTORED_WAIT_MS;
  }

  /** The site does not wait, or not any more. */
  forget(carrier: Carrier): void {
    this.#sites.delete(nameOf(carrier));
  }

  #of(carrier: Carrier, nowMs: number): Heard {
    const name = nameOf(carrier);
    const heard = this.#sites.get(name) ?? { sinceMs: nowMs, told: new Map<string, boolean>() };
    this.#sites.set(name, heard);
    return heard;
  }
}

const nameOf = ({ tenant, site }: Carrier): string => `${tenant}/${site}`;
