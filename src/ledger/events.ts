// What is told of changes (DOMAIN 3.19): each kind of change has its events here, or is silent. Pure, over all that a transaction changes, so that nothing can
// be forgotten on one path. An event is a snapshot of what it is about, small and without secrets.
import { assert, required } from '../lib/assert.js';
import { currencyDecimals } from '../lib/currencies.js';
import { groupBy } from '../lib/group-by.js';
import type { Ids, OwnedIds } from '../lib/ids.js';
import type { Metadata } from '../lib/metadata.js';
import { writtenBytes } from '../lib/metadata.js';
import { formatMoney, type Micros } from '../lib/money.js';
import type { Subject } from './catalog-entities.js';
import { type ChangedCustomer, type Changes, type CustomerChanges, isEmpty } from './changes.js';
import type { Erasure, FirstSight, Merge, Referral, TrialUse } from './customer-entities.js';
import type { Entry, EntryKind, NewBatch, Notice, Reservation } from './entities.js';
import { EVENT_VERSIONS, type EventType, type NewEvent, type Told } from './event-types.js';
import { tellRecord } from './management-events.js';
import type { Dispute, Order, OrderStep, PaymentChange, Refund, Reported } from './order-entities.js';
import { amountsOf } from './quantities.js';
import type { Reward, RewardStep } from './reward-entities.js';
import type { SubscriptionStep } from './subscription-entities.js';

/** Metadata that the database would write out larger is not told: it is read by the id of what it belongs to. */
const METADATA_TOLD_BYTES_MAX = 8 * 1_024;
/** Lines of an order that are told; the others are read by its id. */
const LINES_TOLD_MAX = 20;

/** Tells all changes of one kind of a customer. */
type Teller<K extends keyof CustomerChanges> = (made: CustomerChanges[K], customer: ChangedCustomer) => Told[];

/** Every kind of change of a customer: what tells it, or why it is silent. */
export const TELLERS: { readonly [K in keyof CustomerChanges]: Teller<K> | { readonly silent: string } } = {
  operations: (_made, customer) => [...tellUses(customer), ...tellExchanges(customer)],
  newBatches: (made) => made.filter(({ source }) => source !== 'metered').map(tellGrant),
  movedBatches: { silent: 'the units were granted before, and go on' },
  endedAccess: { silent: 'it goes on in another batch' },
  droppedReferrals: { silent: 'the merge tells it' },
  merges: (made) => made.map(tellMerge),
  erasures: (made, { customerId }) => made.map((erasure) => tellErasure(erasure, customerId)),
  changedBatches: { silent: 'entries tell what changes of a batch' },
  changedHoldings: { silent: 'entries tell what changes of a balance' },
  entries: (made, customer) => tellEntries(made, customer),
  newReservations: (made) => made.map((reservation) => tellReservation(reservation, 'reservation.created')),
  changedReservations: (made) => [...made].flatMap(tellEnding),
  settled: { silent: 'what it settles is told' },
  newOrders: (made) => made.map(tellOrder),
  orderSteps: (made, customer) => made.filter((step) => !isAfterSale(step, customer)).map(tellStep),
  metadata: { silent: 'the audit trail has it' },
  profiles: { silent: 'what a provider says of a person comes with each call' },
  newReferrals: (made) => made.map(tellReferral),
  newRewards: (made) => made.map((reward) => tellReward('referral.reward_armed', reward, reward.armedBy)),
  rewardSteps: (made) => made.flatMap(tellRewardStep),
  signals: { silent: 'hashes are told to nobody' },
  records: { silent: 'what is kept of answers changes nothing' },
  removedIdentities: { silent: 'the audit trail has it' },
  newIdentities: { silent: 'the audit trail has it' },
  trialUses: (made) => tellTrials(made),
  payments: (made) => made.flatMap(tellPayment),
  refunds: (made) => made.flatMap(tellRefund),
  disputes: (made) => made.map(tellDispute),
  newClawbacks: { silent: 'entries tell what is taken' },
  changedClawbacks: { silent: 'entries tell what comes back' },
  changedValidity: { silent: 'the refund or the dispute tells it' },
  notices: (made) => made.map(tellNotice),
  passedNotices: { silent: 'what is told of them is a notice' },
  changedSubscriptions: { silent: 'its steps tell it' },
  newPeriods: { silent: 'the steps of its subscription tell it' },
  endedPeriods: { silent: 'the steps of its subscription tell it' },
  subscriptionSteps: (made) => made.map(tellSubscriptionStep),
  limits: { silent: 'the audit trail has it' },
  limitSources: { silent: 'the audit trail has it' },
  changedWindows: { silent: 'what was used is told by its entries, limits that are reached by notices' },
};

/** Why the kinds of change that are about no customer are silent; what there is to tell of them is told of their records in the audit trail. */
export const SILENT_CHANGES: Readonly<
  Record<Exclude<keyof Changes, 'customers' | 'firstSights' | 'audit' | 'events'>, string>
> = {
  products: 'the audit trail has it, by which it is told',
  offers: 'the audit trail has it, by which it is told',
  endpoints: 'the audit trail has it, by which it is told that one was disabled',
  commonLimits: 'the audit trail has it',
  clock: 'the audit trail has it',
  apiKeys: 'the audit trail has it',
  paymentSources: 'the audit trail has it',
  referralPrograms: 'the audit trail has it',
  inboxRecords: 'the audit trail has it, by which it is told that one is quarantined',
  accessNotes: 'the audit trail has it',
  keyedAnswers: 'what is kept of answers changes nothing',
};

/** What comes of a customer's changes in which order: what others are about first. */
export const TOLD_IN_ORDER: readonly (keyof CustomerChanges)[] = [
  'merges',
  'newReferrals',
  'newOrders',
  'payments',
  'orderSteps',
  'refunds',
  'disputes',
  'newRewards',
  'rewardSteps',
  'trialUses',
  'operations',
  'subscriptionSteps',
  'newBatches',
  'newReservations',
  'changedReservations',
  'entries',
  'notices',
  'erasures',
];

/** The events of all changes of a transaction, of each customer numbered on from where he stands. Precondition: they are audited. */
export function eventsOf(changes: Changes, ids: Ids): NewEvent[] {
  const events = changes.firstSights.map((sight): NewEvent => {
    const told = tellFirstSight(sight);
    return toEvent(told, { customerId: sight.customerId, now: sight.at }, FIRST_NUMBER, ids.ownedBy(sight.customerId));
  });
  for (const customer of changes.customers) {
    const told = TOLD_IN_ORDER.flatMap((kind) => tellKind(kind, customer));
    if (told.length === 0) continue;
    const own = ids.ownedBy(customer.customerId);
    for (const [index, one] of told.entries()) events.push(toEvent(one, customer, customer.nextEvent + index, own));
  }
  const ofNobody = changes.audit.flatMap((record) =>
    tellRecord(record).map((one) => ({ one, now: record.recordedAt })),
  );
  for (const [number, { one, now }] of ofNobody.entries())
    events.push(toEvent(one, { customerId: null, now }, number, ids));
  return events;
}

/** The number of what tells that a customer came to be. */
const FIRST_NUMBER = 1;

function tellKind<K extends keyof CustomerChanges>(kind: K, customer: ChangedCustomer): Told[] {
  if (isEmpty(customer.changes[kind])) return [];
  const teller = TELLERS[kind];
  return typeof teller === 'function' ? teller(customer.changes[kind], customer) : [];
}

function toEvent(
  { type, subjectId, operationId, data, id = undefined }: Told,
  { customerId, now }: { customerId: string | null; now: Date },
  number: number,
  ids: Pick<OwnedIds, 'next'>,
): NewEvent {
  const schemaVersion = EVENT_VERSIONS[type];
  return {
    id: id ?? ids.next(),
    customerId,
    number,
    type,
    schemaVersion,
    subjectId,
    operationId,
    data,
    recordedAt: now,
  };
}

function tellFirstSight({ customerId, provider, externalId }: FirstSight): Told {
  return {
    type: 'customer.created',
    subjectId: customerId,
    operationId: null,
    data: { provider, externalId },
  };
}

function tellMerge({ sourceId, operationId, moved }: Merge): Told {
  const { identities, batches, droppedReferrals } = moved;
  const data = { sourceCustomerId: sourceId, identities, batches, droppedReferrals: droppedReferrals.length };
  return { type: 'customer.merged', subjectId: sourceId, operationId, data };
}

function tellErasure(
  { operationId, closed: { orders, reservations, subscriptions, batches } }: Erasure,
  customerId: string,
): Told {
  const data = { orders, reservations, subscriptions, batches };
  return { type: 'customer.erased', subjectId: customerId, operationId, data };
}

function tellReferral({ id, referrerId, refereeId, operationId, metadata }: Referral): Told {
  const data = { referralId: id, referrerId, refereeId, ...toldMetadata(metadata) };
  return { type: 'referral.attached', subjectId: id, operationId, data };
}

function tellReward(type: EventType, reward: Reward, operationId: string): Told {
  const { id, customerId, referralId, side, referrerId, refereeId, programKey, orderId, sku, quantity, ...rest } =
    reward;
  const { status, holdReason, cancelReason, dueAt } = rest;
  const whose = { referralId, side, customerId, referrerId, refereeId, programKey, orderId };
  const data = { rewardId: id, ...whose, sku, quantity, status, holdReason, cancelReason, dueAt };
  return { type, subjectId: id, operationId, data };
}

/** What became of a reward; that it is held is told the first time. */
function tellRewardStep({ kind, before, after, operationId }: RewardStep): Told[] {
  switch (kind) {
    case 'granted':
      return [tellReward('referral.rewarded', after, operationId)];
    case 'clawed_back':
      return [tellReward('referral.revoked', after, operationId)];
    case 'cancelled':
    case 'refused':
      return [tellReward('referral.reward_cancelled', after, operationId)];
    case 'held':
      return before.heldAt === null ? [tellReward('referral.reward_held', after, operationId)] : [];
    case 'followed':
    case 'released':
      return []; // the dispute or the refund tells it; the audit trail has it
  }
}

function orderData({ id, currency, totalAmount, items, metadata, expiresAt }: Order): Record<string, unknown> {
  const decimals = currencyDecimals(currency);
  const money = (amount: Micros) => formatMoney(amount, decimals);
  const lines = items.slice(0, LINES_TOLD_MAX);
  return {
    orderId: id,
    currency,
    totalAmount: money(totalAmount),
    items: lines.map(({ sku, quantity, price }) => ({ sku, quantity, price: money(price) })),
    itemsTotal: items.length,
    expiresAt,
    ...toldMetadata(metadata),
  };
}

function tellOrder(order: Order): Told {
  return { type: 'order.created', subjectId: order.id, operationId: null, data: orderData(order) };
}

function tellStep(step: OrderStep | Order): Told {
  const { id, status, paymentMethod, paymentId, paidAt, paidBy, cancelledBy, cancelReason: reason } = step;
  if (status === 'expired') return { type: 'order.expired', subjectId: id, operationId: null, data: { orderId: id } };
  if (status === 'cancelled')
    return { type: 'order.cancelled', subjectId: id, operationId: cancelledBy, data: { orderId: id, reason } };
  assert(status === 'paid' && 'items' in step, 'an order that is paid is told as a whole');
  const data = { ...orderData(step), paymentMethod, paymentId, paidAt };
  return { type: 'order.paid', subjectId: id, operationId: paidBy, data };
}

/** Whether a step is told by the refund or the dispute that made it. */
function isAfterSale({ id }: OrderStep, { changes: { refunds, disputes } }: ChangedCustomer): boolean {
  return [...refunds, ...disputes].some(({ row }) => row.orderId === id);
}

/** A refund, or that it failed after all; one that failed at once changed nothing, nor does one that was told from the other side. */
function tellRefund({ row, isKnown, operationId, order }: Reported<Refund>): Told[] {
  const { id, refundId, paymentMethod, disputeId, status, amount, reason, fills } = row;
  if (fills !== null || (status === 'failed' && !isKnown)) return [];
  const data = { ...afterSaleData(order, amount), refundId, paymentMethod, disputeId, reason };
  const type = status === 'failed' ? 'order.refund_failed' : 'order.refunded';
  return [{ type, subjectId: id, operationId, data }];
}

/** A dispute that was opened, or how it ended. */
function tellDispute({ row, operationId, order }: Reported<Dispute>): Told {
  const { id, disputeId, paymentMethod, status, amount } = row;
  const data = { ...afterSaleData(order, amount), disputeId, paymentMethod, disputeStatus: status };
  const type = status === 'opened' ? 'order.disputed' : 'order.dispute_closed';
  return { type, subjectId: id, operationId, data };
}

/** The order as it stands after a refund or a dispute of an amount. */
function afterSaleData(order: Order, amount: Micros): Record<string, unknown> {
  const { id: orderId, currency, status, refundedAmount, disputedAmount } = order;
  const money = (micros: Micros) => formatMoney(micros, currencyDecimals(currency));
  return {
    orderId,
    currency,
    amount: money(amount),
    status,
    refundedAmount: money(refundedAmount),
    disputedAmount: money(disputedAmount),
  };
}

function tellPayment({ payment }: PaymentChange): Told[] {
  const { status, orderId, operationId, paymentMethod, paymentId, amount, currency } = payment;
  if (status === 'paid') return []; // the order tells it
  const decimals = currency === null ? 0 : currencyDecimals(currency);
  const charged = amount === null || currency === null ? null : formatMoney(amount, decimals);
  const data = { orderId, paymentMethod, paymentId, amount: charged, currency };
  const type = status === 'failed' ? 'order.payment_failed' : 'payment.unmatched';
  return [{ type, subjectId: orderId, operationId, data }];
}

function tellNotice({ id, type, data }: Notice): Told {
  return { id, type, subjectId: id, operationId: null, data };
}

/** One for each operation, however many identities it claims. */
function tellTrials(uses: readonly TrialUse[]): Told[] {
  const operations = new Map(
    uses.map((use) => [use.operationId, uses.filter((own) => own.operationId === use.operationId)]),
  );
  return [...operations].map(([operationId, own]) => ({
    type: 'trial.activated',
    subjectId: operationId,
    operationId,
    data: { scopes: [...new Set(own.map(({ scope }) => scope))].sort() },
  }));
}

function tellGrant(batch: NewBatch): Told {
  const { id, productKey, source, sku, orderId, granted, priority, validFrom, expiresAt, operationId } = batch;
  const data = { batchId: id, productKey, source, sku, orderId, granted, priority, validFrom, expiresAt };
  return { type: 'batch.granted', subjectId: id, operationId, data };
}

/** The subscription as it was after the step, and the period that the step is about. */
function tellSubscriptionStep({
  id,
  kind,
  subscription,
  period,
  reason,
  operationId,
  occurredAt,
}: SubscriptionStep): Told {
  const { id: subscriptionId, plan, status, change, cancelsAtEnd, orderId } = subscription;
  const { sku, planGroup } = plan;
  const data = {
    subscriptionId,
    sku,
    planGroup,
    status,
    periodStartsAt: subscription.periodStartsAt,
    periodEndsAt: subscription.periodEndsAt,
    cancelsAtEnd,
    changesTo: change?.plan.sku ?? null,
    orderId: period?.orderId ?? change?.orderId ?? orderId,
    occurredAt,
    reason,
    period: period && {
      kind: period.kind,
      startsAt: period.startsAt,
      endsAt: period.endsAt,
      count: period.count,
      granted: amountsOf(period.granted),
    },
  };
  return { type: `subscription.${kind}`, subjectId: id, operationId, data };
}

function tellReservation(reservation: Reservation, type: EventType): Told {
  const { id, subject, amount, expiresAt, operationId, metadata } = reservation;
  const data = { reservationId: id, ...namedIn(subject), amount, expiresAt, ...toldMetadata(metadata) };
  return { type, subjectId: id, operationId, data };
}

/** How a reservation ended; one that was only extended tells nothing. */
function tellEnding(reservation: Reservation): Told[] {
  const { status, committedAmount, endedBy } = reservation;
  if (status === 'held') return [];
  const { data, ...told } = tellReservation(reservation, `reservation.${status}`);
  return [{ ...told, operationId: endedBy, data: { ...data, committedAmount } }];
}

function namedIn(subject: Subject): Record<string, string> {
  return 'feature' in subject ? { feature: subject.feature } : { productKey: subject.productKey };
}

const KINDS_OF_USE: ReadonlySet<EntryKind> = new Set<EntryKind>(['consume', 'commit', 'debt']);

/** Whether an entry of a use says what was used. */
export function isOfUse({ kind }: Pick<Entry, 'kind'>): boolean {
  return KINDS_OF_USE.has(kind);
}

/** Products of a use that are told; the others are read by its operation. */
const PRODUCTS_TOLD_MAX = 20;

/** What uses took, of each that is to be told. */
function tellUses({ changes: { operations, entries } }: ChangedCustomer): Told[] {
  const uses = operations.filter(({ tellsUse }) => tellsUse);
  if (uses.length === 0) return [];
  const entriesOf = groupBy(entries.filter(isOfUse), ({ operationId }) => operationId);
  return uses.map(({ id, name }) => {
    const own = entriesOf.get(id) ?? [];
    const taken = new Map<string, { productKey: string; amount: number; balance: number }>();
    for (const { productKey, amount, balanceAfter: balance } of own)
      taken.set(productKey, { productKey, amount: (taken.get(productKey)?.amount ?? 0) + amount, balance });
    const last = required(own.at(-1), 'a use that is told took something');
    const { feature, actionType, actionId, reservationId, metadata } = last;
    const data = {
      operation: name,
      usageId: last.id,
      feature,
      taken: [...taken.values()].slice(0, PRODUCTS_TOLD_MAX),
      takenTotal: taken.size,
      actionType,
      actionId,
      reservationId,
      ...toldMetadata(metadata ?? {}),
    };
    return { type: 'quota.consumed', subjectId: id, operationId: id, data };
  });
}

/** What an exchange took and gave, of each exchange. */
function tellExchanges({ changes: { operations, entries, newBatches } }: ChangedCustomer): Told[] {
  return operations
    .filter(({ name }) => name === 'exchange')
    .map(({ id }) => {
      const given = newBatches.filter((batch) => batch.operationId === id);
      const spent = entries.filter((entry) => entry.operationId === id && entry.kind === 'consume');
      const data = {
        sku: given[0]?.sku ?? null,
        spent: { productKey: spent[0]?.productKey ?? null, amount: spent.reduce((sum, { amount }) => sum + amount, 0) },
        batchIds: given.map((batch) => batch.id),
      };
      return { type: 'exchange.completed', subjectId: id, operationId: id, data };
    });
}

/** What ended or was taken away, and where a balance came down to nothing or to what is low. */
function tellEntries(entries: readonly Entry[], { changes }: ChangedCustomer): Told[] {
  const low = new Map<string, number>();
  for (const { productKey, lowBalanceThreshold } of changes.changedHoldings)
    if (lowBalanceThreshold !== null) low.set(productKey, lowBalanceThreshold);
  const told: Told[] = [];
  for (const entry of entries) {
    const { id: subjectId, operationId, kind, productKey, batchId, amount, balanceAfter, direction } = entry;
    if (kind === 'expire' || kind === 'revoke') {
      const data = { batchId, productKey, amount, balance: balanceAfter };
      told.push({ type: kind === 'expire' ? 'batch.expired' : 'batch.revoked', subjectId, operationId, data });
    }
    // What moves to another ledger of the family is there.
    if (direction !== 'debit' || isMove(entry, changes)) continue;
    const before = balanceAfter + amount;
    const threshold = low.get(productKey);
    if (threshold !== undefined && before > threshold && balanceAfter <= threshold) {
      told.push({ type: 'quota.low', subjectId, operationId, data: { productKey, balance: balanceAfter, threshold } });
    }
    if (before > 0 && balanceAfter <= 0) {
      told.push({ type: 'quota.exhausted', subjectId, operationId, data: { productKey, balance: balanceAfter } });
    }
  }
  return told;
}

/** Whether an entry moves something to or from another ledger of the family; within one it goes on in a batch of the same operation. */
function isMove({ kind, batchId, operationId }: Entry, { newBatches }: CustomerChanges): boolean {
  if (kind !== 'transfer_in' && kind !== 'transfer_out') return false;
  return !newBatches.some((own) => own.predecessorId === batchId && own.operationId === operationId);
}

function toldMetadata(metadata: Metadata): { metadata: Metadata | null } {
  return { metadata: writtenBytes(metadata) <= METADATA_TOLD_BYTES_MAX ? metadata : null };
}
