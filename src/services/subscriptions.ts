// Subscriptions: a customer's plans, from the first period to the last. What time does to them is settled with all else that falls due.
import type { Call, RecordedAnswer, Render } from '../call.js';
import { findOrderableOffers } from '../db/catalog.js';
import type { Tx } from '../db/client.js';
import { findFamilyIds, listIdentityKeys } from '../db/customers.js';
import { countPlaces } from '../db/offer-places.js';
import { findOrdersOf } from '../db/orders.js';
import {
  findSubscription,
  listCurrent,
  listPeriods,
  listRunning,
  listSteps,
  listSubscriptions,
  type StoredStep,
  type SubscriptionsAsked,
} from '../db/subscriptions.js';
import { findUsedTrial } from '../db/trials.js';
import type { Deps } from '../deps.js';
import { requireCustomer, requireOwner } from '../engine/customers.js';
import type { Decision } from '../engine/operation.js';
import { assertLocked, lockingOthers } from '../engine/others.js';
import { settleDue } from '../engine/reads.js';
import type { Selector } from '../engine/selector.js';
import type { Book } from '../ledger/book.js';
import { asksOf } from '../ledger/grant.js';
import type { Order } from '../ledger/order-entities.js';
import { effectiveStatus } from '../ledger/orders.js';
import { isSamePeriod } from '../ledger/plan-periods.js';
import type {
  KnownSubscription,
  OldUnits,
  Period,
  RunningPeriod,
  Subscription,
} from '../ledger/subscription-entities.js';
import {
  subscribe as begin,
  cancelSubscription as cancel,
  changePlan,
  renewSubscription as renew,
  resumeSubscription as resume,
  type SubscriptionOutcome,
} from '../ledger/subscriptions.js';
import { fingerprintsOf, identitiesOf, type TrialIdentity, trialsAsked } from '../ledger/trials.js';
import { required } from '../lib/assert.js';
import type { Metadata } from '../lib/metadata.js';

/** A subscription, and the order that pays what comes next, where one was made or waits. */
export interface SubscriptionResult {
  subscription: Subscription;
  order: Order | null;
  /** Whether anything was changed. */
  isNew: boolean;
}

export interface SubscribeCommand {
  sku: string;
  /** Whether the plan's trial is wanted, if it has one. */
  trial: boolean;
  /** Identities beside the customer's own, by type, which had no trial before. */
  identities: TrialIdentity[];
  metadata: Metadata;
}

/**
 * Subscribes a customer to a plan. Creates the customer on first sight.
 * Locks: the customer, then the trial claims. Throws: offer_not_found, offer_not_plan, offer_inactive, offer_exchange_only, product_inactive, already_unlimited,
 * too_many_batches, quantity_too_large, offer_limit_reached, subscription_exists, customer_not_found, selector_conflict, idempotency_key_reused, unavailable.
 */
export async function subscribe(
  deps: Deps,
  selector: Selector,
  command: SubscribeCommand,
  call: Call,
  render: Render<SubscriptionResult>,
): Promise<RecordedAnswer> {
  return lockingOthers((alsoLocks) =>
    deps.engine.run({
      name: 'subscription.create',
      selector,
      alsoLocks,
      call,
      request: { ...command, identities: fingerprintsOf(command.identities, deps.config.pepper) },
      load: async (tx, customerId) => {
        const [offers, own, familyIds, current] = await Promise.all([
          findOrderableOffers(tx, [command.sku]),
          listIdentityKeys(tx, customerId),
          findFamilyIds(tx, customerId),
          listCurrent(tx, [customerId]),
        ]);
        const offer = offers.get(command.sku);
        const orders = await findOrdersOf(tx, current);
        const orderId = current.find(({ plan }) => plan.sku === command.sku)?.orderId ?? null;
        const order = orders.find(({ id }) => id === orderId);
        const isAsked = command.trial && offer?.plan?.trial != null;
        const identities = identitiesOf(familyIds, own, command.identities);
        const asked = isAsked ? trialsAsked(identities, [offer], deps.config.pepper) : undefined;
        return { offer, order, orders, claims: asked?.claims ?? [], traces: asked?.traces };
      },
      loadMore: async (tx, { offer, traces }, customerId, now, familyIds) => {
        const [usedBy, places, elsewhere] = await Promise.all([
          traces && findUsedTrial(tx, traces),
          countPlaces(tx, familyIds, offer ? [offer] : [], now),
          listElsewhere(tx, customerId, familyIds, now),
        ]);
        return { usedBy, places, elsewhere };
      },
      needs: ({ offer }) => ({ asks: asksOf(offer?.terms ?? []), plans: true }),
      decide: ({
        book,
        loaded: { offer, order: known, orders, claims },
        more: { usedBy, places, elsewhere },
        operationId,
      }) => {
        const hasTrial = claims.length > 0 && usedBy === undefined;
        const { sku, metadata } = command;
        assertLocked(book, orders);
        for (const current of book.plans.subscriptions) current.orders = orders;
        addElsewhere(book, elsewhere);
        const order = known ? { ...known, status: effectiveStatus(known, book.now) } : null;
        const result = begin(book, { offer, sku, hasTrial, places, order, metadata, operationId });
        if (result.outcome === 'accepted' && result.subscription.status === 'trialing')
          book.changes.trialUses.push(...claims.map((claim) => ({ ...claim, operationId })));
        return toDecision(result);
      },
      render,
    }),
  );
}

function toDecision({ outcome, ...result }: SubscriptionOutcome): Decision<SubscriptionResult> {
  return { outcome, result: { ...result, isNew: outcome === 'accepted' } };
}

/** What runs of others of a customer's family: it counts as his, so that merging mints nothing. */
function listElsewhere(tx: Tx, customerId: string, familyIds: readonly string[], now: Date): Promise<RunningPeriod[]> {
  return listRunning(
    tx,
    familyIds.filter((id) => id !== customerId),
    now,
  );
}

/** Those that run in ledgers in which one of his subscriptions was before are among his already. */
function addElsewhere({ plans }: Book, elsewhere: readonly RunningPeriod[]): void {
  const known = plans.running;
  plans.running = [...known, ...elsewhere.filter((one) => !known.some((other) => isSamePeriod(one, other)))];
}

/** What an operation of one subscription loads beside the book: its orders, of what comes next and of a change. */
interface LoadedSubscription {
  /** Undefined of one that a merge has just taken elsewhere: nothing is decided here then. */
  stored: Subscription | undefined;
  orders: Order[];
}

async function loadOne(tx: Tx, customerId: string, id: string): Promise<LoadedSubscription> {
  const stored = await findSubscription(tx, customerId, id);
  return { stored, orders: stored ? await findOrdersOf(tx, [stored]) : [] };
}

/** The subscription of the book, as it is now; one that has ended is not in it. */
function knownIn(book: Book, loaded: LoadedSubscription): KnownSubscription {
  const { orders } = loaded;
  const stored = required(loaded.stored, 'it was found before');
  const known = book.plans.subscriptions.find(({ subscription }) => subscription.id === stored.id);
  if (!known) return { subscription: stored, ahead: [], lines: new Map(), allocated: [] };
  known.orders = orders;
  return known;
}

/** An order of a subscription, with its status of now: as it was loaded, or as a turn has just made it. */
function orderIn(book: Book, { orders }: LoadedSubscription, id: string | null | undefined): Order | null {
  const order = [...orders, ...book.changes.newOrders].find((one) => one.id === id);
  return order ? { ...order, status: effectiveStatus(order, book.now) } : null;
}

function ofSubscription(selector: Selector, id: string) {
  return {
    selector: { ...selector, owned: { kind: 'subscription' as const, id } },
    load: (tx: Tx, customerId: string) => loadOne(tx, customerId, id),
    needs: ({ stored }: LoadedSubscription) => ({ asks: asksOf(stored?.plan.terms ?? []), plans: true }),
  };
}

export interface ChangeCommand {
  /** It is only told what would become of it. */
  isDryRun: boolean;
  sku: string;
  when: 'now' | 'period_end';
  oldUnits: OldUnits;
}

/**
 * Changes the plan of a subscription. Locks: the customer. Throws: subscription_not_found, offer_not_found, offer_not_plan, offer_inactive, offer_exchange_only,
 * product_inactive, already_unlimited, too_many_batches, quantity_too_large, other_plan_group, subscription_unchanged,
 * change_paid, subscription_incomplete, subscription_ended, * customer_not_found, selector_conflict, idempotency_key_reused, unavailable.
 */
export async function changeSubscription(
  deps: Deps,
  selector: Selector,
  id: string,
  command: ChangeCommand,
  call: Call,
  render: Render<SubscriptionResult>,
): Promise<RecordedAnswer> {
  return lockingOthers((alsoLocks) =>
    deps.engine.run({
      name: 'subscription.change',
      ...ofSubscription(selector, id),
      alsoLocks,
      call,
      isDryRun: command.isDryRun,
      request: { id, ...command, isDryRun: command.isDryRun || undefined },
      load: async (tx, customerId) => {
        const [one, offers] = await Promise.all([loadOne(tx, customerId, id), findOrderableOffers(tx, [command.sku])]);
        return { ...one, offer: offers.get(command.sku) };
      },
      needs: ({ stored, offer }) => ({
        asks: asksOf([...(stored?.plan.terms ?? []), ...(offer?.terms ?? [])]),
        plans: true,
        allocatedOf: command.oldUnits === 'reset' ? id : undefined,
      }),
      loadMore: (tx, _loaded, customerId, now, familyIds) => listElsewhere(tx, customerId, familyIds, now),
      decide: ({ book, loaded, more: elsewhere, operationId }) => {
        assertLocked(book, loaded.orders);
        addElsewhere(book, elsewhere);
        const known = knownIn(book, loaded);
        const order = orderIn(book, loaded, known.subscription.change?.orderId);
        return toDecision(changePlan(book, known, { ...command, offer: loaded.offer, order, operationId }));
      },
      render,
    }),
  );
}

/**
 * Cancels a subscription now, or with its period. Locks: the customer. Throws: subscription_not_found, subscription_ended, customer_not_found, selector_conflict,
 * idempotency_key_reused, unavailable.
 */
export async function cancelSubscription(
  deps: Deps,
  selector: Selector,
  id: string,
  when: 'now' | 'period_end',
  call: Call,
  render: Render<SubscriptionResult>,
): Promise<RecordedAnswer> {
  return lockingOthers((alsoLocks) =>
    deps.engine.run({
      name: 'subscription.cancel',
      ...ofSubscription(selector, id),
      alsoLocks,
      call,
      request: { id, when },
      decide: ({ book, loaded, operationId }) => {
        assertLocked(book, loaded.orders);
        const known = knownIn(book, loaded);
        const { orderId, change } = known.subscription;
        const orders = [orderId, change?.orderId].map((one) => orderIn(book, loaded, one));
        return toDecision(cancel(book, known, orders, { when, operationId }));
      },
      render,
    }),
  );
}

/**
 * Takes a scheduled cancellation back. Locks: the customer. Throws: subscription_not_found, subscription_ended, customer_not_found, selector_conflict,
 * idempotency_key_reused, unavailable.
 */
export async function resumeSubscription(
  deps: Deps,
  selector: Selector,
  id: string,
  call: Call,
  render: Render<SubscriptionResult>,
): Promise<RecordedAnswer> {
  return deps.engine.run({
    name: 'subscription.resume',
    ...ofSubscription(selector, id),
    call,
    request: { id },
    decide: ({ book, loaded, operationId }) => toDecision(resume(book, knownIn(book, loaded), operationId)),
    render,
  });
}

/**
 * Makes the order that pays the next period, or answers the one that waits. Locks: the customer. Throws: subscription_not_found, subscription_ended,
 * subscription_incomplete, subscription_not_renewable, customer_not_found, selector_conflict, idempotency_key_reused, unavailable.
 */
export async function renewSubscription(
  deps: Deps,
  selector: Selector,
  id: string,
  call: Call,
  render: Render<SubscriptionResult>,
): Promise<RecordedAnswer> {
  return deps.engine.run({
    name: 'subscription.renew',
    ...ofSubscription(selector, id),
    call,
    request: { id },
    decide: ({ book, loaded, operationId }) => {
      const known = knownIn(book, loaded);
      return toDecision(renew(book, known, orderIn(book, loaded, known.subscription.orderId), operationId));
    },
    render,
  });
}

/** A subscription with the last of its periods, and what became of it. */
export interface SubscriptionInFull {
  subscription: Subscription;
  periods: Period[];
  steps: StoredStep[];
}

/**
 * A subscription as it is now: what has fallen due is settled first. Throws: subscription_not_found (also of another customer than the selector names),
 * customer_not_found, selector_conflict, unavailable.
 */
export async function getSubscription(deps: Deps, selector: Selector, id: string): Promise<SubscriptionInFull> {
  const { customerId } = await requireOwner(deps, { kind: 'subscription', id }, selector);
  await settleDue(deps, customerId);
  const found = await findSubscription(deps.db, customerId, id);
  // It may just have gone on elsewhere.
  if (!found) return getSubscription(deps, selector, id);
  const [periods, steps] = await Promise.all([listPeriods(deps.db, found), listSteps(deps.db, found)]);
  return { subscription: found, periods, steps };
}

/**
 * One page of subscriptions, newest first; of one customer, as they are now, where one is named, else as they were when they turned last.
 * Throws: customer_not_found, selector_conflict, unavailable.
 */
export async function getSubscriptions(
  deps: Deps,
  { selector, ...asked }: Omit<SubscriptionsAsked, 'customerIds'> & { selector: Selector | undefined },
): Promise<Subscription[]> {
  const reader = selector && (await requireCustomer(deps, selector));
  if (reader?.isDue) await settleDue(deps, reader.customerId);
  return listSubscriptions(deps.db, { ...asked, customerIds: reader?.familyIds });
}
