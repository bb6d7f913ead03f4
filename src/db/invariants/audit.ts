// Runs the checks in one snapshot and says what differs. Changes nothing, repairs nothing, and uses nothing of the code that writes the
// data: what it expects, it recomputes from the rows.
import pg from 'pg';
import { required } from '../../lib/assert.js';
import { SKEW_MAX_MS } from '../../lib/clock.js';
import { checkNames, checkSql, countsSql, failedChecksSql } from './checks.js';

/** One place where the data are not what an invariant says. */
export interface Difference {
  /** Name of the check. */
  check: string;
  /** I1 to I9, or REF for a reference without a foreign key. */
  invariant: string;
  /** Null for what belongs to no customer, such as a trigger. */
  customerId: string | null;
  subject: string;
  expected: string;
  actual: string;
  detail: string;
}

export interface InvariantReport {
  ok: boolean;
  /** How many rows of each table were looked at. */
  checked: Record<string, number>;
  /** The checks that found something, with the number of differences found, at most `limit` + 1. */
  failed: Record<string, number>;
  /** At most `limit`, shared by the failed checks, in their order. */
  differences: Difference[];
  /** Whether there are more differences than those. */
  hasMore: boolean;
}

export interface InvariantOptions {
  /** Only this customer's rows (and the triggers); a customer that does not exist has no rows, so no differences. */
  customerId?: string | undefined;
  /** Differences to report at most; default 100. */
  limit?: number | undefined;
  /** What is recorded later is a difference; null: nothing is, where a clock is set by hand. Default: the database's clock, and what clocks may differ. */
  latest?: Date | null | undefined;
}

const LIMIT_DEFAULT = 100;
/** Longest statement: an audit of everything reads whole tables. */
const STATEMENT_TIMEOUT_MS = 600_000;
/** Sorts and hashes of an audit of everything; Postgres' default would spill each of them to disk. */
const WORK_MEMORY_MB = 64;

/**
 * Runs every check in one read-only REPEATABLE READ snapshot. A client must not be in a transaction; a pool lends one connection.
 */
export async function checkInvariants(
  db: pg.Pool | pg.ClientBase,
  options: InvariantOptions = {},
): Promise<InvariantReport> {
  return inSnapshot(db, (client) => runChecks(client, options));
}

/**
 * Runs every check in the transaction that `client` is in. Precondition: its snapshot lasts as long, or nobody else writes.
 */
export async function runChecks(client: pg.ClientBase, options: InvariantOptions = {}): Promise<InvariantReport> {
  const { customerId = null, limit = LIMIT_DEFAULT } = options;
  const latest = options.latest === undefined ? await readLatest(client) : options.latest;
  const counts = await client.query<Record<string, number>>(countsSql, [customerId]);
  const found: Difference[][] = [];
  for (const check of checkNames) {
    const { rows } = await client.query<Omit<Difference, 'check'>>(checkSql(check), [customerId, latest, limit + 1]);
    if (rows.length > 0) found.push(rows.map((row) => ({ check, ...row })));
  }
  const share = Math.max(1, Math.floor(limit / Math.max(1, found.length))); // one flood must not hide the other checks' findings
  const differences = found.flatMap((rows) => rows.slice(0, share)).slice(0, limit);
  return {
    ok: found.length === 0,
    checked: counts.rows[0] ?? {},
    failed: Object.fromEntries(found.map((rows) => [rows[0]?.check, rows.length])),
    differences,
    hasMore: found.flat().length > differences.length,
  };
}

/**
 * Names of the checks that find something, in their order; without `latest` none looks at the clock. For who asks one connection again and again about little data: planning the
 * checks one by one takes ten times as long as running them, so they are one prepared statement here, and what they share is computed once.
 */
export async function findFailedChecks(
  client: pg.ClientBase,
  { customerId = null, latest = null }: { customerId?: string | null; latest?: Date | null } = {},
): Promise<string[]> {
  const { rows } = await client.query<{ check: string }>({
    name: 'failed_checks',
    text: failedChecksSql,
    values: [customerId, latest],
  });
  return rows.map(({ check }) => check);
}

/** The database's clock, or the test clock if that was set further, and what another clock may differ from it. */
async function readLatest(client: pg.ClientBase): Promise<Date> {
  const { rows } = await client.query<{ latest: Date }>(
    `SELECT greatest(clock_timestamp(), (SELECT instant FROM sandbox_clock)) + $1::bigint * interval '1 ms' AS latest`,
    [SKEW_MAX_MS],
  );
  return required(rows[0], 'the clock is read').latest;
}

/** A difference in one line. */
export function describeDifference(difference: Difference): string {
  const { check, customerId, subject, expected, actual, detail } = difference;
  const owner = customerId === null ? '' : ` of customer ${customerId}`;
  return `${check}: ${subject}${owner}: expected ${expected}, is ${actual} (${detail})`;
}

async function inSnapshot<T>(db: pg.Pool | pg.ClientBase, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  if (!(db instanceof pg.Pool)) return inSnapshotOf(db, work);
  const client = await db.connect();
  try {
    const result = await inSnapshotOf(client, work);
    client.release();
    return result;
  } catch (error) {
    client.release(true); // it may be broken: the pool must not lend it again
    throw error;
  }
}

/** Plans are made for who is asked about: one for anybody would compare all rows of a large customer with all. */
async function inSnapshotOf<T>(client: pg.ClientBase, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    await client.query(
      `SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS};
       SET LOCAL work_mem = '${WORK_MEMORY_MB}MB';
       SET LOCAL plan_cache_mode = force_custom_plan;
       SET LOCAL TimeZone = 'UTC'`,
    );
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // a lost connection has rolled back by itself; the first error counts
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
