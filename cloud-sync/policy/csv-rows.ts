/** A row of a table in CSV. */
export interface CsvRow {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A row that is longer, in UTF-16 code units, cannot be read: what lacks its closing quote would be gathered to the end. */
const ROW_LENGTH_MAX = 65_536;

/** Ends with a comma, an end of line, or the text; a cell in quotes is taken with them. */
const CELL = /("(?:[^"]|"")*"|[^,\r\n"]*)(,|\r\n|\n|\r|$)/y;

/**
 * The rows of a text in CSV (RFC 4180) that comes in pieces, without those that are empty. A row that cannot be read has the
 * line at which that shows, and no cells; what follows it is not read.
 */
export function* csvRows(pieces: Iterable<string>): Generator<CsvRow> {
  const reader = new RowReader();
  for (const piece of pieces) yield* reader.read(piece);
  yield* reader.end();
}

class RowReader {
  #rest = '';
  #line = 1;
  #isOver = false;

  *read(piece: string): Generator<CsvRow> {
    if (this.#isOver) return;
    yield* this.#rowsOf(this.#rest + piece, false);
    if (this.#rest.length > ROW_LENGTH_MAX) yield* this.end();
  }

  *end(): Generator<CsvRow> {
    if (!this.#isOver) yield* this.#rowsOf(this.#rest, true);
    this.#isOver = true;
  }

  /** `isWhole`: nothing follows; otherwise a row that may go on is left for the next piece. */
  *#rowsOf(text: string, isWhole: boolean): Generator<CsvRow> {
    let at = 0;
    while (at < text.length) {
      const begun = this.#line;
      const row = rowAt(text, at);
      if (row.end === undefined || row.end === text.length) {
        if (!isWhole) break;
        if (row.end === undefined) {
          this.#isOver = true;
          yield { line: begun + row.linesCount, cells: [] };
          return;
        }
      }
      at = row.end;
      this.#line += row.linesCount;
      if (row.cells.some((cell) => cell !== '')) yield { line: begun, cells: row.cells };
    }
    this.#rest = text.slice(at);
  }
}

interface RowAt {
  readonly cells: readonly string[];
  /** Lines that end in it. */
  readonly linesCount: number;
  /** Undefined where it cannot be read. */
  readonly end: number | undefined;
}

function rowAt(text: string, begin: number): RowAt {
  const cells: string[] = [];
  let [end, linesCount] = [begin, 0];
  for (let sign = ','; sign === ',';) {
    CELL.lastIndex = end;
    const [whole, cell, next] = CELL.exec(text) ?? [];
    if (whole === undefined || cell === undefined || next === undefined) return { cells, linesCount, end: undefined };
    cells.push((cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell).trim());
    linesCount += linesIn(cell) + (next === ',' || next === '' ? 0 : 1);
    end += whole.length;
    sign = next;
  }
  return { cells, linesCount, end };
}

const linesIn = (cell: string): number => (cell.startsWith('"') ? (cell.match(/\r\n|\n|\r/g)?.length ?? 0) : 0);
