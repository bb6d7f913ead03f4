// The wire of products and offers.
import { z } from 'zod';
import { instantAnswerSchema, instantSchema } from './instants.js';
import { metadataAnswerSchema, metadataSchema } from './metadata.js';
import { pageOf, pageQueryShape } from './pages.js';
import { presence } from './presence.js';
import { countAnswerSchema, countSchema, moneySchema, quantitySchema } from './quantities.js';
import { flagQuerySchema, repeatable } from './query.js';
import { featureSchema, idempotencyKeySchema, productKeySchema, skuSchema, text } from './text.js';

const NAME_LENGTH_MAX = 255;
const DESCRIPTION_LENGTH_MAX = 4_000;
const FEATURES_MAX = 100;
const ITEMS_MAX = 50;
const SKUS_MAX = 200;
const PERIOD_VALUE_MAX = 100_000;
const EXPIRING_DAYS_MAX = 3_650;
const PRIORITY_MAX = 1_000_000;
const GRACE_DAYS_MAX = 365;

const nameSchema = text({ max: NAME_LENGTH_MAX }).meta({ examples: ['Credits'] });
const descriptionSchema = text({ min: 0, max: DESCRIPTION_LENGTH_MAX }).default('');

const productTypeSchema = z.enum(['quantity', 'period', 'unlimited', 'metered']).meta({
  description:
    '`quantity` is counted and used up; `period` gives access for a time; `unlimited` gives access without counting.',
});

const featureInput = z
  .union([
    featureSchema.transform((feature) => ({ feature, unit_cost: 1 })),
    z.strictObject({ feature: featureSchema, unit_cost: quantitySchema.default(1) }),
  ])
  .meta({
    description: 'A feature with the product units that one use costs; a plain string costs 1.',
    examples: ['image_generation'],
  });

export const productParams = z.object({ key: productKeySchema });
export const skuParams = z.object({ sku: skuSchema });

export const putProductBody = z.object({
  product_key: productKeySchema
    .optional()
    .meta({ description: 'May be repeated here; must equal the path.', examples: ['CREDITS'] }),
  name: nameSchema,
  description: descriptionSchema,
  type: productTypeSchema,
  is_currency: z.boolean().default(false).meta({ description: 'Whether offers may be priced in this product.' }),
  is_active: z
    .boolean()
    .default(true)
    .meta({ description: 'An inactive product is neither sold nor granted; units already held stay spendable.' }),
  features: z
    .array(featureInput)
    .max(FEATURES_MAX)
    .check((ctx) => {
      const names = ctx.value.map(({ feature }) => feature);
      const again = names.findIndex((name, index) => names.indexOf(name) < index);
      if (again !== -1)
        ctx.issues.push({ code: 'custom', message: 'is named twice', path: [again], input: names[again] });
    })
    .default([]),
  low_balance_threshold: countSchema.nullable().default(null),
  expiring_days: quantitySchema.max(EXPIRING_DAYS_MAX).nullable().default(null).meta({
    description: 'So many days before a batch ends `batch.expiring` is told; of batches that are made from now on.',
  }),
  metadata: metadataSchema,
  force: z
    .boolean()
    .default(false)
    .meta({ description: 'Allows to raise a unit cost or remove a feature while customers hold units.' }),
});

export const productAnswer = z
  .object({
    product_key: z.string().meta({ examples: ['CREDITS'] }),
    name: z.string().meta({ examples: ['Credits'] }),
    description: z.string().meta({ examples: [''] }),
    type: productTypeSchema,
    is_currency: z.boolean(),
    is_active: z.boolean(),
    features: z.array(
      z.object({ feature: z.string().meta({ examples: ['text_generation'] }), unit_cost: countAnswerSchema }),
    ),
    low_balance_threshold: countAnswerSchema.nullable(),
    expiring_days: countAnswerSchema.nullable(),
    metadata: metadataAnswerSchema,
    created_at: instantAnswerSchema,
  })
  .meta({ id: 'Product' });

const inactiveShape = {
  include_inactive: flagQuerySchema('Whether those that are not active are listed too.'),
};

export const productPageQuery = z.object({ ...pageQueryShape, ...inactiveShape });
export const productPage = pageOf(productAnswer, 'By `product_key`.');

const periodUnitSchema = z.enum(['hours', 'days', 'months', 'years', 'forever']);
const periodValueSchema = z.int().min(1).max(PERIOD_VALUE_MAX);
export const prioritySchema = z
  .int()
  .min(-PRIORITY_MAX)
  .max(PRIORITY_MAX)
  .default(0)
  .meta({ description: 'Batches of lower priority are used first.', examples: [0] });

const offerItemInput = z
  .strictObject({
    product_key: productKeySchema,
    quantity: quantitySchema.default(1),
    period_unit: periodUnitSchema
      .default('forever')
      .meta({ description: 'The unit of the validity; `forever` has no value.', examples: ['months'] }),
    period_value: periodValueSchema
      .nullable()
      .default(null)
      .meta({ examples: [1] }),
    priority: prioritySchema,
    stacking: z
      .enum(['extend', 'parallel'])
      .optional()
      .meta({
        description: 'Whether new access begins when the present one ends, or at once. Access extends by default.',
        examples: ['extend'],
      }),
  })
  .check(
    presence<{ period_unit?: unknown; period_value?: unknown }>((ctx) => {
      const { period_unit = 'forever', period_value = null } = ctx.value;
      if (period_unit === 'forever' || period_value !== null) return;
      const message = 'is required for this unit';
      ctx.issues.push({ code: 'custom', params: { code: 'required' }, message, path: ['period_value'], input: null });
    }),
    (ctx) => {
      const { period_unit, period_value } = ctx.value;
      if (period_unit !== 'forever' || period_value === null) return;
      const message = 'must be left out: the unit is forever';
      ctx.issues.push({ code: 'custom', message, path: ['period_value'], input: period_value });
    },
  );

const currencySchema = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9_.:-]+$/, 'must be a currency code or a product key')
  .toUpperCase()
  .meta({ description: 'A currency code, XTR, or the key of a currency product.', examples: ['USD'] });

const trialPolicySchema = z.strictObject({ scope: z.enum(['any', 'offer']).default('any') }).meta({
  description: 'Who may have it as a trial: one trial in a lifetime (`any`), or one of this offer (`offer`).',
  examples: [{ scope: 'any' }],
});

const trialEligibleSchema = z
  .boolean()
  .nullable()
  .meta({
    description:
      'Whether it may be granted as a trial; null: where `is_trial` or a `trial_policy` say so. `false` leaves it to an operator’s override.',
    examples: [null],
  });

const lengthSchema = z.strictObject({
  unit: z.enum(['hours', 'days', 'weeks', 'months', 'years']),
  count: periodValueSchema,
});

export const recurrenceSchema = lengthSchema.meta({
  description: 'Makes the offer a plan: the length of its period.',
  examples: [{ unit: 'months', count: 1 }],
});

const planShape = {
  trial_period: lengthSchema.nullable().meta({
    description: 'How long the plan is free at first, once for each person; null where it is not.',
    examples: [{ unit: 'weeks', count: 2 }],
  }),
  grant_every: lengthSchema.nullable().meta({
    description:
      'How often a period allocates its units, such as each month of a yearly plan; null where once, at its beginning. All are there from the beginning of the period, each valid from its own instant; access is given once. Shorter than the recurrence, and of months a whole part of it.',
    examples: [null],
  }),
  rollover: z.enum(['none', 'cap', 'all']).meta({
    description:
      'What of the units that end with a period, or with an allocation of it, goes over into the next one: nothing, at most `rollover_cap` of each product, or all.',
    examples: ['cap'],
  }),
  rollover_cap: quantitySchema.nullable().meta({ description: 'Of `cap` alone.', examples: [50] }),
  grace_days: z
    .int()
    .min(0)
    .max(GRACE_DAYS_MAX)
    .meta({
      description: 'So many days behind the end of a period a payment still continues it.',
      examples: [3],
    }),
  grace_access: z.boolean().meta({ description: 'Whether access lasts through the days of grace.' }),
};

const planInput = z
  .strictObject({
    trial_period: planShape.trial_period.default(null),
    grant_every: planShape.grant_every.default(null),
    rollover: planShape.rollover.default('none'),
    rollover_cap: planShape.rollover_cap.default(null),
    grace_days: planShape.grace_days.default(0),
    grace_access: planShape.grace_access.default(false),
  })
  .check(
    presence<{ rollover?: unknown; rollover_cap?: unknown }>((ctx) => {
      const { rollover, rollover_cap = null } = ctx.value;
      if (rollover !== 'cap' || rollover_cap !== null) return;
      const message = 'is required for a rollover of `cap`';
      ctx.issues.push({ code: 'custom', params: { code: 'required' }, message, path: ['rollover_cap'], input: null });
    }),
    (ctx) => {
      const { rollover, rollover_cap } = ctx.value;
      if (rollover === 'cap' || rollover_cap === null) return;
      const message = `must be left out: the rollover is ${rollover}`;
      ctx.issues.push({ code: 'custom', message, path: ['rollover_cap'], input: rollover_cap });
    },
  )
  .meta({
    description:
      'How a plan (an offer with a recurrence) goes on; by the defaults of the members when left out. What was subscribed keeps what it said then.',
  });

const planAnswer = z
  .object({ ...planShape, rollover_cap: countAnswerSchema.nullable().meta({ examples: [50] }) })
  .meta({ id: 'PlanTerms', description: 'How a plan goes on.' });

export const putOfferBody = z
  .object({
    sku: skuSchema
      .optional()
      .meta({ description: 'May be repeated here; must equal the path.', examples: ['CREDITS_100'] }),
    name: nameSchema,
    description: descriptionSchema,
    image: text({ max: 2_000 })
      .nullable()
      .default(null)
      .meta({ description: 'A URL.', examples: [null] }),
    price: moneySchema,
    currency: currencySchema,
    is_active: z.boolean().default(true),
    is_trial: z.boolean().default(false),
    trial_policy: trialPolicySchema.nullable().default(null),
    trial_eligible: trialEligibleSchema.default(null),
    recurrence: recurrenceSchema.nullable().default(null),
    plan_group: text({ max: 64 })
      .nullish()
      .meta({
        description: 'Of a plan: customers have one subscription per group; `default` when left out.',
        examples: ['default'],
      }),
    plan: planInput.nullable().default(null),
    max_per_customer: quantitySchema
      .nullable()
      .default(null)
      .meta({
        description:
          'How many of it a customer may have, each of its quantity one; null for any number. Orders that wait for a payment count, refunded and cancelled ones do not.',
        examples: [null],
      }),
    items: z.array(offerItemInput).max(ITEMS_MAX).default([]),
    metadata: metadataSchema,
  })
  .check((ctx) => {
    const { recurrence, plan_group, plan } = ctx.value;
    if (recurrence !== null) return;
    const refuse = (member: string, what: string, input: unknown) => {
      const message = `only a plan (an offer with a recurrence) has ${what}`;
      ctx.issues.push({ code: 'custom', message, path: [member], input });
    };
    if (plan_group != null) refuse('plan_group', 'a group', plan_group);
    if (plan !== null) refuse('plan', 'these terms', plan);
  });

const offerItemAnswer = z.object({
  product_key: z.string().meta({ examples: ['CREDITS'] }),
  quantity: countAnswerSchema,
  period_unit: periodUnitSchema,
  period_value: z.int().nullable(),
  priority: z.int(),
  stacking: z.enum(['extend', 'parallel']),
  product: productAnswer,
});

export const offerAnswer = z
  .object({
    sku: z.string().meta({ examples: ['CREDITS_100'] }),
    name: z.string().meta({ examples: ['100 credits'] }),
    description: z.string().meta({ examples: [''] }),
    image: z
      .string()
      .nullable()
      .meta({ examples: [null] }),
    price: moneySchema,
    currency: z.string().meta({ examples: ['USD'] }),
    is_active: z.boolean(),
    is_trial: z.boolean(),
    trial_policy: trialPolicySchema.nullable(),
    trial_eligible: trialEligibleSchema,
    recurrence: recurrenceSchema.nullable(),
    plan_group: z
      .string()
      .nullable()
      .meta({ examples: [null] }),
    plan: planAnswer.nullable().meta({ examples: [null] }),
    max_per_customer: countAnswerSchema.nullable().meta({ examples: [null] }),
    items: z.array(offerItemAnswer),
    metadata: metadataAnswerSchema,
  })
  .meta({ id: 'Offer' });

const warningSchema = z.object({
  code: z.enum(['no_items', 'no_price', 'free_without_limit', 'product_inactive', 'quantity_too_large']),
  pointer: z.string().meta({ description: 'The place in the body.', examples: ['/items'] }),
  message: z.string().meta({ examples: ['it gives nothing'] }),
});

export const putOfferAnswer = offerAnswer
  .extend({
    warnings: z
      .array(warningSchema)
      .meta({ description: 'Why it can’t be sold, or gives nothing, as it stands; empty when nothing is against it.' }),
  })
  .meta({ id: 'PutOffer', description: 'The offer as it stands now, and what is against selling it.' });

export const catalogQuery = z.object({
  ...pageQueryShape,
  ...inactiveShape,
  sku: repeatable(skuSchema, SKUS_MAX).optional().meta({
    description:
      'Only these, in this order: repeatable, or with commas between them, or as `sku[0]=`. Unknown ones are left out, and inactive ones unless asked for.',
  }),
});
export const offerPage = pageOf(offerAnswer, 'By `sku`; with the parameter `sku` in the order asked for.');

const madeAtSchema = instantSchema.optional().meta({ description: 'Of one that is new: when it was made.' });

/** A product of a file, as `PUT` takes it. */
export const productRecord = putProductBody
  .omit({ force: true })
  .strict()
  .safeExtend({ product_key: productKeySchema, created_at: madeAtSchema });

/** An offer of a file, as `PUT` takes it. */
export const offerRecord = putOfferBody.strict().safeExtend({ sku: skuSchema, created_at: madeAtSchema });

const keySchema = idempotencyKeySchema
  .optional()
  .meta({ description: 'Taken without effect: an import may be repeated as it is.' });

/** A file of the catalogue as JSON, the records not looked at. */
export const catalogFrame = z
  .strictObject({
    products: z.array(z.unknown()).optional(),
    offers: z.array(z.unknown()).optional(),
    idempotency_key: keySchema,
  })
  .check((ctx) => {
    if (ctx.value.products !== undefined || ctx.value.offers !== undefined) return;
    ctx.issues.push({ code: 'custom', message: 'has neither products nor offers', path: [], input: ctx.value });
  });

/** The same, as it is to be. */
export const catalogDocument = z
  .strictObject({
    products: z.array(productRecord).optional(),
    offers: z.array(offerRecord).optional(),
    idempotency_key: keySchema,
  })
  .meta({
    description:
      'What `GET /catalog/export` answers. Records are those of `PUT`; what one leaves out stays as it is, and of a new one is the default of `PUT`.',
  });

/** Such a file as CSV. */
export const catalogTable = z.string().meta({
  description:
    'Products, or offers with a row for each item: which of them, the header says. Columns are divided by commas, semicolons or tabs.',
  examples: ['product_key,name,product_type\r\nTOKENS,Tokens,quantity\r\n'],
});

export const catalogFile = z
  .object({
    products: z.array(productAnswer),
    offers: z.array(
      offerAnswer.extend({ items: z.array(offerItemAnswer.omit({ product: true })), created_at: instantAnswerSchema }),
    ),
  })
  .meta({
    description: 'The whole catalogue, inactive ones included, by `product_key` and by `sku`; a line for each.',
  });

export const exportQuery = z.object({
  format: z.enum(['json', 'csv']).default('json').meta({ description: 'One document, or a table.' }),
  of: z
    .enum(['products', 'offers'])
    .optional()
    .meta({ description: 'Of CSV: which table; `offers` when left out.', examples: ['offers'] }),
});

export const importQuery = z.object({
  dry_run: flagQuerySchema('Whether the import is only tried: the answer is the same, and nothing is written.'),
  force: flagQuerySchema('Allows to raise a unit cost or remove a feature while customers hold units.'),
});

const importedSchema = z.object({
  created: countAnswerSchema,
  updated: countAnswerSchema,
  unchanged: countAnswerSchema,
});

export const importAnswer = z
  .object({
    dry_run: z.boolean().meta({ description: 'Whether nothing was written.', examples: [false] }),
    products: importedSchema,
    offers: importedSchema,
    warnings: z
      .array(warningSchema.extend({ sku: z.string().meta({ examples: ['CREDITS_100'] }) }))
      .meta({ description: 'Why offers of the file can’t be sold, or give nothing, as they stand; the first 1,000.' }),
    warnings_total: countAnswerSchema,
  })
  .meta({ id: 'CatalogImport', description: 'What the file changed, or would change.' });
