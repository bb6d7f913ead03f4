// Limits that a customer shares with another: copies, brought up by a job; what is used stays each one's own.
import { beforeAll, describe, expect, it } from 'vitest';
import { followLimits } from '../../src/engine/follow-limits.js';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPerson } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
});

const limit = (external_id: string, windows: Json, more: Json = {}) =>
  app.put('/limits', { external_id, product_key: 'CREDITS', windows, ...more });
const use = (external_id: string, amount = 1) =>
  app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount });
const share = (external_id: string, source_customer_id: string) =>
  app.put('/limits/source', { external_id, source_customer_id });

async function person(): Promise<{ external_id: string; id: string }> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'CREDITS', 100);
  const { body } = await app.get(`/customers?external_id=${external_id}`);
  return { external_id, id: body.data[0].id };
}

describe('PUT /limits/source', () => {
  it('shares limits, below his own, each with his own use', async () => {
    const [source, follower] = [await person(), await person()];
    await limit(source.external_id, { day: 5, month: 50 });
    const shared = await share(follower.external_id, source.id);
    expect(shared.status).toBe(200);
    expect(shared.body).toMatchObject({ customer_id: follower.id, source_customer_id: source.id });
    await use(source.external_id, 5);
    expect((await use(follower.external_id, 5)).status).toBe(200);
    expectProblem(await use(follower.external_id), 429, 'limit_exceeded');
    await limit(follower.external_id, { day: 7 });
    expect((await use(follower.external_id, 2)).status).toBe(200);
    const { body } = await app.get(`/limits?external_id=${follower.external_id}`);
    expect(body.data.map(({ scope }: Json) => scope).sort()).toEqual(['customer', 'source']);
  });

  it('follows what changes of the source’s, and nothing else', async () => {
    const [source, follower] = [await person(), await person()];
    await limit(source.external_id, { day: 5 });
    await share(follower.external_id, source.id);
    await limit(source.external_id, { day: 9 });
    expect((await use(follower.external_id, 6)).status).toBe(429);
    app.clock.advance({ seconds: 1 });
    expect(await followLimits(app.deps)).toBe(1);
    expect((await use(follower.external_id, 9)).status).toBe(200);
    const asOf = app.clock.now().toISOString();
    const { body } = await app.get(`/limits/source?external_id=${follower.external_id}`);
    expect(body).toEqual({ customer_id: follower.id, source_customer_id: source.id, limits_as_of: asOf });
    expect(await followLimits(app.deps)).toBe(0);
    await app.delete(`/limits?external_id=${source.external_id}&product_key=CREDITS`);
    expect(await followLimits(app.deps)).toBe(1);
    expect((await use(follower.external_id, 50)).status).toBe(200);
  });

  it('ends with DELETE, and is another’s with another PUT', async () => {
    const [one, two, follower] = [await person(), await person(), await person()];
    await limit(one.external_id, { day: 1 });
    await limit(two.external_id, { day: 2 });
    await share(follower.external_id, one.id);
    await share(follower.external_id, two.id);
    expect((await use(follower.external_id, 2)).status).toBe(200);
    expect((await use(follower.external_id, 1)).status).toBe(429);
    expect((await app.delete(`/limits/source?external_id=${follower.external_id}`)).status).toBe(204);
    expect((await use(follower.external_id, 1)).status).toBe(200);
    expect((await app.delete(`/limits/source?external_id=${follower.external_id}`)).status).toBe(204);
    const { body } = await app.get(`/audit?external_id=${follower.external_id}`);
    expect(body.data.filter(({ action }: Json) => String(action).startsWith('limit_source'))).toMatchObject([
      { action: 'limit_source.deleted', before: { source_id: two.id } },
      { action: 'limit_source.updated', before: { source_id: one.id }, after: { source_id: two.id } },
      { action: 'limit_source.created' },
    ]);
  });

  it('refuses himself, a source that has one, a customer with followers, and nobody', async () => {
    const [source, follower, other] = [await person(), await person(), await person()];
    expectProblem(await share(source.external_id, source.id), 409, 'limit_source_refused', '/source_customer_id');
    await share(follower.external_id, source.id);
    expectProblem(await share(other.external_id, follower.id), 409, 'limit_source_refused', '/source_customer_id');
    expectProblem(await share(source.external_id, other.id), 409, 'limit_source_refused', '/source_customer_id');
    const nobody = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';
    expectProblem(await share(other.external_id, nobody), 404, 'customer_not_found', '/source_customer_id');
    expectProblem(await share(newPerson(), source.id), 404, 'customer_not_found');
  });

  it('is refused to the follower behind the thousandth', async () => {
    const [source, late] = [await person(), await person()];
    await app.deps.db.query(
      `INSERT INTO limit_sources (customer_id, source_id, copied_at, changes, copied)
       SELECT gen_random_uuid(), $1::uuid, now(), 0, 0 FROM generate_series(1, 1000)`,
      [source.id],
    );
    expectProblem(await share(late.external_id, source.id), 409, 'too_many_followers', '/source_customer_id');
    await app.deps.db.query('DELETE FROM limit_sources WHERE source_id = $1::uuid', [source.id]);
  });

  it('never makes a chain, whoever is first', async () => {
    for (let round = 0; round < 5; round += 1) {
      const [a, b] = [await person(), await person()];
      const answers = await Promise.all([share(a.external_id, b.id), share(b.external_id, a.id)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    }
  });
});
