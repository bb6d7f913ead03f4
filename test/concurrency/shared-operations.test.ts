// Operations that share transactions though each looks at more than its customer's book: those of one customer see what the others wrote.
import { beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../src/deps.js';
import { placeOrder } from '../../src/services/orders.js';
import { putOffer, putProduct, useTestApp } from '../support/app.js';
import { ask, holdCustomers } from '../support/parallel.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();
const render = () => ({ status: 201, body: '{}' });

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'ONCE', 'CREDITS', 10, { max_per_customer: 1 });
});

describe('operations that share a transaction', () => {
  it('are those of several customers, and one of each that counts what there is of him', async () => {
    const names = ['ada', 'bob', 'cy'];
    const customers = await Promise.all(
      names.map(async (external_id) => (await app.post('/identify', { external_id })).body.customer_id as string),
    );
    const { engine } = app.deps;
    const sharing: Deps = { ...app.deps, engine: { ...engine, run: engine.runBeside } };
    const call = { actor: { keyId: 'test', ownerId: 'test', scopes: new Set<never>() }, idempotencyKey: undefined };
    const command = { items: [{ sku: 'ONCE', quantity: 1 }], metadata: {} };
    const order = (customerId: string) => placeOrder(sharing, { customerId }, command, call, render);
    const held = await Promise.all(customers.map((id) => holdCustomers(app.url, id)));
    const placed = Promise.allSettled(
      Array.from({ length: 8 }, () => customers)
        .flat()
        .map(order),
    );
    await waitFor(
      () => 'all of them to wait for their customers',
      async () => {
        const { text } = await app.deps.metrics.tell();
        return text.includes('bursar_lane_lock_waiting_requests 24') || undefined;
      },
    );
    await Promise.all(held.map(({ rollback }) => rollback()));
    const tally = (await placed).map((each) => (each.status === 'fulfilled' ? 'placed' : each.reason.code));
    expect(tally.filter((code) => code === 'placed')).toHaveLength(3);
    expect(new Set(tally)).toEqual(new Set(['placed', 'offer_limit_reached']));
    const rows = await ask(app.url, 'SELECT count(*)::int AS count FROM orders GROUP BY customer_id');
    expect(rows).toEqual([{ count: 1 }, { count: 1 }, { count: 1 }]);
  });
});
