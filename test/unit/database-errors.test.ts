// What each error of Postgres, of the driver and of Prisma's adapter means for an attempt: in whichever shape it comes, the same.
import { describe, expect, it } from 'vitest';
import { classOf, type FailureClass, isLockTimeout, isOutage, sqlStateOf } from '../../src/db/errors.js';

/** As the driver throws it. */
const byDriver = (code: string) => Object.assign(new Error('refused'), { code, severity: 'ERROR' });
/** As Prisma wraps what its adapter made of it. */
const byPrisma = (code: string) => ({
  code: 'P2010',
  meta: { driverAdapterError: { name: 'DriverAdapterError', cause: { kind: 'postgres', originalCode: code } } },
});
/** As the adapter throws it where Prisma does not wrap it. */
const byAdapter = (code: string) =>
  Object.assign(new Error('refused'), {
    name: 'DriverAdapterError',
    cause: { kind: 'postgres', originalCode: code },
  });

const STATES: readonly (readonly [string, FailureClass, string])[] = [
  ['BC001', 'again', 'a claim was taken meanwhile'],
  ['40001', 'again', 'serialization failure'],
  ['40P01', 'again', 'deadlock'],
  ['55P03', 'again', 'lock timeout'],
  ['25006', 'again', 'a server that takes no writes any more'],
  ['08006', 'again', 'connection failure'],
  ['57P01', 'again', 'terminated by an administrator'],
  ['57P02', 'again', 'crash of another session'],
  ['57P03', 'again', 'starting up or shutting down'],
  ['57P05', 'again', 'idle for too long'],
  ['28000', 'down', 'a user who is not let in'],
  ['28P01', 'down', 'a password that was changed'],
  ['3D000', 'down', 'a database that is gone'],
  ['42501', 'down', 'rights that were taken'],
  ['57014', 'down', 'cancelled, or too slow'],
  ['25P03', 'down', 'idle in a transaction for too long'],
  ['53100', 'down', 'disk full'],
  ['53200', 'down', 'out of memory'],
  ['53300', 'down', 'too many connections'],
  ['58030', 'down', 'a disk that fails'],
  ['23505', 'ours', 'unique violation'],
  ['23514', 'ours', 'check violation'],
  ['42601', 'ours', 'syntax error'],
  ['P0004', 'ours', 'a row that was to be changed is not there'],
];

describe('a refusal of Postgres', () => {
  it.each(STATES)('%s is %s: %s', (state, expected) => {
    for (const shape of [byDriver, byPrisma, byAdapter]) {
      expect([sqlStateOf(shape(state)), classOf(shape(state))]).toEqual([state, expected]);
    }
  });

  it('keeps its class behind another error', () => {
    expect(classOf(new Error('a transaction failed', { cause: byDriver('40P01') }))).toBe('again');
  });
});

describe('an error without a word from Postgres', () => {
  const KINDS: readonly (readonly [string, FailureClass])[] = [
    ['ConnectionClosed', 'again'],
    ['SocketTimeout', 'again'],
    ['TransactionWriteConflict', 'again'],
    ['DatabaseNotReachable', 'down'],
    ['DatabaseDoesNotExist', 'down'],
    ['DatabaseAccessDenied', 'down'],
    ['AuthenticationFailed', 'down'],
    ['TlsConnectionError', 'down'],
    ['TooManyConnections', 'down'],
    ['TransactionAlreadyClosed', 'down'],
    ['UnsupportedNativeDataType', 'ours'],
  ];
  it.each(KINDS)('of the adapter, %s, is %s', (kind, expected) => {
    expect(classOf({ meta: { driverAdapterError: { cause: { kind } } } })).toBe(expected);
    expect(classOf(Object.assign(new Error('x'), { name: 'DriverAdapterError', cause: { kind } }))).toBe(expected);
  });

  const CODES: readonly (readonly [string, FailureClass])[] = [
    ['ECONNRESET', 'again'],
    ['ECONNABORTED', 'again'],
    ['EPIPE', 'again'],
    ['ETIMEDOUT', 'again'],
    ['EHOSTUNREACH', 'again'],
    ['ENETUNREACH', 'again'],
    ['P1008', 'again'],
    ['P1017', 'again'],
    ['P2034', 'again'],
    ['ECONNREFUSED', 'down'],
    ['ENOTFOUND', 'down'],
    ['EAI_AGAIN', 'down'],
    ['P1001', 'down'],
    ['P1002', 'down'],
    ['P2024', 'down'],
    ['P2028', 'down'],
    ['P2037', 'down'],
    ['P2002', 'ours'],
    ['ERR_INVALID_ARG_TYPE', 'ours'],
  ];
  it.each(CODES)('with the code %s is %s', (code, expected) => {
    expect(classOf(Object.assign(new Error('x'), { code }))).toBe(expected);
  });

  it.each([
    ['Connection terminated unexpectedly', 'again'],
    ['Connection terminated due to connection timeout', 'again'],
    ['Client has encountered a connection error and is not queryable', 'again'],
    ['Query read timeout', 'again'],
    ['timeout exceeded when trying to connect', 'down'],
    ['assertion failed: anything', 'ours'],
  ] as const)('that says "%s" is %s', (message, expected) => {
    expect(classOf(new Error(message))).toBe(expected);
  });

  it.each([undefined, null, 'a text', 42, {}])('and of no shape, %s, is ours', (error) => {
    expect(classOf(error)).toBe('ours');
  });
});

describe('an outage', () => {
  it.each(['57P01', '08006', '53300', '57P03'])('is told by %s: nobody else would do better', (state) => {
    expect(isOutage(byDriver(state))).toBe(true);
  });
  it.each(['57014', '53200', '53400', '40P01', '55P03', 'BC001', '23505'])('is not told by %s', (state) => {
    expect(isOutage(byDriver(state))).toBe(false);
  });
});

it('a lock timeout is told from other waits', () => {
  expect([isLockTimeout(byPrisma('55P03')), isLockTimeout(byDriver('57014'))]).toEqual([true, false]);
});
