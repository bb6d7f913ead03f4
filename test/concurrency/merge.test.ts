// Merges at once with each other and with all that writes to both sides: everybody is answered, nothing is lost or counted twice, and nobody is left waiting.
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sweep } from '../../src/engine/sweep.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { API_TOKEN, grantUnits, putOffer, putProduct, TEST_PEPPER, useTestApp } from '../support/app.js';
import { cleanUpProcesses, startBursar } from '../support/bursar-process.js';
import { type Merging, mergePair, newMergePair } from '../support/merging.js';
import {
  deadlocksOf,
  holdTransaction,
  send,
  sendTogether,
  tally,
  untilWaiting,
  useSecondApp,
} from '../support/parallel.js';
import { newPayment } from '../support/requests.js';

const app = useTestApp();
const second = useSecondApp(app);
const clientOf = (index: number) => (index % 2 ? app : second);
const ROUNDS = 4;

cleanUpProcesses();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '10.00' });
});

const balanceOf = async (id: string) => (await app.get(`/wallet?customer_id=${id}`)).body.balances.CREDITS ?? 0;
const units = (customer_id: string, amount: number) => ({ customer_id, product_key: 'CREDITS', amount });

async function newRichPair(each = 100): Promise<[Merging, Merging]> {
  const [target, source] = await newMergePair(app);
  for (const { name } of [target, source]) await grantUnits(app, name, 'CREDITS', each);
  return [target, source];
}

describe('a merge beside', () => {
  it('12 uses of both sides answers them all, and takes exactly what they used', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [target, source] = await newRichPair();
      const merging = send(mergePair(app, target, source));
      const uses = sendTogether(12, (index) => {
        const who = index % 3 ? source : target;
        const named = index % 4 ? { customer_id: who.id } : { external_id: who.name };
        return clientOf(index).post('/quota/consume', { ...named, product_key: 'CREDITS', amount: 5 });
      });
      expect(tally(await uses)).toEqual({ '200': 12 });
      expect((await merging).status).toBe(200);
      expect(await balanceOf(target.id)).toBe(140);
    }
  });

  it('12 keyed uses that are sent twice takes each once', async () => {
    const [target, source] = await newRichPair();
    const use = (index: number) => {
      const { id } = index % 2 ? source : target;
      return clientOf(index).post('/quota/consume', units(id, 5), { 'idempotency-key': `use-${index}` });
    };
    const [first, , again] = await Promise.all([
      sendTogether(12, use),
      send(mergePair(second, target, source)),
      sendTogether(12, use),
    ]);
    expect(tally([...first, ...again])).toEqual({ '200': 24 });
    for (const [index, { text }] of first.entries()) expect(again[index]?.text).toBe(text);
    expect(await balanceOf(target.id)).toBe(140);
  });

  it('orders, refunds, holds and a sweep leaves a ledger that proves it', async () => {
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
      app.clock.advance({ seconds: 61 });
      const answers = await Promise.all([
        send(mergePair(app, target, source)),
        send(second.post(`/orders/${pending}/confirm`, { payment_id: newPayment() })),
        send(app.post(`/orders/${paid}/refund`, {})),
        send(second.post(`/reservations/${committed}/commit`, { amount: 4 })),
        send(app.post(`/reservations/${released}/release`)),
        send(second.post('/quota/release', { operation_id: used })),
        send(app.post('/quota/consume', units(target.id, 7))),
      ]);
      await sweep(app.deps);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 200]);
      expect(await balanceOf(target.id)).toBe(100 + 100 + 100 - 4 - 7);
    }
  });
});

describe('a merge against a merge', () => {
  it('of A into B while B into C: A and B lead to one, by either order', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [a, b] = await newRichPair();
      const [c] = await newRichPair();
      const [first, other] = await Promise.all([send(mergePair(app, b, a)), send(mergePair(second, c, b))]);
      expect(other.status, other.text).toBe(200);
      expect([200, 409]).toContain(first.status);
      if (first.status === 409) expect(first.body).toMatchObject({ code: 'customer_merged', final_customer_id: c.id });
      expect(await balanceOf(c.id)).toBe(first.status === 200 ? 300 : 200);
      expect(await balanceOf(a.id)).toBe(first.status === 200 ? 300 : 100);
    }
  });

  it('of A into B while B into A: one wins, and the other says whom both lead to', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [a, b] = await newRichPair();
      const answers = await Promise.all([send(mergePair(app, a, b)), send(mergePair(second, b, a))]);
      expect(tally(answers)).toEqual({ '200': 1, '409 customer_merged': 1 });
      const won = answers.find(({ status }) => status === 200)?.body.customer_id;
      expect(answers.find(({ status }) => status === 409)?.body.final_customer_id).toBe(won);
      for (const { id } of [a, b]) expect(await balanceOf(id)).toBe(200);
    }
  });

  it('of the same pair 10 times is one, with the same bytes', async () => {
    const [target, source] = await newRichPair();
    const answers = await sendTogether(10, (index) => mergePair(clientOf(index), target, source));
    expect(tally(answers)).toEqual({ '200': 10 });
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await balanceOf(target.id)).toBe(200);
    expect(await deadlocksOf(app.url)).toBe(0);
  });
});

describe('a process that is killed in the middle of a merge', () => {
  it('leaves nothing of it, and another one merges', async () => {
    const [target, source] = await newRichPair();
    const env = { DATABASE_URL: app.url, BURSAR_API_TOKEN: API_TOKEN, BURSAR_PEPPER: TEST_PEPPER, BURSAR_ROLE: 'api' };
    const process = startBursar(env);
    const url = await process.ready();
    // Its claim is the last that a merge writes: by then all else is written, and nothing committed.
    const held = await holdTransaction(app.url);
    onTestFinished(() => held.rollback().catch(() => undefined));
    await held.query('INSERT INTO customer_merges VALUES ($1, $2, $2, $3, now())', [source.id, target.id, '{}']);
    const cut = fetch(`${url}${BASE_PATH}/customers/merge`, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ target_customer_id: target.id, source_customer_id: source.id }),
    }).catch(() => undefined);
    await untilWaiting(app.url, 1, 'at least');
    process.signal('SIGKILL');
    await process.exited();
    await cut;
    await held.rollback();
    for (const { id } of [target, source]) expect(await balanceOf(id)).toBe(100);
    expect((await mergePair(app, target, source)).status).toBe(200);
    expect(await balanceOf(source.id)).toBe(200);
  });
});
