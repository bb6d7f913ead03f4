// The wire of reservations.
import { z } from 'zod';
import { instantAnswerSchema, instantSchema } from './instants.js';
import { subjectAnswerShape, warningsSchema } from './limit-parts.js';
import { metadataAnswerSchema, metadataSchema } from './metadata.js';
import { pageOf, pageQueryShape } from './pages.js';
import {
  askedCountSchema,
  askedQuantitySchema,
  askedQuantityUpTo,
  askedSwitchSchema,
  countAnswerSchema,
} from './quantities.js';
import {
  actionShape,
  refuseUnclearSubject,
  remainingSchema,
  returnedShape,
  subjectShape,
  takingsSchema,
} from './quota.js';
import { withOptionalSelector, withSelector } from './selectors.js';
import { uuidAnswerSchema } from './text.js';

const TTL_DEFAULT_S = 15 * 60;
const TTL_EXAMPLE_S = 600;
const MS_PER_S = 1_000;
/** So that the end is an instant of four digits of year; the rules bound it far below. */
const TTL_MAX_S = 10 ** 9;

const ttlSchema = askedQuantityUpTo(TTL_MAX_S).meta({ examples: [TTL_EXAMPLE_S] });

export const reserveBody = withSelector({
  ...subjectShape,
  amount: askedQuantitySchema
    .default(1)
    .meta({ description: 'In units of the product, or of the feature.', examples: [1] }),
  ttl_seconds: ttlSchema.nullish().meta({
    description: `When it ends by itself, in seconds from now; ${TTL_DEFAULT_S} when neither this nor expires_at is sent. At most 7 days.`,
  }),
  expires_at: instantSchema.nullish().meta({ description: 'Instead of ttl_seconds: the instant at which it ends.' }),
  ...actionShape,
  metadata: metadataSchema,
}).check(refuseUnclearSubject, (ctx) => {
  const { ttl_seconds, expires_at } = ctx.value as { ttl_seconds?: unknown; expires_at?: unknown };
  if (ttl_seconds == null || expires_at == null) return;
  const message = 'send ttl_seconds or expires_at, not both';
  ctx.issues.push({ code: 'custom', message, path: ['expires_at'], input: expires_at });
});

/** When a parsed reservation is to end. */
export function toLifetime({ ttl_seconds, expires_at }: z.output<typeof reserveBody>) {
  if (expires_at) return { expiresAt: expires_at };
  return { ttlMs: (ttl_seconds ?? TTL_DEFAULT_S) * MS_PER_S };
}

export const reservationQuery = withOptionalSelector({});

export const releaseBody = withOptionalSelector({});

export const commitBody = withOptionalSelector({
  amount: askedCountSchema.optional().meta({
    description: 'How much was used; all that is held when left out. 0 releases it.',
    examples: [3],
  }),
  allow_excess: askedSwitchSchema
    .default(false)
    .meta({ description: 'Takes what goes beyond the held units from the rest, at the costs of then.' }),
});

export const extendBody = withOptionalSelector({
  ttl_seconds: ttlSchema.meta({
    description: 'When it ends by itself, in seconds from now; never sooner than before.',
  }),
});

export function toTtlMs({ ttl_seconds }: z.output<typeof extendBody>): number {
  return ttl_seconds * MS_PER_S;
}

const statusSchema = z.enum(['held', 'committed', 'released', 'expired']);

const reservationShape = {
  id: uuidAnswerSchema,
  customer_id: uuidAnswerSchema,
  ...subjectAnswerShape,
  amount: countAnswerSchema.meta({ description: 'Held, in units of the product or the feature.' }),
  status: statusSchema,
  committed_amount: countAnswerSchema.meta({ examples: [0] }),
  expires_at: instantAnswerSchema,
  created_at: instantAnswerSchema,
  ended_at: instantAnswerSchema.nullable(),
  legs: z
    .array(
      z.object({
        batch_id: uuidAnswerSchema,
        product_key: z.string().meta({ examples: ['CREDITS'] }),
        amount: countAnswerSchema,
      }),
    )
    .meta({ description: 'What it holds of each batch, in product units and in the order of use.' }),
  metadata: metadataAnswerSchema,
};

export const reservationAnswer = z.object(reservationShape).meta({ id: 'Reservation' });

export const reserveAnswer = z.object({
  allowed: z.literal(true),
  operation_id: uuidAnswerSchema,
  ...reservationShape,
  remaining: remainingSchema,
  warnings: warningsSchema,
});

/** Of either ending: a commit of 0 is a release. */
export const endingAnswer = z.object({
  operation_id: uuidAnswerSchema,
  ...reservationShape,
  taken: takingsSchema,
  ...returnedShape,
  remaining: remainingSchema,
  warnings: warningsSchema,
});

export const extendAnswer = z.object({ operation_id: uuidAnswerSchema, ...reservationShape });

export const reservationsQuery = withSelector({ ...pageQueryShape, status: statusSchema.optional() });
export const reservationPage = pageOf(reservationAnswer, 'Newest first, by `created_at` and `id`.');
