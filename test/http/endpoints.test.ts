// Who asks for events: endpoints as a client manages them, and uses, which are told while one asks.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { customerIdOf, ask as query } from '../support/parallel.js';
import { expectProblem, newPerson } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'STAR', { is_currency: true, features: [{ feature: 'draw', unit_cost: 2 }] });
});

async function consumedOf(external_id: string): Promise<Json[]> {
  await untilTold(app);
  const answer = await app.get(`/events?external_id=${external_id}&type=quota.consumed&limit=200`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data;
}

const ask = (types: string[], more: Json = {}) => app.put('/webhook-endpoints/analytics', { types, ...more });

describe('an endpoint', () => {
  it('is created, replaced, read, listed and deleted', async () => {
    const made = await app.put('/webhook-endpoints/n8n', {
      types: ['order.*', 'quota.low', 'order.*'],
      description: 'flow',
    });
    expect(made.status, made.text).toBe(201);
    const shown = { id: 'n8n', types: ['order.*', 'quota.low'], description: 'flow', enabled: true };
    expect(made.body).toMatchObject(shown);
    const { secret: none, ...told } = made.body;
    expect(none).toBeNull();
    expect((await app.get('/webhook-endpoints/n8n')).body).toEqual(told);
    const again = await app.put('/webhook-endpoints/n8n', { types: ['*'], enabled: false });
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({
      types: ['*'],
      description: '',
      enabled: false,
      created_at: made.body.created_at,
    });
    expect((await app.get('/webhook-endpoints')).body.data).toEqual([(await app.get('/webhook-endpoints/n8n')).body]);
    expect((await app.delete('/webhook-endpoints/n8n')).status).toBe(204);
    expectProblem(await app.delete('/webhook-endpoints/n8n'), 404, 'endpoint_not_found', 'path/id');
    expectProblem(await app.get('/webhook-endpoints/n8n'), 404, 'endpoint_not_found', 'path/id');
    const trail = (await app.get('/audit?subject=n8n')).body.data as Json[];
    expect(trail.map(({ action }) => action)).toEqual(['endpoint.deleted', 'endpoint.updated', 'endpoint.created']);
  });

  it.each([
    ['/webhook-endpoints/odd%20id', { types: ['*'] }, 'path/id'],
    ['/webhook-endpoints/x', {}, '/types'],
    ['/webhook-endpoints/x', { description: 'all of them?' }, '/types'],
    ['/webhook-endpoints/x', { types: ['order.eaten'] }, '/types/0'],
    ['/webhook-endpoints/x', { types: [] }, '/types'],
    ['/webhook-endpoints/x', { types: ['nothing.*'] }, '/types/0'],
    ['/webhook-endpoints/x', { types: ['*'], enabled: 'yes' }, '/enabled'],
    ['/webhook-endpoints/x', { types: ['*'], urls: [] }, '/urls'],
  ])('%s with %j is refused', async (path, body, pointer) => {
    expectProblem(await app.put(path, body), 400, 'invalid_request', pointer);
    expect((await app.get('/webhook-endpoints/x')).status).toBe(404);
  });

  it('is one of a hundred at most, however many are made at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 105 }, (_, index) => app.put(`/webhook-endpoints/many-${index}`, { types: ['order.paid'] })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(100);
    const refused = answers.filter(({ status }) => status === 409);
    expect(refused).toHaveLength(5);
    for (const answer of refused) expectProblem(answer, 409, 'too_many_endpoints', 'path/id');
    for (let index = 0; index < 105; index += 1) await app.delete(`/webhook-endpoints/many-${index}`);
    expect((await app.get('/webhook-endpoints')).body.data).toEqual([]);
  });
});

describe('a use', () => {
  it('is told while an endpoint that is enabled asks for it, and not before or after', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 50);
    const use = async (amount: number) => {
      const answer = await app.post('/quota/consume', { external_id, product_key: 'STAR', amount });
      expect(answer.status, answer.text).toBe(200);
    };
    await use(1);
    await ask(['order.*']);
    await use(2);
    await ask(['quota.consumed'], { enabled: false });
    await use(3);
    await ask(['quota.consumed']);
    await use(4);
    await ask(['quota.*']);
    await use(5);
    await ask(['*']);
    await use(6);
    await app.delete('/webhook-endpoints/analytics');
    await use(7);
    const told = await consumedOf(external_id);
    expect(told.map(({ data }) => (data as { taken: Json[] }).taken[0]?.amount)).toEqual([4, 5, 6]);
  });

  it('says what it took, by which operation, however it is made', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 20);
    await grantUnits(app, external_id, 'STAR', 20);
    await ask(['quota.consumed']);
    const selector = { external_id };
    const used = await app.post('/quota/consume', {
      ...selector,
      feature: 'draw',
      amount: 11,
      action_type: 'draw',
      action_id: 'd1',
      metadata: { camelCase: 1 },
    });
    await app.post('/quota/consume/batch', {
      mode: 'atomic',
      items: [
        { ...selector, product_key: 'STAR', amount: 1, idempotency_key: `a ${external_id}` },
        { ...selector, product_key: 'STAR', amount: 2, idempotency_key: `b ${external_id}` },
      ],
    });
    const held = await app.post('/reservations', { ...selector, product_key: 'STAR', amount: 5 });
    await app.post(`/reservations/${held.body.id}/commit`, { amount: 4 });
    await app.post('/credits/deduct', { ...selector, product_key: 'STAR', amount: 30, allow_negative: true });
    const none = await app.post('/reservations', { ...selector, feature: 'draw', amount: 1 });
    expect(none.status).toBe(402);
    await app.delete('/webhook-endpoints/analytics');

    const told = await consumedOf(external_id);
    expect(told.map(({ data }) => data)).toMatchObject([
      {
        operation: 'quota.consume',
        usage_id: used.body.usage_id,
        feature: 'draw',
        taken: [{ product_key: 'STAR', amount: 22, balance: 18 }],
        taken_total: 1,
        action_type: 'draw',
        action_id: 'd1',
        reservation_id: null,
        metadata: { camelCase: 1 },
      },
      { operation: 'quota.consume', taken: [{ amount: 1 }] },
      { operation: 'quota.consume', taken: [{ amount: 2 }] },
      { operation: 'reservation.commit', taken: [{ amount: 4 }], reservation_id: held.body.id },
      { operation: 'credits.deduct', taken: [{ amount: 30, balance: -19 }] },
    ]);
    expect(told[0]).toMatchObject({ operation_id: used.body.operation_id });
  });

  it('that is refused, replayed, or takes nothing is not told', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 5);
    await ask(['quota.consumed']);
    const key = { 'idempotency-key': `use ${external_id}` };
    const use = { external_id, product_key: 'STAR', amount: 2 };
    await app.post('/quota/consume', use, key);
    await app.post('/quota/consume', use, key);
    expect((await app.post('/quota/consume', { ...use, amount: 9 })).status).toBe(402);
    const held = await app.post('/reservations', use);
    await app.post(`/reservations/${held.body.id}/commit`, { amount: 0 });
    await app.delete('/webhook-endpoints/analytics');
    expect(await consumedOf(external_id)).toHaveLength(1);
  });

  it('is told exactly from the answer of the PUT on, beside others that go on', async () => {
    const people = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const external_id = newPerson();
        await grantUnits(app, external_id, 'STAR', 1_000);
        return external_id;
      }),
    );
    let isAsked = false;
    let isDone = false;
    const begunAfter = new Map<string, number>(people.map((person) => [person, 0]));
    const using = people.map(async (external_id) => {
      while (!isDone) {
        const isAfter = isAsked;
        await app.post('/quota/consume', { external_id, product_key: 'STAR', amount: 1 });
        if (isAfter) begunAfter.set(external_id, (begunAfter.get(external_id) ?? 0) + 1);
      }
    });
    await ask(['quota.consumed']);
    isAsked = true;
    for (let times = 0; times < 3; times += 1) await ask(['quota.consumed'], { description: String(times) });
    isDone = true;
    await Promise.all(using);
    await app.delete('/webhook-endpoints/analytics');
    for (const person of people) {
      const told = await consumedOf(person);
      expect(told.length).toBeGreaterThanOrEqual(begunAfter.get(person) ?? 0);
      const [row] = await query(
        app.url,
        'SELECT count(*)::int AS uses FROM operations WHERE customer_id = $1 AND tells_use',
        [await customerIdOf(app, person)],
      );
      expect(told).toHaveLength(Number(row?.uses));
    }
  });
});

describe('a refused trial', () => {
  it('is told once a day, for each offer', async () => {
    await app.put('/offers/TRY', {
      name: 'try',
      price: '0',
      currency: 'USD',
      is_trial: true,
      items: [{ product_key: 'STAR', quantity: 1 }],
    });
    const external_id = newPerson();
    const trial = { external_id, grant_type: 'trial', sku: 'TRY' };
    expect((await app.post('/grants', trial)).status).toBe(201);
    const refused = async (body: Json) => expectProblem(await app.post('/grants', body), 409, 'trial_already_used');
    await Promise.all([refused(trial), refused(trial), refused(trial)]);
    await refused({ external_id, grant_type: 'trial' });
    app.clock.advance({ days: 1 });
    await refused(trial);
    await untilTold(app);
    const { body } = await app.get(`/events?external_id=${external_id}&type=trial.refused`);
    expect((body.data as Json[]).map(({ data }) => data)).toEqual([
      { sku: 'TRY', identity_type: 'default' },
      { sku: null, identity_type: 'default' },
      { sku: 'TRY', identity_type: 'default' },
    ]);
  });
});
