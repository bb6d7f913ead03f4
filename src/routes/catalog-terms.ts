// What the bodies of products and offers say, as terms of the catalogue.
import type { z } from 'zod';
import type { OfferTerms, ProductTerms } from '../ledger/catalog.js';
import type { PlanTerms } from '../ledger/catalog-entities.js';
import type { putOfferBody, putProductBody } from '../schemas/catalog.js';

export function toProductTerms(productKey: string, body: Omit<z.output<typeof putProductBody>, 'force'>): ProductTerms {
  return {
    productKey,
    name: body.name,
    description: body.description,
    type: body.type,
    isCurrency: body.is_currency,
    isActive: body.is_active,
    features: body.features.map(({ feature, unit_cost }) => ({ feature, unitCost: unit_cost })),
    lowBalanceThreshold: body.low_balance_threshold,
    expiringDays: body.expiring_days,
    metadata: body.metadata,
  };
}

export function toOfferTerms(sku: string, body: z.output<typeof putOfferBody>): OfferTerms {
  return {
    sku,
    name: body.name,
    description: body.description,
    image: body.image,
    price: body.price,
    currency: body.currency,
    isActive: body.is_active,
    isTrial: body.is_trial,
    trialScope: body.trial_policy?.scope ?? null,
    trialEligible: body.trial_eligible,
    recurrence: body.recurrence,
    planGroup: body.plan_group ?? null,
    plan: body.plan && toPlanTerms(body.plan),
    maxPerCustomer: body.max_per_customer,
    items: body.items.map((item) => ({
      productKey: item.product_key,
      quantity: item.quantity,
      periodUnit: item.period_unit,
      periodValue: item.period_value,
      priority: item.priority,
      stacking: item.stacking,
    })),
    metadata: body.metadata,
  };
}

function toPlanTerms(plan: NonNullable<z.output<typeof putOfferBody>['plan']>): PlanTerms {
  return {
    trial: plan.trial_period,
    grantEvery: plan.grant_every,
    rollover: plan.rollover,
    rolloverCap: plan.rollover_cap,
    graceDays: plan.grace_days,
    graceAccess: plan.grace_access,
  };
}
