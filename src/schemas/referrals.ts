// The wire of referrals.
import { z } from 'zod';
import {
  countAnswerSchema,
  instantAnswerSchema,
  metadataAnswerSchema,
  metadataSchema,
  uuidAnswerSchema,
  uuidSchema,
} from './common.js';
import { pageOf, pageQueryShape } from './pages.js';
import { presence } from './presence.js';
import { externalIdSchema, providerSchema, withSelector } from './selectors.js';

/** Two ways to name the pair: by customer ids, or by external ids of one provider. */
export const referralBody = z
  .object({
    referrer_id: uuidSchema.optional(),
    referee_id: uuidSchema.optional(),
    provider: providerSchema,
    referrer_external_id: externalIdSchema.optional(),
    referee_external_id: externalIdSchema.optional(),
    metadata: metadataSchema,
  })
  .check(
    presence<{ [K in `${'referrer' | 'referee'}_${'id' | 'external_id'}`]?: unknown }>((ctx) => {
      for (const side of ['referrer', 'referee'] as const) {
        const byId = ctx.value[`${side}_id`];
        const byExternalId = ctx.value[`${side}_external_id`];
        if (byId !== undefined || byExternalId !== undefined) continue;
        ctx.issues.push({
          code: 'custom',
          params: { code: 'required' },
          message: `send ${side}_id, or ${side}_external_id with provider`,
          path: [`${side}_id`],
          input: undefined,
        });
      }
    }),
  );

/** The selector of one side of a parsed body, and the field that it came from. */
export function toSide(body: z.output<typeof referralBody>, side: 'referrer' | 'referee') {
  const customerId = body[`${side}_id`];
  const externalId = body[`${side}_external_id`];
  return {
    selector: {
      ...(customerId !== undefined && { customerId }),
      ...(externalId !== undefined && { identity: { provider: body.provider, externalId } }),
    },
    pointer: externalId === undefined ? `/${side}_id` : `/${side}_external_id`,
  };
}

const referralShape = {
  referral_id: uuidAnswerSchema,
  referrer_id: uuidAnswerSchema,
  referee_id: uuidAnswerSchema,
  metadata: metadataAnswerSchema,
};

export const referralAnswer = z.object({
  created: z.boolean().meta({ description: 'False when the pair was known already.' }),
  ...referralShape,
});

export const referralsQuery = withSelector({ ...pageQueryShape });
export const referralPage = pageOf(z.object({ ...referralShape, created_at: instantAnswerSchema }));

export const referralStatsQuery = withSelector({});
export const referralStatsAnswer = z.object({ customer_id: uuidAnswerSchema, count: countAnswerSchema });
