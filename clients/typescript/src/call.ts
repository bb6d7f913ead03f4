// The types of the calls, derived from the generated types: what a call takes, what it answers, and how a refusal looks.
import type { components, operations } from './generated/api.js';

type Schemas = components['schemas'];
type Verdict = Schemas['Verdict'];
type OperationId = keyof operations;

/** The stable codes of problems. Newer services may answer others. */
export type ProblemCode = Schemas['Problem']['code'] | (string & {});

/** Whom a call is about: exactly one of these. `provider` goes with `external_id`. */
export type Selector =
  | { customer_id: string }
  | { external_id: string | number; provider?: string }
  | { user_id: string | number };

/** What a call is about: a product, counted in its units, or a feature, counted in feature units. */
export type Subject = { product_key: string } | { feature: string };

type NoMembers = Record<never, never>;
type BodyOf<K extends OperationId> = [NonNullable<operations[K]['requestBody']>] extends [never]
  ? NoMembers
  : NonNullable<operations[K]['requestBody']> extends { content: { 'application/json': infer Body } }
    ? Omit<Body, 'on_refusal'>
    : NoMembers;
type ParametersOf<K extends OperationId, Place extends 'path' | 'query'> = [
  NonNullable<operations[K]['parameters'][Place]>,
] extends [never]
  ? NoMembers
  : NonNullable<operations[K]['parameters'][Place]>;

/** What the document can't say: a body about a customer names one, and one about a product or a feature names that. */
type Named<K extends OperationId> = (keyof BodyOf<K> & ('customer_id' | 'external_id') extends never
  ? unknown
  : 'customer_id' extends keyof BodyOf<K>
    ? 'id' extends keyof ParametersOf<K, 'path'>
      ? unknown
      : 'operation_id' extends keyof BodyOf<K>
        ? unknown
        : Selector
    : unknown) &
  ('feature' extends keyof BodyOf<K> ? Subject : unknown);

/** What a call takes: the members of path, query and body together. */
export type Args<K extends OperationId> = BodyOf<K> & ParametersOf<K, 'path'> & ParametersOf<K, 'query'> & Named<K>;

type JsonOf<Response> = Response extends { content: { 'application/json': infer Body } } ? Body : undefined;
type AnyAnswer<K extends OperationId> = JsonOf<operations[K]['responses'][keyof operations[K]['responses']]>;

/** A success of a call; those of calls that can be refused say `allowed: true`. */
export type Answer<K extends OperationId> =
  Verdict extends AnyAnswer<K> ? Exclude<AnyAnswer<K>, Verdict> & { allowed: true } : AnyAnswer<K>;

/** What may be offered to somebody who has too little; `price` is a decimal text in `currency`. */
export interface UpgradeOffer {
  sku: string;
  name: string;
  price: string;
  currency: string;
}

/** A limit that stands against a use. Amounts are in the unit of the subject; `resets_at` is null for what never resets. */
export interface Violation {
  product_key?: string;
  feature?: string;
  window: string;
  current: number;
  requested: number;
  limit: number;
  enforcement: string;
  resets_at: string | null;
}

/**
 * A refusal (402, 409, 429) as a value: nothing was taken and nothing given. The members of its problem that belong to its code (`requested`, `available`,
 * `reservation_status`, …) are in `problem`.
 */
export interface Refusal {
  allowed: false;
  code: ProblemCode;
  title: string;
  detail: string;
  /** The HTTP status. */
  status: number;
  reasons: readonly { code: string; [member: string]: unknown }[];
  violations: readonly Violation[];
  upgrade_skus: readonly string[];
  upgrade_offers: readonly UpgradeOffer[];
  /** The place at fault, a JSON pointer into the body. */
  pointer: string | undefined;
  requestId: string | undefined;
  /** Seconds after which the same may be allowed, when the service says so. */
  retryAfterS: number | undefined;
  problem: Readonly<Record<string, unknown>>;
}

export type Result<K extends OperationId> = Verdict extends AnyAnswer<K> ? Answer<K> | Refusal : AnyAnswer<K>;

/** Settings of a single call; what is left out is as the client says. */
export interface CallOptions {
  /** Ends the call, which then throws the signal's reason. */
  signal?: AbortSignal;
  /** Milliseconds that one attempt may take. */
  timeoutMs?: number;
  /** Milliseconds that all attempts, and the waits between them, may take. */
  deadlineMs?: number;
}

/** A call: members of path, query and body in one object. */
export type Call<K extends OperationId> =
  NoMembers extends Args<K>
    ? (args?: Args<K>, options?: CallOptions) => Promise<Result<K>>
    : (args: Args<K>, options?: CallOptions) => Promise<Result<K>>;

/** How a call goes over the wire. */
export interface CallShape {
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly query: readonly string[];
  /** Whether it takes an idempotency key. */
  readonly isKeyed: boolean;
  /** Whether it has its effect once, however often it is sent: it only reads, or its answer is kept under the key. */
  readonly isRepeatable: boolean;
  /** Whether its refusals are values. */
  readonly isRefusable: boolean;
}
