import { isIPv6 } from 'node:net';
import type { Clock } from '@sparc/protocol/ports';

/** Passwords that are checked at a time: each takes 32 MiB, and a thread of the few there are. */
export const LOGIN_CHECKS_MAX = 8;
/** Of these, for one address. */
export const LOGIN_CHECKS_ADDRESS_MAX = 2;
/** Whoever finds none free waits so long before it is refused. */
export const LOGIN_CHECK_WAIT_MAX_MS = 1_000;
/** Those that wait at a time, and of one address. */
const WAITING_MAX = 64;
const WAITING_ADDRESS_MAX = 8;

interface Waiting {
  readonly address: string;
  readonly begin: () => void;
}

/** Places for checks of passwords, of which nobody has all: of those that wait, who came first goes first. */
export class LoginSlots {
  readonly #taken = new Map<string, number>();
  readonly #waiting = new Set<Waiting>();

  constructor(private readonly clock: Clock) {}

  /** Resolves with how it is given back, or undefined where none came free in time. `address`: as `addressBlock` says it. */
  async take(address: string): Promise<(() => void) | undefined> {
    if (this.#isFree(address)) this.#occupy(address);
    else if (!(await this.#wait(address))) return undefined;
    return () => this.#giveBack(address);
  }

  #wait(address: string): Promise<boolean> {
    const ofAddress = [...this.#waiting].filter((each) => each.address === address).length;
    if (this.#waiting.size >= WAITING_MAX || ofAddress >= WAITING_ADDRESS_MAX) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (isFree: boolean) => {
        timer.cancel();
        this.#waiting.delete(waiting);
        resolve(isFree);
      };
      const waiting: Waiting = { address, begin: () => (this.#occupy(address), end(true)) };
      const timer = this.clock.setTimer(LOGIN_CHECK_WAIT_MAX_MS, () => end(false));
      this.#waiting.add(waiting);
    });
  }

  #occupy(address: string): void {
    this.#taken.set(address, this.#takenBy(address) + 1);
  }

  #giveBack(address: string): void {
    const left = this.#takenBy(address) - 1;
    if (left > 0) this.#taken.set(address, left);
    else this.#taken.delete(address);
    const next = [...this.#waiting].find((each) => this.#isFree(each.address));
    next?.begin();
  }

  #isFree(address: string): boolean {
    const all = [...this.#taken.values()].reduce((sum, count) => sum + count, 0);
    return all < LOGIN_CHECKS_MAX && this.#takenBy(address) < LOGIN_CHECKS_ADDRESS_MAX;
  }

  #takenBy(address: string): number {
    return this.#taken.get(address) ?? 0;
  }
}

/** Of IPv6 the first 64 bits: whoever has one address of these has all. */
export function addressBlock(ip: string): string {
  const [, mapped] = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(ip) ?? [];
  if (mapped !== undefined || !isIPv6(ip)) return mapped ?? ip;
  const [before = '', after] = ip.split('::');
  const [head, tail] = [before, after ?? ''].map((part) => (part === '' ? [] : part.split(':')));
  const zeros = after === undefined ? 0 : 8 - (head?.length ?? 0) - (tail?.length ?? 0);
  const groups = [...(head ?? []), ...Array<string>(Math.max(0, zeros)).fill('0'), ...(tail ?? [])];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':');
}
