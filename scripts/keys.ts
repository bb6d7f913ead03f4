// npm run keys: makes API keys without another one, lists and revokes them, on the database that the service uses. A new key is told once, on standard
// output, alone on its line. Exit code 0 when all is done, 1 when not, with the reason in one line.
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import type { Actor } from '../src/call.js';
import { readConfig } from '../src/config.js';
import { createDb } from '../src/db/client.js';
import type { Deps } from '../src/deps.js';
import { createEngine } from '../src/engine/engine.js';
import { AppError } from '../src/errors/app-error.js';
import { StartError } from '../src/errors/start-error.js';
import type { ApiKey } from '../src/ledger/management-entities.js';
import { systemClock } from '../src/lib/clock.js';
import { uuidIds } from '../src/lib/ids.js';
import { createMetrics } from '../src/lib/metrics.js';
import { ALL_SCOPES, SCOPES, type Scope } from '../src/lib/scopes.js';
import { createTurns } from '../src/lib/turns.js';
import { createApiKey, getApiKeys, revokeApiKey } from '../src/services/api-keys.js';
import { connectTo, findDatabase } from './find-database.js';

const USAGE = `usage: npm run keys -- create --scopes <${SCOPES.join(',')}> [--name <what for>] [--expires-in-days <days>]
       npm run keys -- list
       npm run keys -- revoke <id>`;
const UNDEFINED_TABLE = '42P01';
const MS_PER_DAY = 86_400_000;
const NAME_LENGTH_MAX = 100;
const PAGE_ROWS = 200;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whoever reaches the database may do all. */
const OPERATOR: Actor = { keyId: 'operator', ownerId: 'operator', scopes: ALL_SCOPES };

type Needed = Pick<Deps, 'db' | 'engine' | 'ids' | 'actors'>;
type Work = (deps: Needed) => Promise<void>;

try {
  await withDatabase(readCommand());
} catch (error) {
  console.error(`keys: ${error instanceof StartError || error instanceof AppError ? error.message : error}`);
  process.exitCode = 1;
}

async function withDatabase(work: Work): Promise<void> {
  const database = findDatabase('keep keys');
  await (await connectTo(database, 'bursar-keys')).end(); // says in words why it can't
  const { config: defaults } = readConfig({}, process.cwd());
  const log = pino({ level: 'silent' });
  const db = createDb(database.url, log, { poolSizeMax: defaults.poolSize });
  const config = { ...defaults, apiToken: '', pepper: '', secretKey: '' };
  const engine = createEngine({
    db,
    clock: systemClock,
    ids: uuidIds,
    config,
    log,
    turns: createTurns(),
    metrics: createMetrics(),
  });
  // Tokens are not read here, and no other process is told: what it remembers of a key ends by itself.
  const actors = { of: unused, signCustomerToken: unused, forgetKey: () => undefined };
  try {
    await work({ db, engine, ids: uuidIds, actors });
  } catch (error) {
    if ((error as { code?: string }).code !== UNDEFINED_TABLE) throw error;
    throw new StartError('the database lacks tables of this version of Bursar: run "npm run migrate" or start Bursar', {
      cause: error,
    });
  } finally {
    await db.close();
  }
}

function unused(): never {
  throw new Error('a script reads no tokens');
}

function readCommand(): Work {
  const { positionals, values } = readArguments();
  const [command, ...rest] = positionals;
  if (command === 'create' && rest.length === 0) return create(values);
  if (command === 'list' && rest.length === 0) return list;
  if (command === 'revoke' && rest.length === 1) return revoke(rest[0] ?? '');
  throw new StartError(USAGE);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { scopes: { type: 'string' }, name: { type: 'string' }, 'expires-in-days': { type: 'string' } },
    });
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}

function create(values: ReturnType<typeof readArguments>['values']): Work {
  const scopes = (values.scopes ?? '').split(',').map((scope) => scope.trim());
  const unknown = scopes.find((scope) => !SCOPES.includes(scope as Scope));
  if (unknown !== undefined) throw new StartError(`--scopes: ${JSON.stringify(unknown)} is no scope\n${USAGE}`);
  const name = values.name?.trim() ?? 'made by npm run keys';
  if (name === '' || name.length > NAME_LENGTH_MAX)
    throw new StartError(`--name must have 1 to ${NAME_LENGTH_MAX} characters`);
  const days = values['expires-in-days'];
  if (days !== undefined && !/^[1-9]\d{0,4}$/.test(days))
    throw new StartError('--expires-in-days must be a whole number from 1 to 99999');
  return async (deps) => {
    const expiresAt = days === undefined ? null : new Date(systemClock.now().getTime() + Number(days) * MS_PER_DAY);
    const { apiKey, token } = await createApiKey(deps, { name, scopes: scopes as Scope[], expiresAt }, OPERATOR);
    console.error(`${describe(apiKey)}\nThe key, which is told only here:`);
    console.log(token);
  };
}

async function list(deps: Needed): Promise<void> {
  let after: { createdAt: Date; id: string } | undefined;
  do {
    const keys = await getApiKeys(deps, { after, limit: PAGE_ROWS });
    for (const key of keys) console.log(describe(key));
    after = keys.length < PAGE_ROWS ? undefined : keys.at(-1);
  } while (after);
}

function revoke(id: string): Work {
  if (!UUID.test(id)) throw new StartError(`revoke: the id of a key is a UUID\n${USAGE}`);
  return async (deps) => {
    await revokeApiKey(deps, id.toLowerCase(), OPERATOR);
    console.log(`revoked ${id}; running processes refuse it within 5 seconds`);
  };
}

function describe({ id, name, scopes, createdAt, expiresAt, revokedAt, lastUsedAt }: ApiKey): string {
  const told = [`made ${createdAt.toISOString()}`];
  if (expiresAt) told.push(`expires ${expiresAt.toISOString()}`);
  if (revokedAt) told.push(`revoked ${revokedAt.toISOString()}`);
  told.push(lastUsedAt ? `used ${lastUsedAt.toISOString()}` : 'never used');
  return `${id}  ${name}  [${scopes.join(', ')}]  ${told.join(', ')}`;
}
