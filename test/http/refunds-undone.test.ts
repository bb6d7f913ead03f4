// Refunds that failed, and disputes that were won, beside others of the same order: what comes back, and what stays taken.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { newPayment, newPerson } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '10.00' });
  await putOffer(app, 'BOX', 'CREDITS', 100, { price: '10.00' });
});

/** A paid order of a person. */
async function buy(items: Json[], person = newPerson()): Promise<{ person: string; id: string; lines: string[] }> {
  const { body } = await app.post('/orders', { external_id: person, items });
  const paid = await app.post(`/orders/${body.id}/confirm`, { payment_id: newPayment() });
  expect(paid.status, paid.text).toBe(200);
  return { person, id: body.id, lines: body.items.map((line: Json) => line.id) };
}

let told = 0;
const newId = () => `told_${++told}`;

/** Tells of a refund or a dispute, which is accepted. */
async function tell(id: string, what: 'refund' | 'dispute', body: Json): Promise<Json> {
  const answer = await app.post(`/orders/${id}/${what}`, body);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}
const balanceOf = async (person: string, key = 'CREDITS') =>
  (await app.get(`/wallet?external_id=${person}`)).body.balances[key] ?? 0;

describe('units that come back', () => {
  it('repay no debt that is forgiven with them', async () => {
    const { person, id } = await buy([{ sku: 'PACK' }, { sku: 'BOX' }]);
    await app.post('/quota/consume', { external_id: person, product_key: 'CREDITS', amount: 200 }).expect(200);
    await grantUnits(app, person, 'CREDITS', 100);
    const own = newId();
    await tell(id, 'refund', { refund_id: own, unrecovered_policy: 'debt' });
    expect(await balanceOf(person)).toBe(-100); // one debt is repaid, the other is not
    await tell(id, 'refund', { refund_id: own, status: 'failed' });
    expect(await balanceOf(person)).toBe(100);
  });
});
