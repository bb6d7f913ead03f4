// Draws what is given and sold: grants, adjustments, trials, exchanges, orders and their payments, people.
import fc from 'fast-check';
import { exchangeOffers, moneyOffers, type Person, people, spellings, trialOffers } from './catalogue.js';
import type { Scope } from './commands.js';
import { hoursFrom, keysOf, mostly, quantities, record, type Weighted } from './draw.js';
import type { GivenAs } from './requests.js';

/** A number of offers that gives too many units or too long a validity. */
const FAR_TOO_MANY = Number.MAX_SAFE_INTEGER;
/** Stands for an order that was never placed. */
export const NOBODYS_ORDER = -1;

const unsoldOnes = ['IN_EUROS', 'NOT_SOLD', 'OF_RETIRED'];
const soldSkus = moneyOffers.map(({ sku }) => sku).filter((sku) => !unsoldOnes.includes(sku));
const unsoldSkus = [...unsoldOnes, 'FOR_COIN', 'UNKNOWN'];
const exchangeSkus = exchangeOffers.map(({ sku }) => sku);
const unexchangeableSkus = [
  ...['CREDITS_10', 'FOR_NO_COIN', 'NOTHING_FOR_COIN', 'NO_MORE_FOR_COIN', 'RETIRED_FOR_COIN', 'NOT_SOLD', 'UNKNOWN'],
];
const trialSkus = trialOffers.map(({ sku }) => sku);
const ungivenTrialSkus = ['CREDITS_10', 'TRIAL_OLD', 'TRIAL_OF_RETIRED', 'FOR_COIN', 'UNKNOWN'];
const countedProducts = ['CREDITS', 'TOKENS', 'IMAGES', 'SKETCHES', 'PLAIN', 'COIN', 'GEM'];

/** Something to use and to exchange, in batches that are not used in the order in which they came. */
export const stock = record({
  kind: fc.constant('grant units' as const),
  key: fc.constant(null),
  as: fc.constant('bonus' as const),
  product: fc.constantFrom('COIN', 'COIN', 'COIN', 'GEM', 'GEM', 'CREDITS', 'TOKENS', 'IMAGES', 'SKETCHES'),
  quantity: fc.integer({ min: 1, max: 9 }),
  priority: fc.integer({ min: -1, max: 1 }),
  startsInH: fc.constant(null),
  lastsH: fc.option(hoursFrom(1), { freq: 2 }),
});

/** Units and offers without payment; `focus` are the products that come most. */
export function grants(scope: Scope, focus: readonly string[] = countedProducts): Weighted[] {
  const { hasUnknowns } = scope;
  const key = keysOf(scope, 'k1', 'k2', 'k3');
  const as = mostly<GivenAs, GivenAs>(fc.constant('bonus'), fc.constant('adjustment'));
  const grantUnits = record({
    kind: fc.constant('grant units' as const),
    key,
    as,
    product: hasUnknowns
      ? mostly(fc.constantFrom(...focus, 'PASS'), fc.constantFrom('UNKNOWN', 'RETIRED', 'VIP'))
      : fc.constantFrom(...focus),
    quantity: quantities,
    priority: fc.integer({ min: -1, max: 1 }),
    startsInH: fc.option(hoursFrom(hasUnknowns ? -5 : 1), { freq: 3 }),
    lastsH: fc.option(hoursFrom(hasUnknowns ? -1 : 1), { freq: 2 }),
  });
  const grantOffer = record({
    kind: fc.constant('grant offer' as const),
    key,
    as,
    sku: hasUnknowns
      ? mostly(fc.constantFrom(...soldSkus), fc.constantFrom(...unsoldSkus))
      : fc.constantFrom(...soldSkus),
    times: mostly(fc.integer({ min: 1, max: 3 }), fc.constant(FAR_TOO_MANY)),
  });
  return [
    { weight: 5, arbitrary: grantUnits },
    { weight: 4, arbitrary: grantOffer },
  ];
}

/** Orders and what is told of their payments. */
export function orders(scope: Scope): Weighted[] {
  const quantity = mostly(fc.integer({ min: 1, max: 3 }), fc.constant(FAR_TOO_MANY));
  const order = record({
    kind: fc.constant('order' as const),
    key: keysOf(scope, 'k1'),
    lines: fc.array(record({ sku: mostly(fc.constantFrom(...soldSkus), fc.constantFrom(...unsoldSkus)), quantity }), {
      minLength: 1,
      maxLength: 3,
    }),
    lifetimeH: fc.integer({ min: 1, max: 48 }),
  });
  const confirm = record({
    kind: fc.constant('confirm' as const),
    key: keysOf(scope, 'k1', 'k2', 'k3'),
    order: mostly(fc.nat(3), fc.constant(NOBODYS_ORDER)),
    status: mostly(fc.constant('paid' as const), fc.constant('failed' as const)),
    payment: mostly(fc.constantFrom('p1', 'p2', 'p3', 'p4'), fc.constant(null)),
    amount: fc.constantFrom(null, null, null, 'right' as const, 'wrong' as const),
  });
  return [
    { weight: 6, arbitrary: order },
    { weight: 9, arbitrary: confirm },
  ];
}

/** Adjustments that take away, trials, and exchanges. */
export function gifts(scope: Scope): Weighted[] {
  const { hasUnknowns } = scope;
  const key = keysOf(scope, 'k1', 'k2', 'k3');
  const product = fc.nat(6);
  const takeAway = record({
    kind: fc.constant('take away' as const),
    key,
    product: hasUnknowns ? mostly(product, fc.constantFrom('UNKNOWN', 'RETIRED', 'VIP')) : product,
    quantity: fc.integer({ min: 1, max: 8 }),
  });
  const takeAllAway = record({
    kind: fc.constant('take all away' as const),
    product,
    and: fc.integer({ min: -1, max: 1 }),
  });
  const trialSku = fc.option(fc.constantFrom(...trialSkus), { freq: 3 });
  const trial = record({
    kind: fc.constant('trial' as const),
    key,
    who: fc.constantFrom<Person>('customer', ...people),
    sku: hasUnknowns ? mostly(trialSku, fc.constantFrom(...ungivenTrialSkus)) : trialSku,
    identities: fc.subarray(Object.keys(spellings), { maxLength: 3 }),
    override: mostly(fc.constant(false), fc.constant(true)),
  });
  return [
    { weight: 3, arbitrary: takeAway },
    { weight: 1, arbitrary: takeAllAway },
    { weight: 5, arbitrary: trial },
  ];
}

export function exchanges(scope: Scope): Weighted[] {
  const sku = fc.constantFrom(...exchangeSkus);
  const exchange = record({
    kind: fc.constant('exchange' as const),
    key: keysOf(scope, 'k1'),
    sku: scope.hasUnknowns
      ? fc.oneof({ weight: 5, arbitrary: sku }, { weight: 1, arbitrary: fc.constantFrom(...unexchangeableSkus) })
      : sku,
  });
  return [{ weight: 5, arbitrary: exchange }];
}

/** What is remembered beside the ledger. Of migrations few differ, so that a source id comes again with the same contents. */
export function remembered(scope: Scope): Weighted[] {
  const migrate = record({
    kind: fc.constant('migrate' as const),
    key: keysOf(scope, 'k1', 'k2', 'k3'),
    source: fc.constantFrom('s1', 's2', 's3'),
    product: mostly(fc.constantFrom('CREDITS', 'PASS'), fc.constantFrom('UNKNOWN', 'RETIRED')),
    quantity: mostly(fc.constant(1), fc.constant(6)),
    priority: fc.constant(0),
    startsInH: fc.option(fc.integer({ min: -30, max: 10 }), { freq: 2 }),
    lastsH: fc.option(fc.integer({ min: -1, max: 60 }), { freq: 2 }),
  });
  const identify = record({
    kind: fc.constant('identify' as const),
    key: keysOf(scope, 'k1'),
    who: fc.constantFrom(...people),
    profile: fc.option(
      fc.dictionary(fc.constantFrom('age', 'level', 'visits'), fc.nat(9), { maxKeys: 2, noNullPrototype: true }),
      { freq: 2 },
    ),
  });
  const refer = record({
    kind: fc.constant('refer' as const),
    key: fc.constant(null),
    referrer: fc.constantFrom(...people),
    referee: fc.constantFrom(...people),
  });
  return [
    { weight: 4, arbitrary: migrate },
    { weight: 4, arbitrary: identify },
    { weight: 3, arbitrary: refer },
    { weight: 3, arbitrary: fc.constant({ kind: 'refer back' as const }) },
  ];
}
