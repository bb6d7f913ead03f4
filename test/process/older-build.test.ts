// A version is upgraded process by process: an older build beside today's on one database, and on a schema that is newer than both. Its commit is
// named in test/fixtures/older-build.json; CONTRIBUTING.md says when another one takes its place.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MIGRATIONS_DIR, migrate } from '../../src/db/migrate.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { API_TOKEN, TEST_PEPPER } from '../support/app.js';
import { auditInvariants } from '../support/audit.js';
import { type BursarProcess, cleanUpProcesses, newDataDir, startBursar } from '../support/bursar-process.js';
import { useTestDatabases } from '../support/database.js';
import { dumpRows } from '../support/dump-rows.js';
import { compareWithLedger, describeCounts, type Post, startLoad } from '../support/load.js';
import { explainMissingCommit, makeOlderBuild, type OlderBuild, runGit } from '../support/older-build.js';
import { FIXTURES_DIR, sendPlain } from '../support/recorded.js';

const MADE_UP = '99990101000000_made_up';
const PRODUCT = 'LOAD_UNITS';
/** The last of them has next to nothing, and is refused. */
const PEOPLE = ['ada', 'bob', 'poor'];
const DONE_BETWEEN = 100;

cleanUpProcesses();
const newDatabase = useTestDatabases();

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bursar-older-test-'));
});

afterEach(() => rmSync(dir, { recursive: true }));

describe('an older build', () => {
  let older: OlderBuild | undefined;

  beforeAll(() => {
    const { commit } = JSON.parse(readFileSync(join(FIXTURES_DIR, 'older-build.json'), 'utf8')) as { commit: string };
    older = makeOlderBuild(commit);
  });

  afterAll(() => older?.remove());

  /** A database of today's schema and one migration of the future. */
  async function newerDatabase(script: string): Promise<string> {
    const url = await newDatabase();
    cpSync(MIGRATIONS_DIR, dir, { recursive: true });
    mkdirSync(join(dir, MADE_UP));
    writeFileSync(join(dir, MADE_UP, 'migration.sql'), script);
    expect((await migrate(url, dir)).applied).toEqual([MADE_UP]);
    return url;
  }

  function start(databaseUrl: string, options: { projectDir?: string } = {}): BursarProcess {
    const env = {
      DATABASE_URL: databaseUrl,
      BURSAR_DATA_DIR: newDataDir(),
      BURSAR_API_TOKEN: API_TOKEN,
      BURSAR_PEPPER: TEST_PEPPER,
      BURSAR_DRAIN_MS: '500',
    };
    return startBursar(env, options);
  }

  const startOlder = (databaseUrl: string) => start(databaseUrl, older && { projectDir: older.dir });

  it('serves a customer in turn with the build of today, on a schema that is newer than both', async () => {
    const url = await newerDatabase(
      `CREATE TABLE made_up (a int);
       ALTER TABLE customers ADD COLUMN made_up text, ADD COLUMN made_up_too int NOT NULL DEFAULT 1;
       CREATE INDEX customers_made_up_ix ON customers (made_up);`,
    );
    const processes = [start(url), startOlder(url)];
    const [today, yesterday] = await Promise.all(processes.map((bursar) => bursar.ready()));

    const send = async (origin: string | undefined, path: string, body: Record<string, unknown>, key: string) => {
      const { status, text, isReplayed } = await sendPlain(String(origin), { method: 'POST', path, body, key });
      return { status, isReplayed, body: JSON.parse(text) };
    };
    const product_key = 'AI_POOL';
    const grant = { external_id: 'ada', grant_type: 'bonus', product_key, quantity: 100 };
    expect(await send(today, '/grants', grant, 'k1')).toMatchObject({ status: 201 });
    const use = { external_id: 'ada', product_key, amount: 30 };
    const first = await send(yesterday, '/quota/consume', use, 'k2');
    expect(first).toMatchObject({ status: 200, isReplayed: false, body: { remaining: 70 } });
    expect(await send(today, '/quota/consume', use, 'k2')).toEqual({ ...first, isReplayed: true });
    const second = await send(today, '/quota/consume', use, 'k3');
    expect(second).toMatchObject({ status: 200, isReplayed: false, body: { remaining: 40 } });
    expect(await send(yesterday, '/quota/consume', use, 'k3')).toEqual({ ...second, isReplayed: true });

    for (const bursar of processes) bursar.signal('SIGTERM');
    for (const bursar of processes) expect(await bursar.exited()).toEqual({ code: 0, signal: null });
    await auditInvariants(url);
  });

  it('is replaced process by process under load, and every answer stays true', async ({ annotate }) => {
    const url = await newDatabase();
    const olders = [startOlder(url), startOlder(url)];
    const origins = await Promise.all(olders.map((bursar) => bursar.ready()));
    let turn = 0;
    const send = async (method: string, path: string, body: object, key?: string): ReturnType<Post> => {
      turn += 1;
      const headers = { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' };
      const keyed = key === undefined ? headers : { ...headers, 'idempotency-key': key };
      try {
        const origin = origins[turn % origins.length];
        const answer = await fetch(`${origin}${BASE_PATH}${path}`, {
          method,
          headers: keyed,
          body: JSON.stringify(body),
        });
        return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
      } catch (error) {
        if (error instanceof TypeError) return undefined; // the connection was refused or cut
        throw error;
      }
    };
    const post: Post = (path, body, key) => send('POST', path, body, key);
    await send('PUT', `/products/${PRODUCT}`, { name: PRODUCT, type: 'quantity' });
    for (const external_id of PEOPLE) {
      const quantity = external_id === 'poor' ? 5 : 100_000;
      await send('POST', '/grants', { external_id, grant_type: 'bonus', product_key: PRODUCT, quantity });
    }
    const load = startLoad(post, PEOPLE, PRODUCT);
    await load.untilDone(DONE_BETWEEN);
    const todays: BursarProcess[] = [];
    for (const [at, older] of olders.entries()) {
      const today = start(url);
      todays.push(today);
      origins[at] = await today.ready();
      older.signal('SIGTERM');
      expect(await older.exited(), older.stdout()).toEqual({ code: 0, signal: null });
      await load.untilDone(DONE_BETWEEN);
    }
    await load.stop();
    await annotate(describeCounts(await compareWithLedger(url, post, load.sent)));
    for (const today of todays) {
      today.signal('SIGTERM');
      expect(await today.exited(), today.stdout()).toEqual({ code: 0, signal: null });
    }
    await auditInvariants(url);
  });

  it('refuses a schema that it would misread, and changes nothing', async () => {
    const url = await newerDatabase(
      'CREATE TABLE made_up (a int PRIMARY KEY); UPDATE schema_compatibility SET needs = 99990101000000;',
    );
    const before = await contentsOf(url);
    const bursar = startOlder(url);
    expect(await bursar.exited()).toEqual({ code: 1, signal: null });
    expect(bursar.stderr()).toMatch(
      /^bursar: the database is from a newer version of Bursar \(it has .*99990101000000_made_up\) that this one does not understand: start that version, or use another database\n$/,
    );
    expect(await contentsOf(url)).toEqual(before);
  });
});

/** All rows and the columns of all tables, and what the migrator keeps. */
async function contentsOf(url: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const tables = [
      '"_prisma_migrations" ORDER BY id',
      'schema_compatibility',
      "information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
    ];
    const contents: unknown[] = [await dumpRows(client)];
    for (const table of tables) contents.push((await client.query(`SELECT * FROM ${table}`)).rows);
    return contents;
  } finally {
    await client.end();
  }
}

describe('a checkout whose history lacks the commit', () => {
  function git(cwd: string, ...args: string[]): string {
    const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.test', '-c', 'commit.gpgsign=false'];
    const { status, stdout, stderr } = runGit(cwd, [...identity, ...args]);
    if (status !== 0) throw new Error(`git ${args.join(' ')} ended with ${status}\n${stderr}`);
    return stdout.trim();
  }

  /** A repository with two commits; the first of them. */
  function makeHistory(): { repository: string; first: string } {
    const repository = join(dir, 'history');
    mkdirSync(repository);
    git(repository, 'init', '--quiet');
    for (const message of ['first', 'second']) git(repository, 'commit', '--quiet', '--allow-empty', '-m', message);
    return { repository, first: git(repository, 'rev-parse', 'HEAD~1') };
  }

  it('is told how to fetch it when it is shallow', () => {
    const { repository, first } = makeHistory();
    git(dir, 'clone', '--quiet', '--depth', '1', pathToFileURL(repository).href, 'shallow');
    const shallow = join(dir, 'shallow');
    expect(explainMissingCommit(shallow, first)).toBe(
      `the older build is made from commit ${first.slice(0, 12)}, which a shallow clone does not have: run "git fetch --unshallow"`,
    );
    git(shallow, 'fetch', '--quiet', '--unshallow');
    expect(explainMissingCommit(shallow, first)).toBeUndefined();
  });

  it('is told to name another one when HEAD does not descend from it', () => {
    const { repository } = makeHistory();
    const other = git(repository, 'commit-tree', 'HEAD^{tree}', '-m', 'other');
    expect(explainMissingCommit(repository, other)).toMatch(
      /from which HEAD does not descend: name one of this history/,
    );
    expect(explainMissingCommit(repository, 'f'.repeat(40))).toMatch(/HEAD does not descend/);
  });

  it('is told what git says when it is none', () => {
    expect(explainMissingCommit(dir, 'f'.repeat(40))).toMatch(
      /git can not read the history of .*: .*not a git repository/,
    );
  });
});
