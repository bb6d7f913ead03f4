// The wire of referrals.
import { z } from 'zod';
import { instantAnswerSchema } from './instants.js';
import { metadataAnswerSchema, metadataSchema } from './metadata.js';
import { pageOf, pageQueryShape } from './pages.js';
import { presence } from './presence.js';
import { countAnswerSchema } from './quantities.js';
import {
  externalIdSchema,
  type ParsedSelector,
  providerBesideSchema,
  refuseIdleProvider,
  refuseMissingSelector,
  type SelectorInput,
  selectorShape,
  toSelector,
  userIdSchema,
  withSelector,
} from './selectors.js';
import { uuidAnswerSchema } from './text.js';

const idSchema = userIdSchema(
  'A UUID is a `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text).',
);

/** Two ways to name the pair: by ids, as `user_id` names one, or by external ids of one provider. */
export const referralBody = z
  .object({
    referrer_id: idSchema.optional(),
    referee_id: idSchema.optional(),
    provider: providerBesideSchema,
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
    refuseIdleProvider(['referrer_id', 'referrer_external_id'], ['referee_id', 'referee_external_id']),
  );

type Side = 'referrer' | 'referee';
type SideFields = { [K in `${Side}_id` | `${Side}_external_id`]?: string | undefined } & {
  provider?: string | undefined;
};

/** The selector of one side of a parsed body or query, and the field that it came from. Throws: selector_conflict. */
export function toSide(fields: SideFields, side: Side): { selector: ParsedSelector; pointer: string } {
  const [idField, externalIdField] = [`${side}_id`, `${side}_external_id`] as const;
  const { [idField]: user_id, [externalIdField]: external_id, provider } = fields;
  const { userId: _, ...selector } = toSelector(
    { user_id, external_id, provider },
    { user_id: idField, external_id: externalIdField },
  );
  return { selector, pointer: external_id === undefined ? `/${idField}` : `/${externalIdField}` };
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

export const referralsQuery = z
  .object({
    ...pageQueryShape,
    ...selectorShape,
    referee_id: idSchema
      .optional()
      .meta({ description: 'Only the referral that brought this one: his id, as in `POST /referrals`.' }),
    referee_external_id: externalIdSchema
      .optional()
      .meta({ description: 'The same, by his external id; `provider` is of both.', examples: ['4711'] }),
  })
  .check(
    presence<SelectorInput & { referee_id?: unknown; referee_external_id?: unknown }>((ctx) => {
      const { referee_id, referee_external_id } = ctx.value;
      if (referee_id === undefined && referee_external_id === undefined) refuseMissingSelector(ctx);
    }),
    refuseIdleProvider(['user_id', 'external_id'], ['referee_id', 'referee_external_id']),
  );

/** Whether a parsed query names the referee. */
export function isOfReferee({ referee_id, referee_external_id }: z.output<typeof referralsQuery>): boolean {
  return referee_id !== undefined || referee_external_id !== undefined;
}

export const referralPage = pageOf(
  z.object({ ...referralShape, created_at: instantAnswerSchema }),
  'Newest first, by `created_at` and `referral_id`.',
);

export const referralStatsQuery = withSelector({});
export const referralStatsAnswer = z.object({ customer_id: uuidAnswerSchema, count: countAnswerSchema });
