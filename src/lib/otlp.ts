// Sends spans to a collector by OTLP over HTTP, as JSON. Loaded only where a collector is named. Spans are gathered and sent together; what can't be sent is
// dropped and counted, so that no collector holds anything up.
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';

export interface TracingOptions {
  /** The base URL of the collector. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** The share of traces that begin here and are recorded, 0 to 1; others go by what their caller says. */
  readonly ratio: number;
}

/** What was done for a caller, in milliseconds since the epoch. */
export interface ServedSpan {
  name: string;
  /** The span that called, of a trace that its caller records or does not; undefined: the trace begins here. */
  parent: { traceId: string; spanId: string; isRecorded: boolean } | undefined;
  startMs: number;
  endMs: number;
  attributes: Readonly<Record<string, string | number>>;
  isError: boolean;
}

export interface Tracer {
  /** Records what was done, if its trace is one that is recorded. */
  record(span: ServedSpan): void;
  /** Sends what is left. */
  end(): Promise<void>;
}

const SEND_EVERY_MS = 5_000;
const SENT_TOGETHER_MAX = 512;
const KEPT_MAX = 4_096;
const SEND_TIMEOUT_MS = 5_000;
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
const KIND_SERVER = 2;
const STATUS_ERROR = 2;
const US_PER_MS = 1_000;
const NS_PER_US = 1_000n;
const RANDOM_DIGITS = 8;

export function createTracer(options: TracingOptions, log: Pick<Logger, 'warn'>): Tracer {
  const url = `${options.endpoint.replace(/\/$/, '')}/v1/traces`;
  const headers = { ...options.headers, 'content-type': 'application/json' };
  const resource = { attributes: attributesOf({ 'service.name': options.serviceName }) };
  let kept: object[] = [];
  let dropped = 0;
  let sending: Promise<void> = Promise.resolve();

  const post = async (spans: readonly object[]): Promise<void> => {
    const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'bursar' }, spans }] }] });
    try {
      const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(SEND_TIMEOUT_MS) });
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`the collector answered ${answer.status}`);
    } catch (error) {
      dropped += spans.length;
      log.warn({ err: error, dropped }, 'spans could not be sent; they are dropped');
    }
  };
  /** One after the other, so that a collector that is slow is not asked for more at once. */
  const send = (): Promise<void> => {
    sending = sending.then(async () => {
      while (kept.length > 0) await post(kept.splice(0, SENT_TOGETHER_MAX));
    });
    return sending;
  };
  const timer = setInterval(() => void send(), SEND_EVERY_MS).unref();

  return {
    record: (span) => {
      const traceId = span.parent?.traceId ?? randomHex(TRACE_ID_BYTES);
      const isRecorded = span.parent?.isRecorded ?? isInShare(traceId, options.ratio);
      if (!isRecorded) return;
      if (kept.length >= KEPT_MAX) dropped += kept.splice(0, SENT_TOGETHER_MAX).length;
      kept.push(toSpan(span, traceId));
      if (kept.length === SENT_TOGETHER_MAX) void send();
    },
    end: async () => {
      clearInterval(timer);
      await send();
      kept = [];
    },
  };
}

function toSpan({ name, parent, startMs, endMs, attributes, isError }: ServedSpan, traceId: string): object {
  return {
    traceId,
    spanId: randomHex(SPAN_ID_BYTES),
    ...(parent && { parentSpanId: parent.spanId }),
    name,
    kind: KIND_SERVER,
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(endMs),
    attributes: attributesOf(attributes),
    status: isError ? { code: STATUS_ERROR } : {},
  };
}

function attributesOf(values: Readonly<Record<string, string | number>>): object[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
  }));
}

/** By the trace's own random digits, so that whoever else decides by them decides alike. */
function isInShare(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-RANDOM_DIGITS), 16) < ratio * 16 ** RANDOM_DIGITS;
}

/** As text, because a number is not exact any more. */
function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * US_PER_MS)) * NS_PER_US);
}

function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
