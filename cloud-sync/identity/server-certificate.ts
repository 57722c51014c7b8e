import type { Clock, Timer } from '@sparc/protocol/ports';
import type { CertificateAuthorities } from './certificate-authorities.js';
import { CERTIFICATE_DAYS, type Credentials } from './certificates.js';

const DAY_MS = 86_400_000;
export const SERVER_RENEWED_AFTER_MS = (CERTIFICATE_DAYS * DAY_MS * 2) / 3;

export interface ServerCertificateDeps {
  readonly clock: Clock;
  readonly certificates: CertificateAuthorities;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** What a server of this process shows: new at each start, and for a process that runs for longer than a certificate lasts. */
export class ServerCertificate {
  #timer: Timer | undefined;
  #isStopped = false;
  #renewedAtUnixMs = 0;

  constructor(
    private readonly deps: ServerCertificateDeps,
    private readonly hosts: readonly string[],
  ) {}

  /** The first one; `take` is called with each that follows, until `stop`. */
  async start(take: (next: Credentials) => void): Promise<Credentials> {
    this.#isStopped = false;
    const first = await this.#make();
    this.#lookLater(take);
    return first;
  }

  /** Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #make(): Promise<Credentials> {
    const made = await this.deps.certificates.server(this.hosts);
    this.#renewedAtUnixMs = this.deps.clock.wall().unixMs;
    return made;
  }

  /** Daily, by the wall: one that could not be renewed is tried for again, and the longest timer is shorter than its life. */
  #lookLater(take: (next: Credentials) => void): void {
    if (!this.#isStopped) this.#timer = this.deps.clock.setTimer(DAY_MS, () => void this.#look(take));
  }

  async #look(take: (next: Credentials) => void): Promise<void> {
    const isDue = this.deps.clock.wall().unixMs - this.#renewedAtUnixMs >= SERVER_RENEWED_AFTER_MS;
    try {
      if (isDue) {
        const next = await this.#make();
        if (!this.#isStopped) take(next);
      }
    } catch (error) {
      this.deps.onFailure(error, 'the certificate of a server could not be renewed');
    }
    this.#lookLater(take);
  }
}
