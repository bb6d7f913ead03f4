// A thing that its id names, and a selector beside it: another customer's is not found, like an unknown one, and nothing is changed.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { customerIdOf, placeOrder } from '../support/parallel.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putOffer(app, 'PACK', 'CREDITS', 10);
});

const hold = async (external_id: string): Promise<string> => {
  const answer = await app.post('/reservations', { external_id, product_key: 'CREDITS', amount: 4 });
  return answer.body.id;
};

interface Way {
  path(person: string): Promise<string>;
  body?: Json;
  code: 'order_not_found' | 'reservation_not_found' | 'operation_not_found';
}

const reservation = (ending: string, body: Json = {}): Way => ({
  path: async (person) => `/reservations/${await hold(person)}${ending}`,
  body,
  code: 'reservation_not_found',
});

const ways: Record<string, Way> = {
  'GET /orders/{id}': {
    path: async (person) => `/orders/${await placeOrder(app, person, 'PACK')}`,
    code: 'order_not_found',
  },
  'POST /orders/{id}/confirm': {
    path: async (person) => `/orders/${await placeOrder(app, person, 'PACK')}/confirm`,
    body: { payment_id: 'p' },
    code: 'order_not_found',
  },
  'GET /reservations/{id}': {
    path: async (person) => `/reservations/${await hold(person)}`,
    code: 'reservation_not_found',
  },
  'POST /reservations/{id}/commit': reservation('/commit'),
  'POST /reservations/{id}/release': reservation('/release'),
  'POST /reservations/{id}/extend': reservation('/extend', { ttl_seconds: 2_000 }),
};

describe.each(Object.entries(ways))('%s', (_name, { path, body, code }) => {
  const send = (url: string, selector: Record<string, string>, key: string) =>
    body === undefined
      ? app.get(`${url}?${new URLSearchParams(selector)}`)
      : app.post(url, { ...body, ...('payment_id' in body ? { payment_id: key } : {}), ...selector });

  const setUp = async () => {
    const [person, other] = [newPerson(), newPerson()];
    for (const name of [person, other]) await grantUnits(app, name, 'CREDITS', 10);
    return { person, other, url: await path(person) };
  };

  it('takes the selector of whose it is', async () => {
    const { person, url } = await setUp();
    expect((await send(url, { external_id: person }, person)).status).toBe(200);
  });

  it('takes his id, and both', async () => {
    const { person, url } = await setUp();
    const customer_id = await customerIdOf(app, person);
    expect((await send(url, { customer_id, external_id: person }, person)).status).toBe(200);
  });

  it('does not find that of another customer', async () => {
    const { person, other, url } = await setUp();
    const ids = { customer_id: await customerIdOf(app, other) };
    const written = await writtenBy(app, async () => {
      expectProblem(await send(url, { external_id: other }, person), 404, code);
      expectProblem(await send(url, ids, person), 404, code);
    });
    expect(written).toEqual({});
  });

  it('knows nobody by an unknown selector, and creates nobody', async () => {
    const { person, url } = await setUp();
    const external_id = newPerson();
    expectProblem(await send(url, { external_id }, person), 404, 'customer_not_found');
    expectProblem(await app.get(`/wallet?external_id=${external_id}`), 404, 'customer_not_found');
  });

  it('refuses two selectors that contradict', async () => {
    const { person, other, url } = await setUp();
    const customer_id = await customerIdOf(app, other);
    expectProblem(await send(url, { customer_id, external_id: person }, person), 409, 'selector_conflict');
  });
});
