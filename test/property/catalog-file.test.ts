// Random catalogues as files: into an empty database they come out byte for byte, in both formats, whatever their texts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Json, useTestApp } from '../support/app.js';
import { clearCatalogue, exportFile, importFile } from '../support/catalog-file.js';
import { propertyRun } from './seeds.js';

const RUNS = 30;
const TIMEOUT_MS = 120_000;
const { parameters, timeout } = propertyRun(RUNS, TIMEOUT_MS);
const app = useTestApp();

/** What breaks files, beside other text: delimiters, quotes, ends of lines, formulas, what reads as a number or a switch. */
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ',',
        ';',
        '\t',
        '"',
        '""',
        '\r',
        '\n',
        '\r\n',
        '=1+1',
        '@',
        '-5',
        "'",
        'true',
        '1E3',
        '\uFEFF',
        '💎',
        'é',
        ' ',
        'sep=;',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.join('').replaceAll('\0', '').trim())
  .filter((text) => text !== '' && text.length <= 200);

const metadata = fc.dictionary(
  texts.filter((key) => key !== '__proto__'),
  fc.oneof(texts, fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.integer(), { maxLength: 3 })),
  { maxKeys: 3 },
);
const amounts = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const TYPES = ['quantity', 'period', 'unlimited'];

const product = (index: number): fc.Arbitrary<Json> =>
  fc.record({
    product_key: fc.constant(`P${index}`),
    name: texts,
    description: fc.oneof(fc.constant(''), texts),
    type: fc.constant(TYPES[index % TYPES.length]),
    is_currency: fc.constant(index === 0),
    is_active: fc.boolean(),
    features: fc.uniqueArray(fc.record({ feature: fc.constantFrom('a', 'b.c', 'd_1'), unit_cost: amounts }), {
      selector: ({ feature }) => feature,
      maxLength: 3,
    }),
    low_balance_threshold: fc.option(amounts),
    expiring_days: fc.option(fc.integer({ min: 1, max: 3_650 })),
    metadata,
    created_at: fc
      .date({ min: new Date('2000-01-01'), max: new Date('2026-01-01'), noInvalidDate: true })
      .map((at) => at.toISOString()),
  });

const periods = fc.oneof(
  fc.constant({ period_unit: 'forever', period_value: null }),
  fc.record({
    period_unit: fc.constantFrom('hours', 'days', 'months', 'years'),
    period_value: fc.integer({ min: 1, max: 1_000 }),
  }),
);
const item = fc.integer({ min: 0, max: TYPES.length - 1 }).chain((index) =>
  fc
    .record({
      period: periods,
      quantity: index === 0 ? amounts : fc.constant(1),
      priority: fc.integer({ min: -5, max: 5 }),
    })
    .map(({ period, ...rest }) => ({
      product_key: `P${index}`,
      ...rest,
      ...period,
      stacking: index === 0 ? 'parallel' : undefined,
    })),
);
const lengths = fc.record({
  unit: fc.constantFrom('hours', 'days', 'weeks', 'months', 'years'),
  count: fc.integer({ min: 1, max: 36 }),
});
const planTerms = fc
  .record({
    trial_period: fc.option(lengths),
    rollover: fc.oneof(
      fc.constantFrom({ rollover: 'none' }, { rollover: 'all' }),
      amounts.map((rollover_cap) => ({ rollover: 'cap', rollover_cap })),
    ),
    grace_days: fc.integer({ min: 0, max: 365 }),
    grace_access: fc.boolean(),
  })
  .map(({ rollover, ...rest }) => ({ ...rest, ...rollover }));
const plans = fc.oneof(
  fc.constant({ recurrence: null, plan_group: null, plan: null }),
  fc.record({
    recurrence: lengths,
    plan: fc.option(planTerms),
    plan_group: texts
      .map((text) => text.slice(0, 60).trim())
      .filter((text) => text !== '' && !/\p{Surrogate}/u.test(text)),
  }),
);
const offer = (index: number): fc.Arbitrary<Json> =>
  fc
    .record({
      sku: fc.constant(`S${index}`),
      name: texts,
      description: fc.oneof(fc.constant(''), texts),
      image: fc.option(texts),
      money: fc.oneof(
        fc.record({
          price: fc.integer({ min: 0, max: 1e9 }).map((cents) => (cents / 100).toFixed(2)),
          currency: fc.constantFrom('USD', 'eur'),
        }),
        fc.record({ price: fc.integer({ min: 0, max: 1e9 }).map(String), currency: fc.constantFrom('XTR', 'P0') }),
      ),
      plan: plans,
      is_active: fc.boolean(),
      is_trial: fc.boolean(),
      trial_policy: fc.option(fc.record({ scope: fc.constantFrom('any', 'offer') })),
      items: fc.array(item, { maxLength: 4 }),
      metadata,
    })
    .map(({ money, plan, ...rest }) => ({ ...rest, ...money, ...plan }));

const catalogues = fc.record({
  products: fc.tuple(...TYPES.map((_, index) => product(index))),
  offers: fc
    .integer({ min: 0, max: 4 })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => offer(index)))),
});

describe('a random catalogue', () => {
  it(
    'comes out of an empty database as it went in, in both formats',
    async () => {
      const take = async (file: string | object) => {
        const answer = await importFile(app, file);
        expect(answer.status, answer.text).toBe(200);
        return answer.body;
      };
      await fc.assert(
        fc.asyncProperty(catalogues, async ({ products, offers }) => {
          await clearCatalogue(app);
          await take(JSON.parse(JSON.stringify({ products, offers })));
          const json = await exportFile(app, 'format=json');
          const tables = [
            await exportFile(app, 'format=csv&of=products'),
            await exportFile(app, 'format=csv&of=offers'),
          ];
          for (const table of tables) {
            const { products: ofProducts, offers: ofOffers } = await take(table);
            expect([ofProducts.created, ofProducts.updated, ofOffers.created, ofOffers.updated]).toEqual([0, 0, 0, 0]);
          }
          await clearCatalogue(app);
          for (const table of tables) await take(table);
          expect(await exportFile(app, 'format=json')).toBe(json);
          await clearCatalogue(app);
          await take(JSON.parse(json));
          expect(await exportFile(app, 'format=json')).toBe(json);
          expect([
            await exportFile(app, 'format=csv&of=products'),
            await exportFile(app, 'format=csv&of=offers'),
          ]).toEqual(tables);
        }),
        parameters,
      );
    },
    timeout,
  );
});
