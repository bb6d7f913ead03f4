// Comma-separated values (RFC 4180) as spreadsheets write and read them: a file in UTF-8 as rows of cells with their places, and rows as text. Guesses
// nothing about what is in the cells.
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import { stringify } from 'csv-stringify/sync';

/** A row of a file. */
export interface CsvRow {
  /** On which it begins, from 1; CR, LF and CRLF end lines. */
  line: number;
  cells: string[];
}

/** Why a file can't be read on from a row. */
export interface CsvFault {
  line: number;
  message: string;
}

const DELIMITERS = [',', ';', '\t'];
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');
/** Twice what the longest row of ours needs. */
const ROW_BYTES_MAX = 128 * 1_024;
/** So many bytes are read at a time; others get their turn in between. */
const PIECE_BYTES = 64 * 1_024;
const CR = 0x0d;
const LF = 0x0a;

/** What is wrong with a row, by the code of the parser. */
const MESSAGES: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote that opens in this row is never closed',
  CSV_INVALID_CLOSING_QUOTE:
    'a closing quote is followed by something other than a delimiter: double the quotes in a cell',
  INVALID_OPENING_QUOTE:
    'a quote stands in a cell that has none around it: put the cell in quotes, and double those in it',
  CSV_MAX_RECORD_SIZE: `a row is longer than ${ROW_BYTES_MAX} bytes: is a quote missing?`,
};

/** What comes before the rows: a byte order mark, a line `sep=;`, and by what cells are divided. */
interface Preamble {
  from: number;
  lines: number;
  delimiter: string;
}

/**
 * Hands over the rows of a file, empty lines left out. Cells are divided by what a first line `sep=` names, else by the first of comma, semicolon and
 * tab that stands in the header. Returns why it could not be read to its end, if it could not.
 */
export async function readCsv(
  bytes: Buffer,
  take: (row: CsvRow, delimiter: string) => void,
): Promise<CsvFault | undefined> {
  const { from, lines, delimiter } = readPreamble(bytes);
  const body = bytes.subarray(from);
  const place = new Place(body, lines + 1);
  const parser = parse({
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: ROW_BYTES_MAX,
    on_record: (cells: string[], { bytes: end }: { bytes: number }) => {
      take({ line: place.lineOfNext(end), cells }, delimiter);
      return null;
    },
  });
  parser.resume();
  try {
    await pipeline(pieces(body), parser);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const message = MESSAGES[code];
    if (message === undefined) throw error;
    return { line: place.lineOfNext(body.length), message };
  }
  return undefined;
}

function readPreamble(bytes: Buffer): Preamble {
  const start = bytes.indexOf(BYTE_ORDER_MARK) === 0 ? BYTE_ORDER_MARK.length : 0;
  const head = bytes.toString('utf8', start, start + ROW_BYTES_MAX);
  const named = /^"?sep=(.)"?(?:\r\n|\n|\r)/i.exec(head);
  if (named) return { from: start + named[0].length, lines: 1, delimiter: named[1] ?? ',' };
  const header = /^[^\r\n]*/.exec(head.trimStart())?.[0] ?? '';
  const delimiter = [...header].find((character) => DELIMITERS.includes(character)) ?? ',';
  return { from: start, lines: 0, delimiter };
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
    yield bytes.subarray(from, from + PIECE_BYTES);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Counts lines, because the parser counts those in quotes twice where they end with CR and LF. */
class Place {
  readonly #bytes: Buffer;
  #at = 0;
  #line: number;

  constructor(bytes: Buffer, line: number) {
    this.#bytes = bytes;
    this.#line = line;
  }

  /** The line on which the next row begins, which ends before this byte. */
  lineOfNext(end: number): number {
    while (this.#isLineEnd()) this.#pass();
    const line = this.#line;
    while (this.#at < end) this.#pass();
    return line;
  }

  #isLineEnd(): boolean {
    return this.#bytes[this.#at] === CR || this.#bytes[this.#at] === LF;
  }

  #pass(): void {
    const isEnd = this.#isLineEnd();
    if (isEnd && !(this.#bytes[this.#at] === CR && this.#bytes[this.#at + 1] === LF)) this.#line += 1;
    this.#at += 1;
  }
}

/** Rows as text, with CRLF; quoted are cells that need it. */
export function writeCsv(rows: readonly (readonly string[])[]): string {
  // Without the pattern a lone CR or LF would not be quoted, and break the row.
  return stringify([...rows] as string[][], { record_delimiter: '\r\n', quoted_match: /[\r\n]/ });
}
