// What is told of changes (DOMAIN 3.19): each kind of change has its events here, or is silent. Pure, over all that a transaction changes, so that nothing can
// be forgotten on one path. An event is a snapshot of what it is about, small and without secrets.
import type { Ids, OwnedIds } from '../lib/ids.js';
import { type ChangedCustomer, type Changes, type CustomerChanges, isEmpty } from './changes.js';
import type { Erasure, FirstSight, Merge, Referral, TrialUse } from './customer-entities.js';
import type { NewBatch, Notice } from './entities.js';
import { EVENT_VERSIONS, type EventType, type NewEvent, type Told } from './event-types.js';
import { tellRecord } from './management-events.js';
import { isAfterSale, tellDispute, tellOrder, tellPayment, tellRefund, tellStep } from './order-events.js';
import { amountsOf } from './quantities.js';
import type { Reward, RewardStep } from './reward-entities.js';
import type { SubscriptionStep } from './subscription-entities.js';
import { toldMetadata } from './told-metadata.js';
import { tellEnding, tellEntries, tellExchanges, tellReservation, tellUses } from './use-events.js';

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
  const { identities, batches, droppedReferrals, subscriptions, endedSubscriptions } = moved;
  const data = {
    sourceCustomerId: sourceId,
    identities,
    batches,
    droppedReferrals: droppedReferrals.length,
    subscriptions: subscriptions.length,
    endedSubscriptions: endedSubscriptions.length,
  };
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
