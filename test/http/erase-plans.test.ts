// Erasing a family with plans (DOMAIN 3.10, 3.16): no subscription of any member goes on.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putProduct, useTestApp } from '../support/app.js';
import { mergePair, newMergePair } from '../support/merging.js';
import { ask } from '../support/parallel.js';
import { monthly, plansOf } from '../support/plans.js';

const app = useTestApp();
const plans = plansOf(app);

beforeAll(async () => {
  await putProduct(app, 'UNITS');
  await plans.put('FREE', '0', [monthly('UNITS', 20)]);
  await plans.put('PRO', '9.00', [monthly('UNITS', 100)], { grace_days: 5 });
});

describe('erasing a family one of whom paid for a plan after he was merged', () => {
  it('ends that subscription, too: nothing is given to anybody later', async () => {
    const [target, source] = await newMergePair(app);
    const order = await app.post('/orders', { external_id: source.name, items: [{ sku: 'PRO' }] });
    expect((await mergePair(app, target, source)).status).toBe(200);
    await plans.confirm(order.body.id);
    const own = await plans.own(target.name);
    expect(own).toMatchObject({ sku: 'PRO', status: 'active' });
    await plans.act(own.id, 'change', { sku: 'FREE', when: 'now' });

    const erased = await app.delete(`/customers/${target.id}`);
    expect(erased.status, erased.text).toBe(200);
    expect(erased.body.closed).toMatchObject({ subscriptions: 1, units: { UNITS: 100 } });
    app.clock.advance({ days: 62 });
    const { data } = (await app.get(`/subscriptions?customer_id=${target.id}`)).body;
    expect(data.map(({ status }: Json) => status)).toEqual(['cancelled']);
    const { balances } = (await app.get(`/wallet?customer_id=${target.id}`)).body;
    expect(balances).toEqual({ UNITS: 0 });
    const late = await ask(
      app.url,
      'SELECT count(*)::int AS n FROM entries WHERE customer_id = ANY ($1::uuid[]) AND recorded_at > $2::timestamptz',
      [[target.id, source.id], erased.body.erased_at],
    );
    expect(late).toEqual([{ n: 0 }]);
    const proof = (await app.get('/invariants')).body;
    expect(proof.differences).toEqual([]);
  });
});
