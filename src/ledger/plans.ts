// What an offer that recurs says of its plan: the defaults, and what goes for one from before plans had terms.
import type { Offer, OrderedPlan, PlanTerms, Recurrence, Term } from './catalog-entities.js';

const DEFAULT_PLAN_GROUP = 'default';

/** How a plan goes on that says nothing of it: no trial, nothing goes over, and it ends with what was paid. */
export const DEFAULT_PLAN_TERMS: PlanTerms = {
  trial: null,
  grantEvery: null,
  rollover: 'none',
  rolloverCap: null,
  graceDays: 0,
  graceAccess: false,
};

type PlanMembers = Pick<Offer, 'recurrence' | 'planGroup' | 'plan'>;

/** The offer with all that a plan says, by the defaults where it says nothing; what does not recur says nothing of it. */
export function completePlan<T extends PlanMembers>(offer: T): T {
  if (offer.recurrence === null) return { ...offer, planGroup: null, plan: null };
  return { ...offer, planGroup: offer.planGroup ?? DEFAULT_PLAN_GROUP, plan: { ...DEFAULT_PLAN_TERMS, ...offer.plan } };
}

/** The plan of a line that orders the offer; null of what does not recur. */
export function orderedPlanOf({ recurrence, planGroup, plan }: PlanMembers): OrderedPlan | null {
  if (recurrence === null) return null;
  return { recurrence, planGroup: planGroup ?? DEFAULT_PLAN_GROUP, ...DEFAULT_PLAN_TERMS, ...plan };
}

const HOURS = { hours: 1, days: 24, weeks: 168 } as const;
const MONTHS = { months: 1, years: 12 } as const;
const LONGEST_YEAR_DAYS = 366;
const LONGEST_MONTH_DAYS = 31;

/** A length in hours, or in months, which have no fixed one. */
function lengthOf({ unit, count }: Recurrence): { months: number } | { hours: number } {
  return unit === 'months' || unit === 'years' ? { months: MONTHS[unit] * count } : { hours: HOURS[unit] * count };
}

/** Whether a period can be divided so: into fewer than it has, and of months into whole ones. */
export function divides(every: Recurrence, recurrence: Recurrence): boolean {
  const [part, whole] = [lengthOf(every), lengthOf(recurrence)];
  if ('months' in part) return 'months' in whole && whole.months > part.months && whole.months % part.months === 0;
  return 'months' in whole ? part.hours < 28 * 24 * whole.months : part.hours < whole.hours;
}

/** How often a period allocates units, at most: months have their days. */
export function allocationsOf({
  recurrence,
  grantEvery = null,
}: Pick<OrderedPlan, 'recurrence' | 'grantEvery'>): number {
  if (grantEvery === null) return 1;
  const [part, whole] = [lengthOf(grantEvery), lengthOf(recurrence)];
  if ('months' in part) return 'months' in whole ? whole.months / part.months : 1;
  if ('hours' in whole) return Math.ceil(whole.hours / part.hours);
  const days = Math.floor(whole.months / 12) * LONGEST_YEAR_DAYS + (whole.months % 12) * LONGEST_MONTH_DAYS;
  return Math.ceil((days * 24) / part.hours);
}

/** How many batches a period comes to at most: units are given by each allocation, access once. */
export function batchesOf(
  plan: Pick<OrderedPlan, 'recurrence' | 'grantEvery'> | null,
  terms: readonly Pick<Term, 'productType'>[],
): number {
  return terms.reduce((sum, term) => sum + timesOf(plan, term), 0);
}

/** How often a term of a plan is given in a period, at most. */
export function timesOf(
  plan: Pick<OrderedPlan, 'recurrence' | 'grantEvery'> | null,
  { productType }: Pick<Term, 'productType'>,
): number {
  return plan && productType === 'quantity' ? allocationsOf(plan) : 1;
}
