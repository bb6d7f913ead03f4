// Lists of a family: with the ids of two customers each list is the union of both, in order and page by page. Over HTTP a family has one member.

import { beforeAll, describe, expect, it } from 'vitest';
import { listEntries } from '../../src/db/entries.js';
import { countReferrals, listReferrals } from '../../src/db/referrals.js';
import { listReservations, type StoredReservation } from '../../src/db/reservations.js';
import {
  type ExpiringUnits,
  listBatches,
  listExpiring,
  listGrants,
  type StoredBatch,
  type StoredGrant,
} from '../../src/db/wallet.js';
import { readSettled } from '../../src/engine/reads.js';
import type { Referral } from '../../src/ledger/customer-entities.js';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import { hold } from '../support/holdings.js';
import { customerIdOf } from '../support/parallel.js';
import { newPerson } from '../support/requests.js';

const app = useTestApp();

beforeAll(() => putProduct(app, 'CREDITS', { is_currency: true }));

interface Family {
  names: [string, string];
  ids: [string, string];
}

async function newFamily(): Promise<Family> {
  const names: Family['names'] = [newPerson(), newPerson()];
  return { names, ids: [await customerIdOf(app, names[0]), await customerIdOf(app, names[1])] };
}

/** Runs `work` for the members by turns, three times each; of every three runs two are at one instant. */
async function byTurns<T>({ names }: Family, work: (name: string, turn: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let turn = 0; turn < 6; turn += 1) {
    if (turn % 3 !== 1) app.clock.advance({ seconds: 1 });
    results.push(await work(turn % 2 === 0 ? names[0] : names[1], turn));
  }
  return results;
}

/** Reads pages of two rows until one is not full. */
async function readAll<T>(read: (after: T | undefined, limit: number) => Promise<T[]>): Promise<T[]> {
  const rows: T[] = [];
  for (;;) {
    const page = await read(rows.at(-1), 2);
    rows.push(...page);
    if (page.length < 2) return rows;
  }
}

/** The ids of rows in the order of their instants and, of one instant, of their ids. */
function inOrder<T extends { id: string }>(rows: readonly T[], instantOf: (row: T) => string): string[] {
  const keyOf = (row: T) => `${instantOf(row)} ${row.id}`;
  return rows.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).map(({ id }) => id);
}

const made = async (id: string | Promise<string>) => ({ id: await id, at: app.clock.now().toISOString() });

describe('a list of two customers', () => {
  it('has the batches of both, newest first', async () => {
    const family = await newFamily();
    const batches = await byTurns(family, (name) => made(grantUnits(app, name, 'CREDITS', 1)));
    const instant = { at: app.clock.now(), isPast: false };
    const expected = inOrder(batches, ({ at }) => at).reverse();
    for (const isPast of [false, true]) {
      const read = await readAll<StoredBatch>((after, limit) =>
        listBatches(app.deps.db, family.ids, { ...instant, isPast }, [], {}, { after, limit }),
      );
      expect(read.map(({ id }) => id)).toEqual(expected);
    }
  });

  it('has the reservations of both, newest first', async () => {
    const family = await newFamily();
    for (const name of family.names) await grantUnits(app, name, 'CREDITS', 10);
    const held = await byTurns(family, async (name) => made((await hold(app, name, 'CREDITS', 1)).id));
    const read = await readAll<StoredReservation>((after, limit) =>
      listReservations(app.deps.db, family.ids, app.clock.now(), undefined, { after, limit }),
    );
    expect(read.map(({ id }) => id)).toEqual(inOrder(held, ({ at }) => at).reverse());
    expect(new Set(read.map(({ customerId }) => customerId))).toEqual(new Set(family.ids));
  });

  it('has the grants of both, newest first, each with its batches', async () => {
    const family = await newFamily();
    const batches = await byTurns(family, (name) => made(grantUnits(app, name, 'CREDITS', 1)));
    const read = await readAll<StoredGrant>((last, limit) => {
      const after = last && { createdAt: last.createdAt, id: last.operationId };
      return listGrants(app.deps.db, family.ids, app.clock.now(), [], { after, limit });
    });
    const rows = read.map(({ operationId, createdAt }) => ({ id: operationId, at: createdAt.toISOString() }));
    expect(rows.map(({ id }) => id)).toEqual(inOrder(rows, ({ at }) => at).reverse());
    const granted = read.flatMap((grant) => grant.batches.map(({ id }) => id));
    expect(granted.toSorted()).toEqual(batches.map(({ id }) => id).toSorted());
  });

  it('has the referrals that both made, newest first, and counts them', async () => {
    const family = await newFamily();
    const referrals = await byTurns(family, async (referrer_external_id) => {
      const referee_id = await customerIdOf(app, newPerson());
      const answer = await app.post('/referrals', { referrer_external_id, referee_id });
      expect(answer.status, answer.text).toBe(201);
      return made(answer.body.referral_id);
    });
    const read = await readAll<Referral>((after, limit) => listReferrals(app.deps.db, family.ids, { after, limit }));
    expect(read.map(({ id }) => id)).toEqual(inOrder(referrals, ({ at }) => at).reverse());
    expect(await countReferrals(app.deps.db, family.ids)).toBe(6);
  });

  it('has the credits of both that end soon, the soonest first', async () => {
    const family = await newFamily();
    const batches = await byTurns(family, async (name, turn) => {
      const at = `2026-02-0${turn < 3 ? 2 : 1}T00:00:00.000Z`;
      return { id: await grantUnits(app, name, 'CREDITS', 1, { expires_at: at }), at };
    });
    const span = { productKey: 'CREDITS', before: new Date('2026-02-07T00:00:00.000Z') };
    const read = await readAll<ExpiringUnits>((last, limit) => {
      const after = last && { expiresAt: last.expiresAt, id: last.batchId };
      return listExpiring(app.deps.db, family.ids, app.clock.now(), [], span, { after, limit });
    });
    expect(read.map(({ batchId }) => batchId)).toEqual(inOrder(batches, ({ at }) => at));
  });

  it('gives what lapsed holds of one repay to nobody else', async () => {
    const family = await newFamily();
    const [, debtor] = family.names;
    const batchIds: string[] = [];
    for (const name of family.names) {
      batchIds.push(await grantUnits(app, name, 'CREDITS', 10));
      await hold(app, name, 'CREDITS', 10, { ttl_seconds: 1 });
    }
    const body = { external_id: debtor, product_key: 'CREDITS', amount: 4, allow_negative: true };
    expect((await app.post('/credits/deduct', body)).status).toBe(200);
    app.clock.advance({ seconds: 1 });
    const instant = { at: app.clock.now(), isPast: false };
    const reader = { familyIds: family.ids, isDue: true };
    const read = await readSettled(app.deps, reader, instant, (tx, settled) =>
      listBatches(tx, family.ids, instant, settled, {}, { after: undefined, limit: 10 }),
    );
    const parts = new Map(read.map(({ id, available, held, consumed }) => [id, { available, held, consumed }]));
    expect(batchIds.map((id) => parts.get(id))).toEqual([
      { available: 10, held: 0, consumed: 0 },
      { available: 6, held: 0, consumed: 4 },
    ]);
  });

  it('has the newest entries of both, and goes on behind an entry of either', async () => {
    const family = await newFamily();
    await byTurns(family, (name) => grantUnits(app, name, 'CREDITS', 1));
    const all = await listEntries(app.deps.db, family.ids, {}, { before: undefined, limit: 100 });
    const instants = all.map(({ occurredAt }) => occurredAt.getTime());
    expect(instants).toEqual(instants.toSorted((a, b) => b - a));
    expect(new Set(all.map(({ customerId }) => customerId))).toEqual(new Set(family.ids));
    for (const [index, { seq, customerId: of }] of all.entries()) {
      const read = await listEntries(app.deps.db, family.ids, {}, { before: { seq, of }, limit: 100 });
      expect(read).toEqual(all.slice(index + 1));
    }
  });
});
