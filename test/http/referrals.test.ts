// Referrals: one referrer per referee, nobody himself, no cycle, known people only.
import { describe, expect, it } from 'vitest';
import { type Json, useTestApp } from '../support/app.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { ask, customerIdOf } from '../support/parallel.js';
import { expectProblem, itNeedsAToken, newPerson, readPages, writtenBy } from '../support/requests.js';
import { leaveUntold } from '../support/untold.js';

const UNKNOWN_ID = '01900000-0000-7000-8000-000000000000';

const app = useTestApp();

/** Customers that nobody referred yet. */
const newCustomers = (count: number) =>
  Promise.all(Array.from({ length: count }, () => customerIdOf(app, newPerson())));

async function newPair(): Promise<{ referrer_id: string; referee_id: string }> {
  const [referrer_id = '', referee_id = ''] = await newCustomers(2);
  return { referrer_id, referee_id };
}

const attach = (referrer_id: string | undefined, referee_id: string | undefined, more: Json = {}) =>
  app.post('/referrals', { referrer_id, referee_id, ...more });

describe('POST /referrals', () => {
  it('attaches by customer ids', async () => {
    const pair = await newPair();
    const answer = await app.post('/referrals', { ...pair, metadata: { campaign: 'may' } });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      created: true,
      referral_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ...pair,
      metadata: { campaign: 'may' },
    });
  });

  it('attaches by external ids of one provider, numbers too', async () => {
    const identify = (external_id: number) => app.post('/identify', { provider: 'telegram', external_id });
    const [referrer, referee] = [await identify(9_001), await identify(9_002)];
    const body = { provider: 'Telegram', referrer_external_id: '9001', referee_external_id: 9_002 };
    const answer = await app.post('/referrals', body);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      referrer_id: referrer.body.customer_id,
      referee_id: referee.body.customer_id,
      metadata: {},
    });
  });

  it.each([
    ['numbers', 81_001, 81_002],
    ['digits', '81003', '81004'],
    ['text', 'tg:1', 'tg:2'],
  ])('takes %s as ids, as user_id does', async (_case, referrer_id, referee_id) => {
    const [referrer, referee] = await Promise.all(
      [referrer_id, referee_id].map((external_id) => app.post('/identify', { provider: 'user_id', external_id })),
    );
    const answer = await app.post('/referrals', { referrer_id, referee_id });
    expect(answer.status, answer.text).toBe(201);
    const { customer_id } = referrer?.body ?? {};
    expect(answer.body).toMatchObject({ referrer_id: customer_id, referee_id: referee?.body.customer_id });
    expect((await app.get(`/referrals?user_id=${referrer_id}`)).body.data).toHaveLength(1);
  });

  it('refuses an id beside an external id that is another identity', async () => {
    const body = { ...(await newPair()), referee_id: 'tg:1', referee_external_id: 'tg:1' };
    expectProblem(await app.post('/referrals', body), 409, 'selector_conflict', '/referee_id');
  });

  it('attaches one side by its id and the other by its external id', async () => {
    const external_id = newPerson();
    const [referrer_id = ''] = await newCustomers(1);
    const referee_id = await customerIdOf(app, external_id);
    const answer = await app.post('/referrals', { referrer_id, referee_external_id: external_id });
    expect(answer.body).toMatchObject({ referrer_id, referee_id });
  });

  it('answers the same pair as it is, and writes nothing', async () => {
    const pair = await newPair();
    const first = await app.post('/referrals', { ...pair, metadata: { first: true } });
    const written = await writtenBy(app, async () => {
      const again = await app.post('/referrals', { ...pair, metadata: { first: false } });
      expect(again.status).toBe(200);
      expect(again.body).toEqual({ ...first.body, created: false });
      expect(again.headers['idempotent-replayed']).toBeUndefined();
    });
    expect(written).toEqual({});
  });

  it('attaches once when two come at once', async () => {
    const pair = await newPair();
    const answers = await Promise.all([1, 2].map(() => app.post('/referrals', pair)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 201]);
    expect(answers[0]?.body.referral_id).toBe(answers[1]?.body.referral_id);
  });

  it('refuses oneself', async () => {
    const [id = ''] = await newCustomers(1);
    expectProblem(await attach(id, id), 409, 'self_referral', '/referee_id');
  });

  it('refuses oneself under another identity', async () => {
    const external_id = newPerson();
    const id = await customerIdOf(app, external_id);
    const alias = newPerson();
    await app.post(`/customers/${id}/identities`, { external_id: alias });
    const answer = await app.post('/referrals', { referrer_external_id: alias, referee_external_id: external_id });
    expectProblem(answer, 409, 'self_referral', '/referee_external_id');
  });

  it('refuses a second referrer, and the first one stays', async () => {
    const [first = '', second = '', referee_id = ''] = await newCustomers(3);
    await attach(first, referee_id);
    const written = await writtenBy(app, async () => {
      expectProblem(await attach(second, referee_id), 409, 'already_referred', '/referee_id');
    });
    expect(written).toEqual({});
    expect((await app.get(`/referrals?customer_id=${first}`)).body.data).toHaveLength(1);
  });

  it('refuses a cycle of two', async () => {
    const [a = '', b = ''] = await newCustomers(2);
    await attach(a, b);
    expectProblem(await attach(b, a), 409, 'referral_cycle', '/referrer_id');
  });

  it('refuses a cycle over three', async () => {
    const [a = '', b = '', c = ''] = await newCustomers(3);
    await attach(a, b);
    await attach(b, c);
    const written = await writtenBy(app, async () => {
      expectProblem(await attach(c, a), 409, 'referral_cycle', '/referrer_id');
    });
    expect(written).toEqual({});
  });

  it('lets many have one referrer, and a referee bring others', async () => {
    const [a = '', b = '', c = '', d = ''] = await newCustomers(4);
    for (const [referrer, referee] of [
      [a, b],
      [a, c],
      [c, d],
    ]) {
      expect((await attach(referrer, referee)).status).toBe(201);
    }
  });

  it.each([
    ['referrer', { referrer_id: UNKNOWN_ID }, '/referrer_id'],
    ['referee', { referee_id: UNKNOWN_ID }, '/referee_id'],
    ['referrer', { referrer_id: 'nobody' }, '/referrer_id'],
    ['referrer', { referrer_id: undefined, referrer_external_id: 'nobody' }, '/referrer_external_id'],
    ['referee', { referee_id: undefined, referee_external_id: 'nobody' }, '/referee_external_id'],
  ])('does not know a %s whom nobody has seen, and does not create him', async (_side, more, pointer) => {
    const body = { ...(await newPair()), ...more };
    const written = await writtenBy(app, async () => {
      expectProblem(await app.post('/referrals', body), 404, 'customer_not_found', pointer);
    });
    expect(written).toEqual({});
  });

  it('knows nobody under another provider', async () => {
    const people = [newPerson(), newPerson()];
    for (const person of people) await customerIdOf(app, person);
    const body = { provider: 'telegram', referrer_external_id: people[0], referee_external_id: people[1] };
    expectProblem(await app.post('/referrals', body), 404, 'customer_not_found', '/referrer_external_id');
  });

  it.each(['referrer', 'referee'])('refuses two selectors of the %s that name two customers', async (side) => {
    const external_id = newPerson();
    await customerIdOf(app, external_id);
    const answer = await app.post('/referrals', { ...(await newPair()), [`${side}_external_id`]: external_id });
    expectProblem(answer, 409, 'selector_conflict', `/${side}_external_id`);
  });

  it.each<[string, Json, string]>([
    ['no referrer', { referrer_id: undefined }, '/referrer_id'],
    ['no referee', { referee_id: undefined }, '/referee_id'],
    ['an id that is none', { referrer_id: 'undefined' }, '/referrer_id'],
    ['an id of null', { referee_id: null }, '/referee_id'],
    ['an empty external id', { referee_external_id: ' ' }, '/referee_external_id'],
    ['an external id with a fraction', { referrer_external_id: 1.5 }, '/referrer_external_id'],
    ['a provider of 65 characters', { provider: 'p'.repeat(65) }, '/provider'],
    ['metadata that is a list', { metadata: [] }, '/metadata'],
    ['an empty key', { idempotency_key: '' }, '/idempotency_key'],
  ])('refuses %s', async (_case, more, pointer) => {
    const body = { ...(await newPair()), ...more };
    const written = await writtenBy(app, async () => {
      expectProblem(await app.post('/referrals', body), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => ({
      path: '/referrals',
      body: await newPair(),
      other: { metadata: { other: true } },
    }));
  });

  itNeedsAToken(app, 'post', '/referrals');
});

describe('GET /referrals', () => {
  it('lists whom a customer brought, newest first, and nobody else', async () => {
    const [a = '', b = '', c = '', d = ''] = await newCustomers(4);
    await attach(a, b, { metadata: { first: true } });
    app.clock.advance({ seconds: 1 });
    await attach(a, c);
    await attach(c, d);
    const answer = await app.get(`/referrals?customer_id=${a}`);
    expect(answer.body.next_cursor).toBeNull();
    expect(answer.body.data).toMatchObject([
      { referrer_id: a, referee_id: c, metadata: {}, created_at: '2026-01-31T12:00:01.000Z' },
      { referrer_id: a, referee_id: b, metadata: { first: true }, created_at: '2026-01-31T12:00:00.000Z' },
    ]);
  });

  it('pages through referrals of one instant, each once', async () => {
    const [referrer = '', ...referees] = await newCustomers(6);
    for (const referee of referees) await attach(referrer, referee);
    const pages = await readPages(app, `/referrals?customer_id=${referrer}`, 2);
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(new Set(pages.flat().map((referral) => referral.referee_id))).toEqual(new Set(referees));
  });

  it('is empty for who brought nobody', async () => {
    const [a = '', b = ''] = await newCustomers(2);
    await attach(a, b);
    expect((await app.get(`/referrals?customer_id=${b}`)).body).toEqual({ data: [], next_cursor: null });
  });

  it('finds the customer by an identity', async () => {
    const external_id = newPerson();
    const id = await customerIdOf(app, external_id);
    const [referee = ''] = await newCustomers(1);
    await attach(id, referee);
    expect((await app.get(`/referrals?external_id=${external_id}`)).body.data).toHaveLength(1);
  });

  it('says who brought a customer, by any of his names', async () => {
    const external_id = newPerson();
    const referee_id = await customerIdOf(app, external_id);
    const [referrer_id = '', other = ''] = await newCustomers(2);
    await attach(referrer_id, referee_id, { metadata: { campaign: 'may' } });
    await attach(referee_id, other);
    for (const query of [`referee_id=${referee_id}`, `referee_external_id=${external_id}&limit=1`]) {
      const answer = await app.get(`/referrals?${query}`);
      expect(answer.status, answer.text).toBe(200);
      expect(answer.body).toMatchObject({
        data: [{ referrer_id, referee_id, metadata: { campaign: 'may' }, created_at: '2026-01-31T12:00:00.000Z' }],
        next_cursor: null,
      });
    }
    const ofBoth = await app.get(`/referrals?customer_id=${referrer_id}&referee_external_id=${external_id}`);
    expect(ofBoth.body.data).toHaveLength(1);
    const ofAnother = await app.get(`/referrals?customer_id=${other}&referee_id=${referee_id}`);
    expect(ofAnother.body).toEqual({ data: [], next_cursor: null });
  });

  it('is empty for whom nobody brought', async () => {
    const [id = ''] = await newCustomers(1);
    expect((await app.get(`/referrals?referee_id=${id}`)).body).toEqual({ data: [], next_cursor: null });
  });

  it('points at the referee whom nobody knows', async () => {
    for (const field of ['referee_id', 'referee_external_id']) {
      expectProblem(await app.get(`/referrals?${field}=nobody`), 404, 'customer_not_found', `query/${field}`);
    }
  });

  it('does not know a stranger', async () => {
    expectProblem(await app.get(`/referrals?external_id=${newPerson()}`), 404, 'customer_not_found');
    expectProblem(await app.get(`/referrals?customer_id=${UNKNOWN_ID}`), 404, 'customer_not_found');
  });

  it.each([
    ['nobody', 'limit=1', 'query/customer_id'],
    ['a limit of 0', `customer_id=${UNKNOWN_ID}&limit=0`, 'query/limit'],
    ['a cursor of its own making', `customer_id=${UNKNOWN_ID}&cursor=abc`, 'query/cursor'],
    ['a parameter it does not know', `customer_id=${UNKNOWN_ID}&side=referee`, 'query/side'],
  ])('refuses %s', async (_case, query, pointer) => {
    expectProblem(await app.get(`/referrals?${query}`), 400, 'invalid_request', pointer);
  });

  itNeedsAToken(app, 'get', `/referrals?customer_id=${UNKNOWN_ID}`);
});

describe('GET /referrals/stats', () => {
  it('counts whom a customer brought', async () => {
    const [a = '', b = '', c = ''] = await newCustomers(3);
    expect((await app.get(`/referrals/stats?customer_id=${a}`)).body).toEqual({ customer_id: a, count: 0 });
    await attach(a, b);
    await attach(a, c);
    expect((await app.get(`/referrals/stats?customer_id=${a}`)).body).toEqual({ customer_id: a, count: 2 });
  });

  it('does not know a stranger', async () => {
    expectProblem(await app.get(`/referrals/stats?external_id=${newPerson()}`), 404, 'customer_not_found');
  });

  it('refuses a question about nobody', async () => {
    expectProblem(await app.get('/referrals/stats'), 400, 'invalid_request', 'query/customer_id');
  });

  itNeedsAToken(app, 'get', '/referrals/stats?external_id=x');
});

describe('a chain of more referrers than are followed', () => {
  const alone = useTestApp();

  it('is never closed to a cycle', async () => {
    const length = 1_002;
    const [chain] = await ask(
      alone.url,
      `WITH people AS (
         INSERT INTO customers (id, last_recorded_at, created_at)
         SELECT gen_random_uuid(), now(), now() FROM generate_series(1, $1) RETURNING id
       ), chain AS (
         SELECT id, lag(id) OVER (ORDER BY id) AS referrer_id, gen_random_uuid() AS operation_id FROM people
       ), operation AS (
         INSERT INTO operations (customer_id, id, name, acting_key, recorded_at)
         SELECT id, operation_id, 'referral.attach', 'test', now() FROM chain WHERE referrer_id IS NOT NULL
       ), referral AS (
         INSERT INTO referrals (customer_id, id, referrer_id, operation_id, created_at)
         SELECT id, gen_random_uuid(), referrer_id, operation_id, now() FROM chain WHERE referrer_id IS NOT NULL
       )
       SELECT (array_agg(id ORDER BY id))[1] AS first, (array_agg(id ORDER BY id DESC))[1] AS last FROM chain`,
      [length],
    );
    await leaveUntold(alone.url);
    const answer = await alone.post('/referrals', { referrer_id: chain?.last, referee_id: chain?.first });
    expectProblem(answer, 409, 'referral_cycle');
  });
});
