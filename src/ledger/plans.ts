// What an offer that recurs says of its plan: the defaults, and what goes for one from before plans had terms.
import type { Offer, OrderedPlan, PlanTerms } from './catalog-entities.js';

const DEFAULT_PLAN_GROUP = 'default';

/** How a plan goes on that says nothing of it: no trial, nothing goes over, and it ends with what was paid. */
export const DEFAULT_PLAN_TERMS: PlanTerms = {
  trial: null,
  rollover: 'none',
  rolloverCap: null,
  graceDays: 0,
  graceAccess: false,
};

type PlanMembers = Pick<Offer, 'recurrence' | 'planGroup' | 'plan'>;

/** The offer with all that a plan says, by the defaults where it says nothing; what does not recur says nothing of it. */
export function completePlan<T extends PlanMembers>(offer: T): T {
  if (offer.recurrence === null) return { ...offer, planGroup: null, plan: null };
  return { ...offer, planGroup: offer.planGroup ?? DEFAULT_PLAN_GROUP, plan: offer.plan ?? DEFAULT_PLAN_TERMS };
}

/** The plan of a line that orders the offer; null of what does not recur. */
export function orderedPlanOf({ recurrence, planGroup, plan }: PlanMembers): OrderedPlan | null {
  if (recurrence === null) return null;
  return { recurrence, planGroup: planGroup ?? DEFAULT_PLAN_GROUP, ...(plan ?? DEFAULT_PLAN_TERMS) };
}
