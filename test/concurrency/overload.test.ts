// More uses than may wait: they are refused at once, before memory grows, and those that wait lose nothing.
import { beforeAll, describe, expect, it } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { API_TOKEN, grantUnits, putProduct, useTestApp } from '../support/app.js';
import { balanceOf, customerIdOf, holdCustomers } from '../support/parallel.js';
import { waitFor } from '../support/wait.js';

const SENT = 5_000;
const WAITING_MAX = 4_096;
/** Those in a transaction, and those on their way to it, no longer wait. */
const TRANSACTION_MAX = 256;

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
});

const consume = (externalId: string) => ({ external_id: externalId, product_key: 'CREDITS', amount: 1 });

/** Sends many requests at once, as if each had a connection of its own; their statuses, once all are answered. */
async function sendAtOnce(count: number): Promise<number[]> {
  const request = {
    method: 'POST',
    url: `${BASE_PATH}/quota/consume`,
    headers: { authorization: `Bearer ${API_TOKEN}` },
    payload: consume('crowd'),
  } as const;
  const answers = await Promise.all(Array.from({ length: count }, () => app.app.inject(request)));
  return answers.map(({ statusCode }) => statusCode);
}

describe(`${SENT} uses of a customer who is locked elsewhere`, () => {
  it('are refused beyond what may wait, with a time to come back, and taken exactly', async () => {
    await grantUnits(app, 'crowd', 'CREDITS', 2 * SENT);
    await grantUnits(app, 'late', 'CREDITS', 1_000);
    const held = await holdCustomers(app.url, await customerIdOf(app, 'crowd'));
    const crowd = sendAtOnce(SENT);
    const late = await waitFor('a refusal', async () => {
      const answer = await app.post('/quota/consume', consume('late'));
      return answer.status === 200 ? undefined : answer;
    });
    await held.rollback();
    expect([late.status, late.body.code, late.headers['retry-after']]).toEqual([503, 'overloaded', '1']);
    const statuses = await crowd;
    const taken = statuses.filter((status) => status === 200).length;
    const refused = statuses.filter((status) => status === 503).length;
    expect(taken + refused).toBe(SENT);
    expect(taken).toBeGreaterThanOrEqual(WAITING_MAX);
    expect(taken).toBeLessThan(WAITING_MAX + 3 * TRANSACTION_MAX);
    expect(await balanceOf(app, 'crowd', 'CREDITS')).toBe(2 * SENT - taken);
    expect((await app.post('/quota/consume', consume('late'))).status).toBe(200);
  });
});
