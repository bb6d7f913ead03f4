// Batches of consumes from two apps at once: what one key names happens once, all or nothing where that was asked for, and nobody who has
// nothing to do with them waits. What a key remembers, and small pools, are in keyed-calls.test.ts.
import type { Response } from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import { failWrites, gateCommits } from '../support/commit-faults.js';
import {
  ask,
  balanceOf,
  type Client,
  customerIdOf,
  deadlocksOf,
  holdCustomers,
  send,
  sendTogether,
  tally,
  untilWaiting,
  useSecondApp,
} from '../support/parallel.js';
import { expectProblem } from '../support/requests.js';
import { countTransactions, poisonAction } from '../support/shared-transactions.js';
import { waitFor } from '../support/wait.js';

/** More than an app has connections. */
const CROWD = 20;
const CALLS_ADMITTED_MAX = 256;
const BATCH = '/quota/consume/batch';
const MODES = ['continue', 'atomic'] as const;

const app = useTestApp();
const second = useSecondApp(app);
const clientOf = (index: number) => (index % 2 ? app : second);

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
});

const item = (externalId: string, amount: number, more: Record<string, unknown> = {}) => ({
  external_id: externalId,
  product_key: 'CREDITS',
  amount,
  ...more,
});
const keyed = (key: string) => ({ 'idempotency-key': key });
const textsOf = (answers: readonly Response[]) => new Set(answers.map((answer) => answer.text));
const allowedOf = ({ body }: Response): boolean[] => body.results.map(({ allowed }: { allowed: boolean }) => allowed);

async function endow(people: readonly string[], quantity: number): Promise<void> {
  for (const person of people) await grantUnits(app, person, 'CREDITS', quantity);
}

const balancesOf = (people: readonly string[]) => Promise.all(people.map((each) => balanceOf(app, each, 'CREDITS')));

async function countOperations(externalId: string): Promise<Record<string, number>> {
  const rows = await ask(
    app.url,
    `SELECT o.name, count(*)::int AS operations FROM operations o JOIN identities i USING (customer_id)
     WHERE i.external_id = $1 AND o.name LIKE 'quota.consume%' GROUP BY o.name`,
    [externalId],
  );
  return Object.fromEntries(rows.map((row) => [row.name, row.operations]));
}

describe.each(MODES)('a batch (%s) that comes many times at once with one key', (mode) => {
  const named = (name: string) => `${name}-${mode}`;

  it('lets one of two contents win, and refuses the other one', async () => {
    const person = named('two-contents');
    await endow([person], 100);
    const answers = await sendTogether(12, (index) =>
      clientOf(Math.floor(index / 2)).post(
        BATCH,
        { items: [item(person, (index % 2) + 1)], mode },
        keyed(named('two-contents')),
      ),
    );
    expect(tally(answers)).toEqual({ '200': 6, '422 idempotency_key_reused': 6 });
    const [taken, ...others] = new Set(
      answers.filter(({ status }) => status === 200).map(({ body }) => body.results[0].amount),
    );
    expect(others).toEqual([]);
    expect(await balanceOf(app, person, 'CREDITS')).toBe(100 - taken);
  });

  it('refuses other contents without harm to those who work beside it', async () => {
    const person = named('beside');
    const others = Array.from({ length: 2 * CROWD }, (_, index) => `${person}-${index}`);
    await endow([person, ...others], 100);
    const call = (amount: number) => app.post(BATCH, { items: [item(person, amount)], mode }, keyed(person));
    await call(1);
    // more of them than there are connections: whatever the refused calls do to one that they gave back, somebody else has it by then
    const grant = { grant_type: 'bonus', product_key: 'CREDITS', quantity: 1 };
    const [refused, granted] = await Promise.all([
      sendTogether(CROWD, () => call(2)),
      sendTogether(others.length, (index) => app.post('/grants', { external_id: others[index], ...grant })),
    ]);
    expect(tally(refused)).toEqual({ '422 idempotency_key_reused': CROWD });
    expect(tally(granted)).toEqual({ '201': others.length });
    expect(await balancesOf([person, ...others])).toEqual([99, ...others.map(() => 101)]);
  });

  it('is answered anew, and not remembered, while nothing of it is allowed', async () => {
    const person = named('poor');
    await customerIdOf(app, person);
    const call = () =>
      sendTogether(6, (index) => clientOf(index).post(BATCH, { items: [item(person, 4)], mode }, keyed(named('poor'))));
    const refused = await call();
    expect(tally(refused)).toEqual({ '200': 6 });
    expect(refused.map(allowedOf)).toEqual(Array(6).fill([false]));
    expect(refused.filter((answer) => answer.headers['idempotent-replayed'])).toEqual([]);
    await endow([person], 10);
    const allowed = await call();
    expect(allowed.map(allowedOf)).toEqual(Array(6).fill([true]));
    expect(textsOf(allowed).size).toBe(1);
    expect(await balanceOf(app, person, 'CREDITS')).toBe(6);
  });

  it('keeps the keys that its items get apart from those of callers', async () => {
    const person = named('derived');
    await endow([person], 100);
    const key = named('derived');
    await app.post('/quota/consume', item(person, 1), keyed(`${key}#0`));
    const batch = await app.post(BATCH, { items: [item(person, 2), item(person, 4)], mode }, keyed(key));
    expect(allowedOf(batch)).toEqual([true, true]);
    const single = await app.post('/quota/consume', item(person, 8), keyed(`${key}#1`));
    expect([single.status, single.headers['idempotent-replayed']]).toEqual([200, undefined]);
    expect(await balanceOf(app, person, 'CREDITS')).toBe(85);
    expect(await countOperations(person)).toEqual({ 'quota.consume': 2, 'quota.consume.item': 2 });
  });

  it('takes nothing twice when its answer could not be recorded', async () => {
    const person = named('unrecorded');
    await endow([person], 100);
    await failWrites(app.url, 'keyed_calls', { count: 7, sqlState: '40001', atCommit: false });
    const call = () => app.post(BATCH, { items: [item(person, 1), item(person, 2)], mode }, keyed(named('unrecorded')));
    const answers = [await call()];
    while (answers.at(-1)?.status === 503 && answers.length < 10) answers.push(await call());
    expect(answers.length).toBeGreaterThan(1);
    expectProblem(answers[0] as Response, 503, 'unavailable');
    expect(allowedOf(answers.at(-1) as Response)).toEqual([true, true]);
    expect(await balanceOf(app, person, 'CREDITS')).toBe(97);
    expect(await countOperations(person)).toEqual({ 'quota.consume.item': 2 });
  });

  it('is waited for by the next one of its key, in another app, which replays it', async () => {
    const person = named('second-call');
    await endow([person], 100);
    const call = (client: Client) => send(client.post(BATCH, { items: [item(person, 3)], mode }, keyed(person)));
    const gate = await gateCommits(app.url, 'entries');
    const first = call(app);
    await untilWaiting(app.url, 1);
    const next = call(second);
    await untilWaiting(app.url, 2);
    await gate.rollback();
    const answers = await Promise.all([first, next]);
    expect(answers.map((answer) => answer.headers['idempotent-replayed'])).toEqual([undefined, 'true']);
    expect(textsOf(answers).size).toBe(1);
    expect(await balanceOf(app, person, 'CREDITS')).toBe(97);
  });

  it('may lose the connection that holds the lock of its key: it takes once', async () => {
    const person = named('lock-lost');
    await endow([person], 10);
    const call = () => send(app.post(BATCH, { items: [item(person, 3)], mode }, keyed(person)));
    const gate = await gateCommits(app.url, 'entries');
    const first = call();
    await untilWaiting(app.url, 1);
    const lost = await ask(
      app.url,
      `SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'bursar' AND state = 'idle in transaction'`,
    );
    expect(lost).toEqual([{ done: true }]);
    await gate.rollback();
    const answer = await first;
    expect([answer.status, allowedOf(answer)]).toEqual([200, [true]]);
    const again = await call();
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([answer.text, 'true']);
    expect(await balanceOf(app, person, 'CREDITS')).toBe(7);
  });
});

describe('a batch of which an item failed', () => {
  it('is not remembered: sent again it goes on where it was', async () => {
    await endow(['whole', 'failing'], 10);
    await poisonAction(app.url, 'poisoned', '23514');
    const items = [item('whole', 1), item('failing', 2, { action_id: 'poisoned' })];
    const call = () => app.post(BATCH, { items }, keyed('half-done'));
    expect((await call()).body.results).toMatchObject([{ allowed: true }, { allowed: false, code: 'internal_error' }]);
    await ask(app.url, 'DROP TRIGGER test_action ON entries');
    const again = await call();
    expect([allowedOf(again), again.headers['idempotent-replayed']]).toEqual([[true, true], undefined]);
    expect(await balancesOf(['whole', 'failing'])).toEqual([9, 8]);
    expect((await call()).text).toBe(again.text);
  });
});

describe('items with equal keys', () => {
  it.each(MODES)('of one batch (%s) count once', async (mode) => {
    const person = `item-keys-${mode}`;
    await endow([person], 100);
    const same = item(person, 5, { idempotency_key: 'i' });
    const answer = await app.post(BATCH, { items: [same, item(person, 1), same], mode });
    expect(allowedOf(answer)).toEqual([true, true, true]);
    expect(answer.body.results[2]).toEqual({ ...answer.body.results[0], index: 2, replayed: true });
    expect(await balanceOf(app, person, 'CREDITS')).toBe(94);
  });

  it('of batches at once count once, and what else the batches ask for counts for each', async () => {
    await endow(['item-keys'], 100);
    const answers = await sendTogether(12, (index) =>
      clientOf(index).post(BATCH, {
        items: [item('item-keys', 5, { idempotency_key: 'i' }), item('item-keys', 1)],
        mode: index % 4 < 2 ? 'atomic' : 'continue',
      }),
    );
    expect(answers.map(allowedOf)).toEqual(Array(12).fill([true, true]));
    expect(new Set(answers.map(({ body }) => body.results[0].operation_id)).size).toBe(1);
    expect(await balanceOf(app, 'item-keys', 'CREDITS')).toBe(83);
  });

  it('of other contents leave an atomic batch undone', async () => {
    await endow(['other-contents'], 100);
    const items = [5, 6].map((amount) => item('other-contents', amount, { idempotency_key: 'i' }));
    const answer = await app.post(BATCH, { items, mode: 'atomic' });
    expect([answer.body.committed, allowedOf(answer)]).toEqual([false, [true, false]]);
    expect(answer.body.results[1].code).toBe('idempotency_key_reused');
    expect(await balanceOf(app, 'other-contents', 'CREDITS')).toBe(100);
  });
});

describe('24 atomic batches over the same six customers, in different orders, from two apps', () => {
  const orderOf = (people: readonly string[], index: number) => {
    const turned = people.map((_, at) => people[(at + index) % people.length] as string);
    return index % 4 < 2 ? turned : turned.reverse();
  };

  it('take of each of them or of none, without a deadlock', async () => {
    const people = Array.from({ length: 6 }, (_, index) => `shared-${index}`);
    await endow(people, 14);
    const answers = await sendTogether(24, (index) =>
      clientOf(index).post(BATCH, { items: orderOf(people, index).map((person) => item(person, 1)), mode: 'atomic' }),
    );
    expect(tally(answers)).toEqual({ '200': 24 });
    expect(answers.filter(({ body }) => body.committed)).toHaveLength(14);
    const refused = answers.filter(({ body }) => !body.committed);
    expect(refused.map(allowedOf)).toEqual(Array(10).fill(people.map(() => false)));
    expect(await balancesOf(people)).toEqual(people.map(() => 0));
    expect(await countTransactions(app.url, people)).toBe(14);
    expect(await deadlocksOf(app.url)).toBe(0);
  });

  it('share them with single uses, and leave exact sums', async () => {
    const people = Array.from({ length: 4 }, (_, index) => `mixed-${index}`);
    await endow(people, 30);
    const atOf = (index: number) => Math.floor(index / 4) % people.length;
    const answers = await sendTogether(48, (index) =>
      Math.floor(index / 2) % 2
        ? clientOf(index).post(BATCH, { items: orderOf(people, index).map((each) => item(each, 2)), mode: 'atomic' })
        : clientOf(index).post('/quota/consume', item(people[atOf(index)] as string, 1)),
    );
    const { '200': answered = 0, '402 insufficient_quota': refused = 0 } = tally(answers);
    expect(answered + refused).toBe(48);
    const batches = answers.filter(({ body }) => body.committed).length;
    const singles = people.map((_, at) => answers.filter(({ body }, index) => body.taken && atOf(index) === at).length);
    expect(await balancesOf(people)).toEqual(singles.map((single) => 30 - 2 * batches - single));
    expect(await deadlocksOf(app.url)).toBe(0);
  });
});

describe('an atomic batch that waited for a lock', () => {
  it('decides upon what is true after its wait: one item is refused, and none is taken', async () => {
    await endow(['waits-one', 'waits-two'], 10);
    const held = await holdCustomers(app.url, await customerIdOf(app, 'waits-two'));
    const other = send(second.post('/quota/consume', item('waits-two', 8)));
    await untilWaiting(app.url, 1);
    const items = [item('waits-one', 3), item('waits-two', 3)];
    const batch = send(app.post(BATCH, { items, mode: 'atomic' }));
    await untilWaiting(app.url, 2);
    await held.rollback();
    expect((await other).status).toBe(200);
    const answer = await batch;
    expect([answer.body.committed, allowedOf(answer)]).toEqual([false, [true, false]]);
    expect(await balancesOf(['waits-one', 'waits-two'])).toEqual([10, 2]);
  });

  it('reads the time after its wait: units that ended meanwhile are not spendable', async () => {
    const end = new Date(app.clock.now().getTime() + 60_000).toISOString();
    await grantUnits(app, 'ended', 'CREDITS', 5, { expires_at: end });
    const held = await holdCustomers(app.url, await customerIdOf(app, 'ended'));
    const batch = send(app.post(BATCH, { items: [item('ended', 1)], mode: 'atomic' }));
    await untilWaiting(app.url, 1);
    app.clock.set(end);
    await held.rollback();
    expect((await batch).body.results).toMatchObject([{ allowed: false, code: 'insufficient_quota', available: 0 }]);
  });
});

describe(`while ${CROWD} batches of ada wait for her lock`, () => {
  it.each([
    ['atomic ones', 'atomic', undefined],
    ['atomic ones with keys', 'atomic', 'waiting-atomic'],
    ['others with keys', 'continue', 'waiting'],
  ])('bob consumes (%s)', async (_, mode, key) => {
    await endow(['ada', 'bob'], 100);
    const before = await balanceOf(app, 'ada', 'CREDITS');
    const held = await holdCustomers(app.url, await customerIdOf(app, 'ada'));
    const body = { items: [item('ada', 1)], mode };
    const crowd = Array.from({ length: CROWD }, (_, index) =>
      send(app.post(BATCH, body, key === undefined ? {} : keyed(`${key}-${index}`))),
    );
    await untilWaiting(app.url, 1, 'at least');
    const bob = await app.post('/quota/consume', item('bob', 1));
    await held.rollback();
    const answers = await Promise.all(crowd);
    expect(bob.status).toBe(200);
    expect(tally(answers)).toEqual({ '200': CROWD });
    expect(await balanceOf(app, 'ada', 'CREDITS')).toBe(before - CROWD);
  });
});

it('calls beyond what may wait are refused with a time to come back, and the others go through', async () => {
  const ada = 'crowded';
  await endow([ada], 2 * CALLS_ADMITTED_MAX);
  const held = await holdCustomers(app.url, await customerIdOf(app, ada));
  const call = (index: number) =>
    app.post(BATCH, { items: [item(ada, 1)], mode: 'atomic' }, index % 2 ? keyed(`crowd-${index}`) : {});
  const answers: Response[] = [];
  const calls = Array.from({ length: CALLS_ADMITTED_MAX + CROWD }, async (_, index) => {
    answers.push(await send(call(index)));
  });
  await waitFor('the calls that are too many', () => (answers.length >= CROWD ? true : undefined));
  expect(tally(answers)).toEqual({ '503 overloaded': CROWD });
  expect(answers[0]?.headers['retry-after']).toBe('1');
  await held.rollback();
  await Promise.all(calls);
  expect(tally(answers)).toEqual({ 200: CALLS_ADMITTED_MAX, '503 overloaded': CROWD });
  expect(await balanceOf(app, ada, 'CREDITS')).toBe(CALLS_ADMITTED_MAX);
});
