import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isSparcError, SparcError, type ErrorCode } from '@sparc/protocol/errors';
import {
  confirmedUnixMs,
  isNewerRevision,
  readRevision,
  surveyParts,
  type IssuedRevision,
} from '@sparc/protocol/policy-revision';
import type { Clock, Random, Signer } from '@sparc/protocol/ports';
import { readMembership } from '../membership/index.js';
import { verifySignature } from '../platform/index.js';
import {
  applyGeneration,
  confirmedUnixMsOf,
  readPointer,
  splitDoors,
  verifyOne,
  writeConfirmation,
  type Manifest,
} from '../policy/index.js';
import { nodePartTools, PARTS_FILE, SqlitePartStore } from '../policy-parts/index.js';
import { REPLICA_FILE } from '../replica/index.js';
import { AuthorityCourse } from './authority-course.js';

/** What failed for a reason of this machine is tried again after this. */
export const LANE_RETRY_MS = 10_000;

/** Reasons that lie in a revision itself: nothing makes it good but another one. */
const FINAL: readonly ErrorCode[] = [
  'ERR_LEDGER_MALFORMED',
  'ERR_MESH_OTHER_SITE',
  'ERR_POLICY_INVALID',
  'ERR_POLICY_REVISION_INVALID',
  'ERR_POLICY_REVISION_LAYOUT',
];

/** What the lane tells the field. */
export interface LaneRejection {
  /** Absent where not even that can be read. */
  readonly number?: number;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface PolicyLaneDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** The key of this gateway. */
  readonly signer: Signer;
  readonly dataDir: string;
  /** Of this gateway: a policy that splits one of its doors is refused. */
  readonly busIds: readonly string[];
  /** The newest revision is not brought into force; once for each reason. What is in force stays. */
  onRejected(rejection: LaneRejection): void;
}

/**
 * Brings the revisions that the authority of the site signed into force, as `sparc policy apply` does with a site file. It
 * reads what the site process fills, and believes none of it.
 */
export class PolicyLane {
  readonly #verify = (message: Uint8Array, signature: Uint8Array) =>
    verifySignature(this.deps.signer.publicKey, message, signature);
  #authority: { readonly key: Uint8Array; readonly site: string; readonly course: AuthorityCourse } | undefined;
  /** Of the files that were read last. */
  #seen = '';
  #retryAtMs = -Infinity;
  /** Names of revisions that are no good. */
  readonly #refused = new Set<string>();
  /** The generation that was verified last, whole, and what came of it. */
  #checked: { readonly pointer: ReturnType<typeof readPointer>; readonly manifest: Manifest | undefined } | undefined;
  /** What was told last. */
  #told = '';

  constructor(private readonly deps: PolicyLaneDeps) {}

  /** Once in a while, as cheap as a few looks at files where nothing changed. True: something came into force. */
  look(): boolean {
    const { clock } = this.deps;
    const seen = [REPLICA_FILE, PARTS_FILE].map((name) => this.#markOf(name)).join(' ');
    const isRetry = clock.monotonicMs() >= this.#retryAtMs;
    if (seen === this.#seen && !isRetry) return false;
    const before = readPointer(this.deps.dataDir);
    try {
      this.#retryAtMs = Infinity;
      this.#work();
      this.#seen = seen;
    } catch (error) {
      this.#retryAtMs = clock.monotonicMs() + LANE_RETRY_MS;
      this.#tell({ code: codeOf(error), message: (error as Error).message });
    }
    return readPointer(this.deps.dataDir) !== before;
  }

  #work(): void {
    const authority = this.#ofSite();
    if (authority === undefined) return;
    const { course } = authority;
    course.read(join(this.deps.dataDir, REPLICA_FILE));
    for (const issued of course.course.revisions) if (this.#bringIntoForce(issued, authority.site)) break;
    this.#confirm(course);
  }

  /** Undefined as long as the gateway is a member of no site, or knows nothing of what others said. */
  #ofSite() {
    const { dataDir } = this.deps;
    const membership = readMembership(dataDir, verifySignature);
    if (membership === undefined || !existsSync(join(dataDir, REPLICA_FILE))) {
      this.#retryAtMs = this.deps.clock.monotonicMs() + LANE_RETRY_MS;
      return undefined;
    }
    const { authority: key, roster } = membership;
    if (this.#authority === undefined || !Buffer.from(this.#authority.key).equals(key)) {
      const course = new AuthorityCourse(key, ({ code, message }) => this.#tell({ code, message }));
      this.#authority = { key, site: roster.site, course };
    }
    return this.#authority;
  }

  /** True where it is in force now, or something newer is. */
  #bringIntoForce(issued: IssuedRevision, site: string): boolean {
    const { revision, name, issuedUnixMs } = issued;
    const { number } = revision;
    const inForce = this.#inForce()?.issued;
    if (inForce !== undefined && !isNewerRevision({ number, issuedUnixMs }, inForce)) return true;
    if (this.#refused.has(name)) return false;
    try {
      if (revision.site !== site) throw new SparcError('ERR_MESH_OTHER_SITE', `it is of the site ${revision.site}`);
      return this.#apply(issued);
    } catch (error) {
      const code = codeOf(error);
      if (FINAL.includes(code)) this.#refused.add(name);
      else this.#retryAtMs = this.deps.clock.monotonicMs() + LANE_RETRY_MS;
      this.#tell({ number, code, message: `policy ${number} is not used: ${(error as Error).message}` });
      return false;
    }
  }

  /** False as long as parts are missing. */
  #apply({ revision, name, issuedUnixMs }: IssuedRevision): boolean {
    const { clock, random, signer, dataDir, busIds } = this.deps;
    const path = join(dataDir, PARTS_FILE);
    if (!existsSync(path)) return false;
    const parts = SqlitePartStore.openReadOnly(path);
    try {
      if (surveyParts(nodePartTools, revision, parts).missing.length > 0) return false;
      const content = readRevision(nodePartTools, revision, parts);
      const [split] = splitDoors(content.plan, busIds);
      if (split !== undefined) {
        throw new SparcError('ERR_POLICY_INVALID', `door \`${split.doorId}\` ${split.message}`);
      }
      const issued = { name, number: revision.number, issuedUnixMs };
      applyGeneration({ dataDir, signer, verify: this.#verify, random, clock, issued }, content);
      return true;
    } finally {
      parts.close();
    }
  }

  /** One that is damaged is as good as none: its revision is brought into force again. */
  #inForce(): Manifest | undefined {
    const pointer = readPointer(this.deps.dataDir);
    if (pointer === this.#checked?.pointer) return this.#checked.manifest;
    let manifest: Manifest | undefined;
    try {
      if (typeof pointer === 'number') manifest = verifyOne(this.deps.dataDir, pointer, this.#verify);
    } catch (error) {
      if (!isSparcError(error)) throw error;
    }
    this.#checked = { pointer, manifest };
    return manifest;
  }

  #confirm({ course }: AuthorityCourse): void {
    const { dataDir, signer } = this.deps;
    const manifest = this.#inForce();
    if (manifest?.issued === undefined) return;
    const saidUnixMs = confirmedUnixMs(course, manifest.issued);
    if (saidUnixMs <= confirmedUnixMsOf(dataDir, manifest, this.#verify)) return;
    writeConfirmation(dataDir, { revision: manifest.revision, confirmedUnixMs: saidUnixMs }, signer);
  }

  #tell(rejection: LaneRejection): void {
    const told = `${rejection.number ?? ''} ${rejection.code}`;
    if (told === this.#told) return;
    this.#told = told;
    this.deps.onRejected(rejection);
  }

  /** Changes with whatever SQLite writes. */
  #markOf(name: string): string {
    return [name, `${name}-wal`]
      .map((file) => statSync(join(this.deps.dataDir, file), { throwIfNoEntry: false }))
      .map((stat) => (stat === undefined || stat.size === 0 ? '-' : `${stat.ino}:${stat.size}:${stat.mtimeMs}`))
      .join(',');
  }
}

const codeOf = (error: unknown): ErrorCode => (isSparcError(error) ? error.code : 'ERR_GATEWAY_INTERNAL');
