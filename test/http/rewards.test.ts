// Referral programmes and rewards: what is earned when, for how long it waits, what cancels it, and what is taken back.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { settleRewards } from '../../src/engine/rewards.js';
import { type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { customerIdOf } from '../support/parallel.js';
import { expectProblem, newPayment, newPerson, readPages, writtenBy } from '../support/requests.js';

const UNKNOWN_ID = '01900000-0000-7000-8000-000000000000';
const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '10.00' });
  await putOffer(app, 'GIFT', 'CREDITS', 10, { price: '0.00' });
  await putOffer(app, 'WELCOME', 'CREDITS', 5, { price: '0.00' });
  await putOffer(app, 'RETIRED', 'CREDITS', 5, { price: '0.00', is_active: false });
  const week = { product_key: 'ACCESS', quantity: 1, period_unit: 'days', period_value: 7 };
  await putOffer(app, 'WEEK', 'ACCESS', 1, { price: '0.00', items: [week] });
});

afterEach(async () => {
  const { body } = await app.get('/referral-programs');
  for (const { key } of body.data) await app.delete(`/referral-programs/${key}`);
});

const firstOrder = { trigger: 'on_first_paid_order', referrer: { sku: 'GIFT' }, referee: { sku: 'WELCOME' } };
const putProgram = (body: Json = firstOrder, key = 'friends') => app.put(`/referral-programs/${key}`, body);

interface Pair {
  referrer: string;
  referee: string;
  referralId: string;
}

async function refer(referrer = newPerson(), referee = newPerson()): Promise<Pair> {
  await Promise.all([referrer, referee].map((person) => customerIdOf(app, person)));
  const made = await app.post('/referrals', {
    provider: 'default',
    referrer_external_id: referrer,
    referee_external_id: referee,
  });
  expect(made.status, made.text).toBe(201);
  return { referrer, referee, referralId: made.body.referral_id };
}

async function pay(person: string, more: Json = {}, sku = 'PACK'): Promise<string> {
  const { body } = await app.post('/orders', { external_id: person, items: [{ sku }] });
  const paid = await app.post(`/orders/${body.id}/confirm`, { payment_id: newPayment(), ...more });
  expect(paid.status, paid.text).toBe(200);
  return body.id;
}

const rewardsOf = async ({ referralId }: Pair): Promise<Json[]> =>
  (await app.get(`/referrals/rewards?referral_id=${referralId}`)).body.data;
const rewardOf = async (pair: Pair, side = 'referrer') =>
  (await rewardsOf(pair)).find((reward) => reward.side === side) ?? {};
const balanceOf = async (person: string) => (await app.get(`/wallet?external_id=${person}`)).body.balances.CREDITS ?? 0;
const dispute = (id: string, status: string) => app.post(`/orders/${id}/dispute`, { dispute_id: `dp_${id}`, status });
const settle = () => settleRewards(app.deps);

describe('a programme', () => {
  it('is put, got, listed and deleted, and each change is audited', async () => {
    const body = {
      description: 'Bring a friend',
      ...firstOrder,
      referrer: { sku: 'gift', quantity: 2 },
      hold_days: 14,
      max_rewards_per_referrer: 10,
      from: '2026-01-01T00:00:00Z',
      until: '2027-01-01',
      claw_back: false,
    };
    const made = await putProgram(body);
    expect(made.status, made.text).toBe(201);
    expect(made.body).toEqual({
      key: 'friends',
      ...body,
      referrer: { sku: 'GIFT', quantity: 2 },
      referee: { sku: 'WELCOME', quantity: 1 },
      from: '2026-01-01T00:00:00.000Z',
      until: '2027-01-01T00:00:00.000Z',
      created_at: '2026-01-31T12:00:00.000Z',
      updated_at: '2026-01-31T12:00:00.000Z',
    });
    const again = await putProgram({ ...body, hold_days: 7 });
    expect(again.status).toBe(200);
    expect((await app.get('/referral-programs/friends')).body).toEqual(again.body);
    expect((await app.get('/referral-programs')).body.data).toEqual([again.body]);
    expect((await app.delete('/referral-programs/friends')).status).toBe(204);
    expectProblem(await app.get('/referral-programs/friends'), 404, 'referral_program_not_found', 'path/key');
    expectProblem(await app.delete('/referral-programs/friends'), 404, 'referral_program_not_found', 'path/key');
    const { body: audit } = await app.get('/audit?subject=friends');
    expect(audit.data.map(({ action }: Json) => action)).toEqual([
      'referral_program.deleted',
      'referral_program.updated',
      'referral_program.created',
    ]);
  });

  it.each([
    ['an unknown SKU', { ...firstOrder, referee: { sku: 'NOWHERE' } }, 404, 'offer_not_found', '/referee/sku'],
    [
      'an offer that is not active',
      { ...firstOrder, referrer: { sku: 'RETIRED' } },
      409,
      'offer_inactive',
      '/referrer/sku',
    ],
    ['neither side', { trigger: 'on_attach' }, 400, 'invalid_request', '/referrer'],
    ['no trigger', { referrer: { sku: 'GIFT' } }, 400, 'invalid_request', '/trigger'],
    ['an unknown trigger', { ...firstOrder, trigger: 'later' }, 400, 'invalid_request', '/trigger'],
    [
      'none of an offer',
      { ...firstOrder, referrer: { sku: 'GIFT', quantity: 0 } },
      400,
      'invalid_request',
      '/referrer/quantity',
    ],
    ['days below 0', { ...firstOrder, hold_days: -1 }, 400, 'invalid_request', '/hold_days'],
    ['a cap of 0', { ...firstOrder, max_rewards_per_referrer: 0 }, 400, 'invalid_request', '/max_rewards_per_referrer'],
    [
      'an end before its begin',
      { ...firstOrder, from: '2026-02-01', until: '2026-02-01' },
      400,
      'invalid_request',
      '/until',
    ],
    ['a misspelt member', { ...firstOrder, hold_day: 3 }, 400, 'invalid_request', '/hold_day'],
  ] as const)('with %s is refused', async (_what, body, status, code, pointer) => {
    expectProblem(await putProgram(body), status, code, pointer);
    expect((await app.get('/referral-programs')).body.data).toEqual([]);
  });

  it('that is more than there may be is refused', async () => {
    for (let index = 0; index < 100; index += 1) expect((await putProgram(firstOrder, `p${index}`)).status).toBe(201);
    expectProblem(await putProgram(), 409, 'too_many_referral_programs', 'path/key');
    expect((await putProgram(firstOrder, 'p7')).status).toBe(200);
  });
});

describe('the first order that is paid', () => {
  it('earns both sides what the programme says, at once where nothing is waited for', async () => {
    await putProgram({ ...firstOrder, referrer: { sku: 'GIFT', quantity: 3 } });
    const pair = await refer();
    expect(await rewardsOf(pair)).toEqual([]);
    const orderId = await pay(pair.referee);
    expect(await balanceOf(pair.referrer)).toBe(30);
    expect(await balanceOf(pair.referee)).toBe(105);
    const reward = await rewardOf(pair);
    expect(reward).toMatchObject({
      status: 'granted',
      order_id: orderId,
      sku: 'GIFT',
      quantity: 3,
      program_key: 'friends',
    });
    const { body } = await app.get(`/wallet/batches?external_id=${pair.referrer}`);
    expect(body.data).toMatchObject([
      {
        source: 'bonus',
        sku: 'GIFT',
        granted: 30,
        metadata: { reward: reward.id, referral: pair.referralId, program: 'friends' },
      },
    ]);
    await pay(pair.referee);
    expect(await rewardsOf(pair)).toHaveLength(2);
    await untilTold(app);
    const told = await app.get(`/events?external_id=${pair.referrer}&type=referral.rewarded`);
    expect(told.body.data).toMatchObject([
      { operation_id: reward.operation_id, data: { reward_id: reward.id, side: 'referrer', order_id: orderId } },
    ]);
  });

  it('is none that costs nothing, and none of who has paid before', async () => {
    await putProgram();
    const early = newPerson();
    await pay(early);
    const late = await refer(newPerson(), early);
    await pay(early);
    expect(await rewardsOf(late)).toEqual([]);
    const pair = await refer();
    await pay(pair.referee, {}, 'GIFT');
    expect(await rewardsOf(pair)).toEqual([]);
    await pay(pair.referee);
    expect(await rewardsOf(pair)).toHaveLength(2);
  });

  it('earns nothing outside of the span of the programme, or after it is deleted', async () => {
    await putProgram({ ...firstOrder, from: '2026-02-01', until: '2026-03-01' });
    const pairs = [await refer(), await refer(), await refer()] as const;
    await pay(pairs[0].referee);
    app.clock.set('2026-02-01T00:00:00Z');
    await pay(pairs[1].referee);
    app.clock.set('2026-03-01T00:00:00Z');
    await pay(pairs[2].referee);
    expect(await Promise.all(pairs.map(async (pair) => (await rewardsOf(pair)).length))).toEqual([0, 2, 0]);
    await app.delete('/referral-programs/friends');
    const pair = await refer();
    await pay(pair.referee);
    expect(await rewardsOf(pair)).toEqual([]);
  });

  it('earns what the first programme by key says, on its terms of that moment', async () => {
    await putProgram({ ...firstOrder, referee: null, hold_days: 2 }, 'b');
    await putProgram({ trigger: 'on_first_paid_order', referrer: { sku: 'WELCOME' }, hold_days: 1 }, 'a');
    const pair = await refer();
    await pay(pair.referee);
    await app.delete('/referral-programs/a');
    app.clock.advance({ days: 1 });
    expect(await settle()).toBe(1);
    expect(await rewardsOf(pair)).toMatchObject([{ program_key: 'a', sku: 'WELCOME', status: 'granted' }]);
  });
});

describe('attaching', () => {
  it('earns what a programme promises for it, once', async () => {
    await putProgram({ ...firstOrder, trigger: 'on_attach' });
    const pair = await refer();
    expect(await balanceOf(pair.referrer)).toBe(10);
    expect(await balanceOf(pair.referee)).toBe(5);
    const again = { provider: 'default', referrer_external_id: pair.referrer, referee_external_id: pair.referee };
    expect((await app.post('/referrals', again)).status).toBe(200);
    expect(await rewardsOf(pair)).toHaveLength(2);
    expect(await rewardOf(pair)).toMatchObject({ order_id: null, status: 'granted' });
  });

  it('of who has paid before earns nothing', async () => {
    await putProgram({ ...firstOrder, trigger: 'on_attach' });
    const early = newPerson();
    await pay(early);
    expect(await rewardsOf(await refer(newPerson(), early))).toEqual([]);
  });
});

describe('a reward that waits', () => {
  it('is granted in its time, not before', async () => {
    await putProgram({ ...firstOrder, hold_days: 14 });
    const pair = await refer();
    await pay(pair.referee);
    expect(await rewardOf(pair)).toMatchObject({ status: 'armed', due_at: '2026-02-14T12:00:00.000Z' });
    app.clock.set('2026-02-14T11:59:59.999Z');
    expect(await settle()).toBe(0);
    app.clock.set('2026-02-14T12:00:00Z');
    expect(await settle()).toBe(2);
    expect(await settle()).toBe(0);
    expect(await rewardOf(pair)).toMatchObject({ status: 'granted', granted_at: '2026-02-14T12:00:00.000Z' });
    expect(await balanceOf(pair.referrer)).toBe(10);
  });

  it('is cancelled when its order is refunded, by parts too; a part alone leaves it', async () => {
    await putProgram({ ...firstOrder, hold_days: 14 });
    const pair = await refer();
    const id = await pay(pair.referee);
    await app.post(`/orders/${id}/refund`, { amount: '4.00' });
    expect(await rewardOf(pair)).toMatchObject({ status: 'armed' });
    await app.post(`/orders/${id}/refund`, { amount: '6.00' });
    for (const reward of await rewardsOf(pair))
      expect(reward).toMatchObject({ status: 'cancelled', cancel_reason: 'order_refunded' });
    app.clock.advance({ days: 15 });
    expect(await settle()).toBe(0);
    await untilTold(app);
    const { body } = await app.get(`/events?external_id=${pair.referee}&type=referral.reward_cancelled`);
    expect(body.data).toHaveLength(2);
  });

  it('that was cancelled is armed again by the next first order, or when the refund failed', async () => {
    await putProgram({ ...firstOrder, referee: null, hold_days: 1 });
    const pair = await refer();
    const first = await pay(pair.referee);
    await app.post(`/orders/${first}/refund`, { refund_id: `re_${first}` });
    const second = await pay(pair.referee);
    expect(await rewardsOf(pair)).toMatchObject([
      { status: 'armed', order_id: second },
      { status: 'cancelled', order_id: first },
    ]);
    await app.post(`/orders/${first}/refund`, { refund_id: `re_${first}`, status: 'failed' });
    expect(await rewardsOf(pair)).toHaveLength(2);
    await app.post(`/orders/${second}/refund`, { refund_id: `re_${second}` });
    await app.post(`/orders/${second}/refund`, { refund_id: `re_${second}`, status: 'failed' });
    app.clock.advance({ days: 1 });
    expect(await settle()).toBe(1);
    expect(await balanceOf(pair.referrer)).toBe(10);
    const statuses = (await rewardsOf(pair)).map(({ status }) => status).sort();
    expect(statuses).toEqual(['cancelled', 'cancelled', 'granted']);
  });

  it('is held while its order is disputed, released when that is won, cancelled when it is lost', async () => {
    await putProgram({ ...firstOrder, referee: null, hold_days: 1 });
    const [won, lost] = [await refer(), await refer()];
    const orders = [await pay(won.referee), await pay(lost.referee)] as const;
    for (const id of orders) await dispute(id, 'opened');
    const held = await rewardOf(won);
    expect(held).toMatchObject({ status: 'held', hold_reason: 'dispute' });
    expect((await app.get(`/referrals/rewards?status=held&referral_id=${won.referralId}`)).body.data).toHaveLength(1);
    expectProblem(await app.post(`/referrals/rewards/${held.id}/release`, {}), 409, 'reward_not_held', 'path/id');
    app.clock.advance({ days: 2 });
    expect(await settle()).toBe(0);
    await dispute(orders[0], 'won');
    await dispute(orders[1], 'lost');
    expect(await rewardOf(won)).toMatchObject({ status: 'granted' });
    expect(await rewardOf(lost)).toMatchObject({ status: 'cancelled', cancel_reason: 'dispute_lost' });
    expect(await Promise.all([won, lost].map(({ referrer }) => balanceOf(referrer)))).toEqual([10, 0]);
  });

  it('counts the cap when it is granted', async () => {
    await putProgram({ ...firstOrder, referee: null, hold_days: 1, max_rewards_per_referrer: 2 });
    const referrer = newPerson();
    const pairs = [await refer(referrer), await refer(referrer), await refer(referrer)];
    for (const { referee } of pairs) await pay(referee);
    app.clock.advance({ days: 1 });
    expect(await settle()).toBe(3);
    const rewards = (await Promise.all(pairs.map((pair) => rewardOf(pair)))).map(({ status }) => status).sort();
    expect(rewards).toEqual(['cancelled', 'granted', 'granted']);
    expect(await balanceOf(referrer)).toBe(20);
  });
});

describe('a reward that was granted', () => {
  it('is taken back when its order is refunded: what is left of it; and frees no place', async () => {
    await putProgram({ ...firstOrder, referee: null, max_rewards_per_referrer: 1 });
    const referrer = newPerson();
    const pair = await refer(referrer);
    const id = await pay(pair.referee);
    await app.post('/quota/consume', { external_id: referrer, product_key: 'CREDITS', amount: 4 });
    await app.post(`/orders/${id}/refund`, {});
    expect(await rewardOf(pair)).toMatchObject({ status: 'clawed_back', clawed_back_at: '2026-01-31T12:00:00.000Z' });
    expect(await balanceOf(referrer)).toBe(0);
    const { body } = await app.get(`/wallet/batches?external_id=${referrer}`);
    expect(body.data).toMatchObject([{ consumed: 4, revoked: 6 }]);
    const other = await refer(referrer);
    await pay(other.referee);
    expect(await rewardOf(other)).toMatchObject({ status: 'cancelled', cancel_reason: 'cap_reached' });
    await untilTold(app);
    expect((await app.get(`/events?external_id=${referrer}&type=referral.revoked`)).body.data).toHaveLength(1);
  });

  it('ends behind what was used of it, or held, at that very instant', async () => {
    await putProgram({ ...firstOrder, referee: null });
    const pair = await refer();
    const id = await pay(pair.referee);
    app.clock.advance({ seconds: 1 });
    const take = { external_id: pair.referrer, product_key: 'CREDITS', amount: 2 };
    await app.post('/quota/consume', take);
    const [held, freed] = [await app.post('/reservations', take), await app.post('/reservations', take)];
    await app.post(`/reservations/${freed.body.id}/release`, {});
    await app.post(`/orders/${id}/refund`, {});
    expect(await rewardOf(pair)).toMatchObject({ status: 'clawed_back' });
    app.clock.advance({ seconds: 1 });
    await app.post(`/reservations/${held.body.id}/release`, {});
    expect(await balanceOf(pair.referrer)).toBe(0);
    expect((await app.get(`/invariants?external_id=${pair.referrer}`)).body).toMatchObject({
      ok: true,
      differences: [],
    });
  });

  it('stays what is held of it, and what comes back later expires', async () => {
    await putProgram({ ...firstOrder, referee: null });
    const pair = await refer();
    const id = await pay(pair.referee);
    const held = await app.post('/reservations', { external_id: pair.referrer, product_key: 'CREDITS', amount: 7 });
    app.clock.advance({ seconds: 1 });
    await app.post(`/orders/${id}/refund`, {});
    expect(await rewardOf(pair)).toMatchObject({ status: 'clawed_back' });
    expect((await app.post(`/reservations/${held.body.id}/release`, {})).status).toBe(200);
    expect(await balanceOf(pair.referrer)).toBe(0);
  });

  it('ends when it is access, and what follows it moves forward', async () => {
    await putProgram({ trigger: 'on_first_paid_order', referrer: { sku: 'WEEK' } });
    const pair = await refer();
    const id = await pay(pair.referee);
    await app.post('/grants', { external_id: pair.referrer, grant_type: 'bonus', sku: 'WEEK' });
    app.clock.advance({ days: 1 });
    await dispute(id, 'lost');
    expect(await rewardOf(pair)).toMatchObject({ status: 'clawed_back' });
    const { body } = await app.get(`/wallet?external_id=${pair.referrer}`);
    expect(body.access.ACCESS.until).toBe('2026-02-08T12:00:00.000Z');
  });

  it('stays where its programme says so', async () => {
    await putProgram({ ...firstOrder, referee: null, claw_back: false });
    const pair = await refer();
    const id = await pay(pair.referee);
    await app.post(`/orders/${id}/refund`, {});
    expect(await rewardOf(pair)).toMatchObject({ status: 'granted' });
    expect(await balanceOf(pair.referrer)).toBe(10);
  });
});

describe('a signal that both sides share', () => {
  it('holds a reward: the fingerprint of a payment', async () => {
    await putProgram({ ...firstOrder, referee: null });
    const pair = await refer();
    await pay(pair.referrer, { payment_fingerprint: 'card-1' });
    await pay(pair.referee, { payment_fingerprint: ' Card-1 ' });
    const held = await rewardOf(pair);
    expect(held).toMatchObject({ status: 'held', hold_reason: 'shared_signal' });
    expect(await settle()).toBe(0);
    const released = await app.post(`/referrals/rewards/${held.id}/release`, { reason: 'one household' });
    expect(released.status, released.text).toBe(200);
    expect(released.body).toMatchObject({ id: held.id, status: 'armed', hold_reason: null });
    expect(await rewardOf(pair)).toMatchObject({ status: 'granted' });
    expect(await balanceOf(pair.referrer)).toBe(110);
    expectProblem(await app.post(`/referrals/rewards/${held.id}/release`, {}), 409, 'reward_not_held', 'path/id');
    const { body } = await app.get(`/audit?subject=${held.id}`);
    expect(body.data).toMatchObject([{ action: 'reward.released', after: { reason: 'one household' } }]);
  });

  it('holds it when it comes to be while the reward waits, and an operator may refuse it', async () => {
    await putProgram({ ...firstOrder, referee: null, hold_days: 1 });
    const pair = await refer();
    await pay(pair.referee, { payment_fingerprint: 'card-2' });
    expect(await rewardOf(pair)).toMatchObject({ status: 'armed' });
    await pay(pair.referrer, { payment_fingerprint: 'card-2' });
    app.clock.advance({ days: 1 });
    expect(await settle()).toBe(1);
    const { id } = await rewardOf(pair);
    const refuse = (body: Json) => app.post(`/referrals/rewards/${id}/refuse`, body);
    expectProblem(await refuse({}), 400, 'invalid_request', '/reason');
    expect((await refuse({ reason: 'himself' })).body).toMatchObject({ status: 'refused', cancel_reason: 'refused' });
    expectProblem(await refuse({ reason: 'himself' }), 409, 'reward_not_held', 'path/id');
    await untilTold(app);
    const { body } = await app.get(`/events?external_id=${pair.referrer}&type=referral.reward_held`);
    expect(body.data).toMatchObject([{ data: { hold_reason: 'shared_signal' } }]);
  });

  it('may be an identity of a trial', async () => {
    await putOffer(app, 'TRY_A', 'CREDITS', 1, { is_trial: true, trial_policy: { scope: 'offer' } });
    await putOffer(app, 'TRY_B', 'CREDITS', 1, { is_trial: true, trial_policy: { scope: 'offer' } });
    await putProgram({ ...firstOrder, hold_days: 3 });
    const pair = await refer();
    const identities = { device: 'd-1' };
    await app.post('/grants', { external_id: pair.referrer, grant_type: 'trial', sku: 'TRY_A', identities });
    await app.post('/grants', { external_id: pair.referee, grant_type: 'trial', sku: 'TRY_B', identities });
    await pay(pair.referee);
    for (const reward of await rewardsOf(pair)) expect(reward).toMatchObject({ status: 'held' });
  });
});

it('what can’t be granted now waits for an operator, and is granted once he releases it', async () => {
  await putOffer(app, 'SEASONAL', 'CREDITS', 8, { price: '0.00' });
  await putProgram({ trigger: 'on_first_paid_order', referrer: { sku: 'SEASONAL' }, hold_days: 1 });
  const pair = await refer();
  await pay(pair.referee);
  await putOffer(app, 'SEASONAL', 'CREDITS', 8, { price: '0.00', is_active: false });
  app.clock.advance({ days: 1 });
  expect(await settle()).toBe(1);
  const { id } = await rewardOf(pair);
  expect(await rewardOf(pair)).toMatchObject({ status: 'held', hold_reason: 'offer_inactive' });
  await app.post(`/referrals/rewards/${id}/release`, {});
  expect(await rewardOf(pair)).toMatchObject({ status: 'held', hold_reason: 'offer_inactive' });
  await putOffer(app, 'SEASONAL', 'CREDITS', 8, { price: '0.00' });
  await app.post(`/referrals/rewards/${id}/release`, {});
  expect(await rewardOf(pair)).toMatchObject({ status: 'granted' });
  expect(await balanceOf(pair.referrer)).toBe(8);
});

describe('GET /referrals/rewards', () => {
  it('lists by customer, status, side, programme and order, in pages', async () => {
    await putProgram({ ...firstOrder, hold_days: 1 });
    const referrer = newPerson();
    const pairs = [await refer(referrer), await refer(referrer), await refer(referrer)] as const;
    const orders: string[] = [];
    for (const { referee } of pairs) orders.push(await pay(referee));
    const pages = await readPages(app, `/referrals/rewards?external_id=${referrer}`, 2);
    expect(pages.map((page) => page.length)).toEqual([2, 1]);
    const count = async (query: string) => (await app.get(`/referrals/rewards?${query}`)).body.data.length;
    expect(await count(`order_id=${orders[1]}`)).toBe(2);
    expect(await count(`order_id=${orders[1]}&side=referee&program_key=friends&status=armed`)).toBe(1);
    expect(await count(`order_id=${orders[1]}&status=granted`)).toBe(0);
    expect(await count(`external_id=${pairs[0].referee}&side=referrer`)).toBe(0);
    expectProblem(await app.get('/referrals/rewards?external_id=nobody-at-all'), 404, 'customer_not_found');
    expectProblem(await app.get('/referrals/rewards?status=lost'), 400, 'invalid_request', 'query/status');
  });
});

it('a decision about an unknown reward is refused', async () => {
  expectProblem(await app.post(`/referrals/rewards/${UNKNOWN_ID}/release`, {}), 404, 'reward_not_found', 'path/id');
  expectProblem(
    await app.post(`/referrals/rewards/${UNKNOWN_ID}/refuse`, { reason: 'x' }),
    404,
    'reward_not_found',
    'path/id',
  );
});

it('a confirmation again earns nothing again, and writes nothing', async () => {
  await putProgram();
  const pair = await refer();
  const { body } = await app.post('/orders', { external_id: pair.referee, items: [{ sku: 'PACK' }] });
  const confirm = { payment_id: newPayment() };
  await app.post(`/orders/${body.id}/confirm`, confirm);
  const written = await writtenBy(app, () => app.post(`/orders/${body.id}/confirm`, confirm));
  expect(written).toEqual({});
  expect(await balanceOf(pair.referrer)).toBe(10);
});
