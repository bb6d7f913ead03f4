// The plans of the random workloads of subscriptions: few, so that every rule of a plan has two candidates to get wrong. Plain facts, without rules.

export interface CataloguePlan {
  sku: string;
  group: 'default' | 'other';
  /** In whole units of the currency. */
  price: number;
  every: { unit: 'weeks' | 'months' | 'years'; count: number };
  /** How often a period gives its units; null once. */
  grantEvery: { unit: 'weeks' | 'months'; count: number } | null;
  trial: { unit: 'weeks'; count: number } | null;
  rollover: 'none' | 'cap' | 'all';
  cap: number | null;
  graceDays: number;
  graceAccess: boolean;
  items: readonly PlanItem[];
}

interface PlanItem {
  product: 'COIN' | 'CREDITS' | 'PASS';
  quantity: number;
  unit: 'days' | 'months' | 'years';
  value: number;
}

const monthly = (product: PlanItem['product'], quantity = 1): PlanItem => ({
  product,
  quantity,
  unit: 'months',
  value: 1,
});
const weekly = (product: PlanItem['product'], quantity = 1): PlanItem => ({
  product,
  quantity,
  unit: 'days',
  value: 7,
});

const MONTH = { unit: 'months', count: 1 } as const;
const WEEK = { unit: 'weeks', count: 1 } as const;

function plan(
  sku: string,
  price: number,
  items: readonly PlanItem[],
  more: Partial<CataloguePlan> = {},
): CataloguePlan {
  const terms = {
    grantEvery: null,
    trial: null,
    rollover: 'none',
    cap: null,
    graceDays: 0,
    graceAccess: false,
  } as const;
  return { sku, group: 'default', price, every: MONTH, ...terms, items, ...more };
}

export const plans: readonly CataloguePlan[] = [
  plan('FREE', 0, [monthly('COIN', 5)]),
  plan('FREE_MORE', 0, [monthly('COIN', 8), monthly('PASS')]),
  plan('FREE_CAP', 0, [weekly('COIN', 3)], { every: WEEK, rollover: 'cap', cap: 2 }),
  plan('FREE_LONG', 0, [monthly('COIN', 2), weekly('CREDITS', 1)], { every: WEEK }),
  plan('PRO', 10, [monthly('COIN', 10), monthly('PASS')], { rollover: 'all', graceDays: 3, graceAccess: true }),
  plan('TEAM', 50, [monthly('COIN', 20), monthly('CREDITS', 4)], { rollover: 'cap', cap: 6 }),
  plan('TRIED', 10, [monthly('COIN', 7), monthly('PASS')], { trial: { unit: 'weeks', count: 2 }, graceDays: 1 }),
  plan('YEARLY', 90, [{ product: 'COIN', quantity: 30, unit: 'years', value: 1 }], {
    every: { unit: 'years', count: 1 },
    rollover: 'all',
    graceDays: 5,
  }),
  plan('PARTS', 60, [monthly('COIN', 4), { product: 'PASS', quantity: 1, unit: 'years', value: 1 }], {
    ...{ every: { unit: 'years', count: 1 }, grantEvery: MONTH },
    ...{ rollover: 'cap', cap: 5, graceDays: 5 },
  }),
  plan('FREE_PARTS', 0, [weekly('COIN', 2)], { every: { unit: 'weeks', count: 2 }, grantEvery: WEEK }),
  plan('TWICE', 10, [monthly('COIN', 4), monthly('CREDITS', 2), monthly('COIN', 3)], {
    ...{ rollover: 'all', graceDays: 2 },
  }),
  plan('OTHER', 5, [monthly('COIN', 3), monthly('PASS')], { group: 'other', rollover: 'all' }),
  plan('OTHER_FREE', 0, [monthly('CREDITS', 3)], { group: 'other', rollover: 'all' }),
];

export function planOf(sku: string): CataloguePlan {
  const found = plans.find((known) => known.sku === sku);
  if (!found) throw new Error(`there is no plan ${sku}`);
  return found;
}
