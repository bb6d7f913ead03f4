// The connection to Postgres: one pool, Prisma over it, and the one small interface through which the rest of db/ speaks SQL.
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { Logger } from 'pino';
import { type Prisma, PrismaClient } from '../generated/prisma/client.js';
import { knownStatementName, statementName } from './statement-names.js';

export type Row = Record<string, unknown>;

/**
 * Runs SQL with positional parameters. A transaction of Prisma and the pool both satisfy it, so that what reads and writes the ledger
 * exists once. bigint columns arrive as safe integers, timestamptz as Date, numeric as string, json parsed.
 */
export interface Tx {
  query<T extends Row = Row>(sql: string, parameters?: readonly unknown[]): Promise<T[]>;
}

/** A transaction of Prisma: SQL where a statement must be precise, models elsewhere. */
export interface PrismaTx extends Tx {
  prisma: Prisma.TransactionClient;
}

export interface Db extends PrismaTx {
  prisma: PrismaClient;
  pool: pg.Pool;
  /** Runs `work` in one READ COMMITTED transaction; it is rolled back when `work` throws. */
  transaction<T>(work: (tx: PrismaTx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface DbOptions {
  poolSizeMax?: number;
}

const POOL_SIZE_MAX = 16;
const CONNECT_TIMEOUT_MS = 10_000;
/** A new connection costs a log-in, and each statement is planned anew on it, so that it is worth keeping over quiet minutes. */
const IDLE_TIMEOUT_MS = 600_000;
/** A transaction waits this long for a connection, and may then last this long. */
const TRANSACTION_WAIT_MS = 20_000;
const TRANSACTION_MS = 30_000;
const KEEP_ALIVE_AFTER_MS = 10_000;
const LOCK_TIMEOUT_MS = 15_000;
const STATEMENT_TIMEOUT_MS = 20_000;
/** Longer than any statement may take by the server's own bound: only a dead peer reaches it. */
const READ_TIMEOUT_MS = 30_000;
const IDLE_IN_TRANSACTION_MS = 30_000;

/** Holds unless the URL's options say otherwise: rows are found by keys, in memory or on flash; the server's default makes it read tables of up to some 30,000 rows whole for each. */
const PREFERRED_OPTIONS = '-c random_page_cost=1.1';

const SESSION_OPTIONS = [
  'TimeZone=UTC', // the adapter ignores the offset of a timestamptz: another zone would shift every instant
  'default_transaction_isolation=read\\ committed',
  'jit=off', // compiling takes longer than our statements run
  `lock_timeout=${LOCK_TIMEOUT_MS}`,
  `statement_timeout=${STATEMENT_TIMEOUT_MS}`,
  `idle_in_transaction_session_timeout=${IDLE_IN_TRANSACTION_MS}`,
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`integer ${text} of the database is not exact in a number`);
  return value;
}

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8
      ? parseSafeInteger
      : pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
};

/** Prisma's raw results in the forms that the pool gives. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return parseSafeInteger(value.toString());
  if (value !== null && typeof value === 'object' && 'toFixed' in value) return String(value);
  return value;
}

function plainRow(row: Row): Row {
  const result: Row = {};
  for (const key in row) result[key] = plain(row[key]);
  return result;
}

/** The URL without its `options`, and the options of a session: the URL's before ours, so that ours hold. */
function sessionOf(url: string): { connectionString: string; options: string } {
  const parsed = new URL(url);
  const own = parsed.searchParams.get('options');
  parsed.searchParams.delete('options');
  return { connectionString: parsed.toString(), options: [PREFERRED_OPTIONS, own ?? '', SESSION_OPTIONS].join(' ') };
}

/** Opens the pool and Prisma over it. Nothing is connected before the first query. */
export function createDb(url: string, log: Logger, options: DbOptions = {}): Db {
  const pool = new pg.Pool({
    ...sessionOf(url),
    max: options.poolSizeMax ?? POOL_SIZE_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    query_timeout: READ_TIMEOUT_MS,
    pipeline: true, // only queries of one transaction that are sent without waiting for each other gain by it
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    application_name: 'bursar',
    types,
  });
  // Without a listener a connection that is cut while idle would end the process.
  pool.on('error', (error: Error & { client?: unknown }) => {
    delete error.client; // the driver hands over the whole connection, the key to cancel its queries included
    log.warn({ err: error }, 'an idle database connection was lost');
  });
  // Likewise one that is cut while it is lent, between two statements: the next statement fails and says so.
  pool.on('connect', (client) =>
    client.on('error', (error) => log.debug({ err: error }, 'a database connection was lost')),
  );
  // Undefined leaves a statement unnamed, which the adapter's type does not say.
  const statementNameGenerator = ({ sql }: { sql: string }) => knownStatementName(sql) as string;
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { statementNameGenerator }) });
  return {
    prisma,
    pool,
    query: async <T extends Row>(sql: string, parameters: readonly unknown[] = []) =>
      (await pool.query<T>({ name: statementName(sql), text: sql, values: [...parameters] })).rows,
    transaction: (work) =>
      prisma.$transaction(
        (client) =>
          work({
            prisma: client,
            query: async <T extends Row>(sql: string, parameters: readonly unknown[] = []) => {
              statementName(sql); // from now on the adapter knows it
              return (await client.$queryRawUnsafe<Row[]>(sql, ...parameters)).map(plainRow) as T[];
            },
          }),
        { maxWait: TRANSACTION_WAIT_MS, timeout: TRANSACTION_MS },
      ),
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
