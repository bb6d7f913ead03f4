// Refusals as verdicts: for workflows that branch on a field, a refusal is answered 200 with `allowed: false`; errors stay errors.
import type { Response } from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors/catalogue.js';
import { openapiText } from '../../src/http/openapi.js';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { customerIdOf } from '../support/parallel.js';
import { expectProblem, newPayment, newPerson, placeOrder, writtenBy } from '../support/requests.js';

const app = useTestApp();
const verdict = { on_refusal: 'verdict' };

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'STAR', { is_currency: true });
  await putOffer(app, 'PACK', 'CREDITS', 10, { trial_policy: {} });
  await putOffer(app, 'PLAIN', 'CREDITS', 10);
  await putOffer(app, 'IN_STARS', 'CREDITS', 1, { price: '3', currency: 'STAR' });
});

const consume = (external_id: string, more: Json = {}) =>
  app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 5, ...verdict, ...more });
const trial = (external_id: string, more: Json = {}) =>
  app.post('/grants', { external_id, grant_type: 'trial', sku: 'PACK', ...verdict, ...more });

const reserve = (external_id: string, amount: number) =>
  app.post('/reservations', { external_id, product_key: 'CREDITS', amount });

interface Refused {
  path: string;
  body: Json;
}

/** Refusals of the other routes, each of something new, that stay refusals when they are asked for again. */
const ELSEWHERE: [name: string, status: number, code: ErrorCode, make: () => Promise<Refused>][] = [
  [
    'a confirmation of an order that another payment paid',
    409,
    'order_already_paid',
    async () => {
      const { id } = await placeOrder(app, newPerson(), 'PLAIN');
      await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
      return { path: `/orders/${id}/confirm`, body: { payment_id: newPayment() } };
    },
  ],
  [
    'a confirmation of another sum',
    409,
    'payment_mismatch',
    async () => {
      const { id } = await placeOrder(app, newPerson(), 'PLAIN');
      return { path: `/orders/${id}/confirm`, body: { payment_id: newPayment(), amount: '7.00' } };
    },
  ],
  [
    'an order of what is sold for units',
    409,
    'offer_exchange_only',
    async () => ({ path: '/orders', body: { external_id: newPerson(), items: [{ sku: 'IN_STARS' }] } }),
  ],
  [
    'a commit of more than is held',
    402,
    'reservation_exceeded',
    async () => {
      const external_id = newPerson();
      await grantUnits(app, external_id, 'CREDITS', 2);
      const { body } = await reserve(external_id, 1);
      return { path: `/reservations/${body.id}/commit`, body: { amount: 2 } };
    },
  ],
  [
    'a commit of an excess that nothing pays',
    402,
    'insufficient_quota',
    async () => {
      const external_id = newPerson();
      await grantUnits(app, external_id, 'CREDITS', 2);
      const { body } = await reserve(external_id, 1);
      return { path: `/reservations/${body.id}/commit`, body: { amount: 9, allow_excess: true } };
    },
  ],
  ...(['commit', 'extend'] as const).map((verb): (typeof ELSEWHERE)[number] => [
    `the ${verb} of a reservation that was released`,
    409,
    'reservation_closed',
    async () => {
      const external_id = newPerson();
      await grantUnits(app, external_id, 'CREDITS', 2);
      const { body } = await reserve(external_id, 1);
      await app.post(`/reservations/${body.id}/release`);
      return { path: `/reservations/${body.id}/${verb}`, body: verb === 'extend' ? { ttl_seconds: 3_600 } : {} };
    },
  ]),
  [
    'the release of a reservation that was committed',
    409,
    'reservation_closed',
    async () => {
      const external_id = newPerson();
      await grantUnits(app, external_id, 'CREDITS', 2);
      const { body } = await reserve(external_id, 1);
      await app.post(`/reservations/${body.id}/commit`);
      return { path: `/reservations/${body.id}/release`, body: {} };
    },
  ],
  [
    'a give-back of more than was taken',
    409,
    'release_exceeds_usage',
    async () => {
      const external_id = newPerson();
      await grantUnits(app, external_id, 'CREDITS', 9);
      const { body } = await consume(external_id);
      return { path: '/quota/release', body: { operation_id: body.operation_id, amount: 6 } };
    },
  ],
  [
    'credits of what is no currency',
    409,
    'product_not_currency',
    async () => ({ path: '/credits/add', body: { external_id: newPerson(), product_key: 'CREDITS', amount: 1 } }),
  ],
  [
    'a referral of oneself',
    409,
    'self_referral',
    async () => {
      const referrer_id = await customerIdOf(app, newPerson());
      return { path: '/referrals', body: { referrer_id, referee_id: referrer_id } };
    },
  ],
  [
    'an identity that somebody else has',
    409,
    'identity_taken',
    async () => {
      const [customer_id, external_id] = [await customerIdOf(app, newPerson()), newPerson()];
      await customerIdOf(app, external_id);
      return { path: `/customers/${customer_id}/identities`, body: { external_id } };
    },
  ],
  [
    'a dry run of selectors that name two customers',
    409,
    'selector_conflict',
    async () => {
      const [customer_id, external_id] = [await customerIdOf(app, newPerson()), newPerson()];
      await customerIdOf(app, external_id);
      return { path: '/quota/check', body: { customer_id, external_id, product_key: 'CREDITS' } };
    },
  ],
];

/** A verdict is the problem's answer to the same request, less what is about the error of a single call. */
function expectVerdictOf(answer: Response, problem: Response): void {
  const { type: _type, status: _status, instance: _instance, ...members } = problem.body;
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(answer.body).toEqual({ allowed: false, ...members });
}

describe('on_refusal: verdict', () => {
  it.each(['/quota/consume', '/wallet/consume'])(
    'turns the 402 of %s into a verdict with its members',
    async (path) => {
      const external_id = newPerson();
      await grantUnits(app, external_id, 'CREDITS', 2);
      const body = { external_id, product_key: 'CREDITS', amount: 5 };
      const problem = await app.post(path, body);
      expectProblem(problem, 402, 'insufficient_quota');
      const answer = await app.post(path, { ...body, ...verdict });
      expectVerdictOf(answer, problem);
      expect(answer.body).toMatchObject({
        code: 'insufficient_quota',
        requested: 5,
        available: 2,
        reasons: [{ code: 'insufficient_quota' }],
        upgrade_skus: ['PACK', 'PLAIN', 'IN_STARS'],
        remaining: 2,
      });
    },
  );

  it('turns the 402 of an exchange into a verdict', async () => {
    const external_id = newPerson();
    const problem = await app.post('/exchange', { external_id, sku: 'IN_STARS' });
    expectProblem(problem, 402, 'insufficient_quota');
    expectVerdictOf(await app.post('/exchange', { external_id, sku: 'IN_STARS', ...verdict }), problem);
  });

  it('turns the 409 of an exchange into a verdict', async () => {
    const external_id = newPerson();
    const answer = await app.post('/exchange', { external_id, sku: 'PLAIN', ...verdict });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      allowed: false,
      code: 'offer_not_exchangeable',
      errors: [{ pointer: '/sku' }],
    });
  });

  it.each(['/grants', '/demo/trial-grant'])(
    'turns a used trial of %s into a verdict that names the type',
    async (path) => {
      const external_id = newPerson();
      await trial(external_id);
      const body = { external_id, grant_type: 'trial', sku: 'PACK' };
      const problem = await app.post(path, body);
      expectProblem(problem, 409, 'trial_already_used');
      const answer = await app.post(path, { ...body, ...verdict });
      expectVerdictOf(answer, problem);
      expect(answer.body).toMatchObject({ code: 'trial_already_used', identity_type: 'default' });
    },
  );

  it('turns the 402 of an adjustment that takes away into a verdict', async () => {
    const body = { grant_type: 'adjustment', direction: 'debit', product_key: 'CREDITS', quantity: 3, reason: 'count' };
    const answer = await app.post('/grants', { external_id: newPerson(), ...body, ...verdict });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ allowed: false, code: 'insufficient_quota', requested: 3, available: 0 });
  });

  it('turns selectors that name two customers into a verdict', async () => {
    const customer_id = await customerIdOf(app, newPerson());
    const answer = await consume(newPerson(), { customer_id });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ allowed: false, code: 'selector_conflict' });
  });

  it.each(ELSEWHERE)('turns %s into a verdict with its members', async (_name, status, code, make) => {
    const { path, body } = await make();
    const problem = await app.post(path, body);
    expectProblem(problem, status, code);
    expectVerdictOf(await app.post(path, { ...body, ...verdict }), problem);
    expectProblem(await app.post(path, { ...body, on_refusal: 'silence' }), 400, 'invalid_request', '/on_refusal');
  });

  it('keeps an unmatched payment all the same', async () => {
    const { id } = await placeOrder(app, newPerson(), 'PLAIN');
    const payment_id = newPayment();
    const answer = await app.post(`/orders/${id}/confirm`, { payment_id, amount: '7.00', ...verdict });
    expect([answer.status, answer.body.code]).toEqual([200, 'payment_mismatch']);
    const failed = await app.post(`/orders/${id}/confirm`, { payment_id, status: 'failed', ...verdict });
    expect(failed.body).toMatchObject({ allowed: false, code: 'payment_mismatch' });
  });

  it('leaves what a confirmation, a commit and a give-back answer as it is, and replays it either way', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10);
    const { id } = await placeOrder(app, external_id, 'PLAIN');
    const { body: held } = await reserve(external_id, 2);
    const { body: use } = await consume(external_id, { amount: 2 });
    for (const [path, body] of [
      [`/orders/${id}/confirm`, { payment_id: newPayment() }],
      [`/reservations/${held.id}/commit`, {}],
      ['/quota/release', { operation_id: use.operation_id, idempotency_key: 'back' }],
    ] as const) {
      const first = await app.post(path, { ...body, ...verdict });
      const again = await app.post(path, body);
      expect([first.status, again.text]).toEqual([200, first.text]);
      expect(again.headers['idempotent-replayed']).toBe('true');
    }
  });

  it('is taken by every POST that can be refused, and told of in the document', () => {
    const { paths } = JSON.parse(openapiText(app.app)) as {
      paths: Record<string, { post?: { requestBody?: unknown; responses: Record<string, unknown> } }>;
    };
    const posts = Object.entries(paths).flatMap(([path, { post }]) => (post ? [{ path, post }] : []));
    const isRefusing = ({ post }: (typeof posts)[number]) => ['402', '409'].some((code) => code in post.responses); // 429 is told to everybody who asks too often
    expect(posts.filter(isRefusing).length).toBeGreaterThan(12);
    for (const each of posts) {
      const { path, post } = each;
      const takes = JSON.stringify(post.requestBody ?? '').includes('"on_refusal"') && !path.endsWith('/consume/batch'); // its items have one each
      const answers = JSON.stringify(post.responses['200'] ?? '').includes('#/components/schemas/Verdict');
      expect({ path, takes, answers }).toEqual({ path, takes: isRefusing(each), answers: isRefusing(each) });
    }
  });

  it('leaves what is allowed as it is', async () => {
    const external_id = newPerson();
    const granted = await trial(external_id);
    expect([granted.status, granted.body.allowed]).toEqual([201, true]);
    const consumed = await consume(external_id);
    expect([consumed.status, consumed.body.allowed, consumed.body.remaining]).toEqual([200, true, 5]);
    await grantUnits(app, external_id, 'STAR', 3);
    const exchanged = await app.post('/exchange', { external_id, sku: 'IN_STARS', ...verdict });
    expect([exchanged.status, exchanged.body.allowed]).toEqual([200, true]);
  });

  it('writes nothing', async () => {
    const external_id = newPerson();
    await customerIdOf(app, external_id);
    const written = await writtenBy(app, () => consume(external_id, { idempotency_key: 'k' }));
    expect(written).toEqual({});
  });

  it('does not remember a verdict under its key', async () => {
    const external_id = newPerson();
    expect((await consume(external_id, { idempotency_key: 'k' })).body.allowed).toBe(false);
    await grantUnits(app, external_id, 'CREDITS', 5);
    const answer = await consume(external_id, { idempotency_key: 'k' });
    expect(answer.body.allowed).toBe(true);
    expect(answer.headers['idempotent-replayed']).toBeUndefined();
  });

  it('is no part of the request: a key replays whichever way a refusal was to be told', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 5);
    const first = await consume(external_id, { idempotency_key: 'k' });
    const again = await consume(external_id, { idempotency_key: 'k', on_refusal: 'problem' });
    expect(again.text).toBe(first.text);
    expect(again.headers['idempotent-replayed']).toBe('true');
  });
});

describe('what stays a problem', () => {
  it('is a request that is not valid', async () => {
    expectProblem(await consume(newPerson(), { amount: 0 }), 400, 'invalid_request', '/amount');
    expectProblem(await trial(newPerson(), { quantity: 2 }), 400, 'invalid_request', '/quantity');
  });

  it('is a product, a feature, an offer or a customer that is not there', async () => {
    expectProblem(await consume(newPerson(), { product_key: 'NOSUCH' }), 404, 'product_not_found', '/product_key');
    const feature = { product_key: undefined, feature: 'flying' };
    expectProblem(await consume(newPerson(), feature), 404, 'feature_not_found', '/feature');
    expectProblem(await trial(newPerson(), { sku: 'NOSUCH' }), 404, 'offer_not_found', '/sku');
    const nobody = { customer_id: '01900000-0000-7000-8000-000000000000', sku: 'IN_STARS', ...verdict };
    expectProblem(await app.post('/exchange', nobody), 404, 'customer_not_found', '/customer_id');
  });

  it('is a key that belongs to another request', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 5);
    await consume(external_id, { idempotency_key: 'k' });
    const answer = await consume(external_id, { idempotency_key: 'k', amount: 1 });
    expectProblem(answer, 422, 'idempotency_key_reused', '/idempotency_key');
  });

  it('is everything, when on_refusal says problem or nothing', async () => {
    const external_id = newPerson();
    expectProblem(await consume(external_id, { on_refusal: 'problem' }), 402, 'insufficient_quota');
    expectProblem(await consume(external_id, { on_refusal: undefined }), 402, 'insufficient_quota');
  });

  it('is an unknown way to refuse', async () => {
    expectProblem(await consume(newPerson(), { on_refusal: 'silence' }), 400, 'invalid_request', '/on_refusal');
  });
});
