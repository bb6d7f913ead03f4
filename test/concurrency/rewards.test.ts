// Rewards at once: one of a referral and side, granted once, within its cap, and never beside what cancels it.

import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../src/deps.js';
import { settleRewards } from '../../src/engine/rewards.js';
import { propertyRun } from '../property/seeds.js';
import { type Json, putOffer, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { mergePair } from '../support/merging.js';
import { customerIdOf, send, sendTogether, tally, useSecondApp } from '../support/parallel.js';
import { newPayment, newPerson } from '../support/requests.js';

const RUNS = 12;
const TIMEOUT_MS = 120_000;
const { parameters, timeout } = propertyRun(RUNS, TIMEOUT_MS);
const app = useTestApp();
const second = useSecondApp(app);
const ROUNDS = 4;
const clientOf = (index: number) => (index % 2 ? app : second);

/** Of another process. */
let other: { deps: Deps; close(): Promise<void> } | undefined;

beforeAll(async () => {
  other = await startTestApp(app.url, app.clock);
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '10.00' });
  await putOffer(app, 'GIFT', 'CREDITS', 10, { price: '0.00' });
});
afterAll(() => other?.close());

const putProgram = (more: Json = {}) =>
  app.put('/referral-programs/friends', { trigger: 'on_first_paid_order', referrer: { sku: 'GIFT' }, ...more });
beforeEach(() => putProgram({ hold_days: 1 }));

async function refer(referrer = newPerson(), referee = newPerson()) {
  await Promise.all([referrer, referee].map((person) => customerIdOf(app, person)));
  const pair = { provider: 'default', referrer_external_id: referrer, referee_external_id: referee };
  const { body } = await app.post('/referrals', pair);
  return { referrer, referee, referralId: String(body.referral_id) };
}

async function place(person: string): Promise<string> {
  return (await app.post('/orders', { external_id: person, items: [{ sku: 'PACK' }] })).body.id;
}

const confirm = (index: number, id: string | undefined) =>
  clientOf(index).post(`/orders/${id}/confirm`, { payment_id: newPayment() });
const rewardsOf = async (referralId: string): Promise<Json[]> =>
  (await app.get(`/referrals/rewards?referral_id=${referralId}`)).body.data;
const balanceOf = async (person: string) => (await app.get(`/wallet?external_id=${person}`)).body.balances.CREDITS ?? 0;
/** What the job does, in two processes at once; again until both find nothing, because a customer who is busy is passed over. */
async function settleTwice(): Promise<void> {
  const both = [app.deps, other?.deps ?? app.deps];
  for (let count = 1; count > 0; ) {
    const done = await Promise.all(both.map((deps) => settleRewards(deps)));
    count = done.reduce((sum, own) => sum + own, 0);
  }
}

describe('20 times at once', () => {
  it('first orders that are paid earn one reward', async () => {
    const { referee, referralId } = await refer();
    const orders = await Promise.all(Array.from({ length: 20 }, () => place(referee)));
    const answers = await sendTogether(20, (index) => confirm(index, orders[index]));
    expect(tally(answers)).toEqual({ '200': 20 });
    expect(await rewardsOf(referralId)).toHaveLength(1);
  });

  it('attaching earns one', async () => {
    await putProgram({ trigger: 'on_attach' });
    const [referrer, referee] = [newPerson(), newPerson()];
    await Promise.all([referrer, referee].map((person) => customerIdOf(app, person)));
    const pair = { provider: 'default', referrer_external_id: referrer, referee_external_id: referee };
    const answers = await sendTogether(20, (index) => clientOf(index).post('/referrals', pair));
    expect(tally(answers)).toEqual({ '200': 19, '201': 1 });
    await settleTwice();
    expect(await balanceOf(referrer)).toBe(10);
  });

  it('a reward that is held is released or refused once', async () => {
    const { referrer, referee, referralId } = await refer();
    for (const person of [referrer, referee]) {
      const id = await place(person);
      await app.post(`/orders/${id}/confirm`, { payment_id: newPayment(), payment_fingerprint: referralId });
    }
    const [{ id } = {}] = await rewardsOf(referralId);
    const answers = await sendTogether(20, (index) =>
      clientOf(index >> 1).post(`/referrals/rewards/${id}/${index % 2 ? 'release' : 'refuse'}`, { reason: 'asked' }),
    );
    expect(tally(answers)).toEqual({ '200': 1, '409 reward_not_held': 19 });
  });
});

describe('at its time', () => {
  it('a reward is granted once by two processes', async () => {
    const pairs = await Promise.all(Array.from({ length: 10 }, () => refer()));
    for (const { referee } of pairs) await confirm(0, await place(referee));
    app.clock.advance({ days: 1 });
    await settleTwice();
    expect(await Promise.all(pairs.map(({ referrer }) => balanceOf(referrer)))).toEqual(pairs.map(() => 10));
  });

  it('a refund cancels it or takes it back, whoever is first', async () => {
    const pairs = await Promise.all(Array.from({ length: 12 }, () => refer()));
    const orders: string[] = [];
    for (const { referee } of pairs) {
      const id = await place(referee);
      await confirm(0, id);
      orders.push(id);
    }
    app.clock.advance({ days: 1 });
    const [answers] = await Promise.all([
      sendTogether(12, (index) => clientOf(index).post(`/orders/${orders[index]}/refund`, {})),
      settleTwice(),
    ]);
    expect(tally(answers)).toEqual({ '200': 12 });
    await settleTwice();
    for (const { referrer, referralId } of pairs) {
      expect(['cancelled', 'clawed_back']).toContain((await rewardsOf(referralId))[0]?.status);
      expect(await balanceOf(referrer)).toBe(0);
    }
  });
});

describe('beside a merge', () => {
  it('of both sides a reward is granted before it, or cancelled by it', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { referrer, referee, referralId } = await refer();
      await confirm(0, await place(referee));
      app.clock.advance({ days: 1 });
      const ids = await Promise.all([referrer, referee].map((person) => customerIdOf(app, person)));
      const [target, source] = (round % 2 ? ids.toReversed() : ids).map((id) => ({ id }));
      const [merged] = await Promise.all([
        send(mergePair(second, target as { id: string }, source as { id: string })),
        settleTwice(),
      ]);
      expect(merged.status, merged.text).toBe(200);
      await settleTwice();
      const [{ status } = {}] = await rewardsOf(referralId);
      expect(['granted', 'cancelled']).toContain(status);
      expect(await balanceOf(referee)).toBe(status === 'granted' ? 110 : 100);
    }
  });

  it('of both sides nothing is armed by an order that is paid at the same time, unless it is cancelled', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { referrer, referee, referralId } = await refer();
      const orderId = await place(referee);
      const [target, source] = await Promise.all([referrer, referee].map((person) => customerIdOf(app, person)));
      const [merged, paid] = await Promise.all([
        send(mergePair(second, { id: String(target) }, { id: String(source) })),
        send(confirm(0, orderId)),
      ]);
      expect([merged.status, paid.status]).toEqual([200, 200]);
      app.clock.advance({ days: 1 });
      await settleTwice();
      expect((await rewardsOf(referralId)).filter(({ status }) => status !== 'cancelled')).toEqual([]);
      expect(await balanceOf(referrer)).toBe(100);
    }
  });

  it('of the referrer all that is due is granted to whom he leads to, or taken back of him, within the cap of both', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      await putProgram({ hold_days: 1, max_rewards_per_referrer: 3 });
      const [target, source] = [newPerson(), newPerson()];
      const pairs = [await refer(target), await refer(target), await refer(source), await refer(source)];
      const orders: string[] = [];
      for (const { referee } of pairs) {
        const id = await place(referee);
        await confirm(0, id);
        orders.push(id);
      }
      app.clock.advance({ days: 1 });
      const [targetId, sourceId] = await Promise.all([target, source].map((person) => customerIdOf(app, person)));
      const [merged, refunded] = await Promise.all([
        send(mergePair(second, { id: String(targetId) }, { id: String(sourceId) })),
        send(app.post(`/orders/${orders[3]}/refund`, {})),
        settleTwice(),
      ]);
      expect([merged.status, refunded.status]).toEqual([200, 200]);
      await settleTwice();
      const rewards = (await Promise.all(pairs.map(({ referralId }) => rewardsOf(referralId)))).flat();
      const granted = rewards.filter(({ status }) => status === 'granted').length;
      const clawedBack = rewards.filter(({ status }) => status === 'clawed_back').length;
      // Both may have been granted all of theirs before; never more of what came after.
      expect(granted + clawedBack).toBeGreaterThanOrEqual(3);
      expect(rewards.filter(({ status }) => status === 'armed' || status === 'clawing_back')).toEqual([]);
      expect(await balanceOf(target)).toBe(10 * granted);
    }
  });
});

it(
  'no cap is exceeded, whatever happens at once',
  () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.constantFrom('pay', 'refund', 'dispute', 'use'), { minLength: 2, maxLength: 6 }),
        async (cap, fates) => {
          await putProgram({ max_rewards_per_referrer: cap });
          const referrer = newPerson();
          const pairs = await Promise.all(fates.map(() => refer(referrer)));
          const orders = await Promise.all(pairs.map(({ referee }) => place(referee)));
          await Promise.all(
            fates.map(async (fate, index) => {
              await send(confirm(index, orders[index]));
              const client = clientOf(index + 1);
              if (fate === 'refund') await client.post(`/orders/${orders[index]}/refund`, {});
              if (fate === 'dispute')
                await client.post(`/orders/${orders[index]}/dispute`, { dispute_id: orders[index], status: 'lost' });
              if (fate === 'use')
                await client.post('/quota/consume', { external_id: referrer, product_key: 'CREDITS', amount: 3 });
            }),
          );
          await settleTwice();
          const rewards = (await Promise.all(pairs.map(({ referralId }) => rewardsOf(referralId)))).flat();
          const granted = rewards.filter(({ granted_at }) => granted_at !== null);
          expect(granted.length).toBeLessThanOrEqual(cap);
          const kept = fates.filter((fate) => fate === 'pay' || fate === 'use').length;
          if (kept === fates.length) expect(granted).toHaveLength(Math.min(cap, kept));
          expect(rewards.filter(({ status }) => status === 'armed' || status === 'clawing_back')).toEqual([]);
        },
      ),
      parameters,
    ),
  timeout,
);
