// The wire of the audit trail.
import { z } from 'zod';
import { instantAnswerSchema, instantSchema } from './instants.js';
import { pageOf, pageQueryShape } from './pages.js';
import { repeatable } from './query.js';
import { withOptionalSelector } from './selectors.js';
import { text, uuidAnswerSchema } from './text.js';

const ACTIONS = [
  'product.created',
  'product.updated',
  'offer.created',
  'offer.updated',
  'endpoint.created',
  'endpoint.updated',
  'endpoint.deleted',
  'api_key.created',
  'api_key.updated',
  'api_key.refused',
  'customer_token.issued',
  'limit.created',
  'limit.updated',
  'limit.deleted',
  'limit_source.created',
  'limit_source.updated',
  'limit_source.deleted',
  'payment_event.updated',
  'payment_source.created',
  'payment_source.updated',
  'payment_source.deleted',
  'referral_program.created',
  'referral_program.updated',
  'referral_program.deleted',
  'reward.released',
  'reward.refused',
  'clock.set',
  'customer.updated',
  'customer.merged',
  'customer.erased',
  'identity.linked',
  'identity.unlinked',
  'balance.adjusted',
  'order.priced',
  'order.refunded',
  'order.disputed',
  'trial.overridden',
] as const;

export const auditQuery = withOptionalSelector({
  ...pageQueryShape,
  action: repeatable(z.enum(ACTIONS), ACTIONS.length)
    .optional()
    .meta({ description: 'Only changes of this kind; repeatable.' }),
  subject: text().optional().meta({ description: 'Only changes of the thing of this key, SKU or id.' }),
  key: text().optional().meta({ description: 'Only what was done with this API key, by its id.' }),
  from: instantSchema.optional().meta({ description: 'From this instant on.' }),
  until: instantSchema.optional().meta({ description: 'Before this instant.' }),
});

const snapshot = (when: string) =>
  z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({
      description: `What there was ${when}, under the names of its resource; null for nothing.`,
      examples: [{}],
    });

const recordAnswer = z.object({
  id: uuidAnswerSchema,
  at: instantAnswerSchema,
  key: z.string().meta({ description: 'The id of the API key that did it; `system` for the service itself.' }),
  action: z.enum(ACTIONS),
  subject: z.string().meta({ description: 'The key, SKU or id of what was changed.' }),
  customer_id: uuidAnswerSchema.nullable(),
  operation_id: uuidAnswerSchema.nullable(),
  before: snapshot('before'),
  after: snapshot('afterwards'),
});

export const auditPage = pageOf(recordAnswer, 'Newest first.');
