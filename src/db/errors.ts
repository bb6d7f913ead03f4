// What an error of the database means for the attempt that met it: one table over the shapes in which Postgres, the driver and Prisma's adapter
// report it. Decides nothing about answers.

interface DriverCause {
  kind?: unknown;
  originalCode?: unknown;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** What Prisma's adapter says of an error of the driver, wrapped by Prisma or not. */
function driverCauseOf(error: Record<string, unknown>): DriverCause | undefined {
  const adapterError = isObject(error.meta) ? error.meta.driverAdapterError : error;
  if (!isObject(adapterError) || !isObject(adapterError.cause)) return undefined;
  return 'kind' in adapterError.cause ? (adapterError.cause as DriverCause) : undefined;
}

/** The SQLSTATE with which Postgres refused, if it did. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!isObject(error)) return undefined;
  const state = driverCauseOf(error)?.originalCode;
  if (typeof state === 'string') return state;
  const isDriversOwn = typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) && 'severity' in error;
  return isDriversOwn ? String(error.code) : undefined;
}

/**
 * What a failed attempt means. `again`: it was rolled back, or its connection was cut, for a reason that may be gone on the next attempt. `down`: the
 * database can't be asked, or gave up; nothing is known to be wrong with the request. `ours`: a defect.
 */
export type FailureClass = 'again' | 'down' | 'ours';

interface FailureRule {
  class: FailureClass;
  /** SQLSTATEs, as a pattern. */
  states?: RegExp;
  /** Codes of Node, of the driver and of Prisma. */
  codes?: ReadonlySet<string>;
  /** Kinds of Prisma's adapter. */
  kinds?: ReadonlySet<string>;
  messages?: RegExp;
}

/** The first that fits counts. */
const RULES: readonly FailureRule[] = [
  {
    class: 'again',
    // a claim that somebody else made first; a place that would be drawn on another server; serialization failure, deadlock, lock timeout; the connection, or the server behind it, went away, or
    // takes no writes any more because another one took its place
    states: /^(?:BC00[12]|40001|40P01|55P03|08...|57P0[1235]|25006)$/,
    codes: new Set([
      'P1008', // Prisma: the operation timed out
      'P1017', // Prisma: the server closed the connection
      'P2034', // Prisma: a conflict or a deadlock
      'ECONNRESET',
      'ECONNABORTED',
      'EPIPE',
      'ETIMEDOUT',
      'EHOSTUNREACH',
      'ENETUNREACH',
    ]),
    kinds: new Set(['ConnectionClosed', 'SocketTimeout', 'TransactionWriteConflict']),
    messages:
      /Connection terminated|Client has encountered a connection error|Query read timeout|Client was closed and is not queryable/,
  },
  {
    class: 'down',
    // resources, operator intervention (statement timeout among it), a session that was idle for too long, a full or failing disk; a user, a password or
    // rights that were taken from us, a database that is gone
    states: /^(?:53...|57...|58...|25P0[34]|28...|42501|3D000)$/,
    codes: new Set([
      'P1001', // Prisma: the server can't be reached
      'P1002', // Prisma: it was reached, and did not answer in time
      'P2024', // Prisma: no connection from the pool in time
      'P2028', // Prisma: the transaction could not be started, or lasted too long
      'P2037', // Prisma: too many connections
      'ECONNREFUSED',
      'ENOTFOUND',
      'EAI_AGAIN',
    ]),
    kinds: new Set([
      'DatabaseNotReachable',
      'DatabaseDoesNotExist',
      'DatabaseAccessDenied',
      'AuthenticationFailed',
      'TlsConnectionError',
      'TooManyConnections',
      'TransactionAlreadyClosed',
    ]),
    // the second: the process ends
    messages: /timeout exceeded when trying to connect|Cannot use a pool after calling end on the pool/,
  },
];

/** The class of an error, of the database or behind it. */
export function classOf(error: unknown): FailureClass {
  const state = sqlStateOf(error);
  if (state !== undefined) return RULES.find(({ states }) => states?.test(state))?.class ?? 'ours';
  if (!isObject(error)) return 'ours';
  const kind = driverCauseOf(error)?.kind;
  const { code, message } = error;
  const rule = RULES.find(
    ({ codes, kinds, messages }) =>
      (typeof kind === 'string' && kinds?.has(kind)) ||
      (typeof code === 'string' && codes?.has(code)) ||
      (typeof message === 'string' && messages?.test(message)),
  );
  return rule?.class ?? classOf(error.cause);
}

/** Whether events would have been written on another server than the one on which their places were drawn. */
export function isOfMovedData(error: unknown): boolean {
  return sqlStateOf(error) === 'BC002';
}

/** Whether somebody else held a lock for as long as we wait for one. */
export function isLockTimeout(error: unknown): boolean {
  return sqlStateOf(error) === '55P03';
}

/** Whether the connection that met this error is of no more use, though it stands: the server forgot a statement, or takes no writes. */
export function isUseless(error: unknown): boolean {
  return /^(?:26000|25006)$/.test(sqlStateOf(error) ?? '');
}

// Cancelled or too slow, out of memory, beyond a limit of the server's configuration.
const OWN_DOING = new Set(['57014', '53200', '53400']);

/** Whether the database as a whole is to blame, so that no other statement would do better now. */
export function isOutage(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== undefined && (OWN_DOING.has(state) || RETRYABLE.has(state))) return false;
  return classOf(error) !== 'ours';
}

/** Rolled back because of others, who have ended. */
const RETRYABLE = new Set(['BC001', 'BC002', '40001', '40P01', '55P03']);
