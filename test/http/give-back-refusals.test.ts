// Giving back what can't be: uses that stay as they are, other people's, requests that say too little. What comes back: give-back.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { buy, expectProblem, itNeedsAToken, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();
const UNKNOWN_ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'STAR', { is_currency: true });
  await putOffer(app, 'PACK', 'CREDITS', 10);
  await putOffer(app, 'CREDITS_FOR_STARS', 'CREDITS', 5, { price: '2', currency: 'STAR' });
});

/** Takes units and returns the operation's id. */
async function use(external_id: string, amount: number): Promise<string> {
  const answer = await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.operation_id;
}

const giveBack = (operation_id: string, more: Json = {}) => app.post('/quota/release', { operation_id, ...more });

async function entriesOf(external_id: string, query = ''): Promise<Json[]> {
  const answer = await app.get(`/wallet/entries?external_id=${external_id}${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data;
}

async function personWith(quantity: number): Promise<{ external_id: string }> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'CREDITS', quantity);
  return { external_id };
}

describe('a give-back that would make the balance inexact', () => {
  it('is refused, held units counted, and the customer goes on', async () => {
    const MOST = Number.MAX_SAFE_INTEGER;
    const external_id = newPerson();
    const credits = { external_id, product_key: 'STAR', amount: MOST };
    await app.post('/credits/add', credits);
    const used = await app.post('/credits/deduct', credits);
    await app.post('/credits/add', credits);
    const held = await app.post('/reservations', { ...credits, ttl_seconds: 60 });
    expect(held.status, held.text).toBe(201);
    const written = await writtenBy(app, async () => {
      expectProblem(await giveBack(used.body.operation_id), 409, 'quantity_too_large', '/amount');
    });
    expect(written).toEqual({});
    app.clock.advance({ seconds: 60 });
    const after = await app.post('/credits/deduct', { external_id, product_key: 'STAR', amount: 1 });
    expect(after.body).toMatchObject({ allowed: true, balance: MOST - 1 });
  });
});

describe('what is not given back', () => {
  const operationOf = async (external_id: string, kind: string) =>
    String((await entriesOf(external_id, `&kind=${kind}`))[0]?.operation_id);

  const cases: [string, (external_id: string) => Promise<string>][] = [
    [
      'a purchase',
      async (external_id) => {
        await buy(app, external_id, 'PACK');
        return operationOf(external_id, 'grant');
      },
    ],
    [
      'a grant',
      async (external_id) => {
        await grantUnits(app, external_id, 'CREDITS', 3);
        return operationOf(external_id, 'grant');
      },
    ],
    [
      'an exchange',
      async (external_id) => {
        await grantUnits(app, external_id, 'STAR', 3);
        const answer = await app.post('/exchange', { external_id, sku: 'CREDITS_FOR_STARS' });
        return answer.body.operation_id;
      },
    ],
    [
      'an open reservation',
      async (external_id) => {
        await grantUnits(app, external_id, 'CREDITS', 3);
        const answer = await app.post('/reservations', { external_id, product_key: 'CREDITS', amount: 2 });
        return answer.body.operation_id;
      },
    ],
    [
      'a give-back',
      async (external_id) => {
        await grantUnits(app, external_id, 'CREDITS', 3);
        return (await giveBack(await use(external_id, 2), { amount: 1 })).body.operation_id;
      },
    ],
    [
      'what an adjustment took away',
      async (external_id) => {
        await grantUnits(app, external_id, 'CREDITS', 3);
        const taken = {
          grant_type: 'adjustment',
          product_key: 'CREDITS',
          quantity: 2,
          direction: 'debit',
          reason: 'a mistake',
        };
        const answer = await app.post('/grants', { external_id, ...taken });
        expect(answer.status, answer.text).toBe(201);
        return answer.body.operation_id;
      },
    ],
  ];

  it.each(cases)('%s', async (_case, prepare) => {
    const operation_id = await prepare(newPerson());
    const written = await writtenBy(app, async () => {
      for (const more of [{}, { amount: 1 }]) {
        expectProblem(await giveBack(operation_id, more), 409, 'not_reversible', '/operation_id');
      }
    });
    expect(written).toEqual({});
  });
});

describe('whose operation it is', () => {
  it('need not be said, may be said, and is checked', async () => {
    const { external_id } = await personWith(10);
    const operation_id = await use(external_id, 6);
    const { body } = await app.post('/identify', { external_id });
    expect((await giveBack(operation_id, { amount: 1 })).status).toBe(200);
    expect((await giveBack(operation_id, { amount: 1, external_id })).status).toBe(200);
    expect((await giveBack(operation_id, { amount: 1, customer_id: body.customer_id, external_id })).status).toBe(200);
  });

  it('is nobody’s when there is none of this id', async () => {
    expectProblem(await giveBack(UNKNOWN_ID), 404, 'operation_not_found', '/operation_id');
  });

  it.each(['by external_id', 'by customer_id'])('is not another customer’s, named %s', async (by) => {
    const { external_id } = await personWith(10);
    const operation_id = await use(external_id, 6);
    const other = newPerson();
    const { body } = await app.post('/identify', { external_id: other });
    const selector = by === 'by external_id' ? { external_id: other } : { customer_id: body.customer_id };
    const written = await writtenBy(app, async () => {
      expectProblem(await giveBack(operation_id, selector), 404, 'operation_not_found', '/operation_id');
    });
    expect(written).toEqual({});
  });

  it('is not somebody’s whom nobody has seen, and he is not created', async () => {
    const { external_id } = await personWith(10);
    const operation_id = await use(external_id, 6);
    const written = await writtenBy(app, async () => {
      const stranger = await giveBack(operation_id, { external_id: newPerson() });
      expectProblem(stranger, 404, 'customer_not_found', '/external_id');
      const unknown = await giveBack(operation_id, { customer_id: UNKNOWN_ID });
      expectProblem(unknown, 404, 'customer_not_found', '/customer_id');
    });
    expect(written).toEqual({});
  });

  it('is not for two selectors that name two customers', async () => {
    const { external_id } = await personWith(10);
    const operation_id = await use(external_id, 6);
    const other = await app.post('/identify', { external_id: newPerson() });
    const answer = await giveBack(operation_id, { external_id, customer_id: other.body.customer_id });
    expectProblem(answer, 409, 'selector_conflict');
  });
});

describe('the request', () => {
  it.each([
    ['no operation', { operation_id: undefined }, '/operation_id'],
    ['an operation that is no UUID', { operation_id: '17' }, '/operation_id'],
    ['an operation of null', { operation_id: null }, '/operation_id'],
    ['an amount of 0', { amount: 0 }, '/amount'],
    ['a negative amount', { amount: -1 }, '/amount'],
    ['an amount with a fraction', { amount: 1.5 }, '/amount'],
    ['an amount above 2^53-1', { amount: 9007199254740992 }, '/amount'],
    ['an amount that is text', { amount: 'one' }, '/amount'],
    ['metadata that is text', { metadata: 'x' }, '/metadata'],
    ['a blank external id', { external_id: ' ' }, '/external_id'],
    ['an empty key', { idempotency_key: '' }, '/idempotency_key'],
  ])('is refused with %s', async (_case, more, pointer) => {
    const { external_id } = await personWith(10);
    const operation_id = await use(external_id, 6);
    const written = await writtenBy(app, async () => {
      expectProblem(await giveBack(operation_id, more), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  itNeedsAToken(app, 'post', '/quota/release');
});
