// Reads the idempotency key of a POST from header and body. What a key means is the engine's business.

import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { mistakesBetween } from '../lib/near-names.js';
import { IDEMPOTENCY_KEY_LENGTH_MAX, idempotencyKeySchema } from '../schemas/text.js';

const HEADER = 'idempotency-key';
const HEADER_POINTER = `header/${HEADER}`;
const NEAR_MISTAKES_MAX = 2;

/**
 * The idempotency key of a request, trimmed; undefined when it has none. `fromBody` is the parsed body's `idempotency_key`.
 * Throws: invalid_request when the header is repeated, malformed or called otherwise, or differs from the body's key.
 */
export function readIdempotencyKey(request: FastifyRequest, fromBody: string | undefined): string | undefined {
  const fromHeader = readHeader(request);
  if (fromHeader === undefined) return fromBody;
  if (fromBody !== undefined && fromBody !== fromHeader) {
    const message = 'differs from the header Idempotency-Key';
    throw new AppError('invalid_request', `/idempotency_key: ${message}`, {
      errors: [{ pointer: '/idempotency_key', code: 'invalid', message }],
    });
  }
  return fromHeader;
}

function readHeader(request: FastifyRequest): string | undefined {
  const { rawHeaders } = request.raw;
  const values: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    if (name === HEADER) values.push(rawHeaders[index + 1] ?? '');
    else if (isMeant(name)) throw misnamed(name);
  }
  const [value] = values;
  if (value === undefined) return undefined;
  if (values.length > 1) throw refuse('must be given once, not several times');
  const key = idempotencyKeySchema.safeParse(decode(value));
  if (key.success) return key.data;
  const [issue] = key.error.issues;
  throw refuse(
    issue?.code === 'custom' ? issue.message : `must be 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} printable characters`,
  );
}

/** Whether a header by another name is meant to be the key: one that was ignored would charge twice. */
function isMeant(name: string): boolean {
  if (name.includes('idempot')) return true;
  const isAlikeLong = Math.abs(name.length - HEADER.length) <= NEAR_MISTAKES_MAX;
  return isAlikeLong && name.endsWith('key') && mistakesBetween(name, HEADER) <= NEAR_MISTAKES_MAX;
}

function misnamed(name: string): AppError {
  const pointer = `header/${name}`;
  const message = 'is not the header that is read; send Idempotency-Key';
  return new AppError('invalid_request', `${pointer}: ${message}`, {
    errors: [{ pointer, code: 'unrecognized_key', message }],
  });
}

/** Node reads headers as Latin-1; a key that was sent as UTF-8 must equal the same key in a body. */
function decode(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : value;
}

function refuse(message: string): AppError {
  return new AppError('invalid_request', `${HEADER_POINTER}: ${message}`, {
    errors: [{ pointer: HEADER_POINTER, code: 'invalid', message }],
  });
}
