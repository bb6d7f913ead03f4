// How a table is described once, and what follows from it: lists of columns, rows given as typed arrays, what is inserted, and how a row is read, from
// the driver or out of JSON. Knows no table.
import { formatMoney, type Micros, parseMoney } from '../lib/money.js';
import type { Row } from './client.js';

export type ColumnType =
  | 'uuid'
  | 'text'
  | 'bigint'
  | 'integer'
  | 'smallint'
  | 'boolean'
  | 'timestamptz'
  | 'jsonb'
  | 'numeric'
  | 'bytea';

/** A column, and how its values pass between the database and us. `isComputed`: the database makes it. */
export interface Column<T> {
  readonly name: string;
  readonly type: ColumnType;
  readonly isNullable: boolean;
  readonly isComputed: boolean;
  read(value: unknown): T;
  write(value: T): unknown;
}

type Columns = Readonly<Record<string, Column<unknown>>>;

/** A table of the database; the keys of `columns` are the names of the members of its records. */
export interface Table<C> {
  readonly name: string;
  readonly columns: C;
}

/** What a column holds. */
type Held<C> = C extends { read(value: unknown): infer T } ? T : never;

/** A record of some columns of a table. */
export type RecordOf<T, K extends keyof ColumnsOf<T> = keyof ColumnsOf<T>> = { [P in K]: Held<ColumnsOf<T>[P]> };

type ColumnsOf<T> = T extends Table<infer C> ? C : never;

const asIs = (value: unknown): never => value as never;

function column<T>(
  name: string,
  type: ColumnType,
  read: (value: unknown) => T = asIs,
  write: (value: T) => unknown = asIs,
): Column<T> {
  return { name, type, isNullable: false, isComputed: false, read, write };
}

export const uuid = (name: string): Column<string> => column(name, 'uuid');
export const text = <T extends string = string>(name: string): Column<T> => column(name, 'text');
export const bigint = (name: string): Column<number> => column(name, 'bigint');
export const integer = (name: string): Column<number> => column(name, 'integer');
export const smallint = (name: string): Column<number> => column(name, 'smallint');
export const boolean = (name: string): Column<boolean> => column(name, 'boolean');
export const json = <T>(name: string): Column<T> => column<T>(name, 'jsonb', asIs, (value) => JSON.stringify(value));

/** An instant with milliseconds; out of JSON it comes as text. */
export const instant = (name: string): Column<Date> =>
  column(
    name,
    'timestamptz',
    (value) => (value instanceof Date ? value : new Date(value as string)),
    (value) => value.toISOString(),
  );

/** An amount of money. JSON must carry it as text: as a JSON number it would pass through a float. */
export const money = (name: string): Column<Micros> =>
  column(
    name,
    'numeric',
    (value) => parseMoney(value as string),
    (value) => formatMoney(value, 6),
  );

/** Bytes, as lower-case hexadecimal. */
export const bytes = (name: string): Column<string> =>
  column(
    name,
    'bytea',
    (value) => (Buffer.isBuffer(value) ? value.toString('hex') : (value as string).slice(2)),
    (value) => `\\x${value}`,
  );

/** The column may be null. */
export function nullable<T>({ read, write, ...rest }: Column<T>): Column<T | null> {
  return {
    ...rest,
    isNullable: true,
    read: (value) => (value === null ? null : read(value)),
    write: (value) => (value === null ? null : write(value)),
  };
}

/** The database computes the column; nobody writes it. */
export function computed<T>(own: Column<T>): Column<T> & { isComputed: true } {
  return { ...own, isComputed: true };
}

export function table<C extends Columns>(name: string, columns: C): Table<C> {
  return { name, columns };
}

function columnOf<C>({ columns }: Table<C>, key: keyof C): Column<unknown> {
  return columns[key] as Column<unknown>;
}

/** The members of a table's records that are written. */
export type Written<C> = { [K in keyof C]: C[K] extends { isComputed: true } ? never : K }[keyof C];

export function written<C>(of: Table<C>): Written<C>[] {
  return (Object.keys(of.columns as object) as Written<C>[]).filter((key) => !columnOf(of, key).isComputed);
}

/** The names of columns. */
export function namesOf<C>(of: Table<C>, keys: readonly (keyof C)[]): string[] {
  return keys.map((key) => columnOf(of, key).name);
}

/** Columns as a list, those of a row called `alias` if one is given. */
export function listOf<C>(of: Table<C>, keys: readonly (keyof C)[] = written(of), alias?: string): string {
  return namesOf(of, keys)
    .map((name) => (alias === undefined ? name : `${alias}.${name}`))
    .join(', ');
}

/**
 * Rows that are given as one typed array for each column, the first of them `$first`, as the table `given` or another; with `isNumbered`
 * in their order, by `place`.
 */
export function given<C>(
  of: Table<C>,
  keys: readonly (keyof C)[],
  { isNumbered = false, first = 1, alias = 'given' } = {},
): string {
  const arrays = keys.map((key, index) => `$${first + index}::${columnOf(of, key).type}[]`);
  const numbered = isNumbered ? ' WITH ORDINALITY' : '';
  return `unnest(${arrays.join(', ')})${numbered} AS ${alias} (${listOf(of, keys)}${isNumbered ? ', place' : ''})`;
}

/**
 * The condition that rows of `alias` have the keys of given rows, each column by itself. It stands beside the join: whatever the planner believes of the table,
 * it finds rows by their whole key then, and never reads all that a customer owns.
 */
export function amongGiven<C>(of: Table<C>, keys: readonly (keyof C)[], alias: string, first = 1): string {
  const conditions = keys.map((key, index) => {
    const { name, type } = columnOf(of, key);
    return `${alias}.${name} = ANY ($${first + index}::${type}[])`;
  });
  return conditions.join(' AND ');
}

/** Whose values need no quotes in the text of an array: the driver would search each for what must be escaped, at ten times the cost. */
const PLAIN_IN_ARRAYS: ReadonlySet<ColumnType> = new Set([
  ...(['uuid', 'bigint', 'integer', 'smallint', 'boolean', 'timestamptz', 'numeric'] as const),
]);

/** The parameters of `given`: one array for each column. */
export function arraysOf<C, K extends keyof C>(
  of: Table<C>,
  keys: readonly K[],
  rows: readonly { [P in K]: Held<C[P]> }[],
): unknown[] {
  return keys.map((key) => {
    const { write, type } = columnOf(of, key);
    const values = rows.map((row) => write(row[key]));
    return PLAIN_IN_ARRAYS.has(type) ? `{${values.map((value) => value ?? 'NULL').join()}}` : values;
  });
}

/** Inserts given rows. */
export function insertOf<C>(of: Table<C>, keys: readonly (keyof C)[] = written(of)): string {
  return `INSERT INTO ${of.name} (${listOf(of, keys)}) SELECT ${listOf(of, keys)} FROM ${given(of, keys)}`;
}

/** Reads columns of a row, as the driver gives it or as JSON has it. */
export function readerOf<C, K extends keyof C & string>(
  of: Table<C>,
  keys: readonly K[],
): (row: Row) => { [P in K]: Held<C[P]> } {
  const columns = keys.map((key) => [key, columnOf(of, key)] as const);
  return (row) => {
    const record: Record<string, unknown> = {};
    for (const [key, { name, read }] of columns) record[key] = read(row[name]);
    return record as { [P in K]: Held<C[P]> };
  };
}
