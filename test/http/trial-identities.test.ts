// Whom a trial counts for: which identities are looked at, which spellings are one, and what of them is kept.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, TEST_PEPPER, useTestApp } from '../support/app.js';
import { ask, useSecondApp } from '../support/parallel.js';
import { expectProblem, findInTables, newPerson } from '../support/requests.js';
import { claimsOf, claimTrial, putTrialOffers } from '../support/trials.js';

const NEW_PEPPER = 'another-pepper-that-only-tests-use';

const app = useTestApp();
const rotated = useSecondApp(app, undefined, { pepper: `${NEW_PEPPER}, ${TEST_PEPPER}` });
const afterRotation = useSecondApp(app, undefined, { pepper: NEW_PEPPER });

beforeAll(() => putTrialOffers(app));

/** Somebody has had a trial with these identities; then somebody else asks with those. */
async function claimAfter(before: Json, then: Json) {
  expect((await claimTrial(app, newPerson(), { identities: before })).status).toBe(201);
  return claimTrial(app, newPerson(), { identities: then });
}

describe('the identities that a trial counts for', () => {
  it('are those passed in, beside the customer’s own', async () => {
    const external_id = newPerson();
    await claimTrial(app, external_id, {
      identities: { device: 'phone-1', email: 'ada@one.example', payment: 'pm-1' },
    });
    expect(await claimsOf(app, external_id)).toEqual([
      'any customer_id',
      'any default',
      'any device',
      'any email',
      'any payment',
    ]);
  });

  it('can’t be replaced: other identities with the same customer are refused', async () => {
    const external_id = newPerson();
    await claimTrial(app, external_id, { identities: { device: 'phone-2' } });
    const answer = await claimTrial(app, external_id, { identities: { device: 'phone-3', default: 'somebody' } });
    expectProblem(answer, 409, 'trial_already_used');
    expect(answer.body.identity_type).toBe('customer_id');
  });

  it('refuse another customer by one that they share, and name its type', async () => {
    const answer = await claimAfter({ device: 'phone-4', payment: 'pm-4' }, { device: 'phone-5', payment: 'pm-4' });
    expectProblem(answer, 409, 'trial_already_used');
    expect(answer.body.identity_type).toBe('payment');
  });

  it('are told apart by their type', async () => {
    expect((await claimAfter({ device: 'same-value' }, { payment: 'same-value' })).status).toBe(201);
  });

  it('are all of the customer’s own, those linked later too', async () => {
    const external_id = newPerson();
    const { body } = await app.post('/identify', { external_id });
    await app.post(`/customers/${body.customer_id}/identities`, { provider: 'telegram', external_id: 'linked-1' });
    await claimTrial(app, external_id);
    const answer = await claimTrial(app, newPerson(), { identities: { telegram: 'linked-1' } });
    expect(answer.body.identity_type).toBe('telegram');
  });

  it('count when one is somebody’s own and the other was passed in', async () => {
    await app.post('/grants', { provider: 'vk', external_id: '77', grant_type: 'trial', sku: 'SAMPLE' });
    const answer = await claimTrial(app, newPerson(), { identities: { vk: '77' } });
    expect(answer.body.identity_type).toBe('vk');
  });

  it('stay used when the customer gives one back and comes again with it', async () => {
    const external_id = newPerson();
    const { body } = await app.post('/identify', { external_id });
    await claimTrial(app, external_id);
    await app.delete(`/customers/${body.customer_id}/identities/default/${external_id}`);
    const answer = await claimTrial(app, external_id);
    expectProblem(answer, 409, 'trial_already_used');
    expect(answer.body.identity_type).toBe('default');
  });

  it('leave those out that are null', async () => {
    const external_id = newPerson();
    await claimTrial(app, external_id, { identities: { device: null } });
    expect(await claimsOf(app, external_id)).toEqual(['any customer_id', 'any default']);
  });

  it('read an integer as its digits', async () => {
    expect((await claimAfter({ device: 4711 }, { device: '4711' })).body.identity_type).toBe('device');
  });

  it('count each, when two types differ in case or blanks only', async () => {
    await claimTrial(app, newPerson(), { identities: { card: 'visa-1', ' card ': 'visa-2', Card: 'visa-3' } });
    for (const card of ['visa-1', 'visa-2', 'visa-3']) {
      const answer = await claimTrial(app, newPerson(), { identities: { card } });
      expectProblem(answer, 409, 'trial_already_used');
    }
  });

  it('are at most 20', async () => {
    const identities = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`kind-${index}`, 'twenty']));
    const external_id = newPerson();
    expect((await claimTrial(app, external_id, { identities })).status).toBe(201);
    expect(await claimsOf(app, external_id)).toHaveLength(22);
  });
});

describe('spellings of one identity', () => {
  it.each([
    ['another case', { device: 'Serial-1A' }, { device: 'serial-1a' }],
    ['blanks around', { device: 'serial-2' }, { device: ' serial-2\t' }],
    ['a type in another case', { device: 'serial-3' }, { ' Device ': 'serial-3' }],
    ['an address in another case', { email: 'Cy@Mail.Example' }, { email: 'cy@mail.example' }],
    ['a sub-address', { email: 'dee+shop@mail.example' }, { email: 'dee@mail.example' }],
    ['another sub-address', { email: 'eve+a@mail.example' }, { email: 'eve+b+c@mail.example' }],
    ['dots where the provider ignores them', { email: 'f.a.y@gmail.com' }, { email: 'fay@gmail.com' }],
    ['the provider’s other name', { email: 'gil@googlemail.com' }, { email: 'g.il+x@gmail.com' }],
    ['e-mail by its other name', { 'e-mail': 'hal@mail.example' }, { email: 'HAL+1@mail.example' }],
  ])('are one: %s', async (_case, before, then) => {
    const answer = await claimAfter(before, then);
    expectProblem(answer, 409, 'trial_already_used');
    expect(answer.body.identity_type).toBe(Object.keys(before)[0] === 'device' ? 'device' : 'email');
  });

  it.each([
    ['dots where they mean something', { email: 'i.vy@mail.example' }, { email: 'ivy@mail.example' }],
    ['another domain', { email: 'jo@one.example' }, { email: 'jo@two.example' }],
    ['a plus in what is no address', { device: 'kim+1' }, { device: 'kim' }],
    ['a sub-address and nothing before it', { email: '+a@mail.example' }, { email: '+b@mail.example' }],
    ['no address at all', { email: 'not an address' }, { email: 'not an addres' }],
  ])('are two: %s', async (_case, before, then) => {
    expect((await claimAfter(before, then)).status).toBe(201);
  });
});

describe('what is kept of an identity', () => {
  const identities = { device: 'SECRET-device-91', email: 'Secret.Person+x@gmail.com', payment: 'secret-card-4242' };
  const values = ['SECRET-device-91', 'Secret.Person', 'secretperson', 'gmail.com', 'secret-card-4242'];

  it('is in no table, neither as it was sent nor normalised', async () => {
    const marker = newPerson();
    const answer = await claimTrial(app, marker, {
      identities,
      idempotency_key: 'secret',
      metadata: { kept: 'kept-91' },
    });
    expect(answer.status).toBe(201);
    expect(await findInTables(app, 'kept-91')).toEqual(['batches', 'entries', 'operations']);
    for (const value of values) expect(await findInTables(app, value)).toEqual([]);
  });

  it('is not in the answer, and a refusal names the type and never the value', async () => {
    const answer = await claimAfter({ device: 'SECRET-device-92' }, { device: 'secret-device-92' });
    expectProblem(answer, 409, 'trial_already_used');
    expect(answer.body.identity_type).toBe('device');
    expect(answer.text.toLowerCase()).not.toContain('secret-device');
  });

  it('depends on the pepper in every column, so that nobody without it can try values out', async () => {
    const body = {
      identities: { email: 'guessable@mail.example' },
      override: true,
      reason: 'x',
      idempotency_key: 'guess',
    };
    const people = [newPerson(), newPerson()];
    await claimTrial(app, people[0] as string, body);
    await claimTrial(afterRotation, people[1] as string, body);
    const hashes = await ask(
      app.url,
      `SELECT encode(request_hash, 'hex') AS request_hash FROM idempotency_records o JOIN identities i USING (customer_id) WHERE i.external_id = ANY ($1)`,
      [people],
    );
    expect(hashes).toHaveLength(2);
    expect(hashes[0]?.request_hash).not.toBe(hashes[1]?.request_hash);
  });

  it('tells nothing when two tables are compared: the same value hashes differently for each type', async () => {
    await claimTrial(app, newPerson(), { identities: { device: 'twin-1', payment: 'twin-1' } });
    const [row] = await ask(
      app.url,
      `SELECT count(*)::int AS claims, count(DISTINCT identity_hash)::int AS hashes FROM trial_uses
       WHERE operation_id = (SELECT max(operation_id::text)::uuid FROM trial_uses)`,
    );
    expect(row).toEqual({ claims: 4, hashes: 4 });
  });
});

describe('a new pepper', () => {
  it('put before the old one still knows what the old one claimed', async () => {
    expect((await claimTrial(app, newPerson(), { identities: { device: 'rotation-1' } })).status).toBe(201);
    const answer = await claimTrial(rotated, newPerson(), { identities: { device: 'rotation-1' } });
    expectProblem(answer, 409, 'trial_already_used');
    expect(answer.body.identity_type).toBe('device');
  });

  it('claims under both, so that it knows the claim when the old one is gone', async () => {
    const external_id = newPerson();
    await claimTrial(rotated, external_id, { identities: { device: 'rotation-2' } });
    expect(await claimsOf(app, external_id)).toHaveLength(6);
    for (const client of [app, afterRotation]) {
      const answer = await claimTrial(client, newPerson(), { identities: { device: 'rotation-2' } });
      expectProblem(answer, 409, 'trial_already_used');
    }
  });

  it('says what identify says, before and after', async () => {
    const external_id = newPerson();
    await claimTrial(app, external_id);
    expect((await rotated.post('/identify', { external_id })).body.trial_eligible).toBe(false);
  });

  it('lets one of two through who claim at once under different sets', async () => {
    for (let round = 0; round < 10; round += 1) {
      const identities = { device: `rotation-round-${round}` };
      const answers = await Promise.all(
        [app, rotated].map((client) => claimTrial(client, newPerson(), { identities })),
      );
      expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409]);
    }
  });

  it('stands beside each hash by an id that does not tell it', async () => {
    await claimTrial(rotated, newPerson());
    const rows = await ask(app.url, 'SELECT DISTINCT pepper_id FROM trial_uses');
    expect(rows).toHaveLength(2);
    for (const pepper of [TEST_PEPPER, NEW_PEPPER]) expect(await findInTables(app, pepper)).toEqual([]);
  });
});
