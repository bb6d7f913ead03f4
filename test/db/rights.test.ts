// The rights of a service that does not own its tables: those that are given are enough and no more, and what is missing is said at start.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { migrate } from '../../src/db/migrate.js';
import { findOldestTransaction } from '../../src/db/oldest-transaction.js';
import { grantRights, RIGHTS, requireRights, SEQUENCES } from '../../src/db/rights.js';
import { guardSession } from '../../src/db/session-guard.js';
import { sweep } from '../../src/engine/sweep.js';
import { guardPeppers } from '../../src/services/secrets.js';
import { startTestApp, TestClock } from '../support/app.js';
import { useTestDatabase } from '../support/database.js';
import { holdTransaction } from '../support/parallel.js';
import { Recorder } from '../support/recorder.js';
import { query } from '../support/sql.js';
import { missingRights } from '../support/statement-rights.js';
import { tellStory } from '../support/story.js';
import { waitFor } from '../support/wait.js';

const database = useTestDatabase();
const ROLE = `bursar_app_${randomUUID().slice(0, 8)}`;
const PASSWORD = 'of-the-service';

let owner: pg.Client;
let url: string;

beforeAll(async () => {
  owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await owner.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${PASSWORD}'`);
  const ofRole = new URL(database.url);
  ofRole.username = ROLE;
  ofRole.password = PASSWORD;
  url = ofRole.toString();
});
afterAll(async () => {
  await owner.query(`DROP OWNED BY ${ROLE}; DROP ROLE ${ROLE}`);
  await owner.end();
});

async function tryRights(): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const tx = {
      query: async (sql: string, values: readonly unknown[] = []) => (await client.query(sql, [...values])).rows,
    };
    await requireRights(tx as Parameters<typeof requireRights>[0]);
    return 'all';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.end();
  }
}

describe('the rights of the service', () => {
  it('are told in one line when they are missing, all of them', async () => {
    const told = await tryRights();
    expect(told).toMatch(
      new RegExp(`^the user ${ROLE} lacks rights in the database: SELECT, INSERT, UPDATE on customers; `),
    );
    expect(told).toMatch(/; SELECT, INSERT on entries; /);
    expect(told).toMatch(
      /; SELECT on _prisma_migrations; SELECT on schema_compatibility; SELECT, UPDATE on events_place_seq\. /,
    );
    expect(told).toMatch(new RegExp(`Run "npm run migrate -- --grant-to ${ROLE}" as the owner of the tables$`));
    // Everybody may execute the other functions.
    expect(told).toMatch(/EXECUTE on blank_erased\(uuid, text, text, integer\)/);
    expect(told.match(/ on /g)).toHaveLength(RIGHTS.size + SEQUENCES.size + 1);
  });

  it('name what may not be read before anything else is', async () => {
    await expect(migrate(url)).rejects.toThrow(
      `the user ${ROLE} may neither read nor make the table of migrations: run "npm run migrate -- --grant-to ${ROLE}"`,
    );
  });

  it('are given anew as often as one likes, and are all of them', async () => {
    for (let time = 0; time < 2; time += 1) await grantRights(owner, ROLE);
    expect(await tryRights()).toBe('all');
    expect(await migrate(url)).toMatchObject({ applied: [] });
  });

  it('cover every table that there is', async () => {
    const rows = await query(
      database.url,
      `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    );
    expect([...RIGHTS.keys()].sort()).toEqual(rows.map(({ name }) => name).sort());
  });

  it('are enough for whatever the service does', async () => {
    await grantRights(owner, ROLE);
    const clock = new TestClock();
    const { app, deps, close } = await startTestApp(url, clock);
    try {
      await guardSession(deps.db, url);
      const settleDue = async () => void (await sweep(deps));
      await tellStory({ recorder: new Recorder(app.listeningOrigin), clock, settleDue });
      await guardPeppers(deps);
    } finally {
      await close();
    }
  });

  it('show whose the oldest transaction is that writes, though not since when', async () => {
    await grantRights(owner, ROLE);
    const held = await holdTransaction(database.url);
    const [mine] = await held.query('SELECT pg_backend_pid() AS pid, pg_current_xact_id()::text AS id');
    const { deps, close } = await startTestApp(url, new TestClock());
    onTestFinished(close);
    const told = await waitFor('those before it to end', async () => {
      const oldest = await findOldestTransaction(deps.db);
      return oldest?.id === mine?.id ? oldest : undefined;
    });
    expect(told).toEqual({ ...mine, lastsMs: null });
  });

  it('are no more than the list, whatever was given before', async () => {
    await owner.query(`GRANT ALL ON entries, secrets TO ${ROLE}`);
    await grantRights(owner, ROLE);
    const rows = await query(
      database.url,
      `SELECT table_name AS name, array_agg(privilege_type::text ORDER BY privilege_type::text) AS rights
       FROM (
         SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = '${ROLE}'
         UNION ALL
         SELECT 'events_place_seq', held FROM unnest(ARRAY['SELECT', 'UPDATE', 'USAGE']) held
         WHERE has_sequence_privilege('${ROLE}', 'events_place_seq', held)
       ) g GROUP BY table_name`,
    );
    expect(new Map(rows.map(({ name, rights }) => [name, rights]))).toEqual(
      new Map([...RIGHTS, ...SEQUENCES].map(([name, rights]) => [name, [...rights].sort()])),
    );
  });

  it.each([
    ['REVOKE INSERT ON secrets', 'INSERT on secrets'],
    ['REVOKE DELETE ON identities', 'DELETE on identities'],
    ['REVOKE EXECUTE ON FUNCTION assert_whole(boolean)', 'EXECUTE on assert_whole(boolean)'],
  ])('are missed one by one: %s', async (revoke, missing) => {
    await grantRights(owner, ROLE);
    await owner.query(`BEGIN; ${revoke} FROM ${ROLE}, PUBLIC; COMMIT`);
    expect(await tryRights()).toContain(`lacks rights in the database: ${missing}. Run`);
    await grantRights(owner, ROLE);
    expect(await tryRights()).toBe('all');
  });

  it('do not let it migrate, which is said', async () => {
    await grantRights(owner, ROLE);
    const [last] = await query(database.url, 'SELECT max(migration_name) AS name FROM _prisma_migrations');
    await owner.query(`DELETE FROM _prisma_migrations WHERE migration_name = '${last?.name}'`);
    await expect(migrate(url)).rejects.toThrow(
      `the database lacks the migration ${last?.name}, which the user ${ROLE} may not apply: run "npm run migrate`,
    );
  });

  it('are not given to a role that is not there, nor to the owner', async () => {
    await expect(grantRights(owner, 'nobody_at_all')).rejects.toThrow('there is no role nobody_at_all: create it');
    await expect(grantRights(owner, decodeURIComponent(new URL(database.url).username))).rejects.toThrow(
      'owns the tables',
    );
  });
});

describe('a statement', () => {
  it.each([
    ['UPDATE entries SET amount = 1', ['UPDATE on entries']],
    ['UPDATE entries own SET amount = 1', ['UPDATE on entries']],
    ['INSERT INTO keyed_calls (a) SELECT 1 ON CONFLICT (a) DO UPDATE SET a = 2', ['UPDATE on keyed_calls']],
    ['SELECT 1 FROM order_items WHERE id = 1 FOR NO KEY UPDATE', ['UPDATE on order_items']],
    ['DELETE FROM batches', ['DELETE on batches']],
    ['INSERT INTO schema_compatibility VALUES (1)', ['INSERT on schema_compatibility']],
    ['INSERT INTO made_up (a) VALUES (1)', ['INSERT on made_up']],
    ['INSERT INTO customers (id) SELECT 1 ON CONFLICT DO NOTHING', []],
    ['WITH x AS (INSERT INTO entries (a) SELECT 1) UPDATE customers SET a = 1', []],
  ])('needs the rights that its text shows: %s', (sql, missing) => {
    expect(missingRights(sql)).toEqual(missing);
  });
});
