import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { ERRORS, isSparcError, SparcError, type ErrorCode } from '@sparc/protocol/errors';
import { compareHlc } from '@sparc/protocol/hlc';
import {
  courseOf,
  isFinalRejection,
  isNewerRevision,
  lastConfirmed,
  readRevision,
  surveyParts,
  type IssuedRevision,
  type PolicyCourse,
} from '@sparc/protocol/policy-revision';
import type { Clock, Random, Signer } from '@sparc/protocol/ports';
import { readMembership } from '../membership/index.js';
import { toHex, verifySignature } from '../platform/index.js';
import {
  applyGeneration,
  readConfirmation,
  readPointer,
  splitDoors,
  verifyOne,
  writeConfirmation,
  type Manifest,
} from '../policy/index.js';
import { hasRoomForPolicy, nodePartTools, PARTS_FILE, SqlitePartStore } from '../policy-parts/index.js';
import { REPLICA_FILE } from '../replica/index.js';
import { AuthorityCourse } from './authority-course.js';

/** What failed for a reason of this machine is tried again after this, and not before, whatever comes meanwhile. */
export const LANE_RETRY_MS = 10_000;

const REJECTION_LENGTH_MAX = 1_024;
/** One of its two copies. */
const WAL_INDEX_HEADER_BYTES = 48;

/** What the lane tells the field. */
export const LaneRejection = Type.Object(
  {
    /** Absent where not even that can be read. */
    number: Type.Optional(Type.Integer()),
    code: Type.Unsafe<ErrorCode>(Type.Enum(Object.fromEntries(Object.keys(ERRORS).map((code) => [code, code])))),
    message: Type.String({ maxLength: REJECTION_LENGTH_MAX }),
  },
  { additionalProperties: false },
);
export type LaneRejection = Static<typeof LaneRejection>;

export interface PolicyLaneDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** The key of this gateway. */
  readonly signer: Signer;
  readonly dataDir: string;
  /** Of this gateway: a policy that splits one of its doors is refused. */
  readonly busIds: readonly string[];
  /** Of the disk that `dataDir` is on. */
  readonly freeBytes: () => number;
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
  /** Even if nothing was written then. */
  #retryAtMs = -Infinity;
  /** Nothing is tried before. */
  #pausedUntilMs = -Infinity;
  /** By the name of a revision that failed: when it may be tried again; never where it is no good. */
  readonly #dueMs = new Map<string, number>();
  /** The generation that was verified last, whole, and what came of it. */
  #checked: { readonly pointer: ReturnType<typeof readPointer>; readonly manifest: Manifest | undefined } | undefined;
  /** What was told last of each number, and of none. */
  readonly #told = new Map<number | undefined, ErrorCode>();

  constructor(private readonly deps: PolicyLaneDeps) {}

  /** Once in a while, as cheap as a few looks at files where nothing changed. True: something came into force. */
  look(): boolean {
    const nowMs = this.deps.clock.monotonicMs();
    if (nowMs < this.#pausedUntilMs) return false;
    const seen = [REPLICA_FILE, PARTS_FILE].map((name) => this.#markOf(name)).join(' ');
    if (seen === this.#seen && nowMs < this.#retryAtMs) return false;
    const before = readPointer(this.deps.dataDir);
    this.#seen = seen;
    this.#retryAtMs = Infinity;
    try {
      this.#work();
    } catch (error) {
      this.#pausedUntilMs = this.#retryLater();
      // The site process is about to make its tables.
      if (!isSparcError(error, 'ERR_LEDGER_ABSENT'))
        this.#tell({ code: codeOf(error), message: (error as Error).message });
    }
    return readPointer(this.deps.dataDir) !== before;
  }

  #work(): void {
    const authority = this.#ofSite();
    if (authority === undefined) return;
    authority.course.read(join(this.deps.dataDir, REPLICA_FILE));
    const course = courseOf(authority.course.course, toHex(this.deps.signer.publicKey));
    for (const issued of course.revisions) if (this.#bringIntoForce(issued, authority.site)) break;
    this.#confirm(course);
  }

  /** Undefined as long as the gateway is a member of no site, or knows nothing of what others said. */
  #ofSite() {
    const { dataDir } = this.deps;
    const membership = readMembership(dataDir, verifySignature);
    if (membership === undefined || !existsSync(join(dataDir, REPLICA_FILE))) {
      this.#retryLater();
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
    const dueMs = this.#dueMs.get(name) ?? -Infinity;
    if (this.deps.clock.monotonicMs() < dueMs) {
      this.#retryAtMs = Math.min(this.#retryAtMs, dueMs);
      return false;
    }
    try {
      if (revision.site !== site) throw new SparcError('ERR_MESH_OTHER_SITE', `it is of the site ${revision.site}`);
      return this.#apply(issued);
    } catch (error) {
      const code = codeOf(error);
      // A defect of this program is one next time, too.
      const isFinal = isFinalRejection(code) || code === 'ERR_GATEWAY_INTERNAL';
      this.#dueMs.set(name, isFinal ? Infinity : this.#retryLater());
      this.#tell({ number, code, message: `policy ${number} is not used: ${(error as Error).message}` });
      return false;
    }
  }

  /** False as long as parts are missing. */
  #apply({ revision, name, issuedUnixMs }: IssuedRevision): boolean {
    const { clock, random, signer, dataDir, busIds, freeBytes } = this.deps;
    const parts = SqlitePartStore.openReadOnly(join(dataDir, PARTS_FILE));
    if (parts === undefined) return false;
    try {
      if (surveyParts(nodePartTools, revision, parts).missing.length > 0) return false;
      if (!hasRoomForPolicy(revision.sizeBytes, freeBytes())) {
        throw new SparcError('ERR_POLICY_DISK_RESERVE', `there is no room for its ${revision.sizeBytes} bytes`);
      }
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

  #confirm(course: PolicyCourse): void {
    const { clock, dataDir, signer } = this.deps;
    const manifest = this.#inForce();
    const said = manifest?.issued && lastConfirmed(course, manifest.issued);
    if (manifest === undefined || said === undefined) return;
    const kept = readConfirmation(dataDir, manifest, this.#verify);
    if (kept !== undefined && compareHlc(said.hlc, kept.hlc) <= 0) return;
    const { unixMs, quality } = clock.wall();
    // Where the own clock is right, what was said after now was said under a clock that is ahead.
    const confirmedUnixMs = quality === 'synced' ? Math.min(said.wallUnixMs, Math.floor(unixMs)) : said.wallUnixMs;
    writeConfirmation(dataDir, { revision: manifest.revision, hlc: said.hlc, confirmedUnixMs }, signer);
  }

  /** When. */
  #retryLater(): number {
    const dueMs = this.deps.clock.monotonicMs() + LANE_RETRY_MS;
    this.#retryAtMs = Math.min(this.#retryAtMs, dueMs);
    return dueMs;
  }

  #tell(rejection: LaneRejection): void {
    const { number, code } = rejection;
    if (this.#told.get(number) === code) return;
    this.#told.set(number, code);
    this.deps.onRejected({ ...rejection, message: rejection.message.slice(0, REJECTION_LENGTH_MAX) });
  }

  /** Changes with whatever SQLite writes, and when it lets others see that, which is after the disk has it. */
  #markOf(name: string): string {
    const path = join(this.deps.dataDir, name);
    const marks = [path, `${path}-wal`]
      .map((file) => statSync(file, { throwIfNoEntry: false }))
      .map((stat) => (stat === undefined || stat.size === 0 ? '-' : `${stat.ino}:${stat.size}:${stat.mtimeMs}`));
    return [...marks, walIndexHeader(path)].join(',');
  }
}

/** Names the last commit that readers of a database see (SQLite, "WAL-mode File Format", 2.1); written by no call that dates a file. */
function walIndexHeader(path: string): string {
  const header = Buffer.alloc(WAL_INDEX_HEADER_BYTES);
  try {
    const file = openSync(`${path}-shm`, 'r');
    try {
      readSync(file, header, 0, header.length, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    return '-';
  }
  return header.toString('base64');
}

const codeOf = (error: unknown): ErrorCode => (isSparcError(error) ? error.code : 'ERR_GATEWAY_INTERNAL');
