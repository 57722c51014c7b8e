import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { compareHlc, type Hlc } from '../hlc/index.js';
import { Beacon, BEACON_KIND, POLICY_KIND, PolicyRevision } from './bodies.js';

/** When the authority said something: where in its log, and by a clock that may have been wrong. */
export interface Said {
  /** Of the entry: later ones have later stamps, whatever became of the clock in between. */
  readonly hlc: Hlc;
  readonly wallUnixMs: number;
}

/** A revision as it stands in the log of the authority. */
export interface IssuedRevision {
  readonly revision: PolicyRevision;
  /** Names it in records, alike on every gateway: its number and what it says. */
  readonly name: string;
  /** By the clock of the authority. */
  readonly issuedUnixMs: number;
  readonly hlc: Hlc;
}

/** What the log of the authority says of the policy, in whatever order its entries came. */
export interface PolicyCourse {
  /** Newest first. */
  readonly revisions: readonly IssuedRevision[];
  /** By number: when the authority said last that it holds. */
  readonly beacons: ReadonlyMap<number, Said>;
}

export const EMPTY_COURSE: PolicyCourse = { revisions: [], beacons: new Map() };

/** Of those for all gateways the newest one, and the one before it, whose parts are kept until the newest is in force. */
const REVISIONS_KEPT = 2;
/** Of those for some gateways only, which are newer than the newest for all. */
const TRIALS_KEPT = 4;
/** Those of the highest numbers. */
const BEACONS_KEPT = 8;

/** Takes up an entry of the authority's log; other kinds say nothing here. Throws ERR_LEDGER_MALFORMED. */
export function learn(
  course: PolicyCourse,
  { kind, body, hlc, wallUnixMs }: Said & { readonly kind: string; readonly body: Uint8Array },
): PolicyCourse {
  if (kind === POLICY_KIND) return withRevision(course, PolicyRevision.decode(body), body, { hlc, wallUnixMs });
  if (kind !== BEACON_KIND) return course;
  const { number } = Beacon.decode(body);
  const said = { hlc, wallUnixMs };
  const known = course.beacons.get(number);
  if (known !== undefined && compareSaid(said, known) <= 0) return course;
  const beacons = [...new Map(course.beacons).set(number, said)].sort(([a], [b]) => b - a);
  return { ...course, beacons: new Map(beacons.slice(0, BEACONS_KEPT)) };
}

/** What of a course is for one gateway. `key`: its public key, in hex. */
export const courseOf = (course: PolicyCourse, key: string): PolicyCourse => ({
  ...course,
  revisions: course.revisions.filter((each) => isForAll(each) || each.revision.onlyFor.includes(key)),
});

/** An authority that was restored from a backup may use a number again: then the later one counts, everywhere. */
export const isNewerRevision = (
  a: Pick<IssuedRevision, 'issuedUnixMs'> & { readonly number: number },
  b: Pick<IssuedRevision, 'issuedUnixMs'> & { readonly number: number },
): boolean => a.number > b.number || (a.number === b.number && a.issuedUnixMs > b.issuedUnixMs);

/**
 * When the authority last said that a revision holds: when it issued it, and with every beacon that names it, or one
 * later as long as no later one is known here. The last is the one that stands last in its log: after a clock that was
 * ahead, a right one counts again. Undefined where nothing of this is known here.
 */
export function lastConfirmed(
  { revisions, beacons }: PolicyCourse,
  { number, issuedUnixMs }: { readonly number: number; readonly issuedUnixMs: number },
): Said | undefined {
  const isNewest = !revisions.some(({ revision }) => revision.number > number);
  const issued = revisions
    .filter((each) => each.revision.number === number && each.issuedUnixMs === issuedUnixMs)
    .map(({ hlc }) => ({ hlc, wallUnixMs: issuedUnixMs }));
  const said = [...beacons].filter(([named]) => named === number || (isNewest && named > number));
  return [...issued, ...said.map(([, each]) => each)].sort(compareSaid).at(-1);
}

/** The time decides only between two lives of one authority. */
const compareSaid = (a: Said, b: Said): number => compareHlc(a.hlc, b.hlc) || a.wallUnixMs - b.wallUnixMs;

function withRevision(
  course: PolicyCourse,
  revision: PolicyRevision,
  body: Uint8Array,
  { hlc, wallUnixMs: issuedUnixMs }: Said,
): PolicyCourse {
  const name = `${revision.number}-${bytesToHex(sha256(body)).slice(0, 16)}`;
  const known = course.revisions.find((each) => each.revision.number === revision.number);
  const isLater = known === undefined || issuedUnixMs > known.issuedUnixMs;
  const isAgain = name === known?.name && compareHlc(hlc, known.hlc) > 0;
  const isOther = known?.issuedUnixMs === issuedUnixMs && (name > known.name || isAgain);
  if (!isLater && !isOther) return course;
  const revisions = [...course.revisions.filter((each) => each !== known), { revision, name, issuedUnixMs, hlc }];
  revisions.sort((a, b) => b.revision.number - a.revision.number);
  const forAll = revisions.filter(isForAll).slice(0, REVISIONS_KEPT);
  const newest = forAll[0]?.revision.number ?? 0;
  const trials = revisions.filter((each) => !isForAll(each) && each.revision.number > newest).slice(0, TRIALS_KEPT);
  return { ...course, revisions: [...trials, ...forAll] };
}

const isForAll = ({ revision }: IssuedRevision): boolean => revision.onlyFor.length === 0;
