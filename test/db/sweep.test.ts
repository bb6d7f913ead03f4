// The sweep: settles what has fallen due, whoever's it is, once, without waiting for anybody.
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { sweep } from '../../src/engine/sweep.js';
import { startJobs } from '../../src/jobs/run-jobs.js';
import { sweepJob } from '../../src/jobs/sweep.js';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import {
  ask,
  balanceOf,
  customerIdOf,
  holdCustomers,
  send,
  sendTogether,
  tally,
  useSecondApp,
} from '../support/parallel.js';
import { newPerson, writtenBy } from '../support/requests.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();
const second = useSecondApp(app);
const END = '2026-02-01T00:00:00.000Z';
const LATER = '2026-02-01T06:00:00.000Z';
const NEVER_BEFORE = '2030-01-01T00:00:00.000Z';

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'STAR', { is_currency: true });
  await putProduct(app, 'ACCESS', { type: 'period' });
  const items = Array.from({ length: 50 }, () => ({ product_key: 'CREDITS', period_unit: 'days', period_value: 1 }));
  const answer = await app.put('/offers/MANY', { name: 'Many', price: '0', currency: 'USD', items });
  expect(answer.status, answer.text).toBe(201);
});

beforeEach(async () => {
  const now = app.clock.now();
  app.clock.set(NEVER_BEFORE);
  await sweep(app.deps); // what earlier tests left is theirs
  app.clock.set(now);
});

async function done(path: string, body: Json): Promise<Json> {
  const answer = await app.post(path, body);
  expect([200, 201], answer.text).toContain(answer.status);
  return answer.body;
}

/** The entries that happened by themselves, oldest first. */
async function settledOf(external_id: string): Promise<unknown[][]> {
  const answer = await app.get(`/wallet/entries?external_id=${external_id}&limit=200`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data
    .filter((entry: Json) => entry.operation_id === null)
    .reverse()
    .map((entry: Json) => [entry.kind, entry.amount, entry.balance_after, entry.occurred_at]);
}

/** How many units in how many batches and holds are past their end and not settled. */
async function countDue(): Promise<number> {
  const [row] = await app.deps.db.query<{ due: number }>(
    `SELECT (SELECT count(*) FROM batches WHERE is_open AND available > 0 AND expires_at <= $1::timestamptz)
          + (SELECT count(*) FROM reservations WHERE status = 'held' AND expires_at <= $1::timestamptz) AS due`,
    [app.clock.now().toISOString()],
  );
  return row?.due ?? -1;
}

const ending = { expires_at: END };

async function peopleWith(count: number, quantity: number, expires_at = END): Promise<string[]> {
  const people = Array.from({ length: count }, newPerson);
  await Promise.all(people.map((external_id) => grantUnits(app, external_id, 'CREDITS', quantity, { expires_at })));
  return people;
}

describe('the sweep', () => {
  it('lets others have their turn at the event loop between the customers that it settles together', async () => {
    await peopleWith(20, 5);
    app.clock.set(LATER);
    let turn = 0;
    let counting = setImmediate(function count() {
      turn += 1;
      counting = setImmediate(count);
    });
    onTestFinished(() => clearImmediate(counting));
    const turns: number[] = [];
    const ownedBy = (customerId: string) => {
      turns.push(turn);
      return app.deps.ids.ownedBy(customerId);
    };
    const swept = await sweep({ ...app.deps, ids: { ...app.deps.ids, ownedBy } });
    expect(swept).toMatchObject({ steps: 1, entries: 20 });
    const opening = turns.slice(0, 20); // the others are of what is told
    for (const each of opening) expect(opening.filter((other) => other === each).length).toBeLessThanOrEqual(4);
  });

  it('settles the others when one of them can’t be settled', async () => {
    const [broken, ...others] = await peopleWith(3, 5);
    const brokenId = await customerIdOf(app, broken as string);
    await ask(
      app.url,
      `CREATE FUNCTION test_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN IF NEW.customer_id = '${brokenId}' THEN RAISE EXCEPTION 'refused'; END IF; RETURN NEW; END $$;
       CREATE TRIGGER test_refuse BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION test_refuse()`,
    );
    onTestFinished(async () => {
      await ask(app.url, 'DROP FUNCTION test_refuse() CASCADE');
    });
    app.clock.set(LATER);
    expect(await sweep(app.deps)).toEqual({ steps: 1, entries: 2, skipped: 1 });
    for (const other of others) expect(await settledOf(other)).toEqual([['expire', 5, 0, END]]);
    expect(await settledOf(broken as string)).toEqual([]);
  });

  it('settles batches and holds, each as of its end', async () => {
    const [ada, bob] = [newPerson(), newPerson()];
    await grantUnits(app, ada, 'CREDITS', 10, ending);
    const hold = { product_key: 'CREDITS', amount: 3, expires_at: '2026-02-01T02:00:00Z' };
    const { id } = await done('/reservations', { external_id: ada, ...hold });
    await grantUnits(app, bob, 'CREDITS', 10);
    await done('/reservations', { external_id: bob, ...hold, amount: 4 });
    app.clock.set(LATER);
    expect(await sweep(app.deps)).toEqual({ steps: 1, entries: 4, skipped: 0 });
    expect(await settledOf(ada)).toEqual([
      ['expire', 7, 0, END],
      ['release', 3, 3, '2026-02-01T02:00:00.000Z'],
      ['expire', 3, 0, '2026-02-01T02:00:00.000Z'],
    ]);
    expect(await settledOf(bob)).toEqual([['release', 4, 10, '2026-02-01T02:00:00.000Z']]);
    const rows = await app.deps.db.query('SELECT status, ended_at, ended_by FROM reservations WHERE id = $1::uuid', [
      id,
    ]);
    expect(rows).toEqual([{ status: 'expired', ended_at: new Date('2026-02-01T02:00:00.000Z'), ended_by: null }]);
  });

  it('changes no answer', async () => {
    const [external_id] = await peopleWith(1, 10);
    await done('/reservations', { external_id, product_key: 'CREDITS', amount: 3 });
    app.clock.set(LATER);
    const paths = ['/wallet?', '/wallet/batches?', '/balance?product_key=CREDITS&', '/reservations?'];
    const read = () =>
      Promise.all(paths.map(async (path) => (await app.get(`${path}external_id=${external_id}`)).body));
    const before = await read();
    expect((await sweep(app.deps)).entries).toBe(2);
    expect(await read()).toEqual(before);
  });

  it('changes no answer about units of a hold that repay what is owed', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 5);
    await done('/reservations', { external_id, product_key: 'STAR', amount: 5, expires_at: END });
    await done('/credits/deduct', { external_id, product_key: 'STAR', amount: 7, allow_negative: true });
    app.clock.set(LATER);
    const batches = `/wallet/batches?external_id=${external_id}`;
    const paths = [
      `/wallet?external_id=${external_id}`,
      batches,
      `${batches}&state=active`,
      `${batches}&state=exhausted`,
    ];
    const read = () => Promise.all(paths.map(async (path) => (await app.get(path)).body));
    const before = await read();
    expect((await sweep(app.deps)).entries).toBe(2);
    expect(await read()).toEqual(before);
  });

  it('leaves nothing to settle for the next use', async () => {
    const [external_id = ''] = await peopleWith(1, 10);
    await grantUnits(app, external_id, 'CREDITS', 2);
    app.clock.set(LATER);
    await sweep(app.deps);
    const written = await writtenBy(app, () => app.post('/quota/consume', { external_id, product_key: 'CREDITS' }));
    expect(written).toEqual({ customers: 0, batches: 0, balances: 0, operations: 1, entries: 1 });
  });

  it('repays what is owed with a hold that has lapsed', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 5);
    await done('/reservations', { external_id, product_key: 'STAR', amount: 5, expires_at: END });
    await done('/credits/deduct', { external_id, product_key: 'STAR', amount: 2, allow_negative: true });
    app.clock.set(LATER);
    await sweep(app.deps);
    expect(await settledOf(external_id)).toEqual([
      ['release', 5, 3, END],
      ['repay', 2, 3, END],
    ]);
  });

  it('ends holds of access, and leaves access that has ended alone', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'ACCESS', 1, ending);
    await done('/reservations', { external_id, product_key: 'ACCESS', amount: 5, ttl_seconds: 3_600 });
    app.clock.set(LATER);
    expect(await sweep(app.deps)).toEqual({ steps: 1, entries: 1, skipped: 0 });
    expect(await settledOf(external_id)).toEqual([['release', 5, 0, '2026-01-31T13:00:00.000Z']]);
  });

  it('does nothing until something is due', async () => {
    await peopleWith(1, 10);
    app.clock.set('2026-01-31T23:59:59.999Z');
    const written = await writtenBy(app, async () => {
      expect(await sweep(app.deps)).toEqual({ steps: 0, entries: 0, skipped: 0 });
    });
    expect(written).toEqual({});
    app.clock.set(END);
    expect((await sweep(app.deps)).entries).toBe(1);
    expect((await sweep(app.deps)).steps).toBe(0);
  });

  it('settles more customers than one step takes', async () => {
    await peopleWith(150, 2);
    app.clock.set(LATER);
    expect(await sweep(app.deps)).toEqual({ steps: 5, entries: 150, skipped: 0 });
    expect(await countDue()).toBe(0);
  });

  it('settles one customer of whom more is due than one transaction takes', async () => {
    const external_id = newPerson();
    for (let made = 0; made < 11; made += 1) await done('/grants', { external_id, grant_type: 'bonus', sku: 'MANY' });
    const [other = ''] = await peopleWith(1, 3);
    app.clock.advance({ days: 1 });
    const swept = await sweep(app.deps);
    expect(swept).toMatchObject({ entries: 551, skipped: 0 });
    expect(await countDue()).toBe(0);
    expect(await balanceOf(app, external_id, 'CREDITS')).toBe(0);
    expect(await settledOf(other)).toHaveLength(1);
  });

  it('passes over whoever is locked, and settles him when he is free', async () => {
    const [ada = '', ...others] = await peopleWith(80, 2);
    app.clock.set(LATER);
    const held = await holdCustomers(app.url, await customerIdOf(app, ada));
    expect(await sweep(app.deps)).toEqual({ steps: 3, entries: others.length, skipped: 1 });
    expect(await settledOf(ada)).toEqual([]);
    await held.rollback();
    expect(await sweep(app.deps)).toEqual({ steps: 1, entries: 1, skipped: 0 });
    expect(await settledOf(ada)).toEqual([['expire', 2, 0, END]]);
  });

  it('goes on when all whose turn it is are locked', async () => {
    const longestDue = await peopleWith(65, 2, '2026-01-31T23:00:00.000Z');
    await peopleWith(5, 2);
    const ids = await Promise.all(longestDue.map((external_id) => customerIdOf(app, external_id)));
    app.clock.set(LATER);
    const held = await holdCustomers(app.url, ...ids);
    expect(await sweep(app.deps)).toMatchObject({ entries: 5, skipped: 65 });
    await held.rollback();
    expect(await sweep(app.deps)).toMatchObject({ entries: 65, skipped: 0 });
  });

  it('does it once when several sweep at once', async () => {
    const people = await peopleWith(100, 2);
    await Promise.all(people.map((external_id) => grantUnits(app, external_id, 'CREDITS', 3, ending)));
    app.clock.set(LATER);
    const swept = await Promise.all([sweep(app.deps), sweep(app.deps), sweep(app.deps)]);
    swept.push(await sweep(app.deps)); // what all of them passed over
    expect(swept.reduce((sum, { entries }) => sum + entries, 0)).toBe(200);
    expect(await countDue()).toBe(0);
    for (const external_id of people) {
      const expired = (await settledOf(external_id)).map(([kind, amount]) => [kind, amount]);
      expect(expired.sort()).toEqual([
        ['expire', 2],
        ['expire', 3],
      ]);
    }
  });

  it('beside uses of two processes takes nothing from them and gives them nothing', async () => {
    const people = await peopleWith(12, 5);
    await Promise.all(people.map((external_id) => grantUnits(app, external_id, 'CREDITS', 10)));
    const hold = { product_key: 'CREDITS', amount: 2 };
    await Promise.all(people.map((external_id) => done('/reservations', { external_id, ...hold })));
    app.clock.set(LATER);
    const uses = sendTogether(12 * 15, (index) => {
      const external_id = people[index % people.length];
      return (index % 2 === 0 ? app : second).post('/quota/consume', { external_id, product_key: 'CREDITS' });
    });
    const sweeps = [sweep(app.deps), sweep(app.deps)];
    expect(tally(await uses)).toEqual({ '200': 120, '402 insufficient_quota': 60 });
    await Promise.all(sweeps);
    await sweep(app.deps);
    for (const external_id of people) {
      expect(await balanceOf(app, external_id, 'CREDITS')).toBe(0);
      expect((await settledOf(external_id)).map(([kind, amount]) => [kind, amount])).toEqual([
        ['release', 2],
        ['expire', 5],
      ]);
    }
  });

  it('stops between two steps when it is told', async () => {
    await peopleWith(70, 2);
    app.clock.set(LATER);
    let asked = 0;
    const isStopped = () => {
      asked += 1;
      return asked > 1;
    };
    expect((await sweep(app.deps, isStopped)).steps).toBe(1);
    expect(await countDue()).toBe(38);
    expect(await sweep(app.deps, () => true)).toEqual({ steps: 0, entries: 0, skipped: 0 });
    expect(await countDue()).toBe(38);
  });

  it('does not disturb a use that waits for the same lock', async () => {
    const [external_id = ''] = await peopleWith(1, 5);
    await grantUnits(app, external_id, 'CREDITS', 1);
    app.clock.set(LATER);
    const held = await holdCustomers(app.url, await customerIdOf(app, external_id));
    const use = send(app.post('/quota/consume', { external_id, product_key: 'CREDITS' }));
    expect(await sweep(app.deps)).toMatchObject({ entries: 0, skipped: 1 });
    await held.rollback();
    expect((await use).body).toMatchObject({ allowed: true, remaining: 0 });
    expect(await settledOf(external_id)).toEqual([['expire', 5, 1, END]]);
  });
});

describe('the job', () => {
  it('sweeps when it is due', async () => {
    const [external_id = ''] = await peopleWith(1, 5);
    app.clock.set(LATER);
    const running = await startJobs(app.deps, [sweepJob]);
    await waitFor('the run', async () => (await ask(app.url, 'SELECT FROM jobs WHERE runs > 0'))[0]);
    await running.stop();
    expect(await settledOf(external_id)).toEqual([['expire', 5, 0, END]]);
  });
});

describe('an order that nobody paid in time', () => {
  const statusOf = async (orderId: string) =>
    (await ask(app.url, 'SELECT status FROM orders WHERE id = $1', [orderId]))[0]?.status;

  async function lapsedOrder(external_id: string): Promise<string> {
    const { id } = await done('/orders', { external_id, items: [{ sku: 'MANY' }], expires_in: 60 });
    app.clock.advance({ seconds: 60 });
    return String(id);
  }

  it('is expired by the sweep, without an entry', async () => {
    const person = newPerson();
    const orderId = await lapsedOrder(person);
    expect(await statusOf(orderId)).toBe('pending');
    expect(await sweep(app.deps)).toEqual({ steps: 1, entries: 0, skipped: 0 });
    expect([await statusOf(orderId), await settledOf(person)]).toEqual(['expired', []]);
    expect((await app.get(`/orders/${orderId}`)).body.status).toBe('expired');
  });

  it('is expired by whatever its customer does next', async () => {
    const person = newPerson();
    const orderId = await lapsedOrder(person);
    await grantUnits(app, person, 'CREDITS', 1);
    expect(await statusOf(orderId)).toBe('expired');
  });

  it('is expired by a refusal too', async () => {
    const person = newPerson();
    const orderId = await lapsedOrder(person);
    const answer = await app.post('/quota/consume', { external_id: person, product_key: 'CREDITS', amount: 5 });
    expect([answer.status, await statusOf(orderId)]).toEqual([402, 'expired']);
  });
});

describe('what a read shows as settled', () => {
  it('has the ids that the write will have', async () => {
    const person = newPerson();
    const units = { external_id: person, product_key: 'STAR' };
    await grantUnits(app, person, 'STAR', 10, { expires_at: END });
    await grantUnits(app, person, 'STAR', 5, { expires_at: LATER });
    await done('/reservations', { ...units, amount: 4, ttl_seconds: 60 });
    await done('/reservations', { ...units, amount: 2, ttl_seconds: 90 });
    app.clock.set(LATER);
    const idsOf = async () => {
      const { book } = await app.deps.reads.find({ identity: { provider: 'default', externalId: person } }, [
        { subject: { productKey: 'STAR' }, amount: 0 },
      ]);
      return book.changes.entries.map(({ id, kind, amount }) => [id, kind, amount]);
    };
    const shown = await idsOf();
    expect(shown.map(([, kind]) => kind).sort()).toEqual(['expire', 'expire', 'release', 'release']);
    expect(await idsOf()).toEqual(shown);
    await sweep(app.deps);
    const written = await ask(
      app.url,
      `SELECT e.id, e.kind, e.amount::int AS amount FROM entries e JOIN identities i USING (customer_id)
       WHERE i.external_id = $1 AND e.operation_id IS NULL ORDER BY e.seq`,
      [person],
    );
    expect(written.map(({ id, kind, amount }) => [id, kind, amount])).toEqual(shown);
  });
});

it('a use that is repeated under its key settles nothing', async () => {
  const person = newPerson();
  await grantUnits(app, person, 'CREDITS', 10);
  await grantUnits(app, person, 'CREDITS', 10, { expires_at: END });
  const call = () =>
    app.post(
      '/quota/consume',
      { external_id: person, product_key: 'CREDITS', amount: 1 },
      { 'idempotency-key': person },
    );
  const { text } = await call();
  app.clock.set(END);
  expect([(await call()).text, await settledOf(person)]).toEqual([text, []]);
});

it('what repays by itself has an id of its own each time, also when a use was given back in between', async () => {
  const person = newPerson();
  const units = { external_id: person, product_key: 'STAR' };
  const hold = (ttl_seconds: number) => done('/reservations', { ...units, amount: 5, ttl_seconds });
  const overdraw = () => done('/credits/deduct', { ...units, amount: 5, allow_negative: true });
  await grantUnits(app, person, 'STAR', 15);
  await hold(60);
  await hold(6_000);
  const { operation_id } = await done('/credits/deduct', { ...units, amount: 5 });
  await overdraw();
  app.clock.advance({ seconds: 61 });
  await sweep(app.deps);
  await done('/quota/release', { operation_id });
  await hold(60_000);
  await overdraw();
  app.clock.advance({ seconds: 6_001 });
  await sweep(app.deps);
  const entries = (await app.get(`/wallet/entries?external_id=${person}&limit=200`)).body.data;
  expect(entries.filter(({ kind }: Json) => kind === 'repay')).toHaveLength(2);
  expect(new Set(entries.map(({ id }: Json) => id)).size).toBe(entries.length);
});
