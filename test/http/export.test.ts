// All that is held about a customer, in bounded pages (DOMAIN 3.10).
import { beforeAll, describe, expect, it } from 'vitest';
import { EXPORT_SECTIONS } from '../../src/db/export.js';
import { type Json, useTestApp } from '../support/app.js';
import { customerIdOf } from '../support/parallel.js';
import { expectProblem, newPerson, readPages } from '../support/requests.js';
import { makeRichCatalogue, makeRichCustomer, newMark } from '../support/rich-customer.js';

const app = useTestApp();
beforeAll(() => makeRichCatalogue(app));

interface Exported {
  section: string;
  customer_id: string;
  record: Json;
}

async function exportOf(id: string, limit = 200): Promise<Exported[]> {
  const pages = await readPages(app, `/customers/${id}/export`, limit);
  return pages.flat() as unknown as Exported[];
}

/** What is not of a customer by itself, or of him only in other ways than by these tests. */
const NOT_MADE = [
  'erasures',
  'limit_sources',
  'signals',
  'rewards',
  'notices',
  'deliveries',
  'payment_events',
  'referred',
];

describe('GET /customers/{id}/export', () => {
  it('tells everything of a family once, whatever the size of its pages', async () => {
    const mark = newMark();
    const rich = await makeRichCustomer(app, mark);
    const all = await exportOf(rich.id);
    const sections = new Set(all.map(({ section }) => section));
    expect(EXPORT_SECTIONS.filter((section) => !sections.has(section))).toEqual(NOT_MADE.sort(inOrder));
    for (const limit of [1, 7]) expect(await exportOf(rich.id, limit)).toEqual(all);
    const texts = all.map((one) => JSON.stringify(one));
    expect(new Set(texts).size).toBe(texts.length);
    const count = async (table: string) => {
      const sql = `SELECT count(*) AS n FROM ${table} WHERE customer_id = ANY ($1::uuid[])`;
      const [row] = await app.deps.db.query(sql, [[rich.id, rich.sourceId]]);
      return Number(row?.n);
    };
    const counted = (section: string) => all.filter((one) => one.section === section).length;
    for (const [section, table] of Object.entries({
      ...{ entries: 'entries', operations: 'operations', events: 'events', audit: 'audit_records', batches: 'batches' },
      ...{ orders: 'orders', order_lines: 'order_items', answers: 'idempotency_records', archive: 'archived_records' },
      ...{ payments: 'payments', refunds: 'refunds', disputes: 'disputes', trials: 'trial_uses' },
    }))
      expect([section, counted(section)]).toEqual([section, await count(table)]);
    const own = all.filter(({ section }) => section === 'payments');
    expect(own.map(({ record }) => record.amount ?? null)).toEqual(own.map(() => null));
    const order = all.find(({ section, record }) => section === 'orders' && record.id === rich.orderIds[0]);
    expect(order).toMatchObject({ customer_id: rich.id, record: { total_amount: '10', metadata: { note: mark } } });
    expect(all.find(({ section }) => section === 'archive')?.record).toMatchObject({
      source_id: '17',
      data: { note: mark },
    });
  });

  it('of one that was merged tells of whom it leads to', async () => {
    const rich = await makeRichCustomer(app, newMark());
    expect(await exportOf(rich.sourceId)).toEqual(await exportOf(rich.id));
  });

  it('tells nobody else’s things', async () => {
    const mark = newMark();
    await makeRichCustomer(app, mark);
    const other = await customerIdOf(app, newPerson());
    const all = await exportOf(other);
    expect(all.map(({ section }) => section)).toEqual(['customer', 'identities', 'events']);
    expect(JSON.stringify(all)).not.toContain(mark);
  });

  it('of somebody who was erased tells the numbers that stay', async () => {
    const mark = newMark();
    const rich = await makeRichCustomer(app, mark);
    const before = await exportOf(rich.id);
    expect((await app.delete(`/customers/${rich.id}`)).status).toBe(200);
    const after = await exportOf(rich.id);
    expect(JSON.stringify(after)).not.toContain(mark);
    const amounts = (all: Exported[]) =>
      all.filter(({ section }) => section === 'entries').map(({ record }) => [record.seq, record.kind, record.amount]);
    expect(amounts(after)).toEqual(expect.arrayContaining(amounts(before)));
    expect(after.filter(({ section }) => section === 'erasures')).toHaveLength(2);
  });

  it('refuses what is no customer, and what is no cursor of it', async () => {
    const unknown = await app.get('/customers/01900000-0000-7000-8000-000000000000/export');
    expectProblem(unknown, 404, 'customer_not_found', 'path/id');
    const id = await customerIdOf(app, newPerson());
    const cursors = [
      { section: 'nothing', of: id, key: [id] },
      { section: 'customer', of: id, key: [] },
      { section: 'customer', of: id, key: ['x'] },
      { section: 'entries', of: id, key: ['9999999999999999999'] },
      { section: 'balances', of: id, key: ['a\u0000b'] },
      { section: 'constructor', of: id, key: [id] },
      { section: 'payments', of: id, key: ['2026-13-45 99:99:99', 'stripe', 'ch_1'] },
      { section: 'payments', of: id, key: ['0000-01-01 00:00:00', 'stripe', 'ch_1'] },
      { section: 'subscription_periods', of: id, key: [id, 'PLAN', '2026-02-30 10:00:00.5'] },
    ].map((position) => Buffer.from(JSON.stringify(position)).toString('base64url'));
    for (const cursor of [...cursors, 'x']) {
      expectProblem(await app.get(`/customers/${id}/export?cursor=${cursor}`), 400, 'invalid_request', 'query/cursor');
    }
    const real = { section: 'payments', of: id, key: ['2024-02-29 23:59:59.5', 'stripe', 'ch_1'] };
    const cursor = Buffer.from(JSON.stringify(real)).toString('base64url');
    expect((await app.get(`/customers/${id}/export?cursor=${cursor}`)).status).toBe(200);
    expectProblem(await app.get(`/customers/${id}/export?limit=201`), 400, 'invalid_request', 'query/limit');
  });
});

function inOrder(a: string, b: string): number {
  return EXPORT_SECTIONS.indexOf(a) - EXPORT_SECTIONS.indexOf(b);
}
