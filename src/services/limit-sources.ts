// Limits that a customer shares with another one, the source: copied under his lock, and again, by a job, when they change.
import type { Call, RecordedAnswer, Render } from '../call.js';
import { countFollowers, findLimitSource } from '../db/limit-sources.js';
import { listLimitsOf } from '../db/limits.js';
import type { Deps } from '../deps.js';
import { requireCustomer } from '../engine/customers.js';
import type { Decision } from '../engine/operation.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';
import type { LimitSource } from '../ledger/limit-entities.js';
import { copyLimits } from '../ledger/limit-sharing.js';

/** Customers that may share the limits of one. */
const FOLLOWERS_MAX = 1_000;
const POINTER = '/source_customer_id';

/** Whose limits a customer shares, and as of when; null when he shares none. */
export interface SharedLimits {
  customerId: string;
  source: LimitSource | null;
}

/**
 * Has a customer share the own limits of another: copies, which are below his own and above those of a plan. What he uses is his alone.
 * Locks: both customers. Throws: customer_not_found, selector_conflict, limit_source_refused (he himself, one that shares limits, or a customer whose limits
 * others share), too_many_followers, idempotency_key_reused, unavailable.
 */
export async function shareLimits(
  deps: Deps,
  selector: Selector,
  namedSourceId: string,
  call: Call,
  render: Render<SharedLimits>,
): Promise<RecordedAnswer> {
  const { customerId } = await requireCustomer(deps, selector);
  const { customerId: sourceId } = await requireCustomer(deps, { customerId: namedSourceId }).catch(
    (error: unknown) => {
      throw error instanceof AppError && error.code === 'customer_not_found' ? noSource() : error;
    },
  );
  if (customerId === sourceId) throw refusedSource('A customer can’t share his own limits.');
  return deps.engine.run({
    name: 'limit.share',
    selector: { ...selector, customerId },
    alsoLocks: [sourceId],
    call,
    request: { sourceId },
    load: async (tx) => {
      const [known, above, followers, below, limits] = await Promise.all([
        findLimitSource(tx, customerId),
        findLimitSource(tx, sourceId),
        countFollowers(tx, sourceId, FOLLOWERS_MAX),
        countFollowers(tx, customerId, 1),
        listLimitsOf(tx, [customerId, sourceId]),
      ]);
      return { known, above, followers, below, limits };
    },
    needs: { asks: [] },
    decide: ({ book, loaded: { known, above, followers, below, limits }, operationId }): Decision<SharedLimits> => {
      if (known?.sourceId === sourceId) return { outcome: 'unchanged', result: { customerId, source: known } };
      if (above) throw refusedSource('It shares the limits of another customer itself.');
      if (below > 0) throw refusedSource('Others share the limits of this customer: a source has no source.');
      if (followers >= FOLLOWERS_MAX) {
        const detail = `At most ${FOLLOWERS_MAX} customers share the limits of one.`;
        throw new AppError('too_many_followers', detail, { pointer: POINTER });
      }
      const changes = known?.changes ?? 0;
      const source = { customerId, sourceId, copiedAt: book.now, changes, copied: changes };
      copyLimits(book, limits, source, operationId);
      book.changes.limitSources.push({ before: known, after: source, operationId });
      return { outcome: 'accepted', result: { customerId, source } };
    },
    render,
  });
}

/** Ends that a customer shares limits. Locks: the customer. Throws: customer_not_found, selector_conflict, unavailable. */
export async function unshareLimits(deps: Deps, selector: Selector, call: Call): Promise<void> {
  const { customerId } = await requireCustomer(deps, selector);
  await deps.engine.run({
    name: 'limit.share',
    selector: { ...selector, customerId },
    call,
    request: { sourceId: null },
    load: async (tx) => {
      const [known, limits] = await Promise.all([findLimitSource(tx, customerId), listLimitsOf(tx, [customerId])]);
      return { known, limits };
    },
    needs: { asks: [] },
    decide: ({ book, loaded: { known, limits }, operationId }): Decision<undefined> => {
      if (!known) return { outcome: 'unchanged', result: undefined };
      copyLimits(book, limits, undefined, operationId);
      book.changes.limitSources.push({ before: known, after: undefined, operationId });
      return { outcome: 'accepted', result: undefined };
    },
    render: () => ({ status: 204, body: '' }),
  });
}

/** Whose limits a customer shares. Throws: customer_not_found, selector_conflict. */
export async function getSharedLimits(deps: Deps, selector: Selector): Promise<SharedLimits> {
  const { customerId } = await requireCustomer(deps, selector);
  return { customerId, source: (await findLimitSource(deps.db, customerId)) ?? null };
}

function noSource(): AppError {
  return new AppError('customer_not_found', 'There is no such customer.', { pointer: POINTER });
}

function refusedSource(detail: string): AppError {
  return new AppError('limit_source_refused', detail, { pointer: POINTER });
}
