// Several operations as one: all are decided and written in one transaction, or none is (a bulk call with `mode: atomic`).
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import type { KeyedAnswer } from '../ledger/customer-entities.js';
import { assert, required } from '../lib/assert.js';
import { CustomerMoved, persist } from './attempts.js';
import type { ConnectionBounds } from './connections.js';
import { resolveEach } from './customers.js';
import type { Verdict } from './decide-together.js';
import { type Member, type Outcome, type ResolvedMember, resolvedAs } from './operation.js';
import { unknownCustomer } from './selector.js';
import { transact } from './transact.js';

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
export async function runWhole(
  deps: Foundations,
  { lockWaits }: ConnectionBounds,
  members: readonly Member[],
  recordOf: (outcomes: readonly Outcome[]) => KeyedAnswer | undefined,
  mayCommit: boolean,
): Promise<WholeOutcome> {
  let latest: readonly (ResolvedMember | AppError)[] = [];
  return persist(async () => {
    const resolved = await resolveEach(
      deps,
      members.map(({ selector }) => selector),
    );
    const standing = members.map((member, index): ResolvedMember | AppError => {
      const customer = required(resolved[index], 'it is resolved');
      const earlier = latest[index];
      if (customer instanceof AppError) return customer;
      return resolvedAs(deps, member, customer, earlier instanceof AppError ? undefined : earlier);
    });
    latest = standing;
    const decidable = standing.flatMap((resolved) => (resolved instanceof AppError ? [] : [resolved]));
    const outcomesOf = (verdicts: ReadonlyMap<ResolvedMember, Verdict>) =>
      standing.map((resolved) => outcomeOf(resolved, verdicts));
    const whole = {
      mayCommit: mayCommit && decidable.length === members.length,
      recordOf: (verdicts: ReadonlyMap<ResolvedMember, Verdict>) => recordOf(outcomesOf(verdicts)),
    };
    const { verdicts, isCommitted } = await lockWaits.take(() =>
      transact(deps, decidable, { opener: 'pool', skipLocked: false, whole }),
    );
    if ([...verdicts.values()].includes('moved')) throw new CustomerMoved();
    return { isCommitted, outcomes: outcomesOf(verdicts) };
  });
}

/** A customer who is not there could not be locked, so his request has no verdict. */
function outcomeOf(resolved: ResolvedMember | AppError, verdicts: ReadonlyMap<ResolvedMember, Verdict>): Outcome {
  if (resolved instanceof AppError) return { refusal: resolved };
  const verdict = verdicts.get(resolved);
  assert(verdict !== 'moved', 'no identity moved');
  return verdict ?? { refusal: unknownCustomer(resolved.member.selector) };
}
