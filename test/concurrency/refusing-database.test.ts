// A database that answers, but refuses us: it takes no writes, our rights were taken, the password is another one. Nothing is wrong with the request.
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { grantUnits, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { ask, balanceOf, type Client } from '../support/parallel.js';
import { clientOf } from '../support/shared-transactions.js';

const app = useTestApp();
const ROLE = 'bursar_refused';
const PASSWORD = 'first';

let refused: Awaited<ReturnType<typeof startTestApp>>;
let client: Client;

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await ask(app.url, `CREATE ROLE ${ROLE} LOGIN PASSWORD '${PASSWORD}'`);
  await ask(app.url, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${ROLE}`);
  const url = new URL(app.url);
  url.username = ROLE;
  url.password = PASSWORD;
  refused = await startTestApp(url.toString(), app.clock);
  client = clientOf(refused.app);
});
afterAll(async () => {
  await refused.close();
  await ask(app.url, `DROP OWNED BY ${ROLE}`);
  await ask(app.url, `DROP ROLE ${ROLE}`);
});

const writes = {
  'a consume': (person: string) =>
    client.post('/quota/consume', { external_id: person, product_key: 'CREDITS', amount: 1 }),
  'a grant': (person: string) =>
    client.post('/grants', { external_id: person, grant_type: 'bonus', product_key: 'CREDITS', quantity: 1 }),
  'a change of the catalogue': () => client.put('/products/OTHER', { name: 'Other', type: 'quantity' }),
};

/** Ends the sessions of our role: those that are made anew meet what was changed. */
const endSessions = () =>
  ask(app.url, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [ROLE]);

const database = () => new URL(app.url).pathname.slice(1);

async function expectUnavailable(person: string): Promise<void> {
  for (const [name, write] of Object.entries(writes)) {
    const answer = await write(person);
    expect([answer.status, answer.body.code], `${name}: ${answer.text}`).toEqual([503, 'unavailable']);
  }
}

async function expectServed(person: string): Promise<void> {
  expect((await writes['a consume'](person)).status).toBe(200);
}

describe('a database', () => {
  it('that takes no writes any more is 503 for who writes, and is found again without a restart', async () => {
    const person = 'follower';
    await grantUnits(app, person, 'CREDITS', 10);
    await expectServed(person);
    await ask(app.url, `ALTER ROLE ${ROLE} IN DATABASE ${database()} SET default_transaction_read_only = on`);
    onTestFinished(async () => {
      await ask(app.url, `ALTER ROLE ${ROLE} IN DATABASE ${database()} RESET default_transaction_read_only`);
    });
    await endSessions();
    await expectUnavailable(person);
    expect((await client.get(`/wallet?external_id=${person}`)).status).toBe(200);
    await ask(app.url, `ALTER ROLE ${ROLE} IN DATABASE ${database()} RESET default_transaction_read_only`);
    await expectServed(person);
    expect(await balanceOf(app, person, 'CREDITS')).toBe(8);
  });

  it('that took our rights is 503', async () => {
    const person = 'outcast';
    await grantUnits(app, person, 'CREDITS', 10);
    await ask(app.url, `REVOKE INSERT, UPDATE ON ALL TABLES IN SCHEMA public FROM ${ROLE}`);
    await expectUnavailable(person);
    await ask(app.url, `REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM ${ROLE}`);
    expect((await client.get(`/wallet?external_id=${person}`)).status).toBe(503);
    await ask(app.url, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${ROLE}`);
    await expectServed(person);
  });

  it('whose password is another one is 503, for reads too', async () => {
    const person = 'stranger';
    await grantUnits(app, person, 'CREDITS', 10);
    await ask(app.url, `ALTER ROLE ${ROLE} PASSWORD 'second'`);
    await endSessions();
    await expectUnavailable(person);
    expect((await client.get(`/wallet?external_id=${person}`)).status).toBe(503);
    await ask(app.url, `ALTER ROLE ${ROLE} PASSWORD '${PASSWORD}'`);
    await expectServed(person);
  });
});
