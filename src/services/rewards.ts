// What referrals earned: lists, and what an operator decides of rewards that wait for him.
import type { Call, RecordedAnswer, Render } from '../call.js';
import { listRewards, lockReward, type RewardsAsked } from '../db/rewards.js';
import type { Deps } from '../deps.js';
import { requireCustomer } from '../engine/customers.js';
import { rewardsAtOnce } from '../engine/rewards.js';
import type { Selector } from '../engine/selector.js';
import type { Reward } from '../ledger/reward-entities.js';
import { refuseReward as refuse, releaseReward as release } from '../ledger/rewards.js';

/** One page of rewards, newest first; of one customer where one is named. Throws: customer_not_found, selector_conflict. */
export async function getRewards(
  deps: Deps,
  { selector, ...asked }: Omit<RewardsAsked, 'customerIds'> & { selector: Selector | undefined },
): Promise<Reward[]> {
  const customerIds = selector && (await requireCustomer(deps, selector)).familyIds;
  return listRewards(deps.db, { ...asked, customerIds });
}

/** What an operator decides. A refusal says why. */
export type RewardVerdict = { isReleased: true; reason: string | undefined } | { isReleased: false; reason: string };

/**
 * Releases or refuses a reward that is held. Released, it is granted in its time, at once where that has come. Locks: its customer, then the reward.
 * Throws: reward_not_found, reward_not_held, idempotency_key_reused, unavailable.
 */
export async function decideReward(
  deps: Deps,
  id: string,
  verdict: RewardVerdict,
  call: Call,
  render: Render<Reward>,
): Promise<RecordedAnswer> {
  const rewards = rewardsAtOnce(deps);
  const answer = await deps.engine.run({
    name: verdict.isReleased ? 'reward.release' : 'reward.refuse',
    mayBeErased: true,
    selector: { owned: { kind: 'reward', id } },
    call,
    request: { id, reason: verdict.reason },
    load: (tx) => lockReward(tx, id),
    needs: { asks: [] },
    decide: ({ book, loaded, operationId }) => {
      const result = verdict.isReleased
        ? release(book, loaded, operationId, verdict.reason)
        : refuse(book, loaded, operationId, verdict.reason);
      rewards.note(book);
      return { outcome: 'accepted', result };
    },
    render,
  });
  await rewards.settle();
  return answer;
}
