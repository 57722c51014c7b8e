import { X509Certificate } from 'node:crypto';
import type { Carrier, Up } from '@sparc/protocol/cloud-link';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, CloudLink, CloudLinkHandlers, Random, Signer } from '@sparc/protocol/ports';
import { signRequest } from '@sparc/protocol/roster';
import { certificateOf, renew, type HeldLink, type LinkFiles } from '../../cloud-enrolment/index.js';
import { MqttLink, type CallCredentials } from './mqtt-link.js';
import { Renewal, type Term } from './renewal.js';

export interface RenewingLinkDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** The gateway's own key. */
  readonly signer: Signer;
  readonly files: LinkFiles;
  readonly onFailure: (error: unknown, what: string) => void;
}

/**
 * The link to the cloud with the certificate that the cloud gave, which it renews. A renewed one and the one before it are
 * held until the renewed one has connected, and tried in turn.
 */
export class RenewingLink implements CloudLink {
  readonly #link: MqttLink;
  readonly #renewal: Renewal;
  /** That the present call was made with the renewed certificate. */
  #isWithNext = false;

  constructor(
    private readonly deps: RenewingLinkDeps,
    carrier: Carrier,
  ) {
    const { clock, random, onFailure } = deps;
    this.#link = new MqttLink({ clock, random, credentials: () => this.#credentials() }, carrier);
    this.#renewal = new Renewal({
      clock,
      random,
      term: () => termOf(this.#newest()),
      renew: () => this.#renew(),
      onRenewed: () => this.#link.callAgain(),
      onFailure: (error) => onFailure(error, 'the certificate for the cloud cannot be renewed'),
    });
  }

  start(handlers: CloudLinkHandlers): void {
    this.#link.start({ ...handlers, onConnected: () => this.#connected(handlers) });
    this.#renewal.start();
  }

  send(what: Up, body: Uint8Array): void {
    this.#link.send(what, body);
  }

  async stop(): Promise<void> {
    this.#renewal.stop();
    await this.#link.stop();
  }

  #connected(handlers: CloudLinkHandlers): void {
    try {
      if (this.#isWithNext) this.deps.files.nextCounts();
    } catch (error) {
      this.deps.onFailure(error, 'the renewed certificate counts, but the disk did not take it');
    }
    handlers.onConnected();
  }

  #credentials(): CallCredentials {
    const { files } = this.deps;
    const next = this.#isWithNext ? undefined : files.next();
    this.#isWithNext = next !== undefined;
    return credentialsOf(next ?? present(files));
  }

  #newest(): HeldLink {
    return this.deps.files.next() ?? present(this.deps.files);
  }

  async #renew(): Promise<void> {
    const { files, signer } = this.deps;
    // Neither its name nor where it is found concerns a certificate.
    const request = signRequest(signer, { name: 'renewal', addresses: [] }, files.request());
    files.keepNext(await renew(this.#newest().grant, request));
  }
}

function present(files: LinkFiles): HeldLink {
  const held = files.current();
  if (held !== undefined) return held;
  throw new SparcError('ERR_CLAIM_LINK_INVALID', 'the link to the cloud is not there any more');
}

const credentialsOf = ({ grant, keyPem }: HeldLink): CallCredentials => ({
  url: grant.brokerUrl,
  keyPem,
  certificatesPem: grant.certificates.map(pemOf).join(''),
  rootPem: pemOf(grant.root),
});

const pemOf = (certificate: Uint8Array): string => new X509Certificate(certificate).toString();

function termOf({ grant }: HeldLink): Term {
  const { validFrom, validTo } = certificateOf(grant);
  return { notBeforeUnixMs: Date.parse(validFrom), notAfterUnixMs: Date.parse(validTo) };
}
