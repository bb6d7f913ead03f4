// Trials at once: one grant for each identity, whoever shares it; nobody keeps what he was refused; overlapping claims never deadlock.
import type { Response } from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { putOffer, useTestApp } from '../support/app.js';
import { ask, customerIdOf, deadlocksOf, tally, useSecondApp, withStatus } from '../support/parallel.js';
import { newPerson, writtenBy } from '../support/requests.js';
import { claimTrial, putTrialOffers } from '../support/trials.js';

const ROUNDS = 20;

const app = useTestApp();
const second = useSecondApp(app);
const clientOf = (index: number) => (index % 2 ? app : second);

beforeAll(async () => {
  await putTrialOffers(app);
  await putOffer(app, 'OTHER', 'CREDITS', 2, { trial_policy: {} });
});

const together = (count: number, claim: (index: number) => Promise<Response>) =>
  Promise.all(Array.from({ length: count }, (_, index) => claim(index)));

describe('20 claims by one identity at once', () => {
  it('grant one trial, to a person whom nobody has seen', async () => {
    const person = newPerson();
    let answers: Response[] = [];
    const written = await writtenBy(app, async () => {
      answers = await together(20, (index) => claimTrial(clientOf(index), person));
    });
    expect(tally(answers)).toEqual({ '201': 1, '409 trial_already_used': 19 });
    expect(written).toEqual({
      customers: 1,
      identities: 1,
      notices: 1,
      operations: 1,
      batches: 1,
      balances: 1,
      entries: 1,
      trial_uses: 2,
    });
  });

  it('grant one trial, whichever offers of scope any they name', async () => {
    const person = newPerson();
    const skus = ['SAMPLE', 'STARTER', 'OTHER', undefined];
    const answers = await together(20, (index) => claimTrial(clientOf(index), person, { sku: skus[index % 4] }));
    expect(tally(answers)).toEqual({ '201': 1, '409 trial_already_used': 19 });
  });

  it('grant one trial of each offer whose scope is the offer', async () => {
    const person = newPerson();
    const answers = await together(20, (index) =>
      claimTrial(clientOf(index), person, { sku: index % 4 < 2 ? 'PROBE' : 'TASTE' }),
    );
    expect(tally(answers)).toEqual({ '201': 2, '409 trial_already_used': 18 });
    expect(new Set(withStatus(answers, 201).map((answer) => answer.body.products[0])).size).toBe(2);
  });
});

describe('10 customers who share one device', () => {
  it('are granted one trial, and the others keep nothing', async () => {
    const people = Array.from({ length: 10 }, newPerson);
    const customerIds = await Promise.all(people.map((person) => customerIdOf(app, person)));
    const identities = { device: 'shared-phone' };
    let answers: Response[] = [];
    const written = await writtenBy(app, async () => {
      answers = await together(10, (index) => claimTrial(clientOf(index), people[index] as string, { identities }));
    });
    expect(tally(answers)).toEqual({ '201': 1, '409 trial_already_used': 9 });
    for (const refused of withStatus(answers, 409)) expect(refused.body.identity_type).toBe('device');
    expect(written).toEqual({
      customers: 0,
      operations: 1,
      batches: 1,
      balances: 1,
      entries: 1,
      trial_uses: 3,
      notices: 9,
    });
    const winner = customerIds[answers.findIndex((answer) => answer.status === 201)];
    const owners = await ask(app.url, 'SELECT DISTINCT customer_id FROM trial_uses WHERE customer_id = ANY ($1)', [
      customerIds,
    ]);
    expect(owners).toEqual([{ customer_id: winner }]);
  });
});

describe('6 claims by customer id alone', () => {
  it('grant one trial to a customer who has no identity left', async () => {
    const person = newPerson();
    const customer_id = await customerIdOf(app, person);
    await app.delete(`/customers/${customer_id}/identities/default/${person}`);
    const body = { customer_id, grant_type: 'trial', sku: 'SAMPLE' };
    let answers: Response[] = [];
    const written = await writtenBy(app, async () => {
      answers = await together(6, async (index) => clientOf(index).post('/grants', body));
    });
    expect(tally(answers)).toEqual({ '201': 1, '409 trial_already_used': 5 });
    expect(written).toEqual({
      customers: 0,
      operations: 1,
      batches: 1,
      balances: 1,
      entries: 1,
      trial_uses: 1,
      notices: 1,
    });
  });
});

describe('claims of overlapping identities in different orders', () => {
  it(`grant each identity one trial and never deadlock, in ${ROUNDS} rounds of 6 who share with both neighbours`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const answers = await together(6, (index) => {
        const shared = [`between-${index}`, `between-${(index + 1) % 6}`].map((type) => [type, `round-${round}`]);
        const identities = Object.fromEntries(index % 2 ? shared : shared.reverse());
        return claimTrial(clientOf(index), newPerson(), { identities });
      });
      const isGranted = (index: number) => answers[(index + 6) % 6]?.status === 201;
      const granted = answers.filter((_, index) => isGranted(index)).length;
      expect(tally(answers)).toEqual({ '201': granted, '409 trial_already_used': 6 - granted });
      for (const index of answers.keys()) {
        expect(isGranted(index - 1) || isGranted(index + 1)).toBe(!isGranted(index)); // refused because of a neighbour, and only so
      }
    }
    expect(await deadlocksOf(app.url)).toBe(0);
    const [counts] = await ask(
      app.url,
      `SELECT (SELECT count(DISTINCT operation_id)::int FROM trial_uses) AS claimed,
              (SELECT count(DISTINCT operation_id)::int FROM batches) AS granted,
              (SELECT count(*)::int FROM operations WHERE name = 'grant') AS recorded`,
    );
    expect(counts).toEqual({ claimed: counts?.recorded, granted: counts?.recorded, recorded: expect.any(Number) });
    expect(counts?.recorded).toBeGreaterThanOrEqual(2 * ROUNDS);
  });

  it(`grant one of two who name the same identities the other way round, in ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const types = Array.from({ length: 10 }, (_, index) => [`type-${index}`, `same-${round}-${index}`]);
      const answers = await together(2, (index) =>
        claimTrial(clientOf(index), newPerson(), {
          identities: Object.fromEntries(index ? types : [...types].reverse()),
        }),
      );
      expect(tally(answers)).toEqual({ '201': 1, '409 trial_already_used': 1 });
    }
    expect(await deadlocksOf(app.url)).toBe(0);
  });
});
