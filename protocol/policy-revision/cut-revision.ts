import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { PolicyContent } from '../policy/index.js';
import type { Part } from '../ports/part-store.js';
import { INDEXES_MAX, REVISION_BYTES_MAX, REVISION_LAYOUT, type PolicyRevision } from './bodies.js';
import { invalidPolicy } from './check-record.js';
import {
  INDEX_PARTS_MAX,
  INDEX_PARTS_MEAN,
  IndexPart,
  PART_RECORDS_MEAN,
  PART_TEXT_BYTES_MAX,
  type PartRef,
  type Section,
} from './part-refs.js';
import type { PartTools } from './part-tools.js';
import { PEOPLE_SECTIONS, PeopleOrder, type PeopleSection } from './people.js';
import { planLines, type RecordLine } from './plan-lines.js';

export interface NewRevision {
  readonly number: number;
  readonly content: PolicyContent;
  /** Keys of the gateways that apply it; left out: all. */
  readonly onlyFor?: readonly string[];
}

/**
 * Cuts a policy into parts, hands each to `put` as it is made, and returns what is to be signed. Nothing but names is kept in
 * memory.
 * Throws ERR_POLICY_INVALID for a record that no gateway would take, or more of them than a revision takes.
 */
export function cutRevision(
  tools: PartTools,
  { number, content, onlyFor = [] }: NewRevision,
  put: (part: Part) => void,
): PolicyRevision {
  const cutter = new RevisionCutter(tools, content, put);
  for (const section of PEOPLE_SECTIONS) for (const record of content[section]) cutter.add(section, record);
  return { ...cutter.end(), number, onlyFor };
}

/**
 * People of one section between two that begin a part, whatever comes before and behind them. Cut once, they are the same parts
 * in every revision that has them.
 */
export interface CutRun {
  readonly firstId: string;
  readonly lastId: string;
  readonly count: number;
  readonly parts: readonly PartRef[];
}

/** What is signed, but for what whoever signs it says of it. */
export type CutRevision = Omit<PolicyRevision, 'number' | 'onlyFor'>;

/**
 * Cuts a policy whose people come one by one, in the order of `PEOPLE_SECTIONS` and of their ids. Where a part begins is chosen
 * by the records alone, so that a record that changes leaves all parts but its own as they were.
 * All of it throws ERR_POLICY_INVALID for a record that no gateway would take, or more of them than a revision takes.
 */
export class RevisionCutter {
  readonly #counts: Record<Section, number> = { plan: 0, profiles: 0, holders: 0, credentials: 0 };
  readonly #refs: PartRef[] = [];
  readonly #site: string;
  #sizeBytes = 0;
  #order: PeopleOrder<PeopleSection> | undefined;
  /** Of the parts, where the run begins that is being added. */
  #runAt = 0;
  #text = this.#cutterOf('plan');

  constructor(
    private readonly tools: PartTools,
    plan: Pick<PolicyContent, 'plan' | 'emergencyCredentials'>,
    private readonly put: (part: Part) => void,
  ) {
    this.#site = plan.plan.site.id;
    for (const line of planLines(plan)) this.#addLine('plan', line);
  }

  add(section: PeopleSection, record: unknown): void {
    const { id } = this.#orderOf(section).take(record);
    this.#addLine(section, { key: id, text: JSON.stringify(record) });
  }

  /** A run that was cut before, in the place of its people. Its parts are the caller's. */
  addRun(section: PeopleSection, { firstId, lastId, count, parts }: CutRun): void {
    this.#orderOf(section).pass(firstId, lastId);
    this.endRun();
    this.#refs.push(...parts);
    this.#runAt = this.#refs.length;
    this.#counts[section] += count;
    this.#sizeBytes += parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** The caller says that a part begins with the next record; returns the parts since it said so last, or a section began. */
  endRun(): readonly PartRef[] {
    this.#text.end();
    const parts = this.#refs.slice(this.#runAt);
    this.#runAt = this.#refs.length;
    return parts;
  }

  end(): CutRevision {
    this.#text.end();
    const indexes: string[] = [];
    const index = new Cutter<PartRef>(INDEX_PARTS_MAX, (parts) =>
      indexes.push(this.#putBytes(IndexPart.encode({ parts }))),
    );
    for (const ref of this.#refs) index.add(ref, 1, isBeginning(hexToBytes(ref.hash), INDEX_PARTS_MEAN));
    index.end();
    if (indexes.length > INDEXES_MAX || this.#sizeBytes > REVISION_BYTES_MAX) {
      throw tooMuch(`${this.#refs.length} parts with ${this.#sizeBytes} bytes`);
    }
    return { site: this.#site, layout: REVISION_LAYOUT, indexes, counts: this.#counts, sizeBytes: this.#sizeBytes };
  }

  #orderOf(section: PeopleSection): PeopleOrder<PeopleSection> {
    if (this.#order?.section === section) return this.#order;
    this.endRun();
    this.#text = this.#cutterOf(section);
    return (this.#order = new PeopleOrder(section, invalidPolicy));
  }

  #cutterOf(section: Section): Cutter<Uint8Array> {
    return new Cutter(PART_TEXT_BYTES_MAX, (lines) => {
      const bytes = this.tools.deflate(concatBytes(...lines));
      this.#refs.push({ section, hash: this.#putBytes(bytes), sizeBytes: bytes.length });
    });
  }

  #addLine(section: Section, line: RecordLine): void {
    const bytes = utf8ToBytes(`${line.text}\n`);
    if (bytes.length > PART_TEXT_BYTES_MAX) throw tooMuch(`${section}: ${line.key} takes ${bytes.length} bytes`);
    this.#text.add(bytes, bytes.length, isBeginning(this.tools.sha256(utf8ToBytes(line.key)), PART_RECORDS_MEAN));
    this.#counts[section] += 1;
  }

  #putBytes(bytes: Uint8Array): string {
    const hash = bytesToHex(this.tools.sha256(bytes));
    this.put({ hash, content: bytes });
    this.#sizeBytes += bytes.length;
    return hash;
  }
}

/** Gathers until somewhere a new piece begins, or one more would be too much. */
class Cutter<T> {
  #pieces: T[] = [];
  #size = 0;

  constructor(
    private readonly sizeMax: number,
    private readonly cut: (pieces: readonly T[]) => void,
  ) {}

  add(piece: T, size: number, isBeginning: boolean): void {
    if (isBeginning || this.#size + size > this.sizeMax) this.end();
    this.#pieces.push(piece);
    this.#size += size;
  }

  end(): void {
    if (this.#pieces.length > 0) this.cut(this.#pieces);
    this.#pieces = [];
    this.#size = 0;
  }
}

/** Of something with this hash, where one in `mean` begins. */
const isBeginning = (hash: Uint8Array, mean: number): boolean => (hash[0] ?? 0) % mean === 0;

const tooMuch = (what: string) => invalidPolicy(`${what}, more than a policy revision takes`);
