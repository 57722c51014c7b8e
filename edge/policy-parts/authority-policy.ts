import { SparcError } from '@sparc/protocol/errors';
import {
  Beacon,
  BEACON_KIND,
  cutRevision,
  EMPTY_COURSE,
  learn,
  POLICY_KIND,
  PolicyRevision,
  REVISION_LAYOUT,
  surveyParts,
} from '@sparc/protocol/policy-revision';
import type { PolicyContent } from '@sparc/protocol/policy';
import type { Clock, Part, PartStore } from '@sparc/protocol/ports';
import type { AuthorityLog } from '../authority/index.js';
import { contentsOf } from './contents-of.js';
import { nodePartTools } from './node-part-tools.js';

/** Parts are put on disk by so many bytes at once. */
const PUT_BYTES = 4_194_304;

export interface SignedPolicy {
  readonly revision: PolicyRevision;
  /** False: it is the newest one, which says the same already. */
  readonly isNew: boolean;
  /** What a gateway with the revision before has to fetch. */
  readonly newPartsCount: number;
  readonly newBytes: number;
}

/** What the authority of a site says of policy: revisions, of which its part store holds the parts, and beacons. */
export class AuthorityPolicy {
  /** The newest first, as many as are kept. */
  #revisions: readonly PolicyRevision[];
  #lastUnixMs = -Infinity;

  constructor(
    private readonly log: Pick<AuthorityLog, 'entries' | 'append'>,
    private readonly parts: PartStore,
  ) {
    let course = EMPTY_COURSE;
    for (const entry of log.entries()) {
      course = learn(course, entry);
      this.#lastUnixMs = entry.wallUnixMs;
    }
    this.#revisions = course.revisions.map(({ revision }) => revision);
  }

  get newest(): PolicyRevision | undefined {
    return this.#revisions[0];
  }

  /**
   * For a command that signs: gateways reckon the age of their policy by what was said last. Throws
   * ERR_MESH_AUTHORITY_CLOCK where the clock shows a time before that of the last entry.
   */
  assertClock(clock: Clock): void {
    const { unixMs } = clock.wall();
    if (unixMs >= this.#lastUnixMs) return;
    const [now, last] = [unixMs, this.#lastUnixMs].map((at) => new Date(at).toISOString());
    throw new SparcError('ERR_MESH_AUTHORITY_CLOCK', `it is ${now} here, and the authority signed at ${last}`);
  }

  /**
   * Signs a policy as the next revision, unless the newest one says the same.
   * Throws ERR_POLICY_INVALID for one that is too large, ERR_POLICY_PARTS_FAILED or ERR_LEDGER_WRITE_FAILED.
   */
  sign(content: PolicyContent): SignedPolicy {
    const before = this.newest;
    const putting = new Putting(this.parts);
    const number = (before?.number ?? 0) + 1;
    const revision = cutRevision(nodePartTools, { number, content }, (part) => putting.add(part));
    putting.end();
    const { newPartsCount, newBytes } = putting;
    if (before?.indexes.join() === revision.indexes.join()) {
      return { revision: before, isNew: false, newPartsCount, newBytes };
    }
    // The parts first: what is signed can be handed on.
    this.log.append([{ kind: POLICY_KIND, body: PolicyRevision.encode(revision) }]);
    this.#revisions = before === undefined ? [revision] : [revision, before];
    const readable = this.#revisions.filter(({ layout }) => layout === REVISION_LAYOUT);
    const kept = readable.flatMap((each) => [...surveyParts(nodePartTools, each, this.parts).named]);
    this.parts.keepOnly(new Set(kept));
    return { revision, isNew: true, newPartsCount, newBytes };
  }

  /** Says that the newest revision still holds, and returns its number. Throws ERR_POLICY_UNSIGNED. */
  confirm(): number {
    const { newest } = this;
    if (newest === undefined) throw new SparcError('ERR_POLICY_UNSIGNED', 'there is nothing to confirm');
    this.log.append([{ kind: BEACON_KIND, body: Beacon.encode({ number: newest.number }) }]);
    return newest.number;
  }

  /**
   * Contents of all parts of the newest revision, and those of the one before it that are here, for gateways that cannot use
   * the newest. None before the first. Throws ERR_POLICY_PART_ABSENT.
   */
  *contents(): Generator<Uint8Array, void> {
    const revisions = this.#revisions;
    yield* contentsOf(revisions, this.parts, (hash, revision) => {
      if (revision !== revisions[0]) return;
      throw new SparcError('ERR_POLICY_PART_ABSENT', `the part ${hash} of policy ${revision.number}`, { hash });
    });
  }
}

/** Puts parts that are not there, many at once, because each put is flushed. */
class Putting {
  newPartsCount = 0;
  newBytes = 0;
  readonly #waiting = new Map<string, Part>();
  #waitingBytes = 0;

  constructor(private readonly parts: PartStore) {}

  add(part: Part): void {
    const { hash, content } = part;
    if (this.#waiting.has(hash) || this.parts.has(hash)) return;
    this.#waiting.set(hash, part);
    this.#waitingBytes += content.length;
    this.newPartsCount++;
    this.newBytes += content.length;
    if (this.#waitingBytes >= PUT_BYTES) this.end();
  }

  end(): void {
    if (this.#waiting.size > 0) this.parts.put([...this.#waiting.values()]);
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }
}
