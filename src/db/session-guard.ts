// What a start asks of the database before it writes anything: that a session has the settings under which our statements are right, and
// that statements which were prepared are still there. Each of them a pooler, a role or the URL can take away without a word.

import { StartError } from '../errors/start-error.js';
import type { Db, Row } from './client.js';
import { explainConnectionError } from './connection-error.js';
import { sqlStateOf } from './errors.js';
import { EXPECTED } from './sessions.js';

const USE_UNPREPARED = 'behind a pooler in transaction mode set BURSAR_PREPARED=false';
/** Names of zones that are UTC; Postgres shows each in its own spelling. */
const IS_UTC = /^(?:Etc\/)?(?:UTC|UCT|Zulu|Universal|GMT|GMT[+-]?0|Greenwich)$/i;
const PROBE = 'bursar_probe';
const PROBE_SQL = 'SELECT 1';
/** It was prepared and is gone, or it is there although we have not prepared it. */
const LOST_STATEMENT = /^(?:26000|42P05)$/;

/** Looks at a session as statements will have it. Writes nothing. Throws: StartError. */
export async function guardSession(db: Db, databaseUrl: string): Promise<void> {
  try {
    const found = await readSettings(db);
    if (found.get('transaction_read_only') === 'on') {
      throw new StartError('the database takes no writes: it is a standby, or default_transaction_read_only is on');
    }
    const wrong = wrongOf(found);
    if (wrong !== undefined) {
      throw new StartError(
        `the database session has ${wrong}: remove what sets it in DATABASE_URL or in the connection pooler; ${USE_UNPREPARED}`,
      );
    }
    if (db.wire.isPrepared) await requireKeptStatements(db);
  } catch (error) {
    throw explainConnectionError(error, databaseUrl);
  }
}

/** Says which settings a session lacks under which our statements are right; undefined when it has all. */
export async function wrongSettings(db: Db): Promise<string | undefined> {
  return wrongOf(await readSettings(db));
}

async function readSettings(db: Db): Promise<Map<string, string>> {
  const rows = await db.query<Row & { name: string; setting: string }>(
    'SELECT name, setting FROM pg_settings WHERE name = ANY ($1::text[]) ORDER BY name',
    [[...EXPECTED.keys(), 'transaction_read_only']],
  );
  return new Map(rows.map(({ name, setting }) => [name, setting]));
}

function wrongOf(found: ReadonlyMap<string, string>): string | undefined {
  const wrong = [...EXPECTED].filter(([name, value]) => !isAs(name, value, found.get(name) ?? ''));
  if (wrong.length === 0) return undefined;
  return wrong.map(([name, value]) => `${name} ${JSON.stringify(found.get(name))} instead of ${value}`).join(', ');
}

function isAs(name: string, expected: string, found: string): boolean {
  if (name === 'TimeZone') return IS_UTC.test(found);
  if (name === 'DateStyle') return found.startsWith(`${expected},`);
  return found === expected;
}

/**
 * Prepares a statement on one connection, calls it again, and looks for it on another. Through a pooler that hands sessions on and knows nothing of
 * statements it is missing where it should be, or there where it should not, whichever session comes next.
 */
async function requireKeptStatements({ pool }: Db): Promise<void> {
  const one = await pool.connect();
  const other = await pool.connect().catch((error: unknown) => {
    one.release();
    throw error;
  });
  let isLost = true;
  try {
    for (let call = 0; call < 2; call += 1) await one.query({ name: PROBE, text: PROBE_SQL });
    const { rows } = await other.query(`SELECT FROM pg_prepared_statements WHERE name = '${PROBE}'`);
    isLost = rows.length > 0;
  } catch (error) {
    if (!LOST_STATEMENT.test(sqlStateOf(error) ?? '')) throw error;
  } finally {
    one.release(isLost);
    other.release(isLost);
  }
  if (!isLost) return;
  throw new StartError(
    `a connection pooler between here and the database loses prepared statements: ${USE_UNPREPARED}, or use one that keeps them (PgBouncer 1.21 or newer, max_prepared_statements)`,
  );
}
