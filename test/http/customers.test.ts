// Customers: search, metadata, and the identities that are linked to them and unlinked.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { customerIdOf, holdCustomers, send, untilWaiting } from '../support/parallel.js';
import { expectProblem, itNeedsAToken, newPerson, readPages, writtenBy } from '../support/requests.js';

const UNKNOWN_ID = '01900000-0000-7000-8000-000000000000';

const app = useTestApp();

beforeAll(() => putProduct(app, 'CREDITS'));

const newCustomer = () => customerIdOf(app, newPerson());
const link = (customerId: string, body: Json, headers: Record<string, string> = {}) =>
  app.post(`/customers/${customerId}/identities`, body, headers);
const unlink = (customerId: string, provider: string, externalId: string) =>
  app.delete(`/customers/${customerId}/identities/${provider}/${encodeURIComponent(externalId)}`);

describe('GET /customers/{id}', () => {
  it('shows the customer with all identities, oldest first', async () => {
    const external_id = newPerson();
    const { body } = await app.post('/identify', { external_id, profile: { name: 'Ada' } });
    app.clock.advance({ seconds: 1 });
    const linked = await link(body.customer_id, { provider: 'telegram', external_id: 4_242, profile: { tg: true } });
    const answer = await app.get(`/customers/${body.customer_id}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      id: body.customer_id,
      metadata: {},
      created_at: '2026-01-31T12:00:00.000Z',
      erased_at: null,
      identities: [
        {
          identity_id: body.identity_id,
          provider: 'default',
          external_id,
          profile: { name: 'Ada' },
          created_at: '2026-01-31T12:00:00.000Z',
        },
        {
          identity_id: linked.body.identity_id,
          provider: 'telegram',
          external_id: '4242',
          profile: { tg: true },
          created_at: '2026-01-31T12:00:01.000Z',
        },
      ],
    });
  });

  it('takes the id in any case', async () => {
    const id = await newCustomer();
    expect((await app.get(`/customers/${id.toUpperCase()}`)).body.id).toBe(id);
  });

  it('does not know an id that nobody has', async () => {
    expectProblem(await app.get(`/customers/${UNKNOWN_ID}`), 404, 'customer_not_found', 'path/id');
  });

  it('refuses an id that is none', async () => {
    expectProblem(await app.get('/customers/ada'), 400, 'invalid_request', 'path/id');
  });

  itNeedsAToken(app, 'get', `/customers/${UNKNOWN_ID}`);
});

describe('GET /customers', () => {
  it('finds the one behind an identity, however that is written', async () => {
    const id = await newCustomer();
    await link(id, { provider: 'telegram', external_id: 'find me/ä' });
    const answer = await app.get(`/customers?provider=TELEGRAM&external_id=${encodeURIComponent(' find me/ä ')}`);
    expect(answer.body.next_cursor).toBeNull();
    expect(answer.body.data.map((customer: Json) => customer.id)).toEqual([id]);
  });

  it('finds nobody where nobody is, and creates nobody', async () => {
    const written = await writtenBy(app, async () => {
      const answer = await app.get(`/customers?provider=telegram&external_id=${newPerson()}`);
      expect(answer.body).toEqual({ data: [], next_cursor: null });
    });
    expect(written).toEqual({});
  });

  it('lists the newest first', async () => {
    app.clock.advance({ days: 1 });
    const earlier = await newCustomer();
    app.clock.advance({ seconds: 1 });
    const later = await newCustomer();
    const answer = await app.get('/customers?limit=2');
    expect(answer.body.data.map((customer: Json) => customer.id)).toEqual([later, earlier]);
  });

  it('pages through customers of one instant, each once', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, newCustomer));
    const pages = await readPages(app, '/customers', 3);
    const seen = pages.flat().map((customer) => customer.id);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(ids));
    expect(pages.slice(0, -1).every((page) => page.length === 3)).toBe(true);
  });

  it.each([
    ['a limit of 201', 'limit=201', 'query/limit'],
    ['a cursor of its own making', 'cursor=abc', 'query/cursor'],
    ['an empty external id', 'external_id=', 'query/external_id'],
    ['a parameter it does not know', 'email=a', 'query/email'],
  ])('refuses %s', async (_case, query, pointer) => {
    expectProblem(await app.get(`/customers?${query}`), 400, 'invalid_request', pointer);
  });

  itNeedsAToken(app, 'get', '/customers');
});

describe('PATCH /customers/{id}', () => {
  it('replaces the metadata', async () => {
    const id = await newCustomer();
    await app.patch(`/customers/${id}`, { metadata: { tier: 'gold', since: 2024 } });
    const answer = await app.patch(`/customers/${id}`, { metadata: { tier: 'silver' } });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ id, metadata: { tier: 'silver' }, identities: [{ provider: 'default' }] });
    expect((await app.get(`/customers/${id}`)).body).toEqual(answer.body);
  });

  it('leaves the last of two at once, whole', async () => {
    const id = await newCustomer();
    const all = [{ a: 1 }, { b: 2 }];
    await Promise.all(all.map((metadata) => app.patch(`/customers/${id}`, { metadata })));
    expect(all).toContainEqual((await app.get(`/customers/${id}`)).body.metadata);
  });

  it('does not know an id that nobody has', async () => {
    const answer = await app.patch(`/customers/${UNKNOWN_ID}`, { metadata: {} });
    expectProblem(answer, 404, 'customer_not_found', 'path/id');
  });

  it.each<[string, Json, string]>([
    ['no metadata', {}, '/metadata'],
    ['metadata of null', { metadata: null }, '/metadata'],
    ['metadata that is a list', { metadata: [] }, '/metadata'],
    ['metadata above 16 KiB', { metadata: { text: 'x'.repeat(16_384) } }, '/metadata'],
    ['text that can’t be stored', { metadata: { a: 'a\0b' } }, '/metadata/a'],
    ['a field it does not know', { metadata: {}, name: 'Ada' }, '/name'],
  ])('refuses %s', async (_case, body, pointer) => {
    const id = await newCustomer();
    const written = await writtenBy(app, async () => {
      expectProblem(await app.patch(`/customers/${id}`, body), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  itNeedsAToken(app, 'patch', `/customers/${UNKNOWN_ID}`);
});

describe('POST /customers/{id}/identities', () => {
  it('links an identity that from then on names the customer', async () => {
    const [id, external_id] = [await newCustomer(), newPerson()];
    const answer = await link(id, { provider: ' Telegram', external_id, profile: { username: 'ada' } });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      created: true,
      customer_id: id,
      identity_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      provider: 'telegram',
      external_id,
      profile: { username: 'ada' },
    });
    const identified = await app.post('/identify', { provider: 'telegram', external_id });
    expect(identified.body).toMatchObject({ customer_id: id, created_customer: false, metadata: { username: 'ada' } });
  });

  it('answers an identity that the customer has as it is, and writes nothing', async () => {
    const [id, external_id] = [await newCustomer(), newPerson()];
    const first = await link(id, { external_id, profile: { first: true } });
    const written = await writtenBy(app, async () => {
      const again = await link(id, { external_id, profile: { first: false } });
      expect(again.status).toBe(200);
      expect(again.body).toEqual({ ...first.body, created: false });
    });
    expect(written).toEqual({});
  });

  it('refuses the identity of another customer, and it stays his', async () => {
    const [id, external_id] = [await newCustomer(), newPerson()];
    const owner = await customerIdOf(app, external_id);
    const written = await writtenBy(app, async () => {
      expectProblem(await link(id, { external_id }), 409, 'identity_taken', '/external_id');
    });
    expect(written).toEqual({});
    expect(await customerIdOf(app, external_id)).toBe(owner);
  });

  it('gives a customer several identities of one provider', async () => {
    const id = await newCustomer();
    for (const external_id of [newPerson(), newPerson()]) {
      expect((await link(id, { provider: 'telegram', external_id })).status).toBe(201);
    }
    expect((await app.get(`/customers/${id}`)).body.identities).toHaveLength(3);
  });

  it('does not know an id that nobody has', async () => {
    expectProblem(await link(UNKNOWN_ID, { external_id: newPerson() }), 404, 'customer_not_found', 'path/id');
  });

  it.each<[string, Json, string]>([
    ['no external id', {}, '/external_id'],
    ['an empty external id', { external_id: ' ' }, '/external_id'],
    ['an external id of 256 characters', { external_id: 'x'.repeat(256) }, '/external_id'],
    ['an external id above 2^53-1', { external_id: 9007199254740992 }, '/external_id'],
    ['a provider of 65 characters', { external_id: 'x', provider: 'p'.repeat(65) }, '/provider'],
    ['a profile that is text', { external_id: 'x', profile: 'x' }, '/profile'],
    ['a field it does not know', { external_id: 'x', metadata: {} }, '/metadata'],
    ['an empty key', { external_id: 'x', idempotency_key: '' }, '/idempotency_key'],
  ])('refuses %s', async (_case, body, pointer) => {
    const id = await newCustomer();
    const written = await writtenBy(app, async () => {
      expectProblem(await link(id, body), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => ({
      path: `/customers/${await newCustomer()}/identities`,
      body: { external_id: newPerson() },
      other: { profile: { other: true } },
    }));
  });

  itNeedsAToken(app, 'post', `/customers/${UNKNOWN_ID}/identities`);
});

describe('DELETE /customers/{id}/identities/{provider}/{external_id}', () => {
  it('unlinks: the customer keeps what he owns, the identity becomes a new customer', async () => {
    const external_id = newPerson();
    const id = await customerIdOf(app, external_id);
    await grantUnits(app, external_id, 'CREDITS', 10);
    const answer = await unlink(id, 'default', external_id);
    expect(answer.status).toBe(204);
    expect(answer.text).toBe('');
    expect((await app.get(`/customers/${id}`)).body.identities).toEqual([]);
    expect((await app.get(`/wallet?customer_id=${id}`)).body.balances).toEqual({ CREDITS: 10 });
    const again = await app.post('/identify', { external_id });
    expect(again.body).toMatchObject({ created_customer: true, created_identity: true });
    expect(again.body.customer_id).not.toBe(id);
    expect((await app.get(`/wallet?external_id=${external_id}`)).body.balances).toEqual({});
  });

  it('makes the identity free for another customer', async () => {
    const [external_id, other] = [newPerson(), await newCustomer()];
    const id = await customerIdOf(app, external_id);
    expectProblem(await link(other, { external_id }), 409, 'identity_taken', '/external_id');
    await unlink(id, 'default', external_id);
    expect((await link(other, { external_id })).status).toBe(201);
    expect(await customerIdOf(app, external_id)).toBe(other);
  });

  it.each(['a/b', 'a b', '100%', 'ä'.repeat(255), '../x', '?x=1#y', '🤖'])(
    'finds the external id %s',
    async (external_id) => {
      const id = await newCustomer();
      expect((await link(id, { provider: 'odd', external_id })).status).toBe(201);
      expect((await unlink(id, 'ODD', external_id)).status).toBe(204);
    },
  );

  it('does not unlink twice', async () => {
    const external_id = newPerson();
    const id = await customerIdOf(app, external_id);
    await unlink(id, 'default', external_id);
    const written = await writtenBy(app, async () => {
      expectProblem(await unlink(id, 'default', external_id), 404, 'identity_not_found', 'path/external_id');
    });
    expect(written).toEqual({});
  });

  it('unlinks once when two come at once', async () => {
    const external_id = newPerson();
    const id = await customerIdOf(app, external_id);
    const answers = await Promise.all([1, 2].map(() => unlink(id, 'default', external_id)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([204, 404]);
  });

  it('takes no identity from another customer, nor of another provider', async () => {
    const external_id = newPerson();
    const owner = await customerIdOf(app, external_id);
    const other = await newCustomer();
    expectProblem(await unlink(other, 'default', external_id), 404, 'identity_not_found', 'path/external_id');
    expectProblem(await unlink(owner, 'telegram', external_id), 404, 'identity_not_found', 'path/external_id');
    expect(await customerIdOf(app, external_id)).toBe(owner);
  });

  it('does not know an id that nobody has', async () => {
    expectProblem(await unlink(UNKNOWN_ID, 'default', 'x'), 404, 'customer_not_found', 'path/id');
  });

  itNeedsAToken(app, 'delete', `/customers/${UNKNOWN_ID}/identities/default/x`);
});

describe('POST /identify while its identity is unlinked', () => {
  it('answers with the customer that it wrote to', async () => {
    const external_id = newPerson();
    const before = await customerIdOf(app, external_id);
    const held = await holdCustomers(app.url, before);
    const pending = send(app.post('/identify', { external_id, profile: { name: 'Ada' } }));
    await untilWaiting(app.url, 1);
    await held.query('DELETE FROM identities WHERE customer_id = $1', [before]);
    await held.commit();
    const answer = await pending;
    const known = await app.get(`/customers?external_id=${external_id}`);
    expect(known.body.data).toMatchObject([{ identities: [{ profile: { name: 'Ada' } }] }]);
    expect(answer.body).toMatchObject({
      customer_id: known.body.data[0].id,
      identity_id: known.body.data[0].identities[0].identity_id,
      created_customer: true,
      created_identity: true,
    });
  });
});
