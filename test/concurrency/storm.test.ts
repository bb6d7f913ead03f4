// Everything at once, of one customer and of several, over two apps: grants, consumes, orders, confirmations, holds and their endings, give-backs,
// debts, exchanges, batches. Nobody deadlocks, nobody gets a 5xx, and the sums are exact.
import type { Response } from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { ask, balanceOf, type Client, placeOrder, send, tally, useSecondApp, withStatus } from '../support/parallel.js';

const PACK_UNITS = 10;
const ROUNDS = 6;

const app = useTestApp();
const second = useSecondApp(app);

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: [{ feature: 'text', unit_cost: 2 }] });
  await putProduct(app, 'TOKENS', {
    features: [
      { feature: 'text', unit_cost: 3 },
      { feature: 'image', unit_cost: 5 },
    ],
  });
  await putProduct(app, 'STARS', { is_currency: true, features: [{ feature: 'shine', unit_cost: 1 }] });
  await putOffer(app, 'IN_STARS', 'CREDITS', 7, { price: '3', currency: 'STARS' });
  await putOffer(app, 'PACK', 'CREDITS', PACK_UNITS, {
    items: [
      { product_key: 'CREDITS', quantity: PACK_UNITS },
      { product_key: 'TOKENS', quantity: PACK_UNITS },
    ],
  });
});

const clientOf = (index: number): Client => (index % 2 ? app : second);

async function deadlocks(): Promise<number> {
  const [row] = await ask(app.url, 'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()');
  return row?.deadlocks as number;
}

/** Units of a product that answers of consume say were taken. */
function unitsTaken(answers: readonly { body: Json }[], productKey: string): number {
  const takings = answers.flatMap(({ body }) => body.taken as { product_key: string; amount: number }[]);
  return takings.filter((taking) => taking.product_key === productKey).reduce((sum, { amount }) => sum + amount, 0);
}

describe('a storm over one customer', () => {
  it('ends without a deadlock and with exact sums', async () => {
    await grantUnits(app, 'ada', 'CREDITS', 40);
    const orderIds = await Promise.all(Array.from({ length: 10 }, () => placeOrder(app, 'ada', 'PACK')));
    const consumes = Array.from({ length: 40 }, (_, index) =>
      send(clientOf(index).post('/quota/consume', { external_id: 'ada', feature: 'text', amount: (index % 3) + 1 })),
    );
    const grants = Array.from({ length: 10 }, (_, index) =>
      send(
        clientOf(index).post('/grants', {
          external_id: 'ada',
          grant_type: 'bonus',
          product_key: 'TOKENS',
          quantity: index + 1,
          priority: index % 3,
        }),
      ),
    );
    const confirms = orderIds.flatMap((orderId, index) =>
      [app, second].map((client) => send(client.post(`/orders/${orderId}/confirm`, { payment_id: `ada-${index}` }))),
    );
    const [consumed, granted, confirmed] = await Promise.all(
      [consumes, grants, confirms].map((sent) => Promise.all(sent)),
    );
    expect(tally(granted ?? [])).toEqual({ '201': 10 });
    expect(tally(confirmed ?? [])).toEqual({ '200': 20 });
    const allowed = withStatus(consumed ?? [], 200);
    expect(tally(consumed ?? [])).toEqual({
      '200': allowed.length,
      ...(allowed.length < 40 && { '402 insufficient_quota': 40 - allowed.length }),
    });
    expect(await balanceOf(app, 'ada', 'CREDITS')).toBe(40 + 100 - unitsTaken(allowed, 'CREDITS'));
    expect(await balanceOf(app, 'ada', 'TOKENS')).toBe(55 + 100 - unitsTaken(allowed, 'TOKENS'));
    expect(await deadlocks()).toBe(0);
  });
});

describe('a storm over several customers and two apps', () => {
  it('ends without a deadlock and with exact sums for each', async () => {
    const people = ['bob', 'cy', 'dee', 'eve', 'fay'];
    const orders = await Promise.all(
      people.flatMap((person) => [1, 2].map(async () => ({ person, id: await placeOrder(app, person, 'PACK') }))),
    );
    const sent = Array.from({ length: 120 }, (_, index) => {
      const person = people[index % people.length] as string;
      const client = clientOf(Math.floor(index / people.length));
      const key = { 'idempotency-key': `k-${Math.floor(index / 10)}` };
      switch (index % 4) {
        case 0:
          return client.post('/grants', { external_id: person, grant_type: 'bonus', sku: 'PACK' }, key);
        case 1:
          return client.post('/quota/consume', { external_id: person, product_key: 'CREDITS', amount: 3 }, key);
        case 2:
          return client.post('/quota/consume', { external_id: person, feature: 'text', amount: 1 });
        default: {
          const order = orders[index % orders.length] as { id: string };
          return client.post(`/orders/${order.id}/confirm`, { payment_id: `storm-${order.id}` });
        }
      }
    });
    const answers = await Promise.all(sent);
    expect(
      Object.keys(tally(answers)).filter((outcome) => !['200', '201', '402 insufficient_quota'].includes(outcome)),
    ).toEqual([]);
    for (const [at, person] of people.entries()) {
      const own = answers.filter((_, index) => index % people.length === at);
      const grants = own.filter(
        (answer) => answer.status === 201 && answer.headers['idempotent-replayed'] === undefined,
      );
      const takings = own.filter((answer) => answer.body.taken && answer.headers['idempotent-replayed'] === undefined);
      const paid = await ask(
        app.url,
        `SELECT o.id FROM orders o JOIN identities i USING (customer_id) WHERE i.external_id = $1 AND o.status = 'paid'`,
        [person],
      );
      const given = PACK_UNITS * (grants.length + paid.length);
      expect(await balanceOf(app, person, 'CREDITS')).toBe(given - unitsTaken(takings, 'CREDITS'));
      expect(await balanceOf(app, person, 'TOKENS')).toBe(given - unitsTaken(takings, 'TOKENS'));
    }
    expect(await deadlocks()).toBe(0);
  });
});

describe('a storm of holds, endings, give-backs, debts, exchanges and batches over a few customers and two apps', () => {
  interface Done {
    person: string;
    what: string;
    answer: Response;
  }

  /** One client's rounds: what it holds and takes in one step it ends or gives back in a later one, as the other clients do. */
  async function runClient(at: number, people: readonly string[]): Promise<Done[]> {
    const done: Done[] = [];
    const client = clientOf(at);
    for (let round = 0; round < ROUNDS; round += 1) {
      const person = people[(at + round) % people.length] as string;
      const amount = ((at + round) % 4) + 1;
      const stars = { external_id: person, product_key: 'STARS', amount };
      const step = async (what: string, path: string, body: object): Promise<Response> => {
        const answer = await client.post(path, body);
        done.push({ person, what, answer });
        return answer;
      };
      const reserved = await step('reserve', '/reservations', stars);
      const { body: used } = await step('consume', '/quota/consume', stars);
      const items = [stars, { ...stars, external_id: people[(at + round + 1) % people.length] }];
      await Promise.all([
        step('add', '/credits/add', stars),
        step('deduct', '/credits/deduct', { ...stars, allow_negative: round % 2 === 0 }),
        step('exchange', '/exchange', { external_id: person, sku: 'IN_STARS' }),
        step('grant', '/grants', { external_id: person, product_key: 'STARS', quantity: amount, grant_type: 'bonus' }),
        step('batch', '/quota/consume/batch', { items, mode: 'atomic' }),
      ]);
      if (reserved.status === 201) {
        const endings = ['extend', 'commit', 'release'].map((ending) =>
          step(
            ending,
            `/reservations/${reserved.body.id}/${ending}`,
            ending === 'extend' ? { ttl_seconds: 2_000 } : {},
          ),
        );
        await Promise.all(endings);
      }
      if (used.operation_id) {
        const back = { operation_id: used.operation_id, amount: 1 };
        await Promise.all([1, 2].map(() => step('give-back', '/quota/release', back)));
      }
    }
    return done;
  }

  const REFUSALS = [
    '402 insufficient_quota',
    '409 not_reversible',
    '409 release_exceeds_usage',
    '409 reservation_closed',
  ];

  it('ends without a 5xx or a deadlock and with exact sums for each', async () => {
    const people = ['gil', 'hal', 'ida', 'jon'];
    for (const person of people) await grantUnits(app, person, 'STARS', 20);
    const clients = Array.from({ length: 8 }, (_, at) => runClient(at, people));
    const done = (await Promise.all(clients)).flat();
    expect(new Set(done.map(({ what }) => what)).size).toBe(11);
    const outcomes = Object.keys(tally(done.map(({ answer }) => answer)));
    expect(outcomes.filter((outcome) => !['200', '201', ...REFUSALS].includes(outcome))).toEqual([]);
    const won = done.filter(({ answer: { status, body } }) => status < 300 && body.committed !== false);
    for (const [at, person] of people.entries()) {
      const own = won.filter((each) => each.person === person);
      const sum = (what: string, unitsOf: (body: Json) => number) =>
        own.filter((each) => each.what === what).reduce((total, { answer }) => total + unitsOf(answer.body), 0);
      const amountOf = (body: Json) => body.amount as number;
      const before = people[(at + people.length - 1) % people.length];
      const asSecond = won
        .filter((each) => each.what === 'batch' && each.person === before)
        .reduce((total, { answer }) => total + answer.body.results[1].amount, 0);
      const granted = sum('grant', (body) => (body.batches as Json[])[0]?.granted as number);
      const taken =
        sum('consume', amountOf) +
        sum('deduct', amountOf) +
        sum('exchange', () => 3) +
        sum('batch', (body) => (body.results as Json[])[0]?.amount as number) +
        asSecond +
        sum('commit', (body) => body.committed_amount as number);
      const balance = 20 + granted + sum('add', amountOf) + sum('give-back', amountOf) - taken;
      const { body } = await app.get(`/wallet?external_id=${person}`);
      expect([body.balances.STARS, body.held.STARS ?? 0]).toEqual([balance, 0]);
      expect(body.balances.CREDITS ?? 0).toBe(sum('exchange', () => 7));
    }
    expect(await deadlocks()).toBe(0);
  });
});
