// Holds and their endings at once: no unit is held twice, exactly one ending wins, and what waits together is decided in the order of arrival.
import type { Response } from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { sweep } from '../../src/engine/sweep.js';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import {
  balanceOf,
  customerIdOf,
  holdCustomers,
  send,
  sendTogether,
  tally,
  untilWaiting,
  useSecondApp,
  withStatus,
} from '../support/parallel.js';
import { countTransactions, endowBlockers, holdLanes, sendInOrder } from '../support/shared-transactions.js';

const ROUNDS = 8;
const TTL_S = 600;

const app = useTestApp();
const second = useSecondApp(app);
const clientOf = (index: number) => (index % 2 ? app : second);

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: [{ feature: 'draw', unit_cost: 2 }] });
  await endowBlockers(app, 'CREDITS');
});

const reserving = (externalId: string, amount: number) => ({
  external_id: externalId,
  product_key: 'CREDITS',
  amount,
  ttl_seconds: TTL_S,
});
const consuming = (externalId: string, amount: number) => ({
  external_id: externalId,
  product_key: 'CREDITS',
  amount,
});

/** Grants units and holds some of them; gives the reservation's id. */
async function holdOf(externalId: string, granted: number, amount: number): Promise<string> {
  await grantUnits(app, externalId, 'CREDITS', granted);
  return hold(externalId, amount);
}

async function hold(externalId: string, amount: number, more: Record<string, unknown> = {}): Promise<string> {
  const answer = await app.post('/reservations', { ...reserving(externalId, amount), ...more });
  expect(answer.status, answer.text).toBe(201);
  return answer.body.id;
}

async function standingOf(externalId: string) {
  const { body } = await app.get(`/wallet?external_id=${externalId}`);
  return { balance: body.balances.CREDITS, held: body.held.CREDITS ?? 0 };
}

/** Kinds and amounts of the ledger, oldest first. */
async function ledgerOf(externalId: string): Promise<string[]> {
  const { body } = await app.get(`/wallet/entries?external_id=${externalId}&limit=200`);
  return body.data.reverse().map(({ kind, amount }: { kind: string; amount: number }) => `${kind} ${amount}`);
}

const textsOf = (answers: readonly Response[]) => new Set(answers.map((answer) => answer.text));

describe('50 reserves of 1 at once on 30 units', () => {
  it('hold all 30 and refuse 20, over two apps', async () => {
    await grantUnits(app, 'crowd', 'CREDITS', 30);
    const answers = await sendTogether(50, (index) => clientOf(index).post('/reservations', reserving('crowd', 1)));
    expect(tally(answers)).toEqual({ '201': 30, '402 insufficient_quota': 20 });
    expect(new Set(withStatus(answers, 201).map((answer) => answer.body.id)).size).toBe(30);
    expect(await standingOf('crowd')).toEqual({ balance: 0, held: 30 });
  });

  it('share them with as many consumes: nobody gets a unit twice', async () => {
    await grantUnits(app, 'rivals', 'CREDITS', 30);
    const answers = await sendTogether(50, (index) =>
      index % 4 < 2
        ? clientOf(index).post('/reservations', reserving('rivals', 1))
        : clientOf(index).post('/quota/consume', consuming('rivals', 1)),
    );
    const [held, taken] = [withStatus(answers, 201).length, withStatus(answers, 200).length];
    expect(held + taken).toBe(30);
    expect(withStatus(answers, 402)).toHaveLength(20);
    expect(await standingOf('rivals')).toEqual({ balance: 0, held });
  });
});

describe('30 reserves with one key at once', () => {
  it('make one reservation and answer the same bytes, over two apps', async () => {
    await grantUnits(app, 'keyed', 'CREDITS', 100);
    const answers = await sendTogether(30, (index) =>
      clientOf(index).post('/reservations', reserving('keyed', 3), { 'idempotency-key': 'k' }),
    );
    expect(tally(answers)).toEqual({ '201': 30 });
    expect(textsOf(answers).size).toBe(1);
    expect(answers.filter((answer) => answer.headers['idempotent-replayed'] === 'true')).toHaveLength(29);
    expect(await standingOf('keyed')).toEqual({ balance: 97, held: 3 });
  });
});

describe('30 endings of one reservation at once', () => {
  it(`let one of commit and release win, over two apps (${ROUNDS} rounds)`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const person = `endings-${round}`;
      const id = await holdOf(person, 10, 4);
      const answers = await sendTogether(30, (index) =>
        clientOf(Math.floor(index / 2)).post(`/reservations/${id}/${(index + round) % 2 ? 'commit' : 'release'}`),
      );
      expect(tally(answers)).toEqual({ '200': 15, '409 reservation_closed': 15 });
      const won = withStatus(answers, 200);
      expect(textsOf(won).size).toBe(1);
      expect(won.filter((answer) => answer.headers['idempotent-replayed'] === 'true')).toHaveLength(14);
      const { status } = won[0]?.body ?? {};
      expect(withStatus(answers, 409).map((answer) => answer.body.reservation_status)).toEqual(Array(15).fill(status));
      const isCommitted = status === 'committed';
      expect(await standingOf(person)).toEqual({ balance: isCommitted ? 6 : 10, held: 0 });
      expect(await ledgerOf(person)).toEqual(['grant 10', 'hold 4', isCommitted ? 'commit 4' : 'release 4']);
    }
  });

  it('let one of several amounts win', async () => {
    const id = await holdOf('amounts', 10, 6);
    const answers = await sendTogether(30, (index) =>
      clientOf(index).post(`/reservations/${id}/commit`, { amount: (Math.floor(index / 2) % 5) + 1 }),
    );
    expect(tally(answers)).toEqual({ '200': 6, '409 reservation_closed': 24 });
    expect(textsOf(withStatus(answers, 200)).size).toBe(1);
    const { committed_amount: used, returned } = withStatus(answers, 200)[0]?.body ?? {};
    expect(returned).toBe(6 - used);
    expect(await standingOf('amounts')).toEqual({ balance: 10 - used, held: 0 });
  });
});

describe('a commit at the end of its reservation', () => {
  it('uses the units in the last millisecond', async () => {
    const id = await holdOf('last-moment', 10, 4);
    app.clock.advance({ seconds: TTL_S, ms: -1 });
    const answers = await sendTogether(10, (index) => clientOf(index).post(`/reservations/${id}/commit`));
    expect(tally(answers)).toEqual({ '200': 10 });
    expect(await standingOf('last-moment')).toEqual({ balance: 6, held: 0 });
  });

  it('is too late at the end itself, and the units come back once', async () => {
    const id = await holdOf('too-late', 10, 4);
    app.clock.advance({ seconds: TTL_S });
    const answers = await sendTogether(12, (index) => {
      const ending = ['commit', 'release', 'extend'][index % 3];
      return clientOf(index).post(`/reservations/${id}/${ending}`, ending === 'extend' ? { ttl_seconds: 60 } : {});
    });
    expect(tally(answers)).toEqual({ '409 reservation_expired': 12 });
    expect((await app.get(`/reservations/${id}`)).body.status).toBe('expired');
    expect(await standingOf('too-late')).toEqual({ balance: 10, held: 0 });
    expect(await ledgerOf('too-late')).toEqual(['grant 10', 'hold 4', 'release 4']);
  });

  it('races the sweep: the hold lapses once, and the commit is refused', async () => {
    const people = Array.from({ length: 10 }, (_, index) => `swept-${index}`);
    const ids = await Promise.all(people.map((person) => holdOf(person, 10, 4)));
    app.clock.advance({ seconds: TTL_S });
    const [answers] = await Promise.all([
      Promise.all(ids.map((id, index) => clientOf(index).post(`/reservations/${id}/commit`))),
      sweep(app.deps),
      sweep(app.deps),
    ]);
    expect(tally(answers)).toEqual({ '409 reservation_expired': 10 });
    for (const person of people) expect(await ledgerOf(person)).toEqual(['grant 10', 'hold 4', 'release 4']);
  });
});

describe('a consume of all units, which an earlier commit would use and a lapse would give back', () => {
  const late = useSecondApp(app, { now: () => new Date(app.clock.now().getTime() + TTL_S * 1_000) });

  it(`goes through when the hold lapsed, and only then (${ROUNDS} rounds)`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const person = `commit-or-lapse-${round}`;
      const id = await holdOf(person, 10, 10);
      // for the app of the commit the reservation is open, for the app of the consume it has just ended
      const commit = () => app.post(`/reservations/${id}/commit`);
      const consume = () => late.post('/quota/consume', consuming(person, 10));
      const answers = await Promise.all((round % 2 ? [commit, consume] : [consume, commit]).map((start) => start()));
      const outcomes = tally(answers);
      expect([
        { '200': 1, '402 insufficient_quota': 1 },
        { '200': 1, '409 reservation_expired': 1 },
      ]).toContainEqual(outcomes);
      const used = outcomes['402 insufficient_quota'] ? ['commit 10'] : ['release 10', 'consume 10'];
      expect(await ledgerOf(person)).toEqual(['grant 10', 'hold 10', ...used]);
    }
  });
});

describe('extensions of one reservation at once', () => {
  it('leave it with the latest of their ends', async () => {
    const id = await holdOf('extended', 10, 4);
    const answers = await sendTogether(20, (index) =>
      clientOf(index).post(`/reservations/${id}/extend`, { ttl_seconds: TTL_S + ((index * 7) % 20) + 1 }),
    );
    expect(tally(answers)).toEqual({ '200': 20 });
    const end = new Date(app.clock.now().getTime() + (TTL_S + 20) * 1_000).toISOString();
    expect((await app.get(`/reservations/${id}`)).body).toMatchObject({ status: 'held', expires_at: end });
  });
});

describe('commits beyond what is held, at once', () => {
  it('take the excess while there is some; whoever is refused still holds his units', async () => {
    await grantUnits(app, 'excess', 'CREDITS', 20);
    const ids = await Promise.all(Array.from({ length: 5 }, () => hold('excess', 3)));
    const answers = await sendTogether(5, (index) =>
      clientOf(index).post(`/reservations/${ids[index]}/commit`, { amount: 5, allow_excess: true }),
    );
    expect(tally(answers)).toEqual({ '200': 2, '402 insufficient_quota': 3 });
    expect(await standingOf('excess')).toEqual({ balance: 1, held: 9 });
    const statuses = await Promise.all(ids.map(async (id) => (await app.get(`/reservations/${id}`)).body.status));
    expect(statuses.sort()).toEqual(['committed', 'committed', 'held', 'held', 'held']);
  });

  it('cost what the feature cost when it was reserved, although it is dearer now', async () => {
    await putProduct(app, 'TOKENS', { features: [{ feature: 'write', unit_cost: 2 }] });
    await grantUnits(app, 'dearer', 'TOKENS', 100);
    const made = await app.post('/reservations', { external_id: 'dearer', feature: 'write', amount: 5 });
    await putProduct(app, 'TOKENS', { features: [{ feature: 'write', unit_cost: 7 }], force: true });
    const answer = await app.post(`/reservations/${made.body.id}/commit`, { amount: 8, allow_excess: true });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.taken.map(({ amount }: { amount: number }) => amount)).toEqual([10, 6]);
    expect(await balanceOf(app, 'dearer', 'TOKENS')).toBe(84);
  });
});

describe('an ending that waited for the lock', () => {
  it('is refused when another one was carried out meanwhile', async () => {
    const id = await holdOf('ended-meanwhile', 10, 4);
    const held = await holdCustomers(app.url, await customerIdOf(app, 'ended-meanwhile'));
    const release = send(second.post(`/reservations/${id}/release`));
    await untilWaiting(app.url, 1);
    const commit = send(app.post(`/reservations/${id}/commit`));
    await untilWaiting(app.url, 2);
    await held.rollback();
    expect(tally(await Promise.all([release, commit]))).toEqual({ '200': 1, '409 reservation_closed': 1 });
  });

  it('reads the time after its wait: it is too late when the end came meanwhile', async () => {
    const id = await holdOf('ended-by-time', 10, 4);
    const held = await holdCustomers(app.url, await customerIdOf(app, 'ended-by-time'));
    const pending = send(app.post(`/reservations/${id}/commit`));
    await untilWaiting(app.url, 1);
    app.clock.advance({ seconds: TTL_S });
    await held.rollback();
    const answer = await pending;
    expect([answer.status, answer.body.code]).toEqual([409, 'reservation_expired']);
    expect(await standingOf('ended-by-time')).toEqual({ balance: 10, held: 0 });
  });
});

describe('in one shared transaction', () => {
  /** Answers of requests that came in, in this order, while both lanes were held. */
  async function answersTogether(requests: Parameters<typeof sendInOrder>[1]): Promise<Response[]> {
    const gate = await holdLanes(app.url, app, 'CREDITS');
    const pending = await sendInOrder(app.app, requests);
    await gate.rollback();
    return Promise.all(pending);
  }

  it('the first ending wins, its like replays it, and others are refused', async () => {
    const id = await holdOf('together', 10, 4);
    const end = (ending: string, body: object = {}) => app.post(`/reservations/${id}/${ending}`, body);
    const answers = await answersTogether([
      end('extend', { ttl_seconds: TTL_S + 60 }),
      end('commit', { amount: 3 }),
      end('release'),
      end('commit', { amount: 3 }),
      end('commit', { amount: 4 }),
      end('extend', { ttl_seconds: TTL_S + 90 }),
    ]);
    expect(answers.map(({ status, body }) => (status === 200 ? status : body.code))).toEqual([
      200,
      200,
      'reservation_closed',
      200,
      'reservation_closed',
      'reservation_closed',
    ]);
    expect(answers[3]?.text).toBe(answers[1]?.text);
    expect(answers.map((answer) => answer.headers['idempotent-replayed'])).toEqual([
      undefined,
      undefined,
      undefined,
      'true',
      undefined,
      undefined,
    ]);
    expect(await ledgerOf('together')).toEqual(['grant 10', 'hold 4', 'commit 3', 'release 1']);
    const names = ['reservation.extend', 'reservation.commit'];
    expect(await countTransactions(app.url, ['together'], names)).toBe(1);
  });

  it('a consume sees what a reserve before it holds, and a reserve what is left', async () => {
    await grantUnits(app, 'neighbours', 'CREDITS', 10);
    const reserve = (amount: number) => app.post('/reservations', reserving('neighbours', amount));
    const consume = (amount: number) => app.post('/quota/consume', consuming('neighbours', amount));
    const answers = await answersTogether([reserve(6), consume(5), consume(3), reserve(2), reserve(1), consume(1)]);
    expect(answers.map(({ status, body }) => [status, status < 300 ? body.remaining : body.available])).toEqual([
      [201, 4],
      [402, 4],
      [200, 1],
      [402, 1],
      [201, 0],
      [402, 0],
    ]);
    expect(await standingOf('neighbours')).toEqual({ balance: 0, held: 7 });
    const names = ['reservation.create', 'quota.consume'];
    expect(await countTransactions(app.url, ['neighbours'], names)).toBe(1);
  });

  it('a hold that is due lapses once, before the first of those who use its units', async () => {
    await holdOf('lapsing', 10, 10);
    app.clock.advance({ seconds: TTL_S });
    const answers = await answersTogether(
      [4, 5, 2].map((amount) => app.post('/quota/consume', consuming('lapsing', amount))),
    );
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 402]);
    expect(await ledgerOf('lapsing')).toEqual(['grant 10', 'hold 10', 'release 10', 'consume 4', 'consume 5']);
  });

  it('reserves with one key make one reservation', async () => {
    await grantUnits(app, 'keyed-together', 'CREDITS', 10);
    const key = { 'idempotency-key': 'k' };
    const answers = await answersTogether([
      ...[3, 3, 3].map((amount) => app.post('/reservations', reserving('keyed-together', amount), key)),
      app.post('/reservations', reserving('keyed-together', 4), key),
    ]);
    expect(tally(answers)).toEqual({ '201': 3, '422 idempotency_key_reused': 1 });
    expect(textsOf(withStatus(answers, 201)).size).toBe(1);
    expect(await standingOf('keyed-together')).toEqual({ balance: 7, held: 3 });
  });
});

describe('a release of units whose batch ended under the hold', () => {
  it('expires them in the same operation, once, however many ask', async () => {
    const end = new Date(app.clock.now().getTime() + 60_000).toISOString();
    await grantUnits(app, 'ended-batch', 'CREDITS', 10, { expires_at: end });
    const id = await hold('ended-batch', 4);
    app.clock.advance({ seconds: 120 });
    const answers = await sendTogether(10, (index) => clientOf(index).post(`/reservations/${id}/release`));
    expect(tally(answers)).toEqual({ '200': 10 });
    expect(textsOf(answers).size).toBe(1);
    expect(answers[0]?.body).toMatchObject({ returned: 0, expired: 4 });
    expect(await ledgerOf('ended-batch')).toEqual(['grant 10', 'hold 4', 'expire 6', 'release 4', 'expire 4']);
    const { body } = await app.get('/wallet/batches?external_id=ended-batch');
    expect(body.data).toMatchObject([{ available: 0, held: 0, expired: 10 }]);
  });
});
