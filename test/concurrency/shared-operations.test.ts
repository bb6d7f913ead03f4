// Operations that share transactions though each looks at more than its customer's book: of one customer a transaction has one, so that each loads what those
// before it wrote.
import { describe, expect, it } from 'vitest';
import type { Tx } from '../../src/db/client.js';
import { useTestApp } from '../support/app.js';
import { holdCustomers } from '../support/parallel.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();

describe('operations that share transactions', () => {
  it('are of several customers, and of each one at a time, in the order in which they came', async () => {
    const customers = await Promise.all(
      ['ada', 'bob', 'cy'].map(async (external_id) => (await app.post('/identify', { external_id })).body.customer_id),
    );
    const decided: { transaction: string; customerId: string; at: number }[] = [];
    const run = (customerId: string, at: number) =>
      app.deps.engine.runBeside({
        name: 'order.cancel',
        selector: { customerId },
        call: { actor: { keyId: 'test', ownerId: 'test', scopes: new Set() }, idempotencyKey: undefined },
        request: {},
        load: async (tx: Tx) => {
          const [row] = await tx.query('SELECT pg_current_xact_id()::text AS id');
          return String(row?.id);
        },
        needs: { asks: [] },
        decide: ({ loaded: transaction }) => {
          decided.push({ transaction, customerId, at });
          return { outcome: 'unchanged', result: undefined };
        },
        render: () => ({ status: 200, body: '{}' }),
      });
    const runAll = () => Promise.all(Array.from({ length: 8 }, (_, at) => customers.map((id) => run(id, at))).flat());
    await runAll();
    const held = await Promise.all(customers.map((id) => holdCustomers(app.url, id)));
    const waiting = runAll();
    await waitFor(
      () => 'all of them to wait for their customers',
      async () => (await app.deps.metrics.tell()).text.includes('bursar_lane_lock_waiting_requests 24') || undefined,
    );
    await Promise.all(held.map(({ rollback }) => rollback()));
    await waiting;
    expect(decided).toHaveLength(48);
    expect(new Set(decided.map(({ transaction, customerId }) => `${transaction} ${customerId}`)).size).toBe(48);
    expect(new Set(decided.map(({ transaction }) => transaction)).size).toBeLessThan(48);
    for (const id of customers) {
      const order = decided.filter(({ customerId }) => customerId === id).map(({ at }) => at);
      expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7]);
    }
  });
});
