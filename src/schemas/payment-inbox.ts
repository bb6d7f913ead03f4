// The wire of what payment providers send, and of the inbox in which it is kept.
import { z } from 'zod';
import { instantAnswerSchema, instantSchema } from './instants.js';
import { pageOf, pageQueryShape } from './pages.js';
import { moneySchema } from './quantities.js';
import { idText, text, uuidAnswerSchema, uuidSchema } from './text.js';

const PROVIDER_LENGTH_MAX = 64;
const STATUSES = ['waiting', 'applied', 'ignored', 'quarantined', 'dismissed'] as const;
export const PAYMENT_EVENT_KINDS = [
  'paid',
  'failed',
  'expired',
  'cancelled',
  'refunded',
  'refund_failed',
  'dispute_opened',
  'dispute_won',
  'dispute_lost',
  'ignored',
  'unreadable',
] as const;

const providerName = z
  .string()
  .max(PROVIDER_LENGTH_MAX)
  .regex(/^[a-z0-9][a-z0-9_-]*$/, 'must be lower-case letters, digits, _ or -')
  .meta({ examples: ['stripe'] });

export const providerParams = z.object({ provider: providerName });

/** What a provider is answered: that it is here, or what it asked for. */
export const receivedAnswer = z
  .object({
    received: z.literal(true).optional().meta({ description: 'It is stored.' }),
    method: z.string().optional().meta({ description: 'Of Telegram: the call that this answer is.' }),
    pre_checkout_query_id: z.string().optional(),
    ok: z.boolean().optional().meta({ description: 'Whether the charge may be made.' }),
    error_message: z.string().optional().meta({ description: 'Why not, for who would pay.' }),
  })
  .meta({ examples: [{ received: true }] });

export const inboxParams = z.object({ id: uuidSchema });

export const inboxQuery = z.object({
  ...pageQueryShape,
  status: z.enum(STATUSES).optional().meta({ description: 'Only events of this status.' }),
  provider: text({ max: PROVIDER_LENGTH_MAX * 2 })
    .optional()
    .meta({
      description: 'Only of this provider; of a source of payments it is `generic/` and its name.',
      examples: ['stripe'],
    }),
  kind: z.enum(PAYMENT_EVENT_KINDS).optional().meta({ description: 'Only events that tell this.' }),
  order_id: uuidSchema.optional().meta({ description: 'Only events about this order.' }),
  payment_id: idText('pi_3Qx1').optional().meta({ description: 'Only events of this charge.' }),
  event_id: idText('evt_1Qx1').optional().meta({ description: 'Only the event that the provider calls so.' }),
  from: instantSchema.optional().meta({ description: 'Received at this instant or later.' }),
  until: instantSchema.optional().meta({ description: 'Received before this instant.' }),
});

const inboxEvent = z.object({
  id: uuidAnswerSchema,
  provider: z.string().meta({ examples: ['stripe'] }),
  event_id: z.string().meta({ description: 'What the provider calls it.', examples: ['evt_1Qx1'] }),
  type: z.string().meta({ description: 'As the provider has it.', examples: ['payment_intent.succeeded'] }),
  kind: z.enum(PAYMENT_EVENT_KINDS).meta({ description: 'What it tells, in the words of all providers.' }),
  status: z.enum(STATUSES).meta({
    description:
      '`waiting`: it is tried again by itself, at `next_at`. `applied`: it had its effect. `ignored`: it has none. `quarantined`: somebody has to look at it. `dismissed`: somebody did.',
  }),
  reason: z
    .string()
    .nullable()
    .meta({ description: 'A code for why it is not applied; null of what is.', examples: ['payment_mismatch'] }),
  detail: z
    .string()
    .nullable()
    .meta({ description: 'The same for people.', examples: ['The order costs 9.99 USD.'] }),
  order_id: uuidAnswerSchema.nullable().meta({
    description:
      'The order that it is about, once that is known: of a further charge of a plan the one that it paid, which may be another than it names.',
  }),
  order_ref: z
    .string()
    .nullable()
    .meta({ description: 'What it names as its order.', examples: [null] }),
  subscription_ref: z
    .string()
    .nullable()
    .meta({ description: 'What it names as its subscription, of which it pays the next period.', examples: [null] }),
  payment_id: z
    .string()
    .nullable()
    .meta({ examples: ['pi_3Qx1'] }),
  refund_id: z
    .string()
    .nullable()
    .meta({ examples: [null] }),
  dispute_id: z
    .string()
    .nullable()
    .meta({ examples: [null] }),
  amount: moneySchema.nullable(),
  currency: z
    .string()
    .nullable()
    .meta({ examples: ['USD'] }),
  occurred_at: instantAnswerSchema.nullable().meta({ description: 'When it happened, as the provider says.' }),
  received_at: instantAnswerSchema,
  attempts: z.int().meta({ description: 'How often it was begun to apply it.', examples: [1] }),
  next_at: instantAnswerSchema.nullable(),
  settled_at: instantAnswerSchema.nullable(),
});

export const inboxPage = pageOf(inboxEvent, 'Newest first.');

export const inboxEventAnswer = inboxEvent
  .extend({
    body: z.unknown().meta({
      description: 'What came in, without what is secret; null once it is blanked by age.',
      examples: [{ id: 'evt_1Qx1', type: 'payment_intent.succeeded' }],
    }),
    headers: z.record(z.string(), z.string()).meta({ description: 'Those that are kept.', examples: [{}] }),
  })
  .meta({ id: 'PaymentEvent' });

export const dismissBody = z.object({
  reason: text().meta({ description: 'Why it is to have no effect.', examples: ['a payment of the other shop'] }),
});
