// A database of its own for a test file: a clone of the migrated template (about 0.1 s), audited after each test.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { type Auditor, createAuditor } from './audit.js';
import { query } from './sql.js';

export interface TestDatabase {
  /** Set once the file's first hook or test runs. */
  readonly url: string;
  /** Drops the database, whoever is still connected. */
  drop(): Promise<void>;
}

/** Clones the migrated template. Whoever calls drops it; `useTestDatabase` does so by itself. */
async function createTestDatabase(): Promise<TestDatabase> {
  const templateUrl = new URL(inject('templateUrl'));
  return createDatabase(templateUrl.pathname.slice(1));
}

/** Makes a database without any of our tables: for what builds them. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return createDatabase('template0');
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const templateUrl = new URL(inject('templateUrl'));
  const name = templateUrl.pathname.slice(1).replace(/template$/, randomUUID().slice(0, 8));
  const url = new URL(templateUrl);
  url.pathname = `/${name}`;
  await runAsAdmin(templateUrl, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY ${inject('cloneStrategy')}`);
  return { url: url.toString(), drop: () => runAsAdmin(templateUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/**
 * Gives the calling file (or describe block) a database of its own; read `url` in hooks and tests, not while collecting.
 * The clone is kept, and its URL printed, when a test or the audit after it fails.
 */
export function useTestDatabase(): { readonly url: string } {
  let database: TestDatabase | undefined;
  let auditor: Auditor | undefined;
  let hasFailed = false;
  const current = (): TestDatabase => {
    if (database === undefined) throw new Error('the test database exists only in hooks and tests');
    return database;
  };
  beforeAll(async () => {
    database = await createTestDatabase();
    auditor = createAuditor(database.url);
  });
  afterEach(async ({ task }) => {
    hasFailed ||= task.result?.state === 'fail';
    try {
      await auditor?.audit();
    } catch (error) {
      hasFailed = true;
      throw error;
    }
  });
  afterAll(async () => {
    await auditor?.close();
    if (!hasFailed) await database?.drop();
  });
  return {
    get url() {
      return current().url;
    },
  };
}

/** Gives the calling file a function that makes databases, each dropped after the test that asked for it. */
export function useTestDatabases(): () => Promise<string> {
  const databases: TestDatabase[] = [];
  afterEach(async () => {
    for (const database of databases.splice(0)) await database.drop();
  });
  return async () => {
    const database = await createTestDatabase();
    databases.push(database);
    return database.url;
  };
}

async function runAsAdmin(templateUrl: URL, sql: string): Promise<void> {
  const adminUrl = new URL(templateUrl);
  adminUrl.pathname = '/postgres';
  await query(adminUrl.toString(), sql);
}
