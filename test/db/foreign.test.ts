// Databases in which Bursar has no business: each is refused, and nothing is written in it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../src/db/migrate.js';
import { createEmptyDatabase, type TestDatabase } from '../support/database.js';
import { query } from '../support/sql.js';

let database: TestDatabase;

beforeEach(async () => {
  database = await createEmptyDatabase();
});
afterEach(() => database.drop());

/** Everything that stands in the schemas of users. */
function objects(): Promise<unknown[]> {
  return query(
    database.url,
    `SELECT relnamespace::regnamespace::text AS schema, relname AS name FROM pg_class
     WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema)' ORDER BY 1, 2`,
  );
}

async function expectRefusal(message: RegExp | string): Promise<void> {
  const before = await objects();
  await expect(migrate(database.url)).rejects.toThrow(message);
  expect(await objects()).toEqual(before);
}

describe('a database that is neither empty nor ours', () => {
  it.each([
    ['tables', 'CREATE TABLE users (id int); CREATE TABLE logins (id int)', 'it has logins, users'],
    ['a table of a name that we have', 'CREATE TABLE customers (id int)', 'it has customers'],
    ['a view', 'CREATE VIEW people AS SELECT 1 AS id', 'it has people'],
    ['a sequence', 'CREATE SEQUENCE numbers', 'it has numbers'],
    [
      'many tables',
      `DO $$ BEGIN FOR i IN 1..9 LOOP EXECUTE format('CREATE TABLE t%s ()', i); END LOOP; END $$`,
      'it has t1, t2, t3, t4, t5 and 4 more',
    ],
    [
      'another application that uses Prisma',
      `CREATE TABLE users (id int); CREATE TABLE _prisma_migrations (migration_name text, checksum text, finished_at timestamptz, rolled_back_at timestamptz, started_at timestamptz);
       INSERT INTO _prisma_migrations VALUES ('20240101000000_init', 'x', now(), NULL, now())`,
      'its _prisma_migrations has none of our migrations',
    ],
    [
      'tables, and records of migrations that somebody left empty',
      'CREATE TABLE users (id int); CREATE TABLE _prisma_migrations (migration_name text)',
      'it has users',
    ],
  ])('is refused with %s', async (_, sql, reason) => {
    await query(database.url, sql);
    await expectRefusal(`the schema "public" of the database is neither empty nor Bursar's (${reason})`);
  });

  it('is ours with the tables of others in other schemas, or with what an extension brought', async () => {
    await query(
      database.url,
      'CREATE SCHEMA other; CREATE TABLE other.customers (id int); CREATE EXTENSION IF NOT EXISTS plpgsql',
    );
    expect((await migrate(database.url)).applied.length).toBeGreaterThan(0);
    expect((await migrate(database.url)).applied).toEqual([]);
  });

  it('stays ours with tables that were added to it', async () => {
    await migrate(database.url);
    await query(database.url, 'CREATE TABLE notes (id int)');
    expect((await migrate(database.url)).applied).toEqual([]);
  });
});

describe('the schema', () => {
  it('is the first of the search_path', async () => {
    await query(database.url, 'CREATE SCHEMA billing; CREATE TABLE public.customers (id int)');
    const url = new URL(database.url);
    url.searchParams.set('options', '-c search_path=billing');
    expect((await migrate(url.toString())).applied.length).toBeGreaterThan(0);
    expect((await migrate(url.toString())).applied).toEqual([]);
    expect(await query(database.url, 'SELECT count(*)::int AS n FROM billing.entries')).toEqual([{ n: 0 }]);
    expect(await objects()).toContainEqual({ schema: 'public', name: 'customers' });
    expect(await objects()).not.toContainEqual({ schema: 'public', name: 'entries' });
  });

  it('has to be there', async () => {
    const url = new URL(database.url);
    url.searchParams.set('options', '-c search_path=nowhere');
    await expect(migrate(url.toString())).rejects.toThrow('of the search_path (nowhere) none is there that it may use');
  });

  it.each(['schema=billing', 'currentSchema=billing', 'search_path=billing'])(
    'is not taken from ?%s',
    async (given) => {
      const before = await objects();
      await expect(migrate(`${database.url}?${given}`)).rejects.toThrow(
        /in DATABASE_URL is not supported: .*search_path/,
      );
      expect(await objects()).toEqual(before);
    },
  );
});

describe('a database that does not store text as UTF-8', () => {
  it.each(['LATIN1', 'SQL_ASCII'])('is refused: %s', async (encoding) => {
    const url = new URL(database.url);
    const name = `${url.pathname.slice(1)}_${encoding.toLowerCase()}`;
    await query(database.url, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING '${encoding}' LOCALE 'C'`);
    url.pathname = `/${name}`;
    try {
      await expect(migrate(url.toString())).rejects.toThrow(`the database stores text in ${encoding}`);
      expect(await query(url.toString(), `SELECT to_regclass('_prisma_migrations') AS found`)).toEqual([
        { found: null },
      ]);
    } finally {
      await query(database.url, `DROP DATABASE ${name} WITH (FORCE)`);
    }
  });
});
