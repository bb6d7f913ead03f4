// Makes an absolute request, or an instant, of a relative command, given what the model knows. Asks nobody else.

import { type Subject, subjects } from './catalogue.js';
import type {
  AmountCommand,
  LifetimeCommand,
  LimitCommand,
  OperationCommand,
  OwnCommand,
  RefundCommand,
  ReservationCommand,
  SalesCommand,
  SubjectCommand,
  UseCommand,
  WorkCommand,
} from './commands.js';
import { NOBODYS_ORDER } from './draw-sales.js';
import type { Model } from './model.js';
import { usedIn, windowAt, windowsOf } from './model-limits.js';
import { balanceOf, holdingsOf } from './model-readers.js';
import type { ConsumeRequest, LimitTerms, Request, ReserveRequest } from './requests.js';

const HOUR_MS = 3_600_000;
/** An operation that the model does not know, because nobody asked for it. */
const NOBODYS: null = null;

/** The absolute request of a command, given what the model knows and the requests so far; undefined when there is nothing to ask. */
export function resolve(command: OwnCommand, model: Model, earlier: readonly Request[]): Request | undefined {
  switch (command.kind) {
    case 'wait':
    case 'wait for':
    case 'lag':
    case 'sweep':
      return undefined;
    case 'repeat': {
      const repeatable = earlier.filter(({ kind, key }) => key !== null || repeatsWithoutKey.includes(kind));
      return repeatable.at(-1 - (command.last % repeatable.length));
    }
    case 'refer back': {
      const last = earlier.findLast((request) => request.kind === 'refer');
      return last && { ...last, referrer: last.referee, referee: last.referrer };
    }
    case 'consume':
    case 'consume batch':
    case 'reserve':
    case 'commit':
    case 'release':
    case 'extend':
    case 'give back':
    case 'add credits':
    case 'deduct credits':
    case 'set limit':
    case 'remove limit':
      return resolveWork(command, model);
    default:
      return resolveSale(command, model);
  }
}

/** What is told to be the same by what it is about. */
const repeatsWithoutKey: readonly Request['kind'][] = ['confirm', 'migrate', 'commit', 'release', 'refund', 'dispute'];

function resolveSale(command: Exclude<SalesCommand, { kind: 'refer back' }>, model: Model): Request | undefined {
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
      const quantity = atLeastOne({ allAnd: command.and }, balanceOf(model.wallet, { product }).remaining ?? 0);
      return { kind: 'take away', key: null, product, quantity };
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
    case 'refund':
    case 'refund failed':
    case 'dispute':
    case 'dispute ends':
      return resolveRefund(command, model);
    default:
      return command;
  }
}

function resolveRefund(command: RefundCommand, model: Model): Request | undefined {
  const { orders, afterSale } = model;
  const told = { 'refund failed': afterSale.refunds, 'dispute ends': afterSale.disputes };
  if (command.kind === 'refund failed') {
    const named = told[command.kind].filter(({ id }) => id !== null);
    const last = named.at(-1 - (command.last % named.length));
    const order = last?.order ?? orders.list.at(-1)?.place;
    const id = command.id ?? last?.id;
    if (order === undefined || !id) return undefined;
    return { kind: 'refund', key: null, order, id, status: 'failed', what: 'whole', dispute: null, policy: 'ignore' };
  }
  if (command.kind === 'dispute ends') {
    const last = told[command.kind].at(-1 - (command.last % told[command.kind].length));
    if (!last) return undefined;
    const { order, id } = last;
    return { kind: 'dispute', key: null, order, id, status: command.status, amount: null, policy: 'ignore' };
  }
  const [wantsPaid, last] = command.order === 'unpaid' ? [false, 0] : [true, command.order];
  const fitting = orders.list.filter((order) => (order.paid !== undefined) === wantsPaid);
  const order = (fitting.length > 0 ? fitting : orders.list).at(-1 - (last % Math.max(1, fitting.length)));
  if (!order) return undefined;
  const { place, total } = order;
  const { key, id, policy } = command;
  if (command.kind === 'dispute') {
    const { status, twelfths } = command;
    const amount = twelfths === null ? null : partOf(Number(total), twelfths);
    return { kind: 'dispute', key, order: place, id: command.id, status, amount, policy };
  }
  const rest = Number(total) - Number(afterSale.standingOf(order).refunded.replace('.', ''));
  const { what } = command;
  const of = afterSale.disputes.filter((dispute) => dispute.order === place).at(-1)?.id ?? null;
  return {
    ...{ kind: 'refund' as const, key, order: place, id, status: 'succeeded' as const, policy },
    what: typeof what === 'object' && 'twelfths' in what ? { amount: partOf(rest, what.twelfths) } : what,
    dispute: command.dispute === 'of it' ? of : command.dispute,
  };
}

/** Twelfths of an amount, in whole hundredths. */
function partOf(hundredths: number, twelfths: number): number {
  return Math.ceil((hundredths * twelfths) / 12);
}

function resolveWork(command: WorkCommand, model: Model): Request | undefined {
  switch (command.kind) {
    case 'consume':
      return resolveUse(command, model);
    case 'consume batch':
      return { ...command, items: command.items.map((item) => resolveUse(item, model)) };
    case 'reserve': {
      const { amount, lifetime } = command;
      const subject = findSubject(command.subject, model);
      const all = balanceOf(model.wallet, subject).remaining ?? 0;
      const until = lifetime && toLifetime(lifetime, model.wallet.now);
      return { ...command, subject, amount: atLeastOne(amount, all), lifetime: until };
    }
    case 'commit': {
      const { kind, key, of, amount, allowExcess } = command;
      const reservation = findReservation(of, model);
      if (reservation === undefined) return undefined;
      const { amount: held = 1, committed = 1 } =
        model.wallet.reservations.find(({ place }) => place === reservation) ?? {};
      const wanted = amount === 'all' ? null : amount === 'again' ? Math.max(1, committed) : Math.max(1, held + amount);
      return { kind, key, reservation, amount: wanted, allowExcess };
    }
    case 'release':
    case 'extend': {
      const { of, ...rest } = command;
      const reservation = findReservation(of, model);
      return reservation === undefined ? undefined : { ...rest, reservation };
    }
    case 'give back': {
      const { of, amount, ...rest } = command;
      const operation = findOperation(of, model);
      if (operation === undefined) return undefined;
      const all = model.operations.leftOf(operation ?? -1);
      return { ...rest, operation, amount: amount === null ? null : atLeastOne(amount, all) };
    }
    case 'add credits': {
      const { lastsH, ...rest } = command;
      return { ...rest, expiresAt: lastsH === null ? null : model.wallet.now + lastsH * HOUR_MS };
    }
    case 'deduct credits': {
      const all = balanceOf(model.wallet, { product: command.product }).remaining ?? 0;
      return { ...command, amount: atLeastOne(command.amount, all) };
    }
    default:
      return resolveLimit(command, model);
  }
}

function resolveLimit(command: LimitCommand, model: Model): Request | undefined {
  const { limits, now } = model.wallet;
  if (command.kind === 'remove limit') {
    const subject = command.limit === 'nobodys' ? { product: 'PLAIN' } : limits[command.limit % limits.length]?.subject;
    return subject && { kind: 'remove limit', key: null, subject };
  }
  const { kind, enforcement } = command;
  const subject = findSubject(command.subject, model);
  const windows: LimitTerms['windows'] = {};
  for (const window of windowsOf(command)) {
    const most = command.windows[window] ?? null;
    windows[window] =
      most === null || typeof most === 'number'
        ? most
        : usedIn(model.wallet, subject, windowAt(window, now)) + most.usedAnd;
  }
  return { kind, key: null, subject, windows, enforcement };
}

function resolveUse(command: UseCommand, model: Model): ConsumeRequest {
  const subject = findSubject(command.subject, model);
  const all = balanceOf(model.wallet, subject).remaining ?? 0;
  return { ...command, subject, amount: atLeastOne(command.amount, all) };
}

function findSubject(subject: SubjectCommand, { wallet }: Model): Subject {
  if (typeof subject !== 'number') return subject;
  const usable = subjects.filter((candidate) => balanceOf(wallet, candidate).canUse);
  return usable[subject % usable.length] ?? { feature: 'image' };
}

function atLeastOne(amount: AmountCommand, all: number): number {
  return Math.max(1, typeof amount === 'number' ? amount : all + amount.allAnd);
}

function toLifetime({ seconds, as }: LifetimeCommand, now: number): ReserveRequest['lifetime'] {
  if (as === 'length' && seconds > 0) return { seconds };
  return { until: now + seconds * 1_000 };
}

/** Its place; null when it is nobody's, undefined when there is none. */
function findReservation({ among, last }: ReservationCommand, { wallet }: Model): number | null | undefined {
  if (among === 'nobodys') return wallet.reservations.length === 0 ? undefined : NOBODYS;
  const own = wallet.reservations.filter(({ status }) => (status === 'held') === (among === 'open'));
  const from = own.length > 0 ? own : wallet.reservations;
  return from.at(-1 - (last % from.length))?.place;
}

/** Its place; null when it is nobody's, undefined when there is none. */
function findOperation({ among, last }: OperationCommand, { operations }: Model): number | null | undefined {
  if (among === 'nobodys') return operations.list.length === 0 ? undefined : NOBODYS;
  const own = operations.list.flatMap(({ uses }, place) => (among === 'all' || uses.length > 0 ? [place] : []));
  return own.at(-1 - (last % own.length));
}

function heldProduct(place: number, model: Model): string {
  const held = Object.entries(holdingsOf(model.wallet).balances).filter(([, available]) => available > 0);
  return held[place % held.length]?.[0] ?? 'CREDITS';
}

/** The instant to which a command moves the clock; undefined when it does not. */
export function resolveInstant(command: OwnCommand, model: Model): number | undefined {
  const { now, batches, reservations, limits } = model.wallet;
  if (command.kind === 'wait') return now + command.ms;
  if (command.kind !== 'wait for') return undefined;
  const held = batches.filter((batch) => batch.held > 0).map(({ expiresAt }) => expiresAt ?? 0);
  const instants = [
    ...batches.flatMap(({ validFrom, expiresAt }) => [validFrom, expiresAt ?? 0]),
    ...model.orders.list.map(({ expiresAt }) => expiresAt),
    ...reservations.map(({ endsAt }) => endsAt),
  ];
  const ends = limits.flatMap((limit) => windowsOf(limit).map((window) => windowAt(window, now).end));
  const wanted = { anything: instants, 'held batch': held, window: ends }[command.what];
  const ahead = wanted.map((instant) => instant + command.offsetMs).filter((instant) => instant > now);
  const soonest = Math.min(...ahead);
  return soonest === Infinity ? undefined : soonest;
}
