// The wire of sources of payments.
import { z } from 'zod';
import { isWebhookSecret } from '../lib/webhook-signature.js';
import { instantAnswerSchema } from './instants.js';
import { PAYMENT_EVENT_KINDS } from './payment-inbox.js';
import { moneySchema } from './quantities.js';
import { text, uuidAnswerSchema } from './text.js';

const NAME_PATTERN = /^[a-z0-9][a-z0-9_-]{0,49}$/;
const DESCRIPTION_LENGTH_MAX = 500;
const PAYMENT_METHOD_LENGTH_MAX = 64;
const POINTER_LENGTH_MAX = 200;
const STATUSES_MAX = 100;
const STATUS_LENGTH_MAX = 100;
const SECRET_LENGTH_MIN = 16;
const HEADERS_MAX = 50;
/** Those that a mapping gives a meaning to; `unreadable` is what has none. */
const KINDS = PAYMENT_EVENT_KINDS.filter((kind) => kind !== 'unreadable');

const nameSchema = z
  .string()
  .regex(NAME_PATTERN, 'must be 1 to 50 lower-case letters, digits, _ or -, and begin with a letter or digit')
  .meta({ description: 'Yours to choose.', examples: ['shop'] });

export const sourceParams = z.object({ name: nameSchema });

const pointer = (description: string, example: string) =>
  z
    .string()
    .max(POINTER_LENGTH_MAX)
    .regex(/^(?:\/(?:[^~/]|~[01])*)+$/, 'must be a JSON pointer such as /data/id')
    .meta({ description, examples: [example] });

const signatureSchema = z
  .discriminatedUnion('scheme', [
    z.strictObject({ scheme: z.literal('standard_webhooks') }),
    z.strictObject({
      scheme: z.literal('hmac_sha256'),
      header: z
        .string()
        .regex(/^[A-Za-z0-9-]{1,64}$/, 'must be the name of a header')
        .toLowerCase()
        .meta({ description: 'The header that has the signature.', examples: ['x-signature'] }),
      encoding: z.enum(['hex', 'base64']).default('hex'),
      prefix: z
        .string()
        .max(50)
        .default('')
        .meta({ description: 'What stands before it.', examples: ['sha256='] }),
    }),
  ])
  .meta({ description: 'How bodies are signed: by Standard Webhooks, or by HMAC-SHA-256 over their bytes.' });

const mappingSchema = z
  .strictObject({
    event_id: pointer(
      'What is unique of each event; of Standard Webhooks the header `webhook-id` when left out.',
      '/id',
    )
      .nullable()
      .default(null),
    type: pointer('What the event is called; its status when left out.', '/type').nullable().default(null),
    order_id: pointer('The id of the order here.', '/data/metadata/order_id').nullable().default(null),
    subscription_id: pointer(
      'The id of a subscription here, of which a charge pays the next period.',
      '/data/metadata/subscription_id',
    )
      .nullable()
      .default(null),
    payment_id: pointer('The id of the charge.', '/data/charge'),
    refund_id: pointer('The id of a refund.', '/data/refund').nullable().default(null),
    dispute_id: pointer('The id of a dispute.', '/data/dispute').nullable().default(null),
    amount: pointer('What was charged, or given back.', '/data/amount'),
    amount_unit: z.enum(['major', 'minor']).default('major').meta({
      description: '`major`: 9.99. `minor`: 999, in the smallest units of ISO 4217.',
    }),
    currency: z
      .union([pointer('Where the code is.', '/data/currency'), z.string().regex(/^[A-Za-z]{3}$/)])
      .meta({ description: 'A pointer to the code, or the code of the only currency.', examples: ['/data/currency'] }),
    status: pointer('What happened.', '/status'),
    statuses: z
      .record(text({ max: STATUS_LENGTH_MAX }), z.enum(KINDS))
      .refine((statuses) => Object.keys(statuses).length <= STATUSES_MAX, `must have at most ${STATUSES_MAX} members`)
      .meta({ description: 'What each status means; any other is ignored.', examples: [{ succeeded: 'paid' }] }),
  })
  .meta({ description: 'Where things are in a body, as JSON pointers.' });

export const putSourceBody = z.object({
  description: text({ min: 0, max: DESCRIPTION_LENGTH_MAX }).default(''),
  enabled: z.boolean().default(true).meta({ description: 'One that is not is 404 for whoever sends.' }),
  payment_method: text({ max: PAYMENT_METHOD_LENGTH_MAX })
    .optional()
    .meta({ description: 'Under which its charges are payments; its name when left out.', examples: ['shop'] }),
  signature: signatureSchema,
  secret: text({ min: SECRET_LENGTH_MIN, trim: false, max: 255 }).optional().meta({
    description:
      'What it signs with; the one before counts for 24 hours more. The present one is kept when left out, and drawn for a new source. For Standard Webhooks `whsec_` and the base64 of 24 to 64 bytes.',
  }),
  mapping: mappingSchema,
});

/** Why a body is refused whose parts do not go together; undefined when they do. */
export function sourceFault({
  signature,
  secret,
  mapping,
}: z.output<typeof putSourceBody>): { pointer: string; message: string } | undefined {
  const isStandard = signature.scheme === 'standard_webhooks';
  if (isStandard && secret !== undefined && !isWebhookSecret(secret))
    return { pointer: '/secret', message: 'must be whsec_ and the base64 of 24 to 64 bytes' };
  if (!isStandard && mapping.event_id === null)
    return { pointer: '/mapping/event_id', message: 'is required: only Standard Webhooks have the id in a header' };
  return undefined;
}

const sourceAnswer = z.object({
  name: z.string(),
  description: z.string(),
  enabled: z.boolean(),
  payment_method: z.string(),
  signature: z.looseObject({ scheme: z.string() }),
  mapping: z.looseObject({ statuses: z.record(z.string(), z.string()) }),
  old_secret_until: instantAnswerSchema
    .nullable()
    .meta({ description: 'Until when the secret before counts, too; null where there is none.' }),
  created_at: instantAnswerSchema,
  updated_at: instantAnswerSchema,
});

export const sourceOnlyAnswer = sourceAnswer.meta({ id: 'PaymentSource' });
export const putSourceAnswer = sourceAnswer.extend({
  secret: z.string().meta({ description: 'What it signs with. Told by every PUT, and nowhere else.' }),
});
export const sourcesAnswer = z.object({
  data: z.array(sourceAnswer).meta({ description: 'All of them, by name.' }),
});

export const trySourceBody = z.object({
  body: z.union([z.string(), z.record(z.string(), z.unknown()), z.array(z.unknown())]).meta({
    description: 'A body as the source would send it: its text, or its JSON.',
    examples: [{ id: 'e-1', status: 'succeeded', data: { charge: 'c-1', amount: '9.99', currency: 'USD' } }],
  }),
  headers: z
    .record(z.string().max(100).toLowerCase(), text())
    .refine((headers) => Object.keys(headers).length <= HEADERS_MAX, `must have at most ${HEADERS_MAX} members`)
    .default({})
    .meta({ description: 'Headers beside it. A signature is not looked at.', examples: [{}] }),
});

export const trySourceAnswer = z.object({
  event_id: z.string(),
  type: z.string(),
  kind: z.enum(PAYMENT_EVENT_KINDS),
  order_ref: z.string().nullable(),
  order_id: uuidAnswerSchema
    .nullable()
    .meta({ description: 'The order here that it names, whether or not there is one.' }),
  subscription_ref: z.string().nullable(),
  payment_id: z.string().nullable(),
  refund_id: z.string().nullable(),
  dispute_id: z.string().nullable(),
  amount: moneySchema.nullable(),
  currency: z.string().nullable(),
});
