// Who is who, at once: referrals that would close a cycle, an identity linked to two customers, an identity unlinked while it acts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import {
  ask,
  customerIdOf,
  deadlocksOf,
  holdCustomers,
  send,
  sendTogether,
  tally,
  untilWaiting,
  useSecondApp,
} from '../support/parallel.js';
import { newPerson } from '../support/requests.js';

const ROUNDS = 20;

const app = useTestApp();
const second = useSecondApp(app);
const clientOf = (index: number) => (index % 2 ? app : second);

beforeAll(() => putProduct(app, 'CREDITS'));

const newCustomers = (count: number) =>
  Promise.all(Array.from({ length: count }, () => customerIdOf(app, newPerson())));

describe('referrals attached at once', () => {
  it(`let one of two through that would close a cycle, in ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [a, b] = await newCustomers(2);
      const answers = await sendTogether(2, (index) =>
        clientOf(index).post(
          '/referrals',
          index ? { referrer_id: a, referee_id: b } : { referrer_id: b, referee_id: a },
        ),
      );
      expect(tally(answers)).toEqual({ '201': 1, '409 referral_cycle': 1 });
    }
  });

  it(`let all but one through that would close a circle of five, in ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const circle = await newCustomers(5);
      const answers = await sendTogether(5, (index) =>
        clientOf(index).post('/referrals', { referrer_id: circle[index], referee_id: circle[(index + 1) % 5] }),
      );
      expect(tally(answers)).toEqual({ '201': 4, '409 referral_cycle': 1 });
    }
    expect(await deadlocksOf(app.url)).toBe(0);
  });

  it('give a referee one referrer of ten', async () => {
    const [referee_id, ...referrers] = await newCustomers(11);
    const answers = await sendTogether(10, (index) =>
      clientOf(index).post('/referrals', { referrer_id: referrers[index], referee_id }),
    );
    expect(tally(answers)).toEqual({ '201': 1, '409 already_referred': 9 });
  });
});

describe('one identity linked to two customers at once', () => {
  it(`goes to one of them, in ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const customers = await newCustomers(2);
      const external_id = newPerson();
      const answers = await sendTogether(2, (index) =>
        clientOf(index).post(`/customers/${customers[index]}/identities`, { external_id }),
      );
      expect(tally(answers)).toEqual({ '201': 1, '409 identity_taken': 1 });
      const winner = answers.findIndex((answer) => answer.status === 201);
      expect(await customerIdOf(app, external_id)).toBe(customers[winner]);
    }
  });

  it('goes to one of ten, or stays with the stranger who came first', async () => {
    const customers = await newCustomers(10);
    const external_id = newPerson();
    const [identified, ...linked] = await Promise.all([
      send(app.post('/identify', { external_id })),
      ...customers.map((id, index) => send(clientOf(index).post(`/customers/${id}/identities`, { external_id }))),
    ]);
    const owner = await customerIdOf(app, external_id);
    expect(identified?.body.customer_id).toBe(owner);
    const winners = customers.filter((_, index) => linked[index]?.status === 201);
    expect(winners).toEqual(customers.includes(owner) ? [owner] : []);
    expect(identified?.body.created_customer).toBe(winners.length === 0);
  });
});

describe('an identity unlinked while it acts', () => {
  it('sends an operation that waited for the old customer to the new one', async () => {
    const person = newPerson();
    const before = await customerIdOf(app, person);
    await grantUnits(app, person, 'CREDITS', 5);
    const held = await holdCustomers(app.url, before);
    const consume = send(app.post('/quota/consume', { external_id: person, product_key: 'CREDITS' }));
    const grant = send(
      second.post('/grants', { external_id: person, grant_type: 'bonus', product_key: 'CREDITS', quantity: 3 }),
    );
    await untilWaiting(app.url, 2);
    await held.query('DELETE FROM identities WHERE customer_id = $1', [before]);
    await held.commit();
    expect((await grant).status).toBe(201);
    expect([200, 402]).toContain((await consume).status);
    expect((await app.get(`/wallet?customer_id=${before}`)).body.balances).toEqual({ CREDITS: 5 });
    expect(await customerIdOf(app, person)).not.toBe(before);
  });

  it(`leaves each operation whole with one of the two customers, in ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const person = newPerson();
      const before = await customerIdOf(app, person);
      const grants = Array.from({ length: 6 }, (_, index) =>
        send(
          clientOf(index).post('/grants', {
            external_id: person,
            grant_type: 'bonus',
            product_key: 'CREDITS',
            quantity: 1,
          }),
        ),
      );
      const unlinked = send(app.delete(`/customers/${before}/identities/default/${person}`));
      expect((await unlinked).status).toBe(204);
      const answers = await Promise.all(grants);
      expect(tally(answers)).toEqual({ '201': 6 });
      const after = await customerIdOf(app, person);
      expect(after).not.toBe(before);
      const [batches] = await ask(
        app.url,
        `SELECT count(*)::int AS granted FROM batches WHERE id = ANY ($1) AND customer_id = ANY ($2)`,
        [answers.map((answer) => answer.body.batches[0].id), [before, after]],
      );
      expect(batches).toEqual({ granted: 6 });
    }
    expect(await deadlocksOf(app.url)).toBe(0);
  });
});
