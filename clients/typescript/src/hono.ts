// Reserve-then-deduct as middleware for Hono, on whatever it runs.
import type { Context, MiddlewareHandler } from 'hono';
import {
  type Charges,
  isProblem,
  isSkipped,
  type Meter,
  type Metering,
  type ProblemAnswer,
  type Skip,
  toCharges,
  type Work,
} from './meter.js';

/** The variables of a metered context. */
export interface MeteredVariables {
  metering: Metering;
}

/** Any context: what its handlers add to it is their own business. */
// biome-ignore lint/suspicious/noExplicitAny: a context of other variables is no subtype, though all of them serve
type AnyContext = Context<any>;

export interface MeterRequestsOptions {
  meter: Meter<AnyContext>;
  charges: Charges<AnyContext>;
  /** Paths for which nothing is charged. */
  skip?: Skip<AnyContext>;
}

/**
 * Holds what is charged before the handlers behind it run (whoever signs users in stands before it). A JSON answer is charged before it leaves, which
 * `X-Credits-Deducted` then tells; every other body passes through as a stream, and is charged at its end. Handlers find `c.get('metering')`.
 * Throws: TypeError for charges that can't be right.
 */
export function meterRequests(options: MeterRequestsOptions): MiddlewareHandler<{ Variables: MeteredVariables }> {
  const { meter, skip } = options;
  const charges = toCharges(options.charges);
  return async (c, next) => {
    if (isSkipped(skip, c.req.path, c as AnyContext)) return next();
    const work = await meter.begin({ request: c as AnyContext, headerOf: (name) => c.req.header(name) }, charges);
    if (isProblem(work)) return toResponse(work);
    c.set('metering', work);
    const { signal } = c.req.raw;
    signal.addEventListener('abort', () => work.abort(), { once: true });
    if (signal.aborted) work.abort();
    try {
      await next();
    } catch (error) {
      work.release();
      throw error;
    }
    if (c.error) work.release();
    else await settle(c as AnyContext, work);
    return undefined;
  };
}

async function settle(c: AnyContext, work: Work): Promise<void> {
  const { status, body } = c.res;
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(c.res.headers.get('content-type') ?? '');
  if (body && !isJson && status < 400) {
    const streamed = new Response(watch(body, status, work), c.res);
    c.res = undefined;
    c.res = streamed;
    return;
  }
  const answer: unknown = isJson
    ? await c.res
        .clone()
        .json()
        .catch(() => undefined)
    : undefined;
  const { instead, headers } = await work.settle({ status, answer, isSent: false });
  if (instead) {
    c.res = undefined;
    c.res = toResponse(instead);
  } else {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
  }
}

/** Passes a body through, and sees how it ends. */
function watch(body: ReadableStream<Uint8Array>, status: number, work: Work): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        await work.settle({ status, isSent: true });
        return controller.close();
      } catch (error) {
        work.release();
        return controller.error(error);
      }
    },
    cancel(reason) {
      work.abort();
      return reader.cancel(reason);
    },
  });
}

function toResponse({ status, headers, body }: ProblemAnswer): Response {
  return new Response(body, { status, headers });
}
