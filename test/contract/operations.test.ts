// The steps of docs/operations.md, taken from its blocks and run as they stand: on Debian's Postgres and with its tools where they are installed. Elsewhere what
// needs no tools is run on the embedded server, and the rest is skipped, by name.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { API_TOKEN, TEST_PEPPER } from '../support/app.js';
import { cleanUpProcesses, newDataDir, startBursar } from '../support/bursar-process.js';
import { debianBinaries, startOwnServer } from '../support/own-server.js';
import { sendPlain } from '../support/recorded.js';
import { query } from '../support/sql.js';

const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const NEEDED_BY_SCRIPTS = ['package.json', 'node_modules', 'scripts', 'src', 'prisma', 'tsconfig.json'];

cleanUpProcesses();

interface Block {
  heading: string;
  language: string;
  text: string;
}

/** All blocks of SQL and of the shell, in their order, without what they are indented by. */
function readBlocks(): Block[] {
  const blocks: Block[] = [];
  let heading = '';
  let open: Block | undefined;
  let indent = 0;
  for (const line of readFileSync(join(PROJECT_DIR, 'docs/operations.md'), 'utf8').split('\n')) {
    const fence = /^( *)```(\w*)$/.exec(line);
    if (fence) {
      if (open && /^(?:sh|sql)$/.test(open.language)) blocks.push(open);
      open = open ? undefined : { heading, language: fence[2] ?? '', text: '' };
      indent = fence[1]?.length ?? 0;
    } else if (open) open.text += `${line.slice(indent)}\n`;
    else if (line.startsWith('## ')) heading = line.slice('## '.length);
  }
  return blocks;
}

const blocks = readBlocks();

function blockOf(heading: string, language: string, index = 0): string {
  const found = blocks.filter((block) => block.heading === heading && block.language === language)[index];
  if (!found) throw new Error(`no block ${index} of ${language} below "${heading}"`);
  return found.text;
}

/** A server, and the URLs that the document speaks of. */
async function startServer() {
  const server = await startOwnServer();
  onTestFinished(() => server.stop());
  const urlOf = (user: string, password: string) => {
    const url = new URL(server.adminUrl);
    Object.assign(url, { username: user, password, pathname: '/bursar' });
    return url.toString();
  };
  return {
    ADMIN_URL: server.adminUrl,
    OWNER_URL: urlOf('bursar_owner', 'password-of-the-owner'),
    SERVICE_URL: urlOf('bursar_app', 'password-of-the-service'),
  };
}

type Urls = Awaited<ReturnType<typeof startServer>>;

/** A folder to stand in, which has the project's scripts, and gets what the steps write. */
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bursar-operations-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of NEEDED_BY_SCRIPTS) symlinkSync(join(PROJECT_DIR, name), join(folder, name));
  return folder;
}

async function runShell(script: string, folder: string, urls: Urls): Promise<string> {
  const path = [debianBinaries, process.env.PATH].filter((part) => part !== undefined).join(delimiter);
  const env = { ...process.env, NODE_ENV: '', VITEST: undefined, PATH: path, ...urls };
  return (await run('sh', ['-eu', '-c', script], { cwd: folder, env })).stdout;
}

/** Runs SQL as psql does, one statement after another; with variables where psql is there. */
async function runSql(url: string, sql: string, variables: Record<string, string> = {}): Promise<string> {
  if (debianBinaries === undefined) {
    for (const statement of sql.split(/;\n/)) if (statement.trim() !== '') await query(url, statement);
    return '';
  }
  const given = Object.entries(variables).flatMap(([name, value]) => ['-v', `${name}=${value}`]);
  const running = run(join(debianBinaries, 'psql'), ['-X', '-v', 'ON_ERROR_STOP=1', ...given, '-f', '-', url]);
  running.child.stdin?.end(sql);
  return (await running).stdout;
}

/** Starts the service as its user, with what `work` asks of it; it ends before this returns. */
async function withService(urls: Urls, work: (origin: string) => Promise<void>): Promise<void> {
  const bursar = startBursar({
    DATABASE_URL: urls.SERVICE_URL,
    BURSAR_DATA_DIR: newDataDir(),
    BURSAR_API_TOKEN: API_TOKEN,
    BURSAR_PEPPER: TEST_PEPPER,
  });
  await work(await bursar.ready());
  bursar.signal('SIGTERM');
  expect(await bursar.exited()).toEqual({ code: 0, signal: null });
}

const post = (origin: string, path: string, body: Record<string, unknown>, key: string | null = null) =>
  sendPlain(origin, { method: 'POST', path, body, key });
const grant = { external_id: 'ada', grant_type: 'bonus', product_key: 'CREDITS', quantity: 10 };
const use = { external_id: 'ada', product_key: 'CREDITS', amount: 3 };

describe('the blocks of docs/operations.md', () => {
  it('are those that are run here', () => {
    expect(blocks.map(({ heading, language }) => `${heading}: ${language}`)).toEqual([
      'Secrets: sql',
      'Roles and rights: sql',
      'Roles and rights: sh',
      'Roles and rights: sh',
      'Backup and restore: sh',
      'Backup and restore: sh',
      'A clock that was wrong: sql',
    ]);
    expect(blockOf('Roles and rights', 'sh', 1)).toBe('DATABASE_URL="$SERVICE_URL" npm start\n');
  });

  it('make roles and tables, with which the service works and can not change its ledger', async () => {
    const urls = await startServer();
    const folder = makeFolder();
    await runSql(urls.ADMIN_URL, blockOf('Roles and rights', 'sql'));
    for (let time = 0; time < 2; time += 1) await runShell(blockOf('Roles and rights', 'sh'), folder, urls);
    await withService(urls, async (origin) => {
      expect(await post(origin, '/grants', grant)).toMatchObject({ status: 201 });
      expect(await post(origin, '/quota/consume', use)).toMatchObject({ status: 200 });
    });
    await expect(query(urls.SERVICE_URL, 'UPDATE entries SET amount = 1')).rejects.toThrow('permission denied');
    await runSql(urls.OWNER_URL, blockOf('Secrets', 'sql'));
    expect(await query(urls.SERVICE_URL, 'SELECT fingerprint FROM secrets')).toContainEqual({ fingerprint: null });
  });

  it.skipIf(debianBinaries === undefined)('restore a dump on a new server, where the service goes on', async () => {
    const first = await startServer();
    const folder = makeFolder();
    await runSql(first.ADMIN_URL, blockOf('Roles and rights', 'sql'));
    await runShell(blockOf('Roles and rights', 'sh'), folder, first);
    let answer: Awaited<ReturnType<typeof post>> | undefined;
    await withService(first, async (origin) => {
      expect(await post(origin, '/grants', grant)).toMatchObject({ status: 201 });
      answer = await post(origin, '/quota/consume', use, 'before-the-backup');
      expect(answer).toMatchObject({ status: 200 });
    });
    await runShell(blockOf('Backup and restore', 'sh'), folder, first);

    const second = await startServer();
    await runSql(second.ADMIN_URL, blockOf('Roles and rights', 'sql'));
    expect(await runShell(blockOf('Backup and restore', 'sh', 1), folder, second)).toContain('no differences');
    await withService(second, async (origin) => {
      expect(await post(origin, '/quota/consume', use, 'before-the-backup')).toEqual({ ...answer, isReplayed: true });
      const { text } = await post(origin, '/quota/consume', use);
      expect(JSON.parse(text)).toMatchObject({ allowed: true, remaining: 4 });
    });
    const [customer] = await query(second.OWNER_URL, 'SELECT customer_id::text AS id FROM identities');
    await runSql(second.OWNER_URL, blockOf('A clock that was wrong', 'sql'), { customer: String(customer?.id) });
    expect(await query(second.OWNER_URL, 'SELECT external_id FROM former_identities')).toEqual([
      { external_id: 'ada' },
    ]);
  });
});
