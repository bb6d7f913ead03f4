// Erasures at once with all that writes of the same family: everybody is answered, what was taken was taken before, and nothing is left behind.
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { blankUnfinished } from '../../src/engine/erasing.js';
import { settleRewards } from '../../src/engine/rewards.js';
import { sweep } from '../../src/engine/sweep.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { API_TOKEN, grantUnits, type Json, TEST_PEPPER, useTestApp } from '../support/app.js';
import { cleanUpProcesses, startBursar } from '../support/bursar-process.js';
import { type Merging, mergePair, newMergePair } from '../support/merging.js';
import {
  ask,
  deadlocksOf,
  holdCustomers,
  holdTransaction,
  send,
  sendTogether,
  tally,
  untilWaiting,
  useSecondApp,
} from '../support/parallel.js';
import { findInTables, newPayment } from '../support/requests.js';
import { makeRichCatalogue, makeRichCustomer, newMark } from '../support/rich-customer.js';

const app = useTestApp();
const second = useSecondApp(app);
const clientOf = (index: number) => (index % 2 ? app : second);
const ROUNDS = 4;

cleanUpProcesses();
beforeAll(() => makeRichCatalogue(app));

const erase = (id: string) => app.delete(`/customers/${id}`);
const units = (customer_id: string, amount: number) => ({ customer_id, product_key: 'CREDITS', amount });
const walletOf = async (id: string) => (await app.get(`/wallet?customer_id=${id}`)).body;
const sumOf = async (ids: string[], column: string) =>
  Number(
    (await ask(app.url, `SELECT sum(${column}) AS n FROM batches WHERE customer_id = ANY ($1::uuid[])`, [ids]))[0]?.n,
  );

async function newRichPair(each = 100): Promise<[Merging, Merging]> {
  const [one, other] = await newMergePair(app);
  for (const { name } of [one, other]) await grantUnits(app, name, 'CREDITS', each);
  return [one, other];
}

async function newFamily(): Promise<[Merging, Merging]> {
  const [target, source] = await newRichPair();
  expect((await mergePair(app, target, source)).status).toBe(200);
  return [target, source];
}

describe('an erasure beside', () => {
  it('12 uses of the family answers them all, and revokes exactly what they left', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [target, source] = await newFamily();
      const erasing = send(erase(target.id));
      const uses = await sendTogether(12, (index) =>
        clientOf(index).post('/quota/consume', units(index % 3 ? source.id : target.id, 5)),
      );
      const erased = await erasing;
      expect(erased.status, erased.text).toBe(200);
      const taken = uses.filter(({ status }) => status === 200).length;
      expect(tally(uses)).toEqual({
        ...(taken > 0 && { '200': taken }),
        ...(taken < 12 && { '409 customer_erased': 12 - taken }),
      });
      expect(await sumOf([target.id, source.id], 'consumed')).toBe(5 * taken);
      expect(erased.body.closed.units.CREDITS ?? 0).toBe(200 - 5 * taken);
      expect(await walletOf(target.id)).toMatchObject({ balances: { CREDITS: 0 } });
    }
  });

  it('uses that name him by an identity: he is a new customer behind it', async () => {
    const [own] = await newRichPair();
    const held = await holdCustomers(app.url, own.id);
    const erasing = send(erase(own.id));
    await untilWaiting(app.url, 1, 'at least');
    const use = { external_id: own.name, product_key: 'CREDITS', amount: 5 };
    const using = sendTogether(12, (index) => clientOf(index).post('/quota/consume', use));
    await held.rollback();
    expect((await erasing).status).toBe(200);
    const uses = await using;
    const taken = uses.filter(({ status }) => status === 200).length;
    expect(tally(uses)).toEqual({
      ...(taken > 0 && { '200': taken }),
      ...(taken < 12 && { '402 insufficient_quota': 12 - taken }),
    });
    expect(await sumOf([own.id], 'consumed')).toBe(5 * taken);
  });

  it('a confirmation, a refund, the endings of holds and a sweep leaves a ledger that proves it', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [target, source] = await newRichPair();
      const place = async () =>
        (await app.post('/orders', { customer_id: source.id, items: [{ sku: 'PACK' }] })).body.id;
      const [pending, paid] = [await place(), await place()];
      await app.post(`/orders/${paid}/confirm`, { payment_id: newPayment() });
      const reserve = async (ttl_seconds = 900) =>
        (await app.post('/reservations', { ...units(source.id, 10), ttl_seconds })).body.id;
      const [committed, released] = [await reserve(), await reserve()];
      await reserve(60);
      const used = (await app.post('/quota/consume', units(source.id, 20))).body.operation_id;
      if (round % 2) await mergePair(app, target, source);
      app.clock.advance({ seconds: 61 });
      const payment_id = newPayment();
      const [erased, confirmed, refunded, ...others] = await Promise.all([
        send(erase(round % 2 ? target.id : source.id)),
        send(second.post(`/orders/${pending}/confirm`, { payment_id })),
        send(app.post(`/orders/${paid}/refund`, {})),
        send(second.post(`/reservations/${committed}/commit`, { amount: 4 })),
        send(app.post(`/reservations/${released}/release`)),
        send(second.post('/quota/release', { operation_id: used })),
        sweep(app.deps).then(() => ({ status: 200, body: {} as Json })),
      ]);
      expect([erased.status, refunded.status]).toEqual([200, 200]);
      const isPaid = confirmed.status === 200;
      if (!isPaid) expect(confirmed.body).toMatchObject({ status: 409, code: 'order_not_payable' });
      const [told] = (await app.get(`/payments?payment_id=${payment_id}`)).body.data;
      expect(told).toMatchObject({ status: isPaid ? 'paid' : 'unmatched' });
      for (const { status, body } of others)
        if (status !== 200) expect(body).toMatchObject({ code: 'customer_erased' });
      for (const id of [source.id, ...(round % 2 ? [target.id] : [])])
        expect(await walletOf(id)).toMatchObject({ balances: { CREDITS: 0 } });
      expect(await sumOf([source.id], 'available + held')).toBe(0);
    }
  });

  it('a merge, of him into another and of another into him: one of both is first, and the other says so', async () => {
    for (let round = 0; round < 2 * ROUNDS; round += 1) {
      const [target, source] = await newRichPair();
      const own = round % 2 ? target : source;
      const [erased, merged] = await Promise.all([send(erase(own.id)), send(mergePair(second, target, source))]);
      if (merged.status === 409) {
        expect(merged.body.code).toBe('customer_erased');
        expect(erased.status, erased.text).toBe(200);
        expect((await walletOf((own === target ? source : target).id)).balances.CREDITS).toBe(100);
      } else {
        expect(merged.status, merged.text).toBe(200);
        if (own === source)
          expect(erased.body).toMatchObject({ code: 'customer_merged', final_customer_id: target.id });
        else expect(erased.body).toMatchObject({ closed: { units: { CREDITS: 200 } } });
      }
    }
  });

  it('another, and more of the same, is one', async () => {
    const [target, source] = await newFamily();
    const answers = await sendTogether(10, (index) => app.delete(`/customers/${index % 2 ? target.id : source.id}`));
    expect(tally(answers)).toEqual({ '200': 5, '409 customer_merged': 5 });
    const bodies = answers.filter(({ status }) => status === 200).map(({ body }) => ({ ...body, blanked_at: null }));
    for (const body of bodies) expect(body).toEqual(bodies[0]);
    expect(
      await ask(app.url, 'SELECT count(*)::int AS n FROM customer_erasures WHERE final_id = $1::uuid', [target.id]),
    ).toEqual([{ n: 2 }]);
    expect(await deadlocksOf(app.url)).toBe(0);
  });

  it('what a referee earns for him: it is cancelled in its time', async () => {
    await app.put('/referral-programs/friends', { trigger: 'on_first_paid_order', referrer: { sku: 'GIFT' } });
    for (let round = 0; round < ROUNDS; round += 1) {
      const [referrer, referee] = await newMergePair(app);
      await app.post('/referrals', { referrer_id: referrer.id, referee_id: referee.id });
      const { body } = await app.post('/orders', { external_id: referee.name, items: [{ sku: 'PACK' }] });
      const [erased, paid] = await Promise.all([
        send(erase(referrer.id)),
        send(second.post(`/orders/${body.id}/confirm`, { payment_id: newPayment() })),
      ]);
      expect([erased.status, paid.status]).toEqual([200, 200]);
      await settleRewards(app.deps);
      const [reward] = (await app.get(`/referrals/rewards?customer_id=${referrer.id}`)).body.data;
      expect(['granted', 'cancelled']).toContain(reward.status);
      expect((await walletOf(referrer.id)).balances.CREDITS ?? 0).toBe(0);
    }
    await app.delete('/referral-programs/friends');
  });
});

describe('a process that is killed', () => {
  const env = () => ({
    DATABASE_URL: app.url,
    BURSAR_API_TOKEN: API_TOKEN,
    BURSAR_PEPPER: TEST_PEPPER,
    BURSAR_ROLE: 'api',
  });
  const request = (url: string, id: string) =>
    fetch(`${url}${BASE_PATH}/customers/${id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${API_TOKEN}` },
    }).catch(() => undefined);

  it('before its first transaction ended leaves nothing of it, and another one erases', async () => {
    const [own] = await newRichPair();
    const process = startBursar(env());
    const url = await process.ready();
    // What it writes last but its events: by then all else is written, and nothing committed.
    const held = await holdTransaction(app.url);
    onTestFinished(() => held.rollback().catch(() => undefined));
    await held.query('LOCK TABLE customer_erasures IN EXCLUSIVE MODE');
    const cut = request(url, own.id);
    await untilWaiting(app.url, 1, 'at least');
    process.signal('SIGKILL');
    await process.exited();
    await cut;
    await held.rollback();
    expect((await walletOf(own.id)).balances.CREDITS).toBe(100);
    expect((await app.get(`/customers/${own.id}`)).body).toMatchObject({ erased_at: null, identities: [{}] });
    expect((await erase(own.id)).body).toMatchObject({ closed: { units: { CREDITS: 100 } } });
  });

  it('while it blanks leaves an erasure that others finish', async () => {
    const mark = newMark();
    const rich = await makeRichCustomer(app, mark);
    const process = startBursar(env());
    const url = await process.ready();
    const held = await holdTransaction(app.url);
    onTestFinished(() => held.rollback().catch(() => undefined));
    // A row that is blanked late, and by nothing else: what comes before is blanked by then.
    await held.query('SELECT FROM archived_records WHERE customer_id = $1::uuid FOR UPDATE', [rich.id]);
    const cut = request(url, rich.id);
    await untilWaiting(app.url, 1, 'at least');
    process.signal('SIGKILL');
    await process.exited();
    await cut;
    await held.rollback();
    expect((await app.get(`/customers/${rich.id}`)).body).toMatchObject({
      erased_at: expect.any(String),
      identities: [],
    });
    expect((await findInTables(app, mark)).length).toBeGreaterThan(0);
    await Promise.all([blankUnfinished(app.deps, () => false), send(erase(rich.id))]);
    expect(await findInTables(app, mark)).toEqual([]);
    expect((await erase(rich.id)).body.blanked_at).toEqual(expect.any(String));
  });
});
