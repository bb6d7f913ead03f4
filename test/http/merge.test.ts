// One person, one customer (DOMAIN 3.10): what a merge moves, what it leaves out, and whom ids, identities and keys lead to afterwards. What comes of the source's
// orders, holds and uses later: merge-afterwards.test.ts.
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { mergePair, newMergePair } from '../support/merging.js';
import { customerIdOf } from '../support/parallel.js';
import { expectProblem, newPayment, newPerson, readPages, writtenBy } from '../support/requests.js';

const app = useTestApp();
const UNKNOWN_ID = '01900000-0000-7000-8000-000000000000';

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true, features: ['chat'] });
  await putProduct(app, 'ACCESS', { type: 'period' });
  const month = { product_key: 'ACCESS', quantity: 1, period_unit: 'months', period_value: 1 };
  await putOffer(app, 'MONTH', 'ACCESS', 1, { price: '9.00', items: [month] });
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '10.00' });
  await putOffer(app, 'ONE', 'CREDITS', 1, { price: '1.00', max_per_customer: 1 });
  await putOffer(app, 'TRY', 'CREDITS', 5, { trial_policy: { scope: 'any' } });
});

const newPair = () => newMergePair(app);
const merge = (target: { id: string }, source: { id: string }, more: Json = {}) => mergePair(app, target, source, more);
const balanceOf = async (id: string) => (await app.get(`/wallet?customer_id=${id}`)).body.balances.CREDITS ?? 0;
const consume = (customer_id: string, amount: number, more: Json = {}, headers?: Record<string, string>) =>
  app.post('/quota/consume', { customer_id, product_key: 'CREDITS', amount, ...more }, headers);

describe('POST /customers/merge', () => {
  it('moves what is available, by successors with the same priority and end', async () => {
    const [target, source] = await newPair();
    await grantUnits(app, target.name, 'CREDITS', 5);
    const first = await grantUnits(app, source.name, 'CREDITS', 7, {
      priority: -1,
      expires_at: '2027-01-01T00:00:00Z',
    });
    await consume(source.id, 2);
    const merged = await merge(target, source);
    expect(merged.status, merged.text).toBe(200);
    expect(merged.body).toEqual({
      customer_id: target.id,
      source_customer_id: source.id,
      dry_run: false,
      moved: {
        identities: 1,
        batches: 1,
        units: { CREDITS: 5 },
        owed: {},
        open_orders: 0,
        open_reservations: 0,
        merged_before: 0,
        subscriptions: [],
      },
      dropped: { referrals: [], rewards: [], limits: 0, subscriptions: [] },
    });
    expect(await balanceOf(target.id)).toBe(10);
    const { body } = await app.get(`/wallet/batches?customer_id=${target.id}`);
    const moved = body.data.find((batch: Json) => batch.priority === -1 && batch.id !== first);
    expect(moved).toMatchObject({ available: 5, granted: 5, priority: -1, expires_at: '2027-01-01T00:00:00.000Z' });
    expect(body.data.find((batch: Json) => batch.id === first)).toMatchObject({
      available: 0,
      consumed: 2,
      transferred: 5,
    });
  });

  it('leads to the target by the source’s id and identities, at once and for ever', async () => {
    const [target, source] = await newPair();
    await grantUnits(app, source.name, 'CREDITS', 7);
    await merge(target, source);
    expect((await app.post('/identify', { external_id: source.name })).body.customer_id).toBe(target.id);
    for (const selector of [{ customer_id: source.id }, { external_id: source.name }, { customer_id: target.id }]) {
      const used = await app.post('/quota/consume', { ...selector, product_key: 'CREDITS', amount: 1 });
      expect(used.status, used.text).toBe(200);
    }
    expect(await balanceOf(source.id)).toBe(4);
    for (const path of ['/wallet', '/wallet/batches', '/wallet/entries', '/orders', '/reservations', '/quota/status']) {
      const [own, his] = await Promise.all([target.id, source.id].map((id) => app.get(`${path}?customer_id=${id}`)));
      expect(his?.status, path).toBe(200);
      expect(his?.body, path).toEqual(own?.body);
    }
    const read = await app.get(`/customers/${source.id}`);
    expect(read.body).toMatchObject({
      id: target.id,
      identities: [{ external_id: target.name }, { external_id: source.name }],
    });
    const listed = await app.get('/customers?limit=100');
    expect(listed.body.data.map(({ id }: Json) => id)).not.toContain(source.id);
    await app.patch(`/customers/${source.id}`, { metadata: { tier: 'gold' } });
    expect((await app.get(`/customers/${target.id}`)).body.metadata).toEqual({ tier: 'gold' });
    const linked = await app.post(`/customers/${source.id}/identities`, { external_id: newPerson() });
    expect(linked.body).toMatchObject({ customer_id: target.id });
  });

  it('follows on: of A into B and B into C, A leads to C', async () => {
    const [a, b] = await newPair();
    const [c] = await newPair();
    for (const { name } of [a, b, c]) await grantUnits(app, name, 'CREDITS', 1);
    await merge(b, a);
    const second = await merge(c, b);
    expect(second.body.moved).toMatchObject({ identities: 2, batches: 2, units: { CREDITS: 2 }, merged_before: 1 });
    for (const id of [a.id, b.id, c.id]) expect(await balanceOf(id)).toBe(3);
    expect((await consume(a.id, 3)).status).toBe(200);
    const answered = await merge(b, a);
    expect(answered.status).toBe(200);
    expect(answered.body).toMatchObject({ customer_id: b.id, source_customer_id: a.id });
    expectProblem(await merge(c, a), 409, 'customer_merged', '/source_customer_id');
  });

  it('answers the same pair as it was, and refuses others of whom was merged', async () => {
    const [target, source] = await newPair();
    const [other] = await newPair();
    await grantUnits(app, source.name, 'CREDITS', 7);
    const first = await merge(target, source);
    const again = await merge(target, source);
    expect(again.text).toBe(first.text);
    expect(again.headers['idempotent-replayed']).toBe('true');
    const refused = await merge(other, source);
    expectProblem(refused, 409, 'customer_merged', '/source_customer_id');
    expect(refused.body.final_customer_id).toBe(target.id);
    const intoMerged = await merge(source, other);
    expectProblem(intoMerged, 409, 'customer_merged', '/target_customer_id');
    expect(intoMerged.body.final_customer_id).toBe(target.id);
  });

  it('refuses itself, and whom there is not', async () => {
    const [target] = await newPair();
    expectProblem(await merge(target, target), 400, 'merge_with_itself', '/source_customer_id');
    expectProblem(await merge(target, { id: UNKNOWN_ID }), 404, 'customer_not_found', '/source_customer_id');
    expectProblem(await merge({ id: UNKNOWN_ID }, target), 404, 'customer_not_found', '/target_customer_id');
  });

  it('tries it with dry_run: the same answer, and nothing is written', async () => {
    const [target, source] = await newPair();
    await grantUnits(app, source.name, 'CREDITS', 7);
    const written = await writtenBy(app, async () => {
      const tried = await merge(target, source, { dry_run: true });
      expect(tried.status, tried.text).toBe(200);
      expect(tried.body).toMatchObject({ dry_run: true, moved: { batches: 1, units: { CREDITS: 7 } } });
    });
    expect(written).toEqual({});
    expect(await balanceOf(target.id)).toBe(0);
    expect(await balanceOf(source.id)).toBe(7);
  });

  it('tells it once, and audits it', async () => {
    const [target, source] = await newPair();
    await grantUnits(app, source.name, 'CREDITS', 7);
    await merge(target, source);
    await untilTold(app);
    const told = await app.get(`/events?customer_id=${target.id}&limit=200`);
    expect(told.body.data.filter(({ type }: Json) => type === 'customer.merged')).toMatchObject([
      { type: 'customer.merged', data: { source_customer_id: source.id, identities: 1, batches: 1 } },
    ]);
    expect(told.body.data.map(({ type }: Json) => type)).toContain('batch.granted'); // the source’s
    const audited = await app.get(`/audit?action=customer.merged&subject=${source.id}`);
    expect(audited.body.data).toMatchObject([
      { after: { customer_id: target.id, units: [{ product_key: 'CREDITS', amount: 7 }], owed: [] } },
    ]);
  });

  it('moves what is owed, which either side’s units repay at once', async () => {
    const [target, source] = await newPair();
    const [rich, poor] = await newPair();
    await grantUnits(app, target.name, 'CREDITS', 10);
    const deduct = (customer_id: string, amount: number) =>
      app.post('/credits/deduct', { customer_id, product_key: 'CREDITS', amount, allow_negative: true });
    expect((await deduct(source.id, 4)).status).toBe(200);
    expect((await merge(target, source)).body.moved.owed).toEqual({ CREDITS: 4 });
    expect(await balanceOf(target.id)).toBe(6);
    await deduct(rich.id, 4);
    await grantUnits(app, poor.name, 'CREDITS', 10);
    await merge(rich, poor);
    expect(await balanceOf(rich.id)).toBe(6);
  });

  it('moves access, which lasts as long, and is extended from its end', async () => {
    const [target, source] = await newPair();
    const buy = async (customer_id: string) => {
      const { body } = await app.post('/orders', { customer_id, items: [{ sku: 'MONTH' }] });
      return app.post(`/orders/${body.id}/confirm`, { payment_id: newPayment() });
    };
    await buy(source.id);
    const before = (await app.get(`/wallet?customer_id=${source.id}`)).body.access.ACCESS;
    await merge(target, source);
    expect((await app.get(`/wallet?customer_id=${target.id}`)).body.access.ACCESS.until).toEqual(before.until);
    const paid = await buy(target.id);
    expect(paid.body.batches[0].valid_from).toBe(before.until);
  });

  it('tells as of an instant after it what was told then: what is owed, held, and went on', async () => {
    const [target, source] = await newPair();
    await grantUnits(app, source.name, 'CREDITS', 3);
    const { body: order } = await app.post('/orders', { customer_id: source.id, items: [{ sku: 'MONTH' }] });
    await app.post(`/orders/${order.id}/confirm`, { payment_id: newPayment() });
    await app.post('/reservations', { customer_id: source.id, product_key: 'CREDITS', amount: 3 });
    const owing = { customer_id: source.id, product_key: 'CREDITS', amount: 4, allow_negative: true };
    expect((await app.post('/credits/deduct', owing)).status).toBe(200);
    const read = async (path: string) => (await app.get(`${path}?customer_id=${target.id}`)).body;
    const readAt = async (path: string, at: string) =>
      (await app.get(`${path}?customer_id=${target.id}&as_of=${at}`)).body;
    const before = await read('/wallet');
    const instantBefore = app.clock.now().toISOString();
    app.clock.advance({ seconds: 1 });
    await merge(target, source);
    const [wallet, batches] = [await read('/wallet'), await read('/wallet/batches')];
    expect(wallet).toMatchObject({ balances: { CREDITS: -4 }, held: { CREDITS: 3 } });
    const instant = app.clock.now().toISOString();
    app.clock.advance({ seconds: 1 });
    expect(await readAt('/wallet', instant)).toEqual(wallet);
    expect((await readAt('/wallet/batches', instant)).data).toEqual(batches.data);
    expect(await readAt('/wallet', instantBefore)).toEqual(before);
  });

  it('finds keys of the whole family: a retry is no second charge', async () => {
    const [target, source] = await newPair();
    await grantUnits(app, source.name, 'CREDITS', 10);
    const key = { 'idempotency-key': 'retry-1' };
    const first = await consume(source.id, 3, {}, key);
    await merge(target, source);
    for (const id of [source.id, target.id]) {
      const again = await consume(id, 3, {}, key);
      expect(again.text).toBe(first.text);
      expect(again.headers['idempotent-replayed']).toBe('true');
    }
    expectProblem(await consume(target.id, 4, {}, key), 422, 'idempotency_key_reused');
    expect(await balanceOf(target.id)).toBe(7);
  });

  it('finds keys of an identity that came with the source and went on to somebody else', async () => {
    const [target, source] = await newPair();
    await grantUnits(app, source.name, 'CREDITS', 10);
    const key = { 'idempotency-key': 'retry-2' };
    const use = () => app.post('/quota/consume', { external_id: source.name, product_key: 'CREDITS', amount: 3 }, key);
    const first = await use();
    await merge(target, source);
    await app.delete(`/customers/${target.id}/identities/default/${source.name}`);
    expect((await use()).text).toBe(first.text);
  });

  it('finds migrations of the whole family by their source id', async () => {
    const [target, source] = await newPair();
    const migrate = (customer_id: string) =>
      app.post('/grants', {
        customer_id,
        grant_type: 'migration',
        product_key: 'CREDITS',
        quantity: 3,
        source_id: 'old-1',
      });
    const first = await migrate(source.id);
    await merge(target, source);
    expect((await migrate(target.id)).text).toBe(first.text);
    expect(await balanceOf(target.id)).toBe(3);
  });

  it('counts the trials of both, and the places of an offer', async () => {
    const [target, source] = await newPair();
    expect((await app.post('/grants', { customer_id: source.id, grant_type: 'trial', sku: 'TRY' })).status).toBe(201);
    const { body } = await app.post('/orders', { customer_id: source.id, items: [{ sku: 'ONE' }] });
    await app.post(`/orders/${body.id}/confirm`, { payment_id: newPayment() });
    await merge(target, source);
    const again = await app.post('/grants', { customer_id: target.id, grant_type: 'trial', sku: 'TRY' });
    expectProblem(again, 409, 'trial_already_used');
    expectProblem(
      await app.post('/orders', { customer_id: target.id, items: [{ sku: 'ONE' }] }),
      409,
      'offer_limit_reached',
      '/items/0/quantity',
    );
  });

  it('counts what both used in windows of the target’s limits', async () => {
    const [target, source] = await newPair();
    for (const { name } of [target, source]) await grantUnits(app, name, 'CREDITS', 50);
    await app.put('/limits', { customer_id: target.id, product_key: 'CREDITS', windows: { day: 10, total: 12 } });
    await app.put('/limits', { customer_id: source.id, product_key: 'CREDITS', windows: { day: 1_000 } });
    const used = await consume(source.id, 6);
    await consume(target.id, 2);
    expect((await merge(target, source)).body.dropped.limits).toBe(1);
    expectProblem(await consume(target.id, 3), 429, 'limit_exceeded');
    expect((await consume(source.id, 2)).status).toBe(200);
    expectProblem(await consume(target.id, 1), 429, 'limit_exceeded');
    await app.post('/quota/release', { operation_id: used.body.operation_id, amount: 4 });
    expect((await consume(target.id, 4)).status).toBe(200);
    expectProblem(await consume(target.id, 1), 429, 'limit_exceeded');
    const status = await app.get(`/quota/status?customer_id=${target.id}&product_key=CREDITS`);
    expect(status.body.data[0].windows).toMatchObject([
      { window: 'day', current: 10 },
      { window: 'total', current: 10 },
    ]);
  });

  it('keeps the target’s referrer, and drops what would join both sides or close a ring', async () => {
    const refer = (referrer_id: string, referee_id: string) => app.post('/referrals', { referrer_id, referee_id });
    const [target, source] = await newPair();
    const [one, other] = await newPair();
    await refer(one.id, target.id);
    await refer(other.id, source.id);
    const kept = await merge(target, source);
    expect(kept.body.dropped.referrals).toMatchObject([{ referrer_id: other.id, reason: 'target_has_referrer' }]);
    const brought = await app.get(`/referrals?referee_id=${source.id}`);
    expect(brought.body.data).toMatchObject([{ referrer_id: one.id }]);
    const [a, b] = await newPair();
    await refer(a.id, b.id);
    expect((await merge(a, b)).body.dropped.referrals).toMatchObject([{ reason: 'joins_both' }]);
    const [top, bottom] = await newPair();
    const middle = await customerIdOf(app, newPerson());
    await refer(top.id, middle);
    await refer(middle, bottom.id);
    expect((await merge(top, bottom)).body.dropped.referrals).toMatchObject([{ reason: 'closes_ring' }]);
    expectProblem(await refer(middle, bottom.id), 409, 'referral_cycle');
  });

  it('lists what both have and did, page by page', async () => {
    const [target, source] = await newPair();
    for (const { name } of [target, source, target, source]) {
      await grantUnits(app, name, 'CREDITS', 2);
      await app.post('/quota/consume', { external_id: name, product_key: 'CREDITS', amount: 1 });
      await app.post('/orders', { external_id: name, items: [{ sku: 'PACK' }] });
    }
    await merge(target, source);
    for (const [path, count] of [
      ['/wallet/entries', 10],
      ['/quota/events', 4],
      ['/orders', 4],
      ['/wallet/batches', 5],
      ['/grants', 4],
    ] as const) {
      const pages = await readPages(app, `${path}?customer_id=${target.id}`, 3);
      expect(pages.flat(), path).toHaveLength(count);
      const whole = await app.get(`${path}?customer_id=${source.id}&limit=100`);
      expect(pages.flat(), path).toEqual(whole.body.data);
    }
  });
});

it('costs a use of others, and of whom a merged one leads to, no statement more', async () => {
  const [alone] = await newPair();
  const [target, source] = await newPair();
  for (const { name } of [alone, target, source]) await grantUnits(app, name, 'CREDITS', 10);
  const { db } = app.deps;
  const { query } = db;
  const { nameOf } = db.wire;
  const sent: string[] = [];
  db.query = (sql, parameters) => {
    sent.push(sql);
    return query(sql, parameters);
  };
  Object.assign(db.wire, {
    nameOf: (sql: string) => {
      sent.push(sql);
      return nameOf(sql);
    },
  });
  onTestFinished(() => void Object.assign(db.wire, { nameOf }));
  onTestFinished(() => void Object.assign(db, { query }));
  /** The statements of a use, as they are sent. */
  const sentBy = async (customerId: string): Promise<string[]> => {
    sent.length = 0;
    expect((await consume(customerId, 1)).status).toBe(200);
    return [...sent];
  };
  await sentBy(alone.id);
  const before = await sentBy(alone.id);
  expect((await mergePair(app, target, source)).status).toBe(200);
  expect(await sentBy(alone.id)).toEqual(before);
  expect(await sentBy(target.id)).toEqual(before);
  await sentBy(source.id); // by then it is known whom the id leads to
  expect(await sentBy(source.id)).toEqual(before);
  expect(before.filter((sql) => sql.includes('customer_merges'))).toEqual([]);
  // One locks, one reads, five write.
  expect(before).toHaveLength(7);
});
