// What ends soon is told ahead: once for each batch, if there is something left that ends.
import { beforeAll, describe, expect, it } from 'vitest';
import { notify } from '../../src/engine/notify.js';
import { type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { customerIdOf, holdCustomers } from '../support/parallel.js';
import { expectProblem, newPerson } from '../support/requests.js';

const app = useTestApp();
const DAY_MS = 86_400_000;

beforeAll(async () => {
  await putProduct(app, 'WEEKLY', { expiring_days: 7 });
  await putProduct(app, 'ACCESS', { type: 'period', expiring_days: 3 });
  await putProduct(app, 'SILENT');
  await putOffer(app, 'MONTH', 'ACCESS', 1, {
    items: [{ product_key: 'ACCESS', quantity: 1, period_unit: 'months', period_value: 1 }],
  });
});

async function give(external_id: string, product_key: string, days: number): Promise<string> {
  const expires_at = new Date(app.clock.now().getTime() + days * DAY_MS).toISOString();
  const body = { external_id, grant_type: 'bonus', product_key, quantity: 5, expires_at };
  const answer = await app.post('/grants', body);
  expect(answer.status, answer.text).toBe(201);
  return answer.body.batches[0].id;
}

async function toldOf(external_id: string): Promise<Json[]> {
  await untilTold(app);
  const { body } = await app.get(`/events?external_id=${external_id}&type=batch.expiring&limit=200`);
  return (body.data as Json[]).map(({ data }) => data as Json);
}

const at = (days: number, hours = 0) => app.clock.advance({ days, hours });

describe('a batch that ends soon', () => {
  it('is told once, when its day has come, with what is left', async () => {
    const person = newPerson();
    const id = await give(person, 'WEEKLY', 30);
    await give(person, 'SILENT', 30);
    const expires_at = new Date(app.clock.now().getTime() + 30 * DAY_MS).toISOString();
    await app.post('/quota/consume', { external_id: person, product_key: 'WEEKLY', amount: 2 });
    at(22, 23);
    expect(await notify(app.deps)).toBe(0);
    at(0, 1);
    const counts = await Promise.all([notify(app.deps), notify(app.deps)]);
    expect(counts.reduce((sum, count) => sum + count)).toBe(1);
    at(1);
    expect(await notify(app.deps)).toBe(0);
    expect(await toldOf(person)).toEqual([{ batch_id: id, product_key: 'WEEKLY', remaining: 3, expires_at }]);
  });

  it('is not told when nothing is left of it, or it has ended', async () => {
    const [used, late] = [newPerson(), newPerson()];
    await give(used, 'WEEKLY', 10);
    await give(late, 'WEEKLY', 10);
    await app.post('/quota/consume', { external_id: used, product_key: 'WEEKLY', amount: 5 });
    at(4);
    expect((await toldOf(used)).length + (await toldOf(late)).length).toBe(0);
    at(6);
    expect(await notify(app.deps)).toBe(2);
    expect([await toldOf(used), await toldOf(late)]).toEqual([[], []]);
    expect(await notify(app.deps)).toBe(0);
  });

  it('that is shorter than the notice is told at once', async () => {
    const person = newPerson();
    await give(person, 'WEEKLY', 2);
    expect(await notify(app.deps)).toBe(1);
    expect(await toldOf(person)).toHaveLength(1);
  });

  it('of access is told only where nothing continues it', async () => {
    const [ends, goesOn] = [newPerson(), newPerson()];
    const grant = (external_id: string) => app.post('/grants', { external_id, grant_type: 'bonus', sku: 'MONTH' });
    await grant(ends);
    await grant(goesOn);
    await grant(goesOn);
    at(26);
    expect(await notify(app.deps)).toBe(2);
    expect(await toldOf(ends)).toMatchObject([{ product_key: 'ACCESS', remaining: null }]);
    expect(await toldOf(goesOn)).toEqual([]);
    at(31);
    expect(await notify(app.deps)).toBe(1);
    expect(await toldOf(goesOn)).toHaveLength(1);
  });

  it('waits for nobody: whose lock is held is told later', async () => {
    const [busy, free] = [newPerson(), newPerson()];
    await give(busy, 'WEEKLY', 2);
    await give(free, 'WEEKLY', 2);
    const held = await holdCustomers(app.url, await customerIdOf(app, busy));
    expect(await notify(app.deps)).toBe(1);
    await held.rollback();
    expect(await notify(app.deps)).toBe(1);
    expect(await toldOf(busy)).toHaveLength(1);
  });

  it.each([0, 3_651, 1.5, '7'])('has no notice of %j days', async (expiring_days) => {
    const answer = await app.put('/products/ODD', { name: 'odd', type: 'quantity', expiring_days });
    expectProblem(answer, 400, 'invalid_request', '/expiring_days');
  });
});
