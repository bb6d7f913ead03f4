// The wire of orders.
import { z } from 'zod';
import { batchAnswer } from './batches.js';
import { instantAnswerSchema, instantSchema } from './instants.js';
import { metadataAnswerSchema, metadataSchema } from './metadata.js';
import { pageOf, pageQueryShape } from './pages.js';
import { askedQuantitySchema, askedQuantityUpTo, countAnswerSchema, moneySchema } from './quantities.js';
import { disputeAnswer, PAYMENT_METHOD_LENGTH_MAX, recoveryShape, refundAnswer } from './refunds.js';
import { withOptionalSelector, withSelector } from './selectors.js';
import { idText, refuseMissingPart, skuSchema, text, upperCaseOf, uuidAnswerSchema, uuidSchema } from './text.js';

const ITEMS_MAX = 100;
const EXPIRES_IN_MAX_S = 30 * 24 * 3_600;
const ORDER_STATUSES = ['pending', 'paid', 'partially_refunded', 'refunded', 'cancelled', 'expired'] as const;
const PAYMENT_STATUSES = ['failed', 'unmatched', 'paid'] as const;
const DEFAULT_PAYMENT_METHOD = 'provider_payments';

const orderLineInput = z.strictObject({
  sku: skuSchema,
  quantity: askedQuantitySchema
    .default(1)
    .meta({ description: 'Multiplies counted units, and the length of access.', examples: [1] }),
  price: moneySchema.optional().meta({
    description:
      'Of one, in place of the offer’s: needs the scope `prices`, and a `price_reason`. In the offer’s currency.',
  }),
  price_reason: text()
    .optional()
    .meta({ description: 'Why the price is another than the offer’s.', examples: ['agreed with sales'] }),
});

export const placeOrderBody = withSelector({
  items: z
    .array(orderLineInput)
    .min(1)
    .max(ITEMS_MAX)
    .meta({ description: 'All of them come to 1,000 batches at most: each is as many as its offer has items.' }),
  metadata: metadataSchema,
  expires_in: askedQuantityUpTo(EXPIRES_IN_MAX_S)
    .optional()
    .meta({ description: 'Seconds until the order can no longer be paid; 24 hours when left out.', examples: [3600] }),
});

export const orderParams = z.object({ id: uuidSchema });

export const orderQuery = withOptionalSelector({});

export const confirmOrderBody = withOptionalSelector({
  payment_id: idText('ch_3Qx1').check(refuseMissingPart).nullish().meta({
    description:
      'The provider’s id of the charge, compared exactly; an integer is read as its digits. Required when the total is above 0.',
  }),
  payment_method: text({ max: PAYMENT_METHOD_LENGTH_MAX })
    .default(DEFAULT_PAYMENT_METHOD)
    .meta({ description: 'Lower-cased; a payment id is unique within its method.', examples: ['stripe'] }),
  status: z.enum(['paid', 'failed']).default('paid'),
  amount: moneySchema
    .nullish()
    .meta({ description: 'What was paid; must equal the order’s total.', examples: ['9.99'] }),
  currency: text({ max: 64 })
    .overwrite(upperCaseOf)
    .nullish()
    .meta({ description: 'Must equal the order’s currency.', examples: ['USD'] }),
  payment_fingerprint: text()
    .nullish()
    .meta({
      description:
        'By what the provider knows the card or account that paid. Kept as a keyed hash: a referral whose sides share one waits for an operator.',
      examples: ['Xt5EWLLDS7FJjR1c'],
    }),
});

export const cancelOrderBody = withOptionalSelector({
  reason: text()
    .optional()
    .meta({ description: 'Why, for whoever looks at the order.', examples: ['changed his mind'] }),
});

const listedShape = {
  payment_id: idText('ch_3Qx1').optional().meta({ description: 'Only of this charge of the provider.' }),
  payment_method: text({ max: PAYMENT_METHOD_LENGTH_MAX })
    .optional()
    .meta({ description: 'Only of this method.', examples: ['stripe'] }),
};

export const ordersQuery = withOptionalSelector({
  ...pageQueryShape,
  ...listedShape,
  status: z.enum(ORDER_STATUSES).optional().meta({ description: 'Only orders of this status, as it is now.' }),
  sku: skuSchema.optional().meta({ description: 'Only orders with a line of this SKU.' }),
  from: instantSchema.optional().meta({ description: 'Made at this instant or later.' }),
  until: instantSchema.optional().meta({ description: 'Made before this instant.' }),
});

export const paymentsQuery = withOptionalSelector({
  ...pageQueryShape,
  ...listedShape,
  status: z.enum(PAYMENT_STATUSES).optional().meta({ description: 'Only payments of this status.' }),
  order_id: uuidSchema.optional().meta({ description: 'Only what was told of this order last.' }),
});

const paymentAnswer = z.object({
  payment_method: z.string(),
  payment_id: z.string(),
  status: z.enum(PAYMENT_STATUSES).meta({
    description:
      '`unmatched`: it was received and paid nothing, because the order was paid, ended, or of another amount.',
  }),
  order_id: uuidAnswerSchema.meta({ description: 'The order of which it was told last.' }),
  customer_id: uuidAnswerSchema,
  amount: moneySchema.nullable().meta({ description: 'Null when nobody told.' }),
  currency: z.string().nullable(),
  operation_id: uuidAnswerSchema.nullable(),
  created_at: instantAnswerSchema,
  updated_at: instantAnswerSchema,
});

export const paymentPage = pageOf(paymentAnswer, 'Newest first, by when they were first told.');

export const orderAnswer = z
  .object({
    id: uuidAnswerSchema,
    customer_id: uuidAnswerSchema,
    status: z.enum(ORDER_STATUSES),
    expires_at: instantAnswerSchema.meta({ description: 'Until when a pending order can be paid.' }),
    currency: z.string().meta({ examples: ['USD'] }),
    total_amount: moneySchema,
    payment_method: z
      .string()
      .nullable()
      .meta({ examples: ['stripe'] }),
    payment_id: z
      .string()
      .nullable()
      .meta({ examples: ['ch_3Qx1'] }),
    paid_at: instantAnswerSchema.nullable(),
    cancelled_at: instantAnswerSchema.nullable(),
    cancel_reason: z.string().nullable(),
    refunded_amount: moneySchema.meta({ examples: ['0.00'] }),
    disputed_amount: moneySchema.meta({
      description: 'What disputes contest that are open or lost; they never change the status.',
      examples: ['0.00'],
    }),
    items: z.array(
      z.object({
        id: uuidAnswerSchema,
        sku: z.string().meta({ examples: ['CREDITS_100'] }),
        name: z.string().meta({ examples: ['100 credits'] }),
        quantity: countAnswerSchema,
        price: moneySchema.meta({ description: 'Of one, as it was when the order was made.' }),
        list_price: moneySchema.nullable().meta({
          description: 'What the offer cost then, where another price was set; null where `price` is the offer’s.',
        }),
        price_reason: z.string().nullable().meta({ description: 'Why another price was set.' }),
      }),
    ),
    batches: z.array(batchAnswer).optional().meta({
      description:
        'What a paid order granted, and in what it went on: the first 200 batches. The others are in `GET /wallet/batches?order_id=`.',
    }),
    batches_total: countAnswerSchema.optional().meta({ description: 'How many batches these are.', examples: [1] }),
    refunds: z
      .array(refundAnswer)
      .optional()
      .meta({ description: 'Of a paid order that is read by its id: oldest first.' }),
    disputes: z
      .array(disputeAnswer)
      .optional()
      .meta({ description: 'Of a paid order that is read by its id: oldest first.' }),
    metadata: metadataAnswerSchema,
    created_at: instantAnswerSchema,
  })
  .meta({ id: 'Order' });

export const orderPage = pageOf(orderAnswer, 'Newest first, without what they granted.');

/** An order with the refund that was just told. */
export const refundedOrderAnswer = orderAnswer.extend({ refund: refundAnswer.extend(recoveryShape) });

/** An order with the dispute that was just told. */
export const disputedOrderAnswer = orderAnswer.extend({ dispute: disputeAnswer.extend(recoveryShape) });
