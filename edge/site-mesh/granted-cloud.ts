import type { LinkGrant } from '@sparc/protocol/enrolment';
import { LinkFiles } from '../cloud-enrolment/index.js';
import { toHex } from '../platform/index.js';
import type { CloudAccess } from './cloud-access.js';
import { troubleOf } from './trouble.js';

export interface GrantedCloudDeps {
  readonly log: { warn(fields: object, message: string): void };
  readonly accessTo: (
    grant: LinkGrant,
    files: LinkFiles,
    onFailure: (error: unknown, what: string) => void,
  ) => Promise<CloudAccess>;
}

/** The cloud that enrolled the gateway of a data directory, which may happen while it runs. */
export class GrantedCloud {
  readonly #files: LinkFiles;
  #known: { readonly name: string; readonly access: CloudAccess } | undefined;

  constructor(
    private readonly deps: GrantedCloudDeps,
    dataDir: string,
  ) {
    this.#files = new LinkFiles(dataDir);
  }

  /** What is on disk now: undefined without a cloud, and the same value as long as it is the same cloud. Never rejects. */
  async look(): Promise<CloudAccess | undefined> {
    const onFailure = (error: unknown, what: string) => this.deps.log.warn({ trouble: troubleOf(error) }, what);
    try {
      const grant = this.#files.current()?.grant;
      if (grant === undefined) return undefined;
      const name = `${grant.tenant} ${toHex(grant.cloudKey)}`;
      if (this.#known?.name !== name) {
        this.#known = { name, access: await this.deps.accessTo(grant, this.#files, onFailure) };
      }
    } catch (error) {
      onFailure(error, 'the link to the cloud cannot be used');
    }
    return this.#known?.access;
  }
}
