// Rewards of customers that are merged (DOMAIN 3.9, 3.10): what both sides lose that become one, and what goes on in whichever ledger.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { settleRewards } from '../../src/engine/rewards.js';
import { type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { type Merging, mergePair, newMergePair } from '../support/merging.js';
import { expectProblem, newPayment, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '10.00' });
  await putOffer(app, 'GIFT', 'CREDITS', 10, { price: '0.00' });
  await putOffer(app, 'RARE', 'CREDITS', 7, { price: '0.00', max_per_customer: 1 });
  const week = { product_key: 'ACCESS', quantity: 1, period_unit: 'days', period_value: 7 };
  await putOffer(app, 'WEEK', 'ACCESS', 1, { price: '0.00', items: [week] });
  await putOffer(app, 'TRY_A', 'CREDITS', 1, { is_trial: true, trial_policy: { scope: 'offer' } });
  await putOffer(app, 'TRY_B', 'CREDITS', 1, { is_trial: true, trial_policy: { scope: 'offer' } });
});
afterEach(() => app.delete('/referral-programs/friends'));

const putProgram = (more: Json = {}) =>
  app.put('/referral-programs/friends', { trigger: 'on_first_paid_order', referrer: { sku: 'GIFT' }, ...more });

async function refer(referrer: Merging, referee: Merging): Promise<string> {
  const names = { referrer_external_id: referrer.name, referee_external_id: referee.name };
  const made = await app.post('/referrals', { provider: 'default', ...names });
  expect(made.status, made.text).toBe(201);
  return made.body.referral_id;
}

async function place({ id }: Merging): Promise<string> {
  return (await app.post('/orders', { customer_id: id, items: [{ sku: 'PACK' }] })).body.id;
}
async function confirm(orderId: string, more: Json = {}): Promise<string> {
  const paid = await app.post(`/orders/${orderId}/confirm`, { payment_id: newPayment(), ...more });
  expect(paid.status, paid.text).toBe(200);
  return orderId;
}
const pay = async (who: Merging, more: Json = {}) => confirm(await place(who), more);
async function refund(orderId: string, more: Json = {}): Promise<void> {
  const refunded = await app.post(`/orders/${orderId}/refund`, more);
  expect(refunded.status, refunded.text).toBe(200);
}
async function merge(target: Merging, source: Merging): Promise<Json> {
  const merged = await mergePair(app, target, source);
  expect(merged.status, merged.text).toBe(200);
  return merged.body;
}
const byId = (a: Json, b: Json) => String(a.reward_id).localeCompare(String(b.reward_id));
const lostBy = ({ dropped }: Json): Json[] => (dropped as { rewards: Json[] }).rewards.sort(byId);
const rewardsOf = async (referralId: string): Promise<Json[]> =>
  (await app.get(`/referrals/rewards?referral_id=${referralId}`)).body.data;
const rewardOf = async (referralId: string) => (await rewardsOf(referralId))[0] ?? {};
const balanceOf = async ({ id }: Merging) => (await app.get(`/wallet?customer_id=${id}`)).body.balances.CREDITS ?? 0;
const settle = () => settleRewards(app.deps);

describe('a merge of who brought and who was brought', () => {
  it('cancels what neither was granted yet, tells it, and shows it before', async () => {
    await putProgram({ referee: { sku: 'GIFT' }, hold_days: 3 });
    const [target, source] = await newMergePair(app);
    const referral = await refer(target, source);
    const orderId = await pay(source);
    const armed = await rewardsOf(referral);
    const lost = armed.map(({ id, customer_id }) => ({
      reward_id: id,
      referral_id: referral,
      customer_id,
      program_key: 'friends',
      reason: 'customers_merged',
    }));
    expect(lost).toHaveLength(2);
    const written = await writtenBy(app, async () => {
      const tried = await mergePair(app, target, source, { dry_run: true });
      expect(lostBy(tried.body)).toEqual(lost.sort(byId));
    });
    expect(written).toEqual({});
    expect(lostBy(await merge(target, source))).toEqual(lost.sort(byId));
    for (const reward of await rewardsOf(referral))
      expect(reward).toMatchObject({ status: 'cancelled', cancel_reason: 'customers_merged' });
    await untilTold(app);
    const { body } = await app.get(`/events?customer_id=${target.id}&type=referral.reward_cancelled`);
    expect(body.data).toHaveLength(2);
    app.clock.advance({ days: 4 });
    expect(await settle()).toBe(0);
    // What the order loses and gets back earns nothing any more.
    await refund(orderId, { refund_id: `re_${orderId}` });
    await refund(orderId, { refund_id: `re_${orderId}`, status: 'failed' });
    expect(await rewardsOf(referral)).toHaveLength(2);
    expect(await balanceOf(target)).toBe(100);
  });

  it('cancels one that is held, whichever side is the target; and leaves those of others', async () => {
    await putProgram();
    const [referee, referrer] = await newMergePair(app);
    const [other] = await newMergePair(app);
    const [held, kept] = [await refer(referrer, referee), await refer(referrer, other)];
    for (const who of [referrer, referee]) await pay(who, { payment_fingerprint: 'one-card' });
    await putProgram({ hold_days: 1 });
    await pay(other);
    expect(await rewardOf(held)).toMatchObject({ status: 'held' });
    expect(lostBy(await merge(referee, referrer))).toMatchObject([{ referral_id: held }]);
    expect(await rewardOf(held)).toMatchObject({ status: 'cancelled', cancel_reason: 'customers_merged' });
    const refused = await app.post(`/referrals/rewards/${(await rewardOf(held)).id}/release`, {});
    expectProblem(refused, 409, 'reward_not_held', 'path/id');
    app.clock.advance({ days: 1 });
    expect(await settle()).toBe(1);
    expect(await rewardOf(kept)).toMatchObject({ status: 'granted', customer_id: referrer.id });
    expect(await balanceOf(referee)).toBe(210);
  });

  it('cancels what is between those who were merged into them before', async () => {
    await putProgram({ hold_days: 1 });
    const [a, b] = await newMergePair(app);
    const [c, d] = await newMergePair(app);
    const referral = await refer(a, c);
    await pay(c);
    await merge(b, a);
    await merge(d, c);
    expect(lostBy(await merge(d, b))).toMatchObject([{ referral_id: referral, customer_id: a.id }]);
    expect(await rewardOf(referral)).toMatchObject({ status: 'cancelled' });
  });

  it('arms nothing again that a refund cancelled before it', async () => {
    await putProgram({ hold_days: 1 });
    const [target, source] = await newMergePair(app);
    const referral = await refer(target, source);
    const orderId = await pay(source);
    await refund(orderId, { refund_id: `re_${orderId}` });
    await merge(target, source);
    await refund(orderId, { refund_id: `re_${orderId}`, status: 'failed' });
    expect(await rewardsOf(referral)).toMatchObject([{ status: 'cancelled', cancel_reason: 'order_refunded' }]);
  });
});

describe('a reward of a customer that was merged', () => {
  it('is granted to whom he leads to, when it is due', async () => {
    await putProgram({ hold_days: 1 });
    const [target, referrer] = await newMergePair(app);
    const [referee] = await newMergePair(app);
    const referral = await refer(referrer, referee);
    await pay(referee);
    await merge(target, referrer);
    app.clock.advance({ days: 1 });
    expect(await settle()).toBe(1);
    expect(await rewardOf(referral)).toMatchObject({ status: 'granted', customer_id: referrer.id });
    expect(await balanceOf(target)).toBe(10);
    const listed = await app.get(`/referrals/rewards?customer_id=${target.id}`);
    expect(listed.body.data).toMatchObject([{ referral_id: referral }]);
  });

  it('is released or refused by its id, and held for nothing twice', async () => {
    await putProgram();
    const [target, referrer] = await newMergePair(app);
    const [one, two] = await newMergePair(app);
    const referrals = [await refer(referrer, one), await refer(referrer, two)] as const;
    for (const who of [referrer, one, two]) await pay(who, { payment_fingerprint: 'a-card' });
    await merge(target, referrer);
    const [first, second] = await Promise.all(referrals.map(rewardOf));
    expect((await app.post(`/referrals/rewards/${first?.id}/release`, {})).status).toBe(200);
    const refused = await app.post(`/referrals/rewards/${second?.id}/refuse`, { reason: 'one household' });
    expect(refused.body).toMatchObject({ status: 'refused' });
    expect(await rewardOf(referrals[0])).toMatchObject({ status: 'granted' });
    expect(await balanceOf(target)).toBe(110);
    await untilTold(app);
  });

  it('is taken back where its units went on: through two merges, with what is held meanwhile', async () => {
    await putProgram();
    const [a, b] = await newMergePair(app);
    const [c, referee] = await newMergePair(app);
    const referral = await refer(a, referee);
    const orderId = await pay(referee);
    const hold = async ({ id }: Merging, amount: number) =>
      (await app.post('/reservations', { customer_id: id, product_key: 'CREDITS', amount, ttl_seconds: 86_400 })).body
        .id;
    const holds = [await hold(a, 1)];
    await merge(b, a);
    holds.push(await hold(b, 2));
    await merge(c, b);
    holds.push(await hold(c, 3));
    expect(await balanceOf(c)).toBe(4);
    await refund(orderId);
    expect(await rewardOf(referral)).toMatchObject({ status: 'clawed_back' });
    expect(await balanceOf(c)).toBe(0);
    app.clock.advance({ seconds: 1 });
    for (const id of holds) expect((await app.post(`/reservations/${id}/release`)).status).toBe(200);
    expect(await balanceOf(c)).toBe(0);
    const { body } = await app.get(`/wallet/batches?customer_id=${c.id}`);
    expect(body.data.filter(({ source }: Json) => source === 'bonus').map(({ revoked }: Json) => revoked)).toContain(4);
  });

  it('is taken back as access, and what follows it moves forward', async () => {
    await putProgram({ referrer: { sku: 'WEEK' } });
    const [target, referrer] = await newMergePair(app);
    const [referee] = await newMergePair(app);
    await refer(referrer, referee);
    const orderId = await pay(referee);
    app.clock.advance({ days: 1 });
    await merge(target, referrer);
    const until = async () => (await app.get(`/wallet?customer_id=${target.id}`)).body.access.ACCESS?.until;
    const first = new Date(await until()).getTime();
    await app.post('/grants', { customer_id: target.id, grant_type: 'bonus', sku: 'WEEK' });
    expect(new Date(await until()).getTime() - first).toBe(7 * 86_400_000);
    app.clock.advance({ days: 2 });
    await refund(orderId);
    expect(new Date(await until()).getTime()).toBe(app.clock.now().getTime() + 7 * 86_400_000);
  });

  it('that was granted in the ledger of who was merged is taken back at once, as much as is left', async () => {
    await putProgram({ hold_days: 1 });
    const [target, referrer] = await newMergePair(app);
    const [referee] = await newMergePair(app);
    const referral = await refer(referrer, referee);
    const orderId = await pay(referee);
    await merge(target, referrer);
    app.clock.advance({ days: 1 });
    await settle();
    await app.post('/quota/consume', { customer_id: target.id, product_key: 'CREDITS', amount: 4 });
    await refund(orderId);
    expect(await rewardOf(referral)).toMatchObject({ status: 'clawed_back' });
    expect(await balanceOf(target)).toBe(0);
  });
});

describe('a family', () => {
  it('has one cap', async () => {
    await putProgram({ hold_days: 1, max_rewards_per_referrer: 2 });
    const [target, source] = await newMergePair(app);
    const referrals: string[] = [];
    for (const referrer of [target, source, source]) {
      const [referee] = await newMergePair(app);
      referrals.push(await refer(referrer, referee));
      await pay(referee);
    }
    await merge(target, source);
    app.clock.advance({ days: 1 });
    expect(await settle()).toBe(3);
    const statuses = (await Promise.all(referrals.map(rewardOf))).map(({ status }) => status).sort();
    expect(statuses).toEqual(['cancelled', 'granted', 'granted']);
    expect(await balanceOf(target)).toBe(20);
  });

  it('has the places of an offer in common, in whichever ledger a reward is granted', async () => {
    await putProgram({ referrer: { sku: 'RARE' }, hold_days: 1 });
    const [target, source] = await newMergePair(app);
    const [referee] = await newMergePair(app);
    const referral = await refer(source, referee);
    await pay(referee);
    await app.post('/grants', { customer_id: target.id, grant_type: 'bonus', sku: 'RARE' });
    await merge(target, source);
    app.clock.advance({ days: 1 });
    await settle();
    expect(await rewardOf(referral)).toMatchObject({ status: 'held', hold_reason: 'offer_limit_reached' });
  });

  it('has paid before when one of it has', async () => {
    await putProgram();
    const [target, source] = await newMergePair(app);
    const [referrer] = await newMergePair(app);
    const referral = await refer(referrer, target);
    await pay(source);
    await merge(target, source);
    await pay(target);
    expect(await rewardsOf(referral)).toEqual([]);
  });

  it('earns what a member was promised, by the order of another, which also takes it back', async () => {
    await putProgram({ referee: { sku: 'GIFT' } });
    const [target, source] = await newMergePair(app);
    const [referrer] = await newMergePair(app);
    const referral = await refer(referrer, source);
    await merge(target, source);
    const orderId = await pay(target);
    expect(await rewardsOf(referral)).toHaveLength(2);
    for (const reward of await rewardsOf(referral))
      expect(reward).toMatchObject({ status: 'granted', order_id: orderId });
    expect(await balanceOf(target)).toBe(110);
    await refund(orderId);
    for (const reward of await rewardsOf(referral)) expect(reward).toMatchObject({ status: 'clawed_back' });
    expect(await balanceOf(target)).toBe(0);
    await untilTold(app);
  });

  it('holds and cancels a reward by what becomes of the order of another member', async () => {
    await putProgram({ hold_days: 9 });
    const [target, source] = await newMergePair(app);
    const [referrer] = await newMergePair(app);
    const referral = await refer(referrer, source);
    await merge(target, source);
    const orderId = await pay(target);
    const dispute = (status: string) => app.post(`/orders/${orderId}/dispute`, { dispute_id: `dp_${orderId}`, status });
    expect((await dispute('opened')).status).toBe(200);
    expect(await rewardOf(referral)).toMatchObject({ status: 'held', hold_reason: 'dispute' });
    expect((await dispute('lost')).status).toBe(200);
    expect(await rewardOf(referral)).toMatchObject({ status: 'cancelled', cancel_reason: 'dispute_lost' });
    await untilTold(app);
    const { body } = await app.get(`/events?customer_id=${target.id}&type=referral.reward_cancelled`);
    expect(body.data).toHaveLength(1);
  });

  it('earns an order of the source that is paid after the merge', async () => {
    await putProgram();
    const [target, source] = await newMergePair(app);
    const [referrer] = await newMergePair(app);
    const referral = await refer(referrer, target);
    const orderId = await place(source);
    await merge(target, source);
    await confirm(orderId);
    expect(await rewardsOf(referral)).toMatchObject([{ status: 'granted', order_id: orderId }]);
    await refund(orderId);
    expect(await rewardsOf(referral)).toMatchObject([{ status: 'clawed_back' }]);
  });

  it('earns nothing by a referral that its merge left out', async () => {
    await putProgram();
    const [target, source] = await newMergePair(app);
    const [first, second] = await newMergePair(app);
    const [kept, dropped] = [await refer(first, target), await refer(second, source)];
    const orderId = await place(source);
    await merge(target, source);
    await confirm(orderId);
    expect(await rewardsOf(dropped)).toEqual([]);
    expect(await rewardsOf(kept)).toHaveLength(1);
  });

  it.each(['a payment', 'a trial'])('shares its signals, of %s', async (what) => {
    await putProgram();
    const [target, source] = await newMergePair(app);
    const [referee] = await newMergePair(app);
    const referral = await refer(target, referee);
    const value = `of-${referral}`;
    if (what === 'a payment') await pay(source, { payment_fingerprint: value });
    else {
      const tried = (who: Merging, sku: string) =>
        app.post('/grants', { customer_id: who.id, grant_type: 'trial', sku, identities: { device: value } });
      expect((await tried(source, 'TRY_A')).status).toBe(201);
      expect((await tried(referee, 'TRY_B')).status).toBe(201);
    }
    await merge(target, source);
    await pay(referee, what === 'a payment' ? { payment_fingerprint: value } : {});
    expect(await rewardOf(referral)).toMatchObject({ status: 'held', hold_reason: 'shared_signal' });
  });
});
