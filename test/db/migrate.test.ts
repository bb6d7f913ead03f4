// The migrator against a real, empty database: what it applies, what it refuses, and that nothing is ever half-applied.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIGRATIONS_DIR, migrate, NewerDatabaseError } from '../../src/db/migrate.js';
import { createEmptyDatabase, type TestDatabase } from '../support/database.js';
import { startPoolingProxy } from '../support/pooling-proxy.js';
import { versionOf } from '../support/recorded.js';
import { query } from '../support/sql.js';
import { waitFor } from '../support/wait.js';

let database: TestDatabase;
let dir: string;
let client: pg.Client;

beforeEach(async () => {
  database = await createEmptyDatabase();
  dir = mkdtempSync(join(tmpdir(), 'bursar-migrations-'));
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});

afterEach(async () => {
  await client.end();
  rmSync(dir, { recursive: true });
  await database.drop();
});

function write(name: string, sql: string): void {
  mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, name, 'migration.sql'), sql);
}

async function recorded(): Promise<Record<string, unknown>[]> {
  const { rows } = await client.query('SELECT * FROM "_prisma_migrations" ORDER BY started_at');
  return rows;
}

async function tables(): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> '_prisma_migrations' ORDER BY 1",
  );
  return rows.map((row) => row.name);
}

describe('migrate', () => {
  it('applies what is missing in the order of the names, and records it as Prisma does', async () => {
    write('2_second', 'ALTER TABLE t ADD COLUMN b int;');
    write('1_first', 'CREATE TABLE t (a int); CREATE TABLE u (a int);');
    expect(await migrate(database.url, dir)).toEqual({ applied: ['1_first', '2_second'], modified: [], newer: [] });
    expect(await migrate(database.url, dir)).toEqual({ applied: [], modified: [], newer: [] });
    const rows = await recorded();
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({
      migration_name: '1_first',
      checksum: createHash('sha256').update('CREATE TABLE t (a int); CREATE TABLE u (a int);').digest('hex'),
      finished_at: expect.any(Date),
      rolled_back_at: null,
      applied_steps_count: 1,
    });
  });

  it('lets one of several at once do the work', async () => {
    write('1_first', 'CREATE TABLE t (a int); SELECT pg_sleep(0.1);');
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => migrate(database.url, dir)));
    expect(outcomes.map((outcome) => outcome.applied.length).sort()).toEqual([0, 0, 0, 1]);
    expect(await recorded()).toHaveLength(1);
  });

  it('shares many migrations between several at once, each applied once and in order', async () => {
    const names = Array.from({ length: 6 }, (_, at) => `${at}_step`);
    for (const name of names) write(name, `CREATE TABLE t${name} (a int); SELECT pg_sleep(0.02);`);
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => migrate(database.url, dir)));
    expect(outcomes.flatMap((outcome) => outcome.applied).sort()).toEqual(names);
    expect((await recorded()).map((row) => row.migration_name)).toEqual(names);
  });

  it('works through a pooler in transaction mode and leaves nothing on its sessions', async () => {
    write('1_first', `CREATE TABLE first AS SELECT current_setting('TimeZone') AS zone;`);
    const sessions = 2;
    const url = await startPoolingProxy(database.url, sessions, '-c TimeZone=Asia/Tokyo -c lock_timeout=7s');
    expect((await migrate(url, dir)).applied).toEqual(['1_first']);
    const { rows: locks } = await client.query(
      `SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
       WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    expect(locks).toEqual([]);

    write('2_second', 'CREATE TABLE second (); SELECT pg_sleep(0.02);');
    write('3_third', 'CREATE TABLE third ();');
    const outcomes = await Promise.all(Array.from({ length: 2 * sessions }, () => migrate(url, dir)));
    expect(outcomes.flatMap((outcome) => outcome.applied).sort()).toEqual(['2_second', '3_third']);
    expect((await client.query('SELECT zone FROM first')).rows).toEqual([{ zone: 'UTC' }]);
    // both sessions are as they were
    const pooled = Array.from({ length: sessions }, () => new pg.Client({ connectionString: url }));
    for (const one of pooled) {
      await one.connect();
      await one.query('BEGIN');
      const { rows } = await one.query(
        `SELECT current_setting('TimeZone') AS zone, current_setting('lock_timeout') AS lock`,
      );
      expect(rows).toEqual([{ zone: 'Asia/Tokyo', lock: '7s' }]);
    }
    for (const one of pooled) await one.query('ROLLBACK');
    for (const one of pooled) await one.end();
  });

  it('steps aside for whoever holds a table for long, and tries again', async () => {
    write('1_first', 'CREATE TABLE t (a int);');
    await migrate(database.url, dir);
    write('2_second', 'ALTER TABLE t ADD COLUMN b int;');
    await client.query('BEGIN; LOCK TABLE t;');
    const isWaiting = async () => {
      const rows = await query(database.url, `SELECT FROM pg_locks WHERE NOT granted AND relation = 't'::regclass`);
      return rows.length > 0;
    };
    const migrating = migrate(database.url, dir);
    await waitFor('the migration to wait for the table', async () => (await isWaiting()) || undefined);
    await waitFor('the migration to step aside', async () => !(await isWaiting()) || undefined);
    await client.query('ROLLBACK');
    expect((await migrating).applied).toEqual(['2_second']);
  });

  it('leaves nothing of a migration that fails, and applies it once it is mended', async () => {
    write('1_first', 'CREATE TABLE t (a int);');
    write('2_second', 'CREATE TABLE half (a int); SELECT 1/0;');
    await expect(migrate(database.url, dir)).rejects.toThrow(
      'migration 2_second failed and was rolled back: division by zero',
    );
    expect(await tables()).toEqual(['t']);
    expect(await recorded()).toHaveLength(1);
    write('2_second', 'CREATE TABLE half (a int);');
    expect((await migrate(database.url, dir)).applied).toEqual(['2_second']);
  });

  it('names the migrations of a newer version', async () => {
    write('1_first', 'CREATE TABLE t (a int);');
    write('2_second', 'CREATE TABLE u (a int);');
    await migrate(database.url, dir);
    rmSync(join(dir, '2_second'), { recursive: true });
    const refusal = await migrate(database.url, dir).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(NewerDatabaseError);
    expect(refusal).toMatchObject({ migrations: ['2_second'], message: expect.stringContaining('newer version') });
  });

  describe('on a database of a newer version', () => {
    /** As the committed migration makes it. */
    const compatibility = readFileSync(join(MIGRATIONS_DIR, '20261128010000_compatibility/migration.sql'), 'utf8');
    const raiseTo = (version: string) => `UPDATE schema_compatibility SET needs = ${version};`;
    const known = ['10_first', '20_second'];

    /** Makes the database by the known migrations and these, and forgets these. */
    async function migrateNewer(newer: Record<string, string>): Promise<void> {
      write('10_first', `${compatibility}${raiseTo('10')}`);
      write('20_second', 'CREATE TABLE second (a int);');
      for (const [name, sql] of Object.entries(newer)) write(name, sql);
      await migrate(database.url, dir);
      for (const name of Object.keys(newer)) rmSync(join(dir, name), { recursive: true });
    }

    async function expectRefusal(migrations: string[]): Promise<void> {
      const before = [await recorded(), await tables()];
      const refusal = await migrate(database.url, dir).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(NewerDatabaseError);
      expect(refusal).toMatchObject({ migrations, message: expect.stringContaining('does not understand') });
      expect([await recorded(), await tables()]).toEqual(before);
    }

    it('runs when nothing was raised since, and tells what it lacks', async () => {
      await migrateNewer({ '30_third': 'CREATE TABLE third (a int);', '40_fourth': 'CREATE TABLE fourth (a int);' });
      expect(await migrate(database.url, dir)).toEqual({
        applied: [],
        modified: [],
        newer: ['30_third', '40_fourth'],
      });
      expect(await recorded()).toHaveLength(known.length + 2);
    });

    it('is refused when a migration that it lacks raised the number', async () => {
      await migrateNewer({ '30_third': raiseTo('30'), '40_fourth': 'CREATE TABLE fourth (a int);' });
      await expectRefusal(['30_third', '40_fourth']);
    });

    it('runs when it has the migration that raised it', async () => {
      await migrateNewer({ '30_third': raiseTo('30'), '40_fourth': 'CREATE TABLE fourth (a int);' });
      write('30_third', raiseTo('30'));
      expect(await migrate(database.url, dir)).toEqual({ applied: [], modified: [], newer: ['40_fourth'] });
    });

    it('is refused with a later migration of its own, which nobody has tried on top', async () => {
      await migrateNewer({ '30_third': 'CREATE TABLE third (a int);' });
      write('40_own', 'CREATE TABLE own (a int);');
      await expectRefusal(['30_third']);
    });

    it('is refused when what it lacks has no version', async () => {
      await migrateNewer({ third: 'CREATE TABLE third (a int);' });
      await expectRefusal(['third']);
    });

    it('is told to every build that does not know a kind of entry', () => {
      const scripts = readdirSync(MIGRATIONS_DIR)
        .filter((name) => versionOf(name) > '20261128010000')
        .map((name) => ({ name, sql: readFileSync(join(MIGRATIONS_DIR, name, 'migration.sql'), 'utf8') }));
      const raises = scripts.flatMap(({ sql }) => /SET needs = (\d+)/.exec(sql)?.[1] ?? []);
      const unknown = scripts.filter(
        ({ name, sql }) => sql.includes('ADD CONSTRAINT entries_kind_ck') && versionOf(name) > (raises.at(-1) ?? ''),
      );
      expect(unknown.map(({ name }) => name)).toEqual([]);
    });

    it('is named by the version of the migration that raised it, in those that are committed', () => {
      const names = readdirSync(MIGRATIONS_DIR).filter((name) => versionOf(name) > '20261128010000');
      for (const name of names) {
        const script = readFileSync(join(MIGRATIONS_DIR, name, 'migration.sql'), 'utf8');
        if (script.includes('schema_compatibility')) expect(script).toContain(raiseTo(versionOf(name)));
      }
    });
  });

  it('tells of a migration that was changed after it was applied', async () => {
    write('1_first', 'CREATE TABLE t (a int);');
    await migrate(database.url, dir);
    write('1_first', 'CREATE TABLE t (a bigint);');
    expect(await migrate(database.url, dir)).toEqual({ applied: [], modified: ['1_first'], newer: [] });
  });

  it("refuses to go on after a failure that Prisma's own command has recorded", async () => {
    write('1_first', 'CREATE TABLE t (a int);');
    await migrate(database.url, dir);
    await client.query('UPDATE "_prisma_migrations" SET finished_at = NULL');
    await expect(migrate(database.url, dir)).rejects.toThrow('migration 1_first has failed before');
  });

  it('builds the whole schema from the committed migrations', async () => {
    const { applied } = await migrate(database.url, MIGRATIONS_DIR);
    expect(applied.length).toBeGreaterThan(0);
    expect(await tables()).toContain('customers');
  });

  it('explains a connection that fails, without the password', async () => {
    const url = new URL(database.url);
    url.password = 'not-the-password';
    await expect(migrate(url.toString(), dir)).rejects.toThrow(
      `can not use the database ${url.host}${url.pathname}: the password is wrong for this user (see DATABASE_URL)`,
    );
    url.password = new URL(database.url).password;
    url.pathname = '/nowhere';
    await expect(migrate(url.toString(), dir)).rejects.toThrow('the database does not exist');
  });
});
