// Where customers are moved to: the database of the service, by the service's own code. One import at a time, by a lock of the session.
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { pino } from 'pino';
import type { Actor, Call } from '../../src/call.js';
import { readConfig } from '../../src/config.js';
import { createDb } from '../../src/db/client.js';
import { requireRights } from '../../src/db/rights.js';
import { guardSession } from '../../src/db/session-guard.js';
import type { Deps } from '../../src/deps.js';
import { createOver } from '../../src/engine/create.js';
import { guardPlaces } from '../../src/engine/horizon.js';
import { StartError } from '../../src/errors/start-error.js';
import { systemClock } from '../../src/lib/clock.js';
import { uuidIds } from '../../src/lib/ids.js';
import { createMetrics } from '../../src/lib/metrics.js';
import { ALL_SCOPES } from '../../src/lib/scopes.js';
import { createTurns } from '../../src/lib/turns.js';
import { guardSandbox } from '../../src/services/sandbox.js';
import { connectTo, findDatabase } from '../find-database.js';

/** Key of the advisory lock under which one import works. */
const IMPORT_LOCK = 7_240_002;
/** A table that the newest of what an import needs made. */
const NEWEST_TABLE = 'archived_records';

export const IMPORT: Actor = { keyId: 'import', ownerId: 'import', scopes: ALL_SCOPES };
/** Without a key: what is moved in is known by what it is about. */
export const CALL: Call = { actor: IMPORT, idempotencyKey: undefined };

export interface Target {
  deps: Deps;
  /** Throws: StartError, once the lock is lost. */
  assertLocked(): void;
  close(): Promise<void>;
}

/**
 * Opens the service's database. Without `isReadOnly` takes the lock of imports until it is closed. Throws: StartError (no database, read-only, another
 * schema, rights, another import).
 */
export async function openTarget({ isReadOnly }: { isReadOnly: boolean }): Promise<Target> {
  const database = findDatabase('move customers into');
  const client = await connectTo(database, 'bursar-import');
  let isLost = false;
  client.on('error', () => {
    isLost = true;
  });
  try {
    await requireSchema(client);
    if (!isReadOnly) await lockOutOthers(client);
    const deps = await openDeps(database.url, isReadOnly);
    return {
      deps,
      assertLocked: () => {
        if (isLost)
          throw new StartError('the connection that holds the lock of imports was lost: run it again, which goes on');
      },
      close: async () => {
        await deps.db.close();
        await client.end().catch(() => undefined);
      },
    };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

async function openDeps(url: string, isReadOnly: boolean): Promise<Deps> {
  const { config: defaults } = readConfig({}, process.cwd());
  const log = pino({ level: 'silent' });
  const db = createDb(url, log, { poolSizeMax: defaults.poolSize });
  // Nobody is let in, and nothing is signed or encrypted here.
  const config = { ...defaults, apiToken: '', pepper: '', secretKey: randomUUID(), isSandbox: false };
  try {
    if (!isReadOnly) {
      await guardSession(db, url);
      await requireRights(db);
      await guardPlaces({ db });
    }
    await guardSandbox({ db, config });
    const foundations = { db, clock: systemClock, ids: uuidIds, config, log };
    return createOver({ ...foundations, turns: createTurns(), metrics: createMetrics() }, { sharesAll: true });
  } catch (error) {
    await db.close();
    throw error;
  }
}

async function requireSchema(client: pg.Client): Promise<void> {
  const { rows } = await client.query('SELECT WHERE to_regclass($1) IS NOT NULL', [NEWEST_TABLE]);
  if (rows.length > 0) return;
  throw new StartError('the database lacks tables of this version of Bursar: run "npm run migrate" or start Bursar');
}

async function lockOutOthers(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ is: boolean }>('SELECT pg_try_advisory_lock($1::bigint) AS is', [IMPORT_LOCK]);
  if (rows[0]?.is) return;
  throw new StartError('another import works on this database: wait for its end, then run it again');
}
