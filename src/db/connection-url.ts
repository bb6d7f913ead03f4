// What DATABASE_URL says about the connection, and that it is understood: parameters mean what Postgres' own tools take them for, and those that would be
// passed over while they say where or how safely to connect are refused.
import { accessSync, constants } from 'node:fs';
import { StartError } from '../errors/start-error.js';

/** As libpq has them, without `allow`; and `no-verify`, the driver's own word for `require`. */
const SSL_MODES = ['disable', 'prefer', 'require', 'no-verify', 'verify-ca', 'verify-full'];
const SSL_FILES = ['sslrootcert', 'sslcert', 'sslkey'];
const SSL_PARAMETERS = new Set([...SSL_FILES, 'ssl', 'sslmode', 'sslnegotiation']);
/** The rest of what the driver reads; what else there is it passes over. */
const KNOWN = new Set([
  'options',
  'host',
  'port',
  'user',
  'password',
  'application_name',
  'fallback_application_name',
  'client_encoding',
  'uselibpqcompat',
]);

/** Other libraries' names for the schema that tables are in. */
const SCHEMA_PARAMETERS = new Set(['schema', 'currentschema', 'search_path']);

/**
 * What the driver is given to connect to `url`. Throws: StartError, for what the driver would pass over or could not read.
 */
export function connectionOf(url: string): { connectionString: string } {
  const parsed = new URL(url);
  const parameters = parsed.searchParams;
  for (const name of parameters.keys()) refuseMisread(name);
  const mode = parameters.get('sslmode');
  if (mode !== null && !SSL_MODES.includes(mode)) {
    throw new StartError(`sslmode in DATABASE_URL must be one of ${SSL_MODES.join(', ')}, not ${JSON.stringify(mode)}`);
  }
  if (parameters.get('sslrootcert') === 'system') parameters.delete('sslrootcert'); // the authorities that Node knows
  if (mode === 'verify-ca' && !parameters.has('sslrootcert')) {
    throw new StartError('sslmode=verify-ca in DATABASE_URL needs sslrootcert, the file of the authority to trust');
  }
  for (const name of SSL_FILES) requireReadable(name, parameters.get(name));
  // else the driver takes require for verify-full, and the next version of it for what it is
  if (mode !== null && mode !== 'no-verify' && !parameters.has('uselibpqcompat'))
    parameters.set('uselibpqcompat', 'true');
  return { connectionString: parsed.toString() };
}

/** Names of the parameters of `url` that nobody reads. */
export function unreadParameters(url: string): string[] {
  return [...new URL(url).searchParams.keys()].filter((name) => !KNOWN.has(name) && !SSL_PARAMETERS.has(name));
}

function refuseMisread(name: string): void {
  const plain = name.toLowerCase();
  if (SCHEMA_PARAMETERS.has(plain)) {
    throw new StartError(
      `${name} in DATABASE_URL is not supported: Bursar uses the first schema of the search_path, "public" unless you say otherwise (options=-c%20search_path%3Dname, or ALTER ROLE ... SET search_path)`,
    );
  }
  if (plain.startsWith('ssl') && !SSL_PARAMETERS.has(name)) {
    throw new StartError(
      `${name} in DATABASE_URL is unknown, and TLS is nothing to guess at: use sslmode, sslrootcert, sslcert and sslkey`,
    );
  }
}

function requireReadable(name: string, path: string | null): void {
  if (path === null) return;
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new StartError(`can not read the file ${JSON.stringify(path)} that ${name} in DATABASE_URL names`, {
      cause: error,
    });
  }
}
