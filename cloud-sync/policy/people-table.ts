import { SparcError } from '@sparc/protocol/errors';
import { csvRows, type CsvRow } from './csv-rows.js';
import { peopleColumns, type PeopleColumn } from './people-row.js';

/** UTF-16 code units: more than a million people with a card. */
export const PEOPLE_TABLE_LENGTH_MAX = 134_217_728;
/** Rows a transaction. */
const ROWS_AT_ONCE = 250;

/** A table of people in CSV, whose header was read. */
export class PeopleTable {
  readonly columns: readonly PeopleColumn[];

  /** Throws ERR_POLICY_INVALID for a text that is none. */
  constructor(private readonly text: string) {
    if (text.length > PEOPLE_TABLE_LENGTH_MAX) throw invalid(`it has more than ${PEOPLE_TABLE_LENGTH_MAX} characters`);
    const { value: header } = csvRows(text).next() as IteratorResult<CsvRow, undefined>;
    if (header === undefined) throw invalid('it is empty');
    const columns = peopleColumns(header.cells);
    if (typeof columns === 'string') throw invalid(columns);
    this.columns = columns;
  }

  /** All rows behind the header, some at a time. */
  *pieces(): Generator<readonly CsvRow[]> {
    const rows = csvRows(this.text);
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
}

const invalid = (why: string) => new SparcError('ERR_POLICY_INVALID', why, { problems: [{ line: 1, message: why }] });
