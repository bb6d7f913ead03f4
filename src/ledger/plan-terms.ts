// What a plan is where its offer does not say it.
import type { PlanTerms } from './catalog-entities.js';

/** Paid from the first day, nothing goes over, and a period that was not paid by its end has no grace. */
export const DEFAULT_PLAN_TERMS: PlanTerms = {
  trial: null,
  rollover: 'none',
  rolloverCap: null,
  graceDays: 0,
  graceAccess: false,
};
