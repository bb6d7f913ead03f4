// The settings under which our statements run, and the two ways in which they and the statements reach the server: with the log-in and by name, where a
// connection is a session of its own, or with each transaction and unnamed, where a pooler lends another session for each (ADR 0022).
import pg from 'pg';
import { StartError } from '../errors/start-error.js';
import { connectionOf } from './connection-url.js';
import { statementName } from './statement-names.js';

/** How transactions are begun and statements called on the connections of a pool. */
export interface Wire {
  /** Begins a READ COMMITTED transaction. */
  readonly begin: string;
  /** Begins one that reads one snapshot. */
  readonly beginSnapshot: string;
  /** Whether connections prepare statements, once each. */
  readonly isPrepared: boolean;
  /** The name under which a connection prepares a statement; undefined leaves it unnamed. */
  nameOf(sql: string): string | undefined;
}

export interface Sessions {
  connectionString: string;
  /** What is asked for with the log-in. */
  options?: string;
  wire: Wire;
}

const LOCK_TIMEOUT_MS = 15_000;
const STATEMENT_TIMEOUT_MS = 20_000;
const IDLE_IN_TRANSACTION_MS = 30_000;

/** Holds unless the URL's options say otherwise: rows are found by keys, in memory or on flash; the server's default makes it read tables of up to some 30,000 rows whole for each. */
const PREFERRED = ['random_page_cost', '1.1'] as const;

const SETTINGS = [
  ['TimeZone', 'UTC'], // the adapter ignores the offset of a timestamptz: another zone would shift every instant
  ['DateStyle', 'ISO'], // the only one that the driver reads
  ['client_encoding', 'UTF8'],
  ['jit', 'off'], // compiling takes longer than our statements run
  ['plan_cache_mode', 'force_generic_plan'], // else a statement is planned again and again for arrays of known length: 9 ms for the holdings, which run in 0.5
  ['lock_timeout', `${LOCK_TIMEOUT_MS}`],
  ['statement_timeout', `${STATEMENT_TIMEOUT_MS}`],
  ['idle_in_transaction_session_timeout', `${IDLE_IN_TRANSACTION_MS}`],
] as const;

const ISOLATION = 'read committed';

/** What a session of ours shows of its settings, by their names in pg_settings, whichever way they came. */
export const EXPECTED: ReadonlyMap<string, string> = new Map([...SETTINGS, ['transaction_isolation', ISOLATION]]);

/** How a snapshot's transaction differs from the others. */
const SNAPSHOT = 'REPEATABLE READ READ ONLY';

/** Connections that are sessions of their own: settings come with the log-in, the URL's before ours, so that ours hold. */
export function ownSessions(url: string): Sessions {
  const { own, ...connection } = splitOptions(url);
  const isolation = ['default_transaction_isolation', ISOLATION.replace(' ', '\\ ')] as const;
  const asOptions = (settings: readonly (readonly [string, string])[]) =>
    settings.map(([name, value]) => `-c ${name}=${value}`).join(' ');
  return {
    ...connection,
    options: [asOptions([PREFERRED]), own, asOptions([...SETTINGS, isolation])].join(' '),
    wire: {
      isPrepared: true,
      begin: 'BEGIN',
      beginSnapshot: `BEGIN ISOLATION LEVEL ${SNAPSHOT}`,
      nameOf: statementName,
    },
  };
}

/**
 * Connections through a pooler in transaction mode, behind which each transaction may be on another session: settings are made for each, together with
 * its BEGIN, and no statement has a name. Throws: StartError for options in the URL, which such a pooler refuses or loses.
 */
export function borrowedSessions(url: string): Sessions {
  const { own, ...connection } = splitOptions(url);
  if (own !== '') {
    throw new StartError(
      'DATABASE_URL must have no options with BURSAR_PREPARED=false: a pooler loses them; set them on the role (ALTER ROLE ... SET)',
    );
  }
  const settings = [PREFERRED, ...SETTINGS].map(([name, value]) => `; SET LOCAL ${name} = ${pg.escapeLiteral(value)}`);
  const beginIn = (isolation: string) => `BEGIN ISOLATION LEVEL ${isolation}${settings.join('')}`;
  return {
    ...connection,
    wire: {
      isPrepared: false,
      begin: beginIn(ISOLATION),
      beginSnapshot: beginIn(SNAPSHOT),
      nameOf: (sql) => {
        statementName(sql); // remembers the text
        return undefined;
      },
    },
  };
}

function splitOptions(url: string): { connectionString: string; own: string } {
  const parsed = new URL(connectionOf(url).connectionString);
  const own = parsed.searchParams.get('options') ?? '';
  parsed.searchParams.delete('options');
  return { connectionString: parsed.toString(), own };
}
