// Grants rewards that are due, and takes back those whose order went back: each by an operation of its customer, under his lock. The process that armed one does
// it behind its answer's commit, where it is due at once; the job does all others.

import { findOrderableOffers } from '../db/catalog.js';
import { isOutage } from '../db/errors.js';
import { findMergesAbove } from '../db/merges.js';
import { countPlaces } from '../db/offer-places.js';
import { countRewards, listRewardsToAct, lockReward, shareSignals } from '../db/rewards.js';
import { listGrantedProducts } from '../db/sold.js';
import type { Foundations } from '../foundations.js';
import type { Book } from '../ledger/book.js';
import type { OrderableOffer } from '../ledger/catalog-entities.js';
import { asksOf } from '../ledger/grant.js';
import type { Reward, RewardStep } from '../ledger/reward-entities.js';
import { clawBackReward, grantReward, type RewardState } from '../ledger/rewards.js';
import { BY_ITSELF } from './by-itself.js';
import { type Operation, resolvedAs, toMember } from './operation.js';
import { transact } from './transact.js';

/** Rewards that one look finds at most. */
const STEP_MAX = 500;

/**
 * Does what is to be done about rewards by now, one after the other, until nothing is left or `isStopped` says so; about how many it was.
 * Locks: one customer at a time, then his reward; customers that somebody else holds are passed over. Throws: clock_skewed, what the database could not do.
 */
export async function settleRewards(deps: Foundations, isStopped: () => boolean = () => false): Promise<number> {
  if (deps.clock.refresh) await deps.clock.refresh();
  const passed: string[] = [];
  let count = 0;
  for (;;) {
    const due = await listRewardsToAct(deps.db, deps.clock.now(), passed, STEP_MAX);
    if (due.length === 0) return count;
    for (const reward of due) {
      if (isStopped()) return count;
      if (await settleOne(deps, reward)) count += 1;
      else passed.push(reward.id);
    }
  }
}

/** What an operation's decision leaves to be done at once. */
export interface RewardsAtOnce {
  /** Notes it, of the books of its last attempt. */
  note(book: Book): void;
  /** Does it, behind the commit. Never throws: the job does what could not be done. */
  settle(): Promise<void>;
}

export function rewardsAtOnce(deps: Foundations): RewardsAtOnce {
  let due: Reward[] = [];
  return {
    note: ({ changes, now }) => {
      const changed = [...changes.newRewards, ...changes.rewardSteps.map(({ after }) => after)];
      due = changed.filter(({ actAt }) => actAt !== null && actAt <= now);
    },
    settle: async () => {
      try {
        for (const reward of due) await settleOne(deps, reward);
      } catch (error) {
        deps.log.warn({ err: error }, 'rewards are left to the job');
      }
    },
  };
}

/** Whether something was done about a reward; not where somebody holds its customer, or it failed. */
async function settleOne(deps: Foundations, reward: Reward): Promise<boolean> {
  const { customerId, status, id } = reward;
  try {
    // Of a customer that was merged it is done in his ledger, and moves on.
    const above = await findMergesAbove(deps.db, customerId);
    const finalId = above.at(-1);
    const member = status === 'clawing_back' ? toMember(clawBackOf(reward, above)) : toMember(grantOf(reward));
    const resolved = resolvedAs(deps, member, { customerId, finalId });
    const { changes } = await transact(deps, [resolved], { opener: 'pool', skipLocked: true });
    return changes.customers.some((own) => own.changes.rewardSteps.length > 0);
  } catch (error) {
    if (isOutage(error)) throw error;
    deps.log.error({ err: error, customerId, rewardId: id }, 'a reward could not be settled');
    return false;
  }
}

const ofReward = ({ customerId, id }: Reward) => ({
  selector: { customerId },
  call: BY_ITSELF,
  request: { rewardId: id },
});
const render = () => ({ status: 200, body: '' });

interface Loaded extends Pick<RewardState, 'reward' | 'isShared'> {
  offers: Map<string, OrderableOffer>;
}

function grantOf(reward: Reward): Operation<RewardStep | undefined, Loaded, Pick<RewardState, 'places' | 'counts'>> {
  return {
    name: 'reward.grant',
    mayBeErased: true,
    ...ofReward(reward),
    load: async (tx) => {
      const [locked, offers, isShared] = await Promise.all([
        lockReward(tx, reward.id),
        findOrderableOffers(tx, [reward.sku]),
        shareSignals(tx, reward),
      ]);
      return { reward: locked, offers, isShared };
    },
    loadMore: async (tx, { offers }, _customerId, now, familyIds) => {
      const [places, counts] = await Promise.all([
        countPlaces(tx, familyIds, offers.values(), now),
        countRewards(tx, reward, familyIds),
      ]);
      return { places, counts };
    },
    needs: ({ offers }) => ({ asks: asksOf([...offers.values()].flatMap(({ terms }) => terms)) }),
    decide: ({ book, loaded: { offers, ...state }, more, operationId }) => {
      const step = grantReward(book, { ...state, ...more, offer: offers.get(reward.sku) }, operationId);
      return { outcome: step ? 'accepted' : 'unchanged', result: step };
    },
    render,
  };
}

/** It takes back wherever what was granted went on: of all into whom its customer was merged, one into the next. */
function clawBackOf(
  reward: Reward,
  above: readonly string[],
): Operation<RewardStep | undefined, { reward: Reward; productKeys: string[] }> {
  const { grantedBy, customerId, id } = reward;
  const between = above.slice(0, -1);
  const memberIds = [customerId, ...above];
  return {
    name: 'reward.claw_back',
    mayBeErased: true,
    ...ofReward(reward),
    alsoLocks: between,
    load: async (tx) => {
      const [locked, productKeys] = await Promise.all([
        lockReward(tx, id),
        listGrantedProducts(tx, customerId, grantedBy ?? ''),
      ]);
      return { reward: locked, productKeys };
    },
    needs: ({ productKeys }) => ({
      asks: productKeys.map((productKey) => ({ subject: { productKey }, amount: 0 })),
      granted: grantedBy === null ? undefined : { customerId, operationId: grantedBy, memberIds },
    }),
    decide: ({ book, loaded, operationId }) => {
      const step = clawBackReward(book, loaded.reward, operationId);
      return { outcome: step ? 'accepted' : 'unchanged', result: step };
    },
    render,
  };
}
