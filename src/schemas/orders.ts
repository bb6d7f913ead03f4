// The wire of orders.
import { z } from 'zod';
import { batchAnswer } from './batches.js';
import {
  askedQuantitySchema,
  askedQuantityUpTo,
  countAnswerSchema,
  idText,
  instantAnswerSchema,
  metadataAnswerSchema,
  metadataSchema,
  moneySchema,
  refuseMissingPart,
  skuSchema,
  text,
  uuidAnswerSchema,
  uuidSchema,
} from './common.js';
import { withOptionalSelector, withSelector } from './selectors.js';

const ITEMS_MAX = 100;
const EXPIRES_IN_MAX_S = 30 * 24 * 3_600;
const PAYMENT_METHOD_LENGTH_MAX = 64;
const DEFAULT_PAYMENT_METHOD = 'provider_payments';

const orderLineInput = z.strictObject({
  sku: skuSchema,
  quantity: askedQuantitySchema
    .default(1)
    .meta({ description: 'Multiplies counted units, and the length of access.', examples: [1] }),
  price: z
    .never({ error: () => 'prices come from the catalogue: leave it out' })
    .optional()
    .meta({ description: 'Not accepted: prices come from the catalogue.' }),
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
    .toUpperCase()
    .nullish()
    .meta({ description: 'Must equal the order’s currency.', examples: ['USD'] }),
});

export const orderAnswer = z
  .object({
    id: uuidAnswerSchema,
    customer_id: uuidAnswerSchema,
    status: z.enum(['pending', 'paid', 'partially_refunded', 'refunded', 'cancelled', 'expired']),
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
    refunded_amount: moneySchema.meta({ examples: ['0.00'] }),
    items: z.array(
      z.object({
        id: uuidAnswerSchema,
        sku: z.string().meta({ examples: ['CREDITS_100'] }),
        name: z.string().meta({ examples: ['100 credits'] }),
        quantity: countAnswerSchema,
        price: moneySchema.meta({ description: 'Of one, as it was when the order was made.' }),
      }),
    ),
    batches: z.array(batchAnswer).optional().meta({
      description:
        'What a paid order granted: the first 200 batches. The others are in `GET /wallet/batches?order_id=`.',
    }),
    batches_total: countAnswerSchema
      .optional()
      .meta({ description: 'How many batches a paid order granted.', examples: [1] }),
    metadata: metadataAnswerSchema,
    created_at: instantAnswerSchema,
  })
  .meta({ id: 'Order' });
