// Several operations as one: all are decided and written in one transaction, or none is (a bulk call with `mode: atomic`).
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import type { KeyedAnswer } from '../ledger/entities.js';
import { assert, required } from '../lib/assert.js';
import { CustomerMoved, persist } from './attempts.js';
import type { ConnectionBounds } from './connections.js';
import { resolveEach } from './customers.js';
import { type Member, type Outcome, type ResolvedMember, resolvedAs } from './operation.js';
import { unknownCustomer } from './selector.js';
import { transact, type Verdict } from './transact.js';

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
  let latest: readonly Member[] = members;
  return persist(async () => {
    const resolved = await resolveEach(
      deps,
      members.map(({ selector }) => selector),
    );
    const standing = latest.map((member, index): ResolvedMember | AppError => {
      const customer = required(resolved[index], 'it is resolved');
      return customer instanceof AppError ? customer : resolvedAs(deps, member, customer);
    });
    latest = standing.map((own, index) => (own instanceof AppError ? required(members[index], 'it is there') : own));
    const decidable = standing.flatMap((member) => (member instanceof AppError ? [] : [member]));
    const outcomesOf = (verdicts: ReadonlyMap<ResolvedMember, Verdict>) =>
      standing.map((member) => outcomeOf(member, verdicts));
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
function outcomeOf(member: ResolvedMember | AppError, verdicts: ReadonlyMap<ResolvedMember, Verdict>): Outcome {
  if (member instanceof AppError) return { refusal: member };
  const verdict = verdicts.get(member);
  assert(verdict !== 'moved', 'no identity moved');
  return verdict ?? { refusal: unknownCustomer(member.selector) };
}
