// Refusals as verdicts: for workflows that branch on a field, a refusal is answered 200 with `allowed: false`; errors stay errors.
import type { Response } from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { customerIdOf } from '../support/parallel.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

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
