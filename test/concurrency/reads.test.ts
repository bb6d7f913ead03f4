// What the readers promise: reads of books that wait together are read together, each is answered for itself, and nobody pays for a neighbour.
import { beforeAll, describe, expect, it } from 'vitest';
import { laneKeyOf } from '../../src/engine/lane-key.js';
import { createReads, NOBODY, type Reads } from '../../src/engine/reads.js';
import type { Foundations } from '../../src/foundations.js';
import { balanceOf as bookBalanceOf, holdingOf } from '../../src/ledger/book.js';
import { judgeUse } from '../../src/ledger/use.js';
import { getBalance } from '../../src/services/wallet.js';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import { balanceOf, customerIdOf, send, sendTogether, tally } from '../support/parallel.js';

const READERS = 4;
const WAITING_MAX = 4_096;
/** Who is meant, and what they hold. */
const STATEMENTS_OF_A_READ = 2;
const CUSTOMERS = 40;

const app = useTestApp();
const asks = [{ subject: { productKey: 'CREDITS' }, amount: 0 }];
const named = (externalId: string) => ({ identity: { provider: 'default', externalId } });

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'STARS', { features: [{ feature: 'prediction', unit_cost: 2 }] });
  for (let at = 0; at < CUSTOMERS; at += 1) await grantUnits(app, `reader-${at}`, 'CREDITS', at + 1);
  await grantUnits(app, 'reader-0', 'STARS', 7);
});

/** Readers whose statements go through `query` first; it may wait or throw. */
function readsWith(
  query: (parameters: string, number: number) => Promise<void>,
  settings: Partial<Foundations['config']> = {},
): { reads: Reads; sent(): number } {
  const { deps } = app;
  let statements = 0;
  const db: Foundations['db'] = {
    ...deps.db,
    query: async (sql, parameters) => {
      statements += 1;
      await query(JSON.stringify(parameters), statements);
      return deps.db.query(sql, parameters);
    },
  };
  return { reads: createReads({ ...deps, db, config: { ...deps.config, ...settings } }), sent: () => statements };
}

/** Readers whose first statements wait until they are let go. */
function heldReads(settings: Partial<Foundations['config']> = {}) {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let held = READERS;
  const made = readsWith(async () => {
    if (held === 0) return;
    held -= 1;
    await gate;
  }, settings);
  return { ...made, open };
}

async function availableTo(reads: Reads, externalId: string): Promise<number> {
  const { book } = await reads.find(named(externalId), asks);
  return holdingOf(book, 'CREDITS').available;
}

describe('reads that wait at the same time', () => {
  it('are read in two statements, each with its own customer', async () => {
    const { reads, sent, open } = heldReads();
    const first = Array.from({ length: READERS }, () => availableTo(reads, 'reader-0'));
    const others = Array.from({ length: 3 * CUSTOMERS }, (_, at) => availableTo(reads, `reader-${at % CUSTOMERS}`));
    open();
    expect(await Promise.all(first)).toEqual(Array(READERS).fill(1));
    expect(await Promise.all(others)).toEqual(Array.from({ length: 3 * CUSTOMERS }, (_, at) => (at % CUSTOMERS) + 1));
    expect(sent()).toBe((READERS + 1) * STATEMENTS_OF_A_READ);
  });

  it('are answered for what each asks of one customer', async () => {
    const { reads, open } = heldReads();
    const first = Array.from({ length: READERS }, () => availableTo(reads, 'reader-0'));
    const feature = reads.find(named('reader-0'), [{ subject: { feature: 'prediction' }, amount: 0 }]);
    const product = reads.find({ customerId: await customerIdOf(app, 'reader-0') }, asks);
    const unknown = reads.find(named('reader-0'), [{ subject: { productKey: 'NOTHING' }, amount: 0 }]);
    open();
    await Promise.all(first);
    const read = await feature;
    expect(read.providersOf({ feature: 'prediction' }).map(({ productKey }) => productKey)).toEqual(['STARS']);
    expect(bookBalanceOf(holdingOf(read.book, 'STARS'))).toBe(7);
    expect(holdingOf((await product).book, 'CREDITS').available).toBe(1);
    expect((await unknown).providersOf({ productKey: 'NOTHING' })).toEqual([]);
  });

  it('see nobody, and a contradiction, as what they are', async () => {
    const { reads, open } = heldReads();
    const first = Array.from({ length: READERS }, () => availableTo(reads, 'reader-1'));
    const stranger = reads.find(named('never-seen'), asks);
    const required = expect(reads.require(named('never-seen'), asks)).rejects.toMatchObject({
      code: 'customer_not_found',
    });
    const customerId = await customerIdOf(app, 'reader-1');
    const contradiction = expect(reads.find({ customerId, ...named('reader-2') }, asks)).rejects.toMatchObject({
      code: 'selector_conflict',
    });
    const halfKnown = expect(reads.find({ customerId, ...named('never-seen') }, asks)).rejects.toMatchObject({
      code: 'selector_conflict',
    });
    const good = availableTo(reads, 'reader-3');
    open();
    expect((await stranger).book.customerId).toBe(NOBODY);
    await Promise.all([...first, required, contradiction, halfKnown]);
    expect(await good).toBe(4);
  });

  it('settle what is due once, for all of them', async () => {
    await grantUnits(app, 'ending', 'CREDITS', 5, { expires_at: '2026-01-31T13:00:00.000Z' });
    await grantUnits(app, 'ending', 'CREDITS', 3);
    app.clock.advance({ hours: 2 });
    const { reads, open } = heldReads();
    const first = Array.from({ length: READERS }, () => availableTo(reads, 'reader-0'));
    const ending = [availableTo(reads, 'ending'), availableTo(reads, 'ending')];
    open();
    await Promise.all(first);
    expect(await Promise.all(ending)).toEqual([3, 3]);
  });

  it('read the books of customers of one lane key in one statement', async () => {
    const { reads, sent, open } = heldReads({ laneKeys: 4_096 });
    const first = Array.from({ length: READERS }, () => availableTo(reads, 'reader-0'));
    const others = ['reader-1', 'reader-1', 'reader-2', 'reader-1'].map((name) => availableTo(reads, name));
    open();
    await Promise.all(first);
    expect(await Promise.all(others)).toEqual([2, 2, 3, 2]);
    const ids = await Promise.all(['reader-1', 'reader-2'].map((name) => customerIdOf(app, name)));
    const keys = new Set(ids.map((id) => laneKeyOf({ config: { ...app.deps.config, laneKeys: 4_096 } }, id)));
    expect(sent()).toBe(READERS * STATEMENTS_OF_A_READ + 1 + keys.size);
  });

  it('are covered by as many batches as each needs', async () => {
    const batches = 40;
    for (let at = 0; at < batches; at += 1) await grantUnits(app, 'pieces', 'CREDITS', 1);
    const { reads, open } = heldReads();
    const first = Array.from({ length: READERS }, () => availableTo(reads, 'reader-0'));
    const subject = { productKey: 'CREDITS' };
    const planOf = async (name: string, amount: number) => {
      const { book, providersOf } = await reads.find(named(name), [{ subject, amount }]);
      const { plan } = judgeUse(book, { subject, amount }, providersOf(subject));
      return plan?.takings.map((taking) => taking.amount);
    };
    const plans = [planOf('pieces', batches), planOf('pieces', 2), planOf('reader-9', 10)];
    open();
    await Promise.all(first);
    expect(await Promise.all(plans)).toEqual([Array(batches).fill(1), [1, 1], [10]]);
  });
});

describe('a read of somebody who is granted something since it was asked', () => {
  const expiresAt = '2026-03-01T00:00:00.000Z';
  const subject = { productKey: 'PASS' };

  /** Readers in whose first read a grant comes between the look-up and the load, by a clock that is ahead. */
  async function overtakenReads(externalId: string): Promise<Reads> {
    await putProduct(app, 'PASS', { type: 'period' });
    await grantUnits(app, externalId, 'CREDITS', 1);
    return readsWith(async (_parameters, number) => {
      if (number !== STATEMENTS_OF_A_READ) return;
      app.clock.advance({ seconds: 5 });
      await grantUnits(app, externalId, 'PASS', 1, { expires_at: expiresAt });
      app.clock.advance({ seconds: -5 });
    }).reads;
  }

  it('tells of the instant at which it was loaded', async () => {
    const reads = await overtakenReads('overtaken');
    const { at, book } = await reads.find(named('overtaken'), [{ subject, amount: 0 }]);
    expect(at.getTime()).toBe(app.clock.now().getTime() + 5_000);
    expect(holdingOf(book, 'PASS').running[0]?.validFrom).toEqual(at);
  });

  it('says until when the access lasts', async () => {
    const reads = await overtakenReads('overtaken-too');
    const balance = await getBalance({ ...app.deps, reads }, named('overtaken-too'), subject, undefined);
    expect(balance).toEqual({ subject, canUse: true, remaining: null, upcoming: 0, expiresAt: new Date(expiresAt) });
  });
});

describe('a read that fails', () => {
  it('fails alone when it is its own fault', async () => {
    const { reads } = readsWith(async (parameters) => {
      if (parameters.includes('poison')) throw new RangeError('not exact in a number');
    });
    const first = Array.from({ length: READERS }, () => availableTo(reads, 'reader-0'));
    const poison = expect(availableTo(reads, 'poison')).rejects.toThrow('not exact in a number');
    const others = Array.from({ length: CUSTOMERS }, (_, at) => availableTo(reads, `reader-${at}`));
    await Promise.all([...first, poison]);
    expect(await Promise.all(others)).toEqual(Array.from({ length: CUSTOMERS }, (_, at) => at + 1));
  });

  it('fails alone when it takes too long', async () => {
    const { reads } = readsWith(async (parameters) => {
      if (parameters.includes('slow')) throw Object.assign(new Error('canceled'), { code: '57014', severity: 'ERROR' });
    });
    const first = Array.from({ length: READERS }, () => availableTo(reads, 'reader-0'));
    const slow = expect(availableTo(reads, 'slow')).rejects.toMatchObject({ code: '57014' });
    const others = ['reader-1', 'reader-2'].map((name) => availableTo(reads, name));
    await Promise.all([...first, slow]);
    expect(await Promise.all(others)).toEqual([2, 3]);
  });

  it('ends what is read alone when the database is lost meanwhile', async () => {
    const { reads, sent } = readsWith(async (_parameters, number) => {
      if (number <= READERS) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
      if (number === READERS + 1) throw new RangeError('not exact in a number');
      throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    });
    const all = Array.from({ length: READERS + CUSTOMERS }, (_, at) => availableTo(reads, `reader-${at % CUSTOMERS}`));
    const outcomes = await Promise.allSettled(all);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(sent()).toBe(READERS + 2);
  });

  it('fails with all beside it, at once, when the database is lost', async () => {
    const { reads, sent } = readsWith(async () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    });
    const all = Array.from({ length: CUSTOMERS }, (_, at) => availableTo(reads, `reader-${at}`));
    const outcomes = await Promise.allSettled(all);
    expect(outcomes.map(({ status }) => status)).toEqual(Array(CUSTOMERS).fill('rejected'));
    expect(sent()).toBe(READERS + 1);
  });
});

it('reads beyond what may wait are refused with a time to come back', async () => {
  const { reads, open } = heldReads();
  const waiting = Array.from({ length: READERS + WAITING_MAX }, () => availableTo(reads, 'reader-0'));
  await expect(availableTo(reads, 'reader-0')).rejects.toMatchObject({ code: 'overloaded', retryAfterS: 1 });
  open();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set([1]));
  expect(await availableTo(reads, 'reader-0')).toBe(1);
});

it('balances and dry runs that are asked for beside uses never show what was not there', async () => {
  const uses = 30;
  await grantUnits(app, 'busy', 'CREDITS', uses);
  const ask = { external_id: 'busy', product_key: 'CREDITS' };
  const using = sendTogether(uses, () => app.post('/quota/consume', { ...ask, amount: 1 }));
  const balances = sendTogether(uses, () => app.get('/balance?external_id=busy&product_key=CREDITS'));
  const checks = sendTogether(uses, () => app.post('/quota/check', { ...ask, amount: uses }));
  const [used, shown, checked] = await Promise.all([using, balances, checks]);
  expect(tally(used)).toEqual({ 200: uses });
  expect(tally(shown)).toEqual({ 200: uses });
  expect(tally(checked)).toEqual({ 200: uses });
  for (const { body } of shown) expect(body.remaining).toSatisfy((left: number) => left >= 0 && left <= uses);
  for (const { body } of checked)
    if (!body.allowed) expect(body.remaining).toSatisfy((left: number) => left >= 0 && left < uses);
  expect(await balanceOf(app, 'busy', 'CREDITS')).toBe(0);
  expect((await send(app.post('/quota/check', { ...ask, amount: 1 }))).body.allowed).toBe(false);
});
