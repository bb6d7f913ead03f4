// Keys of a batch of consumes (DOMAIN 3.6): each item has its own, the call's covers all of it, and what was recorded of a call that was
// cut off is not taken again. Many calls at once: test/concurrency/keyed-calls.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { ask, customerIdOf } from '../support/parallel.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';
import { poisonAction } from '../support/shared-transactions.js';

const app = useTestApp();
const modes = ['continue', 'atomic'] as const;
const PATH = '/quota/consume/batch';

beforeAll(() => putProduct(app, 'CREDITS'));

const item = (external_id: string, amount: number, more: Json = {}): Json => ({
  external_id,
  product_key: 'CREDITS',
  amount,
  ...more,
});

const send = (items: Json[], more: Json = {}) => app.post(PATH, { items, ...more });

/** Sends a batch that is answered 200. */
async function batch(items: Json[], more: Json = {}): Promise<{ committed: boolean; results: Json[] }> {
  const answer = await send(items, more);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

const verdictsOf = ({ results }: { results: Json[] }) =>
  results.map((result) => (result.allowed ? 'allowed' : result.code));

async function balanceOf(external_id: string): Promise<number> {
  const answer = await app.get(`/wallet?external_id=${external_id}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.balances.CREDITS ?? 0;
}

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

describe.each(modes)('an item’s key with mode %s', (mode) => {
  it('sees its predecessor in the same call', async () => {
    const external_id = await personWith(10);
    const { results } = await batch(
      [1, 2, 3].map(() => item(external_id, 2, { idempotency_key: 'k' })),
      { mode },
    );
    const first = results[0] as Json;
    expect(first).toMatchObject({ replayed: false, allowed: true, remaining: 8 });
    expect(results).toEqual([first, ...[1, 2].map((index) => ({ ...first, index, replayed: true }))]);
    expect(await balanceOf(external_id)).toBe(8);
  });

  it('tells which results are replays of an earlier call', async () => {
    const external_id = await personWith(10);
    const keyed = (idempotency_key: string) => item(external_id, 2, { idempotency_key });
    await app.post('/quota/consume', keyed('single'));
    await batch([keyed('earlier')], { mode });
    const items = [keyed('single'), keyed('new'), keyed('earlier'), item(external_id, 1)];
    const { results } = await batch(items, { mode });
    expect(results.map(({ replayed }) => replayed)).toEqual([true, false, true, false]);
    expect(await balanceOf(external_id)).toBe(3);
    const refused = await batch([keyed('single'), item(external_id, 100), item(external_id, 1)], { mode });
    expect(refused.results.map(({ replayed, allowed }) => [replayed, allowed])).toEqual([
      [mode === 'continue', true],
      [false, false],
      [false, true],
    ]);
  });

  it('sees a predecessor that is far ahead of it', async () => {
    const external_id = await personWith(500);
    const items = Array.from({ length: 250 }, (_, index) =>
      item(external_id, 1, { idempotency_key: `${index % 125}` }),
    );
    const { results } = await batch(items, { mode });
    expect(results.slice(125).map(({ usage_id }) => usage_id)).toEqual(
      results.slice(0, 125).map(({ usage_id }) => usage_id),
    );
    expect(await balanceOf(external_id)).toBe(375);
  });

  it('is refused with other contents, as that item’s verdict', async () => {
    const external_id = await personWith(10);
    const keyed = (amount: number) => item(external_id, amount, { idempotency_key: 'k' });
    const answer = await batch([keyed(2), keyed(3), item(external_id, 4)], { mode });
    expect(verdictsOf(answer)).toEqual(['allowed', 'idempotency_key_reused', 'allowed']);
    expect(answer.results[1]).toMatchObject({ index: 1, errors: [{ pointer: '/idempotency_key' }] });
    expect(await balanceOf(external_id)).toBe(mode === 'continue' ? 4 : 10);
  });

  it('is the customer’s own', async () => {
    const [ada, bob] = [await personWith(10), await personWith(10)];
    const { results } = await batch(
      [ada, bob].map((external_id) => item(external_id, 2, { idempotency_key: 'k' })),
      { mode },
    );
    expect(results[0]?.operation_id).not.toBe(results[1]?.operation_id);
    expect([await balanceOf(ada), await balanceOf(bob)]).toEqual([8, 8]);
  });

  it('is that of a single consume, which it gives again', async () => {
    const external_id = await personWith(10);
    const single = await app.post('/quota/consume', item(external_id, 2, { idempotency_key: 'k' }));
    const { results } = await batch([item(external_id, 1), item(external_id, 2, { idempotency_key: 'k' })], { mode });
    expect(results[1]).toEqual({ index: 1, replayed: true, ...single.body });
    expect(await balanceOf(external_id)).toBe(7);
  });

  it.each(['/quota/consume', '/wallet/consume'])('is given again by a single %s', async (path) => {
    const external_id = await personWith(10);
    const answer = await send([item(external_id, 2, { idempotency_key: 'k' })], { mode });
    const single = await app.post(path, item(external_id, 2, { idempotency_key: 'k' }));
    expect(single.headers['idempotent-replayed']).toBe('true');
    expect(answer.text).toBe(`{"committed":true,"results":[{"index":0,"replayed":false,${single.text.slice(1)}]}`);
    expectProblem(
      await app.post(path, item(external_id, 3, { idempotency_key: 'k' })),
      422,
      'idempotency_key_reused',
      '/idempotency_key',
    );
    expect(await balanceOf(external_id)).toBe(8);
  });

  it('makes a call without a key of its own repeatable', async () => {
    const external_id = await personWith(10);
    const items = [2, 3].map((amount) => item(external_id, amount, { idempotency_key: `k${amount}` }));
    const first = await send(items, { mode });
    const written = await writtenBy(app, async () => {
      const again = await send(items, { mode });
      expect(again.text).toBe(first.text.replaceAll('"replayed":false', '"replayed":true'));
    });
    expect(written).toEqual({});
  });

  it('is not remembered for a refusal', async () => {
    const external_id = newPerson();
    const items = [item(external_id, 2, { idempotency_key: 'k' })];
    expect(verdictsOf(await batch(items, { mode }))).toEqual(['insufficient_quota']);
    await grantUnits(app, external_id, 'CREDITS', 5);
    expect(verdictsOf(await batch(items, { mode }))).toEqual(['allowed']);
  });
});

describe('an item’s key', () => {
  it('sees its predecessor whichever selectors name the customer', async () => {
    for (let round = 0; round < 20; round += 1) {
      const external_id = await personWith(10);
      const customer_id = await customerIdOf(app, external_id);
      const keyed = (amount: number, more: Json = {}) => item(external_id, amount, { idempotency_key: 'k', ...more });
      const byId = { external_id: undefined, customer_id };
      const answer = await batch([keyed(1), keyed(2, byId), keyed(3, { customer_id }), keyed(4)]);
      expect(verdictsOf(answer)).toEqual(['allowed', ...Array(3).fill('idempotency_key_reused')]);
    }
  });
});

describe.each(modes)('the call’s key with mode %s', (mode) => {
  it('gives the first answer again, byte for byte, and writes nothing', async () => {
    const external_id = await personWith(10);
    const metadata = { text: 'é "x"', 10: 1, 2: { z: [null, 1.5], a: true } };
    const items = [
      item(external_id, 2, { metadata }),
      item(external_id, 3, { idempotency_key: 'k' }),
      item(external_id, 1, { metadata: { ...metadata, at: 2 } }),
    ];
    const key = newKey();
    const first = await app.post(PATH, { items, mode }, { 'idempotency-key': key });
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    expect(verdictsOf(first.body)).toEqual(['allowed', 'allowed', 'allowed']);
    app.clock.advance({ days: 40 });
    const written = await writtenBy(app, async () => {
      const again = await send(items, { mode, idempotency_key: key });
      expect([again.status, again.text]).toEqual([200, first.text]);
      expect(again.headers['idempotent-replayed']).toBe('true');
    });
    expect(written).toEqual({});
    expect(await balanceOf(external_id)).toBe(4);
  });

  it('is refused for other contents, and writes nothing', async () => {
    const external_id = await personWith(10);
    const items = [item(external_id, 2), item(external_id, 3)];
    const key = { mode, idempotency_key: newKey() };
    await batch(items, key);
    const otherMode = mode === 'atomic' ? 'continue' : 'atomic';
    const written = await writtenBy(app, async () => {
      for (const [others, more] of [
        [[item(external_id, 2), item(external_id, 4)], key],
        [[...items].reverse(), key],
        [items.slice(0, 1), key],
        [[...items, item(external_id, 1)], key],
        [[item(newPerson(), 2), item(external_id, 3)], key],
        [items, { ...key, mode: otherMode }],
      ] as const) {
        expectProblem(await send([...others], more), 422, 'idempotency_key_reused', '/idempotency_key');
      }
    });
    expect(written).toEqual({});
  });

  it('does not remember a call that took nothing', async () => {
    const external_id = newPerson();
    const key = { mode, idempotency_key: newKey() };
    const items = [item(external_id, 2), item(external_id, 3)];
    expect(verdictsOf(await batch(items, key))).toContain('insufficient_quota');
    await grantUnits(app, external_id, 'CREDITS', 10);
    const answer = await send(items, key);
    expect(answer.headers['idempotent-replayed']).toBeUndefined();
    expect(verdictsOf(answer.body)).toEqual(['allowed', 'allowed']);
    expect(await balanceOf(external_id)).toBe(5);
  });

  it('may be as long as any key, and never meets a key of an item', async () => {
    const external_id = await personWith(10);
    const long = newKey().padEnd(255, 'k');
    const short = newKey();
    expect(verdictsOf(await batch([item(external_id, 1)], { mode, idempotency_key: long }))).toEqual(['allowed']);
    const items = [item(external_id, 1, { idempotency_key: `${short}#1` }), item(external_id, 2)];
    expect(verdictsOf(await batch(items, { mode, idempotency_key: short }))).toEqual(['allowed', 'allowed']);
    expect(await balanceOf(external_id)).toBe(6);
  });
});

describe('the call’s key with mode atomic', () => {
  it('does not remember a refusal of one item: all of it may succeed later', async () => {
    const [ada, bob] = [await personWith(10), newPerson()];
    const key = { mode: 'atomic', idempotency_key: newKey() };
    const items = [item(ada, 2), item(bob, 3)];
    await app.post('/identify', { external_id: bob });
    const written = await writtenBy(app, async () => expect((await batch(items, key)).committed).toBe(false));
    expect(written).toEqual({});
    await grantUnits(app, bob, 'CREDITS', 3);
    expect(await batch(items, key)).toMatchObject({ committed: true, results: [{ remaining: 8 }, { remaining: 0 }] });
    expect((await send(items, key)).headers['idempotent-replayed']).toBe('true');
  });
});

describe('the call’s key with mode continue', () => {
  it('remembers refused items beside those that were taken', async () => {
    const [ada, bob] = [await personWith(10), newPerson()];
    const key = { idempotency_key: newKey() };
    const items = [item(ada, 2), item(bob, 3)];
    const first = await send(items, key);
    expect(verdictsOf(first.body)).toEqual(['allowed', 'insufficient_quota']);
    await grantUnits(app, bob, 'CREDITS', 3);
    const again = await send(items, key);
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([first.text, 'true']);
    expect(await balanceOf(bob)).toBe(3);
  });

  it('takes only what a call that failed in the middle did not take', async () => {
    const [ada, bob] = [await personWith(10), await personWith(10)];
    const key = { idempotency_key: newKey() };
    const items = [item(ada, 1), item(bob, 2, { action_id: 'poison' }), item(ada, 3), item(bob, 4)];
    await poisonAction(app.url, 'poison', 'XX000');
    const first = await batch(items, key);
    expect(verdictsOf(first)).toEqual(['allowed', 'internal_error', 'allowed', 'allowed']);
    expect([await balanceOf(ada), await balanceOf(bob)]).toEqual([6, 6]);
    await ask(app.url, 'ALTER TABLE entries DISABLE TRIGGER test_action');
    const repeated = await send(items, key);
    expect(repeated.headers['idempotent-replayed']).toBeUndefined();
    expect(verdictsOf(repeated.body)).toEqual(['allowed', 'allowed', 'allowed', 'allowed']);
    for (const index of [0, 2, 3]) {
      expect(repeated.body.results[index]).toEqual({ ...first.results[index], replayed: true });
    }
    expect(repeated.body.results[1].replayed).toBe(false);
    expect([await balanceOf(ada), await balanceOf(bob)]).toEqual([6, 4]);
    const again = await send(items, key);
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([repeated.text, 'true']);
  });
});
