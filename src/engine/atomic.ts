// Several operations as one: all are decided and written in one transaction, or none is (a batch of consumes with `mode: atomic`).

import { isConnectionLost, isRetryable, isUnavailable } from '../db/errors.js';
import type { KeyedCall } from '../db/keyed-calls.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import { assert, required } from '../lib/assert.js';
import { backOff } from '../lib/backoff.js';
import { resolveEach, unknownCustomer } from './customers.js';
import { type LaneOperation, type Lanes, toRequest } from './lanes.js';
import { ATTEMPTS_MAX, type Outcome, unavailable } from './operation.js';
import { type Request, transactWhole, type Verdict } from './shared-transaction.js';

/** Beside the foundations the lanes, which share out the connections that may wait for locks. */
type WholeDeps = Foundations & { readonly lanes: Pick<Lanes, 'waiting'> };

/** What became of operations that belong together, in their order; nothing is written unless all of them are answered. */
export interface WholeOutcome {
  isCommitted: boolean;
  outcomes: Outcome[];
}

/**
 * Runs operations in one transaction, in their order, all or nothing. Every one is decided, so that each refusal is told. `recordOf` is what
 * is recorded of them together. Without `mayCommit` they are only decided.
 * Locks: the customers, in id order. Throws: unavailable, what the database refuses for good. Refusals are outcomes.
 */
export async function runWhole<R>(
  deps: WholeDeps,
  operations: readonly LaneOperation<R>[],
  recordOf: (outcomes: readonly Outcome[]) => KeyedCall | undefined,
  mayCommit = true,
): Promise<WholeOutcome> {
  const requests = operations.map((operation) => toRequest(deps, operation));
  for (let attempt = 1; ; attempt += 1) {
    try {
      const whole = await attemptWhole(deps, requests, recordOf, mayCommit);
      if (whole) return whole;
      if (attempt === ATTEMPTS_MAX) throw unavailable(new Error('an identity kept moving'));
    } catch (error) {
      if (error instanceof AppError) throw error;
      const isPassing = isRetryable(error) || isConnectionLost(error);
      if (isPassing ? attempt === ATTEMPTS_MAX : isUnavailable(error)) throw unavailable(error);
      if (!isPassing) throw error;
    }
    await backOff(attempt);
  }
}

/** Undefined when an identity moved between its look-up and the lock. */
async function attemptWhole(
  deps: WholeDeps,
  requests: readonly Request[],
  recordOf: (outcomes: readonly Outcome[]) => KeyedCall | undefined,
  mayCommit: boolean,
): Promise<WholeOutcome | undefined> {
  const resolved = await resolveEach(
    deps,
    requests.map(({ operation }) => operation.selector),
  );
  const standing = requests.map((request, index): Request | AppError => {
    const customer = resolved[index];
    return typeof customer === 'string' ? { ...request, customerId: customer } : required(customer, 'it is resolved');
  });
  const decidable = standing.flatMap((request) => (request instanceof AppError ? [] : [request]));
  const outcomesOf = (verdicts: ReadonlyMap<Request, Verdict>) =>
    standing.map((request) => outcomeOf(request, verdicts));
  const isWhole = mayCommit && decidable.length === requests.length;
  const { verdicts, isCommitted } = await deps.lanes.waiting.take(() =>
    transactWhole(deps, decidable, (decided) => recordOf(outcomesOf(decided)), isWhole),
  );
  if ([...verdicts.values()].includes('again')) return undefined;
  return { isCommitted, outcomes: outcomesOf(verdicts) };
}

/** A customer who is not there could not be locked, so his request has no verdict. */
function outcomeOf(request: Request | AppError, verdicts: ReadonlyMap<Request, Verdict>): Outcome {
  if (request instanceof AppError) return { refusal: request };
  const verdict = verdicts.get(request);
  assert(verdict !== 'again', 'no identity moved');
  return verdict ?? { refusal: unknownCustomer(request.operation.selector) };
}
