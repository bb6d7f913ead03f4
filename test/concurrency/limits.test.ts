// Usage limits under load: never more than is allowed, whatever uses at once and in however many processes; counters that are brought up in steps.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { ask, customerIdOf, sendTogether, tally, useSecondApp } from '../support/parallel.js';
import { newPerson } from '../support/requests.js';
import { leaveUntold } from '../support/untold.js';

const ROUNDS = 20;

const app = useTestApp();
const second = useSecondApp(app);

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'OTHER');
});

const either = (index: number) => (index % 2 === 0 ? app : second);
const limit = (external_id: string, windows: Json) =>
  app.put('/limits', { external_id, product_key: 'CREDITS', windows });
const asked = (external_id: string) => ({ external_id, product_key: 'CREDITS', amount: 1 });

async function personWith(units: number): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'CREDITS', units);
  return external_id;
}

/** A use of 1, each time by another way. */
function useSomehow(external_id: string, index: number) {
  const item = asked(external_id);
  const ways = [
    () => either(index).post('/quota/consume', item),
    () => either(index >> 1).post('/reservations', item),
    () => either(index >> 1).post('/quota/consume/batch', { mode: 'continue', items: [item] }),
    () => either(index >> 1).post('/quota/consume/batch', { mode: 'atomic', items: [item] }),
  ];
  return (ways[index % ways.length] as (typeof ways)[number])();
}

function isAccepted({ status, body }: { status: number; body: Json }): boolean {
  const [result] = (body.results as Json[] | undefined) ?? [];
  return result === undefined ? status < 300 : result.allowed === true && body.committed === true;
}

describe('50 uses of 1 at once against a limit of 10', () => {
  it('are exactly 10, by whatever way, from two processes', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const external_id = await personWith(100);
      await limit(external_id, { day: 10 });
      const answers = await sendTogether(50, (index) => useSomehow(external_id, index));
      expect(answers.filter(isAccepted)).toHaveLength(10);
      expect((await app.post('/quota/consume', asked(external_id))).body.violations).toMatchObject([{ current: 10 }]);
    }
  });

  it('tell each window once', async () => {
    const external_id = await personWith(100);
    await limit(external_id, { hour: 10, day: 10 });
    await sendTogether(50, (index) => useSomehow(external_id, index));
    const events = await ask(app.url, 'SELECT type, data FROM events WHERE customer_id = $1 AND type LIKE $2', [
      await customerIdOf(app, external_id),
      'quota.limit_%',
    ]);
    const told = events.map(({ type, data }) => `${type} ${(data as Json).window}`).sort();
    expect(told).toEqual([
      'quota.limit_exceeded day',
      'quota.limit_exceeded hour',
      'quota.limit_reached day',
      'quota.limit_reached hour',
    ]);
  });
});

describe('A limit that is set while uses run', () => {
  it('holds at once for whatever begins after its answer, and what was used stays used', async () => {
    const external_id = await personWith(1_000);
    await limit(external_id, { day: 500 });
    const running = sendTogether(60, (index) => either(index).post('/quota/consume', asked(external_id)));
    await limit(external_id, { day: 5 });
    const later = await sendTogether(20, (index) => either(index).post('/quota/consume', asked(external_id)));
    const used = (await running).filter(isAccepted).length + later.filter(isAccepted).length;
    const { body } = await app.post('/quota/check', asked(external_id));
    expect(body.violations).toMatchObject([{ current: used, limit: 5 }]);
    expect(later.filter(isAccepted).length).toBeLessThanOrEqual(5);
    if (used > 5) expect(tally(later)).toEqual({ '429 limit_exceeded': 20 });
  });

  it.each([
    ['his first one', (external_id: string) => ({ external_id })],
    ['one of all customers', () => ({})],
  ])('holds for what begins after its answer, also where there was none before: %s', async (_, whose) => {
    for (let round = 0; round < ROUNDS / 2; round += 1) {
      const external_id = await personWith(100);
      const running = sendTogether(50, (index) => useSomehow(external_id, index));
      const set = await app.put('/limits', { ...whose(external_id), product_key: 'CREDITS', windows: { day: 10 } });
      expect(set.status).toBe(201);
      const later = await sendTogether(12, (index) => useSomehow(external_id, index));
      const accepted = later.filter(isAccepted).length;
      const used = (await running).filter(isAccepted).length + accepted;
      expect((await app.post('/quota/check', { ...asked(external_id), amount: 11 })).body.violations).toMatchObject([
        { current: used },
      ]);
      expect(used).toBeGreaterThanOrEqual(10);
      expect(accepted).toBeLessThanOrEqual(10);
      // His own is read under his lock, so that what runs already goes by it, too.
      if (used > 10 && set.body.scope === 'customer') expect(accepted).toBe(0);
      await app.delete(`/limits?${new URLSearchParams({ ...whose(external_id), product_key: 'CREDITS' })}`);
    }
  });

  it('is for all, and counts what each used before', async () => {
    const people = await Promise.all(Array.from({ length: 8 }, () => personWith(50)));
    await Promise.all(people.map((person) => app.post('/quota/consume', { ...asked(person), amount: 7 })));
    await app.put('/limits', { product_key: 'CREDITS', windows: { total: 10 } });
    const answers = await sendTogether(80, (index) =>
      either(index).post('/quota/consume', asked(people[index % 8] ?? '')),
    );
    expect(tally(answers)).toEqual({ '200': 24, '429 limit_exceeded': 56 });
    await app.delete('/limits?product_key=CREDITS');
  });
});

describe('A counter behind which there are many entries', () => {
  it('is brought up in steps before a use is decided, and holds nobody else up', async () => {
    const [busy, other] = [await personWith(30_000), await personWith(100)];
    const customerId = await customerIdOf(app, busy);
    await fillWithUses(customerId, 25_000);
    await limit(busy, { total: 25_005 });
    await limit(other, { total: 3 });
    const answers = await Promise.all([
      sendTogether(8, (index) => either(index).post('/quota/consume', asked(busy))),
      sendTogether(8, (index) => either(index).post('/quota/consume', asked(other))),
    ]);
    expect(answers.map(tally)).toEqual([
      { '200': 5, '429 limit_exceeded': 3 },
      { '200': 3, '429 limit_exceeded': 5 },
    ]);
    const [counter] = await ask(app.url, 'SELECT used, seq FROM usage_counters WHERE customer_id = $1', [customerId]);
    expect(counter).toEqual({ used: '25005', seq: '25006' });
  });

  it('is read whole by a check', async () => {
    const busy = await personWith(30_000);
    await fillWithUses(await customerIdOf(app, busy), 25_000);
    await limit(busy, { total: 25_000 });
    const { body } = await app.post('/quota/check', asked(busy));
    expect(body).toMatchObject({ allowed: false, violations: [{ window: 'total', current: 25_000 }] });
  });
});

/** As many uses of 1 of the only batch, as an older build wrote them: nothing says what they count. Leaves the ledger right. */
async function fillWithUses(customerId: string, count: number): Promise<void> {
  const at = app.clock.now().toISOString();
  await ask(
    app.url,
    `WITH own AS (SELECT c.next_seq, b.id, b.available FROM customers c JOIN batches b ON b.customer_id = c.id WHERE c.id = $1),
     moved AS (UPDATE batches SET available = available - $2, consumed = consumed + $2 WHERE customer_id = $1),
     left_over AS (UPDATE balances SET available = available - $2 WHERE customer_id = $1),
     used AS (
       INSERT INTO operations (customer_id, id, name, acting_key, recorded_at, first_seq, last_seq)
       SELECT $1, gen_random_uuid(), 'quota.consume', 'test', $3::timestamptz, own.next_seq + n, own.next_seq + n
       FROM own CROSS JOIN generate_series(0, $2::int - 1) n RETURNING id, first_seq
     ), entered AS (
       INSERT INTO entries (customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after, action_type, metadata,
                            recorded_at, occurred_at)
       SELECT $1, used.first_seq, gen_random_uuid(), used.id, 'consume', 'debit', 'CREDITS', own.id, 1,
              own.available - (used.first_seq - own.next_seq + 1), 'usage', '{}', $3::timestamptz, $3::timestamptz
       FROM used CROSS JOIN own
     )
     UPDATE customers SET next_seq = next_seq + $2::int WHERE id = $1`,
    [customerId, count, at],
  );
  await leaveUntold(app.url);
}
