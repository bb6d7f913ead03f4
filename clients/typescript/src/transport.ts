// Sends a call: attempts with the same idempotency key, a bound for each and one for all, waits with jitter or as Retry-After says.
import type { CallOptions, CallShape, Refusal } from './call.js';
import { BursarProblem, BursarUnreachable, type ProblemFacts } from './errors.js';

const TIMEOUT_DEFAULT_MS = 10_000;
const DEADLINE_DEFAULT_MS = 30_000;
const ATTEMPTS_DEFAULT = 6;
const BACKOFF_FIRST_MS = 50;
const BACKOFF_MAX_MS = 2_000;
const BASE_PATH = '/api/v1/billing';
const REFUSAL_STATUSES = [402, 409, 429];
const MS_PER_S = 1_000;
/** What a read has to see of what was written before: told by the answer to a write, where Bursar reads from a replica. */
const POSITION_HEADER = 'bursar-position';

export interface TransportSettings {
  /** Where Bursar is, without its base path: `https://billing.example.com`. */
  url: string;
  /** An API key or a customer token, or what gets one for each attempt. */
  token: string | (() => string | Promise<string>);
  /** Milliseconds that one attempt may take; 10,000 by default. */
  timeoutMs?: number;
  /** Milliseconds that all attempts of a call, and the waits between them, may take; 30,000 by default. */
  deadlineMs?: number;
  /** How often a call is sent at most; 6 by default. */
  attempts?: number;
  /** Instead of the global fetch. */
  fetch?: typeof fetch;
}

type Values = Readonly<Record<string, unknown>>;
export type Send = (shape: CallShape, args: Values, options: CallOptions) => Promise<unknown>;

interface Prepared {
  url: string;
  method: string;
  body: string | undefined;
  key: string | undefined;
}

/** Throws: TypeError for a URL, token or bound that can't be right. */
export function createTransport(settings: TransportSettings): Send {
  const base = toBase(settings.url);
  const { token } = settings;
  if (typeof token !== 'function') assertToken(token);
  const bounds = {
    timeoutMs: settings.timeoutMs ?? TIMEOUT_DEFAULT_MS,
    deadlineMs: settings.deadlineMs ?? DEADLINE_DEFAULT_MS,
  };
  const attemptsMax = settings.attempts ?? ATTEMPTS_DEFAULT;
  if (!Number.isInteger(attemptsMax) || attemptsMax < 1) throw new TypeError('attempts must be a whole number from 1');
  const doFetch = rememberPosition(settings.fetch ?? fetch);
  return async (shape, args, options) => {
    const { timeoutMs, deadlineMs } = { ...bounds, ...withoutUndefined(options) };
    assertBound('timeoutMs', timeoutMs);
    assertBound('deadlineMs', deadlineMs);
    const prepared = prepare(base, shape, args);
    const endMs = performance.now() + deadlineMs;
    for (let attempt = 1; ; attempt += 1) {
      options.signal?.throwIfAborted();
      const leftMs = Math.max(1, Math.ceil(Math.min(timeoutMs, endMs - performance.now())));
      const outcome = await tryOnce(doFetch, prepared, shape, token, leftMs, options.signal);
      if ('answer' in outcome) return outcome.answer;
      const waitMs = toWaitMs(attempt, outcome.error);
      if (!outcome.isWorthRepeating || attempt >= attemptsMax || performance.now() + waitMs >= endMs)
        throw outcome.error;
      await delay(waitMs, options.signal);
    }
  };
}

/** Has reads see what this client wrote: each says the position of the last answer that had one. */
function rememberPosition(doFetch: typeof fetch): typeof fetch {
  let last: string | undefined;
  return async (url, init) => {
    const isRead = init?.method === 'GET';
    const headers = { ...init?.headers, ...(isRead && last !== undefined && { [POSITION_HEADER]: last }) };
    const response = await doFetch(url, { ...init, headers });
    const position = response.headers.get(POSITION_HEADER);
    if (position !== null && !(Number(position) < Number(last))) last = position; // answers come in any order
    return response;
  };
}

type Outcome = { answer: unknown } | { error: Error; isWorthRepeating: boolean };

async function tryOnce(
  doFetch: typeof fetch,
  prepared: Prepared,
  shape: CallShape,
  token: TransportSettings['token'],
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const { url, method, body, key } = prepared;
  const bearer = typeof token === 'function' ? assertToken(await token()) : token;
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let text: string;
  try {
    response = await doFetch(url, {
      method,
      headers: {
        accept: 'application/json, application/problem+json',
        authorization: `Bearer ${bearer}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      ...(body !== undefined && { body }),
    });
    text = await response.text();
  } catch (cause) {
    signal?.throwIfAborted();
    const what = timeout.aborted ? `no answer within ${timeoutMs} ms` : describe(cause);
    const error = new BursarUnreachable(`${method} ${url}: ${what}`, { cause, idempotencyKey: key });
    return { error, isWorthRepeating: shape.isRepeatable };
  }
  return read(response, text, prepared, shape);
}

function read(response: Response, text: string, { url, method, key }: Prepared, shape: CallShape): Outcome {
  const { status } = response;
  if (status === 204) return { answer: undefined };
  const json = parseObject(text);
  if (response.ok && json) return { answer: shape.isRefusable ? { allowed: true, ...json } : json };
  if (response.ok || typeof json?.code !== 'string') {
    const type = response.headers.get('content-type') ?? 'no content type';
    const error = new BursarUnreachable(
      `${method} ${url}: answered ${status} with ${type}, which is not an answer of Bursar: is the URL right?`,
      { status, idempotencyKey: key },
    );
    return { error, isWorthRepeating: (shape.isRepeatable && status >= 500) || status === 429 };
  }
  const facts: ProblemFacts = {
    status,
    problem: json,
    requestId: response.headers.get('x-request-id') ?? undefined,
    retryAfterS: toSeconds(response.headers.get('retry-after')),
    idempotencyKey: key,
  };
  const isThrottled = json.code === 'rate_limited';
  if (shape.isRefusable && REFUSAL_STATUSES.includes(status) && !isThrottled) return { answer: toRefusal(facts) };
  return { error: new BursarProblem(facts), isWorthRepeating: (shape.isRepeatable && status >= 500) || isThrottled };
}

function toRefusal({ status, problem, requestId, retryAfterS }: ProblemFacts): Refusal {
  const list = <T>(member: string) => (Array.isArray(problem[member]) ? (problem[member] as T[]) : []);
  return {
    allowed: false,
    code: String(problem.code),
    title: String(problem.title),
    detail: String(problem.detail),
    status,
    reasons: list('reasons'),
    violations: list('violations'),
    upgrade_skus: list('upgrade_skus'),
    upgrade_offers: list('upgrade_offers'),
    pointer: list<{ pointer: string }>('errors')[0]?.pointer,
    requestId,
    retryAfterS,
    problem,
  };
}

/** Members of the path and the query go there, what is left is the body; a call that takes a key gets one when it has none. */
function prepare(base: string, shape: CallShape, args: Values): Prepared {
  const rest: Record<string, unknown> = { ...args };
  const path = shape.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest[name];
    if (value === undefined || value === null || value === '') throw new TypeError(`${name} is missing`);
    delete rest[name];
    return encodeURIComponent(String(value));
  });
  const query = new URLSearchParams();
  for (const name of shape.query) {
    const value = rest[name];
    delete rest[name];
    for (const each of Array.isArray(value) ? value : [value]) if (each != null) query.append(name, String(each));
  }
  const url = `${base}${path}${query.size > 0 ? `?${query}` : ''}`;
  if (shape.isKeyed) rest.idempotency_key ??= newKey();
  const hasBody = shape.method === 'POST' || shape.method === 'PUT' || shape.method === 'PATCH';
  return {
    url,
    method: shape.method,
    body: hasBody ? JSON.stringify(rest) : undefined,
    key: shape.isKeyed ? String(rest.idempotency_key) : undefined,
  };
}

/** 128 random bits. `crypto.randomUUID` is missing in pages without TLS. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function toBase(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new TypeError(`the URL of Bursar is not a URL: ${JSON.stringify(url)}`);
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    throw new TypeError(`the URL of Bursar must begin with http:// or https://: ${url}`);
  if (parsed.username || parsed.password || parsed.search || parsed.hash)
    throw new TypeError('the URL of Bursar has no user, query or fragment');
  const base = `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, '');
  if (base.endsWith(BASE_PATH)) throw new TypeError(`the URL of Bursar is given without ${BASE_PATH}`);
  return base;
}

function assertToken(token: unknown): string {
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
    throw new TypeError('the token of Bursar must be a text of visible ASCII characters, without spaces');
  return token;
}

function assertBound(name: string, value: number): void {
  if (!Number.isFinite(value) || value <= 0)
    throw new TypeError(`${name} must be a number of milliseconds above 0: ${value}`);
}

function withoutUndefined(options: CallOptions): CallOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function toSeconds(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** Anything up to twice as much as before, so that callers that failed together don't come again together; never sooner than was asked for. */
function toWaitMs(attempt: number, error: Error): number {
  const jitterMs = Math.random() * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt);
  const askedS = error instanceof BursarProblem ? (error.retryAfterS ?? 0) : 0;
  return askedS * MS_PER_S + jitterMs;
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause instanceof Error ? cause.cause : undefined;
  const code = inner && 'code' in inner ? String(inner.code) : undefined;
  return [cause.message, code ?? inner?.message].filter(Boolean).join(': ');
}

function delay(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((settle, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      settle();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
