import type { Multiaddr } from '@multiformats/multiaddr';
import type { Clock, Timer } from '@sparc/protocol/ports';
import { dialable } from './addresses.js';
import * as keeper from './keeper.js';
import { peerOf } from './libp2p-node.js';

/** For all addresses of a neighbour, greeting excluded: when all of a site come back at once, a slow CPU takes 10 s. */
const DIAL_MAX_MS = 15_000;
/** For one of several addresses: it may be one that swallows what is sent to it. */
const DIAL_ADDRESS_MIN_MS = 5_000;

export interface DiallerDeps {
  readonly clock: Clock;
  /** Where it may be, as `host:port`, in the order in which to try. */
  addressesOf(neighbour: string): readonly string[];
  isHere(neighbour: string): boolean;
  /** Rejects when nobody is there, or somebody else. */
  dial(address: Multiaddr, signal: AbortSignal): Promise<unknown>;
}

/** Calls neighbours when the keeper says so. */
export class Dialler {
  #state: keeper.KeeperState;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(
    self: string,
    private readonly deps: DiallerDeps,
  ) {
    this.#state = keeper.emptyKeeper(self);
  }

  take(input: keeper.KeeperInput): void {
    if (this.#stopped) return;
    const { clock } = this.deps;
    const { state, call } = keeper.step(this.#state, clock.monotonicMs(), input);
    this.#state = state;
    for (const neighbour of call) void this.#call(neighbour);
    this.#timer?.cancel();
    const atMs = keeper.nextDeadlineMs(state);
    if (atMs === Infinity) return;
    this.#timer = clock.setTimer(Math.max(0, atMs - clock.monotonicMs()), () => this.take({ kind: 'time' }));
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** At all its addresses in turn. Whoever is not there is called again. */
  async #call(neighbour: string): Promise<void> {
    const addresses = dialable(this.deps.addressesOf(neighbour), peerOf(neighbour));
    const addressMs = Math.max(DIAL_ADDRESS_MIN_MS, DIAL_MAX_MS / addresses.length);
    for (const address of addresses) {
      if (this.#stopped || this.deps.isHere(neighbour)) break;
      if (await this.#isReached(address, addressMs)) break;
    }
    this.take({ kind: 'called', neighbour });
  }

  async #isReached(address: Multiaddr, withinMs: number): Promise<boolean> {
    const abort = new AbortController();
    const timer = this.deps.clock.setTimer(withinMs, () => abort.abort());
    try {
      await this.deps.dial(address, abort.signal);
      return true;
    } catch {
      return false;
    } finally {
      timer.cancel();
    }
  }
}
