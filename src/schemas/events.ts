// The wire of events: one schema of data for each type.
import { z } from 'zod';
import { instantAnswerSchema } from './instants.js';
import { enforcementAnswerSchema, windowSchema } from './limit-parts.js';
import { pageQueryShape } from './pages.js';
import { countAnswerSchema, signedCountSchema } from './quantities.js';
import { repeatable } from './query.js';
import { withOptionalSelector } from './selectors.js';
import { uuidAnswerSchema } from './text.js';

const WAIT_S_MAX = 30;

/** Instants in the data are kept as text. */
const instant = z.string().meta({ format: 'date-time', examples: ['2026-11-28T12:00:00.000Z'] });
const name = z.string();
const units = z.int();
const price = z.string().meta({ examples: ['9.99'] });
const metadata = z
  .record(z.string(), z.unknown())
  .nullable()
  .meta({ description: 'Null where it is larger than 8 KiB: read it by the id.', examples: [{}] });

const subject = { product_key: name.optional(), feature: name.optional() };
const order = {
  order_id: uuidAnswerSchema,
  currency: name,
  total_amount: price,
  items: z
    .array(z.object({ sku: name, quantity: units, price }))
    .meta({ description: 'The first 20 lines; `items_total` says how many there are.' }),
  items_total: units,
  expires_at: instant,
  metadata,
};
const payment = {
  order_id: uuidAnswerSchema,
  payment_method: name,
  payment_id: name,
  amount: price.nullable(),
  currency: name.nullable(),
};
const afterSale = {
  order_id: uuidAnswerSchema,
  currency: name,
  amount: price,
  status: name.meta({ description: 'Of the order, as it is afterwards.' }),
  refunded_amount: price,
  disputed_amount: price,
  payment_method: name,
};
const refund = { ...afterSale, refund_id: name, dispute_id: name.nullable(), reason: name.nullable() };
const dispute = { ...afterSale, dispute_id: name, dispute_status: name };
const reservation = { reservation_id: uuidAnswerSchema, ...subject, amount: units, expires_at: instant, metadata };
const ended = { ...reservation, committed_amount: units };
const gone = { batch_id: uuidAnswerSchema, product_key: name, amount: units, balance: units };
const limit = {
  ...subject,
  window: windowSchema,
  used: signedCountSchema.meta({ description: 'What was used in the window by then.' }),
  requested: units,
  limit: units,
  enforcement: enforcementAnswerSchema,
  resets_at: instant.nullable(),
};

const subscriptionStep = z.object({
  subscription_id: uuidAnswerSchema,
  sku: name,
  plan_group: name,
  status: z.enum(['incomplete', 'trialing', 'active', 'past_due', 'cancelled', 'expired']),
  period_starts_at: instant.nullable(),
  period_ends_at: instant.nullable(),
  cancels_at_end: z.boolean(),
  changes_to: name.nullable().meta({ description: 'The SKU of the plan that it changes to.' }),
  order_id: uuidAnswerSchema.nullable().meta({ description: 'The order that pays, or paid, what the event is about.' }),
  occurred_at: instant,
  reason: z.enum(['over', 'no_room']).nullable().meta({
    description:
      'Of `skipped`: the period was over, with all that it would have given; or more could not have been counted.',
  }),
  period: z
    .object({
      kind: z.enum(['trial', 'free', 'paid', 'skipped']),
      starts_at: instant,
      ends_at: instant,
      count: units,
      granted: z.array(z.object({ product_key: name, amount: units })),
    })
    .nullable(),
});

const reward = {
  reward_id: uuidAnswerSchema,
  referral_id: uuidAnswerSchema,
  side: name.meta({ description: 'Whose reward it is: `referrer` or `referee`.' }),
  customer_id: uuidAnswerSchema.meta({ description: 'Who gets it.' }),
  referrer_id: uuidAnswerSchema,
  referee_id: uuidAnswerSchema,
  program_key: name,
  order_id: uuidAnswerSchema.nullable(),
  sku: name,
  quantity: units,
  status: name,
  hold_reason: name.nullable(),
  cancel_reason: name.nullable(),
  due_at: instant,
};

/** What each type tells. */
export const dataOf = {
  'customer.created': z.object({ provider: name, external_id: name }),
  'customer.merged': z.object({
    source_customer_id: uuidAnswerSchema.meta({
      description: 'Its id and identities lead to the customer of the event.',
    }),
    identities: units,
    batches: units,
    dropped_referrals: units,
    subscriptions: units.optional().meta({ description: 'Those that go on with the customer of the event.' }),
    ended_subscriptions: units
      .optional()
      .meta({ description: 'Those that ended, because another one of their group ends later.' }),
  }),
  'customer.erased': z.object({
    orders: units.meta({ description: 'Orders that waited for a payment, and were cancelled.' }),
    reservations: units,
    subscriptions: units,
    batches: units.meta({ description: 'Batches of which something was left, and was revoked.' }),
  }),
  'order.created': z.object(order),
  'order.paid': z.object({
    ...order,
    payment_method: name,
    payment_id: name
      .nullable()
      .meta({ description: 'Null of an order that cost nothing and was confirmed without one.' }),
    paid_at: instant,
  }),
  'order.payment_failed': z.object(payment),
  'order.cancelled': z.object({ order_id: uuidAnswerSchema, reason: name.nullable() }),
  'order.expired': z.object({ order_id: uuidAnswerSchema }),
  'order.refunded': z.object(refund),
  'order.refund_failed': z.object(refund),
  'order.disputed': z.object(dispute),
  'order.dispute_closed': z.object(dispute),
  'payment.unmatched': z.object(payment),
  'payment.quarantined': z.object({
    inbox_id: uuidAnswerSchema,
    provider: name,
    event_id: name,
    kind: name.meta({ description: 'What the provider told: `paid`, `refunded`, …' }),
    reason: name.nullable().meta({ description: 'A code for why somebody has to look at it.' }),
    order_id: uuidAnswerSchema.nullable(),
    payment_id: name.nullable(),
    amount: price.nullable(),
    currency: name.nullable(),
  }),
  'batch.granted': z.object({
    batch_id: uuidAnswerSchema,
    product_key: name,
    source: name,
    sku: name.nullable(),
    order_id: uuidAnswerSchema.nullable(),
    granted: units.nullable().meta({ description: 'Null where units are not counted.' }),
    priority: units,
    valid_from: instant,
    expires_at: instant.nullable(),
  }),
  'batch.expiring': z.object({
    batch_id: uuidAnswerSchema,
    product_key: name,
    remaining: units.nullable().meta({ description: 'Null where units are not counted.' }),
    expires_at: instant,
  }),
  'batch.expired': z.object(gone),
  'batch.revoked': z.object(gone),
  'quota.consumed': z.object({
    operation: name.meta({ description: 'What used it: `quota.consume`, `reservation.commit`, `credits.deduct`, …' }),
    usage_id: uuidAnswerSchema,
    feature: name.nullable(),
    taken: z
      .array(z.object({ product_key: name, amount: units, balance: units }))
      .meta({ description: 'By product, the first 20; `taken_total` says how many there are.' }),
    taken_total: units,
    action_type: name.nullable(),
    action_id: name.nullable(),
    reservation_id: uuidAnswerSchema.nullable(),
    metadata,
  }),
  'quota.low': z.object({ product_key: name, balance: units, threshold: units }),
  'quota.exhausted': z.object({ product_key: name, balance: units }),
  'quota.limit_reached': z.object(limit),
  'quota.limit_exceeded': z.object(limit),
  'trial.activated': z.object({ scopes: z.array(name) }),
  'trial.refused': z.object({
    sku: name.nullable().meta({ description: 'Null where every trial offer was asked for.' }),
    identity_type: name.meta({ description: 'The kind of identity that had a trial before.' }),
  }),
  'referral.attached': z.object({
    referral_id: uuidAnswerSchema,
    referrer_id: uuidAnswerSchema,
    referee_id: uuidAnswerSchema,
    metadata,
  }),
  'subscription.created': subscriptionStep,
  'subscription.allocated': subscriptionStep,
  'subscription.allocation_begun': subscriptionStep,
  'subscription.renewed': subscriptionStep,
  'subscription.skipped': subscriptionStep,
  'subscription.trial_ending': subscriptionStep,
  'subscription.renewal_due': subscriptionStep,
  'subscription.past_due': subscriptionStep,
  'subscription.changed': subscriptionStep,
  'subscription.updated': subscriptionStep,
  'subscription.moved': subscriptionStep,
  'subscription.cancelled': subscriptionStep,
  'subscription.expired': subscriptionStep,
  'referral.reward_armed': z.object(reward),
  'referral.reward_held': z.object(reward),
  'referral.reward_cancelled': z.object(reward),
  'referral.rewarded': z.object(reward),
  'referral.revoked': z.object(reward),
  'reservation.created': z.object(reservation),
  'reservation.committed': z.object(ended),
  'reservation.released': z.object(ended),
  'reservation.expired': z.object(ended),
  'exchange.completed': z.object({
    sku: name.nullable(),
    spent: z.object({ product_key: name.nullable(), amount: units }),
    batch_ids: z.array(uuidAnswerSchema),
  }),
  'product.activated': z.object({ product_key: name }),
  'product.deactivated': z.object({ product_key: name }),
  'product.changed': z
    .object({
      product_key: name,
      features: z.array(
        z.object({
          feature: name,
          unit_cost_before: countAnswerSchema,
          unit_cost: countAnswerSchema
            .nullable()
            .meta({ description: 'Null: the product does not provide it any more.' }),
        }),
      ),
    })
    .meta({ description: 'Features of a product cost more, or are gone.' }),
  'offer.activated': z.object({ sku: name }),
  'offer.deactivated': z.object({ sku: name }),
  'webhook_endpoint.disabled': z.object({
    endpoint_id: name,
    reason: name.meta({ description: '`gone`: it answered 410. `failing`: nothing arrived for 24 hours.' }),
  }),
};

type EventType = keyof typeof dataOf;
export const EVENT_TYPES = Object.keys(dataOf) as [EventType, ...EventType[]];

const eventOf = (type: EventType) =>
  z.object({
    id: uuidAnswerSchema,
    type: z.literal(type),
    created_at: instantAnswerSchema,
    sequence: countAnswerSchema.meta({
      description: 'Its number among the events of the customer, or among those about no customer, without gaps.',
    }),
    schema_version: countAnswerSchema.meta({ description: 'The version of the data of this type.' }),
    operation_id: uuidAnswerSchema.nullable(),
    customer: z
      .object({
        id: uuidAnswerSchema,
        identities: z.array(z.object({ provider: name, external_id: name })),
      })
      .nullable()
      .meta({
        description:
          'Whose it is, with the identities that he has when the event is read; null where it is about nobody.',
      }),
    data: dataOf[type] as z.ZodObject,
  });

/** What an event of each type looks like to who is sent it. */
export const sentSchemas: readonly (readonly [EventType, z.ZodObject])[] = EVENT_TYPES.map((type) => [
  type,
  eventOf(type).extend({
    previous_sequence: countAnswerSchema.nullable().meta({
      description:
        'The `sequence` of the event of this customer that the endpoint was sent before: whoever knows another one as his last has a gap. Null of the first, or where it is not known any more.',
    }),
  }),
]);

const [first, ...others] = EVENT_TYPES;
export const eventSchema = z.discriminatedUnion('type', [eventOf(first), ...others.map(eventOf)]);

export const eventsQuery = withOptionalSelector({
  limit: pageQueryShape.limit,
  cursor: pageQueryShape.cursor.meta({
    description: '`next_cursor` of the page before; from the oldest event that is left when left out. Opaque.',
  }),
  type: repeatable(z.enum(EVENT_TYPES), EVENT_TYPES.length)
    .optional()
    .meta({ description: 'Only events of this type; repeatable.' }),
  wait_s: z
    .string()
    .regex(/^\d{1,2}$/, `must be a whole number from 0 to ${WAIT_S_MAX}`)
    .default('0')
    .transform(Number)
    .refine((seconds) => seconds <= WAIT_S_MAX, `must be a whole number from 0 to ${WAIT_S_MAX}`)
    .meta({
      type: 'integer',
      minimum: 0,
      maximum: WAIT_S_MAX,
      description: 'How long to wait for a first event, in seconds; answers as soon as there is one.',
    }),
});

export const eventsAnswer = z.object({
  data: z
    .array(eventSchema)
    .meta({ description: 'Oldest first, as far as all are there; of one customer by `sequence`.' }),
  next_cursor: z.string().meta({
    description:
      'Send it as `cursor` to go on, also when nothing came: of events that are rare a page may be empty while there are more. Never null.',
    examples: ['eyJwbGFjZSI6MTJ9'],
  }),
});
