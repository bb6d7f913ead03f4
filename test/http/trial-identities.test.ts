// Whom a trial counts for: which identities are looked at, which spellings are one, and what of them is kept.
import { beforeAll, describe, expect, it } from 'vitest';
import { readPeppers } from '../../src/ledger/trials.js';
import { keyedHash } from '../../src/lib/keyed-hash.js';
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
    expect(answer.body.identity_type).toBe('default');
  });

  it('name the kind by which somebody is known, not our id of him', async () => {
    const person = { provider: 'telegram', external_id: newPerson(), grant_type: 'trial', sku: 'SAMPLE' };
    expect((await app.post('/grants', person)).status).toBe(201);
    const again = await app.post('/grants', { ...person, identities: { device: 'phone-6' } });
    expect(again.body.identity_type).toBe('telegram');
  });

  it('name our id when it is all that is left of the customer', async () => {
    const external_id = newPerson();
    const { body } = await app.post('/identify', { external_id });
    await claimTrial(app, external_id);
    await app.delete(`/customers/${body.customer_id}/identities/default/${external_id}`);
    const byId = {
      customer_id: body.customer_id,
      grant_type: 'trial',
      sku: 'SAMPLE',
      identities: { device: 'phone-7' },
    };
    expect((await app.post('/grants', byId)).body.identity_type).toBe('customer_id');
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
    ['letters composed and decomposed', { email: 'zo\u00e9@mail.example' }, { email: 'zoe\u0301@mail.example' }],
    ['the same of what is no address', { device: 'caf\u00e9-1' }, { device: 'cafe\u0301-1' }],
    ['full-width letters', { email: '\uff4c\uff45\uff4f@mail.example' }, { email: 'leo@mail.example' }],
    ['a full-width at sign', { email: 'liv\uff20mail.example' }, { email: 'liv@mail.example' }],
    ['full-width digits', { device: 'serial-\uff14\uff12' }, { device: 'serial-42' }],
    ['digits of another script', { device: 'serial-\u0664\u0663' }, { device: 'serial-43' }],
    ['a zero-width space', { email: 'max\u200b@mail.example' }, { email: 'max@mail.example' }],
    ['a soft hyphen in the domain', { email: 'mel@ma\u00adil.example' }, { email: 'mel@mail.example' }],
    ['a mark of direction', { device: '\u202eserial-5\u202c' }, { device: 'serial-5' }],
    ['a variation selector', { device: 'serial-6\ufe0f' }, { device: 'serial-6' }],
    ['capitals beyond ASCII', { email: 'STRA\u1e9eE@mail.example' }, { email: 'stra\u00dfe@mail.example' }],
    ['an international domain', { email: 'ned@m\u00fcnchen.example' }, { email: 'ned@xn--mnchen-3ya.example' }],
    ['an ideographic stop', { email: 'nia@mail\u3002example' }, { email: 'nia@mail.example' }],
    ['a trailing dot', { email: 'oda@mail.example.' }, { email: 'oda@mail.example' }],
    ['a trailing dot where dots mean nothing', { email: 'o.rla@gmail.com.' }, { email: 'orla@gmail.com' }],
    ['a quoted local part', { email: '"pam"@mail.example' }, { email: 'pam@mail.example' }],
    ['a quoted sub-address', { email: '"pia+x"@mail.example' }, { email: 'pia@mail.example' }],
    ['an escaped letter', { email: '"p\\im"@mail.example' }, { email: 'pim@mail.example' }],
    ['a name before it', { email: 'Quin <quin@mail.example>' }, { email: 'quin@mail.example' }],
    ['its link', { email: 'mailto:rae@mail.example' }, { email: 'rae@mail.example' }],
    ['blanks around the at sign', { email: 'roy @ mail.example' }, { email: 'roy@mail.example' }],
    ['e-mail as mail', { mail: 'sam@mail.example' }, { email: 'sam@mail.example' }],
    ['e-mail as e_mail', { e_mail: 'sue@mail.example' }, { email: 'sue@mail.example' }],
    ['e-mail as user_email', { user_email: 'tim@mail.example' }, { email: 'tim@mail.example' }],
    ['e-mail as userEmail', { userEmail: 'tom@mail.example' }, { mail: 'tom@mail.example' }],
    ['e-mail as an address', { 'E-Mail Address': 'uma@mail.example' }, { email: 'uma@mail.example' }],
    [
      'e-mail in full-width letters',
      { '\uff45\uff4d\uff41\uff49\uff4c': 'una@mail.example' },
      { email: 'una@mail.example' },
    ],
  ])('are one: %s', async (_case, before, then) => {
    const answer = await claimAfter(before, then);
    expectProblem(answer, 409, 'trial_already_used');
    expect(answer.body.identity_type).toBe(Object.keys(before)[0]?.toLowerCase() === 'device' ? 'device' : 'email');
  });

  it.each([
    ['an exit code', '+1 202 555 0101', '001 202 555 0101'],
    ['an exit code of North America', '+44 20 7946 0102', '011 44 20 7946 0102'],
    ['no country code, of North America', '+1 202 555 0103', '(202) 555-0103'],
    ['no plus', '+1 (202) 555-0104', '1.202.555.0104'],
    ['no signs', '+49 30 901820105', '4930901820105'],
    ['a trunk prefix', '+44 (0)20 7946 0106', '+442079460106'],
    ['the trunk prefix of Russia', '+7 912 345-01-07', '8 (912) 345-01-07'],
    ['a link', 'tel:+1-202-555-0108', '+12025550108'],
    ['full-width digits', '\uff0b\uff11 202 555 0109', '+12025550109'],
    ['marks of direction', '\u202a+1 202 555 0110\u202c', '+12025550110'],
  ])('are one phone: %s', async (_case, before, then) => {
    const answer = await claimAfter({ phone: before }, { phone_number: then });
    expectProblem(answer, 409, 'trial_already_used');
    expect(answer.body.identity_type).toBe('phone');
  });

  it.each([
    ['phoneNumber', '+1 202 556 0101'],
    ['mobile', '+1 202 556 0102'],
    ['tel', '+1 202 556 0103'],
    ['telephone', '+1 202 556 0104'],
    ['msisdn', '+1 202 556 0105'],
    ['user_phone', '+1 202 556 0106'],
    ['mobile-phone', '+1 202 556 0107'],
  ])('are one phone: called %s', async (type, number) => {
    expect((await claimAfter({ [type]: number }, { phone: number })).body.identity_type).toBe('phone');
  });

  it('are one when it is somebody’s own and was passed in', async () => {
    const own = { provider: 'email', external_id: '"Vic+1"@M\u00fcnchen.example', grant_type: 'trial', sku: 'SAMPLE' };
    expect((await app.post('/grants', own)).status).toBe(201);
    const answer = await claimTrial(app, newPerson(), { identities: { mail: 'vic@xn--mnchen-3ya.example.' } });
    expect(answer.body.identity_type).toBe('email');
  });

  it('are seen by identify as by a grant', async () => {
    await claimTrial(app, newPerson(), { identities: { mail: 'wes@m\u00fcnchen.example' } });
    const known = await app.post('/identify', { provider: 'email', external_id: 'wes@xn--mnchen-3ya.example' });
    expect(known.body.trial_eligible).toBe(false);
  });

  it.each([
    ['dots where they mean something', { email: 'i.vy@mail.example' }, { email: 'ivy@mail.example' }],
    ['another domain', { email: 'jo@one.example' }, { email: 'jo@two.example' }],
    ['a plus in what is no address', { device: 'kim+1' }, { device: 'kim' }],
    ['a sub-address and nothing before it', { email: '+a@mail.example' }, { email: '+b@mail.example' }],
    ['no address at all', { email: 'not an address' }, { email: 'not an addres' }],
    ['domains that are none', { email: 'lou@a/b' }, { email: 'lou@a/c' }],
    ['domains that differ behind an escape', { email: 'lu@a%2fb' }, { email: 'lu@a%2fc' }],
    ['phones of two countries', { phone: '+1 202 555 0120' }, { phone: '+44 202 555 0120' }],
    ['phones that are words', { phone: '1-800-FLOWERS' }, { phone: '1-800-POWERS' }],
    ['extensions', { phone: '+1 202 555 0121 ext. 5' }, { phone: '+1 202 555 0121 ext. 6' }],
    ['letters of two scripts', { email: 'max\u0430@mail.example' }, { email: 'maxa@mail.example' }],
    ['accents', { email: 'ren\u00e9@mail.example' }, { email: 'rene@mail.example' }],
  ])('are two: %s', async (_case, before, then) => {
    expect((await claimAfter(before, then)).status).toBe(201);
  });
});

describe('a trial of an earlier version, which knew fewer spellings', () => {
  /** A claim as the first rules made it: of this type and value, whatever they would be now. */
  async function claimAsBefore(type: string, value: string): Promise<void> {
    const external_id = newPerson();
    expect((await claimTrial(app, external_id)).status).toBe(201);
    const [pepper] = readPeppers(TEST_PEPPER);
    await ask(
      app.url,
      `INSERT INTO trial_uses SELECT u.scope, u.pepper_id, $2, $3, u.customer_id, u.operation_id, u.used_at
       FROM trial_uses u JOIN identities i USING (customer_id) WHERE i.external_id = $1 AND u.identity_type = 'customer_id'`,
      [external_id, keyedHash(pepper?.secret ?? '', `${type}\0${value}`), type],
    );
  }

  it.each([
    ['an address', 'email', 'ada@m\u00fcnchen.example', { email: 'Ada+x@M\u00fcnchen.example' }, 'email'],
    ['a type', 'mail', 'bea@mail.example', { mail: 'Bea@mail.example' }, 'email'],
    ['a phone', 'phone', '+1 202 555 0130', { phone: '+1 202 555 0130' }, 'phone'],
    ['a quoted local part', 'email', '"cal"@mail.example', { email: '"cal"@mail.example' }, 'email'],
    ['a device', 'device', 'cafe\u0301-2', { device: 'cafe\u0301-2' }, 'device'],
  ])('counts for the spelling that was claimed: %s', async (_case, type, value, identities, kind) => {
    await claimAsBefore(type, value);
    const answer = await claimTrial(app, newPerson(), { identities });
    expectProblem(answer, 409, 'trial_already_used');
    expect(answer.body.identity_type).toBe(kind);
  });

  it('counts for every spelling of what was claimed in its plainest', async () => {
    await claimAsBefore('email', 'dan@mail.example');
    const answer = await claimTrial(app, newPerson(), { identities: { user_email: '"dan"@mail.example.' } });
    expectProblem(answer, 409, 'trial_already_used');
  });

  it('counts for the identities that a customer has', async () => {
    await claimAsBefore('mail', 'eli@m\u00fcnchen.example');
    const own = { provider: 'mail', external_id: 'Eli@M\u00fcnchen.example' };
    expect((await app.post('/identify', own)).body.trial_eligible).toBe(false);
    expectProblem(await app.post('/grants', { ...own, grant_type: 'trial', sku: 'SAMPLE' }), 409, 'trial_already_used');
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
    expect(await findInTables(app, 'kept-91')).toEqual(['batches', 'entries', 'idempotency_records']);
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
