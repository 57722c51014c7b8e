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
  SECTIONS,
  type PartRef,
  type Section,
} from './part-refs.js';
import type { PartTools } from './part-tools.js';
import { people } from './people.js';
import { planLines, type RecordLine } from './plan-lines.js';

export interface NewRevision {
  readonly number: number;
  readonly content: PolicyContent;
  /** Keys of the gateways that apply it; left out: all. */
  readonly onlyFor?: readonly string[];
}

/**
 * Cuts a policy into parts, hands each to `put` as it is made, and returns what is to be signed. Where a part begins is
 * chosen by the records alone, so that a record that changes leaves all parts but its own as they were. Nothing but names
 * is kept in memory.
 * Throws ERR_POLICY_INVALID for a record that no gateway would take, or more of them than a revision takes.
 */
export function cutRevision(
  tools: PartTools,
  { number, content, onlyFor = [] }: NewRevision,
  put: (part: Part) => void,
): PolicyRevision {
  const counts: Record<Section, number> = { plan: 0, profiles: 0, holders: 0, credentials: 0 };
  let sizeBytes = 0;
  const putBytes = (bytes: Uint8Array): string => {
    const hash = bytesToHex(tools.sha256(bytes));
    put({ hash, content: bytes });
    sizeBytes += bytes.length;
    return hash;
  };
  const refs: PartRef[] = [];
  for (const section of SECTIONS) {
    const text = new Cutter<Uint8Array>(PART_TEXT_BYTES_MAX, (lines) => {
      const bytes = tools.deflate(concatBytes(...lines));
      refs.push({ section, hash: putBytes(bytes), sizeBytes: bytes.length });
    });
    for (const line of linesOf(section, content)) {
      const bytes = utf8ToBytes(`${line.text}\n`);
      if (bytes.length > PART_TEXT_BYTES_MAX) throw tooMuch(`${section}: ${line.key} takes ${bytes.length} bytes`);
      text.add(bytes, bytes.length, isBeginning(tools.sha256(utf8ToBytes(line.key)), PART_RECORDS_MEAN));
      counts[section]++;
    }
    text.end();
  }
  const indexes: string[] = [];
  const index = new Cutter<PartRef>(INDEX_PARTS_MAX, (parts) => indexes.push(putBytes(IndexPart.encode({ parts }))));
  for (const ref of refs) index.add(ref, 1, isBeginning(hexToBytes(ref.hash), INDEX_PARTS_MEAN));
  index.end();
  if (indexes.length > INDEXES_MAX || sizeBytes > REVISION_BYTES_MAX) {
    throw tooMuch(`${refs.length} parts with ${sizeBytes} bytes`);
  }
  return { number, site: content.plan.site.id, layout: REVISION_LAYOUT, indexes, counts, sizeBytes, onlyFor };
}

function* linesOf(section: Section, content: PolicyContent): Generator<RecordLine> {
  if (section === 'plan') yield* planLines(content);
  else {
    for (const record of people(section, content[section], invalidPolicy)) {
      yield { key: record.id, text: JSON.stringify(record) };
    }
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
