// Trials: what may be one, what is granted, and once for whom. How identities are compared and stored: trial-identities.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { expectProblem, itNeedsAToken, newPerson, writtenBy } from '../support/requests.js';
import { claimsOf, claimTrial, putTrialOffers } from '../support/trials.js';

const app = useTestApp();
const bare = useTestApp();

beforeAll(async () => {
  await putTrialOffers(app);
  await putProduct(app, 'GONE');
  await putProduct(app, 'LIFETIME', { type: 'unlimited' });
  await putOffer(app, 'GIVES_GONE', 'GONE', 1, { trial_policy: {} });
  await putOffer(app, 'RETIRED', 'CREDITS', 1, { is_trial: true, is_active: false });
  await putOffer(app, 'NOTHING', 'CREDITS', 1, { trial_policy: {}, items: [] });
  await putOffer(app, 'HUGE', 'CREDITS', Number.MAX_SAFE_INTEGER, { trial_policy: { scope: 'offer' } });
  await putOffer(app, 'EVER', 'LIFETIME', 1, { trial_policy: { scope: 'offer' } });
  await putProduct(app, 'GONE', { is_active: false });
});

describe('POST /grants of a trial', () => {
  it('grants what the offer gives, for its length', async () => {
    const external_id = newPerson();
    const answer = await claimTrial(app, external_id, {
      sku: 'starter',
      reason: 'landing page',
      metadata: { ab: 'B' },
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      allowed: true,
      grant_type: 'trial',
      products: ['CREDITS'],
      operation_id: expect.any(String),
      metadata: { ab: 'B' },
    });
    expect(answer.body.batches).toMatchObject([
      {
        product_key: 'CREDITS',
        source: 'trial',
        sku: 'STARTER',
        order_id: null,
        order_item_id: null,
        subscription_id: null,
        granted: 10,
        available: 10,
        priority: -1,
        valid_from: '2026-01-31T12:00:00.000Z',
        expires_at: '2026-02-07T12:00:00.000Z',
        metadata: { ab: 'B', reason: 'landing page' },
      },
    ]);
    expect((await app.get(`/wallet?external_id=${external_id}`)).body.balances).toEqual({ CREDITS: 10 });
    const entries = await app.get(`/wallet/entries?external_id=${external_id}`);
    expect(entries.body.data).toMatchObject([{ kind: 'grant', action_type: 'trial', amount: 10 }]);
  });

  it('creates the customer on first sight, and writes a claim for the customer and one for the identity', async () => {
    const written = await writtenBy(app, () => claimTrial(app, newPerson()));
    expect(written).toEqual({
      customers: 1,
      identities: 1,
      operations: 1,
      batches: 1,
      balances: 1,
      entries: 1,
      trial_uses: 2,
    });
  });

  it('is refused the second time, and writes nothing but that it is told', async () => {
    const external_id = newPerson();
    await claimTrial(app, external_id);
    const written = await writtenBy(app, async () => {
      const answer = await claimTrial(app, external_id);
      expectProblem(answer, 409, 'trial_already_used');
      expect(answer.body.identity_type).toBe('default');
    });
    expect(written).toEqual({ customers: 0, notices: 1 });
  });

  it('stays used when its units are gone and years have passed', async () => {
    const external_id = newPerson();
    await claimTrial(app, external_id, { sku: 'STARTER' });
    app.clock.advance({ days: 4_000 });
    expectProblem(await claimTrial(app, external_id, { sku: 'STARTER' }), 409, 'trial_already_used');
  });

  it('refuses an offer that is no trial', async () => {
    const written = await writtenBy(app, async () => {
      const external_id = newPerson();
      await app.post('/identify', { external_id });
      expectProblem(await claimTrial(app, external_id, { sku: 'PLAIN' }), 409, 'offer_not_trial', '/sku');
    });
    expect(written).toEqual({ customers: 1, identities: 1 });
  });

  it.each([
    ['an offer that nobody made', 'NOSUCH', 404, 'offer_not_found', '/sku'],
    ['a retired offer', 'RETIRED', 409, 'offer_inactive', '/sku'],
    ['an offer that gives an inactive product', 'GIVES_GONE', 409, 'product_inactive', '/sku'],
    ['an offer that gives nothing', 'NOTHING', 400, 'invalid_request', '/sku'],
  ] as const)('refuses %s, and leaves the trial free', async (_case, sku, status, code, pointer) => {
    const external_id = newPerson();
    expectProblem(await claimTrial(app, external_id, { sku }), status, code, pointer);
    expect(await claimsOf(app, external_id)).toEqual([]);
    expect((await claimTrial(app, external_id)).status).toBe(201);
  });

  it('refuses units that the balance could not hold, and leaves the trial free', async () => {
    const external_id = newPerson();
    await claimTrial(app, external_id);
    expectProblem(await claimTrial(app, external_id, { sku: 'HUGE' }), 409, 'quantity_too_large');
    expect(await claimsOf(app, external_id)).toEqual(['any customer_id', 'any default']);
  });

  it('gives access for ever beside access for ever', async () => {
    const external_id = newPerson();
    await app.post('/grants', { external_id, grant_type: 'bonus', product_key: 'LIFETIME' });
    expect((await claimTrial(app, external_id, { sku: 'EVER' })).status).toBe(201);
  });

  it('does not know a customer id that nobody has', async () => {
    const customer_id = '01900000-0000-7000-8000-000000000000';
    const answer = await app.post('/grants', { customer_id, grant_type: 'trial', sku: 'SAMPLE' });
    expectProblem(answer, 404, 'customer_not_found', '/customer_id');
  });

  it('refuses selectors that name two customers', async () => {
    const { body } = await app.post('/identify', { external_id: newPerson() });
    const answer = await claimTrial(app, newPerson(), { customer_id: body.customer_id });
    expectProblem(answer, 409, 'selector_conflict', '/external_id');
  });
});

describe('the scopes of trials', () => {
  it('allow one in a lifetime of all offers whose scope is any', async () => {
    const external_id = newPerson();
    await claimTrial(app, external_id, { sku: 'STARTER' });
    expectProblem(await claimTrial(app, external_id, { sku: 'SAMPLE' }), 409, 'trial_already_used');
  });

  it('allow one of each offer whose scope is the offer', async () => {
    const external_id = newPerson();
    expect((await claimTrial(app, external_id, { sku: 'PROBE' })).status).toBe(201);
    expect((await claimTrial(app, external_id, { sku: 'TASTE' })).status).toBe(201);
    expectProblem(await claimTrial(app, external_id, { sku: 'PROBE' }), 409, 'trial_already_used');
  });

  it.each([
    ['any', 'SAMPLE', 'PROBE'],
    ['offer', 'PROBE', 'SAMPLE'],
  ])('do not see each other: %s first', async (_case, first, second) => {
    const external_id = newPerson();
    expect((await claimTrial(app, external_id, { sku: first })).status).toBe(201);
    expect((await claimTrial(app, external_id, { sku: second })).status).toBe(201);
    expect(await claimsOf(app, external_id)).toEqual([
      'any customer_id',
      'any default',
      'offer:PROBE customer_id',
      'offer:PROBE default',
    ]);
  });
});

describe('a trial without a SKU', () => {
  it('grants every active offer that is marked as a trial, in one operation', async () => {
    const external_id = newPerson();
    const { body, status } = await claimTrial(app, external_id, { sku: undefined });
    expect(status).toBe(201);
    expect(body.products).toEqual(['CREDITS', 'ACCESS']);
    expect(body.batches.map((batch: Json) => [batch.sku, batch.granted])).toEqual([
      ['STARTER', 10],
      ['TASTE', null],
    ]);
    const entries = await app.get(`/wallet/entries?external_id=${external_id}&operation_id=${body.operation_id}`);
    expect(entries.body.data).toHaveLength(2);
    expect(await claimsOf(app, external_id)).toEqual([
      'any customer_id',
      'any default',
      'offer:TASTE customer_id',
      'offer:TASTE default',
    ]);
  });

  it.each(['STARTER', 'TASTE'])('grants nothing when one of them, %s, was used before', async (sku) => {
    const external_id = newPerson();
    await claimTrial(app, external_id, { sku });
    const written = await writtenBy(app, async () => {
      expectProblem(await claimTrial(app, external_id, { sku: undefined }), 409, 'trial_already_used');
    });
    expect(written).toEqual({ customers: 0, notices: 1 });
  });

  it('grants nothing when one of them gives an inactive product', async () => {
    const external_id = newPerson();
    await putProduct(app, 'ACCESS', { type: 'period', is_active: false });
    try {
      expectProblem(await claimTrial(app, external_id, { sku: undefined }), 409, 'product_inactive', '/sku');
    } finally {
      await putProduct(app, 'ACCESS', { type: 'period' });
    }
    expect((await claimTrial(app, external_id, { sku: undefined })).status).toBe(201);
  });

  it('is not found where no offer is a trial', async () => {
    expectProblem(await claimTrial(bare, newPerson(), { sku: undefined }), 404, 'offer_not_found', '/sku');
  });
});

describe('an override', () => {
  it('grants a used trial again, keeps the reason, and leaves no claim', async () => {
    const external_id = newPerson();
    await claimTrial(app, external_id);
    const written = await writtenBy(app, async () => {
      const answer = await claimTrial(app, external_id, { override: true, reason: 'ticket 17' });
      expect(answer.status).toBe(201);
      expect(answer.body.batches[0].metadata).toEqual({ reason: 'ticket 17' });
    });
    const granted = { customers: 0, operations: 1, batches: 1, balances: 0, entries: 1 };
    expect(written).toEqual({ ...granted, audit_records: 1 });
  });

  it('uses nothing up: the first trial is still to come', async () => {
    const external_id = newPerson();
    await claimTrial(app, external_id, { override: true, reason: 'ticket 18' });
    expect(await claimsOf(app, external_id)).toEqual([]);
    expect((await claimTrial(app, external_id)).status).toBe(201);
  });

  it('is no way to an offer that is no trial', async () => {
    const answer = await claimTrial(app, newPerson(), { sku: 'PLAIN', override: true, reason: 'ticket 19' });
    expectProblem(answer, 409, 'offer_not_trial', '/sku');
  });
});

describe('an offer that says whether it is eligible as a trial', () => {
  it('is granted as one where it says so, though nothing else makes it one', async () => {
    await putOffer(app, 'ELIGIBLE', 'CREDITS', 1, { trial_eligible: true });
    const external_id = newPerson();
    expect((await claimTrial(app, external_id, { sku: 'ELIGIBLE' })).status).toBe(201);
    expectProblem(await claimTrial(app, external_id, { sku: 'ELIGIBLE' }), 409, 'trial_already_used');
  });

  it('is refused where it says not, but to an override with a reason, which is audited', async () => {
    await putOffer(app, 'CLOSED', 'CREDITS', 1, { trial_policy: { scope: 'offer' }, trial_eligible: false });
    const external_id = newPerson();
    expectProblem(await claimTrial(app, external_id, { sku: 'CLOSED' }), 409, 'offer_not_trial', '/sku');
    const answer = await claimTrial(app, external_id, { sku: 'CLOSED', override: true, reason: 'ticket 20' });
    expect(answer.status, answer.text).toBe(201);
    const { body } = await app.get(`/audit?subject=${answer.body.operation_id}`);
    expect(body.data).toMatchObject([{ action: 'trial.overridden', after: { metadata: { reason: 'ticket 20' } } }]);
  });

  it('keeps that over files, and is asked by none who asks for every trial', async () => {
    await putOffer(app, 'CLOSED', 'CREDITS', 1, { is_trial: true, trial_eligible: false });
    expect((await app.get('/offers/CLOSED')).body).toMatchObject({ is_trial: true, trial_eligible: false });
    const { body } = await app.get('/catalog/export?format=json');
    const exported = body.offers.find(({ sku }: { sku: string }) => sku === 'CLOSED');
    expect(exported).toMatchObject({ trial_eligible: false });
    const imported = await app.post('/catalog/import', { offers: [{ ...exported, trial_eligible: null }] });
    expect(imported.status, imported.text).toBe(200);
    expect((await app.get('/offers/CLOSED')).body).toMatchObject({ is_trial: true, trial_eligible: null });
    await putOffer(app, 'CLOSED', 'CREDITS', 1, { trial_eligible: false });
    const granted = await claimTrial(app, newPerson(), { sku: undefined });
    expect(granted.body.batches.map(({ sku }: { sku: string }) => sku)).not.toContain('CLOSED');
  });
});

describe('trial_eligible of POST /identify', () => {
  const isEligible = async (external_id: string) =>
    (await app.post('/identify', { external_id })).body.trial_eligible as boolean;

  it('is true until a trial of scope any was granted', async () => {
    const external_id = newPerson();
    expect(await isEligible(external_id)).toBe(true);
    await claimTrial(app, external_id);
    expect(await isEligible(external_id)).toBe(false);
  });

  it('is not changed by a refusal, an override, or a trial of one offer', async () => {
    const external_id = newPerson();
    await claimTrial(app, external_id, { sku: 'PLAIN' });
    await claimTrial(app, external_id, { override: true, reason: 'x' });
    await claimTrial(app, external_id, { sku: 'PROBE' });
    expect(await isEligible(external_id)).toBe(true);
  });

  it('is false for a person whom somebody else’s trial named', async () => {
    const external_id = newPerson();
    await claimTrial(app, newPerson(), { identities: { telegram: external_id } });
    const answer = await app.post('/identify', { provider: 'telegram', external_id });
    expect(answer.body).toMatchObject({ created_customer: true, trial_eligible: false });
  });
});

describe('POST /demo/trial-grant', () => {
  it('is the same operation under another path: a key of one is known to the other', async () => {
    const body = { external_id: newPerson(), sku: 'SAMPLE', idempotency_key: 'k' };
    const first = await app.post('/demo/trial-grant', body);
    const again = await app.post('/grants', { ...body, grant_type: 'trial' });
    expect(first.status).toBe(201);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.text).toBe(first.text);
  });

  it('grants a trial whatever the body calls it', async () => {
    const answer = await app.post('/demo/trial-grant', {
      external_id: newPerson(),
      sku: 'SAMPLE',
      grant_type: 'bonus',
    });
    expect(answer.body.grant_type).toBe('trial');
  });

  it('refuses the second trial, and one that is none', async () => {
    const external_id = newPerson();
    await app.post('/demo/trial-grant', { external_id, sku: 'SAMPLE' });
    expectProblem(await app.post('/demo/trial-grant', { external_id, sku: 'SAMPLE' }), 409, 'trial_already_used');
    expectProblem(await app.post('/demo/trial-grant', { external_id, sku: 'PLAIN' }), 409, 'offer_not_trial', '/sku');
  });

  itNeedsAToken(app, 'post', '/demo/trial-grant');
});

const faults: [string, Json, string][] = [
  ['a SKU with blanks', { sku: 'A B' }, '/sku'],
  ['a product', { sku: undefined, product_key: 'CREDITS' }, '/product_key'],
  ['two at once', { quantity: 2 }, '/quantity'],
  ['a direction', { direction: 'debit' }, '/direction'],
  ['a priority', { priority: 1 }, '/priority'],
  ['a begin', { valid_from: '2026-02-01T00:00:00Z' }, '/valid_from'],
  ['an end', { expires_at: '2026-03-01T00:00:00Z' }, '/expires_at'],
  ['a source id', { source_id: 's' }, '/source_id'],
  ['an override without a reason', { override: true }, '/reason'],
  ['an override that is text', { override: 'yes' }, '/override'],
  ['an empty reason', { reason: ' ' }, '/reason'],
  ['a reason of 1,001 characters', { reason: 'r'.repeat(1_001) }, '/reason'],
  ['identities that are text', { identities: 'a@b.c' }, '/identities'],
  ['identities that are a list', { identities: ['a@b.c'] }, '/identities'],
  ['an identity that is a list', { identities: { device: ['a'] } }, '/identities/device'],
  ['an identity with a fraction', { identities: { device: 1.5 } }, '/identities/device'],
  ['an identity above 2^53-1', { identities: { device: 9007199254740992 } }, '/identities/device'],
  ['an empty identity', { identities: { device: ' ' } }, '/identities/device'],
  ['an identity of 1,001 characters', { identities: { device: 'd'.repeat(1_001) } }, '/identities/device'],
  ['an identity that can’t be stored', { identities: { device: 'a\0b' } }, '/identities/device'],
  ['a type of 65 characters', { identities: { ['t'.repeat(65)]: 'x' } }, `/identities/${'t'.repeat(65)}`],
  ['an empty type', { identities: { '': 'x' } }, '/identities/'],
  [
    '21 identities',
    { identities: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`t${index}`, 'x'])) },
    '/identities',
  ],
  ['another way to refuse', { on_refusal: 'maybe' }, '/on_refusal'],
  ['metadata that is text', { metadata: 'x' }, '/metadata'],
  ['an empty key', { idempotency_key: '' }, '/idempotency_key'],
];

describe.each(['/grants', '/demo/trial-grant'])('%s of a trial', (path) => {
  it.each(faults)('refuses %s, and does not even create the customer', async (_case, more, pointer) => {
    const written = await writtenBy(app, async () => {
      const body = { external_id: newPerson(), grant_type: 'trial', sku: 'SAMPLE', ...more };
      expectProblem(await app.post(path, body), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  it('refuses a body that names nobody', async () => {
    expectProblem(await app.post(path, { grant_type: 'trial' }), 400, 'invalid_request', '/customer_id');
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => ({
      path,
      body: { external_id: newPerson(), grant_type: 'trial', sku: 'SAMPLE', identities: { device: newPerson() } },
      other: { identities: {} },
    }));
  });
});
