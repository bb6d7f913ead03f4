// Refusals for want of units: each carries its own shortage, and those that are refused together are explained by one statement.
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { grantUnits, putOffer, putProduct, useTestApp } from '../support/app.js';
import { send } from '../support/parallel.js';
import { endowBlockers, holdLanes, sendAll } from '../support/shared-transactions.js';

const CROWD = 20;
/** One for each of the two lanes, and one for whoever asked alone in between. */
const EXPLANATIONS_MAX = 3;

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'OTHER');
  await putOffer(app, 'PACK', 'CREDITS', 10);
  await putOffer(app, 'OTHERS', 'OTHER', 10, { price: '2.00' });
  await endowBlockers(app, 'CREDITS');
});

/** Counts the statements that explain, until the test ends; with `fails` they fail. */
function countExplanations(fails = false): () => number {
  const { db } = app.deps;
  const { query } = db;
  let count = 0;
  db.query = (sql, parameters) => {
    if (!sql.includes('upgrade.offers')) return query(sql, parameters);
    count += 1;
    return fails ? Promise.reject(new Error('not explained')) : query(sql, parameters);
  };
  onTestFinished(() => {
    db.query = query;
  });
  return () => count;
}

const consume = (external_id: string, amount: number, product_key = 'CREDITS') =>
  app.post('/quota/consume', { external_id, product_key, amount });

describe('uses that are refused together', () => {
  it('are explained together, each with its own figures', async () => {
    const people = Array.from({ length: CROWD }, (_, index) => `short-${index}`);
    for (const [index, person] of people.entries()) await grantUnits(app, person, 'CREDITS', index + 1);
    const explanations = countExplanations();
    const lanes = await holdLanes(app.url, app, 'CREDITS');
    const pending = await sendAll(app.app, [
      ...people.map((person) => consume(person, 1_000)),
      consume('short-other', 1, 'OTHER'),
    ]);
    await lanes.rollback();
    const answers = await Promise.all(pending);
    expect(answers.map(({ status, body }) => [status, body.available])).toEqual([
      ...people.map((_, index) => [402, index + 1]),
      [402, 0],
    ]);
    expect(answers.map(({ body }) => body.upgrade_skus)).toEqual([...people.map(() => ['PACK']), ['OTHERS']]);
    expect(explanations()).toBeLessThanOrEqual(EXPLANATIONS_MAX);
  });

  it('of an atomic batch cost one statement', async () => {
    const explanations = countExplanations();
    const items = Array.from({ length: CROWD }, (_, index) => ({
      external_id: `whole-${index}`,
      product_key: index % 2 === 0 ? 'CREDITS' : 'OTHER',
      amount: 1,
    }));
    const { body } = await app.post('/quota/consume/batch', { items, mode: 'atomic' });
    expect(body.committed).toBe(false);
    expect(body.results.map((each: { upgrade_skus: string[] }) => each.upgrade_skus)).toEqual(
      items.map((_, index) => [index % 2 === 0 ? 'PACK' : 'OTHERS']),
    );
    expect(explanations()).toBeLessThanOrEqual(EXPLANATIONS_MAX);
  });
});

describe('a lone refusal', () => {
  it.each([
    ['a consume', () => consume('lone', 1)],
    ['a reserve', () => app.post('/reservations', { external_id: 'lone', product_key: 'CREDITS', amount: 1 })],
    ['a dry run', () => app.post('/quota/check', { external_id: 'short-0', product_key: 'CREDITS', amount: 1_000 })],
  ])('of %s costs one statement', async (_name, ask) => {
    await grantUnits(app, 'short-0', 'CREDITS', 1);
    const explanations = countExplanations();
    const { body } = await send(ask());
    expect([body.upgrade_skus, explanations()]).toEqual([['PACK'], 1]);
  });

  it('that can not be explained is one all the same', async () => {
    const explanations = countExplanations(true);
    const { status, body } = await send(consume('unexplained', 1));
    expect([status, body.code, body.available]).toEqual([402, 'insufficient_quota', 0]);
    expect([body.reasons, body.upgrade_skus]).toEqual([[{ code: 'insufficient_quota' }], []]);
    expect(explanations()).toBe(1);
  });
});
