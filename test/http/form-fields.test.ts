// Numbers and switches as forms send them: a quantity may be sent as its digits wherever a call asks for one, true and false as words, and it is the same
// request.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPerson, placeOrder } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: ['draw'] });
  await putProduct(app, 'STAR', { is_currency: true });
  await putOffer(app, 'PACK', 'CREDITS', 10);
  await putOffer(app, 'SAMPLE', 'CREDITS', 1, { is_trial: true });
});

async function personWith(quantity: number): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'CREDITS', quantity);
  await grantUnits(app, external_id, 'STAR', quantity);
  return external_id;
}

interface Asked {
  path: string;
  /** The request that asks for `quantity`. */
  body(quantity: unknown): Json;
  pointer: string;
}

/** Every call that asks for a quantity, each time about a new customer. */
const CALLS: [name: string, make: () => Promise<Asked>][] = [
  ...['/quota/consume', '/wallet/consume', '/quota/check', '/reservations'].map(
    (path): [string, () => Promise<Asked>] => [
      path,
      async () => {
        const external_id = await personWith(100);
        return { path, body: (amount) => ({ external_id, product_key: 'CREDITS', amount }), pointer: '/amount' };
      },
    ],
  ),
  [
    'an item of /quota/consume/batch',
    async () => {
      const external_id = await personWith(100);
      const body = (amount: unknown) => ({ items: [{ external_id, feature: 'draw', amount }] });
      return { path: '/quota/consume/batch', body, pointer: '/items/0/amount' };
    },
  ],
  [
    '/quota/release',
    async () => {
      const use = await app.post('/quota/consume', {
        external_id: await personWith(100),
        product_key: 'CREDITS',
        amount: 90,
      });
      const { operation_id } = use.body;
      return { path: '/quota/release', body: (amount) => ({ operation_id, amount }), pointer: '/amount' };
    },
  ],
  [
    'the commit of a reservation',
    async () => {
      const external_id = await personWith(100);
      const { body: held } = await app.post('/reservations', { external_id, product_key: 'CREDITS', amount: 90 });
      return { path: `/reservations/${held.id}/commit`, body: (amount) => ({ amount }), pointer: '/amount' };
    },
  ],
  [
    'the time of a reservation',
    async () => {
      const external_id = await personWith(100);
      const body = (ttl_seconds: unknown) => ({ external_id, product_key: 'CREDITS', ttl_seconds });
      return { path: '/reservations', body, pointer: '/ttl_seconds' };
    },
  ],
  [
    'the time by which a reservation is extended',
    async () => {
      const external_id = await personWith(100);
      const { body: held } = await app.post('/reservations', { external_id, product_key: 'CREDITS' });
      return {
        path: `/reservations/${held.id}/extend`,
        body: (ttl_seconds) => ({ ttl_seconds }),
        pointer: '/ttl_seconds',
      };
    },
  ],
  ...['/credits/add', '/credits/deduct'].map((path): [string, () => Promise<Asked>] => [
    path,
    async () => {
      const external_id = await personWith(100);
      return { path, body: (amount) => ({ external_id, product_key: 'STAR', amount }), pointer: '/amount' };
    },
  ]),
  [
    '/grants',
    async () => {
      const external_id = newPerson();
      const body = (quantity: unknown) => ({ external_id, grant_type: 'bonus', product_key: 'CREDITS', quantity });
      return { path: '/grants', body, pointer: '/quantity' };
    },
  ],
  [
    'a line of an order',
    async () => {
      const external_id = newPerson();
      return {
        path: '/orders',
        body: (quantity) => ({ external_id, items: [{ sku: 'PACK', quantity }] }),
        pointer: '/items/0/quantity',
      };
    },
  ],
  [
    'the time of an order',
    async () => {
      const external_id = newPerson();
      return {
        path: '/orders',
        body: (expires_in) => ({ external_id, items: [{ sku: 'PACK' }], expires_in }),
        pointer: '/expires_in',
      };
    },
  ],
];

const NOT_CANONICAL = ['', ' 12', '12 ', '012', '+12', '-12', '1e3', '0x1', '1.0', '12.', '1_000', '١٢', '12\n', '12n'];

describe('a quantity as digits', () => {
  it.each(CALLS)('is the same request as the number, of %s', async (_name, make) => {
    const { path, body } = await make();
    const headers = { 'idempotency-key': `digits of ${_name}` };
    const first = await app.post(path, body('12'), headers);
    expect(first.status, first.text).toBeLessThan(300);
    const again = await app.post(path, body(12), headers);
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect(again.headers['idempotent-replayed']).toBe(path === '/quota/check' ? undefined : 'true');
    const other = await app.post(path, body('13'), headers);
    if (path !== '/quota/check') expectProblem(other, 422, 'idempotency_key_reused');
  });

  it.each(CALLS)('is refused where it is no number as one writes it, of %s', async (_name, make) => {
    const { path, body, pointer } = await make();
    const tooLittle = path.endsWith('/commit') ? [] : ['0']; // a commit of nothing is a release
    for (const text of [...NOT_CANONICAL, ...tooLittle, '9007199254740992', '9'.repeat(400)]) {
      expectProblem(await app.post(path, body(text)), 400, 'invalid_request', pointer);
    }
  });

  it('is exact up to 2^53-1', async () => {
    const external_id = newPerson();
    const grant = { external_id, grant_type: 'bonus', product_key: 'CREDITS' };
    expect((await app.post('/grants', { ...grant, quantity: '9007199254740991' })).status).toBe(201);
    const use = { external_id, product_key: 'CREDITS', amount: '9007199254740990' };
    const answer = await app.post('/quota/consume', use);
    expect([answer.body.amount, answer.body.remaining]).toEqual([9007199254740990, 1]);
  });

  it('says in words what it takes', async () => {
    const ask = async (amount: unknown) => {
      const { body } = await app.post('/quota/consume', { external_id: newPerson(), product_key: 'CREDITS', amount });
      return body.errors[0].message;
    };
    expect(await ask('1e3')).toBe('must be a whole number, or its digits as a string such as "12"');
    expect(await ask(true)).toBe('must be a whole number, or its digits as a string such as "12"');
    expect(await ask('0')).toBe('must be at least 1');
    expect(await ask('9007199254740993')).toBe('must be at most 9007199254740991 (2^53-1)');
  });

  it('is none in the catalogue, which nobody types into a form', async () => {
    const offer = { name: 'O', price: '1.00', currency: 'USD', items: [{ product_key: 'CREDITS', quantity: '10' }] };
    expectProblem(await app.put('/offers/NEW', offer), 400, 'invalid_request', '/items/0/quantity');
    const product = { name: 'P', type: 'quantity', features: [{ feature: 'sing', unit_cost: '2' }] };
    expectProblem(await app.put('/products/NEW', product), 400, 'invalid_request', '/features/0/unit_cost');
  });

  it('is shown as a number', async () => {
    const order = await placeOrder(app, newPerson(), 'PACK', '3' as unknown as number);
    expect(order.items).toMatchObject([{ quantity: 3 }]);
  });
});

/** Every switch of a call, each time about a new customer. */
const SWITCHES: [name: string, make: () => Promise<Asked>][] = [
  [
    'allow_excess of a commit',
    async () => {
      const external_id = await personWith(100);
      const { body: held } = await app.post('/reservations', { external_id, product_key: 'CREDITS', amount: 9 });
      const body = (allow_excess: unknown) => ({ amount: 9, allow_excess });
      return { path: `/reservations/${held.id}/commit`, body, pointer: '/allow_excess' };
    },
  ],
  [
    'allow_negative of a deduction',
    async () => {
      const external_id = await personWith(100);
      const body = (allow_negative: unknown) => ({ external_id, product_key: 'STAR', amount: 1, allow_negative });
      return { path: '/credits/deduct', body, pointer: '/allow_negative' };
    },
  ],
  [
    'override of a trial',
    async () => {
      const external_id = newPerson();
      const body = (override: unknown) => ({
        external_id,
        grant_type: 'trial',
        sku: 'SAMPLE',
        override,
        reason: 'asked',
      });
      return { path: '/grants', body, pointer: '/override' };
    },
  ],
];

describe('a switch as a word', () => {
  it.each(SWITCHES.flatMap(([name, make]) => [true, false].map((value) => [name, value, make] as const)))(
    'is the same request as the value, %s %s',
    async (name, value, make) => {
      const { path, body } = await make();
      const headers = { 'idempotency-key': `${value} ${name}` };
      const first = await app.post(path, body(String(value)), headers);
      expect(first.status, first.text).toBeLessThan(300);
      const again = await app.post(path, body(value), headers);
      expect([again.text, again.headers['idempotent-replayed']]).toEqual([first.text, 'true']);
    },
  );

  it.each(SWITCHES)('is no other word, %s', async (_name, make) => {
    const { path, body, pointer } = await make();
    for (const text of ['', 'True', 'yes', '1', ' true', 1, null]) {
      expectProblem(await app.post(path, body(text)), 400, 'invalid_request', pointer);
    }
  });

  it('counts as what it says', async () => {
    const external_id = newPerson();
    const deduct = { external_id, product_key: 'STAR', amount: '5' };
    expectProblem(await app.post('/credits/deduct', { ...deduct, allow_negative: 'false' }), 402, 'insufficient_quota');
    expect((await app.post('/credits/deduct', { ...deduct, allow_negative: 'true' })).body.owed).toBe(5);
  });
});
