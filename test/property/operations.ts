// The commands of a random workload and how they are drawn. A command is relative ("all but one", "the third order", "the next end"), so that
// it stays meaningful when others are taken out while shrinking; `resolve` makes an absolute request of it.
import fc from 'fast-check';
import {
  exchangeOffers,
  moneyOffers,
  type Person,
  people,
  type Subject,
  spellings,
  subjects,
  trialOffers,
} from './catalogue.js';
import type { Model } from './model.js';
import type { GivenAs, Request } from './requests.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A number of offers that gives too many units or too long a validity. */
const FAR_TOO_MANY = Number.MAX_SAFE_INTEGER;
/** Stands for an order that was never placed. */
const NOBODYS_ORDER = -1;

export type Command =
  | ({ kind: 'grant units'; key: string | null; as: GivenAs } & UnitsCommand)
  | { kind: 'grant offer'; key: string | null; as: GivenAs; sku: string; times: number }
  /** A product by name, or by its place among those held. */
  | { kind: 'take away'; key: string | null; product: string | number; quantity: number }
  /** All that there is and so many more. */
  | { kind: 'take all away'; product: number; and: number }
  | ({ kind: 'migrate'; key: string | null; source: string } & UnitsCommand)
  | Extract<Request, { kind: 'trial' | 'exchange' | 'identify' | 'refer' }>
  /** The last referral the other way round. */
  | { kind: 'refer back' }
  | { kind: 'order'; key: string | null; lines: { sku: string; quantity: number }[]; lifetimeH: number }
  | {
      kind: 'confirm';
      key: string | null;
      /** Counted from the last one, which can most likely still be paid. */
      order: number;
      status: 'paid' | 'failed';
      payment: string | null;
      amount: 'right' | 'wrong' | null;
    }
  | { kind: 'consume'; key: string | null; subject: Subject; amount: number }
  /** All that there is and so many more. */
  | { kind: 'consume all'; subject: Subject; and: number }
  | { kind: 'wait'; ms: number }
  /** Until so many milliseconds after the next start or end of a batch or order. */
  | { kind: 'wait for'; offsetMs: number }
  /** Sends an earlier request again, of those that can be told to be the same. */
  | { kind: 'repeat'; request: number };

interface UnitsCommand {
  product: string;
  quantity: number;
  priority: number;
  /** From now; null is at once. */
  startsInH: number | null;
  /** From the start; null is for ever. */
  lastsH: number | null;
}

/** What a workload may contain beyond what the pure functions can be asked. */
export interface Scope {
  /** Idempotency keys and repeated requests, and what else is remembered beside the ledger: source ids, profiles, referrals. */
  hasMemory: boolean;
  /** Names and validities that are refused before the pure functions are reached. */
  hasUnknowns: boolean;
}

export interface Workload {
  startsAt: string;
  commands: Command[];
}

/** Ends of months, of years and of leap days, where calendars go wrong. */
const starts = [
  '2026-01-31T12:00:00.000Z',
  '2024-02-29T23:59:59.999Z',
  '2026-08-31T00:00:00.000Z',
  '2027-12-31T23:30:00.000Z',
];

const unsoldOnes = ['IN_EUROS', 'NOT_SOLD', 'OF_RETIRED'];
const soldSkus = moneyOffers.map(({ sku }) => sku).filter((sku) => !unsoldOnes.includes(sku));
const unsoldSkus = [...unsoldOnes, 'FOR_COIN', 'UNKNOWN'];
const exchangeSkus = exchangeOffers.map(({ sku }) => sku);
const unexchangeableSkus = [
  ...['CREDITS_10', 'FOR_NO_COIN', 'NOTHING_FOR_COIN', 'NO_MORE_FOR_COIN', 'RETIRED_FOR_COIN', 'NOT_SOLD', 'UNKNOWN'],
];
const trialSkus = trialOffers.map(({ sku }) => sku);
const ungivenTrialSkus = ['CREDITS_10', 'TRIAL_OLD', 'TRIAL_OF_RETIRED', 'FOR_COIN', 'UNKNOWN'];
const features = [{ feature: 'image' }, { feature: 'text' }];
const countedProducts = ['CREDITS', 'TOKENS', 'IMAGES', 'SKETCHES', 'PLAIN', 'COIN'];

/** Draws workloads of so many commands, after what they begin with. */
export function workloads(scope: Scope, length: { min: number; max: number }): fc.Arbitrary<Workload> {
  return record({
    startsAt: fc.constantFrom(...starts),
    commands: fc
      .tuple(
        fc.array(grantOfCoins, { maxLength: 2 }),
        fc.array(commands(scope), { minLength: length.min, maxLength: length.max, size: 'max' }),
      )
      .map(([coins, others]): Command[] => [...coins, ...others]),
  });
}

/** Most begin with something to exchange, in batches that are not used in the order in which they came. */
const grantOfCoins = record({
  kind: fc.constant('grant units' as const),
  key: fc.constant(null),
  as: fc.constant('bonus' as const),
  product: fc.constant('COIN'),
  quantity: fc.integer({ min: 1, max: 9 }),
  priority: fc.integer({ min: -1, max: 1 }),
  startsInH: fc.constant(null),
  lastsH: fc.option(fc.integer({ min: 1, max: 60 })),
});

function commands(scope: Scope): fc.Arbitrary<Command> {
  const { hasMemory, hasUnknowns } = scope;
  const keyOf = (...keys: string[]) =>
    hasMemory ? fc.option(fc.constantFrom(...keys), { freq: 2 }) : fc.constant(null);
  const key = keyOf('k1', 'k2', 'k3');
  const sameKey = keyOf('k1');
  const as = mostly<GivenAs, GivenAs>(fc.constant('bonus'), fc.constant('adjustment'));
  const small = fc.integer({ min: 1, max: 12 });
  const subject = fc.constantFrom<Subject>(...subjects, ...features, ...features, ...features);
  const askedFor = hasUnknowns
    ? mostly(subject, fc.constantFrom<Subject>({ product: 'UNKNOWN' }, { feature: 'unknown' }, { product: 'RETIRED' }))
    : subject;
  const quantity = mostly(fc.integer({ min: 1, max: 3 }), fc.constant(FAR_TOO_MANY));
  const grantUnits = record({
    kind: fc.constant('grant units' as const),
    key,
    as,
    product: hasUnknowns
      ? mostly(fc.constantFrom(...countedProducts, 'PASS'), fc.constantFrom('UNKNOWN', 'RETIRED', 'VIP'))
      : fc.constantFrom(...countedProducts),
    quantity: small,
    priority: fc.integer({ min: -1, max: 1 }),
    startsInH: fc.option(fc.integer({ min: hasUnknowns ? -5 : 1, max: 30 }), { freq: 3 }),
    lastsH: fc.option(fc.integer({ min: hasUnknowns ? -1 : 1, max: 60 })),
  });
  const grantOffer = record({
    kind: fc.constant('grant offer' as const),
    key,
    as,
    sku: hasUnknowns
      ? mostly(fc.constantFrom(...soldSkus), fc.constantFrom(...unsoldSkus))
      : fc.constantFrom(...soldSkus),
    times: quantity,
  });
  const order = record({
    kind: fc.constant('order' as const),
    key: sameKey,
    lines: fc.array(record({ sku: mostly(fc.constantFrom(...soldSkus), fc.constantFrom(...unsoldSkus)), quantity }), {
      minLength: 1,
      maxLength: 3,
    }),
    lifetimeH: fc.integer({ min: 1, max: 48 }),
  });
  const confirm = record({
    kind: fc.constant('confirm' as const),
    key,
    order: mostly(fc.nat(3), fc.constant(NOBODYS_ORDER)),
    status: mostly(fc.constant('paid' as const), fc.constant('failed' as const)),
    payment: mostly(fc.constantFrom('p1', 'p2', 'p3', 'p4'), fc.constant(null)),
    amount: fc.constantFrom(null, null, null, 'right' as const, 'wrong' as const),
  });
  const consume = record({ kind: fc.constant('consume' as const), key, subject: askedFor, amount: small });
  const consumeAll = record({
    kind: fc.constant('consume all' as const),
    subject: askedFor,
    and: fc.integer({ min: -1, max: 1 }),
  });
  const wait = record({
    kind: fc.constant('wait' as const),
    ms: fc.oneof(
      fc.integer({ min: 1, max: 40 * HOUR_MS }),
      fc.integer({ min: 1, max: 70 }).map((days) => days * DAY_MS),
    ),
  });
  const waitFor = record({ kind: fc.constant('wait for' as const), offsetMs: fc.integer({ min: -1, max: 1 }) });
  const repeat = record({ kind: fc.constant('repeat' as const), request: fc.nat(20) });
  return fc.oneof(
    { weight: 5, arbitrary: grantUnits },
    { weight: 4, arbitrary: grantOffer },
    { weight: 4, arbitrary: order },
    { weight: 6, arbitrary: confirm },
    { weight: 6, arbitrary: consume },
    { weight: 3, arbitrary: consumeAll },
    { weight: 1, arbitrary: wait },
    { weight: 3, arbitrary: waitFor },
    ...gifts(scope, key, sameKey),
    ...(hasMemory ? [{ weight: 9, arbitrary: repeat }, ...remembered(key, sameKey)] : []),
  );
}

/** Idempotency keys, or none. */
type Keys = fc.Arbitrary<string | null>;
type Weighted = fc.WeightedArbitrary<Command>;

/** Adjustments that take away, trials, and exchanges. */
function gifts({ hasUnknowns }: Scope, key: Keys, sameKey: Keys): Weighted[] {
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
  const exchangeSku = fc.constantFrom(...exchangeSkus);
  const exchange = record({
    kind: fc.constant('exchange' as const),
    key: sameKey,
    sku: hasUnknowns
      ? fc.oneof(
          { weight: 5, arbitrary: exchangeSku },
          { weight: 1, arbitrary: fc.constantFrom(...unexchangeableSkus) },
        )
      : exchangeSku,
  });
  return [
    { weight: 3, arbitrary: takeAway },
    { weight: 1, arbitrary: takeAllAway },
    { weight: 5, arbitrary: trial },
    { weight: 4, arbitrary: exchange },
  ];
}

/** What is remembered beside the ledger. Of migrations few differ, so that a source id comes again with the same contents. */
function remembered(key: Keys, sameKey: Keys): Weighted[] {
  const migrate = record({
    kind: fc.constant('migrate' as const),
    key,
    source: fc.constantFrom('s1', 's2', 's3'),
    product: mostly(fc.constantFrom('CREDITS', 'PASS'), fc.constantFrom('UNKNOWN', 'RETIRED')),
    quantity: mostly(fc.constant(1), fc.constant(6)),
    priority: fc.constant(0),
    startsInH: fc.option(fc.integer({ min: -30, max: 10 }), { freq: 2 }),
    lastsH: fc.option(fc.integer({ min: -1, max: 60 }), { freq: 2 }),
  });
  const identify = record({
    kind: fc.constant('identify' as const),
    key: sameKey,
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
    { weight: 2, arbitrary: refer },
    { weight: 2, arbitrary: fc.constant({ kind: 'refer back' as const }) },
  ];
}

/** A plain object, which prints as one. */
function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true });
}

function mostly<A, B>(usual: fc.Arbitrary<A>, odd: fc.Arbitrary<B>): fc.Arbitrary<A | B> {
  return fc.oneof({ weight: 15, arbitrary: usual }, { weight: 1, arbitrary: odd });
}

/** The absolute request of a command, given what the model knows and the requests so far; undefined when there is nothing to ask. */
export function resolve(command: Command, model: Model, earlier: readonly Request[]): Request | undefined {
  switch (command.kind) {
    case 'grant units':
    case 'migrate': {
      const { startsInH, lastsH, ...rest } = command;
      const validFrom = startsInH === null ? null : model.wallet.now + startsInH * HOUR_MS;
      const expiresAt = lastsH === null ? null : (validFrom ?? model.wallet.now) + lastsH * HOUR_MS;
      const quantity = rest.product === 'PASS' && rest.quantity < 10 ? 1 : rest.quantity;
      return { ...rest, quantity, validFrom, expiresAt };
    }
    case 'take away': {
      const { product } = command;
      return { ...command, product: typeof product === 'number' ? heldProduct(product, model) : product };
    }
    case 'take all away': {
      const product = heldProduct(command.product, model);
      const all = model.wallet.balanceOf({ product }).remaining ?? 0;
      return { kind: 'take away', key: null, product, quantity: Math.max(1, all + command.and) };
    }
    case 'order': {
      const { kind, key, lines, lifetimeH } = command;
      return { kind, key, lines, lifetimeS: (lifetimeH * HOUR_MS) / 1_000 };
    }
    case 'confirm': {
      const { kind, key, status, payment } = command;
      const isNobodys = command.order === NOBODYS_ORDER;
      const order = isNobodys ? undefined : model.orders.list.at(-1 - (command.order % model.orders.list.length));
      if (!order && !isNobodys) return undefined;
      const isPayment = payment !== null && status === 'paid';
      const amount =
        command.amount === null || !order || !isPayment
          ? null
          : Number(order.total) + (command.amount === 'right' ? 0 : 1);
      return { kind, key, order: order?.place ?? null, status, payment, amount };
    }
    case 'consume all': {
      const { subject } = command;
      const all = model.wallet.balanceOf(subject).remaining ?? 0;
      return { kind: 'consume', key: null, subject, amount: Math.max(1, all + command.and) };
    }
    case 'refer back': {
      const last = earlier.findLast((request) => request.kind === 'refer');
      return last && { ...last, referrer: last.referee, referee: last.referrer };
    }
    case 'repeat': {
      const repeatable = earlier.filter(({ kind, key }) => key !== null || kind === 'confirm' || kind === 'migrate');
      return repeatable.length === 0 ? undefined : repeatable[command.request % repeatable.length];
    }
    case 'wait':
    case 'wait for':
      return undefined;
    default:
      return command;
  }
}

function heldProduct(place: number, model: Model): string {
  const held = Object.entries(model.wallet.holdings().balances).filter(([, available]) => available > 0);
  return held[place % held.length]?.[0] ?? 'CREDITS';
}

/** The instant to which a command moves the clock; undefined when it does not. */
export function resolveInstant(command: Command, model: Model): number | undefined {
  if (command.kind === 'wait') return model.wallet.now + command.ms;
  if (command.kind !== 'wait for') return undefined;
  const instants = [
    ...model.wallet.batches.flatMap(({ validFrom, expiresAt }) => [validFrom, expiresAt ?? 0]),
    ...model.orders.list.map(({ expiresAt }) => expiresAt),
  ].map((instant) => instant + command.offsetMs);
  const ahead = instants.filter((instant) => instant > model.wallet.now);
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}
