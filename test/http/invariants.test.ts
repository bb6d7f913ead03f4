// The proof over HTTP: what it looked at, and that it sees what is wrong. Each check has a test of its own in test/db.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import { mergePair } from '../support/merging.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
});

/** Does `work` while the customer's balance row says one unit too many. */
async function withWrongBalance(customerId: string, work: () => Promise<void>): Promise<void> {
  const change = (by: number) =>
    app.deps.db.query('UPDATE balances SET available = available + $2::bigint WHERE customer_id = $1::uuid', [
      customerId,
      by,
    ]);
  await change(1);
  try {
    await work();
  } finally {
    await change(-1);
  }
}

async function customerWithUnits(): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'CREDITS', 5);
  return (await app.post('/identify', { external_id })).body.customer_id;
}

describe('GET /invariants', () => {
  it('finds nothing wrong, says how much it looked at, and writes nothing', async () => {
    await customerWithUnits();
    const written = await writtenBy(app, async () => {
      const answer = await app.get('/invariants');
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ ok: true, differences: [], has_more: false });
      const [{ entries } = { entries: 0 }] = await app.deps.db.query<{ entries: number }>(
        'SELECT count(*) AS entries FROM entries',
      );
      expect(entries).toBeGreaterThan(0);
      expect(answer.body.checked.entries).toBe(entries);
    });
    expect(written).toEqual({});
  });

  it('looks at one customer alone', async () => {
    await customerWithUnits();
    const customerId = await customerWithUnits();
    const answer = await app.get(`/invariants?customer_id=${customerId}`);
    expect(answer.body).toMatchObject({ ok: true, checked: { entries: 1, batches: 1, balances: 1 } });
  });

  it('looks at one customer with what those used that lead to him', async () => {
    const customers = [];
    for (let made = 0; made < 2; made += 1) customers.push(await customerWithUnits());
    const [target = '', source = ''] = customers;
    const use = (customer_id: string, amount: number) =>
      app.post('/quota/consume', { customer_id, product_key: 'CREDITS', amount });
    await app.put('/limits', { customer_id: target, product_key: 'CREDITS', windows: { total: 9 } });
    await use(source, 3);
    app.clock.advance({ seconds: 1 });
    expect((await mergePair(app, { id: target }, { id: source })).status).toBe(200);
    app.clock.advance({ seconds: 1 });
    expect((await use(target, 4)).status).toBe(200);
    for (const id of [...customers, undefined]) {
      const { body } = await app.get(`/invariants${id === undefined ? '' : `?customer_id=${id}`}`);
      expect(body, `of ${id ?? 'all'}`).toMatchObject({ ok: true, differences: [] });
    }
  });

  it('says what differs, and whose it is', async () => {
    const customerId = await customerWithUnits();
    await withWrongBalance(customerId, async () => {
      const { body } = await app.get('/invariants');
      expect(body.ok).toBe(false);
      expect(body.differences).toContainEqual({
        check: 'i3_balance_batches',
        invariant: 'I3',
        customer_id: customerId,
        subject: 'balance CREDITS',
        expected: 'available 5, held 0',
        actual: 'available 6, held 0',
        detail: expect.any(String),
      });
    });
  });

  it('says nothing about one customer that is wrong with another', async () => {
    const [one, other] = [await customerWithUnits(), await customerWithUnits()];
    await withWrongBalance(other, async () => {
      expect((await app.get(`/invariants?customer_id=${one}`)).body.ok).toBe(true);
      expect((await app.get(`/invariants?customer_id=${other}`)).body.ok).toBe(false);
    });
  });

  it('does not know a customer who does not exist', async () => {
    expectProblem(await app.get('/invariants?external_id=nobody'), 404, 'customer_not_found');
  });
});
