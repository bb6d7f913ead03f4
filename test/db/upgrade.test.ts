// Every migration runs on the filled databases of test/fixtures: afterwards the invariants hold, the customers have what they had, and each
// request whose answer is stored gets that answer, byte for byte, and writes nothing.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MIGRATIONS_DIR, migrate } from '../../src/db/migrate.js';
import { sweep } from '../../src/engine/sweep.js';
import { startTestApp, TestClock } from '../support/app.js';
import { auditInvariants } from '../support/audit.js';
import { createEmptyDatabase } from '../support/database.js';
import {
  type Fixture,
  type RecordedRequest,
  readFixtures,
  readWallets,
  sendPlain,
  versionOf,
} from '../support/recorded.js';
import { writtenBy } from '../support/requests.js';
import { query } from '../support/sql.js';

const MADE_UP = '99991231000000_made_up';
const fixtures = readFixtures();
const newest = fixtures.at(-1) as Fixture;

/** Copies the migrations whose name `isWanted` into a folder of the test, with one more that is made up. */
function copyMigrations(isWanted: (name: string) => boolean, madeUp?: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'bursar-migrations-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  for (const name of listMigrations().filter(isWanted))
    cpSync(join(MIGRATIONS_DIR, name), join(dir, name), { recursive: true });
  if (madeUp !== undefined) {
    mkdirSync(join(dir, MADE_UP));
    writeFileSync(join(dir, MADE_UP, 'migration.sql'), madeUp);
  }
  return dir;
}

function listMigrations(): string[] {
  const entries = readdirSync(MIGRATIONS_DIR, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** A database of the fixture's version, filled with it. */
async function fill({ version, sql }: Fixture): Promise<string> {
  const database = await createEmptyDatabase();
  onTestFinished(() => database.drop());
  await migrate(
    database.url,
    copyMigrations((name) => versionOf(name) <= version),
  );
  await query(database.url, sql);
  return database.url;
}

/** Brings a filled database to the newest migration, and then to one that is made up. Returns what was applied. */
async function upgrade(url: string, madeUp?: string): Promise<string[]> {
  const dir = madeUp === undefined ? MIGRATIONS_DIR : copyMigrations(() => true, madeUp);
  const { applied, modified } = await migrate(url, dir);
  expect(modified, 'migrations that a released version has are never changed').toEqual([]);
  return applied;
}

/** Throws when the upgraded database is not, for its users, what it was. */
async function checkUpgraded(url: string, { clock: end, requests, wallets }: Fixture): Promise<void> {
  await auditInvariants(url);
  const clock = new TestClock();
  clock.set(end);
  const { app, deps, close } = await startTestApp(url, clock);
  try {
    const customerIds = wallets.map((wallet) => wallet.customer_id);
    expect(await readWallets(app.listeningOrigin, customerIds), 'what the customers have').toEqual(wallets);
    expect(await replay(app.listeningOrigin, requests), 'answers that differ').toEqual([]);
    // What was due when the migrations came is settled as it would have been; what is repeated without a key may have settled some of it.
    expect((await sweep(deps)).entries).toBeGreaterThan(0);
    const written = await writtenBy({ deps }, async () => {
      expect(await replay(app.listeningOrigin, requests), 'answers that differ once all is settled').toEqual([]);
    });
    expect(written, 'tables that a repeated request changed').toEqual({});
  } finally {
    await close();
  }
  await auditInvariants(url);
}

/** Sends all of them again; returns those that were not answered as they were. */
async function replay(origin: string, requests: readonly RecordedRequest[]): Promise<unknown[]> {
  const answers = await Promise.all(requests.map((request) => sendPlain(origin, request)));
  return requests.flatMap((request, at) => {
    const got = answers[at];
    const isSame = got?.status === request.status && got.text === request.answer && got.isReplayed;
    return isSame ? [] : [{ request, got }];
  });
}

describe.each(fixtures)('a database of version $version', (fixture) => {
  it('takes every later migration and answers as before', async () => {
    const url = await fill(fixture);
    const later = listMigrations().filter((name) => versionOf(name) > fixture.version);
    expect(await upgrade(url)).toEqual(later.sort());
    await checkUpgraded(url, fixture);
  });

  it('has a request for every stored answer', async () => {
    const rows = await query(
      await fill(fixture),
      `SELECT answer FROM operations WHERE answer IS NOT NULL UNION ALL SELECT answer FROM keyed_calls`,
    );
    expect(rows.length).toBeGreaterThan(100);
    // An item of a batch has no request of its own: its members stand in the answer of the batch.
    const isAsked = (answer: string) => fixture.requests.some((request) => request.answer.includes(answer.slice(1)));
    expect(rows.filter(({ answer }) => !isAsked(String(answer)))).toEqual([]);
  });

  it('has rows in every table and of every kind', async () => {
    const url = await fill(fixture);
    const tables = await query(
      url,
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1`,
    );
    for (const { name } of tables)
      expect(await query(url, `SELECT 1 FROM ${name} LIMIT 1`), String(name)).toHaveLength(1);
    const kinds = async (table: string, column: string) =>
      (await query(url, `SELECT DISTINCT ${column} AS kind FROM ${table} ORDER BY 1`)).map(({ kind }) => kind);
    expect(await kinds('entries', 'kind')).toEqual(
      expect.arrayContaining([
        'grant',
        'consume',
        'expire',
        'revoke',
        'hold',
        'release',
        'commit',
        'reverse',
        'debt',
        'repay',
        'forgive',
      ]),
    );
    expect(await kinds('batches', 'source')).toEqual(
      expect.arrayContaining(['purchase', 'bonus', 'trial', 'adjustment', 'migration', 'exchange']),
    );
    expect(await kinds('orders', 'status')).toEqual(expect.arrayContaining(['pending', 'paid', 'expired']));
    expect(await kinds('payments', 'status')).toEqual(expect.arrayContaining(['failed', 'unmatched', 'paid']));
    expect(await kinds('reservations', 'status')).toEqual(
      expect.arrayContaining(['held', 'committed', 'released', 'expired']),
    );
    // What is due and not settled when the migrations come.
    const at = `'${fixture.clock}'::timestamptz`;
    for (const due of [
      `batches WHERE is_open AND expires_at <= ${at}`,
      `reservations WHERE status = 'held' AND expires_at <= ${at}`,
      `reservations WHERE status = 'held' AND expires_at > ${at}`,
      `orders WHERE status = 'pending' AND expires_at <= ${at}`,
      `orders WHERE status = 'pending' AND expires_at > ${at}`,
      'balances WHERE owed > 0',
    ])
      expect(await query(url, `SELECT 1 FROM ${due} LIMIT 1`), due).toHaveLength(1);
  });
});

describe('the test of upgrades', () => {
  it('runs a migration of tomorrow on the filled rows', async () => {
    const url = await fill(newest);
    const applied = await upgrade(
      url,
      `CREATE INDEX orders_made_up_ix ON orders (customer_id, expires_at) WHERE status = 'pending';
       ALTER TABLE operations ADD COLUMN name_length integer;
       UPDATE operations SET name_length = length(name);`,
    );
    expect(applied.at(-1)).toBe(MADE_UP);
    const [{ filled } = {}] = await query(url, 'SELECT count(name_length)::int AS filled FROM operations');
    expect(filled).toBeGreaterThan(100);
    await checkUpgraded(url, newest);
  });

  it.each([
    ['breaks a constraint', 'ALTER TABLE orders ADD CONSTRAINT orders_made_up_ck CHECK (total_amount > 0);'],
    ['gives a column that must not be null no value', 'ALTER TABLE batches ADD COLUMN made_up text NOT NULL;'],
  ])('stops at a migration that %s', async (_what, sql) => {
    await expect(upgrade(await fill(newest), sql)).rejects.toThrow(`migration ${MADE_UP} failed and was rolled back`);
  });

  it.each([
    [
      'takes units of a batch',
      'UPDATE batches SET available = available - 1, consumed = consumed + 1 WHERE available > 1;',
      'invariants do not hold',
    ],
    [
      'leaves the ledger unprotected',
      'ALTER TABLE entries DISABLE TRIGGER entries_append_only_i7;',
      'invariants do not hold',
    ],
    ['forgets who somebody is', "DELETE FROM identities WHERE provider = 'telegram';", 'answers that differ'],
    [
      'writes stored answers in another form',
      'ALTER TABLE idempotency_records DISABLE TRIGGER USER; UPDATE idempotency_records SET answer = answer::jsonb::text; ALTER TABLE idempotency_records ENABLE TRIGGER USER;',
      'answers that differ',
    ],
    ['loses a key', "DELETE FROM idempotency_records WHERE name = 'exchange';", 'answers that differ'],
    [
      'forgets by which rules requests were compared',
      'ALTER TABLE idempotency_records DISABLE TRIGGER USER; UPDATE idempotency_records SET request_hash_version = 2 WHERE request_hash_version = 1; ALTER TABLE idempotency_records ENABLE TRIGGER USER;',
      'answers that differ',
    ],
    [
      'lets units live longer than was agreed',
      "UPDATE batches SET expires_at = expires_at + interval '1 day' WHERE is_open AND source = 'bonus';",
      'what the customers have',
    ],
  ])('fails after a migration that %s', async (_what, sql, complaint) => {
    const url = await fill(newest);
    await upgrade(url, sql);
    await expect(checkUpgraded(url, newest)).rejects.toThrow(complaint);
  });
});
