// The migrator against a real, empty database: what it applies, what it refuses, and that nothing is ever half-applied.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIGRATIONS_DIR, migrate, NewerDatabaseError } from '../../src/db/migrate.js';
import { createEmptyDatabase, type TestDatabase } from '../support/database.js';

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
    expect(await migrate(database.url, dir)).toEqual({ applied: ['1_first', '2_second'], modified: [] });
    expect(await migrate(database.url, dir)).toEqual({ applied: [], modified: [] });
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

  it('tells of a migration that was changed after it was applied', async () => {
    write('1_first', 'CREATE TABLE t (a int);');
    await migrate(database.url, dir);
    write('1_first', 'CREATE TABLE t (a bigint);');
    expect(await migrate(database.url, dir)).toEqual({ applied: [], modified: ['1_first'] });
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
