// A table of the catalogue as rows of CSV: the header, and rows put together to the records that `PUT` takes. What a cell says is in catalog-columns.ts.
import type { FieldError } from '../errors/app-error.js';
import { type CsvRow, readCsv } from '../lib/csv.js';
import { nearestName } from '../lib/near-names.js';
import { type CatalogTable, CellFault, type Column, offerTable, productTable } from './catalog-columns.js';

type Table = CatalogTable<never>;

type Place = Pick<FieldError, 'pointer' | 'line' | 'record' | 'column'>;

/** A record as a file has it. */
export interface RawRecord {
  raw: unknown;
  faults: FieldError[];
  /** Columns that the file would have to have and doesn't, which is told once. */
  lacks: ReadonlySet<string>;
  /** Whether it says anything of a member. */
  says(member: string): boolean;
  /** Where a member stands in the file, by its path in the record. */
  placeOf(path: readonly string[]): Place;
}

/** Where a row stands, with the number of its record. */
interface Row {
  line: number;
  record: number;
}

/** What the header says: which table it is, and which column stands where; undefined for a blank one at the end. */
interface Header {
  table: Table;
  columns: (Column<never> | undefined)[];
}

interface TableRead {
  name: 'products' | 'offers';
  /** In the order of their first rows; may be gone through once. */
  records: Iterable<RawRecord>;
  faults: FieldError[];
}

/** Reads a table. Faults of cells are with their records. */
export async function readTable(bytes: Buffer, recordsMax: number): Promise<TableRead> {
  const faults: FieldError[] = [];
  let header: Header | undefined;
  let records = 0;
  let collector: Collector | undefined;
  const fault = await readCsv(bytes, (row, delimiter) => {
    if (collector === undefined) {
      header = readHeader(row, faults);
      collector = new Collector(header, delimiter, faults);
      return;
    }
    if (row.cells.every((cell) => cell.trim() === '')) return;
    records += 1;
    if (records > recordsMax) return;
    collector.take({ line: row.line, record: records }, row.cells);
  });
  if (fault) faults.push({ pointer: '', code: 'malformed_csv', ...fault });
  else if (header === undefined)
    faults.push({ pointer: '', code: 'required', line: 1, message: 'the file is empty: it has no header' });
  if (records > recordsMax) faults.push(tooMany(records, recordsMax));
  return { name: header?.table.name ?? 'products', records: collector?.records() ?? [], faults };
}

export function tooMany(records: number, recordsMax: number): FieldError {
  const message = `the file has ${records} records; at most ${recordsMax} are taken at once: send it in parts`;
  return { pointer: '', code: 'too_big', message };
}

function readHeader({ line, cells }: CsvRow, faults: FieldError[]): Header {
  const names = cells.map((cell) => cell.trim().toLowerCase());
  while (names.length > 1 && names.at(-1) === '') names.pop();
  const table = (names.includes(offerTable.key) ? offerTable : productTable) as unknown as Table;
  const known = new Map(table.columns.map((column) => [column.name, column]));
  const refuse = (column: string, code: string, message: string) =>
    faults.push({ pointer: `header/${column}`, code, message, line, column });
  const columns = names.map((name, index) => {
    const column = known.get(name);
    if (names.indexOf(name) < index) refuse(name, 'duplicate', `the column ${name} is there twice`);
    else if (!column) refuse(name, 'unrecognized_key', explainUnknown(name, table));
    return names.indexOf(name) < index ? undefined : column;
  });
  for (const { name } of missingOf(table, columns)) refuse(name, 'required', explainMissing(name, table));
  return { table, columns };
}

/** The columns that the file would have to have: those that are required, and those of a member of which it has others: a member is given as a whole. */
function missingOf({ columns }: Table, present: Header['columns']): Column<never>[] {
  const members = new Set(present.flatMap((column) => (!column || column.ofItem ? [] : [column.path[0]])));
  return columns.filter(
    (column) => !present.includes(column) && (column.isRequired || (!column.ofItem && members.has(column.path[0]))),
  );
}

function explainUnknown(name: string, { name: table, columns }: Table): string {
  const meant = nearestName(
    name,
    columns.map((column) => column.name),
  );
  return `${name === '' ? 'a column without a name' : name} is not a column of ${table}${meant ? `; did you mean ${meant}?` : ''}`;
}

function explainMissing(name: string, { name: table, columns }: Table): string {
  if (name === productTable.key) return 'the column product_key is missing; a file of offers has sku';
  const { isRequired, path: [member = ''] = [] } = columns.find((column) => column.name === name) ?? {};
  return isRequired
    ? `the column ${name} of ${table} is missing`
    : `the column ${name} of ${table} is missing: those of ${member} come together, blank where they say nothing`;
}

/** What is known of a record while its rows come in. */
interface Draft {
  rows: Row[];
  /** The cells of the first row. */
  cells: readonly string[];
  raw: Record<string, unknown>;
  items: Record<string, unknown>[];
  faults: FieldError[];
}

/** Puts rows together to records: those of one name, in the order of their first rows. */
class Collector {
  readonly #header: Header;
  readonly #delimiter: string;
  readonly #faults: FieldError[];
  readonly #drafts = new Map<string, Draft>();
  readonly #said: ReadonlySet<string>;
  readonly #lacks: ReadonlySet<string>;
  readonly #hasItems: boolean;

  constructor(header: Header, delimiter: string, faults: FieldError[]) {
    this.#header = header;
    this.#delimiter = delimiter;
    this.#faults = faults;
    const columns = header.columns.filter((column) => column !== undefined);
    this.#hasItems = columns.some(({ name, ofItem }) => ofItem && name === productTable.key);
    this.#lacks = new Set(missingOf(header.table, columns).map(({ name }) => name));
    const own = columns.flatMap(({ ofItem, path: [member = ''] }) => (ofItem ? [] : [member]));
    this.#said = new Set(this.#hasItems ? [...own, 'items'] : own);
  }

  take(row: Row, cells: readonly string[]): void {
    const { table, columns } = this.#header;
    if (cells.slice(columns.length).some((cell) => cell.trim() !== '') || cells.length < columns.length) {
      const message = `has ${cells.length} cells, the header has ${columns.length}`;
      this.#faults.push({
        pointer: `record/${row.record}`,
        code: 'invalid',
        message,
        line: row.line,
        record: row.record,
      });
      return;
    }
    const key = (cells[columns.findIndex((column) => column?.name === table.key)] ?? '').trim().toUpperCase();
    const isOfItems = this.#hasItems && table.name === 'offers';
    const name = isOfItems && key !== '' ? key : `${key} ${row.record}`;
    const draft = this.#drafts.get(name) ?? { rows: [], cells, raw: {}, items: [], faults: [] };
    this.#drafts.set(name, draft);
    draft.rows.push(row);
    const item: Record<string, unknown> = {};
    for (const [index, column] of columns.entries()) {
      if (column) this.#readCell(draft, item, row, column, (cells[index] ?? '').trim(), index);
    }
    if (isOfItems) draft.items.push(item);
  }

  #readCell(
    draft: Draft,
    item: Record<string, unknown>,
    row: Row,
    { name, ofItem, path, read }: Column<never>,
    cell: string,
    index: number,
  ): void {
    const [first = row] = draft.rows;
    if (!ofItem && first !== row) {
      if (cell === '' || cell === draft.cells[index]?.trim() || name === this.#header.table.key) return;
      const message = `differs from line ${first.line}, which is of the same offer: repeat it, or leave it blank`;
      draft.faults.push({ ...placeOf(row, name), code: 'conflict', message });
      return;
    }
    if (cell === '') return;
    try {
      setAt(ofItem ? item : draft.raw, path, read(cell, this.#delimiter));
    } catch (error) {
      if (!(error instanceof CellFault)) throw error;
      draft.faults.push({ ...placeOf(row, name), code: 'invalid', message: error.message });
    }
  }

  /** The records, each given up as it is handed over; an offer of one row without a product has no items. */
  *records(): Generator<RawRecord> {
    const says = (member: string) => this.#said.has(member);
    for (const [name, { rows, raw, items, faults }] of this.#drafts) {
      this.#drafts.delete(name);
      const isEmpty = items.length === 1 && Object.keys(items[0] ?? {}).length === 0;
      if (this.#hasItems) raw.items = isEmpty ? [] : items;
      yield { raw, faults, lacks: this.#lacks, says, placeOf: (path) => this.#placeOf(rows, path) };
    }
  }

  #placeOf(rows: readonly Row[], path: readonly string[]): Place {
    const { table } = this.#header;
    const isOfItem = path[0] === 'items' && path.length > 1;
    const row = (isOfItem ? rows[Number(path[1])] : rows[0]) ?? rows[0];
    const within = isOfItem ? path.slice(2) : path;
    const candidates = table.columns.filter(({ ofItem }) => ofItem === isOfItem);
    const column =
      candidates.find(({ path: own }) => own.every((member, index) => member === within[index])) ??
      candidates.find(({ path: own }) => own[0] === within[0]);
    return placeOf(row as Row, column?.name ?? within[0] ?? (isOfItem ? productTable.key : table.key));
  }
}

function placeOf({ line, record }: Row, column: string): Place {
  return { pointer: `record/${record}/${column}`, line, record, column };
}

function setAt(into: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [member = '', ...rest] = path;
  if (rest.length === 0) {
    into[member] = value;
    return;
  }
  into[member] ??= {};
  setAt(into[member] as Record<string, unknown>, rest, value);
}
