// Ids of the caller's systems that are numbers there: their digits, wherever an id of theirs is taken.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPerson, placeOrder, writtenBy } from '../support/requests.js';

const app = useTestApp();
const UNKNOWN_ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 1);
});

const consumed = async (external_id: string) =>
  (await app.get(`/wallet/entries?external_id=${external_id}&kind=consume`)).body.data;

describe('an id that is a number', () => {
  it('is its digits as an action_id, and the same request', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10);
    const consume = { external_id, product_key: 'CREDITS', idempotency_key: 'row-17' };
    const first = await app.post('/quota/consume', { ...consume, action_id: 17 });
    const again = await app.post('/quota/consume', { ...consume, action_id: '17' });
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([first.text, 'true']);
    expect(await consumed(external_id)).toMatchObject([{ action_id: '17' }]);
    const item = { external_id, product_key: 'CREDITS', action_id: 0, idempotency_key: 'row-0' };
    const batch = await app.post('/quota/consume/batch', { items: [item] });
    expect(batch.body.results).toMatchObject([{ allowed: true }]);
    expect(await consumed(external_id)).toMatchObject([{ action_id: '0' }, { action_id: '17' }]);
    const reserved = await app.post('/reservations', { external_id, product_key: 'CREDITS', action_id: -5 });
    expect(reserved.status).toBe(201);
    const holds = await app.get(`/wallet/entries?external_id=${external_id}&kind=hold`);
    expect(holds.body.data).toMatchObject([{ action_id: '-5' }]);
  });

  it('is its digits as a payment_id', async () => {
    const external_id = newPerson();
    const { id } = await placeOrder(app, external_id, 'PACK');
    const paid = await app.post(`/orders/${id}/confirm`, { payment_id: 4711 });
    expect(paid.body).toMatchObject({ status: 'paid', payment_id: '4711' });
    const again = await app.post(`/orders/${id}/confirm`, { payment_id: '4711' });
    expect(again.text).toBe(paid.text);
  });

  it('is its digits as a source_id', async () => {
    const migration = { external_id: newPerson(), grant_type: 'migration', product_key: 'CREDITS', quantity: 3 };
    const first = await app.post('/grants', { ...migration, source_id: 17 });
    expect(first.status).toBe(201);
    expect((await app.post('/grants', { ...migration, source_id: '17' })).text).toBe(first.text);
  });

  it.each<[string, unknown, RegExp]>([
    ['would be rounded', 2 ** 53, /send it as a string/],
    ['has a fraction', 1.5, /must be a string or a whole number/],
    ['is none', true, /must be a string or a whole number/],
    ['is a list', ['17'], /must be a string or a whole number/],
    ['is empty', ' ', /must have at least 1 character/],
    ['is too long', '1'.repeat(256), /must have at most 255 characters/],
  ])('is refused when it %s', async (_case, id, message) => {
    const refused = async (path: string, body: Json, pointer: string) => {
      const answer = await app.post(path, body);
      expectProblem(answer, 400, 'invalid_request', pointer);
      expect(answer.body.errors[0].message).toMatch(message);
    };
    const written = await writtenBy(app, async () => {
      const external_id = newPerson();
      const use = { external_id, product_key: 'CREDITS', action_id: id };
      await refused('/quota/consume', use, '/action_id');
      await refused('/quota/consume/batch', { items: [use] }, '/items/0/action_id');
      await refused('/reservations', use, '/action_id');
      await refused(`/orders/${UNKNOWN_ID}/confirm`, { payment_id: id }, '/payment_id');
      const migration = { external_id, grant_type: 'migration', product_key: 'CREDITS', source_id: id };
      await refused('/grants', migration, '/source_id');
    });
    expect(written).toEqual({});
  });
});
