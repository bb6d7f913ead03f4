// The tables, each described in one place: what is inserted, given as arrays and read of them follows from here (table.ts). test/db/tables.test.ts
// compares the descriptions with the database's own catalogue.
import type { AuditAction } from '../ledger/audit-record.js';
import type {
  OrderedPlan,
  PlanTerms,
  ProductType,
  Recurrence,
  Stacking,
  Term,
  TrialScope,
} from '../ledger/catalog-entities.js';
import type { ArchivedKind, Closed, DroppedReason } from '../ledger/customer-entities.js';
import type { BatchSource, Entry, EntryKind, RecordKind, ReservationStatus } from '../ledger/entities.js';
import type { EventType } from '../ledger/event-types.js';
import type { CheckedLimit, Enforcement, LimitTerms, LimitWindow } from '../ledger/limit-entities.js';
import type { DeliveryStatus, DisabledReason } from '../ledger/management-entities.js';
import type {
  DisputeStatus,
  OrderStatus,
  PaymentStatus,
  RefundStatus,
  RefundTeller,
  UnrecoveredPolicy,
} from '../ledger/order-entities.js';
import type { InboxStatus, PaymentEventKind, SourceMapping, SourceSignature } from '../ledger/payment-entities.js';
import type { PeriodUnit } from '../ledger/periods.js';
import type { RewardSide, RewardStatus, RewardTrigger } from '../ledger/reward-entities.js';
import type {
  PeriodKind,
  StepKind,
  SubscribedPlan,
  SubscriptionChange,
  SubscriptionStatus,
} from '../ledger/subscription-entities.js';
import type { Metadata } from '../lib/metadata.js';
import type { Scope } from '../lib/scopes.js';
import type { SubjectType } from './subjects.js';
import {
  bigint,
  boolean,
  bytes,
  computed,
  instant,
  integer,
  json,
  money,
  nullable,
  smallint,
  table,
  text,
  uuid,
} from './table.js';

/** A plan that a customer has: its present period, whose end is null where nobody knows when the next one begins. */
export interface CustomerPlan {
  sku: string;
  startsAt: string;
  endsAt: string | null;
}

export const customers = table('customers', {
  id: uuid('id'),
  metadata: json<Metadata>('metadata'),
  nextSeq: bigint('next_seq'),
  lastRecordedAt: instant('last_recorded_at'),
  dueAt: nullable(instant('due_at')),
  turnsAt: nullable(instant('turns_at')),
  nextEvent: bigint('next_event'),
  createdAt: instant('created_at'),
  hasLimits: boolean('has_limits'),
  mergedInto: nullable(uuid('merged_into')),
  mergedAt: nullable(instant('merged_at')),
  mergedIds: json<string[]>('merged_ids'),
  plans: json<CustomerPlan[]>('plans'),
  erasedAt: nullable(instant('erased_at')),
});

export const customerMerges = table('customer_merges', {
  sourceId: uuid('source_id'),
  customerId: uuid('customer_id'),
  operationId: uuid('operation_id'),
  moved: json<Metadata>('moved'),
  createdAt: instant('created_at'),
});

export const customerErasures = table('customer_erasures', {
  customerId: uuid('customer_id'),
  finalId: uuid('final_id'),
  operationId: uuid('operation_id'),
  closed: json<Closed>('closed'),
  blanked: json<Record<string, number>>('blanked'),
  erasedAt: instant('erased_at'),
  blankedAt: nullable(instant('blanked_at')),
});

export const identities = table('identities', {
  provider: text('provider'),
  externalId: text('external_id'),
  id: uuid('id'),
  customerId: uuid('customer_id'),
  profile: json<Metadata>('profile'),
  createdAt: instant('created_at'),
  updatedAt: instant('updated_at'),
});

export const formerIdentities = table('former_identities', {
  provider: text('provider'),
  externalId: text('external_id'),
  customerId: uuid('customer_id'),
  unlinkedAt: instant('unlinked_at'),
});

export const catalogNames = table('catalog_names', { name: text('name'), kind: text<'product' | 'offer'>('kind') });

export const products = table('products', {
  productKey: text('product_key'),
  name: text('name'),
  description: text('description'),
  type: text<ProductType>('type'),
  isCurrency: boolean('is_currency'),
  isActive: boolean('is_active'),
  lowBalanceThreshold: nullable(bigint('low_balance_threshold')),
  expiringDays: nullable(integer('expiring_days')),
  metadata: json<Metadata>('metadata'),
  createdAt: instant('created_at'),
  updatedAt: instant('updated_at'),
  nameKind: computed(text<'product'>('name_kind')),
});

export const productFeatures = table('product_features', {
  productKey: text('product_key'),
  feature: text('feature'),
  unitCost: bigint('unit_cost'),
});

export const offers = table('offers', {
  sku: text('sku'),
  name: text('name'),
  description: text('description'),
  image: nullable(text('image')),
  price: money('price'),
  currency: text('currency'),
  isActive: boolean('is_active'),
  isTrial: boolean('is_trial'),
  trialScope: nullable(text<TrialScope>('trial_scope')),
  trialEligible: nullable(boolean('trial_eligible')),
  recurrence: nullable(json<Recurrence>('recurrence')),
  planGroup: nullable(text('plan_group')),
  plan: nullable(json<PlanTerms>('plan')),
  maxPerCustomer: nullable(bigint('max_per_customer')),
  metadata: json<Metadata>('metadata'),
  createdAt: instant('created_at'),
  updatedAt: instant('updated_at'),
  nameKind: computed(text<'offer'>('name_kind')),
});

export const offerItems = table('offer_items', {
  sku: text('sku'),
  position: integer('position'),
  productKey: text('product_key'),
  quantity: bigint('quantity'),
  periodUnit: text<PeriodUnit>('period_unit'),
  periodValue: nullable(integer('period_value')),
  priority: integer('priority'),
  stacking: text<Stacking>('stacking'),
});

export const operations = table('operations', {
  customerId: uuid('customer_id'),
  id: uuid('id'),
  name: text('name'),
  actingKey: text('acting_key'),
  recordedAt: instant('recorded_at'),
  firstSeq: nullable(bigint('first_seq')),
  lastSeq: nullable(bigint('last_seq')),
  tellsUse: boolean('tells_use'),
});

export const idempotencyRecords = table('idempotency_records', {
  customerId: uuid('customer_id'),
  name: text('name'),
  kind: text<RecordKind>('kind'),
  key: text('key'),
  operationId: uuid('operation_id'),
  requestHash: bytes('request_hash'),
  requestHashVersion: smallint('request_hash_version'),
  status: smallint('status'),
  answer: text('answer'),
  recordedAt: instant('recorded_at'),
});

export const orders = table('orders', {
  customerId: uuid('customer_id'),
  id: uuid('id'),
  status: text<OrderStatus>('status'),
  currency: text('currency'),
  totalAmount: money('total_amount'),
  paymentMethod: nullable(text('payment_method')),
  paymentId: nullable(text('payment_id')),
  paidAt: nullable(instant('paid_at')),
  paidBy: nullable(uuid('paid_by')),
  cancelledAt: nullable(instant('cancelled_at')),
  cancelledBy: nullable(uuid('cancelled_by')),
  cancelReason: nullable(text('cancel_reason')),
  refundedAmount: money('refunded_amount'),
  disputedAmount: money('disputed_amount'),
  metadata: json<Metadata>('metadata'),
  expiresAt: instant('expires_at'),
  createdAt: instant('created_at'),
});

export const orderItems = table('order_items', {
  customerId: uuid('customer_id'),
  id: uuid('id'),
  orderId: uuid('order_id'),
  position: integer('position'),
  sku: text('sku'),
  name: text('name'),
  quantity: bigint('quantity'),
  price: money('price'),
  terms: json<Term[]>('terms'),
  listPrice: nullable(money('list_price')),
  priceReason: nullable(text('price_reason')),
  plan: nullable(json<OrderedPlan>('plan')),
});

export const payments = table('payments', {
  paymentMethod: text('payment_method'),
  paymentId: text('payment_id'),
  customerId: uuid('customer_id'),
  orderId: uuid('order_id'),
  status: text<PaymentStatus>('status'),
  amount: nullable(money('amount')),
  currency: nullable(text('currency')),
  operationId: nullable(uuid('operation_id')),
  createdAt: instant('created_at'),
  updatedAt: instant('updated_at'),
});

/** A line as it is stored: its amount as a decimal string. */
export interface RefundedLineJson {
  id: string;
  quantity: number;
  amount: string;
}

export const refunds = table('refunds', {
  customerId: uuid('customer_id'),
  id: uuid('id'),
  orderId: uuid('order_id'),
  operationId: uuid('operation_id'),
  paymentMethod: text('payment_method'),
  refundId: text('refund_id'),
  disputeId: nullable(text('dispute_id')),
  status: text<RefundStatus>('status'),
  amount: money('amount'),
  items: json<RefundedLineJson[]>('items'),
  reason: nullable(text('reason')),
  unrecoveredPolicy: text<UnrecoveredPolicy>('unrecovered_policy'),
  createdAt: instant('created_at'),
  failedAt: nullable(instant('failed_at')),
  toldBy: nullable(text<RefundTeller>('told_by')),
  fills: nullable(uuid('fills')),
});

export const disputes = table('disputes', {
  customerId: uuid('customer_id'),
  id: uuid('id'),
  orderId: uuid('order_id'),
  operationId: uuid('operation_id'),
  paymentMethod: text('payment_method'),
  disputeId: text('dispute_id'),
  status: text<DisputeStatus>('status'),
  amount: money('amount'),
  unrecoveredPolicy: text<UnrecoveredPolicy>('unrecovered_policy'),
  createdAt: instant('created_at'),
  openedAt: nullable(instant('opened_at')),
  closedAt: nullable(instant('closed_at')),
});

export const clawbacks = table('clawbacks', {
  customerId: uuid('customer_id'),
  causeId: uuid('cause_id'),
  batchId: uuid('batch_id'),
  orderId: uuid('order_id'),
  claimed: bigint('claimed'),
  recovered: bigint('recovered'),
  owed: bigint('owed'),
  undone: bigint('undone'),
  cutMs: nullable(bigint('cut_ms')),
  createdAt: instant('created_at'),
});

export const balances = table('balances', {
  customerId: uuid('customer_id'),
  productKey: text('product_key'),
  available: bigint('available'),
  held: bigint('held'),
  owed: bigint('owed'),
});

/** A plan as it is stored: its price as a decimal string. */
export interface PlanJson extends Omit<SubscribedPlan, 'price'> {
  price: string;
}

/** A change as it is stored. */
export interface ChangeJson extends Omit<SubscriptionChange, 'plan'> {
  plan: PlanJson;
}

export const subscriptions = table('subscriptions', {
  customerId: uuid('customer_id'),
  id: uuid('id'),
  planGroup: text('plan_group'),
  sku: text('sku'),
  status: text<SubscriptionStatus>('status'),
  plan: json<PlanJson>('plan'),
  anchorAt: nullable(instant('anchor_at')),
  anchorDay: nullable(smallint('anchor_day')),
  periodNumber: integer('period_number'),
  periodStartsAt: nullable(instant('period_starts_at')),
  periodEndsAt: nullable(instant('period_ends_at')),
  orderId: nullable(uuid('order_id')),
  change: nullable(json<ChangeJson>('change')),
  cancelsAtEnd: boolean('cancels_at_end'),
  renewalTold: boolean('renewal_told'),
  allocatesAt: nullable(instant('allocates_at')),
  stepCount: integer('step_count'),
  turnsAt: nullable(instant('turns_at')),
  endedAt: nullable(instant('ended_at')),
  metadata: json<Metadata>('metadata'),
  createdAt: instant('created_at'),
  movedTo: nullable(uuid('moved_to')),
  formerIds: json<readonly string[]>('former_ids'),
});

export const subscriptionPeriods = table('subscription_periods', {
  customerId: uuid('customer_id'),
  subscriptionId: uuid('subscription_id'),
  sku: text('sku'),
  startsAt: instant('starts_at'),
  endsAt: instant('ends_at'),
  planGroup: text('plan_group'),
  kind: text<PeriodKind>('kind'),
  count: integer('count'),
  granted: json<Record<string, number>>('granted'),
  orderId: nullable(uuid('order_id')),
  orderItemId: nullable(uuid('order_item_id')),
  operationId: uuid('operation_id'),
  endedAt: nullable(instant('ended_at')),
  createdAt: instant('created_at'),
  orderCustomerId: nullable(uuid('order_customer_id')),
});

export const subscriptionSteps = table('subscription_steps', {
  customerId: uuid('customer_id'),
  id: uuid('id'),
  subscriptionId: uuid('subscription_id'),
  number: integer('number'),
  kind: text<StepKind>('kind'),
  occurredAt: instant('occurred_at'),
  recordedAt: instant('recorded_at'),
  operationId: uuid('operation_id'),
});

export const batches = table('batches', {
  customerId: uuid('customer_id'),
  id: uuid('id'),
  productKey: text('product_key'),
  source: text<BatchSource>('source'),
  sku: nullable(text('sku')),
  orderId: nullable(uuid('order_id')),
  orderItemId: nullable(uuid('order_item_id')),
  operationId: uuid('operation_id'),
  granted: nullable(bigint('granted')),
  available: bigint('available'),
  held: bigint('held'),
  consumed: bigint('consumed'),
  expired: bigint('expired'),
  revoked: bigint('revoked'),
  transferred: bigint('transferred'),
  recovered: bigint('recovered'),
  unrecovered: bigint('unrecovered'),
  predecessorId: nullable(uuid('predecessor_id')),
  subscriptionId: nullable(uuid('subscription_id')),
  predecessorCustomerId: nullable(uuid('predecessor_customer_id')),
  offerQuantity: nullable(bigint('offer_quantity')),
  priority: integer('priority'),
  validFrom: instant('valid_from'),
  expiresAt: nullable(instant('expires_at')),
  revokedAt: nullable(instant('revoked_at')),
  anchorDay: nullable(smallint('anchor_day')),
  noticeAt: nullable(instant('notice_at')),
  isOpen: computed(boolean('is_open')),
  metadata: json<Metadata>('metadata'),
  createdAt: instant('created_at'),
});

export const entries = table('entries', {
  customerId: uuid('customer_id'),
  seq: bigint('seq'),
  id: uuid('id'),
  operationId: nullable(uuid('operation_id')),
  kind: text<EntryKind>('kind'),
  direction: text<Entry['direction']>('direction'),
  productKey: text('product_key'),
  batchId: nullable(uuid('batch_id')),
  amount: bigint('amount'),
  balanceAfter: bigint('balance_after'),
  feature: nullable(text('feature')),
  unitCost: nullable(bigint('unit_cost')),
  actionType: nullable(text('action_type')),
  actionId: nullable(text('action_id')),
  orderId: nullable(uuid('order_id')),
  reservationId: nullable(uuid('reservation_id')),
  reversesSeq: nullable(bigint('reverses_seq')),
  metadata: nullable(json<Metadata>('metadata')),
  recordedAt: instant('recorded_at'),
  occurredAt: instant('occurred_at'),
  countedAt: nullable(instant('counted_at')),
  counted: nullable(bigint('counted')),
  checkedLimits: nullable(json<CheckedLimit[]>('checked_limits')),
});

/** How a limit names what it is about. */
const subjectColumns = { subjectType: text<SubjectType>('subject_type'), subject: text('subject') };
const limitColumns = {
  id: uuid('id'),
  windows: json<LimitTerms['windows']>('windows'),
  enforcement: text<Enforcement>('enforcement'),
  ownerTag: nullable(text('owner_tag')),
  createdAt: instant('created_at'),
  updatedAt: instant('updated_at'),
};

export const limits = table('limits', { planSku: text('plan_sku'), ...subjectColumns, ...limitColumns });

export const customerLimits = table('customer_limits', {
  customerId: uuid('customer_id'),
  ...subjectColumns,
  isCopied: boolean('is_copied'),
  ...limitColumns,
});

export const limitSources = table('limit_sources', {
  customerId: uuid('customer_id'),
  sourceId: uuid('source_id'),
  copiedAt: instant('copied_at'),
  changes: bigint('changes'),
  copied: bigint('copied'),
});

export const usageCounters = table('usage_counters', {
  customerId: uuid('customer_id'),
  ...subjectColumns,
  window: text<LimitWindow>('window_name'),
  windowStart: instant('window_start'),
  used: bigint('used'),
  seq: bigint('seq'),
});

export const trialUses = table('trial_uses', {
  scope: text('scope'),
  pepperId: text('pepper_id'),
  identityHash: text('identity_hash'),
  identityType: text('identity_type'),
  customerId: uuid('customer_id'),
  operationId: uuid('operation_id'),
  usedAt: instant('used_at'),
});

export const archivedRecords = table('archived_records', {
  customerId: uuid('customer_id'),
  kind: text<ArchivedKind>('kind'),
  sourceId: text('source_id'),
  happenedAt: instant('happened_at'),
  data: json<Metadata>('data'),
});

export const archivedTrials = table('archived_trials', {
  identityType: text('identity_type'),
  identityHash: text('identity_hash'),
  plan: text('plan'),
  usedAt: instant('used_at'),
});

export const referrals = table('referrals', {
  refereeId: uuid('customer_id'),
  id: uuid('id'),
  referrerId: uuid('referrer_id'),
  operationId: uuid('operation_id'),
  metadata: json<Metadata>('metadata'),
  createdAt: instant('created_at'),
  droppedAt: nullable(instant('dropped_at')),
  droppedReason: nullable(text<DroppedReason>('dropped_reason')),
});

export const reservations = table('reservations', {
  customerId: uuid('customer_id'),
  id: uuid('id'),
  operationId: uuid('operation_id'),
  productKey: nullable(text('product_key')),
  feature: nullable(text('feature')),
  amount: bigint('amount'),
  costs: json<Record<string, number>>('costs'),
  status: text<ReservationStatus>('status'),
  committedAmount: bigint('committed_amount'),
  actionType: text('action_type'),
  actionId: nullable(text('action_id')),
  metadata: json<Metadata>('metadata'),
  expiresAt: instant('expires_at'),
  createdAt: instant('created_at'),
  endedAt: nullable(instant('ended_at')),
  endedBy: nullable(uuid('ended_by')),
});

export const reservationLegs = table('reservation_legs', {
  customerId: uuid('customer_id'),
  reservationId: uuid('reservation_id'),
  position: integer('position'),
  batchId: uuid('batch_id'),
  productKey: text('product_key'),
  amount: bigint('amount'),
});

export const keyedCalls = table('keyed_calls', {
  owner: text('owner'),
  name: text('name'),
  idempotencyKey: text('idempotency_key'),
  requestHash: bytes('request_hash'),
  requestHashVersion: smallint('request_hash_version'),
  status: smallint('status'),
  answer: text('answer'),
  recordedAt: instant('recorded_at'),
});

export const secrets = table('secrets', { name: text('name'), fingerprint: nullable(text('fingerprint')) });

export const events = table('events', {
  place: computed(bigint('place')),
  customerId: nullable(uuid('customer_id')),
  number: bigint('number'),
  id: uuid('id'),
  type: text<EventType>('type'),
  schemaVersion: smallint('schema_version'),
  subjectId: uuid('subject_id'),
  operationId: nullable(uuid('operation_id')),
  data: json<Metadata>('data'),
  recordedAt: instant('recorded_at'),
});

export const eventLog = table('event_log', {
  isTheRow: boolean('is_the_row'),
  toldSince: nullable(instant('told_since')),
  droppedPlace: bigint('dropped_place'),
  server: nullable(text('server')),
  tellsUses: boolean('tells_uses'),
  nextEvent: bigint('next_event'),
});

export const auditRecords = table('audit_records', {
  id: uuid('id'),
  recordedAt: instant('recorded_at'),
  actingKey: text('acting_key'),
  action: text<AuditAction>('action'),
  subject: text('subject'),
  customerId: nullable(uuid('customer_id')),
  operationId: nullable(uuid('operation_id')),
  before: nullable(json<Metadata>('before')),
  after: nullable(json<Metadata>('after')),
  tellsSwitches: boolean('tells_switches'),
  tellsChanges: boolean('tells_changes'),
});

export const webhookEndpoints = table('webhook_endpoints', {
  id: text('id'),
  description: text('description'),
  types: json<string[]>('types'),
  isEnabled: boolean('is_enabled'),
  createdAt: instant('created_at'),
  updatedAt: instant('updated_at'),
  url: nullable(text('url')),
  sealedSecret: nullable(text('sealed_secret')),
  oldSealedSecret: nullable(text('old_sealed_secret')),
  oldSecretUntil: nullable(instant('old_secret_until')),
  disabledReason: nullable(text<DisabledReason>('disabled_reason')),
});

export const webhookFeeds = table('webhook_feeds', {
  id: uuid('id'),
  endpointId: nullable(text('endpoint_id')),
  place: bigint('place'),
  failingSince: nullable(instant('failing_since')),
  failedAt: nullable(instant('failed_at')),
  pausedUntil: nullable(instant('paused_until')),
  lease: nullable(uuid('lease')),
  leaseUntil: nullable(instant('lease_until')),
});

export const webhookDeliveries = table('webhook_deliveries', {
  feedId: uuid('feed_id'),
  place: bigint('place'),
  lane: text('lane'),
  number: bigint('number'),
  previous: nullable(bigint('previous')),
  eventId: uuid('event_id'),
  type: text<EventType>('type'),
  status: text<DeliveryStatus>('status'),
  attempts: integer('attempts'),
  firstTriedAt: nullable(instant('first_tried_at')),
  triedAt: nullable(instant('tried_at')),
  nextAt: nullable(instant('next_at')),
  byHandUntil: nullable(instant('by_hand_until')),
  answerStatus: nullable(integer('answer_status')),
  answerExcerpt: nullable(text('answer_excerpt')),
  error: nullable(text('error')),
});

export const notices = table('notices', {
  customerId: uuid('customer_id'),
  type: text<EventType>('type'),
  subject: text('subject'),
  windowStart: instant('window_start'),
  eventId: uuid('event_id'),
});

export const sandboxClock = table('sandbox_clock', { isTheRow: boolean('is_the_row'), instant: instant('instant') });
export const jobs = table('jobs', {
  name: text('name'),
  intervalMs: bigint('interval_ms'),
  lateAfterMs: bigint('late_after_ms'),
  nextDueAt: nullable(instant('next_due_at')),
  holder: nullable(text('holder')),
  leaseUntil: nullable(instant('lease_until')),
  runs: bigint('runs'),
  failures: integer('failures'),
  lastStartedAt: nullable(instant('last_started_at')),
  lastEndedAt: nullable(instant('last_ended_at')),
  lastError: nullable(text('last_error')),
  lastErrorAt: nullable(instant('last_error_at')),
  lagMs: nullable(bigint('lag_ms')),
  lagMeasuredAt: nullable(instant('lag_measured_at')),
});

export const apiKeys = table('api_keys', {
  id: uuid('id'),
  ownerId: uuid('owner_id'),
  name: text('name'),
  scopes: json<Scope[]>('scopes'),
  tokenHash: bytes('token_hash'),
  createdBy: text('created_by'),
  createdAt: instant('created_at'),
  expiresAt: nullable(instant('expires_at')),
  revokedAt: nullable(instant('revoked_at')),
  lastUsedAt: nullable(instant('last_used_at')),
});

export const paymentInbox = table('payment_inbox', {
  provider: text('provider'),
  eventId: text('event_id'),
  id: uuid('id'),
  type: text('type'),
  kind: text<PaymentEventKind>('kind'),
  orderRef: nullable(text('order_ref')),
  subscriptionRef: nullable(text('subscription_ref')),
  paymentId: nullable(text('payment_id')),
  refundId: nullable(text('refund_id')),
  disputeId: nullable(text('dispute_id')),
  amount: nullable(money('amount')),
  currency: nullable(text('currency')),
  occurredAt: nullable(instant('occurred_at')),
  status: text<InboxStatus>('status'),
  reason: nullable(text('reason')),
  detail: nullable(text('detail')),
  orderId: nullable(uuid('order_id')),
  attempts: integer('attempts'),
  receivedAt: instant('received_at'),
  nextAt: nullable(instant('next_at')),
  settledAt: nullable(instant('settled_at')),
  body: nullable(bytes('body')),
  headers: json<Record<string, string>>('headers'),
});

export const paymentSources = table('payment_sources', {
  name: text('name'),
  description: text('description'),
  isEnabled: boolean('is_enabled'),
  paymentMethod: text('payment_method'),
  signature: json<SourceSignature>('signature'),
  mapping: json<SourceMapping>('mapping'),
  sealedSecret: text('sealed_secret'),
  oldSealedSecret: nullable(text('old_sealed_secret')),
  oldSecretUntil: nullable(instant('old_secret_until')),
  createdAt: instant('created_at'),
  updatedAt: instant('updated_at'),
});

export const referralPrograms = table('referral_programs', {
  key: text('key'),
  description: text('description'),
  trigger: text<RewardTrigger>('trigger'),
  referrerSku: nullable(text('referrer_sku')),
  referrerQuantity: nullable(bigint('referrer_quantity')),
  refereeSku: nullable(text('referee_sku')),
  refereeQuantity: nullable(bigint('referee_quantity')),
  holdDays: integer('hold_days'),
  maxRewardsPerReferrer: nullable(bigint('max_rewards_per_referrer')),
  startsAt: nullable(instant('starts_at')),
  endsAt: nullable(instant('ends_at')),
  clawsBack: boolean('claws_back'),
  createdAt: instant('created_at'),
  updatedAt: instant('updated_at'),
});

export const rewards = table('rewards', {
  id: uuid('id'),
  customerId: uuid('customer_id'),
  referralId: uuid('referral_id'),
  side: text<RewardSide>('side'),
  referrerId: uuid('referrer_id'),
  refereeId: uuid('referee_id'),
  programKey: text('program_key'),
  orderId: nullable(uuid('order_id')),
  orderCustomerId: nullable(uuid('order_customer_id')),
  armedBy: uuid('armed_by'),
  sku: text('sku'),
  quantity: bigint('quantity'),
  maxRewards: nullable(bigint('max_rewards')),
  clawsBack: boolean('claws_back'),
  status: text<RewardStatus>('status'),
  isDisputed: boolean('is_disputed'),
  holdReason: nullable(text('hold_reason')),
  dueAt: instant('due_at'),
  actAt: nullable(instant('act_at')),
  heldAt: nullable(instant('held_at')),
  releasedAt: nullable(instant('released_at')),
  grantedAt: nullable(instant('granted_at')),
  grantedBy: nullable(uuid('granted_by')),
  ordinal: nullable(bigint('ordinal')),
  cancelledAt: nullable(instant('cancelled_at')),
  cancelReason: nullable(text('cancel_reason')),
  clawedBackAt: nullable(instant('clawed_back_at')),
  clawedBackBy: nullable(uuid('clawed_back_by')),
  createdAt: instant('created_at'),
});

export const customerSignals = table('customer_signals', {
  customerId: uuid('customer_id'),
  pepperId: text('pepper_id'),
  identityHash: text('identity_hash'),
  identityType: text('identity_type'),
  createdAt: instant('created_at'),
});
