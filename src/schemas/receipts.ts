// The wire of receipts.
import { z } from 'zod';
import { batchAnswer } from './batches.js';
import { eventSchema } from './events.js';
import { instantAnswerSchema } from './instants.js';
import { pageQueryShape } from './pages.js';
import { countAnswerSchema } from './quantities.js';
import { withOptionalSelector, withSelector } from './selectors.js';
import { uuidAnswerSchema, uuidSchema } from './text.js';
import { entryAnswer } from './wallet.js';

export const receiptParams = z.object({ id: uuidSchema });
export const receiptQuery = withOptionalSelector({});
export const batchQuery = withSelector(pageQueryShape);

export const receiptAnswer = z.object({
  id: uuidAnswerSchema,
  customer_id: uuidAnswerSchema,
  name: z.string().meta({ description: 'What was done.', examples: ['quota.consume'] }),
  key: z.string().meta({ description: 'The id of the API key that asked for it; `system` for the service itself.' }),
  recorded_at: instantAnswerSchema,
  idempotency_keys: z.array(z.string()).meta({ description: 'Of callers, as far as they are kept.', examples: [[]] }),
  answer: z
    .object({ status: z.int(), body: z.record(z.string(), z.unknown()) })
    .nullable()
    .meta({ description: 'What was answered, where it is kept: under a key, or under what the operation is about.' }),
  entries: z
    .array(entryAnswer)
    .meta({ description: 'What it did in the ledger, oldest first: the first 200 entries.' }),
  entries_total: countAnswerSchema,
  events: z
    .array(eventSchema)
    .meta({ description: 'What it told, in order: the first 200 events that are still kept.' }),
});

const sum = z.number().meta({ type: 'integer', minimum: 0, examples: [1000] });

export const productReportAnswer = z.object({
  product_key: z.string().meta({ examples: ['CREDITS'] }),
  customers: sum.meta({ description: 'Who have, or had, something of it.' }),
  granted: sum,
  available: sum.meta({ description: 'What becomes valid later included.' }),
  held: sum,
  used: sum,
  expired: sum,
  revoked: sum,
  owed: sum.meta({ examples: [0] }),
  access: sum.meta({ description: 'Of what is not counted: how many batches give access now.', examples: [0] }),
});

export const batchReceiptAnswer = batchAnswer.extend({
  predecessor_id: uuidAnswerSchema.nullable().meta({ description: 'The batch that it goes on for.', examples: [null] }),
  entries: z.array(entryAnswer).meta({ description: 'What was done to it, newest first.' }),
  next_cursor: z
    .string()
    .nullable()
    .meta({ examples: [null] }),
  settlement_pending: z
    .boolean()
    .meta({ description: 'Something of the customer has fallen due that is not among the entries yet.' }),
});
