// The wire form of a refusal: RFC 9457 problem details, with the extension members of each code that has some.
import { z } from 'zod';
import { catalogue, type ErrorCode } from '../errors/catalogue.js';
import { problemViolationsSchema } from './limit-parts.js';
import { moneySchema } from './quantities.js';

const errorCodes = Object.keys(catalogue) as ErrorCode[];

const fieldErrorSchema = z
  .object({
    pointer: z.string().meta({
      description:
        'A JSON pointer into the body, or `query/<name>`, `path/<name>`, `header/<name>`, or `record/<number>/<column>` of a CSV file.',
      examples: ['/items/0/quantity'],
    }),
    code: z.string().meta({ examples: ['required'] }),
    message: z.string().meta({ examples: ['is required'] }),
    line: z.int().optional().meta({ minimum: 1, description: 'Of a file: the line on which the record begins.' }),
    record: z.int().optional().meta({
      minimum: 1,
      description: 'Of a file: the number of the record among those of its kind, without the header.',
    }),
    column: z.string().optional().meta({ description: 'Of a file: the column, or the member of the record.' }),
  })
  .meta({ id: 'FieldError', description: 'One faulty place in the request.' });

/** A code of the catalogue. */
export const problemCodeSchema = z.enum(errorCodes).meta({ description: 'Stable; branch on this one.' });

const problemShape = {
  type: z.string().meta({ format: 'uri-reference' }),
  title: z.string(),
  status: z.int().meta({ minimum: 400, maximum: 599 }),
  detail: z.string().meta({ description: 'What went wrong this time, for people.' }),
  instance: z.string().meta({
    format: 'uri',
    description:
      'The id that this request has here and in the log, as `urn:uuid:<id>`. Also in the header `X-Request-Id`, unless the caller sent one of his own.',
    examples: ['urn:uuid:01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d'],
  }),
  code: problemCodeSchema,
  errors: z.array(fieldErrorSchema).optional().meta({ description: 'The faulty places, where there are some.' }),
};

/** Members that every problem has; an extension can't replace them. */
export const problemMembers: readonly string[] = Object.keys(problemShape);

export const problemSchema = z
  .looseObject(problemShape)
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457). Some codes add members of their own.' });

/** What would help somebody who has too little. */
export const upgradeShape = {
  upgrade_skus: z.array(z.string()).meta({
    description: 'Offers that would help and that this customer could buy, cheapest first; 10 at most.',
    examples: [['CREDITS_100']],
  }),
  upgrade_offers: z
    .array(z.object({ sku: z.string(), name: z.string(), price: moneySchema, currency: z.string() }))
    .meta({
      description: 'The same offers, with what they cost.',
      examples: [[{ sku: 'CREDITS_100', name: '100 credits', price: '9.99', currency: 'USD' }]],
    }),
};

const idSchema = z.string().meta({ examples: ['01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d'] });
const ofSubscription = z.object({
  subscription_id: idSchema.meta({ description: 'The subscription that it is about.' }),
});

/** Extension members by code. A code that is not here has none. */
export const problemExtensions: Partial<Record<ErrorCode, z.ZodObject>> = {
  malformed_json: z.object({
    line: z.int().meta({ minimum: 1, description: 'The line of the body, from 1.', examples: [3] }),
    column: z.int().meta({ minimum: 1, description: 'The character of that line, from 1.', examples: [12] }),
  }),
  invalid_catalog: z.object({
    faults: z
      .int()
      .meta({ minimum: 1, description: 'How many there are: `errors` lists the first 10,000.', examples: [1] }),
  }),
  insufficient_quota: z.object({
    requested: z.int().meta({ examples: [5] }),
    available: z.int().meta({ examples: [2] }),
    remaining: z.int().meta({
      description: 'What is left, in the unit asked for, as an answer of success says it: all that is available.',
      examples: [2],
    }),
    reasons: z.array(z.looseObject({ code: z.string() })).meta({ examples: [[{ code: 'insufficient_quota' }]] }),
    violations: problemViolationsSchema.optional().meta({ description: 'Limits that stand against it beside.' }),
    ...upgradeShape,
  }),
  limit_exceeded: z.object({ violations: problemViolationsSchema }),
  cursor_expired: z.object({
    oldest_cursor: z
      .string()
      .meta({ description: 'Where the oldest events begin that are left.', examples: ['eyJwbGFjZSI6MTJ9'] }),
  }),
  reservation_exceeded: z.object({
    requested: z.int().meta({ examples: [12] }),
    held: z.int().meta({ examples: [10] }),
  }),
  reservation_closed: z.object({ reservation_status: z.string().meta({ examples: ['released'] }) }),
  reservation_expired: z.object({ reservation_status: z.string().meta({ examples: ['expired'] }) }),
  release_exceeds_usage: z.object({
    requested: z.int().meta({ examples: [5] }),
    available: z.int().meta({ description: 'What can still be given back.', examples: [3] }),
  }),
  customer_merged: z.object({
    final_customer_id: idSchema.meta({ description: 'Whom it leads to.' }),
  }),
  customer_erased: z.object({
    customer_id: idSchema.meta({ description: 'Who was erased, where the request names several customers.' }),
  }),
  subscription_exists: ofSubscription,
  subscription_incomplete: ofSubscription,
  subscription_ended: z.object({ subscription_status: z.string().meta({ examples: ['cancelled'] }) }),
  change_paid: z.object({
    order_id: idSchema.meta({ description: 'The order that paid the next period.' }),
  }),
  order_not_cancellable: z.object({ order_status: z.string().meta({ examples: ['paid'] }) }),
  offer_limit_reached: z.object({ used: z.int().meta({ examples: [1] }), limit: z.int().meta({ examples: [1] }) }),
  order_not_paid: z.object({ order_status: z.string().meta({ examples: ['pending'] }) }),
  order_not_payable: z.object({ order_status: z.string().meta({ examples: ['expired'] }) }),
  trial_already_used: z.object({
    identity_type: z.string().meta({ description: 'The kind of identity that had a trial.', examples: ['telegram'] }),
  }),
};
