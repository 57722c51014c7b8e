import { NO_DELIVERY, type DeliveryView, type DirectiveView } from '@sparc/protocol/delivery';
import { sameBytes } from '@sparc/protocol/ledger';
import type { Timer } from '@sparc/protocol/ports';
import type { Expulsion } from '@sparc/protocol/roster';
import { MESH_OFF, type MeshView } from '../api/index.js';
import type { MeshConfig } from '../config/index.js';
import { Membership, readMembership, secretsOf, type MembershipRecord } from '../membership/index.js';
import { findIdentity, findIdentitySeed, verifySignature } from '../platform/index.js';
import type { CloudAccess } from './cloud-access.js';
import { MeshRun, type MeshRunDeps } from './mesh-run.js';
import { troubleOf, type Trouble } from './trouble.js';

/** How often the files of the membership are looked at, and a mesh that cannot run is tried again. */
export const LOOK_AGAIN_MS = 5_000;

export interface SiteMeshDeps extends Omit<MeshRunDeps, 'signer' | 'seed' | 'membership' | 'cloud'> {
  /** The same value as long as it is the same cloud. */
  readonly cloud?: () => Promise<CloudAccess | undefined>;
}

/**
 * The mesh part of the site process. The gateway may join its site, or another one, while it runs; whatever stands in the
 * way is shown and tried again.
 */
export class SiteMesh {
  #run: MeshRun | undefined;
  /** That it has. */
  #cloud: CloudAccess | undefined;
  #trouble: Trouble | undefined;
  #hasLooked = false;
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;
  /** Which the disk may not have. */
  #expulsions: readonly Expulsion[] = [];

  constructor(
    private readonly deps: SiteMeshDeps,
    private readonly dataDir: string,
    private readonly config: MeshConfig,
  ) {}

  start(): void {
    this.#looking = this.#look();
  }

  /** The field recorded something. */
  recorded(): void {
    this.#run?.recorded();
  }

  /** An operator expelled a gateway: all whom operators expelled. */
  expelled(expulsions: readonly Expulsion[]): void {
    this.#expulsions = expulsions;
    this.#run?.membership.takeExpulsions(expulsions);
  }

  view(): MeshView {
    const trouble = this.#trouble && { trouble: this.#trouble };
    if (this.#run !== undefined) return { ...this.#run.view(), ...trouble };
    if (!this.#hasLooked) return { ...MESH_OFF, state: 'starting' };
    return { ...MESH_OFF, state: trouble === undefined ? 'notJoined' : 'failed', ...trouble };
  }

  /** Nothing while the mesh does not run. */
  delivery(): DeliveryView {
    return this.#run?.delivery() ?? NO_DELIVERY;
  }

  /** Undefined for one that no log here carries. */
  directive(id: string): DirectiveView | undefined {
    return this.#run?.directive(id);
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
    await this.#end();
  }

  async #look(): Promise<void> {
    const { clock, log } = this.deps;
    this.#run?.membership.timePasses(clock.wall().unixMs);
    this.#run?.look();
    try {
      await this.#follow(readMembership(this.dataDir, verifySignature));
      this.#trouble = undefined;
    } catch (error) {
      const trouble = troubleOf(error);
      if (this.#trouble?.message !== trouble.message) log.warn({ trouble }, 'the mesh cannot run as it should');
      this.#trouble = trouble;
    }
    this.#hasLooked = true;
    if (this.#stopped) return;
    this.#timer = clock.setTimer(LOOK_AGAIN_MS, () => this.start());
  }

  async #follow(found: MembershipRecord | undefined): Promise<void> {
    const run = this.#run;
    const cloud = await this.deps.cloud?.();
    const isSound = run?.isDamaged === false && cloud === this.#cloud;
    if (isSound && found !== undefined && isOfSameMesh(run.membership, found)) {
      run.membership.takeRoster(found.signed);
      run.membership.takeExpulsions(found.expulsions);
      const { present } = found.secrets;
      run.membership.takeSecret(present, this.deps.clock.wall().unixMs, secretsOf(found.secrets).previous);
      return;
    }
    await this.#end();
    this.#cloud = cloud;
    if (found !== undefined && !this.#stopped) await this.#begin(found);
  }

  async #begin(found: MembershipRecord): Promise<void> {
    const { dataDir, deps } = this;
    const signer = findIdentity(dataDir);
    const seed = findIdentitySeed(dataDir);
    if (signer === undefined || seed === undefined) return;
    const membership = new Membership(dataDir, verifySignature, found, (error) =>
      deps.log.warn({ trouble: troubleOf(error) }, 'a newer roster counts, but the disk did not take it'),
    );
    membership.takeExpulsions(this.#expulsions);
    const run = MeshRun.open({ ...deps, cloud: this.#cloud, signer, seed, membership }, dataDir, this.config);
    try {
      await run.start();
      this.#run = run;
    } catch (error) {
      await run.stop();
      throw error;
    }
  }

  async #end(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    await run?.stop();
  }
}

const isOfSameMesh = (a: Membership, { authority, roster }: MembershipRecord): boolean =>
  a.siteId === roster.site && sameBytes(a.authority, authority);
