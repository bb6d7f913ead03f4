// One person, one customer: what merging does to whom it is about, and to what comes later.
import { beforeAll, describe, expect, it } from 'vitest';
import { putProduct, useTestApp } from '../support/app.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
});

let people = 0;
async function newCustomer(): Promise<{ id: string; external_id: string }> {
  people += 1;
  const external_id = `person-${people}`;
  const { body } = await app.post('/identify', { provider: 'telegram', external_id });
  return { id: String(body.customer_id), external_id };
}
const pair = async () => [await newCustomer(), await newCustomer()] as const;
const merge = (target_customer_id: string, source_customer_id: string, more = {}) =>
  app.post('/customers/merge', { target_customer_id, source_customer_id, ...more });
const grant = (customer_id: string, amount: number, more = {}) =>
  app.post('/grants', { customer_id, grant_type: 'bonus', product_key: 'CREDITS', quantity: amount, ...more });
const balanceOf = async (customer_id: string) => {
  const { body } = await app.get(`/balance?customer_id=${customer_id}&product_key=CREDITS`);
  return body.remaining;
};

describe('POST /customers/merge', () => {
  it('moves what is available, and the source leads to the target by its id and its identities', async () => {
    const [target, source] = await pair();
    await grant(target.id, 5);
    await grant(source.id, 7);
    const merged = await merge(target.id, source.id);
    expect(merged.status, merged.text).toBe(200);
    expect(merged.body).toMatchObject({
      customer_id: target.id,
      source_customer_id: source.id,
      dry_run: false,
      moved: { identities: 1, batches: 1, units: { CREDITS: 7 } },
    });
    for (const customerId of [target.id, source.id]) expect(await balanceOf(customerId)).toBe(12);
    const known = await app.post('/identify', { provider: 'telegram', external_id: source.external_id });
    expect(known.body.customer_id).toBe(target.id);
    const used = await app.post('/quota/consume', { customer_id: source.id, product_key: 'CREDITS', amount: 12 });
    expect(used.status, used.text).toBe(200);
    expect(await balanceOf(target.id)).toBe(0);
  });
});
