// Which database a script works on: the one that the service would use.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { explainConnectionError } from '../src/db/connection-error.js';
import { connectionOf } from '../src/db/connection-url.js';
import { StartError } from '../src/errors/start-error.js';
import { readEnvFile } from '../src/process/env-file.js';
import { readSecretFiles } from '../src/process/secret-files.js';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const CONNECT_TIMEOUT_MS = 10_000;

export interface FoundDatabase {
  url: string;
  /** What for, as a verb. */
  purpose: string;
  /** The data folder of the embedded server, if it is that. */
  embeddedIn: string | undefined;
}

/** DATABASE_URL, else the embedded server of the data folder; the environment wins over .env, empty is not given. `purpose` is a verb. Throws: StartError. */
export function findDatabase(purpose: string): FoundDatabase {
  const env = readSecretFiles({ ...readEnvFile(PROJECT), ...process.env });
  const given = env.DATABASE_URL;
  if (given) {
    if (!URL.canParse(given))
      throw new StartError('DATABASE_URL must be a URL such as postgresql://user:password@host:5432/database');
    return { url: given, purpose, embeddedIn: undefined };
  }
  const embeddedIn = resolve(PROJECT, env.BURSAR_DATA_DIR || '.bursar');
  const file = join(embeddedIn, 'database-url');
  if (!existsSync(file)) throw embeddedNotRunning(purpose, embeddedIn);
  return { url: readFileSync(file, 'utf8').trim(), purpose, embeddedIn };
}

/** Opens one connection. Throws: StartError. */
export async function connectTo(
  { url, purpose, embeddedIn }: FoundDatabase,
  applicationName: string,
): Promise<pg.Client> {
  const client = new pg.Client({
    ...connectionOf(url),
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => undefined); // a lost connection also fails the statement under way, which is where it is told
  try {
    await client.connect();
    return client;
  } catch (error) {
    const isRefused = (error as { code?: string }).code === 'ECONNREFUSED';
    throw embeddedIn !== undefined && isRefused
      ? embeddedNotRunning(purpose, embeddedIn, error)
      : explainConnectionError(error, url);
  }
}

function embeddedNotRunning(purpose: string, dataDir: string, cause?: unknown): StartError {
  return new StartError(
    `no database to ${purpose}: DATABASE_URL is not set, and the embedded Postgres of ${dataDir} ` +
      'does not run; start Bursar (npm start) or set DATABASE_URL',
    { cause },
  );
}
