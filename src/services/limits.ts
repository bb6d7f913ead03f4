// Usage limits as they are set: of a customer, of a plan, of all. What they say of a use is decided where the use is (ledger/limits.ts).
import type { Call, RecordedAnswer, Render } from '../call.js';
import {
  type CustomerLimits,
  findCommonLimits,
  findCustomerLimits,
  findLimit,
  type LimitsAsked,
  listLimits,
  lockCommonLimits,
} from '../db/limits.js';
import type { Deps } from '../deps.js';
import { requireCustomer } from '../engine/customers.js';
import type { Decision } from '../engine/operation.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';
import type { Subject } from '../ledger/catalog-entities.js';
import type { Limit, LimitScope, LimitTerms } from '../ledger/limit-entities.js';
import { replaceLimit } from '../ledger/limit-terms.js';
import type { OperationName } from '../ledger/operations.js';
import { required } from '../lib/assert.js';

/** Limits of one customer, and of plans and of all together, at most. */
const LIMITS_MAX = 1_000;

/** Whose limit: a customer's, a plan's, or that of all. */
export type LimitTarget = { selector: Selector } | { planSku: string } | 'default';

/** What a change leaves of a limit. */
export interface LimitResult {
  limit: Limit;
  isNew: boolean;
}

/** What is to become of a limit: its terms afterwards; undefined removes it. Throws what refuses it. */
interface LimitChange {
  name: OperationName;
  subject: Subject;
  request: unknown;
  termsAfter(before: Limit | undefined): LimitTerms | undefined;
}

/**
 * Sets a limit, in place of one of the same subject. A use that begins after the answer goes by it; what was used stays used.
 * Locks: the customer, or the limits of plans and of all. Throws: product_not_found, feature_not_found, offer_not_found (no plan), too_many_limits,
 * customer_not_found, selector_conflict, unavailable.
 */
export function putLimit(
  deps: Deps,
  target: LimitTarget,
  terms: LimitTerms,
  call: Call,
  render: Render<LimitResult>,
): Promise<RecordedAnswer> {
  const change = { name: 'limit.set', subject: terms.subject, request: terms, termsAfter: () => terms } as const;
  return changeLimit(deps, target, change, call, render);
}

/** Members of a limit to change; windows that are left out stay. */
export interface LimitPatch {
  windows?: LimitTerms['windows'];
  enforcement?: LimitTerms['enforcement'];
  ownerTag?: LimitTerms['ownerTag'];
}

/** Changes members of a limit. Locks: like `putLimit`. Throws: limit_not_found, customer_not_found, selector_conflict, unavailable. */
export async function patchLimit(
  deps: Deps,
  target: LimitTarget,
  subject: Subject,
  patch: LimitPatch,
  call: Call,
  render: Render<LimitResult>,
): Promise<RecordedAnswer> {
  await requireTarget(deps, target);
  const termsAfter = (before: Limit | undefined): LimitTerms => {
    if (!before) throw limitNotFound();
    return { ...before, ...patch, windows: { ...before.windows, ...patch.windows } };
  };
  return changeLimit(
    deps,
    target,
    { name: 'limit.change', subject, request: { subject, patch }, termsAfter },
    call,
    render,
  );
}

/** Removes a limit: what is farther away holds. Locks: like `putLimit`. Throws: limit_not_found, customer_not_found, selector_conflict, unavailable. */
export async function deleteLimit(deps: Deps, target: LimitTarget, subject: Subject, call: Call): Promise<void> {
  await requireTarget(deps, target);
  const termsAfter = (before: Limit | undefined): undefined => {
    if (!before) throw limitNotFound();
  };
  const change = { name: 'limit.remove', subject, request: { subject }, termsAfter } as const;
  await changeLimit(deps, target, change, call, () => ({ status: 204, body: '' }));
}

/** A limit by its id. Throws: limit_not_found. */
export async function getLimit({ db }: Pick<Deps, 'db'>, id: string): Promise<Limit> {
  const limit = await findLimit(db, id);
  if (!limit) throw limitNotFound('path/id');
  return limit;
}

/** One page of limits, newest first; of one customer where one is named. Throws: customer_not_found, selector_conflict. */
export async function getLimits(
  deps: Deps,
  { selector, ...asked }: Omit<LimitsAsked, 'customerId'> & { selector: Selector | undefined },
): Promise<Limit[]> {
  const customerId = selector && (await requireCustomer(deps, selector)).customerId;
  return listLimits(deps.db, { ...asked, customerId });
}

function limitNotFound(pointer?: string): AppError {
  return new AppError('limit_not_found', 'There is no such limit.', pointer === undefined ? {} : { pointer });
}

/** A change of what there is makes nobody known. */
async function requireTarget(deps: Deps, target: LimitTarget): Promise<void> {
  if (target !== 'default' && 'selector' in target) await requireCustomer(deps, target.selector);
}

async function changeLimit(
  deps: Deps,
  target: LimitTarget,
  change: LimitChange,
  call: Call,
  render: Render<LimitResult>,
): Promise<RecordedAnswer> {
  if (target !== 'default' && 'selector' in target) return changeCustomers(deps, target.selector, change, call, render);
  const planSku = target === 'default' ? '' : target.planSku;
  const result = await deps.engine.manage({
    opener: 'prisma',
    lock: lockCommonLimits,
    load: (tx) => findCommonLimits(tx, planSku, change.subject),
    decide: (known, now, changes): LimitResult => {
      if (!known.own && !known.isKnownPlan)
        throw new AppError('offer_not_found', `There is no plan ${planSku}.`, { pointer: '/plan_sku' });
      const changed = changedBy(known, change, target, { now, nextId: () => deps.ids.next() });
      const { before, after } = changed;
      if (before !== after) changes.commonLimits.push({ before, after, at: now, actingKey: call.actor.keyId });
      return changed.result;
    },
  });
  return { ...render(result), replayed: false };
}

function changeCustomers(
  deps: Deps,
  selector: Selector,
  change: LimitChange,
  call: Call,
  render: Render<LimitResult>,
): Promise<RecordedAnswer> {
  return deps.engine.run({
    name: change.name,
    selector,
    call,
    request: change.request,
    load: (tx, customerId) => findCustomerLimits(tx, customerId, change.subject),
    needs: { asks: [] },
    decide: ({ book, loaded, operationId }): Decision<LimitResult> => {
      const { customerId, now, ids } = book;
      const changed = changedBy(loaded, change, { customerId, isCopied: false }, { now, nextId: () => ids.next() });
      const { before, after, result } = changed;
      if (before === after) return { outcome: 'unchanged', result };
      book.changes.limits.push({ before, after, operationId });
      return { outcome: 'accepted', result };
    },
    render,
  });
}

/** A limit before a change and after it, the same one where nothing changes; undefined where there is none. */
interface Changed {
  before: Limit | undefined;
  after: Limit | undefined;
  result: LimitResult;
}

/** What becomes of a limit. Throws: product_not_found, feature_not_found, too_many_limits, what the change refuses. */
function changedBy(
  { own: before, count, isKnownSubject }: CustomerLimits,
  { subject, termsAfter }: LimitChange,
  scope: LimitScope,
  time: { now: Date; nextId: () => string },
): Changed {
  const terms = termsAfter(before);
  if (!terms) return { before, after: undefined, result: { limit: required(before, 'it is removed'), isNew: false } };
  if (!before && !isKnownSubject) throw unknownSubject(subject);
  if (!before && count >= LIMITS_MAX)
    throw new AppError('too_many_limits', `There are ${LIMITS_MAX} limits already, which is as many as there may be.`);
  const limit = replaceLimit(before, terms, scope, time);
  return { before, after: limit, result: { limit, isNew: before === undefined } };
}

function unknownSubject(subject: Subject): AppError {
  return 'feature' in subject
    ? new AppError('feature_not_found', `No product provides ${subject.feature}.`, { pointer: '/feature' })
    : new AppError('product_not_found', `There is no product ${subject.productKey}.`, { pointer: '/product_key' });
}
