// Several operations as one: all are decided and written in one transaction, or none is (a batch of consumes with `mode: atomic`).

import { isConnectionLost, isRetryable, isUnavailable } from '../db/errors.js';
import type { KeyedCall } from '../db/keyed-calls.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import { backOff } from '../lib/backoff.js';
import { resolveCustomer } from './customers.js';
import { type LaneOperation, toRequest } from './lanes.js';
import { ATTEMPTS_MAX, type Outcome, unavailable } from './operation.js';
import { type Request, transactWhole, type Verdict } from './shared-transaction.js';

/** What became of operations that belong together, in their order; nothing is written unless all of them are answered. */
export interface WholeOutcome {
  isCommitted: boolean;
  outcomes: Outcome[];
}

/**
 * Runs operations in one transaction, in their order, all or nothing. Every one is decided, so that each refusal is told. `recordOf` is what
 * is recorded of them together.
 * Locks: the customers, in id order. Throws: unavailable, what the database refuses for good. Refusals are outcomes.
 */
export async function runWhole<R>(
  deps: Foundations,
  operations: readonly LaneOperation<R>[],
  recordOf: (outcomes: readonly Outcome[]) => KeyedCall | undefined,
): Promise<WholeOutcome> {
  const requests = operations.map((operation) => toRequest(deps, operation));
  for (let attempt = 1; ; attempt += 1) {
    try {
      const whole = await attemptWhole(deps, requests, recordOf);
      if (whole) return whole;
      if (attempt === ATTEMPTS_MAX) throw unavailable(new Error('an identity kept moving'));
    } catch (error) {
      const isPassing = isRetryable(error) || isConnectionLost(error);
      if (isPassing ? attempt === ATTEMPTS_MAX : isUnavailable(error)) throw unavailable(error);
      if (!isPassing) throw error;
    }
    await backOff(attempt);
  }
}

/** Undefined when an identity moved between its look-up and the lock. */
async function attemptWhole(
  deps: Foundations,
  requests: readonly Request[],
  recordOf: (outcomes: readonly Outcome[]) => KeyedCall | undefined,
): Promise<WholeOutcome | undefined> {
  const refused = new Map<Request, Outcome>();
  const standing = new Map<Request, Request>();
  for (const [request, resolved] of await resolveAll(deps, requests)) {
    if (typeof resolved === 'string') standing.set(request, { ...request, customerId: resolved });
    else refused.set(request, { refusal: resolved });
  }
  const outcomesOf = (verdicts: ReadonlyMap<Request, Verdict>): Outcome[] =>
    requests.map((request) => {
      const verdict = refused.get(request) ?? verdicts.get(standing.get(request) ?? request);
      if (verdict === undefined || verdict === 'again')
        throw new Error('assertion failed: every request has a verdict');
      return verdict;
    });
  const { verdicts, isCommitted } = await transactWhole(
    deps,
    [...standing.values()],
    (decided) => recordOf(outcomesOf(decided)),
    refused.size === 0,
  );
  const isMoved = [...standing.values()].some((request) => (verdicts.get(request) ?? 'again') === 'again');
  return isMoved ? undefined : { isCommitted, outcomes: outcomesOf(verdicts) };
}

/** The customers that requests are about, or why there is none. Each selector is looked up once. */
async function resolveAll(
  deps: Foundations,
  requests: readonly Request[],
): Promise<(readonly [Request, string | AppError])[]> {
  const resolving = new Map<string, Promise<string | AppError>>();
  return Promise.all(
    requests.map(async (request) => {
      const { selector } = request.operation;
      const name = JSON.stringify(selector);
      const known = resolving.get(name) ?? refusalAsValue(resolveCustomer(deps, selector));
      resolving.set(name, known);
      return [request, await known] as const;
    }),
  );
}

async function refusalAsValue(resolving: Promise<string>): Promise<string | AppError> {
  try {
    return await resolving;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}
