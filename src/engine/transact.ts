// The one way of a write (DOMAIN 3.0): lock, look up the keys, load, settle, decide, write, record the answers, commit, and find out about an uncertain
// COMMIT. A lone operation is a transaction of one member, those that wait together share one, a bulk call that is all or nothing is one as a whole, the
// sweep is one without members; what is about no customer takes the same way. Knows neither queues nor who waits for an answer.
import { begin, orAbandon } from '../db/transactions.js';
import type { Foundations } from '../foundations.js';
import { noChanges } from '../ledger/changes.js';
import { writeAndCommit } from './commit.js';
import {
  type Decided,
  decideTogether,
  type Transacted,
  type TransactOptions,
  type Verdict,
} from './decide-together.js';
import type { ResolvedMember } from './operation.js';

/**
 * Runs members in one transaction, in their order, each with its own verdict; a predecessor's effects are seen. While more of their customers is due than
 * one transaction settles, transactions before it do nothing else; with `skipLocked` such customers' members are left out, as if others held the lock. So
 * are those who need more batches than are read at first, and, of several members, those who need more than is read for all of them; alone nobody is.
 * Locks: identities of first sights, then the customers, in id order; then claims. Throws what rolled the transaction back, as the database or the driver
 * says it; AppErrors are verdicts.
 */
export async function transact<M extends ResolvedMember>(
  deps: Foundations,
  members: readonly M[],
  options: TransactOptions<M>,
): Promise<Transacted<M>> {
  for (;;) {
    const { isBehind, relatives, ...transacted } = await transactOnce(deps, members, options);
    if (options.skipLocked || !isBehind) return transacted;
    if (relatives.length > 0)
      await transact(deps, [], { opener: options.opener, skipLocked: false, customerIds: relatives });
  }
}

async function transactOnce<M extends ResolvedMember>(
  deps: Foundations,
  members: readonly M[],
  options: TransactOptions<M>,
): Promise<Transacted<M> & Pick<Decided<M>, 'isBehind' | 'relatives'>> {
  const tx = await begin(deps.db, options.opener);
  const decided = await orAbandon(tx, () => decideTogether(deps, tx, members, options));
  const { verdicts, changes, isBehind } = decided;
  const { whole } = options;
  if (whole && !isBehind) {
    const isWhole = whole.mayCommit && members.every((member) => isAnswered(verdicts.get(member)));
    if (!isWhole) {
      await writeAndCommit(deps, tx, { ...noChanges(), firstSights: changes.firstSights });
      return { ...decided, isCommitted: false };
    }
    const record = await orAbandon(tx, async () => whole.recordOf(verdicts));
    if (record) changes.keyedAnswers.push(record);
  }
  await writeAndCommit(deps, tx, changes, isBehind || options.customerIds !== undefined);
  return { ...decided, isCommitted: true };
}

function isAnswered(verdict: Verdict | undefined): boolean {
  return typeof verdict === 'object' && 'answer' in verdict;
}
