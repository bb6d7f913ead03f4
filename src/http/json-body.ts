// Reads a body: JSON in UTF-8 or nothing. Refuses other media types and charsets, compressed bodies, bytes that are no UTF-8,
// and the key that poisons prototypes; an empty body is `{}`. A body that is a file is left to who takes it.
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, type FieldError } from '../errors/app-error.js';
import { findJsonFault, placeOf } from '../lib/json-fault.js';
import { BODY_BYTES_MAX } from './bounds.js';
import { toJsonPointer } from './validation.js';

/** What objects are merged by, wherever that is done by assignment. Any other name of a prototype's, such as `constructor`, is data. */
const POISONOUS_KEY = '__proto__';
const UTF8_NAMES = ['utf-8', 'utf8', 'us-ascii'];
const BYTE_ORDER_MARK = '\uFEFF';
/** What a decoder puts where bytes are no UTF-8; it may also be there by right, as its own bytes. */
const REPLACEMENT = '\uFFFD';

/** Makes `app` read JSON bodies only. */
export function registerJsonBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX },
    (request, bytes: Buffer, done) => {
      try {
        refuseForeignEncoding(request);
        done(null, parseJsonBody(bytes));
      } catch (error) {
        done(error as Error);
      }
    },
  );
}

/** Refuses a body that is compressed, or not in UTF-8 by its media type. Throws: unsupported_media_type. */
export function refuseForeignEncoding(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity' && encoding !== '') {
    throw new AppError('unsupported_media_type', 'The body must not be compressed.', {
      pointer: 'header/content-encoding',
    });
  }
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(request.headers['content-type'] ?? '')?.[1]?.toLowerCase();
  if (charset !== undefined && !UTF8_NAMES.includes(charset)) {
    throw new AppError('unsupported_media_type', 'The body must be sent in UTF-8.', { pointer: 'header/content-type' });
  }
}

/** Parses JSON in UTF-8. Throws: malformed_json, invalid_request (keys that poison prototypes). */
export function parseJsonBody(bytes: Buffer): unknown {
  const decoded = bytes.toString('utf8');
  const text = decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded;
  const foreign = findForeignByte(bytes);
  if (foreign) throw malformed('The body is not UTF-8', foreign);
  if (text.trim() === '') return {};
  const value = parseText(text);
  refusePoisonousKeys(value, text);
  return value;
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const fault = findJsonFault(text);
    if (fault === undefined) throw cause;
    throw malformed('The body is not well-formed JSON', fault, fault.expected);
  }
}

function malformed(what: string, { line, column }: { line: number; column: number }, expected?: string): AppError {
  const missing = expected === undefined ? '' : `: ${expected} is expected there`;
  return new AppError('malformed_json', `${what} at line ${line}, column ${column}${missing}.`, {
    extensions: { line, column },
  });
}

/** Line and column of the first byte that is no UTF-8; undefined where all are. */
export function findForeignByte(bytes: Buffer): { line: number; column: number } | undefined {
  if (isUtf8(bytes)) return undefined;
  const decoded = bytes.toString('utf8');
  const text = decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded;
  return placeOf(text, findReplaced(bytes, text));
}

/** Where in `text` the first character stands that was put for bytes that are no UTF-8. */
function findReplaced(bytes: Buffer, text: string): number {
  let byte = bytes.indexOf(BYTE_ORDER_MARK) === 0 ? Buffer.byteLength(BYTE_ORDER_MARK) : 0;
  let from = 0;
  for (let at = text.indexOf(REPLACEMENT); at !== -1; at = text.indexOf(REPLACEMENT, from)) {
    byte += Buffer.byteLength(text.slice(from, at));
    if (bytes.indexOf(REPLACEMENT, byte) !== byte) return at;
    byte += Buffer.byteLength(REPLACEMENT);
    from = at + 1;
  }
  return text.length;
}

interface Node {
  value: object;
  key: PropertyKey;
  parent: Node | undefined;
}

/**
 * JSON.parse keeps such keys as plain members; they do harm only later, when objects are merged, so none comes in.
 * Iterative, with paths as links, because a body may be nested a hundred thousand levels deep.
 */
function refusePoisonousKeys(root: unknown, text: string): void {
  // Looking at every object is only worth it when the text can hold such a key at all, spelled out or escaped.
  if (!text.includes(POISONOUS_KEY) && !text.includes('\\u')) return;
  const open: Node[] = [];
  const follow = (value: unknown, key: PropertyKey, parent: Node | undefined) => {
    if (typeof value === 'object' && value !== null) open.push({ value, key, parent });
  };
  follow(root, '', undefined);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { value } = node;
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index += 1) follow(value[index], index, node);
      continue;
    }
    if (Object.hasOwn(value, POISONOUS_KEY)) throw poisonous([...pathTo(node), POISONOUS_KEY]);
    for (const name in value) follow((value as Record<string, unknown>)[name], name, node);
  }
}

function pathTo(node: Node): PropertyKey[] {
  const path: PropertyKey[] = [];
  for (let at = node; at.parent !== undefined; at = at.parent) path.push(at.key);
  return path.reverse();
}

function poisonous(path: PropertyKey[]): AppError {
  const fault: FieldError = {
    pointer: toJsonPointer(path),
    code: 'unrecognized_key',
    message: `the key "${POISONOUS_KEY}" is not allowed anywhere`,
  };
  return new AppError('invalid_request', `The key "${POISONOUS_KEY}" is not allowed.`, { errors: [fault] });
}
