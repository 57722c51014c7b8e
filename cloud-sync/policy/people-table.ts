import { SparcError } from '@sparc/protocol/errors';
import { csvRows, type CsvRow } from './csv-rows.js';
import { peopleColumns, type PeopleColumn } from './people-row.js';

/** More than a million people with a card. */
export const PEOPLE_TABLE_BYTES_MAX = 134_217_728;
/** Rows a transaction. */
const ROWS_AT_ONCE = 250;

/** A table of people in CSV, whose header was read. It is kept as the bytes that came: as a text it takes several times that. */
export class PeopleTable {
  readonly columns: readonly PeopleColumn[];

  /** `chunks`: of UTF-8. Throws ERR_POLICY_INVALID for what is none. */
  constructor(private readonly chunks: readonly Uint8Array[]) {
    const { value: header } = this.#rows().next() as IteratorResult<CsvRow, undefined>;
    if (header === undefined) throw invalid('it is empty');
    const columns = peopleColumns(header.cells);
    if (typeof columns === 'string') throw invalid(columns);
    this.columns = columns;
  }

  /** Throws ERR_POLICY_INVALID, also for more than PEOPLE_TABLE_BYTES_MAX, and as the stream does. */
  static async read(stream: AsyncIterable<Uint8Array>): Promise<PeopleTable> {
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const chunk of stream) {
      sizeBytes += chunk.length;
      if (sizeBytes > PEOPLE_TABLE_BYTES_MAX) throw invalid(`it has more than ${PEOPLE_TABLE_BYTES_MAX} bytes`);
      chunks.push(chunk);
    }
    return new PeopleTable(chunks);
  }

  /** All rows behind the header, some at a time. */
  *pieces(): Generator<readonly CsvRow[]> {
    const rows = this.#rows();
    rows.next();
    let piece: CsvRow[] = [];
    for (const row of rows) {
      piece.push(row);
      if (piece.length < ROWS_AT_ONCE) continue;
      yield piece;
      piece = [];
    }
    if (piece.length > 0) yield piece;
  }

  #rows(): Generator<CsvRow> {
    return csvRows(textOf(this.chunks));
  }
}

/** Without the mark at its beginning that some programs write. */
function* textOf(chunks: readonly Uint8Array[]): Generator<string> {
  const decoder = new TextDecoder();
  for (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

const invalid = (why: string) => new SparcError('ERR_POLICY_INVALID', why, { problems: [{ line: 1, message: why }] });
