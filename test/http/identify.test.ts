// First sights, repeated calls, and the profile that is merged.
import { describe, expect, it } from 'vitest';
import { useTestApp } from '../support/app.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

describe('POST /identify', () => {
  it('creates the customer with the identity on first sight', async () => {
    const answer = await app.post('/identify', { provider: 'telegram', external_id: '4711' });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      customer_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      identity_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      provider: 'telegram',
      external_id: '4711',
      created_customer: true,
      created_identity: true,
      trial_eligible: true,
      metadata: {},
    });
  });

  it('finds the same customer afterwards and writes nothing', async () => {
    const external_id = newPerson();
    const first = await app.post('/identify', { external_id });
    const written = await writtenBy(app, async () => {
      const again = await app.post('/identify', { external_id });
      expect(again.body).toEqual({ ...first.body, created_customer: false, created_identity: false });
    });
    expect(written).toEqual({});
  });

  it('reads a provider in any case and an id with blanks around as the same identity', async () => {
    const external_id = newPerson();
    const first = await app.post('/identify', { provider: 'telegram', external_id });
    const again = await app.post('/identify', { provider: ' TeleGram ', external_id: `  ${external_id}\t` });
    expect(again.body).toMatchObject({ identity_id: first.body.identity_id, created_identity: false });
  });

  it('takes the provider `default` when none is sent, or an empty one', async () => {
    const external_id = newPerson();
    const first = await app.post('/identify', { external_id });
    const again = await app.post('/identify', { provider: '', external_id });
    expect(first.body.provider).toBe('default');
    expect(again.body.customer_id).toBe(first.body.customer_id);
  });

  it('tells identities apart that differ in case or provider', async () => {
    const external_id = newPerson();
    const bodies = [{ external_id }, { external_id: external_id.toUpperCase() }, { provider: 'email', external_id }];
    const answers = await Promise.all(bodies.map((body) => app.post('/identify', body)));
    expect(new Set(answers.map((answer) => answer.body.customer_id)).size).toBe(3);
  });

  it('reads an integer as its digits, up to 2^53-1', async () => {
    const first = await app.post('/identify', { external_id: 9007199254740991 });
    const again = await app.post('/identify', { external_id: '9007199254740991' });
    expect(first.body.external_id).toBe('9007199254740991');
    expect(again.body.customer_id).toBe(first.body.customer_id);
  });

  it('refuses an integer that JSON readers round', async () => {
    const answer = await app.post('/identify', { external_id: 9007199254740992 });
    expectProblem(answer, 400, 'invalid_request', '/external_id');
    expect(answer.body.errors[0].message).toContain('send it as a string');
  });

  it('merges a profile into the known one', async () => {
    const external_id = newPerson();
    await app.post('/identify', { external_id, profile: { name: 'Ada', language: 'en' } });
    const answer = await app.post('/identify', { external_id, profile: { language: 'de', age: 36 } });
    expect(answer.body.metadata).toEqual({ name: 'Ada', language: 'de', age: 36 });
  });

  it.each([
    ['without a profile', {}],
    ['with a profile of null', { profile: null }],
  ])('keeps and shows what is known when called %s', async (_case, more) => {
    const external_id = newPerson();
    await app.post('/identify', { external_id, profile: { name: 'Ada' } });
    const written = await writtenBy(app, async () => {
      const answer = await app.post('/identify', { external_id, ...more });
      expect(answer.body.metadata).toEqual({ name: 'Ada' });
    });
    expect(written).toEqual({});
  });

  it('keeps profiles of two identities apart', async () => {
    const external_id = newPerson();
    await app.post('/identify', { provider: 'one', external_id, profile: { name: 'Ada' } });
    const answer = await app.post('/identify', { provider: 'two', external_id, profile: { age: 36 } });
    expect(answer.body.metadata).toEqual({ age: 36 });
  });

  it('keeps a merged profile within the bounds of one', async () => {
    const external_id = newPerson();
    const half = 'x'.repeat(10 * 1_024);
    await app.post('/identify', { external_id, profile: { one: half } });
    const answer = await app.post('/identify', { external_id, profile: { other: half } });
    expectProblem(answer, 400, 'invalid_request', '/profile');
    expect((await app.post('/identify', { external_id })).body.metadata).toEqual({ one: half });
  });

  it('creates one customer of two first sights at once', async () => {
    const external_id = newPerson();
    const written = await writtenBy(app, async () => {
      const answers = await Promise.all([1, 2].map(() => app.post('/identify', { external_id })));
      expect(answers.map((answer) => answer.body.created_customer).sort()).toEqual([false, true]);
      expect(answers[1]?.body.customer_id).toBe(answers[0]?.body.customer_id);
    });
    expect(written).toEqual({ customers: 1, identities: 1 });
  });

  it('merges both of two profiles that come at once', async () => {
    const external_id = newPerson();
    await Promise.all([{ a: 1 }, { b: 2 }].map((profile) => app.post('/identify', { external_id, profile })));
    const answer = await app.post('/identify', { external_id });
    expect(answer.body.metadata).toEqual({ a: 1, b: 2 });
  });

  it('lets two people use the same key', async () => {
    const answers = await Promise.all(
      [newPerson(), newPerson()].map((external_id) => app.post('/identify', { external_id, idempotency_key: 'k' })),
    );
    expect(answers.map((answer) => answer.body.created_customer)).toEqual([true, true]);
  });

  it.each([
    ['no external_id', {}, '/external_id'],
    ['a profile that is no object', { external_id: 'x', profile: 'Ada' }, '/profile'],
    ['a profile that is a list', { external_id: 'x', profile: [] }, '/profile'],
    ['a provider that is a number', { external_id: 'x', provider: 7 }, '/provider'],
    ['a provider of 65 characters', { external_id: 'x', provider: 'p'.repeat(65) }, '/provider'],
  ])('refuses %s', async (_case, body, pointer) => {
    expectProblem(await app.post('/identify', body), 400, 'invalid_request', pointer);
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => ({
      path: '/identify',
      body: { external_id: newPerson(), profile: { name: 'Ada' } },
      other: { profile: { name: 'Grace' } },
    }));
  });
});
