// What is told of what happened: each change of which something is told has exactly one event, with its data, in the feed.
import { beforeAll, describe, expect, it } from 'vitest';
import { EVENT_VERSIONS } from '../../src/ledger/event-types.js';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { hold } from '../support/holdings.js';
import { customerIdOf } from '../support/parallel.js';
import { expectProblem, newPayment, newPerson, placeOrder, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'STAR', { is_currency: true, low_balance_threshold: 3 });
  await putProduct(app, 'TOKENS');
  await putOffer(app, 'PACK', 'STAR', 5);
  await putOffer(app, 'TRY', 'STAR', 2, { is_trial: true });
  await putOffer(app, 'FOR_STARS', 'TOKENS', 7, { price: '2', currency: 'STAR' });
});

/** What the feed tells of somebody, in its order. */
async function toldOf(external_id: string, query = ''): Promise<Json[]> {
  await untilTold(app);
  const answer = await app.get(`/events?external_id=${external_id}&limit=200${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data;
}

const typesOf = (events: readonly Json[]) => events.map(({ type }) => type);

/** What the last things that happened to somebody are, those before `work` left out. */
async function toldBy(external_id: string, work: () => PromiseLike<unknown>): Promise<Json[]> {
  const before = (await toldOf(external_id)).length;
  await work();
  return (await toldOf(external_id)).slice(before);
}

const seen = new Set<unknown>();
const tells = (events: readonly Json[], ...expected: [string, Json][]) => {
  for (const { type } of events) seen.add(type);
  expect(events.map(({ type, data }) => [type, data])).toEqual(
    expected.map(([type, data]) => [type, expect.objectContaining(data)]),
  );
};

async function personWith(quantity: number): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'STAR', quantity);
  return external_id;
}

describe('an event', () => {
  it('says whose it is, who he is, and which of his it is', async () => {
    const external_id = newPerson();
    await app.post('/identify', { external_id });
    await grantUnits(app, external_id, 'STAR', 9);
    const customer = { id: await customerIdOf(app, external_id), identities: [{ provider: 'default', external_id }] };
    const [created, granted] = await toldOf(external_id);
    tells([created as Json], ['customer.created', { provider: 'default', external_id }]);
    expect(created).toMatchObject({ sequence: 1, schema_version: 1, operation_id: null, customer });
    expect(granted).toMatchObject({ sequence: 2, customer, created_at: app.clock.now().toISOString() });
  });

  it('is told of a customer who came to be by a refused call, and of nothing else of it', async () => {
    const external_id = newPerson();
    expectProblem(await app.post('/quota/consume', { external_id, product_key: 'STAR' }), 402, 'insufficient_quota');
    expect(typesOf(await toldOf(external_id))).toEqual(['customer.created']);
  });
});

describe('what is told', () => {
  it('of an order that is paid, and of one that fails', async () => {
    const external_id = await personWith(9);
    let id = '';
    const ordered = await toldBy(external_id, async () => {
      id = String((await placeOrder(app, external_id, 'PACK', 2, { metadata: { chat: 7 } })).id);
    });
    const order = { order_id: id, total_amount: '2.00', currency: 'USD', metadata: { chat: 7 }, items_total: 1 };
    tells(ordered, ['order.created', { ...order, items: [{ sku: 'PACK', quantity: 2, price: '1.00' }] }]);

    const failed = { payment_id: newPayment(), status: 'failed' };
    const refused = await toldBy(external_id, () => app.post(`/orders/${id}/confirm`, failed));
    tells(refused, ['order.payment_failed', { order_id: id, payment_id: failed.payment_id }]);

    const payment_id = newPayment();
    const paid = await toldBy(external_id, () => app.post(`/orders/${id}/confirm`, { payment_id }));
    tells(
      paid,
      ['order.paid', { ...order, payment_id, paid_at: app.clock.now().toISOString() }],
      ['batch.granted', { product_key: 'STAR', granted: 10, source: 'purchase', sku: 'PACK', order_id: id }],
    );
    expect(await toldBy(external_id, () => app.post(`/orders/${id}/confirm`, { payment_id }))).toEqual([]);
  });

  it('of an order that costs nothing and is confirmed without a payment', async () => {
    const external_id = newPerson();
    const items = [{ sku: 'PACK', price: '0', price_reason: 'a present' }];
    const { body: order } = await app.post('/orders', { external_id, items });
    const paid = await toldBy(external_id, () => app.post(`/orders/${order.id}/confirm`));
    const nobody = { payment_method: 'provider_payments', payment_id: null };
    tells(paid, ['order.paid', { order_id: order.id, total_amount: '0.00', ...nobody }], ['batch.granted', {}]);
    expect((await app.get('/events?limit=200')).status).toBe(200);
  });

  it('of a payment that matches nothing, and of an order that nobody pays', async () => {
    const external_id = await personWith(9);
    const { id } = await placeOrder(app, external_id, 'PACK');
    app.clock.advance({ days: 2 });
    const payment_id = newPayment();
    const late = await toldBy(external_id, () => app.post(`/orders/${id}/confirm`, { payment_id }));
    tells(late, ['payment.unmatched', { order_id: id, payment_id }], ['order.expired', { order_id: id }]);
  });

  it('of units that are used up, once for each crossing', async () => {
    const external_id = await personWith(5);
    const use = (amount: number) => app.post('/quota/consume', { external_id, product_key: 'STAR', amount });
    tells(await toldBy(external_id, () => use(1)));
    tells(await toldBy(external_id, () => use(1)), ['quota.low', { product_key: 'STAR', balance: 3, threshold: 3 }]);
    tells(await toldBy(external_id, () => use(1)));
    tells(await toldBy(external_id, () => use(2)), ['quota.exhausted', { product_key: 'STAR', balance: 0 }]);
    await grantUnits(app, external_id, 'STAR', 4);
    tells(
      await toldBy(external_id, () => use(4)),
      ['quota.low', { balance: 0, threshold: 3 }],
      ['quota.exhausted', { balance: 0 }],
    );
  });

  it('of units that end or are taken away', async () => {
    const external_id = newPerson();
    const id = await grantUnits(app, external_id, 'STAR', 9, { expires_at: '2026-06-01T00:00:00Z' });
    const adjustment = {
      external_id,
      grant_type: 'adjustment',
      product_key: 'STAR',
      direction: 'debit',
      reason: 'why',
    };
    const revoked = await toldBy(external_id, () => app.post('/grants', { ...adjustment, quantity: 2 }));
    tells(revoked, ['batch.revoked', { batch_id: id, amount: 2, balance: 7 }]);
    const expired = await toldBy(external_id, async () => {
      app.clock.set('2026-06-02T00:00:00Z');
      await grantUnits(app, external_id, 'TOKENS', 1);
    });
    tells(
      expired,
      ['batch.granted', { product_key: 'TOKENS' }],
      ['batch.expired', { batch_id: id, amount: 7, balance: 0 }],
      ['quota.low', { balance: 0 }],
      ['quota.exhausted', { balance: 0 }],
    );
  });

  it('of a reservation and each of its endings', async () => {
    const external_id = await personWith(90);
    for (const [ending, body, type] of [
      ['commit', { amount: 3 }, 'committed'],
      ['release', {}, 'released'],
    ] as const) {
      let id = '';
      const made = await toldBy(external_id, async () => {
        ({ id } = await hold(app, external_id, 'STAR', 4, { metadata: { a: { bC: 1 } } }));
      });
      const held = { reservation_id: id, product_key: 'STAR', amount: 4, metadata: { a: { bC: 1 } } };
      tells(made, ['reservation.created', held]);
      await app.post(`/reservations/${id}/extend`, { ttl_seconds: 3_600 });
      const ended = await toldBy(external_id, () => app.post(`/reservations/${id}/${ending}`, body));
      tells(ended, [`reservation.${type}`, { ...held, committed_amount: ending === 'commit' ? 3 : 0 }]);
    }
    const { id } = await hold(app, external_id, 'STAR', 4, { ttl_seconds: 60 });
    app.clock.advance({ seconds: 61 });
    const lapsed = await toldBy(external_id, () => app.post('/quota/consume', { external_id, product_key: 'STAR' }));
    tells(lapsed, ['reservation.expired', { reservation_id: id, committed_amount: 0 }]);
  });

  it('of a trial, an exchange and a referral', async () => {
    const external_id = await personWith(9);
    const trial = {
      external_id,
      grant_type: 'trial',
      sku: 'TRY',
      identities: { telegram: newPerson(), email: 'a@b.cd' },
    };
    const tried = await toldBy(external_id, () => app.post('/grants', trial));
    tells(tried, ['trial.activated', { scopes: ['any'] }], ['batch.granted', { source: 'trial', sku: 'TRY' }]);
    const exchanged = await toldBy(external_id, () => app.post('/exchange', { external_id, sku: 'FOR_STARS' }));
    tells(
      exchanged,
      ['exchange.completed', { sku: 'FOR_STARS', spent: { product_key: 'STAR', amount: 2 } }],
      ['batch.granted', { product_key: 'TOKENS', source: 'exchange' }],
    );
    const referrer = await personWith(1);
    const attached = await toldBy(external_id, () =>
      app.post('/referrals', {
        referrer_external_id: referrer,
        referee_external_id: external_id,
        metadata: { by: 'link' },
      }),
    );
    const pair = { referrer_id: await customerIdOf(app, referrer), referee_id: await customerIdOf(app, external_id) };
    tells(attached, ['referral.attached', { ...pair, metadata: { by: 'link' } }]);
  });

  it('covers all types, beside those that have files of their own', () => {
    const elsewhere = [
      'customer.merged',
      'customer.erased',
      'order.cancelled',
      'payment.quarantined',
      'webhook_endpoint.disabled',
      'batch.expiring',
      'quota.consumed',
      'trial.refused',
      'product.activated',
      'product.deactivated',
      'product.changed',
      'offer.activated',
      'offer.deactivated',
      'quota.limit_reached',
      'quota.limit_exceeded',
      'order.refunded',
      'order.refund_failed',
      'order.disputed',
      'order.dispute_closed',
      'referral.reward_armed',
      'referral.reward_held',
      'referral.reward_cancelled',
      'referral.rewarded',
      'referral.revoked',
      'subscription.created',
      'subscription.allocated',
      'subscription.allocation_begun',
      'subscription.renewed',
      'subscription.skipped',
      'subscription.trial_ending',
      'subscription.renewal_due',
      'subscription.past_due',
      'subscription.changed',
      'subscription.updated',
      'subscription.cancelled',
      'subscription.moved',
      'subscription.expired',
    ];
    expect([...seen, ...elsewhere].sort()).toEqual(Object.keys(EVENT_VERSIONS).sort());
  });

  it.each<[string, Json]>([
    ['numbers that are long without an exponent', { n: Array(60).fill(1e-300) }],
    ['the smallest number, many times', { n: Array(400).fill(5e-324) }],
    ['many small members', { n: Array(5_000).fill(1) }],
  ])('takes metadata of %s, as large as the database writes it', async (_what, metadata) => {
    const external_id = await personWith(5);
    await placeOrder(app, external_id, 'PACK', 1, { metadata });
    await hold(app, external_id, 'STAR', 1, { metadata });
    const data = (await toldOf(external_id)).slice(-2).map((event) => event.data);
    expect(data).toEqual([expect.objectContaining({ metadata: null }), expect.objectContaining({ metadata: null })]);
  });

  it('leaves out metadata that is large, and is never more than 16 KiB', async () => {
    const external_id = newPerson();
    const items = Array.from({ length: 100 }, () => ({ sku: 'PACK' }));
    const metadata = { note: 'x'.repeat(16_000) };
    expect((await app.post('/orders', { external_id, items, metadata })).status).toBe(201);
    const [, ordered] = await toldOf(external_id);
    expect(ordered?.data).toMatchObject({ metadata: null, items_total: 100 });
    expect(ordered?.data).toHaveProperty('items.length', 20);
  });
});

describe('the feed', () => {
  it('goes on where it ended, page by page, and tells nothing twice', async () => {
    const external_id = await personWith(9);
    for (let times = 0; times < 4; times += 1) await placeOrder(app, external_id, 'PACK');
    const all = await toldOf(external_id);
    const told: Json[] = [];
    for (let cursor = ''; told.length < all.length; ) {
      const { body } = await app.get(`/events?external_id=${external_id}&limit=2${cursor}`);
      expect(body.data.length).toBeGreaterThan(0);
      told.push(...body.data);
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(told).toEqual(all);
    expect(all.map(({ sequence }) => sequence)).toEqual(all.map((_, index) => index + 1));
  });

  it('tells only what is asked for', async () => {
    const external_id = await personWith(9);
    await placeOrder(app, external_id, 'PACK');
    expect(typesOf(await toldOf(external_id, '&type=order.created'))).toEqual(['order.created']);
    const both = await toldOf(external_id, '&type=order.created&type=batch.granted');
    expect(typesOf(both)).toEqual(['batch.granted', 'order.created']);
  });

  it('waits for a first event, and for no longer than it is asked to', async () => {
    const external_id = await personWith(9);
    await untilTold(app);
    const { body } = await app.get(`/events?external_id=${external_id}`);
    const waiting = app
      .get(`/events?external_id=${external_id}&wait_s=30&cursor=${body.next_cursor}`)
      .then((answer) => answer.body);
    await placeOrder(app, external_id, 'PACK');
    expect(typesOf((await waiting).data)).toEqual(['order.created']);
    const { body: nothing } = await app.get(`/events?external_id=${newPerson()}x&wait_s=0`);
    expect(nothing.code).toBe('customer_not_found');
  });

  it('writes nothing', async () => {
    expect(await writtenBy(app, () => app.get('/events'))).toEqual({});
  });

  it.each([
    ['type=order.payed', 'query/type/0'],
    ['wait_s=31', 'query/wait_s'],
    ['wait_s=-1', 'query/wait_s'],
    ['limit=0', 'query/limit'],
    ['cursor=abc', 'query/cursor'],
    [`cursor=${Buffer.from('{"place":999999999}').toString('base64url')}`, 'query/cursor'],
    [`cursor=${Buffer.from('{"seq":1}').toString('base64url')}`, 'query/cursor'],
  ])('refuses %s', async (query, pointer) => {
    expectProblem(await app.get(`/events?${query}`), 400, 'invalid_request', pointer);
  });
});
