// as_of: what a wallet, its batches and single balances said at an instant, asked again when much has happened since (DOMAIN 3.2).
import { beforeAll, describe, expect, it } from 'vitest';
import { sweep } from '../../src/engine/sweep.js';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPerson, readPages } from '../support/requests.js';

const app = useTestApp();

const READS = [
  '/wallet?',
  '/wallet/batches?limit=200&',
  '/wallet/batches?limit=200&state=active&',
  '/wallet/batches?limit=200&state=expired&',
  '/wallet/batches?limit=200&state=pending&',
  '/wallet/batches?limit=200&state=exhausted&',
  '/wallet/batches?limit=200&product_key=STAR&expiring_within=36000&',
  '/balance?product_key=STAR&',
  '/balance?product_key=POOL&',
  '/balance?product_key=ACCESS&',
  '/balance?feature=draw&',
  '/balance?feature=film&',
];

beforeAll(async () => {
  await putProduct(app, 'STAR', { is_currency: true });
  const film = { feature: 'film', unit_cost: 10 };
  await putProduct(app, 'POOL', { features: [{ feature: 'draw', unit_cost: 3 }, film] });
  await putProduct(app, 'ACCESS', { type: 'period', features: ['film'] });
});

/** Everything that is answered about a person, by path; now, or as of an instant. */
async function readAll(external_id: string, asOf?: Date): Promise<Record<string, unknown>> {
  const moment = asOf ? `&as_of=${asOf.toISOString()}` : '';
  const answers = await Promise.all(READS.map((path) => app.get(`${path}external_id=${external_id}${moment}`)));
  return Object.fromEntries(
    answers.map((answer, index) => {
      expect(answer.status, answer.text).toBe(200);
      return [READS[index], answer.body];
    }),
  );
}

interface Moment {
  step: string;
  at: Date;
  answers: Record<string, unknown>;
}

/** Remembers what was answered after each step, and compares it with what is answered as of then. */
class History {
  readonly external_id = newPerson();
  readonly moments: Moment[] = [];

  async after(step: string): Promise<void> {
    this.moments.push({ step, at: app.clock.now(), answers: await readAll(this.external_id) });
  }

  /** Runs a step that succeeds, a minute after the one before; returns the answer's body. */
  async step(name: string, path: string, body: Json): Promise<Json & { id: string; operation_id: string }> {
    app.clock.advance({ seconds: 60 });
    const named = path.startsWith('/reservations/') ? {} : { external_id: this.external_id };
    const answer = await app.post(path, { ...named, ...body });
    expect(answer.status, `${name}: ${answer.text}`).toBeLessThan(300);
    await this.after(name);
    return answer.body;
  }

  /** Lets time pass and nothing be written. */
  async until(instant: string): Promise<void> {
    app.clock.set(instant);
    await this.after(`until ${instant}`);
  }

  async compare(): Promise<void> {
    for (const { step, at, answers } of this.moments) {
      expect({ step, ...(await readAll(this.external_id, at)) }).toEqual({ step, ...answers });
    }
  }
}

const star = (amount: number, more: Json = {}) => ({ product_key: 'STAR', amount, ...more });
const bonus = (product_key: string, quantity: number, more: Json = {}) => ({
  grant_type: 'bonus',
  product_key,
  quantity,
  ...more,
});

describe('as_of', () => {
  it('tells uses, give-backs and expiries as they looked then, settled or not', async () => {
    const history = new History();
    await history.step('first sight', '/identify', {});
    await history.step('ending', '/grants', bonus('STAR', 10, { expires_at: '2026-02-01T00:00:00Z' }));
    await history.step('lasting', '/grants', bonus('STAR', 20));
    await history.step('later', '/grants', bonus('STAR', 5, { valid_from: '2026-02-01T06:00:00Z' }));
    await history.step('pool', '/grants', bonus('POOL', 31, { expires_at: '2026-02-03T00:00:00Z' }));
    await history.step('access', '/grants', bonus('ACCESS', 1, { expires_at: '2026-02-02T00:00:00Z' }));
    const use = await history.step('use', '/quota/consume', star(12));
    const draw = await history.step('draw', '/quota/consume', { feature: 'draw', amount: 3 });
    await history.step('film', '/quota/consume', { feature: 'film', amount: 2 });
    await history.step('back', '/quota/release', { operation_id: use.operation_id, amount: 3 });
    await history.step('draw back', '/quota/release', { operation_id: draw.operation_id, amount: 1 });
    await history.until('2026-02-01T00:00:00.000Z'); // the first batch has ended, nothing is written
    await history.until('2026-02-01T01:00:00.000Z');
    await history.compare(); // also while what is due is not settled
    await history.step('settled', '/quota/consume', star(1));
    await history.step('into the ended', '/quota/release', { operation_id: use.operation_id });
    await history.until('2026-02-01T06:00:00.000Z');
    await history.step('taken away', '/grants', {
      ...bonus('STAR', 4, { direction: 'debit', reason: 'count' }),
      grant_type: 'adjustment',
    });
    await history.until('2026-02-02T00:00:00.000Z'); // access has ended
    await history.until('2026-02-03T00:00:00.000Z'); // the pool has ended
    await sweep(app.deps);
    await history.after('sweep');
    await history.compare();
  });

  it('tells holds and their endings as they looked then, settled or not', async () => {
    const history = new History();
    await history.step('short', '/grants', bonus('STAR', 10, { expires_at: '2026-02-01T00:00:00Z' }));
    await history.step('long', '/grants', bonus('STAR', 10));
    await history.step('pool', '/grants', bonus('POOL', 30));
    const committed = await history.step('hold 1', '/reservations', star(4, { expires_at: '2026-02-01T12:00:00Z' }));
    const released = await history.step('hold 2', '/reservations', star(3));
    await history.step('hold 3', '/reservations', star(5, { expires_at: '2026-02-01T06:00:00Z' }));
    const extended = await history.step('hold 4', '/reservations', { feature: 'draw', amount: 2, ttl_seconds: 3_600 });
    await history.step('extend', `/reservations/${extended.id}/extend`, { ttl_seconds: 30_000 });
    await history.step('release', `/reservations/${released.id}/release`, {});
    await history.until('2026-01-31T18:00:00.000Z'); // past the first end of what was extended
    await history.until('2026-01-31T21:00:00.000Z'); // it has lapsed
    await history.until('2026-02-01T01:00:00.000Z'); // the short batch has ended under its holds
    await history.step('settled', '/quota/consume', star(1));
    const commit = await history.step('commit', `/reservations/${committed.id}/commit`, {
      amount: 6,
      allow_excess: true,
    });
    await history.until('2026-02-01T06:00:00.000Z'); // the third hold has lapsed, half of it into the ended batch
    await history.until('2026-02-01T07:00:00.000Z');
    await history.compare(); // also while what is due is not settled
    await history.step('settled again', '/quota/consume', { feature: 'draw', amount: 1 });
    await history.step('back', '/quota/release', { operation_id: commit.operation_id, amount: 5 });
    await history.compare();
  });

  it('tells debts as they were, also those that a lapsed hold repays', async () => {
    const history = new History();
    const overdraw = (amount: number) => star(amount, { allow_negative: true });
    await history.step('grant', '/grants', bonus('STAR', 10));
    await history.step('later', '/grants', bonus('STAR', 3, { valid_from: '2026-02-02T00:00:00Z' }));
    await history.step('hold', '/reservations', star(6, { ttl_seconds: 3_600 }));
    const debt = await history.step('overdraw', '/credits/deduct', overdraw(13));
    await history.until('2026-01-31T14:00:00.000Z'); // the hold has lapsed and repays: nothing is left
    await history.compare(); // also while what is due is not settled
    await history.step('settled', '/grants', bonus('POOL', 1));
    const second = await history.step('overdraw again', '/credits/deduct', overdraw(9));
    await history.step('forgiven', '/quota/release', { operation_id: second.operation_id, amount: 2 });
    await history.step('repaid', '/credits/add', star(4));
    await history.step('repaid, and more', '/credits/add', star(20, { expires_at: '2026-02-01T00:00:00Z' }));
    await history.step('taken back', '/quota/release', { operation_id: debt.operation_id, amount: 5 });
    await history.until('2026-02-01T00:00:00.000Z');
    await history.until('2026-02-02T00:00:00.000Z');
    await history.step('overdrawn at last', '/credits/deduct', overdraw(30));
    await history.compare();
  });

  it('tells the state after everything that happened at that very instant', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 10);
    await app.post('/quota/consume', { external_id, ...star(4) });
    const at = app.clock.now();
    app.clock.advance({ ms: 1 });
    await app.post('/quota/consume', { external_id, ...star(4) });
    const balance = async (asOf: Date) =>
      (await app.get(`/wallet?external_id=${external_id}&as_of=${asOf.toISOString()}`)).body.balances.STAR;
    expect(await balance(at)).toBe(6);
    expect(await balance(app.clock.now())).toBe(2);
  });

  it('understands any offset', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 10);
    app.clock.advance({ hours: 2 });
    await app.post('/quota/consume', { external_id, ...star(4) });
    const answer = await app.get(`/wallet?external_id=${external_id}&as_of=2026-01-31T15:00:00%2B02:00`);
    expect(answer.body.balances).toEqual({ STAR: 10 });
  });

  it('is kept from page to page of the batches', async () => {
    const external_id = newPerson();
    for (let made = 0; made < 5; made += 1) await grantUnits(app, external_id, 'STAR', 1);
    const at = app.clock.now().toISOString();
    app.clock.advance({ hours: 1 });
    await app.post('/quota/consume', { external_id, ...star(5) });
    await grantUnits(app, external_id, 'STAR', 1);
    const pages = await readPages(app, `/wallet/batches?external_id=${external_id}&as_of=${at}`, 2);
    expect(pages.map((page) => page.map(({ available, state }) => [available, state]))).toEqual([
      [
        [1, 'active'],
        [1, 'active'],
      ],
      [
        [1, 'active'],
        [1, 'active'],
      ],
      [[1, 'active']],
    ]);
  });

  it('finds nothing before the customer existed', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 10);
    await grantUnits(app, external_id, 'ACCESS', 1);
    app.clock.advance({ hours: 1 });
    const answers = await readAll(external_id, new Date('2026-01-31T11:59:59.999Z'));
    expect(answers['/wallet?']).toEqual({
      customer_id: expect.any(String),
      balances: {},
      upcoming: {},
      held: {},
      access: {},
      features: {},
    });
    expect(answers['/wallet/batches?limit=200&']).toEqual({ data: [], next_cursor: null });
    expect(answers['/balance?product_key=STAR&']).toMatchObject({ can_use: false, remaining: 0, expires_at: null });
    expect(answers['/balance?product_key=ACCESS&']).toMatchObject({ can_use: false, remaining: 0, expires_at: null });
  });

  it('finds nothing of somebody whom nobody has seen', async () => {
    const at = 'as_of=2026-01-30T00:00:00Z';
    const answer = await app.get(`/balance?external_id=${newPerson()}&product_key=STAR&${at}`);
    expect(answer.body).toMatchObject({ can_use: false, remaining: 0 });
    expectProblem(await app.get(`/wallet?external_id=${newPerson()}&${at}`), 404, 'customer_not_found');
  });

  it.each(['/wallet?', '/wallet/batches?', '/balance?product_key=STAR&'])(
    'of %s is never in the future',
    async (path) => {
      const external_id = newPerson();
      await grantUnits(app, external_id, 'STAR', 10);
      const ask = (asOf: string) => app.get(`${path}external_id=${external_id}&as_of=${asOf}`);
      expect((await ask('2026-01-31T12:00:00.000Z')).status).toBe(200);
      expectProblem(await ask('2026-01-31T12:00:00.001Z'), 400, 'invalid_request', 'query/as_of');
    },
  );

  it('that is a date is its midnight in UTC', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 10);
    app.clock.advance({ days: 2 });
    for (const [date, balances] of [
      ['2026-01-31', {}],
      ['2026-02-01', { STAR: 10 }],
    ]) {
      expect((await app.get(`/wallet?external_id=${external_id}&as_of=${date}`)).body.balances).toEqual(balances);
    }
  });

  it.each(['yesterday', '', '2026-02-30', '2026-02-30T00:00:00Z', '2026-01-30T00:00:00', '1769774400'])(
    'is refused as %j',
    async (asOf) => {
      const external_id = newPerson();
      await grantUnits(app, external_id, 'STAR', 10);
      for (const path of ['/wallet?', '/wallet/batches?', '/balance?product_key=STAR&']) {
        const answer = await app.get(`${path}external_id=${external_id}&as_of=${asOf}`);
        expectProblem(answer, 400, 'invalid_request', 'query/as_of');
      }
    },
  );
});
