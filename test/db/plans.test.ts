// What a write, or a read of an order, asks of the database does not grow with what the customer owns: each row is found by its whole key, whatever the
// planner believes. Here it believes that a customer has a row of each kind, as most have; the plans are those that the service gets, made without
// knowing the parameters.
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { dropDeliveries, findDeliveryLagMs } from '../../src/db/webhooks.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { createDispatcher } from '../../src/webhooks/dispatcher.js';
import { API_TOKEN, grantUnits, type Json, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { ask, customerIdOf } from '../support/parallel.js';
import { startReceiver } from '../support/receiver.js';
import { committedTransactions, logStatements } from '../support/statement-log.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();
/** Other customers, who have one row of each kind. Nothing of them is committed. */
const OTHERS = 20_000;
const GROW = [
  `INSERT INTO operations SELECT gen_random_uuid(), gen_random_uuid(), name, acting_key, recorded_at, NULL, NULL FROM operations o, generate_series(1, $2::int)
   WHERE customer_id = $1 AND id = (SELECT id FROM operations WHERE customer_id = $1 LIMIT 1)`,
  `INSERT INTO idempotency_records SELECT gen_random_uuid(), name, kind, n::text, operation_id, request_hash, request_hash_version, status, answer, recorded_at
   FROM (SELECT * FROM idempotency_records WHERE customer_id = $1 LIMIT 1) r, generate_series(1, $2::int) n`,
  `INSERT INTO batches (customer_id, id, product_key, source, operation_id, granted, available, held, consumed, expired, revoked, transferred, priority,
                        valid_from, created_at)
   SELECT gen_random_uuid(), gen_random_uuid(), product_key, source, operation_id, 1, 0, 0, 1, 0, 0, 0, priority, valid_from, created_at
   FROM (SELECT * FROM batches WHERE customer_id = $1 LIMIT 1) b, generate_series(1, $2::int)`,
  `INSERT INTO reservations SELECT gen_random_uuid(), gen_random_uuid(), operation_id, product_key, feature, amount, costs, 'expired', 0, action_type, action_id,
          metadata, expires_at, created_at, expires_at, NULL
   FROM (SELECT * FROM reservations WHERE customer_id = $1 LIMIT 1) r, generate_series(1, $2::int)`,
  `INSERT INTO orders (customer_id, id, status, currency, total_amount, metadata, expires_at, created_at)
   SELECT gen_random_uuid(), gen_random_uuid(), 'cancelled', currency, total_amount, metadata, expires_at, created_at
   FROM (SELECT * FROM orders WHERE customer_id = $1 LIMIT 1) o, generate_series(1, $2::int)`,
  `INSERT INTO entries (customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after, recorded_at, occurred_at)
   SELECT gen_random_uuid(), 1, gen_random_uuid(), operation_id, kind, direction, product_key, batch_id, amount, balance_after, recorded_at, occurred_at
   FROM (SELECT * FROM entries WHERE customer_id = $1 LIMIT 1) e, generate_series(1, $2::int)`,
] as const;
/** Other feeds, of one delivery each: whoever plans believes that this one has few, too. */
const GROW_FEEDS = [
  `INSERT INTO webhook_deliveries (feed_id, place, lane, number, event_id, type, status, attempts, next_at)
   SELECT gen_random_uuid(), n, $1::uuid::text, n, gen_random_uuid(), 'batch.granted', CASE WHEN n % 9 = 0 THEN 'waiting' ELSE 'delivered' END, 1,
     CASE WHEN n % 9 = 0 THEN now() + interval '1 hour' END
   FROM generate_series(1, $2::int) n`,
] as const;
const BY_ORDER = 'batches_order_ix';
const TABLES = /^(?:operations|idempotency_records|batches|reservations|orders|webhook_deliveries)$/;
/** By these alone all is read that a customer, or an endpoint, has. */
const WIDE = new Set(['customer_id', 'feed_id']);

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Cond'?: string;
  'Index Name'?: string;
  Plans?: Plan[];
}

/** Scans of a table that read all of it, or all that a customer or an endpoint has in it, if no limit stops them. */
function wideScansOf(plan: Plan): string[] {
  if (plan['Node Type'] === 'Limit') return [];
  const table = plan['Relation Name'] ?? '';
  const condition = plan['Index Cond'] ?? '';
  const names = new Set(condition.match(/\b[a-z_]+(?= (?:=|<|>|IS))/g) ?? []);
  const isWide = TABLES.test(table) && plan['Node Type'].includes('Scan') && [...names].every((name) => WIDE.has(name));
  return [
    ...(isWide ? [`${table}: ${plan['Node Type']} ${condition}`] : []),
    ...(plan.Plans ?? []).flatMap(wideScansOf),
  ];
}

/** By which index a plan reads batches, whatever its limits. */
function scansOfBatches({ Plans = [], ...plan }: Plan): string[] {
  const own = plan['Relation Name'] === 'batches' ? [plan['Index Name'] ?? plan['Node Type']] : [];
  return [...own, ...Plans.flatMap(scansOfBatches)];
}

/** How a plan finds entries: by which index, and which columns of it. */
function scansOfEntries({ Plans = [], ...plan }: Plan): string[] {
  const columns = new Set(plan['Index Cond']?.match(/\b[a-z_]+(?= (?:=|<|>))/g) ?? []);
  const isScan = plan['Relation Name'] === 'entries' || plan['Node Type'] === 'Bitmap Index Scan';
  const own =
    isScan && plan['Index Name'] !== undefined ? [`${plan['Index Name']}: ${[...columns].sort().join()}`] : [];
  const whole = plan['Relation Name'] === 'entries' && plan['Node Type'] === 'Seq Scan' ? ['all of them'] : [];
  return [...own, ...whole, ...Plans.flatMap(scansOfEntries)];
}

/** What is found in the plans of statements, beside many others. */
async function amongOthers<T>(texts: readonly string[], find: (root: Plan, text: string) => T): Promise<T[]> {
  const client = new pg.Client({ connectionString: app.url });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query('SET LOCAL session_replication_role = replica');
    await client.query('SET LOCAL random_page_cost = 1.1');
    for (const grow of [...GROW, ...GROW_FEEDS]) await client.query(grow, [customerId, OTHERS]);
    await client.query('ANALYZE');
    const found: T[] = [];
    for (const text of texts) {
      const { rows } = await client.query(`EXPLAIN (GENERIC_PLAN, FORMAT JSON) ${text}`);
      const [{ Plan: root }] = rows[0]['QUERY PLAN'] as [{ Plan: Plan }];
      found.push(find(root, text));
    }
    return found;
  } finally {
    await client.query('ROLLBACK').catch(() => undefined);
    await client.end();
  }
}

let customerId = '';
beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await app.put('/offers/PACK', {
    name: 'Pack',
    price: '1.00',
    currency: 'USD',
    items: [{ product_key: 'CREDITS', quantity: 5, period_unit: 'forever' }],
  });
  await grantUnits(app, 'old-friend', 'CREDITS', 1_000);
  customerId = await customerIdOf(app, 'old-friend');
});

describe('the statements of writes', () => {
  it('find rows by their whole key, however many others the customer has', async () => {
    const logs = logStatements(app.deps.db.pool);
    const units = { external_id: 'old-friend', product_key: 'CREDITS', amount: 3 };
    const consumed = await app.post('/quota/consume', { ...units, idempotency_key: 'a key' });
    const held = await app.post('/reservations', units);
    await app.post(`/reservations/${held.body.id}/commit`, { amount: 2 });
    await app.post('/quota/release', { operation_id: consumed.body.operation_id, amount: 1 });
    const order = await app.post('/orders', { external_id: 'old-friend', items: [{ sku: 'PACK' }] });
    const paid = await app.post(`/orders/${order.body.id}/confirm`, { payment_id: 'p-1', payment_method: 'card' });
    expect(paid.status).toBe(200);
    await app.post('/reservations', { ...units, ttl_seconds: 60 });
    await app.post('/credits/add', { external_id: 'old-friend', amount: 5, expires_at: '2026-02-01T00:00:00.000Z' });
    await app.post('/orders', { external_id: 'old-friend', items: [{ sku: 'PACK' }] });
    app.clock.advance({ days: 8 });
    expect((await app.post('/quota/consume', units)).status).toBe(200);
    const texts = new Set(committedTransactions(logs).flatMap(({ statements }) => statements));
    expect(texts.size).toBeGreaterThan(15);

    const wide = await amongOthers([...texts], (root, text) => wideScansOf(root).map((scan) => `${scan} in ${text}`));
    expect(wide.flat()).toEqual([]);
  });
});

describe('the statements of webhooks', () => {
  it('find deliveries by more than their endpoint, however many it has', async () => {
    const receiver = await startReceiver();
    const local = await startTestApp(app.url, app.clock, undefined, { isPrivateWebhookAllowed: true });
    const logs = logStatements(local.deps.db.pool);
    const dispatcher = createDispatcher(local.deps);
    const call = async (method: 'GET' | 'PUT' | 'POST', path: string, payload?: Json) => {
      const headers = { authorization: `Bearer ${API_TOKEN}` };
      const url = `${BASE_PATH}/webhook-endpoints/hook${path}`;
      const answer = await local.app.inject({ method, url, headers, ...(payload && { payload }) });
      expect(answer.statusCode, answer.body).toBeLessThan(300);
      return answer.json() as { data: Json[] };
    };
    const statuses = async () => (await call('GET', '/deliveries?limit=200')).data.map(({ status }) => status);
    const untilAre = (...expected: string[]) =>
      waitFor(
        () => `deliveries that are ${expected}`,
        async () => {
          await dispatcher.look();
          return `${await statuses()}` === `${expected}` || undefined;
        },
      );
    try {
      await call('PUT', '', { url: receiver.url, types: ['batch.*'] });
      await grantUnits(app, 'old-friend', 'CREDITS', 1);
      await untilAre('delivered');
      receiver.answerBy((outgoing) => outgoing.writeHead(500).end());
      for (const quantity of [1, 2]) await grantUnits(app, 'old-friend', 'CREDITS', quantity);
      await untilAre('waiting', 'waiting', 'delivered');
      receiver.answerBy((outgoing) => outgoing.writeHead(204).end());
      await ask(app.url, 'UPDATE webhook_deliveries SET next_at = now() WHERE next_at IS NOT NULL');
      await untilAre('delivered', 'delivered', 'delivered');
      const [last] = (await call('GET', '/deliveries')).data;
      await call('POST', `/deliveries/${last?.id}/retry`, {});
      await call('POST', '/replay', { failed: true });
      await call('POST', '/replay', { from: '2026-01-31', until: '2026-03-01' });
      await waitFor('what is replayed', async () => {
        await dispatcher.look();
        return (await statuses()).every((status) => status === 'delivered') || undefined;
      });
      await dropDeliveries(local.deps.db, 10);
      await findDeliveryLagMs(local.deps.db);
    } finally {
      await dispatcher.end();
      await receiver.stop();
      await local.close();
    }
    const sent = [...logs.values()].flat().map(({ text }) => text);
    // What only asks whether a feed has any stops at the first.
    const isAbout = (text: string) =>
      text.includes('webhook_deliveries') && !text.startsWith('DELETE FROM webhook_feeds');
    const texts = [...new Set(sent)].filter(isAbout);
    expect(texts.length).toBeGreaterThan(12);
    const wide = await amongOthers(texts, (root, text) => wideScansOf(root).map((scan) => `${scan} in ${text}`));
    expect(wide.flat()).toEqual([]);
  });
});

describe('the batches of an order', () => {
  it('are found by the order, not among all that the customer has', async () => {
    const order = await app.post('/orders', { external_id: 'old-friend', items: [{ sku: 'PACK' }] });
    await app.post(`/orders/${order.body.id}/confirm`, { payment_id: 'p-2' });
    const logs = logStatements(app.deps.db.pool);
    const listed = await app.get(`/wallet/batches?external_id=old-friend&order_id=${order.body.id}`);
    expect(listed.body.data).toEqual((await app.get(`/orders/${order.body.id}`)).body.batches);
    const sent = [...logs.values()].flat().map(({ text }) => text);
    const texts = sent.filter((text) => text.includes('b.order_id = $'));
    expect(texts).toHaveLength(2);
    for (const scans of await amongOthers(texts, scansOfBatches)) expect(new Set(scans)).toEqual(new Set([BY_ORDER]));
  });
});

describe('the uses of a span of time', () => {
  const span = 'from=2026-01-01&to=2026-02-01';
  const sentBy = async (path: string): Promise<string[]> => {
    const logs = logStatements(app.deps.db.pool);
    expect((await app.get(path)).status).toBe(200);
    const texts = [...logs.values()].flat().map(({ text }) => text);
    return [...new Set(texts.filter((text) => text.includes('FROM entries e') || text.includes('JOIN entries e')))];
  };
  const plansOf = async (path: string) => (await amongOthers(await sentBy(path), scansOfEntries)).flat();

  it('of a customer are found by their numbers, which are found by halving', async () => {
    const own = 'external_id=old-friend';
    for (const path of [`/quota/usage?${own}&product_key=CREDITS&${span}`, `/quota/events?${own}&${span}`]) {
      const plans = await plansOf(path);
      expect(plans.length).toBeGreaterThanOrEqual(2);
      expect(plans.filter((plan) => !plan.includes('customer_id') || !plan.includes('seq'))).toEqual([]);
    }
  });

  it('of everybody are found by when they were recorded', async () => {
    for (const path of [`/quota/usage?product_key=CREDITS&${span}`, `/quota/events?${span}`]) {
      const plans = await plansOf(path);
      expect(plans).toContain('entries_recorded_ix: recorded_at');
      expect(plans).not.toContain('all of them');
    }
  });
});
