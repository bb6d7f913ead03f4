// Turns whatever went wrong into one problem+json answer (RFC 9457): the only place that knows which error means which status.
// What is not foreseen becomes a 500 that tells nothing but the request id; its cause goes to the log.
import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ResponseSerializationError } from 'fastify-type-provider-zod';
import { AppError } from '../errors/app-error.js';
import { catalogue, type ErrorCode } from '../errors/catalogue.js';
import { toWireNames } from '../lib/wire-names.js';
import { problemMembers } from '../schemas/problem.js';
import { BODY_BYTES_MAX, HEADER_BYTES_MAX, PARAM_LENGTH_MAX, REQUEST_TIMEOUT_MS } from './bounds.js';
import { callerRequestId } from './correlation.js';
import { noteCode } from './request-log.js';

const RETRY_AFTER_DEFAULT_S = 1;
const JSON_TYPE = 'application/json';
const PROBLEM_TYPE = 'application/problem+json';
const CLIENT_ERROR_STATUS_LEAST = 400;
const SERVER_ERROR_STATUS_LEAST = 500;

interface Refusal {
  code: ErrorCode;
  detail: string;
  pointer?: string;
}

/** What Fastify and its plugins throw, by their code, as refusals of ours. */
const refusalsByCode: Readonly<Record<string, Refusal>> = {
  FST_ERR_BAD_URL: { code: 'malformed_url', detail: 'The path is not percent-encoded UTF-8.' },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: 'malformed_url',
    detail: `A part of the path is longer than ${PARAM_LENGTH_MAX} characters.`,
  },
  FST_ERR_NOT_FOUND: { code: 'route_not_found', detail: 'There is no such route.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'invalid_request',
    detail: 'The body is not as long as Content-Length says.',
    pointer: 'header/content-length',
  },
  FST_BEARER_AUTH_MISSING_AUTHORIZATION_HEADER: {
    code: 'unauthenticated',
    detail: 'The request carries no token: send `Authorization: Bearer <token>`.',
  },
  FST_BEARER_AUTH_INVALID_AUTHORIZATION_HEADER: {
    code: 'unauthenticated',
    detail: 'The token is not valid, or the header is not `Authorization: Bearer <token>`.',
  },
};

/** What they refuse by other codes, or by none, by its status. */
const refusalsByStatus: Readonly<Record<number, Refusal>> = {
  403: { code: 'path_not_allowed', detail: 'The path is not the plain path of a file.' },
  404: { code: 'route_not_found', detail: 'There is nothing on this path.' },
  412: { code: 'precondition_failed', detail: 'The file is another one than the conditional headers name.' },
  413: { code: 'payload_too_large', detail: 'The body is too large.' },
  415: { code: 'unsupported_media_type', detail: 'The media type is not supported.' },
  416: { code: 'range_not_satisfiable', detail: 'The file has no such range of bytes.' },
};
const REFUSAL_OF_ANOTHER_STATUS: Refusal = { code: 'invalid_request', detail: 'The request is not valid.' };

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: ErrorCode;
  [member: string]: unknown;
}

/** The refusal that `error` stands for; one that nobody foresaw becomes internal_error, with `error` as its cause. */
function toAppError(error: unknown, request: FastifyRequest): AppError {
  if (error instanceof AppError) return error;
  const refusal = refusalOf(error, request);
  if (refusal) {
    return new AppError(refusal.code, refusal.detail, {
      cause: error,
      ...(refusal.pointer !== undefined && { pointer: refusal.pointer }),
    });
  }
  return new AppError('internal_error', 'Something went wrong here. Report the request id in `instance`.', {
    cause: error,
  });
}

/** What the framework refuses; undefined for what is no refusal, or not the framework's, whatever status it names. */
function refusalOf(error: unknown, { routeOptions }: FastifyRequest): Refusal | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error ? String(error.code) : '';
  const ofBody = bodyRefusal(code, routeOptions);
  if (ofBody) return ofBody;
  if (Object.hasOwn(refusalsByCode, code)) return refusalsByCode[code];
  // On routes that we did not declare nothing runs but the framework: the files of the documentation, and what precedes any route.
  const isFrameworks = code.startsWith('FST_') || routeOptions.config?.declared === undefined;
  const status = isFrameworks && 'statusCode' in error ? Number(error.statusCode) : SERVER_ERROR_STATUS_LEAST;
  if (!(status >= CLIENT_ERROR_STATUS_LEAST && status < SERVER_ERROR_STATUS_LEAST)) return undefined;
  return refusalsByStatus[status] ?? REFUSAL_OF_ANOTHER_STATUS;
}

/** What is refused of a body by what its route takes. */
function bodyRefusal(code: string, { config, bodyLimit }: FastifyRequest['routeOptions']): Refusal | undefined {
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const types = Object.keys(config?.declared?.files ?? {});
    const detail =
      types.length === 0
        ? 'The body must be JSON in UTF-8: send `Content-Type: application/json`.'
        : `The body must be a file in UTF-8: send \`Content-Type: ${types.join('` or `')}\`.`;
    return { code: 'unsupported_media_type', detail };
  }
  if (code !== 'FST_ERR_CTP_BODY_TOO_LARGE') return undefined;
  return { code: 'payload_too_large', detail: `The body is larger than ${bodyLimit ?? BODY_BYTES_MAX} bytes.` };
}

/** The body of a problem, extension members after the fixed ones. */
export function toProblem(error: AppError, requestId: string): Problem {
  const { status, title } = catalogue[error.code];
  const extensions = Object.entries(toWireNames(error.extensions)).filter(
    ([member]) => !problemMembers.includes(member),
  );
  return {
    type: `/problems/${error.code}`,
    title,
    status,
    detail: error.message,
    instance: `urn:uuid:${requestId}`,
    code: error.code,
    ...(error.errors.length > 0 && { errors: error.errors }),
    ...Object.fromEntries(extensions),
  };
}

/** The media type of a problem for this Accept header: problem+json, unless it names application/json and not problem+json. */
function negotiateProblemType(accept: string | undefined): string {
  const named = new Set<string>();
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const isRefused = parameters.some((parameter) => /^q\s*=\s*0(?:\.0*)?$/.test(parameter));
    if (!isRefused) named.add(type);
  }
  return named.has(JSON_TYPE) && !named.has(PROBLEM_TYPE) ? JSON_TYPE : PROBLEM_TYPE;
}

/** Services name fields as members of a body; a GET has them in its query. */
function inQuery(error: AppError, request: FastifyRequest): AppError {
  if (request.method !== 'GET' || !error.errors.some(({ pointer }) => pointer.startsWith('/'))) return error;
  const errors = error.errors.map(({ pointer, ...rest }) => ({ ...rest, pointer: pointer.replace(/^\//, 'query/') }));
  const { extensions, retryAfterS, cause } = error;
  return new AppError(error.code, error.message, {
    errors,
    extensions,
    cause,
    ...(retryAfterS !== undefined && { retryAfterS }),
  });
}

/** Answers with the problem that `error` stands for, and logs it when it is ours: 5xx, with the cause. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = inQuery(toAppError(error, request), request);
  const { status } = catalogue[refusal.code];
  noteCode(request, refusal.code);
  log(refusal, status, request);
  reply
    .code(status)
    .header('x-request-id', callerRequestId(request.headers) ?? request.id)
    .header('vary', withAccept(reply.getHeader('vary')))
    .header('content-type', `${negotiateProblemType(request.headers.accept)}; charset=utf-8`);
  const retryAfterS = refusal.retryAfterS ?? (refusal.code === 'unavailable' ? RETRY_AFTER_DEFAULT_S : undefined);
  if (retryAfterS !== undefined) reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterS))));
  if (refusal.code === 'unauthenticated' && !reply.hasHeader('www-authenticate'))
    reply.header('www-authenticate', 'Bearer realm="bursar"');
  return reply.send(problemText(refusal, request));
}

/** What an answer varies by: by more than the type, where it is for pages of other origins. */
function withAccept(vary: unknown): string {
  return vary === undefined ? 'Accept' : `${String(vary)}, Accept`;
}

/** A text rather than an object: it passes Fastify's serialisers untouched. */
function problemText(refusal: AppError, request: FastifyRequest): string {
  try {
    return JSON.stringify(toProblem(refusal, request.id));
  } catch (cause) {
    // Extensions that JSON can't hold are a defect of ours, but the refusal itself stands.
    request.log.error({ err: cause, code: refusal.code }, 'the extensions of a problem could not be serialised');
    return JSON.stringify(
      toProblem(new AppError(refusal.code, refusal.message, { errors: refusal.errors }), request.id),
    );
  }
}

function log(refusal: AppError, status: number, request: FastifyRequest): void {
  // To be told of each would be one more thing to do.
  if (status < SERVER_ERROR_STATUS_LEAST || (refusal.code === 'overloaded' && refusal.cause === undefined)) {
    request.log.debug({ code: refusal.code, detail: refusal.message }, 'refused');
    return;
  }
  const { cause } = refusal;
  const err = cause ?? refusal;
  if (refusal.code === 'unavailable' || refusal.code === 'overloaded')
    request.log.warn({ err, code: refusal.code }, refusal.message);
  else if (cause instanceof ResponseSerializationError) {
    request.log.error({ err: cause, issues: cause.cause.issues }, 'an answer does not match its schema');
  } else request.log.error({ err, code: refusal.code }, 'request failed');
}

/** The whole HTTP answer, as bytes for the socket, to what never became a request. */
export function rawProblemAnswer(refusal: AppError, requestId: string): string {
  const problem = toProblem(refusal, requestId);
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `Content-Type: ${PROBLEM_TYPE}; charset=utf-8`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

/** The refusal of what Node's parser could not read; `code` is the parser's. */
export function parserRefusal(code: string | undefined): AppError {
  return new AppError('invalid_request', parserFault(code));
}

function parserFault(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') return `The headers are larger than ${HEADER_BYTES_MAX} bytes.`;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return `The request did not arrive within ${REQUEST_TIMEOUT_MS / 1_000} s.`;
  return 'This is not a well-formed HTTP/1.1 request.';
}
