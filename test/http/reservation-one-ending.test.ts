// Exactly one ending of a reservation wins (DOMAIN 3.13): the same again is answered as it was, another is refused, also when they come at once.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { hold, ledgerOf, walletOf } from '../support/holdings.js';
import { sendTogether, tally } from '../support/parallel.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const UNKNOWN_ID = '01900000-0000-7000-8000-000000000000';

const app = useTestApp();

beforeAll(() => putProduct(app, 'CREDITS'));

const commit = (id: string, body: Json = {}) => app.post(`/reservations/${id}/commit`, body);
const release = (id: string) => app.post(`/reservations/${id}/release`);

/** Somebody with ten units, four of them held. */
async function holdFour() {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'CREDITS', 10);
  const { id } = await hold(app, external_id, 'CREDITS', 4);
  return { external_id, id };
}

describe('an ending', () => {
  it.each([
    ['commit', {}],
    ['commit', { amount: 2 }],
    ['release', {}],
  ])('asked for again is answered as it was: %s %j', async (ending, body) => {
    const { id } = await holdFour();
    const first = await app.post(`/reservations/${id}/${ending}`, body);
    app.clock.advance({ days: 1 });
    const written = await writtenBy(app, async () => {
      const again = await app.post(`/reservations/${id}/${ending}`, body);
      expect(again.status).toBe(200);
      expect(again.text).toBe(first.text);
      expect(again.headers['idempotent-replayed']).toBe('true');
    });
    expect(written).toEqual({});
  });

  it('asked for again under another key is answered as it was', async () => {
    const { id } = await holdFour();
    const first = await commit(id, { idempotency_key: 'one' });
    const again = await commit(id, { idempotency_key: 'two' });
    expect([again.status, again.text]).toEqual([200, first.text]);
  });

  it.each([
    ['nothing said, then the full amount', {}, { amount: 4 }],
    ['the full amount, then nothing said', { amount: 4 }, {}],
  ])('is the same: %s', async (_case, body, sameBody) => {
    const { id } = await holdFour();
    const first = await commit(id, body);
    const again = await commit(id, sameBody);
    expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([200, first.text, 'true']);
  });

  it.each([
    ['release after a commit', ['commit', {}], ['release', {}], 'committed'],
    ['commit after a release', ['release', {}], ['commit', {}], 'released'],
    ['commit of another amount', ['commit', { amount: 2 }], ['commit', { amount: 3 }], 'committed'],
    ['commit of all after one of a part', ['commit', { amount: 2 }], ['commit', {}], 'committed'],
    ['commit of more after one of all', ['commit', {}], ['commit', { amount: 5, allow_excess: true }], 'committed'],
    ['extension after a commit', ['commit', {}], ['extend', { ttl_seconds: 3_600 }], 'committed'],
    ['extension after a release', ['release', {}], ['extend', { ttl_seconds: 3_600 }], 'released'],
  ] as const)('wins against a %s, which says so and writes nothing', async (_case, first, second, status) => {
    const { id } = await holdFour();
    expect((await app.post(`/reservations/${id}/${first[0]}`, first[1])).status).toBe(200);
    const written = await writtenBy(app, async () => {
      const answer = await app.post(`/reservations/${id}/${second[0]}`, second[1]);
      expectProblem(answer, 409, 'reservation_closed');
      expect(answer.body.reservation_status).toBe(status);
    });
    expect(written).toEqual({});
  });

  it('wins alone when a commit and a release come at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { external_id, id } = await holdFour();
      const answers = await Promise.all([commit(id), release(id)]);
      expect(tally(answers)).toEqual({ 200: 1, '409 reservation_closed': 1 });
      const { body } = await app.get(`/reservations/${id}`);
      const isCommitted = body.status === 'committed';
      expect(answers.map(({ status }) => status)).toEqual(isCommitted ? [200, 409] : [409, 200]);
      expect((await walletOf(app, external_id)).balances).toEqual({ CREDITS: isCommitted ? 6 : 10 });
    }
  });

  it('wins alone when commits of many amounts come at once', async () => {
    const { external_id, id } = await holdFour();
    const answers = await sendTogether(4, (index) => commit(id, { amount: index + 1 }));
    expect(tally(answers)).toEqual({ 200: 1, '409 reservation_closed': 3 });
    const committed = answers.find(({ status }) => status === 200)?.body.committed_amount;
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { CREDITS: 10 - committed }, held: {} });
  });

  it('happens once when it is asked for many times at once', async () => {
    const { external_id, id } = await holdFour();
    const answers = await sendTogether(5, () => commit(id));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === 'true')).toHaveLength(4);
    expect(await ledgerOf(app, external_id)).toEqual([
      ['grant', 10, 10],
      ['hold', 4, 6],
      ['commit', 4, 6],
    ]);
  });

  it.each([
    ['commit', {}],
    ['release', {}],
    ['extend', { ttl_seconds: 60 }],
  ])('of a reservation that nobody made is refused: %s', async (ending, body) => {
    expectProblem(
      await app.post(`/reservations/${UNKNOWN_ID}/${ending}`, body),
      404,
      'reservation_not_found',
      'path/id',
    );
    expectProblem(await app.post(`/reservations/first/${ending}`, body), 400, 'invalid_request', 'path/id');
  });
});
