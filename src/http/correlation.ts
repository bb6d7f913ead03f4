// By what a request is found again elsewhere: the id that its caller gave it, and the trace it belongs to. Taken over when it is bounded and safe to print;
// anything else is passed over, and never a reason to refuse.
import type { IncomingHttpHeaders } from 'node:http';

/** Bounded, and of characters that need no quoting in a log, a shell or a URL's query; no @, by which people are named. */
const REQUEST_ID = /^[A-Za-z0-9._:=+/-]{1,128}$/;
/** W3C Trace Context: version, trace, parent, flags. Later versions may add to it, this one may not. */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]*)?$/;
const TRACEPARENT_LENGTH_MAX = 512;
const VERSION = '00';
const RECORDED = 1;

/** The id that the caller gave the request, if it is one. */
export function callerRequestId({ 'x-request-id': given }: IncomingHttpHeaders): string | undefined {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : undefined;
}

/** What each line of the log about a request says of it, beside its own id. */
export function correlationOf(headers: IncomingHttpHeaders): Record<string, string> {
  const caller = callerRequestId(headers);
  const trace = callersTrace(headers);
  return {
    ...(caller !== undefined && { caller_request_id: caller }),
    ...(trace && { trace_id: trace.traceId, parent_id: trace.spanId }),
  };
}

/** The trace of a caller: its id, the span that calls, and whether the caller records it. */
export interface CallersTrace {
  traceId: string;
  spanId: string;
  isRecorded: boolean;
}

/** The trace that the caller says the request belongs to, if it is well-formed. */
export function callersTrace({ traceparent: given }: IncomingHttpHeaders): CallersTrace | undefined {
  if (typeof given !== 'string' || given.length > TRACEPARENT_LENGTH_MAX) return undefined;
  const [, version, traceId, spanId, flags = '', more] = TRACEPARENT.exec(given) ?? [];
  if (traceId === undefined || spanId === undefined || (version === VERSION && more !== undefined)) return undefined;
  return { traceId, spanId, isRecorded: (Number.parseInt(flags, 16) & RECORDED) !== 0 };
}
