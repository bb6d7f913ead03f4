// The guard of the clock over HTTP, in apps whose clock tells the real time, or would: customers who are dated ahead, and clocks that are wrong.
import { readFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sweep } from '../../src/engine/sweep.js';
import { type Clock, SKEW_MAX_MS, systemClock } from '../../src/lib/clock.js';
import { type Json, putProduct, useTestApp } from '../support/app.js';
import { ask, balanceOf, customerIdOf, sendTogether, tally, useSecondApp } from '../support/parallel.js';
import { newPerson } from '../support/requests.js';

const OPERATIONS = new URL('../../docs/operations.md', import.meta.url);
const DAY_MS = 86_400_000;

const app = useTestApp();
const real = useSecondApp(app, systemClock);

const shifted = (ms: number): Clock => ({ ...systemClock, now: () => new Date(systemClock.now().getTime() + ms) });

const grant = (external_id: string, more: Json = {}, quantity = 10) =>
  real.post('/grants', { external_id, grant_type: 'bonus', product_key: 'CREDITS', quantity, ...more });
const consume = (external_id: string, key?: string) =>
  real.post(
    '/quota/consume',
    { external_id, product_key: 'CREDITS', amount: 1 },
    key === undefined ? {} : { 'idempotency-key': key },
  );

/** As a clock that was wrong has left him. */
async function dateAhead(externalId: string, interval = '31 days'): Promise<string> {
  const id = await customerIdOf(real, externalId);
  await ask(app.url, `UPDATE customers SET last_recorded_at = clock_timestamp() + $2::interval WHERE id = $1`, [
    id,
    interval,
  ]);
  return id;
}

beforeAll(() => putProduct(app, 'CREDITS'));

describe('a customer who is dated ahead of the database’s clock', () => {
  let ahead: string;
  let other: string;

  beforeEach(async () => {
    [ahead, other] = [newPerson(), newPerson()];
    for (const person of [ahead, other]) expect((await grant(person)).status).toBe(201);
  });

  it('writes nothing, whatever the kind of write, and others beside him are served', async () => {
    const first = await consume(ahead, 'before');
    const id = await dateAhead(ahead);
    const answers = await sendTogether(20, (index) => consume(index % 2 === 0 ? ahead : other));
    expect(tally(answers)).toEqual({ '200': 10, '503 clock_skewed': 10 });
    const refused = await grant(ahead);
    expect(refused.body).toMatchObject({ status: 503, code: 'clock_skewed', detail: expect.stringContaining(id) });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    const referral = await real.post('/referrals', { referee_external_id: other, referrer_external_id: ahead });
    expect(referral.body).toMatchObject({ code: 'clock_skewed' });
    // what he was told before he is told again, and he is read
    expect((await consume(ahead, 'before')).text).toBe(first.text);
    expect([await balanceOf(real, ahead, 'CREDITS'), await balanceOf(real, other, 'CREDITS')]).toEqual([9, 0]);
  });

  it('leaves the answer of a bulk call open', async () => {
    await dateAhead(ahead, '1 hour');
    const items = [other, ahead].map((external_id) => ({ external_id, product_key: 'CREDITS', amount: 1 }));
    const call = (mode: string) =>
      real.post('/quota/consume/batch', { items, mode, idempotency_key: `open-${mode}-${ahead}` });
    const outcomes = async (mode: string) => (await call(mode)).body.results.map((one: Json) => one.code ?? 'taken');
    expect(await outcomes('atomic')).toEqual(expect.arrayContaining(['clock_skewed']));
    expect(await outcomes('continue')).toEqual(['taken', 'clock_skewed']);
    await ask(app.url, 'UPDATE customers SET last_recorded_at = clock_timestamp() WHERE id = $1', [
      await customerIdOf(real, ahead),
    ]);
    expect(await outcomes('continue')).toEqual(['taken', 'taken']);
    expect([await balanceOf(real, ahead, 'CREDITS'), await balanceOf(real, other, 'CREDITS')]).toEqual([9, 9]);
  });

  it('is passed over by the sweep, which settles the others', async () => {
    const soon = { expires_at: new Date(Date.now() + DAY_MS).toISOString() };
    for (const person of [ahead, other]) expect((await grant(person, soon)).status).toBe(201);
    const ids = [await dateAhead(ahead), await customerIdOf(real, other)];
    // both are due by now
    await ask(app.url, `UPDATE customers SET due_at = clock_timestamp() - interval '1 second' WHERE id = ANY ($1)`, [
      ids,
    ]);
    await sweep({ ...app.deps, clock: systemClock });
    const due = await ask(app.url, 'SELECT id FROM customers WHERE id = ANY ($1) AND due_at <= clock_timestamp()', [
      ids,
    ]);
    expect(due).toEqual([{ id: ids[0] }]);
  });

  it('is served while he is ahead by what clocks may differ', async () => {
    await dateAhead(ahead, `${SKEW_MAX_MS - 10_000} ms`);
    expect((await consume(ahead)).status).toBe(200);
  });

  it('begins anew by the way out that the manual names', async () => {
    const section = readFileSync(OPERATIONS, 'utf8').split('## A clock that was wrong')[1];
    const block = section?.split('```sql')[1]?.split('```')[0];
    const id = await dateAhead(ahead);
    await ask(app.url, String(block).replaceAll(`:'customer'`, `'${id}'`));
    const migration = { grant_type: 'migration', source_id: id };
    expect((await grant(ahead, migration)).status).toBe(201);
    expect((await consume(ahead)).status).toBe(200);
    expect(await customerIdOf(real, ahead)).not.toBe(id);
    const kept = await real.get(`/wallet?customer_id=${id}`);
    expect(kept.body.balances).toEqual({ CREDITS: 10 });
  });
});

describe('a clock that is wrong', () => {
  const HOUR_MS = 3_600_000;
  const fast = useSecondApp(app, shifted(HOUR_MS));
  const slow = useSecondApp(app, shifted(-HOUR_MS));

  it.each([
    ['ahead of', fast],
    ['behind', slow],
  ])('by an hour %s the database’s is told, and writes nothing, alone, together or in bulk', async (word, wrong) => {
    const [known, unknown] = [newPerson(), newPerson()];
    expect((await grant(known)).status).toBe(201);
    const use = { external_id: known, product_key: 'CREDITS', amount: 1 };
    const lone = await wrong.post('/quota/consume', use);
    expect(lone.body).toMatchObject({
      status: 503,
      code: 'clock_skewed',
      detail: expect.stringContaining(`3600 s ${word}`),
    });
    const answers = await sendTogether(10, () => wrong.post('/quota/consume', use));
    expect(tally(answers)).toEqual({ '503 clock_skewed': 10 });
    const requests = [
      wrong.post('/orders', { external_id: known, items: [{ sku: 'NONE', quantity: 1 }] }),
      wrong.post('/identify', { external_id: unknown }),
      wrong.put('/products/OTHER', { name: 'Other', type: 'quantity' }),
      wrong.post('/quota/consume/batch', { items: [use], mode: 'atomic' }),
    ];
    for (const request of requests) expect((await request).text).toContain('clock_skewed');
    expect((await app.get(`/customers?external_id=${unknown}`)).body.data).toEqual([]);
    expect(await balanceOf(app, known, 'CREDITS')).toBe(10);
  });

  it('sweeps nothing, at once', async () => {
    const person = newPerson();
    expect((await grant(person, { expires_at: new Date(Date.now() + HOUR_MS / 2).toISOString() })).status).toBe(201);
    const sweeping = sweep({ ...app.deps, clock: shifted(HOUR_MS) });
    await expect(sweeping).rejects.toMatchObject({ code: 'clock_skewed' });
    expect(await balanceOf(real, person, 'CREDITS')).toBe(10);
  });
});
