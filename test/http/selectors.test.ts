// Whom a request is about: customer_id, its alias user_id, external_id with provider; on reads and on writes.
import { beforeAll, describe, expect, it } from 'vitest';
import { openapiText } from '../../src/http/openapi.js';
import { type Json, putProduct, useTestApp } from '../support/app.js';
import { readOperations } from '../support/openapi-document.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();
const UNKNOWN_ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
});

async function identify(external_id: string | number, provider = 'default'): Promise<string> {
  const answer = await app.post('/identify', { provider, external_id });
  return answer.body.customer_id;
}

describe('a selector', () => {
  it('is a customer_id, in any case', async () => {
    const customerId = await identify(newPerson());
    const answer = await app.get(`/wallet?customer_id=${customerId.toUpperCase()}`);
    expect(answer.body.customer_id).toBe(customerId);
  });

  it('is a user_id that is a UUID: the customer, on reads and writes', async () => {
    const customerId = await identify(newPerson());
    const grant = { user_id: customerId, grant_type: 'bonus', product_key: 'CREDITS', quantity: 2 };
    expect((await app.post('/grants', grant)).status).toBe(201);
    const answer = await app.get(`/wallet?user_id=${customerId}`);
    expect(answer.body).toMatchObject({ customer_id: customerId, balances: { CREDITS: 2 } });
    expect(answer.text).not.toContain('user_id');
  });

  it.each([
    ['digits', '77001', 77001],
    ['a number', 77002, '77002'],
    ['a negative number', -1001234, '-1001234'],
    ['the id of a provider', 'tg:123', 'tg:123'],
    ['a name, as it is written', ' Ada ', 'Ada'],
    ['an e-mail address', 'ada@example.org', 'ada@example.org'],
    ['a UUID without hyphens', UNKNOWN_ID.replaceAll('-', ''), UNKNOWN_ID.replaceAll('-', '')],
    ['a UUID with a digit more', `${UNKNOWN_ID}0`, `${UNKNOWN_ID}0`],
    ['255 characters', 'u'.repeat(255), 'u'.repeat(255)],
  ])('is a user_id that is %s: the identity (user_id, text)', async (_case, user_id, text) => {
    const customerId = await identify(text, 'user_id');
    const answer = await app.post('/grants', { user_id, grant_type: 'bonus', product_key: 'CREDITS' });
    expect(answer.status).toBe(201);
    const wallet = await app.get(`/wallet?user_id=${encodeURIComponent(user_id)}`);
    expect(wallet.body).toMatchObject({ customer_id: customerId, balances: { CREDITS: 1 } });
    expectProblem(await app.get(`/wallet?external_id=${encodeURIComponent(text)}`), 404, 'customer_not_found');
  });

  it('is a user_id beside the customer_id or the identity that it means', async () => {
    const user_id = newPerson();
    const customer_id = await identify(user_id, 'user_id');
    for (const other of [`customer_id=${customer_id}`, `provider=user_id&external_id=${user_id}`]) {
      expect((await app.get(`/wallet?user_id=${user_id}&${other}`)).body.customer_id).toBe(customer_id);
    }
  });

  it('is an external_id as a number in a body and as digits in a query', async () => {
    await app.post('/grants', { external_id: 4242, grant_type: 'bonus', product_key: 'CREDITS', quantity: 3 });
    const answer = await app.get('/wallet?external_id=4242');
    expect(answer.body.balances).toEqual({ CREDITS: 3 });
  });

  it('names the identity of its provider only', async () => {
    const external_id = newPerson();
    await identify(external_id, 'telegram');
    expectProblem(await app.get(`/wallet?external_id=${external_id}`), 404, 'customer_not_found');
  });

  it('may be two that agree', async () => {
    const external_id = newPerson();
    const customer_id = await identify(external_id);
    const answer = await app.get(`/wallet?customer_id=${customer_id}&external_id=${external_id}`);
    expect(answer.status).toBe(200);
  });
});

describe('a write', () => {
  const consume = { product_key: 'CREDITS', amount: 1 };

  it('creates the customer on first sight, and keeps it when the operation is refused', async () => {
    const external_id = newPerson();
    const written = await writtenBy(app, async () => {
      expectProblem(await app.post('/quota/consume', { ...consume, external_id }), 402, 'insufficient_quota');
    });
    expect(written).toEqual({ customers: 1, identities: 1 });
  });

  it('creates nobody for a customer_id that it does not know', async () => {
    const written = await writtenBy(app, async () => {
      const answer = await app.post('/quota/consume', { ...consume, customer_id: UNKNOWN_ID });
      expectProblem(answer, 404, 'customer_not_found', '/customer_id');
    });
    expect(written).toEqual({});
  });

  it('refuses two that name different customers', async () => {
    const external_id = newPerson();
    await identify(external_id);
    const customer_id = await identify(newPerson());
    const answer = await app.post('/quota/consume', { ...consume, customer_id, external_id });
    expectProblem(answer, 409, 'selector_conflict', '/external_id');
  });

  it('does not give a known customer an identity that nobody has', async () => {
    const customer_id = await identify(newPerson());
    const written = await writtenBy(app, async () => {
      const answer = await app.post('/quota/consume', { ...consume, customer_id, external_id: newPerson() });
      expectProblem(answer, 409, 'selector_conflict', '/external_id');
    });
    expect(written).toEqual({});
  });

  it('refuses a customer_id and a user_id that differ', async () => {
    const customer_id = await identify(newPerson());
    const answer = await app.post('/quota/consume', { ...consume, customer_id, user_id: UNKNOWN_ID });
    expectProblem(answer, 409, 'selector_conflict', '/user_id');
  });

  it('refuses a customer_id and a user_id that is the identity of another, and nobody comes to be', async () => {
    const customer_id = await identify(newPerson());
    const written = await writtenBy(app, async () => {
      const answer = await app.post('/quota/consume', { ...consume, customer_id, user_id: newPerson() });
      expectProblem(answer, 409, 'selector_conflict', '/user_id');
    });
    expect(written).toEqual({});
  });

  it.each(['5', 'tg:123'])('refuses the user_id %s beside another identity', async (user_id) => {
    const answer = await app.post('/quota/consume', { ...consume, user_id, external_id: newPerson() });
    expectProblem(answer, 409, 'selector_conflict', '/user_id');
  });

  it('says of a user_id that is a UUID of nobody how ids of others are sent', async () => {
    const answer = await app.post('/quota/consume', { ...consume, user_id: UNKNOWN_ID });
    expectProblem(answer, 404, 'customer_not_found', '/user_id');
    expect(answer.body.detail).toContain('external_id');
  });

  it('creates whom a user_id names that is no UUID', async () => {
    const written = await writtenBy(app, async () => {
      expectProblem(await app.post('/quota/consume', { ...consume, user_id: 'tg:9' }), 402, 'insufficient_quota');
    });
    expect(written).toEqual({ customers: 1, identities: 1 });
  });

  it('is the same item of a bulk call by whichever field it names the customer', async () => {
    const user_id = newPerson();
    await app.post('/grants', { user_id, grant_type: 'bonus', product_key: 'CREDITS', quantity: 3 });
    const call = (selector: object) =>
      app.post('/quota/consume/batch', { items: [{ ...consume, ...selector }], idempotency_key: 'bulk' });
    const first = await call({ user_id });
    const again = await call({ provider: 'user_id', external_id: user_id });
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([first.text, 'true']);
  });

  it.each([
    ['nobody', {}, '/customer_id'],
    ['a customer_id that is no UUID', { customer_id: '17' }, '/customer_id'],
    ['an empty user_id', { user_id: ' ' }, '/user_id'],
    ['a user_id that stands for a missing one', { user_id: 'undefined' }, '/user_id'],
    ['a user_id of 256 characters', { user_id: 'u'.repeat(256) }, '/user_id'],
    ['a user_id above 2^53-1 as a number', { user_id: 9007199254740992 }, '/user_id'],
    ['a user_id with a fraction', { user_id: 1.5 }, '/user_id'],
    ['an external_id that is a list', { external_id: ['x'] }, '/external_id'],
  ])('refuses %s', async (_case, selector, pointer) => {
    expectProblem(await app.post('/quota/consume', { ...consume, ...selector }), 400, 'invalid_request', pointer);
  });
});

describe('a provider that nothing would be read with', () => {
  const consume = { product_key: 'CREDITS', amount: 1 };

  it.each(['telegram', 'default', ' TeleGram '])('is refused beside a user_id that is text: %j', async (provider) => {
    for (const user_id of ['5', 5, 'tg:5']) {
      const written = await writtenBy(app, async () => {
        const answer = await app.post('/quota/consume', { ...consume, user_id, provider });
        expectProblem(answer, 400, 'invalid_request', '/provider');
        expect(answer.body.errors[0].message).toContain('send external_id');
        const item = { ...consume, user_id, provider };
        const batch = await app.post('/quota/consume/batch', { items: [{ ...consume, user_id: 'a' }, item] });
        expectProblem(batch, 400, 'invalid_request', '/items/1/provider');
        const customer_id = UNKNOWN_ID;
        const order = { items: [{ sku: 'X' }], customer_id, user_id, provider };
        expectProblem(await app.post('/orders', order), 400, 'invalid_request', '/provider');
      });
      expect(written).toEqual({});
      const query = new URLSearchParams({ user_id: String(user_id), provider });
      expectProblem(await app.get(`/wallet?${query}`), 400, 'invalid_request', 'query/provider');
    }
  });

  it('is refused by every route that takes both', async () => {
    const named = { user_id: 'text', provider: 'telegram' };
    const refused: string[] = [];
    for (const { method, path, parameters, body } of readOperations(JSON.parse(openapiText(app.app)))) {
      const below = path.replace('/api/v1/billing', '').replace('{id}', UNKNOWN_ID);
      if (Object.hasOwn(body?.schema?.properties ?? {}, 'user_id')) {
        const [example] = Object.values<Json>(body?.examples ?? {});
        const { external_id: _, ...others } = (example?.value ?? {}) as Json;
        const sending = app[method.toLowerCase() as 'post' | 'put' | 'patch'](below, { ...others, ...named });
        expectProblem(await sending, 400, 'invalid_request', '/provider');
        refused.push(path);
      }
      const inQuery = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
      if (inQuery.includes('user_id')) {
        const query = new URLSearchParams({
          ...named,
          ...(inQuery.includes('product_key') && { product_key: 'CREDITS' }),
        });
        const asking = app[method.toLowerCase() as 'get' | 'delete'](`${below}?${query}`);
        expectProblem(await asking, 400, 'invalid_request', 'query/provider');
        refused.push(`${method} ${path}`);
      }
    }
    expect(refused.length).toBeGreaterThan(25);
  });

  it('is that of user_id itself, or empty, or of an external id beside it', async () => {
    const user_id = newPerson();
    const customer_id = await identify(user_id, 'user_id');
    for (const more of [
      '',
      '&provider=user_id',
      '&provider=',
      '&provider=%20',
      `&provider=User_Id&external_id=${user_id}`,
    ]) {
      expect((await app.get(`/wallet?user_id=${user_id}${more}`)).body.customer_id, more).toBe(customer_id);
    }
    expect((await app.get(`/wallet?user_id=${customer_id}&provider=telegram`)).body.customer_id).toBe(customer_id);
  });

  it('is refused when one side of a referral has no use for it', async () => {
    const referral = { referrer_id: newPerson(), referee_external_id: newPerson() };
    const answer = await app.post('/referrals', { ...referral, provider: 'telegram' });
    expectProblem(answer, 400, 'invalid_request', '/provider');
    const other = { referrer_external_id: newPerson(), referee_id: newPerson(), provider: 'telegram' };
    expectProblem(await app.post('/referrals', other), 400, 'invalid_request', '/provider');
    for (const query of ['referee_id=text&external_id=a', 'referee_external_id=a&user_id=text']) {
      expectProblem(await app.get(`/referrals?${query}&provider=telegram`), 400, 'invalid_request', 'query/provider');
    }
    expect((await app.post('/referrals', { ...referral, provider: 'user_id' })).status).toBe(404);
  });
});

describe('a read', () => {
  it('creates nobody', async () => {
    const written = await writtenBy(app, async () => {
      expectProblem(await app.get(`/wallet?external_id=${newPerson()}`), 404, 'customer_not_found');
    });
    expect(written).toEqual({});
  });

  it('points at the query parameter by which nobody is known', async () => {
    const byId = await app.get(`/wallet?customer_id=${UNKNOWN_ID}`);
    expectProblem(byId, 404, 'customer_not_found', 'query/customer_id');
    const byIdentity = await app.get('/wallet?external_id=nobody');
    expectProblem(byIdentity, 404, 'customer_not_found', 'query/external_id');
    for (const user_id of ['tg:nobody', UNKNOWN_ID]) {
      expectProblem(await app.get(`/wallet?user_id=${user_id}`), 404, 'customer_not_found', 'query/user_id');
    }
  });

  it('points at the query parameter that contradicts the other', async () => {
    const customer_id = await identify(newPerson());
    const answer = await app.get(`/wallet?customer_id=${customer_id}&external_id=somebody-else`);
    expectProblem(answer, 409, 'selector_conflict', 'query/external_id');
    const byAlias = await app.get(`/wallet?customer_id=${customer_id}&user_id=somebody-else`);
    expectProblem(byAlias, 409, 'selector_conflict', 'query/user_id');
  });

  it.each(['/wallet', '/wallet/batches', '/wallet/entries', '/balance?product_key=CREDITS'])(
    '%s refuses to be about nobody',
    async (path) => {
      expectProblem(await app.get(path), 400, 'invalid_request', 'query/customer_id');
    },
  );
});

it.each([' ', 'null', 'u'.repeat(256), 9007199254740992, 1.5])(
  'the message about the user_id %j names external_id',
  async (user_id) => {
    const answer = await app.post('/quota/consume', { user_id, product_key: 'CREDITS' });
    expect(answer.body.errors).toMatchObject([
      { pointer: '/user_id', message: expect.stringContaining('external_id') },
    ]);
  },
);
