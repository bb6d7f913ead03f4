// What the load generator is asked for, and what it answers.

export type RequestKind =
  | 'consume'
  | 'refusal'
  | 'ceiling'
  | 'balance'
  | 'entries'
  | 'order'
  | 'reservation'
  /** Of what a day brings, by chance; customers, keys and orders as the others have them. */
  | 'mixed';

export interface Job {
  /** Of one API process or several; connections are shared out among them. */
  urls: readonly string[];
  token: string;
  kind: RequestKind;
  /** The customers asked for are `<prefix>1` to `<prefix><count>`; one alone is a hot customer. */
  customers: { prefix: string; count: number; isZipf: boolean };
  /** Sends a new idempotency key with each request. */
  hasKeys: boolean;
  connections: number;
  warmUpMs: number;
  measureMs: number;
  /** Requests arrive at this rate, whether earlier ones are answered or not; undefined: each connection sends when it was answered. */
  ratePerS: number | undefined;
  /** Chooses the customers, and tells this job's idempotency keys from those of others. */
  seed: number;
}

/** Latencies in ms; in a job with a rate from the instant at which the request should have been sent. */
export interface Outcome {
  /** What was answered as the kind of request wants it, in the measured time. */
  perS: number;
  ok: number;
  /** Understood, and answered no: 402, 409, 429; of refusals, which want that, none. */
  refused: number;
  /** All else, by status or by error code. */
  errors: Record<string, number>;
  p50: number;
  p99: number;
  p999: number;
  /** All of them, ascending, of a job with a rate; else none. */
  latencies: number[];
}

/** More units than any customer has. */
export const TOO_MANY = 5_000_000_000;

export const PRODUCT_KEY = 'BENCH_UNITS';
export const SKU = 'BENCH_PACK';
export const BASE_PATH = '/api/v1/billing';
