// Reads what Postgres refused out of the shapes in which Prisma and the pool report it. Decides nothing about answers.

interface DatabaseRefusal {
  sqlState: string;
  constraint: string | undefined;
}

interface DriverCause {
  originalCode?: unknown;
  originalMessage?: unknown;
  constraint?: { index?: unknown };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Prisma gives the constraint's name apart for unique violations only; the message of Postgres always has it. */
function constraintIn(message: unknown): string | undefined {
  return typeof message === 'string' ? /constraint "([^"]+)"/.exec(message)?.[1] : undefined;
}

function refusalOf(error: unknown): DatabaseRefusal | undefined {
  if (!isObject(error)) return undefined;
  const adapterError = isObject(error.meta) ? error.meta.driverAdapterError : undefined;
  const cause =
    isObject(adapterError) && isObject(adapterError.cause) ? (adapterError.cause as DriverCause) : undefined;
  if (cause && typeof cause.originalCode === 'string') {
    const index = cause.constraint?.index;
    return {
      sqlState: cause.originalCode,
      constraint: typeof index === 'string' ? index : constraintIn(cause.originalMessage),
    };
  }
  if (typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) && 'severity' in error) {
    return {
      sqlState: error.code,
      constraint: typeof error.constraint === 'string' ? error.constraint : constraintIn(error.message),
    };
  }
  return undefined;
}

/** The SQLSTATE with which Postgres refused, if it did. */
export function sqlStateOf(error: unknown): string | undefined {
  return refusalOf(error)?.sqlState;
}

/** The name of the violated constraint, if Postgres named one. */
export function constraintOf(error: unknown): string | undefined {
  return refusalOf(error)?.constraint;
}

/** Serialization failure, deadlock, lock timeout: the whole transaction was rolled back and may run again at once. */
const RETRYABLE = new Set(['40001', '40P01', '55P03']);

/** Whether somebody else held a lock for as long as we wait for one. */
export function isLockTimeout(error: unknown): boolean {
  return sqlStateOf(error) === '55P03';
}

/** Whether the transaction was certainly rolled back for a reason that may be gone on the next attempt. */
export function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(sqlStateOf(error) ?? '');
}

const LOST_STATE = /^(?:08|57P0[1235])/;
const LOST_CODES = new Set([
  'P1008',
  'P1017',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
const LOST_MESSAGE = /Connection terminated|Client has encountered a connection error|Query read timeout/;

/** Whether the connection was cut while it was in use: what it was doing was rolled back, or is uncertain if COMMIT had been sent. */
export function isConnectionLost(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== undefined) return LOST_STATE.test(state);
  if (!isObject(error)) return false;
  if (typeof error.code === 'string' && LOST_CODES.has(error.code)) return true;
  if (typeof error.message === 'string' && LOST_MESSAGE.test(error.message)) return true;
  return isConnectionLost(error.cause);
}

// Classes 08 connection, 53 resources, 57 operator intervention (statement timeout, shutdown, crash recovery), 25P03 idle timeout.
const UNAVAILABLE_STATE = /^(?:08|53|57|25P03)/;
const UNAVAILABLE_CODES = new Set([
  'P1001', // Prisma: the server can't be reached
  'P1002',
  'P1008',
  'P1017', // Prisma: the server closed the connection
  'P2024', // Prisma: no connection from the pool in time
  'P2028', // Prisma: the transaction could not be started, or lasted too long
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
]);
const UNAVAILABLE_MESSAGE =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout/;

/** Whether the database could not be asked, or gave up: nothing is known to be wrong with the request. */
export function isUnavailable(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== undefined) return UNAVAILABLE_STATE.test(state);
  if (!isObject(error)) return false;
  if (typeof error.code === 'string' && UNAVAILABLE_CODES.has(error.code)) return true;
  if (typeof error.message === 'string' && UNAVAILABLE_MESSAGE.test(error.message)) return true;
  return isUnavailable(error.cause);
}

// Cancelled or too slow, out of memory, beyond a limit of the server's configuration.
const OWN_DOING = new Set(['57014', '53200', '53400']);

/** Whether the database as a whole is to blame, so that no other statement would do better now. */
export function isOutage(error: unknown): boolean {
  if (OWN_DOING.has(sqlStateOf(error) ?? '')) return false;
  return isUnavailable(error) || isConnectionLost(error);
}
