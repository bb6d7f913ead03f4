// Real workers that send events: two at once, one that is killed in the middle and one that takes over. Each event arrives, under one id, in its customer's
// order, and no message is under way twice.
import { describe, expect, it } from 'vitest';
import { API_TOKEN, type Json, TEST_PEPPER } from '../support/app.js';
import { auditInvariants } from '../support/audit.js';
import { cleanUpProcesses, newDataDir, startBursar, untilReady } from '../support/bursar-process.js';
import { useTestDatabases } from '../support/database.js';
import { cleanUpReceivers, startReceiver } from '../support/receiver.js';
import { sendPlain } from '../support/recorded.js';
import { query } from '../support/sql.js';
import { waitFor } from '../support/wait.js';

cleanUpProcesses();
cleanUpReceivers();
const newDatabase = useTestDatabases();
const PEOPLE = 12;
const EACH = 8;

describe('workers', () => {
  it('lose no event when one is killed, and never send one twice at a time', async () => {
    const databaseUrl = await newDatabase();
    const env = {
      DATABASE_URL: databaseUrl,
      BURSAR_API_TOKEN: API_TOKEN,
      BURSAR_PEPPER: TEST_PEPPER,
      BURSAR_SECRET_KEY: 'a-secret-key-of-the-processes-of-this-test',
      BURSAR_WEBHOOK_ALLOW_PRIVATE: 'true',
    };
    const start = (role: string) => startBursar({ ...env, BURSAR_DATA_DIR: newDataDir(), BURSAR_ROLE: role });
    const api = start('api');
    const url = await api.ready();
    const workers = [start('worker'), start('worker')];
    for (const bursar of [api, ...workers]) await untilReady(await bursar.ready());

    const receiver = await startReceiver();
    let answered = 0;
    receiver.answerBy((outgoing, { body }) => {
      answered += 1;
      const isRefused = answered % 11 === 0 && body.previous_sequence !== null;
      setTimeout(() => outgoing.writeHead(isRefused ? 500 : 204).end(), 10);
    });
    const put = await sendPlain(url, {
      method: 'PUT',
      path: '/webhook-endpoints/hook',
      body: { url: receiver.url, types: ['batch.granted'] },
    });
    expect(put.status, put.text).toBe(201);
    receiver.verifyBy(String((JSON.parse(put.text) as Json).secret));

    const people = Array.from({ length: PEOPLE }, (_, index) => `person-${index}`);
    const granting = people.map(async (external_id) => {
      for (let quantity = 1; quantity <= EACH; quantity += 1) {
        const body = { external_id, grant_type: 'bonus', product_key: 'AI_POOL', quantity };
        const answer = await sendPlain(url, { method: 'POST', path: '/grants', body });
        expect(answer.status, answer.text).toBe(201);
      }
    });
    await waitFor('deliveries to begin', () => receiver.received.length > 10 || undefined);
    // Killed with attempts under way: whoever has the feed.
    const [first] = workers;
    first?.signalGroup('SIGKILL');
    await first?.exited();
    await Promise.all(granting);
    const hurry = async () => {
      await query(databaseUrl, 'UPDATE webhook_deliveries SET next_at = now() WHERE next_at > now()');
      const rows = await query(databaseUrl, `SELECT status FROM webhook_deliveries WHERE status = 'delivered'`);
      return rows.length === PEOPLE * EACH || undefined;
    };
    await waitFor(() => `all deliveries, not ${receiver.received.length}`, hurry);

    expect(receiver.forged).toEqual([]);
    expect(receiver.underWayMax()).toBe(1);
    for (const person of people) {
      const own = receiver.received.filter(({ body }) => JSON.stringify(body.customer).includes(`"${person}"`));
      const told = own.map(({ body }) => Number((body.data as Json).granted));
      const firsts = told.filter((quantity, index) => told.indexOf(quantity) === index);
      expect(firsts).toEqual(Array.from({ length: EACH }, (_, index) => index + 1));
      for (let quantity = 1; quantity <= EACH; quantity += 1) {
        const ids = own.filter(({ body }) => (body.data as Json).granted === quantity).map(({ id }) => id);
        expect(new Set(ids).size).toBe(1);
      }
    }
    for (const bursar of [api, ...workers.slice(1)]) {
      bursar.signal('SIGTERM');
      expect(await bursar.exited(), bursar.stdout()).toEqual({ code: 0, signal: null });
    }
    expect(await query(databaseUrl, 'SELECT FROM webhook_feeds WHERE lease IS NOT NULL')).toEqual([]);
    await auditInvariants(databaseUrl);
  });
});
