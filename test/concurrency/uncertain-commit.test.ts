// A connection that is lost around a COMMIT: nobody knows what became of it until the operation's id is looked for under the lock
// (DOMAIN 3.0). What was asked happens once, the answer is true, and the same key gets the same bytes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { gateCommits } from '../support/commit-faults.js';
import { type Cut, type CuttingProxy, openCuttingProxy } from '../support/cutting-proxy.js';
import { balanceOf, type Client, placeOrder, send, untilWaiting } from '../support/parallel.js';
import { clientOf } from '../support/shared-transactions.js';

const BATCH = '/quota/consume/batch';
const MODES = ['continue', 'atomic'] as const;
const CUTS: readonly Cut[] = ['before the commit', 'during the commit', 'after the commit'];

const app = useTestApp();
let proxy: CuttingProxy;
let cutOff: Awaited<ReturnType<typeof startTestApp>>;
/** Of an app whose connections can be cut. */
let client: Client;

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putOffer(app, 'PACK', 'CREDITS', 10);
  proxy = await openCuttingProxy(app.url);
  cutOff = await startTestApp(proxy.url, app.clock);
  client = clientOf(cutOff.app);
});
afterAll(async () => {
  await cutOff.close();
  proxy.close();
});

const KEY = { 'idempotency-key': 'k' };
const units = (externalId: string, amount: number) => ({ external_id: externalId, product_key: 'CREDITS', amount });
const nameOf = (...parts: string[]) => parts.join('-').replaceAll(/[^a-z]+/g, '-');

async function succeed(path: string, body: object): Promise<Json> {
  const answer = await app.post(path, body);
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.body;
}

const holdFour = async (person: string) => (await succeed('/reservations', units(person, 4))).id as string;

interface Case {
  /** Of somebody with 10 units. */
  prepare(person: string): Promise<{ path: string; body: object }>;
  /** What he has afterwards, whatever happened. */
  balance: number;
  held: number;
}

const cases: Record<string, Case> = {
  'a consume': {
    prepare: async (person) => ({ path: '/quota/consume', body: units(person, 3) }),
    balance: 7,
    held: 0,
  },
  'a reserve': {
    prepare: async (person) => ({ path: '/reservations', body: units(person, 3) }),
    balance: 7,
    held: 3,
  },
  'a commit': {
    prepare: async (person) => ({ path: `/reservations/${await holdFour(person)}/commit`, body: { amount: 3 } }),
    balance: 7,
    held: 0,
  },
  'a release': {
    prepare: async (person) => ({ path: `/reservations/${await holdFour(person)}/release`, body: {} }),
    balance: 10,
    held: 0,
  },
  'an extend': {
    prepare: async (person) => ({
      path: `/reservations/${await holdFour(person)}/extend`,
      body: { ttl_seconds: 2_000 },
    }),
    balance: 6,
    held: 4,
  },
  'a give-back': {
    prepare: async (person) => {
      const { operation_id } = await succeed('/quota/consume', units(person, 10));
      return { path: '/quota/release', body: { operation_id, amount: 4 } };
    },
    balance: 4,
    held: 0,
  },
  'an overdraft': {
    prepare: async (person) => ({ path: '/credits/deduct', body: { ...units(person, 13), allow_negative: true } }),
    balance: -3,
    held: 0,
  },
  'an addition': {
    prepare: async (person) => ({ path: '/credits/add', body: units(person, 5) }),
    balance: 15,
    held: 0,
  },
};

async function standingOf(person: string) {
  const { body } = await app.get(`/wallet?external_id=${person}`);
  return { balance: body.balances.CREDITS, held: body.held.CREDITS ?? 0 };
}

describe(`a connection that is lost ${CUTS.join(', ')}`, () => {
  it.each(Object.entries(cases))(
    'leaves %s that is answered, done once, and replayed to the byte',
    async (name, each) => {
      for (const cut of CUTS) {
        const person = nameOf(name, cut);
        await grantUnits(app, person, 'CREDITS', 10);
        const { path, body } = await each.prepare(person);
        proxy.cutNext(cut);
        const answer = await client.post(path, body, KEY);
        expect(proxy.countCut(), cut).toBe(1);
        expect(answer.status, `${cut}: ${answer.text}`).toBeLessThan(300);
        const { balance, held } = each;
        expect(await standingOf(person), cut).toEqual({ balance, held });
        const again = await app.post(path, body, KEY);
        expect([again.text, again.headers['idempotent-replayed']], cut).toEqual([answer.text, 'true']);
        expect(await standingOf(person), cut).toEqual({ balance, held });
      }
    },
  );

  it.each(['a commit', 'a release'])('leaves %s that is done once and replayed without a key', async (name) => {
    for (const cut of CUTS) {
      const person = nameOf('keyless', name, cut);
      await grantUnits(app, person, 'CREDITS', 10);
      const { prepare, balance, held } = cases[name] as Case;
      const { path, body } = await prepare(person);
      proxy.cutNext(cut);
      const answer = await client.post(path, body);
      const again = await app.post(path, body);
      expect([answer.status, again.text], cut).toEqual([200, answer.text]);
      expect(await standingOf(person), cut).toEqual({ balance, held });
    }
  });

  // with a key the items' transaction is the first to commit; what continues is recorded in a second one
  it.each([...MODES.map((mode) => [mode, 1] as const), ['continue', 2] as const])(
    'leaves a batch (%s) that is done once, and its key may be sent again (COMMIT %i)',
    async (mode, nth) => {
      for (const cut of CUTS) {
        const person = nameOf('batch', mode, cut, nth === 1 ? 'items' : 'key');
        for (const name of [person, `${person}-beside`]) await grantUnits(app, name, 'CREDITS', 10);
        const items = [units(person, 1), units(`${person}-beside`, 1), units(person, 2)];
        const call = (by: Client) => by.post(BATCH, { items, mode }, { 'idempotency-key': person });
        proxy.cutNext(cut, nth - 1);
        const answer = await call(client);
        expect(proxy.countCut(), cut).toBe(1);
        if (answer.status !== 200) expect([answer.status, answer.body.code], cut).toEqual([503, 'unavailable']);
        const again = await call(app);
        if (answer.status === 200) expect(again.text, cut).toBe(answer.text);
        expect(
          again.body.results.map(({ allowed }: Json) => allowed),
          cut,
        ).toEqual([true, true, true]);
        expect(await standingOf(person), cut).toEqual({ balance: 7, held: 0 });
        expect(await standingOf(`${person}-beside`), cut).toEqual({ balance: 9, held: 0 });
        const third = await call(app);
        expect([third.text, third.headers['idempotent-replayed']], cut).toEqual([again.text, 'true']);
      }
    },
  );

  it('leaves an atomic batch that is answered and done once without a key', async () => {
    for (const cut of CUTS) {
      const person = nameOf('keyless-batch', cut);
      await grantUnits(app, person, 'CREDITS', 10);
      proxy.cutNext(cut);
      const answer = await client.post(BATCH, { items: [units(person, 1), units(person, 2)], mode: 'atomic' });
      expect(proxy.countCut(), cut).toBe(1);
      expect([answer.status, answer.body.committed], cut).toEqual([200, true]);
      expect(
        answer.body.results.map(({ remaining }: Json) => remaining),
        cut,
      ).toEqual([9, 7]);
      expect(await standingOf(person), cut).toEqual({ balance: 7, held: 0 });
    }
  });

  it('leaves a confirmation that is answered and granted once', async () => {
    for (const cut of CUTS) {
      const person = nameOf('paid', cut);
      const orderId = await placeOrder(app, person, 'PACK');
      proxy.cutNext(cut);
      const answer = await client.post(`/orders/${orderId}/confirm`, { payment_id: person });
      expect(proxy.countCut(), cut).toBe(1);
      expect(await balanceOf(app, person, 'CREDITS'), cut).toBe(10);
      expect([answer.status, answer.body.status], cut).toEqual([200, 'paid']);
    }
  });

  it('leaves a customer who was seen first, with what he was granted once, without a key', async () => {
    for (const cut of CUTS) {
      const person = nameOf('seen-first', cut);
      proxy.cutNext(cut);
      const body = { external_id: person, grant_type: 'bonus', product_key: 'CREDITS', quantity: 10 };
      const answer = await client.post('/grants', body);
      expect(proxy.countCut(), cut).toBe(1);
      expect([answer.status, await balanceOf(app, person, 'CREDITS')], `${cut}: ${answer.text}`).toEqual([201, 10]);
    }
  });

  it('leaves a customer who was identified first, and tells that he was created', async () => {
    for (const cut of CUTS) {
      const person = nameOf('identified', cut);
      proxy.cutNext(cut);
      const answer = await client.post('/identify', { external_id: person });
      expect(proxy.countCut(), cut).toBe(1);
      expect([answer.status, answer.body.created_customer], `${cut}: ${answer.text}`).toEqual([200, true]);
    }
  });

  it('is answered once the first sight has ended whose COMMIT was under way', async () => {
    const gate = await gateCommits(app.url, 'identities');
    proxy.cutNext('during the commit');
    const body = { external_id: 'long-seen', grant_type: 'bonus', product_key: 'CREDITS', quantity: 10 };
    const pending = send(client.post('/grants', body));
    await untilWaiting(app.url, 2); // the COMMIT for the gate, and who asks for it
    await gate.commit();
    const answer = await pending;
    expect([answer.status, await balanceOf(app, 'long-seen', 'CREDITS')], answer.text).toEqual([201, 10]);
  });
});
