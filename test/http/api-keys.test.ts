// API keys: what is made and told once, what may be given, rotation, revocation, and whose an operation is.
import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { makeApiKey } from '../../src/lib/api-key.js';
import { grantUnits, type Json, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { bearer, makeKey } from '../support/keys.js';
import { expectProblem, findInTables, newPerson, readPages, writtenBy } from '../support/requests.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();

describe('POST /api-keys', () => {
  it('tells the key once, and stores nothing by which it could be known', async () => {
    const { token, ...key } = await makeKey(app, ['read', 'consume'], { name: ' shop ', expires_at: '2027-01-01' });
    expect(key).toEqual({
      id: expect.any(String),
      owner_id: key.id,
      name: 'shop',
      scopes: ['read', 'consume'],
      created_by: 'bootstrap',
      created_at: '2026-01-31T12:00:00.000Z',
      expires_at: '2027-01-01T00:00:00.000Z',
      revoked_at: null,
      last_used_at: null,
    });
    expect(await findInTables(app, token)).toEqual([]);
    expect(await findInTables(app, token.slice(31))).toEqual([]);
    expect((await app.get(`/api-keys/${key.id}`)).body).toEqual(key);
  });

  it('records no answer under an idempotency key, which would keep the key itself', async () => {
    const body = { name: 'twice', scopes: ['read'], idempotency_key: 'make-it' };
    const written = await writtenBy(app, async () => {
      const [one, other] = [await app.post('/api-keys', body), await app.post('/api-keys', body)];
      expect([one.status, other.status]).toEqual([201, 201]);
      expect(one.body.token).not.toBe(other.body.token);
    });
    expect(written).toEqual({ api_keys: 2, audit_records: 2 });
  });

  it('gives no scope that the caller has not', async () => {
    const { token } = await makeKey(app, ['admin', 'read']);
    const answer = await app.post('/api-keys', { name: 'more', scopes: ['read', 'consume', 'grants'] }, bearer(token));
    expectProblem(answer, 403, 'forbidden', '/scopes');
    expect(answer.body.detail).toBe('Your token does not have the scopes consume, grants itself.');
    expect((await app.post('/api-keys', { name: 'same', scopes: ['read'] }, bearer(token))).status).toBe(201);
  });

  it.each([
    [{ name: 'a', scopes: [] }, '/scopes'],
    [{ name: 'a', scopes: ['all'] }, '/scopes/0'],
    [{ name: 'a' }, '/scopes'],
    [{ scopes: ['read'] }, '/name'],
    [{ name: ' ', scopes: ['read'] }, '/name'],
    [{ name: 'a', scopes: ['read'], expires_at: 'soon' }, '/expires_at'],
    [{ name: 'a', scopes: ['read'], token: 'mine' }, '/token'],
  ])('refuses %j', async (body, pointer) => {
    expectProblem(await app.post('/api-keys', body), 400, 'invalid_request', pointer);
  });
});

describe('GET /api-keys', () => {
  it('lists all, newest first, in pages, never a key itself', async () => {
    for (let count = 0; count < 5; count += 1) {
      app.clock.advance({ seconds: 1 });
      await makeKey(app, ['read'], { name: `listed-${count}` });
    }
    const pages = await readPages(app, '/api-keys', 2);
    const rows = pages.flat();
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    expect(rows.slice(0, 5).map(({ name }) => name)).toEqual([4, 3, 2, 1, 0].map((count) => `listed-${count}`));
    expect(JSON.stringify(rows)).not.toMatch(/bur_live_|token/);
  });

  it('answers 404 to an id that no key has', async () => {
    expectProblem(await app.get(`/api-keys/${randomUUID()}`), 404, 'api_key_not_found', 'path/id');
    expectProblem(await app.delete(`/api-keys/${randomUUID()}`), 404, 'api_key_not_found', 'path/id');
    expectProblem(await app.post(`/api-keys/${randomUUID()}/rotate`), 404, 'api_key_not_found', 'path/id');
  });
});

describe('the key of a call', () => {
  it('is recorded with each operation, and noted as used once an hour', async () => {
    const { id, token } = await makeKey(app, ['consume', 'grants']);
    await putProduct(app, 'RECORDED');
    const person = newPerson();
    await grantUnits(app, person, 'RECORDED', 10);
    const use = () => app.post('/quota/consume', { external_id: person, product_key: 'RECORDED' }, bearer(token));
    expect((await use()).status).toBe(200);
    const actors = await app.deps.db.query(
      `SELECT DISTINCT acting_key FROM operations WHERE name = 'quota.consume' ORDER BY 1`,
    );
    expect(actors).toEqual([{ acting_key: id }]);
    const lastUse = async () => (await app.get(`/api-keys/${id}`)).body.last_used_at;
    const untilLastUse = (at: string) =>
      waitFor(`a last use at ${at}`, async () => ((await lastUse()) === at ? true : undefined));
    await untilLastUse('2026-01-31T12:00:00.000Z');
    app.clock.advance({ seconds: 3_599 });
    await use();
    app.clock.advance({ seconds: 1 });
    expect(await lastUse()).toBe('2026-01-31T12:00:00.000Z');
    await use();
    await untilLastUse('2026-01-31T13:00:00.000Z');
  });

  it('counts until its expiry, by the clock, however it was remembered', async () => {
    const { token } = await makeKey(app, ['read'], { expires_at: '2026-01-31T12:00:01Z' });
    const ask = () => app.get('/products', bearer(token));
    expect((await ask()).status).toBe(200);
    app.clock.advance({ ms: 999 });
    expect((await ask()).status).toBe(200);
    app.clock.advance({ ms: 1 });
    const refused = await ask();
    expectProblem(refused, 401, 'unauthenticated');
    expect(refused.body.detail).toBe('The API key has expired.');
  });
});

describe('POST /api-keys of one that would have ended', () => {
  it('is refused', async () => {
    const expires_at = app.clock.now().toISOString();
    const answer = await app.post('/api-keys', { name: 'late', scopes: ['read'], expires_at });
    expectProblem(answer, 400, 'invalid_request', '/expires_at');
  });
});

describe('POST /api-keys/{id}/rotate', () => {
  it('is refused the second time: what came of it would end with the overlap', async () => {
    const { id } = await makeKey(app, ['read'], { name: 'twice' });
    const first = await app.post(`/api-keys/${id}/rotate`, { overlap_seconds: 60 });
    expect(first.status, first.text).toBe(201);
    expectProblem(await app.post(`/api-keys/${id}/rotate`, {}), 409, 'api_key_ended', 'path/id');
    expect((await app.post(`/api-keys/${first.body.id}/rotate`, {})).body.expires_at).toBeNull();
  });

  it('gives another key with the same owner, and the old one counts for the overlap', async () => {
    const old = await makeKey(app, ['read', 'consume'], { name: 'rotated' });
    const answer = await app.post(`/api-keys/${old.id}/rotate`, { overlap_seconds: 60 });
    expect(answer.status, answer.text).toBe(201);
    const { token, ...fresh } = answer.body;
    expect(fresh).toMatchObject({ owner_id: old.id, name: 'rotated', scopes: ['read', 'consume'], expires_at: null });
    expect(fresh.id).not.toBe(old.id);
    expect((await app.get(`/api-keys/${old.id}`)).body.expires_at).toBe('2026-01-31T12:01:00.000Z');
    const ask = async (own: string) => (await app.get('/products', bearer(own))).status;
    expect([await ask(old.token), await ask(token)]).toEqual([200, 200]);
    app.clock.advance({ seconds: 60 });
    expect([await ask(old.token), await ask(token)]).toEqual([401, 200]);
  });

  it('leaves a bulk call its answer: the keys of its owner stay', async () => {
    await putProduct(app, 'BULK');
    const person = newPerson();
    await grantUnits(app, person, 'BULK', 10);
    const old = await makeKey(app, ['consume']);
    const other = await makeKey(app, ['consume']);
    const body = { items: [{ external_id: person, product_key: 'BULK' }], idempotency_key: 'nightly' };
    const call = (token: string) => app.post('/quota/consume/batch', body, bearer(token));
    const first = await call(old.token);
    expect(first.status, first.text).toBe(200);
    const { token } = (await app.post(`/api-keys/${old.id}/rotate`, {})).body;
    const replayed = await call(token);
    expect([replayed.text, replayed.headers['idempotent-replayed']]).toEqual([first.text, 'true']);
    const foreign = await call(other.token);
    expect(foreign.headers['idempotent-replayed']).toBeUndefined();
    expect(foreign.body.results[0].operation_id).not.toBe(first.body.results[0].operation_id);
  });

  it('never lets a key count longer than it was to', async () => {
    const old = await makeKey(app, ['read'], { expires_at: '2026-01-31T12:00:30Z' });
    const { body } = await app.post(`/api-keys/${old.id}/rotate`, { overlap_seconds: 3_600 });
    expect(body.expires_at).toBe('2026-01-31T12:00:30.000Z');
    expect((await app.get(`/api-keys/${old.id}`)).body.expires_at).toBe('2026-01-31T12:00:30.000Z');
  });

  it('is refused of a key that has ended, and of one that allows more than the caller may', async () => {
    const [revoked, expired, large] = [
      await makeKey(app, ['read']),
      await makeKey(app, ['read'], { expires_at: '2026-01-31T12:00:01Z' }),
      await makeKey(app, ['read', 'payments']),
    ];
    await app.delete(`/api-keys/${revoked.id}`);
    app.clock.advance({ seconds: 1 });
    for (const { id } of [revoked, expired])
      expectProblem(await app.post(`/api-keys/${id}/rotate`, {}), 409, 'api_key_ended', 'path/id');
    const { token } = await makeKey(app, ['admin', 'read']);
    const answer = await app.post(`/api-keys/${large.id}/rotate`, {}, bearer(token));
    expectProblem(answer, 403, 'forbidden', 'path/id');
  });

  it.each([[-1], [2_592_001], ['soon']])('refuses an overlap of %j', async (overlap) => {
    const { id } = await makeKey(app, ['read']);
    const answer = await app.post(`/api-keys/${id}/rotate`, { overlap_seconds: overlap });
    expectProblem(answer, 400, 'invalid_request', '/overlap_seconds');
  });
});

describe('DELETE /api-keys/{id}', () => {
  it('works at once in the process that did it, and may be repeated', async () => {
    const { id, token } = await makeKey(app, ['read']);
    expect((await app.get('/products', bearer(token))).status).toBe(200);
    expect((await app.delete(`/api-keys/${id}`)).status).toBe(204);
    const refused = await app.get('/products', bearer(token));
    expectProblem(refused, 401, 'unauthenticated');
    expect(refused.body.detail).toBe('The API key was revoked.');
    const { revoked_at: revokedAt } = (await app.get(`/api-keys/${id}`)).body;
    app.clock.advance({ seconds: 1 });
    expect((await app.delete(`/api-keys/${id}`)).status).toBe(204);
    expect((await app.get(`/api-keys/${id}`)).body.revoked_at).toBe(revokedAt);
  });

  it('works in another process too, which remembers a key for 5 seconds (known-keys.test.ts)', async () => {
    const other = await startTestApp(app.url, app.clock);
    onTestFinished(() => other.close());
    const { id, token } = await makeKey(app, ['read']);
    const askOther = async () => {
      const answer = await other.app.inject({ url: `${BASE_PATH}/products`, headers: bearer(token) });
      return answer.statusCode;
    };
    expect(await askOther()).toBe(200);
    await app.delete(`/api-keys/${id}`);
    await waitFor('the refusal', async () => ((await askOther()) === 401 ? true : undefined));
  });
});

describe('the audit trail', () => {
  it('says who made, rotated and revoked a key, and never what it is', async () => {
    const { id, token } = await makeKey(app, ['read', 'admin'], { name: 'audited' });
    const { body: fresh } = await app.post(`/api-keys/${id}/rotate`, { overlap_seconds: 60 }, bearer(token));
    await app.delete(`/api-keys/${id}`);
    await app.delete(`/api-keys/${id}`);
    const { body } = await app.get(`/audit?subject=${id}`);
    const terms = { owner_id: id, name: 'audited', scopes: ['read', 'admin'] };
    const made = { ...terms, expires_at: null, revoked_at: null };
    const ending = { ...made, expires_at: '2026-01-31T12:01:00.000Z' };
    expect(body.data.map(({ action, key, before, after }: Json) => ({ action, key, before, after }))).toEqual([
      {
        action: 'api_key.updated',
        key: 'bootstrap',
        before: ending,
        after: { ...ending, revoked_at: '2026-01-31T12:00:00.000Z' },
      },
      { action: 'api_key.updated', key: id, before: made, after: ending },
      { action: 'api_key.created', key: 'bootstrap', before: null, after: made },
    ]);
    const [created] = (await app.get(`/audit?subject=${fresh.id}`)).body.data;
    expect(created).toMatchObject({ action: 'api_key.created', key: id, after: made });
  });

  it('says once an hour that a key was tried which counts no longer, or with another secret', async () => {
    const { id, token } = await makeKey(app, ['read']);
    const guessed = makeApiKey(id);
    const tries = async () => {
      for (const tried of [guessed, guessed, token]) await app.get('/products', bearer(tried));
    };
    const refusals = async () => (await app.get(`/audit?subject=${id}&action=api_key.refused`)).body.data;
    const untilRefusals = (count: number) =>
      waitFor(`${count} refusals`, async () => ((await refusals()).length === count ? true : undefined));
    await tries();
    await untilRefusals(1);
    await app.delete(`/api-keys/${id}`);
    await tries();
    await untilRefusals(2);
    expect((await refusals()).map(({ after }: Json) => after)).toEqual([
      { reason: 'revoked' },
      { reason: 'wrong_secret' },
    ]);
    app.clock.advance({ hours: 1 });
    await tries();
    await untilRefusals(4);
  });
});
