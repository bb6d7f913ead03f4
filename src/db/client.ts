// The connection to Postgres: one pool, Prisma over it, and the one small interface through which the rest of db/ speaks SQL.
import { AsyncLocalStorage } from 'node:async_hooks';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { Logger } from 'pino';
import { PrismaClient } from '../generated/prisma/client.js';
import { createSlots, type Slots } from '../lib/slots.js';
import { cutLentAfter } from './cut-lent.js';
import { lendLivingOnly, PROBES, type ProbeOptions } from './dead-connections.js';
import { sqlStateOf } from './errors.js';
import { borrowedSessions, ownSessions, type Wire } from './sessions.js';
import { knownStatementName, statementName } from './statement-names.js';

export type Row = Record<string, unknown>;

/**
 * Runs SQL with positional parameters. A transaction of Prisma and the pool both satisfy it, so that what reads and writes the ledger
 * exists once. bigint columns arrive as safe integers, timestamptz as Date, numeric as string, json parsed.
 */
export interface Tx {
  query<T extends Row = Row>(sql: string, parameters?: readonly unknown[]): Promise<T[]>;
}

export interface Db extends Tx {
  /** Opens interactive transactions (transactions.ts). */
  prisma: PrismaClient;
  readonly wire: Wire;
  pool: pg.Pool;
  /** While something runs in it, whoever it names is told of the connections that are lent for it. */
  lending: Lending;
  /** For reads of the past, which go through all entries of a customer, and those that settle first: they leave the other connections to who is quick. */
  readonly slowReads: Slots;
  /** Whether it is a standby, which is read from alone. */
  readonly isReplica: boolean;
  /** Ends the connections: those that are lent when they come back, or are cut because they don't. */
  close(): Promise<void>;
}

export type Lending = AsyncLocalStorage<(client: pg.PoolClient) => void>;

export interface DbOptions {
  poolSizeMax?: number;
  /** BURSAR_PREPARED; default true. */
  isPrepared?: boolean;
  isReplica?: boolean;
  probes?: ProbeOptions;
}

const POOL_SIZE_MAX = 16;
const SLOW_READS_SHARE = 0.25;
const CONNECT_TIMEOUT_MS = 10_000;
/** A new connection costs a log-in, and each statement is planned anew on it, so that it is worth keeping over quiet minutes. */
const IDLE_TIMEOUT_MS = 600_000;
const KEEP_ALIVE_AFTER_MS = 10_000;
/** Longer than any statement may take by the server's own bound: only a dead peer reaches it. */
const READ_TIMEOUT_MS = 30_000;

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

/** Tells whoever borrows connections of the pool for something of which ones it got. */
function tellBorrowers(pool: pg.Pool, lending: Lending): void {
  const connect = pool.connect.bind(pool) as (callback?: unknown) => Promise<pg.PoolClient>;
  const connectAndTell = (callback?: unknown) => {
    const tell = lending.getStore();
    if (callback !== undefined || !tell) return connect(callback);
    return connect().then((client) => {
      tell(client);
      return client;
    });
  };
  pool.connect = connectAndTell as pg.Pool['connect'];
}

/** One statement in a transaction of its own, which is sent in one piece: so it has its settings on a session that had others before. */
async function queryInTransaction<T extends Row>(
  pool: pg.Pool,
  { begin, nameOf }: Wire,
  sql: string,
  parameters: readonly unknown[],
): Promise<T[]> {
  const client = await pool.connect();
  const { stream } = client.connection;
  stream.cork();
  const sent = [
    client.query(begin),
    client.query<T>({ name: nameOf(sql), text: sql, values: [...parameters] }),
    client.query('COMMIT'),
  ] as const;
  stream.uncork();
  const [begun, asked, committed] = await Promise.allSettled(sent);
  const failed = [begun, asked, committed].find((each) => each.status === 'rejected');
  if (failed) {
    client.release(sqlStateOf(failed.reason) === undefined);
    throw failed.reason;
  }
  client.release();
  return (asked as PromiseFulfilledResult<pg.QueryResult<T>>).value.rows;
}

/** Opens the pool and Prisma over it. Nothing is connected before the first query. */
export function createDb(url: string, log: Logger, options: DbOptions = {}): Db {
  const { poolSizeMax = POOL_SIZE_MAX, isPrepared = true, isReplica = false } = options;
  const { wire, ...connection } = isPrepared ? ownSessions(url) : borrowedSessions(url);
  const pool = new pg.Pool({
    ...connection,
    max: poolSizeMax,
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
  const cutLent = cutLentAfter(pool);
  const lending: Lending = new AsyncLocalStorage();
  lendLivingOnly(pool, options.probes ?? PROBES);
  tellBorrowers(pool, lending);
  // Undefined leaves a statement unnamed, which the adapter's type does not say.
  const statementNameGenerator = ({ sql }: { sql: string }) =>
    (isPrepared ? knownStatementName(sql) : undefined) as string;
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool, { statementNameGenerator }),
    errorFormat: 'minimal', // else each statement takes the stack, to show a piece of our source in an error
  });
  return {
    prisma,
    pool,
    wire,
    lending,
    isReplica,
    slowReads: createSlots(Math.max(1, Math.floor(poolSizeMax * SLOW_READS_SHARE))),
    query: isPrepared
      ? async <T extends Row>(sql: string, parameters: readonly unknown[] = []) =>
          (await pool.query<T>({ name: statementName(sql), text: sql, values: [...parameters] })).rows
      : (sql, parameters = []) => queryInTransaction(pool, wire, sql, parameters),
    close: async () => {
      const cut = cutLent();
      await prisma.$disconnect();
      await pool.end();
      cut.cancel();
    },
  };
}
