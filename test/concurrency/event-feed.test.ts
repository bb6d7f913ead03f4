// Who follows the feed by its cursors misses nothing and is told nothing twice, in the order of each customer, whatever commits out of order, hangs, is rolled
// back, moves to another server or is dropped.
import { beforeAll, describe, expect, it } from 'vitest';
import { dropOldEvents, findLastPlace, movePlaces } from '../../src/db/events.js';
import { begin } from '../../src/db/transactions.js';
import { dropEvents } from '../../src/jobs/drop-events.js';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { failWrites } from '../support/commit-faults.js';
import { untilTold } from '../support/events.js';
import {
  ask,
  customerIdOf,
  holdCustomers,
  holdTransaction,
  placeOrder,
  send,
  useSecondApp,
} from '../support/parallel.js';
import { expectProblem, newPerson } from '../support/requests.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();
const second = useSecondApp(app);
const CONNECTIONS = 64;
const PEOPLE = 12;
const DAY_MS = 86_400_000;
/** Events that a reader looks at at a time. */
const LOOKED_AT = 10_000;

beforeAll(async () => {
  await putProduct(app, 'STAR');
  await putOffer(app, 'PACK', 'STAR', 1);
});

const lastPlace = () => findLastPlace(app.deps.db);

/** Follows the feed from a cursor until `isDone` says so and nothing more comes. */
async function follow(cursor: string | undefined, isDone: () => boolean): Promise<{ told: Json[]; cursor: string }> {
  const told: Json[] = [];
  let at = cursor;
  for (;;) {
    const wasDone = isDone();
    const query = at === undefined ? '' : `&cursor=${at}`;
    const { status, body, text } = await second.get(`/events?limit=7&wait_s=1${query}`);
    expect(status, text).toBe(200);
    told.push(...body.data);
    at = body.next_cursor;
    if (wasDone && body.data.length === 0) return { told, cursor: body.next_cursor };
  }
}

async function endOfFeed(): Promise<string> {
  await untilTold(app);
  return (await follow(undefined, () => true)).cursor;
}

describe('a reader', () => {
  it('misses nothing and is told nothing twice while others write, hang and fail', async () => {
    const start = await endOfFeed();
    const placeBefore = await lastPlace();
    const people = Array.from({ length: PEOPLE }, newPerson);
    for (const person of people) await grantUnits(app, person, 'STAR', 50);
    let isDone = false;
    const reading = follow(start, () => isDone);
    const hanging = await holdTransaction(app.url);
    await hanging.query('SELECT pg_current_xact_id()');
    const held = await holdCustomers(app.url, await customerIdOf(app, people[0] ?? ''));
    const client = (index: number) => (index % 2 ? app : second);
    const writing = Array.from({ length: CONNECTIONS }, async (_, index) => {
      const person = people[index % PEOPLE] ?? '';
      const by = client(index);
      await send(by.post('/orders', { external_id: person, items: [{ sku: 'PACK' }] }));
      await send(by.post('/reservations', { external_id: person, product_key: 'STAR', amount: 1 }));
      await send(
        by.post('/grants', { external_id: newPerson(), grant_type: 'bonus', product_key: 'STAR', quantity: 1 }),
      );
    });
    await waitFor('others', async () => ((await app.deps.horizon.look()) < (await lastPlace()) ? true : undefined));
    await failWrites(app.url, 'reservations', { count: 3, sqlState: '40001', atCommit: true });
    await send(app.post('/reservations', { external_id: people[1] ?? '', product_key: 'STAR', amount: 1 }));
    await held.rollback();
    await hanging.commit();
    await Promise.all(writing);
    await untilTold(app);
    isDone = true;
    const { told } = await reading;

    const written = await ask(app.url, 'SELECT id FROM events WHERE place > $1 ORDER BY place', [placeBefore]);
    expect(told.map(({ id }) => id)).toEqual(written.map(({ id }) => id));
    expect(told.length).toBeGreaterThan(3 * CONNECTIONS);
    expect(new Set(told.map(({ id }) => id)).size).toBe(told.length);
    const numbers = new Map<unknown, number>();
    for (const { customer, sequence } of told as { customer: { id: string }; sequence: number }[]) {
      expect(sequence).toBe((numbers.get(customer.id) ?? sequence - 1) + 1);
      numbers.set(customer.id, sequence);
    }
  });

  it('is not shown what is committed while something before it may still come', async () => {
    const [early, late] = [newPerson(), newPerson()];
    for (const person of [early, late]) await app.post('/identify', { external_id: person });
    const cursor = await endOfFeed();
    const hanging = await begin(app.deps.db, 'pool');
    await hanging.query(`SELECT nextval('events_place_seq'), pg_current_xact_id()`);
    await placeOrder(app, late, 'PACK');
    const { body } = await app.get(`/events?cursor=${cursor}`);
    expect(body.data).toEqual([]);
    await hanging.abandon();
    await untilTold(app);
    const { told } = await follow(cursor, () => true);
    expect(told.map(({ type }) => type)).toEqual(['order.created']);
  });
});

describe('a reader beside the newest transaction of the server', () => {
  it('is not told of its place before it has ended, and then is told all', async () => {
    const person = newPerson();
    await app.post('/identify', { external_id: person });
    const start = await endOfFeed();
    const customerId = await customerIdOf(app, person);
    const writer = await holdTransaction(app.url);
    await writer.query(
      `INSERT INTO events (customer_id, number, id, type, schema_version, subject_id, data, recorded_at)
       SELECT id, next_event, gen_random_uuid(), 'trial.refused', 1, id, '{"sku": null, "identityType": "email"}', $2 FROM customers WHERE id = $1`,
      [customerId, app.clock.now()],
    );
    await writer.query('UPDATE customers SET next_event = next_event + 1 WHERE id = $1', [customerId]);
    const { body } = await app.get(`/events?cursor=${start}`);
    expect(body.data).toEqual([]);
    await writer.commit();
    await untilTold(app);
    const { told } = await follow(body.next_cursor, () => true);
    expect(told.map(({ type }) => type)).toEqual(['trial.refused']);
  });

  it('misses nothing of several who write without a pause', async () => {
    const start = await endOfFeed();
    const before = await lastPlace();
    let isDone = false;
    const reading = follow(start, () => isDone);
    const writing = Array.from({ length: 4 }, async () => {
      for (let count = 0; count < 40; count += 1) await placeOrder(app, newPerson(), 'PACK');
    });
    await Promise.all(writing);
    await untilTold(app);
    isDone = true;
    const { told } = await reading;
    const written = await ask(app.url, 'SELECT id FROM events WHERE place > $1 ORDER BY place', [before]);
    expect(told.map(({ id }) => id)).toEqual(written.map(({ id }) => id));
    expect(told).toHaveLength(2 * 4 * 40);
  });
});

describe('data that moved to another server', () => {
  it('have no place drawn there before they go on behind those that readers know', async () => {
    await placeOrder(app, newPerson(), 'PACK');
    const before = await lastPlace();
    await ask(app.url, `UPDATE event_log SET server = 'another/99'`);
    await placeOrder(app, newPerson(), 'PACK');
    expect(await lastPlace()).toBeGreaterThan(before + 2 ** 39);
    const [place] = await ask(app.url, 'SELECT count(*)::int AS count FROM events WHERE place > $1 AND place < $2', [
      before,
      before + 2 ** 39,
    ]);
    expect(place).toEqual({ count: 0 });
  });

  it('take a cursor that their server has lost', async () => {
    const cursor = Buffer.from(JSON.stringify({ place: (await lastPlace()) + 5 })).toString('base64url');
    expectProblem(await app.get(`/events?cursor=${cursor}`), 400, 'invalid_request');
    await ask(app.url, `UPDATE event_log SET server = 'another/99'`);
    const { status } = await app.get(`/events?cursor=${cursor}`);
    expect(status).toBe(200);
  });

  it('go on behind all places that readers know', async () => {
    const cursor = await endOfFeed();
    const before = await lastPlace();
    await ask(app.url, `UPDATE event_log SET server = 'another'`);
    const tx = await begin(app.deps.db, 'pool');
    await tx.begun;
    expect(await movePlaces(tx, 40)).toBe(true);
    expect(await movePlaces(tx, 40)).toBe(false);
    await tx.commit();
    await placeOrder(app, newPerson(), 'PACK');
    expect(await lastPlace()).toBeGreaterThan(before + 2 ** 39);
    await untilTold(app);
    const { told } = await follow(cursor, () => true);
    expect(told.map(({ type }) => type)).toEqual(['customer.created', 'order.created']);
  });
});

describe('events that are old', () => {
  it('stay while one before them is younger: a reader would miss it', async () => {
    const ahead = newPerson();
    await placeOrder(app, ahead, 'PACK');
    await ask(
      app.url,
      `UPDATE events SET recorded_at = recorded_at + interval '1 day' WHERE place = (SELECT max(place) FROM events)`,
    );
    await placeOrder(app, newPerson(), 'PACK');
    const before = await ask(app.url, 'SELECT place FROM events ORDER BY place');
    await dropOldEvents(app.deps.db, new Date(app.clock.now().getTime() + 1_000), 1_000);
    const left = await ask(app.url, 'SELECT place FROM events ORDER BY place');
    expect(left).toEqual(before.slice(-3));
  });

  it('are dropped in steps; whoever has not read them is told where to go on', async () => {
    const start = await endOfFeed();
    for (let times = 0; times < 3; times += 1) await placeOrder(app, newPerson(), 'PACK');
    await untilTold(app);
    const later = await follow(start, () => true);
    app.clock.set(new Date(app.clock.now().getTime() + 20 * DAY_MS));
    const person = newPerson();
    await placeOrder(app, person, 'PACK');
    await untilTold(app);
    expect(await dropEvents(app.deps, 30)).toBe(0);
    const all = (await follow(start, () => true)).told.length;
    expect(await dropOldEvents(app.deps.db, app.clock.now(), 2)).toBe(2);
    expect(await dropEvents(app.deps, 10)).toBeGreaterThanOrEqual(all - 4);
    const expired = await app.get(`/events?cursor=${start}`);
    expectProblem(expired, 410, 'cursor_expired', 'query/cursor');
    const { told } = await follow(expired.body.oldest_cursor, () => true);
    expect(told.map(({ type }) => type)).toEqual(['customer.created', 'order.created']);
    expect((await follow(later.cursor, () => true)).told).toEqual(told);
    expect((await follow(undefined, () => true)).told).toEqual(told);
  });
});

describe('a reader of what is rare', () => {
  it('looks at so many events at a time, and finds it all the same', async () => {
    const cursor = await endOfFeed();
    const { body } = await app.post('/identify', { external_id: newPerson() });
    await ask(
      app.url,
      `INSERT INTO events (customer_id, number, id, type, schema_version, subject_id, data, recorded_at)
       SELECT $1, n, gen_random_uuid(), 'quota.low', 1, gen_random_uuid(), '{"productKey":"STAR","balance":1,"threshold":1}', $3
       FROM generate_series(2, $2::int + 1) n`,
      [body.customer_id, LOOKED_AT, app.clock.now()],
    );
    await ask(app.url, 'UPDATE customers SET next_event = $2 WHERE id = $1', [body.customer_id, LOOKED_AT + 2]);
    const rare = newPerson();
    await placeOrder(app, rare, 'PACK');
    await untilTold(app);
    const first = await app.get(`/events?type=order.created&cursor=${cursor}`);
    expect(first.body.data).toEqual([]);
    const second = await app.get(`/events?type=order.created&cursor=${first.body.next_cursor}`);
    expect(second.body.data).toHaveLength(1);
    const waited = await app.get(`/events?type=order.created&wait_s=30&cursor=${cursor}`);
    expect(waited.body.data).toEqual(second.body.data);
    expect((await app.get(`/events?external_id=${rare}&limit=1`)).body.data).toHaveLength(1);
  });
});
