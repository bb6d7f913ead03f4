// What a route charges, and the checks of it: all that can't be right is an error at the start.
import type { Subject } from '../call.js';

/** What happens to usage beyond what was held. */
export type Excess = 'refuse' | 'take' | 'owe';

/** An estimate that the caller sends as a whole number in a header. */
export interface HeaderEstimate {
  header: string;
  /** What is held at least, whatever the header says: the caller must not choose how little he risks. */
  min: number;
  /** What may be asked for at most; more is answered with 400. */
  max: number;
  /** Held when the header is missing; without it, that is answered with 400. */
  otherwise?: number;
}

type MaybePromise<T> = T | Promise<T>;

/** One thing that a route charges. Amounts are in units of the product, or of the feature. */
export type ChargeSettings<Request> = Subject & {
  /** What is held before the work: a whole number from 1, or what says it of a request. */
  estimate: number | HeaderEstimate | ((request: Request) => MaybePromise<number>);
  /**
   * What was really used, a whole number from 0: the member of the JSON answer at a dotted path; what a function says of the answer (the object that the
   * handler returned, undefined for a stream); or what the handler told by `setUsage`. What the handler told always wins.
   */
  usage: { field: string } | ((answer: unknown, request: Request) => MaybePromise<number>) | 'handler';
  /**
   * Usage beyond the hold: `refuse` charges what was held and no more; `take` (default) takes more as far as there is enough, else what was held; `owe` lets
   * the customer owe what is lacking (currency products only).
   */
  excess?: Excess;
  /** Kept with the use: what the units were used for. */
  action_type?: string;
  /** Kept with the use: your id of it. */
  action_id?: (request: Request) => string | undefined;
};

export type Charges<Request> = ChargeSettings<Request> | readonly ChargeSettings<Request>[];

/** Paths without charges: whole ones, or beginnings that end in `*`. */
export type Skip<Request> = readonly string[] | ((request: Request) => boolean);

const QUANTITY_MAX = Number.MAX_SAFE_INTEGER;

export function isQuantity(value: unknown, min: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= QUANTITY_MAX;
}

/** The name of a subject, as its product or feature has it. */
export function nameOf(subject: Subject): string {
  return 'product_key' in subject ? subject.product_key : subject.feature;
}

export function toSubject(settings: Subject): Subject {
  return 'product_key' in settings ? { product_key: settings.product_key } : { feature: settings.feature };
}

/** The charges of a route as a list. Throws: TypeError for settings that can't be right. */
export function toCharges<Request>(charges: Charges<Request>): readonly ChargeSettings<Request>[] {
  const list = 'length' in charges ? charges : [charges];
  if (list.length === 0) throw new TypeError('a route that is metered has at least one charge');
  for (const charge of list) assertCharge(charge);
  const names = list.map(nameOf);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw new TypeError(`${repeated} is charged twice in one route`);
  return list;
}

function assertCharge(charge: ChargeSettings<never>): void {
  const { product_key, feature } = charge as { product_key?: unknown; feature?: unknown };
  if ((product_key === undefined) === (feature === undefined))
    throw new TypeError('a charge names a product_key or a feature');
  const name = nameOf(charge);
  if (typeof name !== 'string' || name === '') throw new TypeError('a charge names a product_key or a feature');
  assertEstimate(name, charge.estimate);
  const { usage, excess = 'take' } = charge;
  const isField = typeof usage === 'object' && usage !== null && typeof usage.field === 'string' && usage.field !== '';
  if (usage !== 'handler' && typeof usage !== 'function' && !isField)
    throw new TypeError(`${name}: usage is { field }, a function or 'handler'`);
  if (!['refuse', 'take', 'owe'].includes(excess)) throw new TypeError(`${name}: excess is refuse, take or owe`);
  if (excess === 'owe' && product_key === undefined)
    throw new TypeError(`${name}: only a currency product can be owed; name it as product_key`);
}

function assertEstimate(name: string, estimate: ChargeSettings<never>['estimate']): void {
  if (typeof estimate === 'function') return;
  if (typeof estimate !== 'object' || estimate === null) {
    if (!isQuantity(estimate, 1))
      throw new TypeError(`${name}: the estimate must be a whole number from 1: ${estimate}`);
    return;
  }
  const { header, min, max, otherwise = min } = estimate;
  if (typeof header !== 'string' || header === '') throw new TypeError(`${name}: the estimate names a header`);
  for (const each of [min, max, otherwise])
    if (!isQuantity(each, 1))
      throw new TypeError(`${name}: min, max and otherwise of the estimate are whole numbers from 1`);
  if (min > max || otherwise < min || otherwise > max)
    throw new TypeError(`${name}: the estimate has min <= otherwise <= max`);
}

/** Whether a path is among those to skip. */
export function isSkipped<Request>(skip: Skip<Request> | undefined, path: string, request: Request): boolean {
  if (skip === undefined) return false;
  if (typeof skip === 'function') return skip(request);
  return skip.some((each) => (each.endsWith('*') ? path.startsWith(each.slice(0, -1)) : path === each));
}
