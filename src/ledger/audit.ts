// What management changed, for the audit trail (DOMAIN 3.20): each kind of change is audited here, or says why not. Pure, over all that a transaction
// changes, so that nothing can be forgotten on one path.
import { required } from '../lib/assert.js';
import { currencyDecimals } from '../lib/currencies.js';
import type { Ids } from '../lib/ids.js';
import { isSame } from '../lib/is-same.js';
import type { Metadata } from '../lib/metadata.js';
import { formatMoney, type Micros } from '../lib/money.js';
import type { AuditAction, AuditRecord, ManagedKind } from './audit-record.js';
import type { Offer, Product } from './catalog-entities.js';
import { type ChangedCustomer, type Changes, type CustomerChanges, isEmpty, type Managed } from './changes.js';
import type { Identity } from './customer-entities.js';
import type { NewOperation } from './entities.js';
import type { Limit, LimitSource } from './limit-entities.js';
import type { ApiKey, Endpoint } from './management-entities.js';
import type { Dispute, Order, OrderItem, Refund, Reported } from './order-entities.js';
import type { InboxRecord, PaymentSource } from './payment-entities.js';
import { amountsOf } from './quantities.js';
import type { ReferralProgram, RewardStep } from './reward-entities.js';

/** What one change says; by which key a customer's was made, its operation knows. */
type Said = Pick<AuditRecord, 'action' | 'subject' | 'before' | 'after'>;
type SaidOfOperation = Said & { operationId: string };
type SaidOfManagement = Said & Pick<AuditRecord, 'actingKey'> & { at: Date; customerId?: string };

type Auditor<K extends keyof CustomerChanges> = (
  made: CustomerChanges[K],
  customer: ChangedCustomer,
) => SaidOfOperation[];

const USE = 'what customers use and buy is in the ledger, with the key of each operation';

/** Every kind of change of a customer: what audits it, or why nothing does. */
export const AUDITORS: { readonly [K in keyof CustomerChanges]: Auditor<K> | { readonly silent: string } } = {
  operations: { silent: USE },
  newBatches: (made, customer) => auditGrants(made, customer),
  movedBatches: { silent: 'the merge is audited; what moves on later is in the ledger' },
  endedAccess: { silent: 'it goes on in another batch' },
  merges: (made, { customerId }) =>
    made.map(({ sourceId, operationId, moved }) => ({
      action: 'customer.merged',
      subject: sourceId,
      operationId,
      before: null,
      after: { customerId, ...moved, units: amountsOf(moved.units), owed: amountsOf(moved.owed) },
    })),
  erasures: (made, { customerId: subject }) =>
    made.map(({ operationId, closed, memberIds }) => ({
      action: 'customer.erased',
      subject,
      operationId,
      before: null,
      after: { ...closed, units: amountsOf(closed.units), memberIds },
    })),
  droppedReferrals: { silent: 'the merge is audited' },
  changedBatches: { silent: USE },
  changedHoldings: { silent: USE },
  entries: (made) => auditTakings(made),
  newReservations: { silent: USE },
  changedReservations: { silent: USE },
  settled: { silent: 'what falls due is nobody’s doing' },
  newOrders: (made, customer) => made.flatMap((order) => auditPrices(order, customer)),
  orderSteps: { silent: USE },
  metadata: (made, { customerId: subject }) =>
    made.map(({ before, after, operationId }) => ({
      action: 'customer.updated',
      subject,
      operationId,
      before: { metadata: before },
      after: { metadata: after },
    })),
  profiles: { silent: 'what a provider says of a person comes with each call, and replaces what it said before' },
  newReferrals: { silent: USE },
  newRewards: { silent: USE },
  rewardSteps: (made) => made.flatMap(auditReward),
  signals: { silent: USE },
  records: { silent: 'what is kept of answers changes nothing' },
  removedIdentities: (made) => made.map((identity) => auditIdentity(identity, 'identity.unlinked')),
  newIdentities: (made) => made.map((identity) => auditIdentity(identity, 'identity.linked')),
  trialUses: { silent: USE },
  payments: { silent: USE },
  refunds: (made) => made.map(auditRefund),
  disputes: (made) => made.map(auditDispute),
  newClawbacks: { silent: 'the refund or the dispute is audited' },
  changedClawbacks: { silent: 'the refund or the dispute is audited' },
  changedValidity: { silent: 'the refund or the dispute is audited' },
  passedNotices: { silent: 'it changes nothing but what is told' },
  notices: { silent: 'it changes nothing but what is told' },
  limits: (made) =>
    made.map((change) => ({ ...saidOf('limit', change, idOf, limitOf), operationId: change.operationId })),
  limitSources: (made) =>
    made.map((change) => ({
      ...saidOf('limit_source', change, ({ customerId }) => customerId, limitSourceOf),
      operationId: change.operationId,
    })),
  changedWindows: { silent: USE },
  changedSubscriptions: { silent: USE },
  newPeriods: { silent: USE },
  endedPeriods: { silent: USE },
  subscriptionSteps: { silent: 'the steps of a subscription are kept, with the operation of each' },
};

/** A refund, as it was told or as it failed. */
function auditRefund({ row, isKnown, operationId, order }: Reported<Refund>): SaidOfOperation {
  const { orderId: subject, id, refundId, paymentMethod, status, amount, reason, fills } = row;
  const after = { id, refundId, paymentMethod, status, ...charged(order, amount), reason, ...(fills && { fills }) };
  const before = isKnown ? { ...after, status: 'succeeded' } : null;
  return { action: 'order.refunded', subject, operationId, before, after };
}

function charged({ currency }: Order, amount: Micros): { amount: string; currency: string } {
  return { amount: formatMoney(amount, currencyDecimals(currency)), currency };
}

/** A dispute, as it was told or as it ended. */
function auditDispute({ row, isKnown, operationId, order }: Reported<Dispute>): SaidOfOperation {
  const { orderId: subject, id, disputeId, paymentMethod, status, amount } = row;
  const after = { id, disputeId, paymentMethod, status, ...charged(order, amount) };
  const before = isKnown ? { ...after, status: 'opened' } : null;
  return { action: 'order.disputed', subject, operationId, before, after };
}

/** What an operator decided of a reward that was held. */
function auditReward({ kind, before, after, operationId, reason }: RewardStep): SaidOfOperation[] {
  if (kind !== 'released' && kind !== 'refused') return [];
  const { id: subject, holdReason } = before;
  const told = { status: after.status, reason: reason ?? null };
  return [
    { action: `reward.${kind}`, subject, operationId, before: { status: before.status, holdReason }, after: told },
  ];
}

function referralProgramOf({ createdAt: _, updatedAt: __, ...told }: ReferralProgram): Metadata {
  return { ...told };
}

type OwnKind = Exclude<keyof Changes, 'customers' | 'firstSights' | 'events' | 'audit'>;

/** Every kind of change that is about no customer. */
export const OWN_AUDITORS: {
  readonly [K in OwnKind]: ((made: Changes[K]) => SaidOfManagement[]) | { readonly silent: string };
} = {
  products: (made) => made.map((change) => auditManaged('product', change, ({ productKey }) => productKey, productOf)),
  offers: (made) => made.map((change) => auditManaged('offer', change, ({ sku }) => sku, offerOf)),
  endpoints: (made) => made.map((change) => auditManaged('endpoint', change, idOf, endpointOf)),
  commonLimits: (made) => made.map((change) => auditManaged('limit', change, idOf, limitOf)),
  apiKeys: (made) => made.map((change) => auditManaged('api_key', change, idOf, apiKeyOf)),
  paymentSources: (made) => made.map((change) => auditManaged('payment_source', change, nameOf, paymentSourceOf)),
  referralPrograms: (made) =>
    made.map((change) => auditManaged('referral_program', change, ({ key }) => key, referralProgramOf)),
  inboxRecords: (made) =>
    made.map(({ before, after, at, actingKey }) => ({
      action: 'payment_event.updated',
      subject: after.id,
      actingKey,
      at,
      before: inboxRecordOf(before),
      after: inboxRecordOf(after),
    })),
  accessNotes: (made) =>
    made.map(({ told, ...note }) => ({
      ...note,
      ...(note.action === 'customer_token.issued' && { customerId: note.subject }),
      before: null,
      after: told,
    })),
  clock: (made) =>
    made
      .filter(({ isStep }) => !isStep)
      .map(({ before, after, at, actingKey }) => ({
        action: 'clock.set',
        subject: 'clock',
        actingKey,
        at,
        before: { now: required(before, 'a clock shows something') },
        after: { now: after },
      })),
  keyedAnswers: { silent: 'what is kept of answers changes nothing' },
};

/** Those kinds that something audits, so that a use does not pay for the others. */
const AUDITED = (Object.keys(AUDITORS) as (keyof CustomerChanges)[]).filter(
  (kind) => typeof AUDITORS[kind] === 'function',
);
const OWN_AUDITED = (Object.keys(OWN_AUDITORS) as OwnKind[]).filter((kind) => typeof OWN_AUDITORS[kind] === 'function');

/** The records of all changes of a transaction; what changed nothing has none. */
export function auditOf(changes: Changes, ids: Ids): AuditRecord[] {
  const ofManagement = OWN_AUDITED.flatMap((kind) => auditOwn(kind, changes));
  const records = ofManagement.filter(isChange).map(
    ({ at, customerId = null, ...said }): AuditRecord => ({
      ...said,
      id: ids.next(),
      recordedAt: at,
      customerId,
      operationId: null,
    }),
  );
  for (const customer of changes.customers) {
    const said = AUDITED.flatMap((kind) => auditKind(kind, customer));
    if (said.length === 0) continue;
    const { customerId, now: recordedAt } = customer;
    for (const one of said.filter(isChange)) {
      const { actingKey } = required(findOperation(changes, one.operationId), 'management is an operation');
      records.push({ ...one, id: ids.next(), recordedAt, actingKey, customerId });
    }
  }
  return records;
}

function findOperation({ customers }: Changes, id: string): NewOperation | undefined {
  for (const { changes } of customers) {
    const operation = changes.operations.find((own) => own.id === id);
    if (operation) return operation;
  }
  return undefined;
}

function auditKind<K extends keyof CustomerChanges>(kind: K, customer: ChangedCustomer): SaidOfOperation[] {
  if (isEmpty(customer.changes[kind])) return [];
  const auditor = AUDITORS[kind];
  return typeof auditor === 'function' ? auditor(customer.changes[kind], customer) : [];
}

function auditOwn<K extends OwnKind>(kind: K, changes: Changes): SaidOfManagement[] {
  const auditor = OWN_AUDITORS[kind];
  return typeof auditor === 'function' ? auditor(changes[kind]) : [];
}

function isChange({ before, after }: Said): boolean {
  return !isSame(before, after);
}

/** Prices of lines that are not the offers'. */
function auditPrices({ id, items, currency }: Order, { changes }: ChangedCustomer): SaidOfOperation[] {
  const priced = items.filter(({ listPrice }) => listPrice !== null);
  if (priced.length === 0) return [];
  const ordering = changes.operations.find(({ name }) => name === 'order.create');
  const { id: operationId } = required(ordering, 'an order has an operation');
  const told = (priceOf: (item: OrderItem) => Micros | null) =>
    priced.map((item) => ({ sku: item.sku, price: formatMoney(priceOf(item) ?? 0n, currencyDecimals(currency)) }));
  const before = { items: told(({ listPrice }) => listPrice) };
  const after = { items: told(({ price }) => price), reasons: priced.map(({ priceReason }) => priceReason) };
  return [{ action: 'order.priced', subject: id, operationId, before, after }];
}

/** What most things are audited under. */
function idOf({ id }: { id: string }): string {
  return id;
}

/** What became of a thing that is managed as a whole. */
function saidOf<T>(
  kind: ManagedKind,
  { before, after }: Pick<Managed<T>, 'before' | 'after'>,
  nameOf: (thing: T) => string,
  snapshotOf: (thing: T) => Metadata,
): Said {
  const what = before === undefined ? 'created' : after === undefined ? 'deleted' : 'updated';
  const subject = nameOf(required(before ?? after, 'something is changed'));
  const [earlier, later] = [before, after].map((thing) => (thing === undefined ? null : snapshotOf(thing)));
  return { action: `${kind}.${what}` as AuditAction, subject, before: earlier ?? null, after: later ?? null };
}

function auditManaged<T>(
  kind: ManagedKind,
  change: Managed<T>,
  nameOf: (thing: T) => string,
  snapshotOf: (thing: T) => Metadata,
): SaidOfManagement {
  const { at, actingKey } = change;
  return { ...saidOf(kind, change, nameOf, snapshotOf), at, actingKey };
}

function limitOf({ subject, windows, enforcement, ownerTag, scope }: Limit): Metadata {
  const whose = scope === 'default' ? { scope } : 'planSku' in scope ? scope : { isCopied: scope.isCopied };
  return { ...subject, ...whose, windows, enforcement, ownerTag };
}

/** That it was copied again changes nothing of whose limits they are. */
function limitSourceOf({ sourceId }: LimitSource): Metadata {
  return { sourceId };
}

function nameOf({ name }: { name: string }): string {
  return name;
}

/** Never a secret; that another one counts shows in until when the one before does. */
function paymentSourceOf({
  createdAt: _,
  updatedAt: __,
  sealedSecret: ___,
  oldSealedSecret: ____,
  mapping,
  ...told
}: PaymentSource) {
  // What a provider calls its statuses is no name of a member.
  const statuses = Object.entries(mapping.statuses).map(([status, kind]) => ({ status, kind }));
  return { ...told, mapping: { ...mapping, statuses } };
}

/** What became of it, and what it is about: nothing of its body. */
function inboxRecordOf({ provider, eventId, kind, status, reason, orderId, paymentId, amount, currency }: InboxRecord) {
  const told = amount === null ? null : formatMoney(amount, currencyDecimals(currency ?? ''));
  return { provider, eventId, kind, status, reason, orderId, paymentId, amount: told, currency };
}

/** Never its hash. */
function apiKeyOf({ ownerId, name, scopes, expiresAt, revokedAt }: ApiKey): Metadata {
  return { ownerId, name, scopes, expiresAt, revokedAt };
}

function productOf({ createdAt: _, ...product }: Product): Metadata {
  return product;
}

function offerOf({ createdAt: _, price, currency, items, ...offer }: Offer): Metadata {
  return {
    ...offer,
    currency,
    price: formatMoney(price, currencyDecimals(currency)),
    items: items.map(({ productKey, quantity, periodUnit, periodValue, priority, stacking }) => ({
      productKey,
      quantity,
      periodUnit,
      periodValue,
      priority,
      stacking,
    })),
  };
}

/** Never a secret; that another one signs shows in until when the one before does. */
function endpointOf({ id, description, types, isEnabled, url, oldSecretUntil, disabledReason }: Endpoint): Metadata {
  return { id, description, types, isEnabled, url, oldSecretUntil, disabledReason };
}

function auditIdentity(
  { id, provider, externalId, profile, operationId }: Identity & { operationId: string },
  action: 'identity.linked' | 'identity.unlinked',
): SaidOfOperation {
  const snapshot = { provider, externalId, profile };
  const [before, after] = action === 'identity.linked' ? [null, snapshot] : [snapshot, null];
  return { action, subject: id, operationId, before, after };
}

/** Adjustments that give, and trials that were granted without a claim. */
function auditGrants(made: CustomerChanges['newBatches'], { changes }: ChangedCustomer): SaidOfOperation[] {
  const claimed = new Set(changes.trialUses.map(({ operationId }) => operationId));
  return made.flatMap(
    ({ id, source, productKey, granted, sku, expiresAt, operationId, metadata }): SaidOfOperation[] => {
      const after = { batchId: id, productKey, amount: granted, sku, expiresAt, metadata };
      if (source === 'adjustment')
        return [{ action: 'balance.adjusted', subject: operationId, operationId, before: null, after }];
      if (source === 'trial' && !claimed.has(operationId))
        return [{ action: 'trial.overridden', subject: operationId, operationId, before: null, after }];
      return [];
    },
  );
}

/** Adjustments that take away, one for each operation and product. */
function auditTakings(entries: CustomerChanges['entries']): SaidOfOperation[] {
  const taken = new Map<string, SaidOfOperation & { after: { amount: number } }>();
  for (const { kind, operationId, actionType, productKey, amount, metadata } of entries) {
    if (kind !== 'revoke' || operationId === null || actionType !== 'adjustment') continue;
    const key = JSON.stringify([operationId, productKey]);
    const before = taken.get(key)?.after.amount ?? 0;
    const after = { productKey, amount: before - amount, metadata };
    taken.set(key, { action: 'balance.adjusted', subject: operationId, operationId, before: null, after });
  }
  return [...taken.values()];
}
