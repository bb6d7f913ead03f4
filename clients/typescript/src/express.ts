// Reserve-then-deduct as middleware for Express, and whatever else has handlers of request, response and next on node:http.
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Charges,
  isProblem,
  isSkipped,
  type Meter,
  type Metering,
  type ProblemAnswer,
  type Settlement,
  type Skip,
  toCharges,
  type Work,
} from './meter.js';

export interface MeterRequestsOptions<Request extends IncomingMessage> {
  meter: Meter<Request>;
  charges: Charges<Request>;
  /** Paths for which nothing is charged, as the server sees them (`originalUrl`), without the query. */
  skip?: Skip<Request>;
}

/** A request behind the middleware. */
export interface MeteredRequest {
  metering?: Metering;
}

type Middleware<Request> = (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void;

/**
 * Holds what is charged before the handlers behind it run (whoever signs users in stands before it), and charges what was used before the answer leaves,
 * which `X-Credits-Deducted` then tells; an answer that is written in parts passes through, and is charged at its end. Handlers find `request.metering`.
 * Throws: TypeError for charges that can't be right.
 */
export function meterRequests<Request extends IncomingMessage>(
  options: MeterRequestsOptions<Request>,
): Middleware<Request> {
  const { meter, skip } = options;
  const charges = toCharges(options.charges);
  return (request, response, next) => {
    if (isSkipped(skip, pathOf(request), request)) return next();
    const headerOf = (name: string) => joined(request.headers[name.toLowerCase()]);
    meter.begin({ request, headerOf }, charges).then((work) => {
      if (isProblem(work)) return answerInstead(response, work, response.end);
      Object.assign(request, { metering: work });
      watch(response, work);
      return next();
    }, next);
  };
}

/** Lets the end of an answer wait until it is charged, and sees how it ends. */
function watch(response: ServerResponse & { json?: (body: unknown) => unknown }, work: Work): void {
  const { write, end, json } = response;
  let isStreamed = false;
  let hasEnded = false;
  let answer: unknown;
  response.once('close', () => {
    if (!response.writableFinished) work.abort();
    else void work.settle({ status: response.statusCode, isSent: true });
  });
  if (response.destroyed) work.abort(); // gone while the hold was made
  if (json) {
    response.json = (body) => {
      answer = body;
      return json.call(response, body);
    };
  }
  response.write = ((...args: Parameters<typeof write>) => {
    isStreamed = true;
    return write.apply(response, args);
  }) as typeof write;
  response.end = ((...args: Parameters<typeof end>) => {
    if (hasEnded) return response;
    if (isStreamed) return end.apply(response, args);
    hasEnded = true;
    const isSent = response.headersSent;
    const status = response.statusCode;
    const headers = response.getHeaders();
    void work.settle({ status, answer: answer ?? parse(args[0]), isSent }).then((settlement) => {
      if (!isSent) restore(response, status, headers);
      finish(response, settlement, isSent, end, args);
    });
    return response;
  }) as typeof end;
}

/** What was changed while the answer waited is not a part of it: it had ended. */
function restore(response: ServerResponse, status: number, headers: ReturnType<ServerResponse['getHeaders']>): void {
  response.statusCode = status;
  for (const name of response.getHeaderNames()) if (!(name in headers)) response.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
}

function finish(
  response: ServerResponse,
  { instead, headers }: Settlement,
  isSent: boolean,
  end: ServerResponse['end'],
  args: Parameters<ServerResponse['end']>,
): void {
  if (instead && !isSent) {
    answerInstead(response, instead, end);
    return;
  }
  if (!isSent) for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  end.apply(response, args);
}

function answerInstead(response: ServerResponse, problem: ProblemAnswer, end: ServerResponse['end']): void {
  for (const name of ['content-length', 'content-encoding', 'etag']) response.removeHeader(name);
  response.statusCode = problem.status;
  for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value);
  end.call(response, problem.body, 'utf8');
}

function pathOf(request: IncomingMessage & { originalUrl?: string }): string {
  return (request.originalUrl ?? request.url ?? '').split('?', 1)[0] ?? '';
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

function parse(chunk: unknown): unknown {
  if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return undefined;
  try {
    return JSON.parse(typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk));
  } catch {
    return undefined;
  }
}
