// Keyed batches of consumes that come at once: one effect for one key whichever process gets it, none waits for ever, and a connection that
// is lost in the middle takes nothing twice.
import { pino } from 'pino';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { buildApp } from '../../src/app.js';
import { createDb } from '../../src/db/client.js';
import { createOver } from '../../src/engine/create.js';
import { createTurns } from '../../src/lib/turns.js';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import {
  ask,
  balanceOf,
  type Client,
  customerIdOf,
  holdCustomers,
  send,
  sendTogether,
  tally,
  untilWaiting,
  useSecondApp,
} from '../support/parallel.js';
import { newPerson, writtenBy } from '../support/requests.js';
import { clientOf } from '../support/shared-transactions.js';

const app = useTestApp();
const second = useSecondApp(app);
const PATH = '/quota/consume/batch';
const modes = ['continue', 'atomic'] as const;

beforeAll(() => putProduct(app, 'CREDITS'));

const item = (external_id: string, amount: number): Json => ({ external_id, product_key: 'CREDITS', amount });

async function personWith(quantity: number): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'CREDITS', quantity);
  return external_id;
}

let keys = 0;
function newKey(): string {
  keys += 1;
  return `call-${keys}`;
}

/** An app on the same database with the smallest pool that the configuration allows. */
async function startSmallApp(): Promise<Client> {
  const poolSize = 2;
  const db = createDb(app.url, pino({ level: 'silent' }), { poolSizeMax: poolSize });
  const foundations = { ...app.deps, db, turns: createTurns(), config: { ...app.deps.config, poolSize } };
  const small = await buildApp(createOver(foundations));
  await small.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await small.close();
    await db.close();
  });
  return clientOf(small);
}

describe.each(modes)('keyed batches with mode %s', (mode) => {
  it('are remembered by another process too', async () => {
    const external_id = await personWith(10);
    const body = { items: [item(external_id, 2)], mode, idempotency_key: newKey() };
    const first = await app.post(PATH, body);
    const again = await second.post(PATH, body);
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([first.text, 'true']);
    expect(await balanceOf(app, external_id, 'CREDITS')).toBe(8);
  });

  it('act once when the same comes many times at once, to two processes', async () => {
    const [ada, bob] = [await personWith(100), await personWith(100)];
    const items = Array.from({ length: 12 }, (_, index) => item(index % 2 === 0 ? ada : bob, 1));
    const body = { items, mode, idempotency_key: newKey() };
    const answers = await sendTogether(8, (index) => (index % 2 === 0 ? app : second).post(PATH, body));
    expect(tally(answers)).toEqual({ '200': 8 });
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
    expect(await balanceOf(app, ada, 'CREDITS')).toBe(94);
    expect(await balanceOf(app, bob, 'CREDITS')).toBe(94);
  });

  it('of many keys go on beside one another, of one customer too', async () => {
    const external_id = await personWith(200);
    const answers = await sendTogether(40, () =>
      app.post(PATH, { items: [item(external_id, 2), item(external_id, 1)], mode, idempotency_key: newKey() }),
    );
    expect(tally(answers)).toEqual({ '200': 40 });
    expect(await balanceOf(app, external_id, 'CREDITS')).toBe(80);
  });

  it('leave connections for their own work, however small the pool is', async () => {
    const small = await startSmallApp();
    const people = await Promise.all(Array.from({ length: 8 }, () => personWith(5)));
    const answers = await sendTogether(8, (index) =>
      small.post(PATH, { items: [item(people[index] ?? '', 1)], mode, idempotency_key: newKey() }),
    );
    expect(answers.map(({ body }) => body.results?.[0]?.allowed)).toEqual(people.map(() => true));
  }, 60_000);
});

describe('a keyed batch whose connection is cut that holds the lock of its key', () => {
  async function cutLockHolder(): Promise<void> {
    const cut = await ask(
      app.url,
      `SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database
       WHERE locktype = 'advisory' AND granted AND datname = current_database()`,
    );
    expect(cut).toHaveLength(1);
  }

  it('is answered and remembered, and takes nothing again when it is repeated', async () => {
    const [ada, bob] = [await personWith(10), await personWith(10)];
    const body = { items: [item(ada, 1), item(bob, 2)], idempotency_key: newKey() };
    const held = await holdCustomers(app.url, await customerIdOf(app, bob));
    const pending = send(app.post(PATH, body));
    await untilWaiting(app.url, 1);
    await cutLockHolder();
    await held.rollback();
    const answer = await pending;
    expect(answer.status, answer.text).toBe(200);
    expect(await balanceOf(app, ada, 'CREDITS')).toBe(9);
    expect(await balanceOf(app, bob, 'CREDITS')).toBe(8);
    const written = await writtenBy(app, async () => {
      const repeated = await app.post(PATH, body);
      expect([repeated.text, repeated.headers['idempotent-replayed']]).toEqual([answer.text, 'true']);
    });
    expect(written).toEqual({});
  });

  it('has one answer beside another one of its key: one of the two is asked to come again', async () => {
    const [ada, bob] = [await personWith(10), await personWith(10)];
    const body = { items: [item(ada, 1), item(bob, 2)], idempotency_key: newKey() };
    const held = await holdCustomers(app.url, await customerIdOf(app, bob));
    const first = send(app.post(PATH, body));
    await untilWaiting(app.url, 1);
    await cutLockHolder();
    const other = send(second.post(PATH, body));
    await untilWaiting(app.url, 2);
    await held.rollback();
    const answers = await Promise.all([first, other]);
    expect(tally(answers)).toEqual({ '200': 1, '503 unavailable': 1 });
    const repeated = await app.post(PATH, body);
    expect([repeated.text, repeated.headers['idempotent-replayed']]).toEqual([
      answers.find(({ status }) => status === 200)?.text,
      'true',
    ]);
    expect([await balanceOf(app, ada, 'CREDITS'), await balanceOf(app, bob, 'CREDITS')]).toEqual([9, 8]);
  });
});

it('a hundred that come at once, each with its key, are all done', async () => {
  const external_id = await personWith(1_000);
  const items = Array.from({ length: 10 }, () => item(external_id, 1));
  const answers = await sendTogether(100, () => app.post(PATH, { items, idempotency_key: newKey() }));
  expect(tally(answers)).toEqual({ 200: 100 });
  expect(await balanceOf(app, external_id, 'CREDITS')).toBe(0);
});
