// npm run fixture: tells the story of test/support/story.ts to the present version on a throw-away Postgres and writes what is left of it to
// test/fixtures: the rows as SQL, and the requests whose answers are stored. Named after the newest migration; older fixtures stay as they are.
// Refuses a story that leaves out a kind of request whose answer is stored.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { MIGRATIONS_DIR, migrate } from '../src/db/migrate.js';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from '../src/embedded/embedded-postgres.js';
import { sweep } from '../src/engine/sweep.js';
import { BASE_PATH } from '../src/http/base-path.js';
import { required } from '../src/lib/assert.js';
import { guardPeppers } from '../src/services/secrets.js';
import { startTestApp, TestClock } from '../test/support/app.js';
import { auditInvariants } from '../test/support/audit.js';
import { dumpRows } from '../test/support/dump-rows.js';
import { FIXTURES_DIR, type Recorded, readWallets, versionOf } from '../test/support/recorded.js';
import { countedIds, Recorder } from '../test/support/recorder.js';
import { query } from '../test/support/sql.js';
import { tellStory } from '../test/support/story.js';

const version = versionOf(
  required(readdirSync(MIGRATIONS_DIR).filter(isMigration).sort().at(-1), 'there are migrations'),
);
const HEAD = `-- A filled database of version ${version}, made by \`npm run fixture\`: data only, never edited.\n\n`;

const OPENAPI = fileURLToPath(new URL('../openapi/openapi.json', import.meta.url));

interface Operation {
  responses: Record<string, { headers?: Record<string, unknown> }>;
}

const parent = mkdtempSync(join(tmpdir(), 'bursar-fixture-'));
chmodSync(parent, 0o711); // the server may run as another user, who has to pass
const home = join(parent, 'home');
mkdirSync(home);
try {
  const server = await startEmbeddedPostgres(home, { isDurable: false });
  await migrate(server.url);
  const recorded = await tell(server.url);
  proveComplete(recorded);
  const sql = await dump(server.url);
  await proveCopy(server.url, sql);
  write('sql', HEAD + sql);
  write('json', `${JSON.stringify(recorded, null, 1)}\n`);
  console.log(`${recorded.requests.length} requests with stored answers, ${recorded.wallets.length} wallets`);
  await server.stop();
} finally {
  await removeEmbeddedPostgres(home);
  rmSync(parent, { recursive: true, force: true });
}

function isMigration(name: string): boolean {
  return /^\d+_/.test(name);
}

async function tell(url: string): Promise<Recorded> {
  const clock = new TestClock();
  const { app, deps, close } = await startTestApp(url, clock, undefined, {}, countedIds(clock));
  try {
    const recorder = new Recorder(app.listeningOrigin);
    await tellStory({ recorder, clock, settleDue: async () => void (await sweep(deps)) });
    await guardPeppers(deps); // as a start does
    const rows = await query(url, 'SELECT id::text FROM customers ORDER BY id');
    const wallets = await readWallets(
      recorder.origin,
      rows.map(({ id }) => String(id)),
    );
    return { version, clock: clock.now().toISOString(), requests: recorder.requests, wallets };
  } finally {
    await close();
  }
}

/** Throws when a kind of request that replays by its key was not sent with one. */
function proveComplete({ requests }: Recorded): void {
  const { paths } = JSON.parse(readFileSync(OPENAPI, 'utf8')) as { paths: Record<string, { post?: Operation }> };
  const told = requests.filter(({ key, body }) => key !== null || body.idempotency_key !== undefined);
  const missing = Object.entries(paths).filter(([path, { post }]) => {
    const isReplayable = Object.values(post?.responses ?? {}).some(({ headers }) => headers?.['Idempotent-Replayed']);
    const pattern = new RegExp(`^${path.replace(BASE_PATH, '').replace(/\{\w+\}/g, '[^/]+')}$`);
    return isReplayable && !told.some((request) => pattern.test(request.path));
  });
  if (missing.length > 0) throw new Error(`the story has no keyed ${missing.map(([path]) => path).join(', ')}`);
}

async function dump(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await dumpRows(client);
  } finally {
    await client.end();
  }
}

/** Throws when the rows do not fill an empty database with exactly themselves, or an invariant does not hold in it. */
async function proveCopy(url: string, sql: string): Promise<void> {
  const copyUrl = new URL(url);
  copyUrl.pathname = '/copy';
  await query(url, 'CREATE DATABASE copy');
  await migrate(copyUrl.toString());
  await query(copyUrl.toString(), sql);
  if ((await dump(copyUrl.toString())) !== sql) throw new Error('the copy differs from what it was made of');
  await auditInvariants(copyUrl.toString());
}

function write(extension: 'sql' | 'json', text: string): void {
  const path = join(FIXTURES_DIR, `${version}.${extension}`);
  mkdirSync(FIXTURES_DIR, { recursive: true });
  writeFileSync(path, text);
  console.log(`${path}: ${(Buffer.byteLength(text) / 1_024).toFixed(0)} KiB`);
}
