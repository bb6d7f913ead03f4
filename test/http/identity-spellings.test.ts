// One person by several spellings of an external id: found exactly first, then by composition (NFC), of e-mail addresses without case. New ones are
// stored in the form that all spellings share, so that the first of several at once is the only one.
import { beforeAll, describe, expect, it } from 'vitest';
import { listAlikeIdentities } from '../../src/db/alike-identities.js';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import { ask } from '../support/parallel.js';
import { expectProblem, newPerson } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'STARS', { is_currency: true });
});

/** A name in both compositions. */
function newName(): { composed: string; decomposed: string } {
  const composed = `zo\u00e9-${newPerson()}`;
  return { composed, decomposed: composed.normalize('NFD') };
}

const customersOf = async (...externalIds: string[]): Promise<number> => {
  const [row] = await ask(
    app.url,
    'SELECT count(DISTINCT customer_id)::int AS customers FROM identities WHERE external_id = ANY ($1)',
    [externalIds],
  );
  return row?.customers as number;
};

describe.each([
  ['composed', 'decomposed'],
  ['decomposed', 'composed'],
] as const)('somebody who is stored %s and comes %s', (stored, asked) => {
  it('is the same for every read and write', async () => {
    const name = newName();
    const [first, then] = [name[stored], name[asked]];
    await grantUnits(app, first, 'CREDITS', 10);
    expect((await app.post('/quota/consume', { external_id: then, product_key: 'CREDITS' })).body.remaining).toBe(9);
    expect((await app.get(`/balance?product_key=CREDITS&external_id=${encodeURIComponent(then)}`)).body.remaining).toBe(
      9,
    );
    expect((await app.get(`/wallet?external_id=${encodeURIComponent(then)}`)).body.balances).toEqual({ CREDITS: 9 });
    const items = [first, then].map((external_id) => ({ external_id, product_key: 'CREDITS' }));
    for (const mode of ['continue', 'atomic']) {
      expect((await app.post('/quota/consume/batch', { items, mode })).body.results).toMatchObject([
        { allowed: true },
        { allowed: true },
      ]);
    }
    expect((await app.get(`/wallet?external_id=${encodeURIComponent(first)}`)).body.balances).toEqual({ CREDITS: 5 });
    expect(await customersOf(first, then)).toBe(1);
  });

  it('is told by the spelling that is stored, which is composed, with one profile', async () => {
    const name = newName();
    const { body: first } = await app.post('/identify', { external_id: name[stored], profile: { a: 1 } });
    const { body: then } = await app.post('/identify', { external_id: name[asked], profile: { b: 2 } });
    expect(then).toMatchObject({
      customer_id: first.customer_id,
      identity_id: first.identity_id,
      external_id: name.composed,
      created_customer: false,
      created_identity: false,
      metadata: { a: 1, b: 2 },
    });
  });

  it('is replayed and charged once under one key', async () => {
    const name = newName();
    await grantUnits(app, name[stored], 'CREDITS', 10);
    const body = { product_key: 'CREDITS', amount: 3, idempotency_key: 'k' };
    const first = await app.post('/quota/consume', { ...body, external_id: name[stored] });
    const again = await app.post('/quota/consume', { ...body, external_id: name[asked] });
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([first.text, 'true']);
  });

  it('is linked, looked for and unlinked as one', async () => {
    const name = newName();
    const { body: owner } = await app.post('/identify', { external_id: name[stored] });
    const { body: other } = await app.post('/identify', { external_id: newPerson() });
    const link = { external_id: name[asked] };
    expectProblem(await app.post(`/customers/${other.customer_id}/identities`, link), 409, 'identity_taken');
    const again = await app.post(`/customers/${owner.customer_id}/identities`, link);
    expect([again.status, again.body.created, again.body.external_id]).toEqual([200, false, name.composed]);
    const query = `external_id=${encodeURIComponent(name[asked])}`;
    expect((await app.get(`/customers?${query}`)).body.data).toMatchObject([{ id: owner.customer_id }]);
    const both = await app.get(`/wallet?customer_id=${owner.customer_id}&${query}`);
    expect(both.status).toBe(200);
    const path = `/customers/${owner.customer_id}/identities/default/${encodeURIComponent(name[asked])}`;
    expect((await app.delete(path)).status).toBe(204);
    expect((await app.get(`/customers?${query}`)).body.data).toEqual([]);
  });
});

describe('somebody who is seen first in several spellings at once', () => {
  const SPELLINGS = [
    ['default', () => Object.values(newName())],
    [
      'email',
      () => {
        const name = `${newPerson()}@once.example`;
        return [name, name.toUpperCase()];
      },
    ],
  ] as const;
  it.each(SPELLINGS)('is one, and credited once under one key (%s)', async (provider, newSpellings) => {
    const people = Array.from({ length: 8 }, () => newSpellings());
    const added = await Promise.all(
      people.flatMap((spellings) =>
        spellings.map((external_id) =>
          app.post('/credits/add', { provider, external_id, product_key: 'STARS', amount: 10, idempotency_key: 'k' }),
        ),
      ),
    );
    expect(new Set(added.map(({ text }) => text)).size).toBe(people.length);
    expect(await customersOf(...people.flat())).toBe(people.length);
  });

  it.each(SPELLINGS)('is one for operations that run alone (%s)', async (provider, newSpellings) => {
    const spellings = newSpellings();
    const seen = await Promise.all(
      [...spellings, ...spellings].map((external_id) =>
        app.post('/identify', { provider, external_id, profile: { a: 1 } }),
      ),
    );
    expect(new Set(seen.map(({ body }) => body.customer_id)).size).toBe(1);
    expect(await customersOf(...spellings)).toBe(1);
  });

  it.each(['continue', 'atomic'])('is one for a bulk call (%s)', async (mode) => {
    const spellings = Object.values(newName());
    const items = spellings.map((external_id) => ({ external_id, product_key: 'CREDITS' }));
    await app.post('/quota/consume/batch', { items, mode });
    const seen = await Promise.all(spellings.map((external_id) => app.post('/identify', { external_id })));
    expect(new Set(seen.map(({ body }) => body.customer_id)).size).toBe(1);
  });

  it('is linked to one customer', async () => {
    const owners = await Promise.all(
      [newPerson(), newPerson()].map((id) => app.post('/identify', { external_id: id })),
    );
    const spellings = Object.values(newName());
    const linked = await Promise.all(
      owners.map(({ body }, index) =>
        app.post(`/customers/${body.customer_id}/identities`, { external_id: spellings[index] }),
      ),
    );
    expect(linked.map(({ status }) => status).sort()).toEqual([201, 409]);
  });
});

describe('case', () => {
  it('does not matter in an e-mail address', async () => {
    const stored = { provider: 'email', external_id: 'ada@case.example' };
    const { body } = await app.post('/identify', stored);
    const asked = { provider: 'Email', external_id: 'Ada@Case.Example' };
    expect((await app.post('/identify', asked)).body).toMatchObject({
      customer_id: body.customer_id,
      external_id: 'ada@case.example',
    });
    expect((await app.get(`/wallet?provider=email&external_id=${asked.external_id}`)).status).toBe(200);
  });

  it.each(['ada@stored.example', 'ADA@STORED.EXAMPLE', 'aDA@Stored.Example'])(
    'does not matter where one is first seen in upper case and %s is asked',
    async (external_id) => {
      const { body } = await app.post('/identify', { provider: 'email', external_id: 'Ada@Stored.Example' });
      expect((await app.post('/identify', { provider: 'email', external_id })).body).toMatchObject({
        customer_id: body.customer_id,
        external_id: 'ada@stored.example',
        created_customer: false,
      });
    },
  );

  it('of a stored address does not matter for a key after it moved', async () => {
    const [stored, asked] = ['Ada@Moved.Example', 'ada@moved.example'];
    await app.post('/grants', {
      provider: 'email',
      external_id: stored,
      grant_type: 'bonus',
      product_key: 'CREDITS',
      quantity: 10,
    });
    const consume = () =>
      app.post('/quota/consume', {
        provider: 'email',
        external_id: asked,
        product_key: 'CREDITS',
        idempotency_key: 'k',
      });
    const first = await consume();
    const { body: owner } = await app.post('/identify', { provider: 'email', external_id: stored });
    expect((await app.delete(`/customers/${owner.customer_id}/identities/email/${stored}`)).status).toBe(204);
    expect((await consume()).text).toBe(first.text);
  });

  it('matters everywhere else', async () => {
    const { body: lower } = await app.post('/identify', { external_id: 'ada-of-case' });
    const { body: upper } = await app.post('/identify', { external_id: 'Ada-Of-Case' });
    expect(upper.customer_id).not.toBe(lower.customer_id);
  });
});

describe('two customers whose ids collide', () => {
  /** Identities were stored as they were spelled before. */
  const giveSpelling = (externalId: string, customerId: string) =>
    ask(
      app.url,
      `INSERT INTO identities (provider, external_id, id, customer_id, created_at, updated_at)
       VALUES ('default', $1, gen_random_uuid(), $2, $3, $3)`,
      [externalId, customerId, app.clock.now()],
    );

  async function collide(): Promise<{ composed: string; decomposed: string; older: string; younger: string }> {
    const name = newName();
    const { body: older } = await app.post('/identify', { external_id: newPerson() });
    const { body: younger } = await app.post('/identify', { external_id: newPerson() });
    await giveSpelling(name.decomposed, older.customer_id);
    app.clock.advance({ seconds: 1 });
    await giveSpelling(name.composed, younger.customer_id);
    return { ...name, older: older.customer_id, younger: younger.customer_id };
  }

  it('answer each to their own spelling', async () => {
    const { composed, decomposed, older, younger } = await collide();
    expect((await app.post('/identify', { external_id: decomposed })).body.customer_id).toBe(older);
    expect((await app.post('/identify', { external_id: composed })).body.customer_id).toBe(younger);
  });

  it('are the older for any other', async () => {
    const composed = `\u1e69-${newPerson()}`;
    const [first, second] = [composed.normalize('NFD'), composed];
    const { body: older } = await app.post('/identify', { external_id: newPerson() });
    const { body: younger } = await app.post('/identify', { external_id: newPerson() });
    await giveSpelling(first, older.customer_id);
    app.clock.advance({ seconds: 1 });
    await giveSpelling(second, younger.customer_id);
    const third = composed.replace('\u1e69', 's\u0307\u0323');
    const asked = await app.get(`/customers?external_id=${encodeURIComponent(third)}`);
    expect(asked.body.data).toMatchObject([{ id: older.customer_id }]);
  });

  it('are listed, the older first', async () => {
    const { older, younger } = await collide();
    const listed = await listAlikeIdentities(app.deps.db, {});
    expect(listed).toContainEqual({ provider: 'default', customerIds: [older, younger] });
    expect(await listAlikeIdentities(app.deps.db, { customerId: younger })).toEqual([
      { provider: 'default', customerIds: [older, younger] },
    ]);
  });
});
