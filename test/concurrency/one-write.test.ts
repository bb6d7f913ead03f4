// One way of a write: whatever a decision adds to the changes is written, whichever way the operation takes; decisions see the books of all customers
// that they lock; a write takes few round trips.
import type { PoolClient } from 'pg';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Call } from '../../src/call.js';
import { sqlStateOf } from '../../src/db/errors.js';
import { begin } from '../../src/db/transactions.js';
import type { TransactOptions } from '../../src/engine/decide-together.js';
import { type Operation, type ResolvedMember, resolvedAs, toMember } from '../../src/engine/operation.js';
import { transact } from '../../src/engine/transact.js';
import type { Term } from '../../src/ledger/catalog-entities.js';
import { grant } from '../../src/ledger/grant.js';
import { identitiesOf, readPeppers, trialClaims } from '../../src/ledger/trials.js';
import { ALL_SCOPES } from '../../src/lib/scopes.js';
import { grantUnits, putOffer, putProduct, TEST_PEPPER, useTestApp } from '../support/app.js';
import { gateCommits } from '../support/commit-faults.js';
import {
  ask,
  balanceOf,
  customerIdOf,
  holdCustomers,
  holdTransaction,
  placeOrder,
  send,
  untilWaiting,
} from '../support/parallel.js';
import { committedTransactions, logStatements } from '../support/statement-log.js';
import { waitFor } from '../support/wait.js';

const callOf = (idempotencyKey: string | undefined): Call => ({
  actor: { keyId: 'tester', ownerId: 'tester', scopes: ALL_SCOPES },
  idempotencyKey,
});

const TRIPS_MAX = 6;
const DIVISION_BY_ZERO = '22012';
/** How long a transaction of Prisma's may last. */
const TRANSACTION_MS = 30_000;
const OPENERS = ['pool', 'prisma'] as const;
const TERM: Term = {
  productKey: 'CREDITS',
  productType: 'quantity',
  quantity: 1,
  periodUnit: 'forever',
  periodValue: null,
  priority: 0,
  stacking: 'parallel',
};

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: [{ feature: 'draw', unit_cost: 1 }] });
  await putOffer(app, 'PACK', 'CREDITS', 10);
});

/** An operation that changes one of everything beside the books, of a customer who has an identity of this name. */
function changeOfEverything(person: string, orderId: string, referrerId: string): Operation<string> {
  const identity = { provider: 'default', externalId: person };
  return {
    name: 'grant',
    selector: { identity },
    call: callOf(`everything of ${person}`),
    request: {},
    needs: { asks: [{ subject: { productKey: 'CREDITS' }, amount: 0 }] },
    decide: ({ book, operationId }) => {
      const { changes, customerId, now, ids } = book;
      for (const source of ['trial', 'migration'] as const) {
        grant(book, TERM, 1, {
          source,
          operationId,
          sku: 'PACK',
          orderId: null,
          orderItemId: null,
          actionType: source,
          metadata: {},
        });
      }
      changes.metadata.push({ before: {}, after: { changed: true }, operationId });
      changes.profiles.push({ ...identity, profile: { changed: true } });
      const second = { provider: 'second', externalId: person, id: ids.next(), customerId, profile: {} };
      changes.newIdentities.push({ ...second, operationId });
      changes.removedIdentities.push({ ...second, provider: 'first', operationId });
      changes.newReferrals.push({
        id: ids.next(),
        referrerId,
        refereeId: customerId,
        operationId,
        metadata: {},
        createdAt: now,
      });
      const claims = trialClaims(identitiesOf([customerId], []), ['any'], readPeppers(TEST_PEPPER));
      changes.trialUses.push(...claims.map((claim) => ({ ...claim, operationId })));
      const payment = { paymentMethod: 'test', paymentId: person, customerId, orderId, amount: null, currency: null };
      changes.payments.push({ payment: { ...payment, status: 'failed', operationId }, seen: null });
      changes.orderSteps.push({
        id: orderId,
        status: 'expired',
        refundedAmount: 0n,
        disputedAmount: 0n,
        paymentMethod: null,
        paymentId: null,
        paidAt: null,
        paidBy: null,
        cancelledAt: null,
        cancelledBy: null,
        cancelReason: null,
      });
      return { outcome: 'accepted', result: operationId, recordAs: `source of ${person}` };
    },
    render: (operationId) => ({ status: 200, body: JSON.stringify({ operationId }) }),
  };
}

/** Which of the changes there are. */
async function changesOf(person: string): Promise<unknown> {
  const [row] = await ask(
    app.url,
    `SELECT c.metadata = '{"changed": true}' AS metadata,
       (SELECT i.profile FROM identities i WHERE i.provider = 'default' AND i.external_id = $1) = '{"changed": true}' AS profile,
       (SELECT array_agg(i.provider ORDER BY i.provider) FROM identities i WHERE i.external_id = $1) = '{default,second}' AS identities,
       EXISTS (SELECT FROM referrals r WHERE r.customer_id = c.id) AS referral,
       (SELECT array_agg(r.kind ORDER BY r.kind) FROM idempotency_records r WHERE r.customer_id = c.id AND r.name = 'grant') AS answers,
       EXISTS (SELECT FROM trial_uses t WHERE t.customer_id = c.id) AS trial,
       EXISTS (SELECT FROM payments p WHERE p.customer_id = c.id AND p.status = 'failed') AS payment,
       EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id AND o.status = 'expired') AS step
     FROM customers c JOIN identities i ON i.customer_id = c.id AND i.provider = 'default' WHERE i.external_id = $1`,
    [person],
  );
  return row;
}

const EVERYTHING = {
  metadata: true,
  profile: true,
  identities: true,
  referral: true,
  answers: ['client', 'natural'],
  trial: true,
  payment: true,
  step: true,
};

async function prepare(person: string): Promise<{ orderId: string; referrerId: string }> {
  const customerId = await customerIdOf(app, person);
  await app.post(`/customers/${customerId}/identities`, { provider: 'first', external_id: person });
  return {
    orderId: await placeOrder(app, person, 'PACK'),
    referrerId: await customerIdOf(app, `referrer of ${person}`),
  };
}

describe('what a decision changes is written', () => {
  /** Runs one for each of the people, together. */
  async function runTogether(people: readonly string[], options: TransactOptions<ResolvedMember>): Promise<void> {
    const members: ResolvedMember[] = [];
    for (const person of people) {
      const { orderId, referrerId } = await prepare(person);
      members.push(
        resolvedAs(app.deps, toMember(changeOfEverything(person, orderId, referrerId)), {
          customerId: await customerIdOf(app, person),
        }),
      );
    }
    const { verdicts, isCommitted } = await transact(app.deps, members, options);
    expect([isCommitted, ...verdicts.values()]).toEqual([true, ...people.map(() => ({ answer: expect.anything() }))]);
    expect(await Promise.all(people.map(changesOf))).toEqual(people.map(() => EVERYTHING));
  }

  it.each(OPENERS)('by a lone operation, opened by %s', (opener) =>
    runTogether([`lone by ${opener}`], { opener, skipLocked: false }),
  );

  it.each(OPENERS)('by operations that share a transaction, opened by %s', (opener) =>
    runTogether([`one by ${opener}`, `two by ${opener}`], { opener, skipLocked: true }),
  );

  it('by operations that are one as a whole', () =>
    runTogether(['whole one', 'whole two'], {
      opener: 'pool',
      skipLocked: false,
      whole: { mayCommit: true, recordOf: () => undefined },
    }));

  it('by what the engine runs', async () => {
    const { orderId, referrerId } = await prepare('run');
    const { status } = await app.deps.engine.run(changeOfEverything('run', orderId, referrerId));
    expect([status, await changesOf('run')]).toEqual([200, EVERYTHING]);
  });

  it('or nothing of it is, when a claim was taken meanwhile: the operation starts again', async () => {
    const { orderId, referrerId } = await prepare('late');
    const gate = await gateCommits(app.url, 'payments');
    const operation = changeOfEverything('late', orderId, referrerId);
    let decided = 0;
    const counting: typeof operation = {
      ...operation,
      decide: (state) => {
        decided += 1;
        if (decided === 1) return operation.decide(state);
        return { outcome: 'unchanged', result: state.operationId };
      },
    };
    const rival = await prepare('rival');
    const first = send(
      app.post(`/orders/${rival.orderId}/confirm`, { payment_id: 'late', payment_method: 'test', status: 'failed' }),
    );
    await untilWaiting(app.url, 1);
    const running = app.deps.engine.run(counting);
    await untilWaiting(app.url, 2);
    await gate.rollback();
    expect((await first).status).toBe(200);
    await running;
    expect(decided).toBe(2);
    expect(await changesOf('late')).toMatchObject({ metadata: false, referral: false, trial: false, step: false });
  });

  it('and a refusal that changed something is a defect, not an answer', async () => {
    await customerIdOf(app, 'defect');
    const running = app.deps.engine.run({
      name: 'grant',
      selector: { identity: { provider: 'default', externalId: 'defect' } },
      call: callOf(undefined),
      request: {},
      needs: { asks: [] },
      decide: ({ book }) => {
        book.changes.metadata.push({ before: {}, after: {}, operationId: 'none' });
        return { outcome: 'replayed', recordedAs: 'something' };
      },
      render: () => ({ status: 200, body: '' }),
    });
    await expect(running).rejects.toThrow('a refusal posts nothing');
  });
});

describe('an operation about two customers', () => {
  const touchBoth = (first: string, second: string): Operation<number> => ({
    name: 'grant',
    selector: { customerId: first },
    alsoLocks: [second],
    call: callOf(undefined),
    request: {},
    needs: { asks: [] },
    decide: ({ book, books, operationId }) => {
      for (const each of books.values()) {
        const after = { touched: [...books.keys()].indexOf(each.customerId) };
        each.changes.metadata.push({ before: {}, after, operationId });
      }
      return { outcome: 'accepted', result: book.customerId === first ? books.size : 0 };
    },
    render: (size) => ({ status: 200, body: String(size) }),
  });
  const metadataOf = async (id: string) => (await app.get(`/customers/${id}`)).body.metadata;

  it('sees the books of both, and writes what it changes of both', async () => {
    const [first, second] = [await customerIdOf(app, 'both-a'), await customerIdOf(app, 'both-b')];
    expect((await app.deps.engine.run(touchBoth(first, second))).body).toBe('2');
    expect(await Promise.all([first, second].map(metadataOf))).toEqual([{ touched: 0 }, { touched: 1 }]);
  });

  it('records who acted', async () => {
    const [first, second] = [await customerIdOf(app, 'acted-a'), await customerIdOf(app, 'acted-b')];
    await app.deps.engine.run(touchBoth(first, second));
    const sql = `SELECT acting_key FROM operations WHERE customer_id = $1 AND name = 'grant'`;
    expect(await app.deps.db.query(sql, [first])).toEqual([{ acting_key: 'tester' }]);
  });

  it('waits for the lock of either, and two of them in opposite directions do not deadlock', async () => {
    const [first, second] = [await customerIdOf(app, 'wait-a'), await customerIdOf(app, 'wait-b')];
    const held = await holdCustomers(app.url, second);
    const running = [touchBoth(first, second), touchBoth(second, first)].map((each) => app.deps.engine.run(each));
    await untilWaiting(app.url, 2);
    await held.rollback();
    expect((await Promise.all(running)).map(({ body }) => body)).toEqual(['2', '2']);
  });

  it('is what attaching a referral is', async () => {
    const [referrer, referee] = [await customerIdOf(app, 'brings'), await customerIdOf(app, 'is-brought')];
    const held = await holdCustomers(app.url, referrer);
    const pending = send(app.post('/referrals', { referrer_id: referrer, referee_id: referee }));
    await untilWaiting(app.url, 1);
    await held.rollback();
    expect((await pending).status).toBe(201);
  });
});

describe('a transaction whose time is up while it waits', () => {
  /** Nobody hears of a rollback that was carried out until the returned function is called. */
  function holdRollbacks(): () => void {
    const { pool } = app.deps.db;
    const seen = new Set<PoolClient>();
    let tell = () => {};
    const told = new Promise<void>((done) => {
      tell = done;
    });
    const hold = (client: PoolClient): void => {
      if (seen.has(client)) return;
      seen.add(client);
      const { query } = client;
      const sendAndHold = (...given: [{ text?: string }]) => {
        const sending = Reflect.apply(query, client, given) as Promise<unknown>;
        return given[0].text === 'ROLLBACK' ? sending.then((answer) => told.then(() => answer)) : sending;
      };
      Object.assign(client, { query: sendAndHold });
      onTestFinished(() => void Object.assign(client, { query }));
    };
    pool.on('acquire', hold);
    onTestFinished(() => void pool.off('acquire', hold));
    return tell;
  }

  it('sends nothing behind the rollback, and the operation is done in another one, once', async () => {
    const orderId = await placeOrder(app, 'slow', 'PACK');
    const customer = await holdCustomers(app.url, await customerIdOf(app, 'slow'));
    const tellRollback = holdRollbacks();
    const logs = logStatements(app.deps.db.pool);
    const sentTexts = () => [...logs.values()].flat().map(({ text }) => text);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const pending = send(app.post(`/orders/${orderId}/confirm`, { payment_id: 'slow' }));
    await untilWaiting(app.url, 1);
    // no statement of it takes too long, both together do
    const catalogue = await holdTransaction(app.url);
    await catalogue.query('LOCK TABLE product_features IN ACCESS EXCLUSIVE MODE');
    vi.advanceTimersByTime(TRANSACTION_MS / 2);
    await customer.rollback();
    await untilWaiting(app.url, 1);
    vi.advanceTimersByTime(TRANSACTION_MS / 2);
    vi.useRealTimers();
    await waitFor('the rollback', () => sentTexts().includes('ROLLBACK') || undefined);
    await catalogue.rollback();
    await balanceOf(app, 'slow', 'CREDITS'); // meanwhile what was loaded has come
    tellRollback();
    const answer = await pending;
    expect([answer.status, answer.body.status], answer.text).toEqual([200, 'paid']);
    expect(await balanceOf(app, 'slow', 'CREDITS')).toBe(10);
    const texts = [...logs.values()]
      .map((sent) => sent.map(({ text }) => text))
      .find((all) => all.includes('ROLLBACK'));
    const behind = texts?.slice(texts.indexOf('ROLLBACK')) ?? [];
    const own = behind.includes('BEGIN') ? behind.slice(0, behind.indexOf('BEGIN')) : behind;
    expect(own.filter((text) => /INSERT|UPDATE/.test(text))).toEqual([]);
  });
});

describe('a write takes few round trips between BEGIN and COMMIT', () => {
  it('an order and its confirmation', async () => {
    await customerIdOf(app, 'quick');
    const logs = logStatements(app.deps.db.pool);
    const orderId = await placeOrder(app, 'quick', 'PACK');
    const answer = await app.post(`/orders/${orderId}/confirm`, { payment_id: 'quick' });
    expect([answer.status, await balanceOf(app, 'quick', 'CREDITS')]).toEqual([200, 10]);
    const [order, confirm, ...others] = committedTransactions(logs).filter(({ statements }) =>
      statements.some((text) => /FOR NO KEY UPDATE/.test(text)),
    );
    expect(others).toEqual([]);
    for (const each of [order, confirm])
      expect(each?.trips, each?.statements.join('\n')).toBeLessThanOrEqual(TRIPS_MAX);
    expect([order?.trips, confirm?.trips]).toEqual([3, 3]);
  });

  it('a use: none that is waited for before its writes', async () => {
    await grantUnits(app, 'quicker', 'CREDITS', 10);
    const logs = logStatements(app.deps.db.pool);
    await app.post('/quota/consume', { external_id: 'quicker', product_key: 'CREDITS', amount: 1 });
    expect(committedTransactions(logs).map(({ trips }) => trips)).toEqual([2]);
  });
});

describe('statements that are sent behind one that fails', () => {
  it.each(OPENERS)('fail with its error, whichever is looked at first, opened by %s', async (opener) => {
    const tx = await begin(app.deps.db, opener);
    const sent = await Promise.allSettled([tx.query('SELECT 1 / 0 AS failed'), tx.query('SELECT 1 AS behind')]);
    await tx.abandon();
    expect(sent.map((each) => (each.status === 'rejected' ? sqlStateOf(each.reason) : each.value))).toEqual([
      DIVISION_BY_ZERO,
      DIVISION_BY_ZERO,
    ]);
  });
});
