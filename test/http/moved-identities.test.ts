// A retry after the identity moved: the record of what was done for whoever had it before answers, so that nobody pays twice (DOMAIN 3.6).
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { balanceOf, customerIdOf } from '../support/parallel.js';
import { expectProblem, newPerson } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putOffer(app, 'PACK', 'CREDITS', 10);
});

type Sent = Awaited<ReturnType<typeof app.post>>;

const KEY = { 'idempotency-key': 'k' };

/** Moves an identity from its customer to another one, who has 50 units; his id. */
async function move(external_id: string, provider = 'default'): Promise<string> {
  const [known, other] = [await app.post('/identify', { provider, external_id }), newPerson()];
  await grantUnits(app, other, 'CREDITS', 50);
  const to = await customerIdOf(app, other);
  await unlink(known.body.customer_id, external_id, provider);
  expect((await app.post(`/customers/${to}/identities`, { provider, external_id })).status).toBe(201);
  return to;
}

async function unlink(customerId: string, externalId: string, provider = 'default'): Promise<void> {
  const answer = await app.delete(`/customers/${customerId}/identities/${provider}/${encodeURIComponent(externalId)}`);
  expect(answer.status).toBe(204);
}

function expectReplay(again: Sent, first: Sent): void {
  expect([again.text, again.headers['idempotent-replayed']]).toEqual([first.text, 'true']);
}

const writes: Record<string, (external_id: string) => [path: string, body: Json]> = {
  'a consume': (external_id) => ['/quota/consume', { external_id, product_key: 'CREDITS', amount: 7 }],
  'a reserve': (external_id) => ['/reservations', { external_id, product_key: 'CREDITS', amount: 7 }],
  'a deduction': (external_id) => ['/credits/deduct', { external_id, product_key: 'CREDITS', amount: 7 }],
  'an addition': (external_id) => ['/credits/add', { external_id, product_key: 'CREDITS', amount: 7 }],
  'a grant': (external_id) => ['/grants', { external_id, grant_type: 'bonus', product_key: 'CREDITS', quantity: 7 }],
  'an order': (external_id) => ['/orders', { external_id, items: [{ sku: 'PACK' }] }],
  'a call to identify': (external_id) => ['/identify', { external_id, profile: { name: 'Ada' } }],
};

describe.each(Object.entries(writes))('%s that is sent again with its key', (_name, writeOf) => {
  const setUp = async () => {
    const person = newPerson();
    await grantUnits(app, person, 'CREDITS', 20);
    const [path, body] = writeOf(person);
    const first = await app.post(path, body, KEY);
    expect(first.status, first.text).toBeLessThan(300);
    return { person, path, body, first };
  };

  it('is replayed after the identity moved to another customer', async () => {
    const { person, path, body, first } = await setUp();
    await move(person);
    expectReplay(await app.post(path, body, KEY), first);
    expect(await balanceOf(app, person, 'CREDITS')).toBe(50);
  });

  it('is replayed after the identity was unlinked', async () => {
    const { person, path, body, first } = await setUp();
    await unlink(await customerIdOf(app, person), person);
    expectReplay(await app.post(path, body, KEY), first);
  });

  it('is replayed after it moved twice', async () => {
    const { person, path, body, first } = await setUp();
    await move(person);
    await move(person);
    expectReplay(await app.post(path, body, KEY), first);
    expect(await balanceOf(app, person, 'CREDITS')).toBe(50);
  });
});

describe('a key of whoever had the identity before', () => {
  const consume = (external_id: string, amount: number, provider = 'default') =>
    app.post('/quota/consume', { provider, external_id, product_key: 'CREDITS', amount }, KEY);

  it('is refused for another request', async () => {
    const person = newPerson();
    await grantUnits(app, person, 'CREDITS', 20);
    await consume(person, 7);
    await move(person);
    expectProblem(await consume(person, 8), 422, 'idempotency_key_reused', '/idempotency_key');
    expect(await balanceOf(app, person, 'CREDITS')).toBe(50);
  });

  it('yields to the same request of the customer himself', async () => {
    const person = newPerson();
    await grantUnits(app, person, 'CREDITS', 20);
    await consume(person, 7);
    const to = await move(person);
    const own = await app.post('/quota/consume', { customer_id: to, product_key: 'CREDITS', amount: 8 }, KEY);
    expect(own.status).toBe(200);
    expectReplay(await consume(person, 8), own);
    expect(await balanceOf(app, person, 'CREDITS')).toBe(42);
  });

  it('is found by another spelling of the identity', async () => {
    const address = `${newPerson()}@example.org`;
    const shouted = address.toUpperCase();
    await app.post('/grants', {
      provider: 'email',
      external_id: address,
      grant_type: 'bonus',
      product_key: 'CREDITS',
      quantity: 20,
    });
    const first = await consume(shouted, 7, 'email');
    await move(address, 'email');
    expectReplay(await consume(shouted, 7, 'email'), first);
  });

  it('counts for the items of a bulk call', async () => {
    const person = newPerson();
    await grantUnits(app, person, 'CREDITS', 20);
    const item = { external_id: person, product_key: 'CREDITS', amount: 7, idempotency_key: 'k' };
    for (const mode of ['continue', 'atomic']) {
      await app.post('/quota/consume/batch', { items: [item], mode });
      await move(person);
    }
    await app.post('/quota/consume/batch', { items: [item] });
    expect(await balanceOf(app, person, 'CREDITS')).toBe(50);
  });

  it('does not count for who names the customer by his id', async () => {
    const person = newPerson();
    await grantUnits(app, person, 'CREDITS', 20);
    await consume(person, 7);
    const customer_id = await move(person);
    const own = await app.post('/quota/consume', { customer_id, product_key: 'CREDITS', amount: 7 }, KEY);
    expect([own.status, own.headers['idempotent-replayed']]).toEqual([200, undefined]);
  });
});
