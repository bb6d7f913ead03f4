// What the log is told of an error: a list of what is known to name nobody. Errors of Postgres carry whole rows, values and statements, those of the driver
// and of Prisma the connection, each in a place of its own; whatever is not listed stays out, in causes too.
import { sqlStateOf } from './errors.js';

/** Of Postgres, of its driver and adapter, of Node, of Fastify. */
const TELLING = [
  'code',
  'severity',
  'schema',
  'table',
  'column',
  'dataType',
  'constraint',
  'routine',
  'kind',
  'originalCode',
];
const TELLING_OF_SYSTEM = ['errno', 'syscall', 'address', 'port', 'path', 'statusCode'];
const CAUSES_MAX = 6;
const TOGETHER_MAX = 10;
/** Data exceptions: their messages are about a value, and repeat it. */
const ABOUT_A_VALUE = /^22/;

/** The serialiser of errors. A primitive is told as it is. */
export function errorForLog(error: unknown): unknown {
  return tell(error, CAUSES_MAX);
}

/** The message of an error, without what is in it of values. */
export function messageForLog(error: unknown): string {
  if (!isObject(error)) return String(error);
  const state = stateOf(error, CAUSES_MAX);
  return state !== undefined && ABOUT_A_VALUE.test(state)
    ? `the database refused a value (${state})`
    : String(error.message ?? '');
}

function tell(error: unknown, depth: number): unknown {
  if (!isObject(error)) return error;
  const { name, stack, errors } = error;
  const type = typeof name === 'string' ? name : 'object';
  const message = messageForLog(error);
  const together = Array.isArray(errors) && depth > 0 ? errors.slice(0, TOGETHER_MAX) : [];
  const cause = causeOf(error);
  return {
    type,
    message,
    ...(typeof stack === 'string' && { stack: [`${type}: ${message}`, ...framesOf(stack)].join('\n') }),
    ...Object.fromEntries(
      [...TELLING, ...TELLING_OF_SYSTEM].flatMap((name) => (isPlain(error[name]) ? [[name, error[name]]] : [])),
    ),
    ...(together.length > 0 && { errors: together.map((each) => tell(each, depth - 1)) }),
    ...(cause !== undefined && depth > 0 && { cause: tell(cause, depth - 1) }),
  };
}

/** Prisma keeps the error of its adapter elsewhere. */
function causeOf({ cause, meta }: Record<string, unknown>): unknown {
  return cause ?? (isObject(meta) ? meta.driverAdapterError : undefined);
}

/** The SQLSTATE of an error, or of what it wraps: at the end what the adapter says of it, which is no error itself. */
function stateOf(error: unknown, depth: number): string | undefined {
  if (!isObject(error)) return undefined;
  const own = sqlStateOf(error) ?? error.originalCode;
  if (typeof own === 'string') return own;
  return depth > 0 ? stateOf(causeOf(error), depth - 1) : undefined;
}

/** The message at the head of a stack is left out. */
function framesOf(stack: string): string[] {
  return stack.split('\n').filter((line) => /^ {4}at /.test(line));
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
