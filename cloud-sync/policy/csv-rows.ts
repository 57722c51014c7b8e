/** A row of a table in CSV. */
export interface CsvRow {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** Ends with a comma, an end of line, or the text; a cell in quotes is taken with them. */
const CELL = /("(?:[^"]|"")*"|[^,\r\n"]*)(,|\r\n|\n|\r|$)/y;

/**
 * The rows of a text in CSV (RFC 4180), without those that are empty. A row that cannot be read has the line at which that
 * shows, and no cells; what follows it is not read.
 */
export function* csvRows(text: string): Generator<CsvRow> {
  let [at, line] = [text.startsWith('\uFEFF') ? 1 : 0, 1];
  while (at < text.length) {
    const begun = line;
    const cells: string[] = [];
    for (let end = ','; end === ',';) {
      CELL.lastIndex = at;
      const [whole, cell, sign] = CELL.exec(text) ?? [];
      if (whole === undefined || cell === undefined || sign === undefined) {
        yield { line, cells: [] };
        return;
      }
      cells.push((cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell).trim());
      line += linesIn(cell) + (sign === ',' || sign === '' ? 0 : 1);
      at += whole.length;
      end = sign;
    }
    if (cells.some((cell) => cell !== '')) yield { line: begun, cells };
  }
}

const linesIn = (cell: string): number => (cell.startsWith('"') ? (cell.match(/\r\n|\n|\r/g)?.length ?? 0) : 0);
