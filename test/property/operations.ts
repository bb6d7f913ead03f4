// The commands of a random workload and how they are drawn. A command is relative ("all but one", "the third order", "the next end"), so that
// it stays meaningful when others are taken out while shrinking; `resolve` makes an absolute request of it.
import fc from 'fast-check';
import { offers, type Subject, subjects } from './catalogue.js';
import type { Model } from './model.js';
import type { Request } from './requests.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A number of offers that gives too many units or too long a validity. */
const FAR_TOO_MANY = Number.MAX_SAFE_INTEGER;
/** Stands for an order that was never placed. */
const NOBODYS_ORDER = -1;

export type Command =
  | {
      kind: 'grant units';
      key: string | null;
      product: string;
      quantity: number;
      priority: number;
      /** From now; null is at once. */
      startsInH: number | null;
      /** From the start; null is for ever. */
      lastsH: number | null;
    }
  | { kind: 'grant offer'; key: string | null; sku: string; times: number }
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
  /** Sends an earlier request again. */
  | { kind: 'repeat'; request: number };

/** What a workload may contain beyond what the pure functions can be asked. */
export interface Scope {
  /** Idempotency keys and repeated requests. */
  hasKeys: boolean;
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

const unsoldOnes = ['IN_EUROS', 'NOT_SOLD', 'OF_RETIRED', 'FOR_COIN'];
const soldSkus = offers.map(({ sku }) => sku).filter((sku) => !unsoldOnes.includes(sku));
const unsoldSkus = [...unsoldOnes, 'UNKNOWN'];
const features = [{ feature: 'image' }, { feature: 'text' }];
const countedProducts = ['CREDITS', 'TOKENS', 'IMAGES', 'SKETCHES', 'PLAIN'];

/** Draws workloads of up to `commandsMax` commands. */
export function workloads(scope: Scope, commandsMax: number): fc.Arbitrary<Workload> {
  return record({
    startsAt: fc.constantFrom(...starts),
    commands: fc.array(commands(scope), { minLength: 1, maxLength: commandsMax, size: 'max' }),
  });
}

function commands({ hasKeys, hasUnknowns }: Scope): fc.Arbitrary<Command> {
  const key = hasKeys ? fc.option(fc.constantFrom('k1', 'k2', 'k3', 'k4', 'k5', 'k6'), { freq: 2 }) : fc.constant(null);
  const small = fc.integer({ min: 1, max: 12 });
  const subject = fc.constantFrom<Subject>(...subjects, ...features, ...features, ...features);
  const askedFor = hasUnknowns
    ? mostly(subject, fc.constantFrom<Subject>({ product: 'UNKNOWN' }, { feature: 'unknown' }, { product: 'RETIRED' }))
    : subject;
  const quantity = mostly(fc.integer({ min: 1, max: 3 }), fc.constant(FAR_TOO_MANY));
  const grantUnits = record({
    kind: fc.constant('grant units' as const),
    key,
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
    sku: hasUnknowns
      ? mostly(fc.constantFrom(...soldSkus), fc.constantFrom(...unsoldSkus))
      : fc.constantFrom(...soldSkus),
    times: quantity,
  });
  const order = record({
    kind: fc.constant('order' as const),
    key,
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
    ...(hasKeys ? [{ weight: 4, arbitrary: repeat }] : []),
  );
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
    case 'grant units': {
      const { kind, key, product, priority, startsInH, lastsH } = command;
      const validFrom = startsInH === null ? null : model.now + startsInH * HOUR_MS;
      const expiresAt = lastsH === null ? null : (validFrom ?? model.now) + lastsH * HOUR_MS;
      const quantity = product === 'PASS' && command.quantity < 10 ? 1 : command.quantity;
      return { kind, key, product, quantity, priority, validFrom, expiresAt };
    }
    case 'order': {
      const { kind, key, lines, lifetimeH } = command;
      return { kind, key, lines, lifetimeS: (lifetimeH * HOUR_MS) / 1_000 };
    }
    case 'confirm': {
      const { kind, key, status, payment } = command;
      const isNobodys = command.order === NOBODYS_ORDER;
      const order = isNobodys ? undefined : model.orders.at(-1 - (command.order % model.orders.length));
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
      const all = model.balanceOf(subject).remaining ?? 0;
      return { kind: 'consume', key: null, subject, amount: Math.max(1, all + command.and) };
    }
    case 'repeat':
      return earlier.length === 0 ? undefined : earlier[command.request % earlier.length];
    case 'grant offer':
    case 'consume':
      return command;
    default:
      return undefined;
  }
}

/** The instant to which a command moves the clock; undefined when it does not. */
export function resolveInstant(command: Command, model: Model): number | undefined {
  if (command.kind === 'wait') return model.now + command.ms;
  if (command.kind !== 'wait for') return undefined;
  const instants = [
    ...model.batches.flatMap(({ validFrom, expiresAt }) => [validFrom, expiresAt ?? 0]),
    ...model.orders.map(({ expiresAt }) => expiresAt),
  ].map((instant) => instant + command.offsetMs);
  const ahead = instants.filter((instant) => instant > model.now);
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}
