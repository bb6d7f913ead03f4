// What a refusal for want of units proposes to buy: only what this customer could have now, with what it costs, wherever refusals are told.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { newPayment, newPerson } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: ['draw'] });
  await putProduct(app, 'STAR', { is_currency: true });
  await putProduct(app, 'GONE', { features: ['draw'] });
  await putProduct(app, 'ENDLESS', { type: 'unlimited' });
  await putProduct(app, 'MONTHLY', { type: 'period' });
  await putOffer(app, 'CHEAP', 'CREDITS', 10, { name: 'Ten credits', price: '0.50' });
  await putOffer(app, 'YEN', 'CREDITS', 10, { price: '100', currency: 'JPY' });
  await putOffer(app, 'FOR_STARS', 'CREDITS', 10, { price: '3', currency: 'STAR' });
  await putOffer(app, 'GIFT', 'CREDITS', 1, { price: '0' });
  await putOffer(app, 'FREE_FOR_STARS', 'CREDITS', 10, { price: '0', currency: 'STAR' });
  await putOffer(app, 'EMPTY', 'CREDITS', 10, { items: [] });
  await putOffer(app, 'RETIRED', 'CREDITS', 10, { is_active: false });
  await putOffer(app, 'TRIAL', 'CREDITS', 10, { is_trial: true });
  await putOffer(app, 'WITH_GONE', 'CREDITS', 10, { items: [{ product_key: 'CREDITS' }, { product_key: 'GONE' }] });
  await putOffer(app, 'WITH_ENDLESS', 'CREDITS', 10, {
    price: '7.00',
    items: [{ product_key: 'CREDITS' }, { product_key: 'ENDLESS' }],
  });
  await putOffer(app, 'WITH_MONTHLY', 'CREDITS', 10, {
    price: '8.00',
    items: [{ product_key: 'CREDITS' }, { product_key: 'MONTHLY', period_unit: 'months', period_value: 1 }],
  });
  await putOffer(app, 'BESIDE_ENDLESS', 'CREDITS', 10, {
    price: '9.00',
    items: [{ product_key: 'CREDITS' }, { product_key: 'ENDLESS', stacking: 'parallel' }],
  });
  await putProduct(app, 'GONE', { features: ['draw'], is_active: false });
});

const UPGRADES = [
  { sku: 'GIFT', name: 'GIFT', price: '0.00', currency: 'USD' },
  { sku: 'CHEAP', name: 'Ten credits', price: '0.50', currency: 'USD' },
  { sku: 'FOR_STARS', name: 'FOR_STARS', price: '3', currency: 'STAR' },
  { sku: 'WITH_ENDLESS', name: 'WITH_ENDLESS', price: '7.00', currency: 'USD' },
  { sku: 'WITH_MONTHLY', name: 'WITH_MONTHLY', price: '8.00', currency: 'USD' },
  { sku: 'BESIDE_ENDLESS', name: 'BESIDE_ENDLESS', price: '9.00', currency: 'USD' },
  { sku: 'YEN', name: 'YEN', price: '100', currency: 'JPY' },
];

const use = { product_key: 'CREDITS', amount: 50 };
const verdict = { on_refusal: 'verdict' };

/** The members by which a refusal says what could be bought. */
const proposedBy = ({ upgrade_skus, upgrade_offers }: Json) => ({ upgrade_skus, upgrade_offers });
const proposalOf = (offers: Json[]) => ({ upgrade_skus: offers.map(({ sku }) => sku), upgrade_offers: offers });

async function personWith(quantity: number): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'CREDITS', quantity);
  return external_id;
}

/** Each place that tells of a shortage. */
const PLACES: [name: string, ask: (external_id: string) => Promise<Json>][] = [
  ['a consume', async (external_id) => (await app.post('/quota/consume', { external_id, ...use })).body],
  ['its verdict', async (external_id) => (await app.post('/quota/consume', { external_id, ...use, ...verdict })).body],
  ['a dry run', async (external_id) => (await app.post('/quota/check', { external_id, ...use })).body],
  ['a reserve', async (external_id) => (await app.post('/reservations', { external_id, ...use })).body],
  [
    'an item of a bulk call',
    async (external_id) =>
      (await app.post('/quota/consume/batch', { items: [{ external_id, ...use }] })).body.results[0],
  ],
  [
    'an item of an atomic bulk call',
    async (external_id) =>
      (await app.post('/quota/consume/batch', { mode: 'atomic', items: [{ external_id, ...use }] })).body.results[0],
  ],
  [
    'a commit beyond what is held',
    async (external_id) => {
      const held = await app.post('/reservations', { external_id, product_key: 'CREDITS', amount: 1 });
      return (await app.post(`/reservations/${held.body.id}/commit`, { amount: 50, allow_excess: true })).body;
    },
  ],
];

describe('what a refusal proposes', () => {
  it.each(PLACES)('is what can be bought, cheapest first, with its price, in %s', async (_place, ask) => {
    const external_id = await personWith(2);
    expect(proposedBy(await ask(external_id))).toEqual(proposalOf(UPGRADES));
  });

  it('can be had, every one', async () => {
    for (const { sku, currency, price } of UPGRADES) {
      const external_id = newPerson();
      if (currency === 'STAR') {
        await grantUnits(app, external_id, 'STAR', Number(price));
        expect((await app.post('/exchange', { external_id, sku })).status).toBe(200);
        continue;
      }
      const order = await app.post('/orders', { external_id, items: [{ sku }] });
      expect([sku, order.status, order.body.total_amount]).toEqual([sku, 201, price]);
      const payment_id = Number(price) > 0 ? newPayment() : undefined;
      expect((await app.post(`/orders/${order.body.id}/confirm`, { payment_id })).body.status).toBe('paid');
    }
  });

  it('costs nothing of what is lacking', async () => {
    await putProduct(app, 'GEM', { is_currency: true, features: ['polish'] });
    await putProduct(app, 'DUST', { features: ['polish'] });
    await putOffer(app, 'MORE_GEMS', 'GEM', 10, { price: '1', currency: 'GEM' });
    await putOffer(app, 'DUST_FOR_GEMS', 'DUST', 10, { price: '1', currency: 'GEM' });
    await putOffer(app, 'GEMS_FOR_STARS', 'GEM', 10, { price: '2', currency: 'STAR' });
    const proposed = async (subject: Json) =>
      (await app.post('/quota/consume', { external_id: newPerson(), ...subject })).body.upgrade_skus;
    expect(await proposed({ product_key: 'GEM' })).toEqual(['GEMS_FOR_STARS']);
    expect(await proposed({ feature: 'polish' })).toEqual(['GEMS_FOR_STARS']);
    expect(await proposed({ product_key: 'DUST' })).toEqual(['DUST_FOR_GEMS']);
  });

  it('extends no access that the customer has for ever', async () => {
    const external_id = await personWith(2);
    await grantUnits(app, external_id, 'ENDLESS', 1);
    await grantUnits(app, external_id, 'MONTHLY', 1, { expires_at: '2026-03-01T00:00:00Z' });
    const order = await app.post('/orders', { external_id, items: [{ sku: 'WITH_ENDLESS' }] });
    expect(order.body.code).toBe('already_unlimited');
    const { body } = await app.post('/quota/consume', { external_id, ...use });
    expect(proposedBy(body)).toEqual(proposalOf(UPGRADES.filter(({ sku }) => sku !== 'WITH_ENDLESS')));
    await grantUnits(app, external_id, 'MONTHLY', 1);
    const dry = await app.post('/quota/check', { external_id, ...use });
    expect(dry.body.upgrade_skus).toEqual(['GIFT', 'CHEAP', 'FOR_STARS', 'BESIDE_ENDLESS', 'YEN']);
    const other = await app.post('/quota/consume', { external_id: newPerson(), ...use });
    expect(proposedBy(other.body)).toEqual(proposalOf(UPGRADES));
  });

  it('is nothing where nothing helps, or units are taken away', async () => {
    const external_id = newPerson();
    const gone = await app.post('/quota/consume', { external_id, product_key: 'MONTHLY', ...verdict });
    expect(gone.body.upgrade_skus).toEqual(['WITH_MONTHLY']);
    const price = await app.post('/exchange', { external_id, sku: 'FOR_STARS' });
    expect(proposedBy(price.body)).toEqual(proposalOf([]));
    const adjustment = { grant_type: 'adjustment', direction: 'debit', product_key: 'CREDITS', reason: 'count' };
    const taken = await app.post('/grants', { external_id, ...adjustment });
    expect([taken.status, proposedBy(taken.body)]).toEqual([402, proposalOf([])]);
  });
});

describe('a refusal for want of units', () => {
  it.each(PLACES)('says what remains, in the unit asked for, in %s', async (_place, ask) => {
    const external_id = await personWith(2);
    const { remaining, available } = await ask(external_id);
    expect(remaining).toBe(available ?? 2);
  });

  it('says so of a price, a deduction and an adjustment', async () => {
    const external_id = await personWith(2);
    await grantUnits(app, external_id, 'STAR', 1);
    const price = await app.post('/exchange', { external_id, sku: 'FOR_STARS', ...verdict });
    const deducted = await app.post('/credits/deduct', { external_id, product_key: 'STAR', amount: 3, ...verdict });
    const adjustment = { grant_type: 'adjustment', direction: 'debit', product_key: 'CREDITS', quantity: 3 };
    const taken = await app.post('/grants', { external_id, ...adjustment, reason: 'count', ...verdict });
    expect([price, deducted, taken].map(({ body }) => [body.allowed, body.available, body.remaining])).toEqual([
      [false, 1, 1],
      [false, 1, 1],
      [false, 2, 2],
    ]);
  });
});
