// The auditor itself: a small right history, written by hand in plain SQL, is clean; whatever is broken in it is found.
// A corruption happens in a transaction that is rolled back, without triggers, foreign keys and the constraint in its way.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkInvariants,
  describeDifference,
  findFailedChecks,
  type InvariantReport,
  runChecks,
} from '../../src/db/invariants/audit.js';
import { checkNames } from '../../src/db/invariants/checks.js';
import { AUDIT_SESSION_OPTIONS } from '../support/audit.js';
import { useTestDatabase } from '../support/database.js';

const VERIFY = fileURLToPath(new URL('../../scripts/verify.ts', import.meta.url));

/** A readable id: customers 1 to 3, then by kind and number. */
const idOf = (group: string, number: number) => `0000${group}-0000-7000-8000-${String(number).padStart(12, '0')}`;
const customer = (number: number) => idOf('c000', number);
const operation = (number: number) => idOf('0b00', number);
const order = (number: number) => idOf('0d00', number);
const line = (number: number) => idOf('0e00', number);
const batch = (number: number) => idOf('ba00', number);
const reservation = (number: number) => idOf('4e00', number);
const UNKNOWN = idOf('ffff', 1);
/** A buys and uses, B has trials and a referrer, C reserves, gives back and owes. */
const [A, B, C] = [customer(1), customer(2), customer(3)];

/** On the last day of a year, so that months clamp. */
const at = (time: string) => `2025-12-31T${time}:00Z`;

const DAY = '2025-12-31T00:00:00.000Z';

type Row = Record<string, unknown>;

async function insert(client: pg.ClientBase, table: string, rows: readonly Row[]): Promise<void> {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].join(', ');
  await client.query(
    `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::${table}, $1)`,
    [JSON.stringify(rows)],
  );
}

const term = (
  productKey: string,
  productType: string,
  quantity: number,
  period: [unit: string, value: number | null],
  priority: number,
) => ({
  productKey,
  productType,
  quantity,
  periodUnit: period[0],
  periodValue: period[1],
  priority,
  stacking: productType === 'period' ? 'extend' : 'parallel',
});

const bundleTerms = [
  term('CREDITS', 'quantity', 10, ['days', 30], 1),
  term('PASS', 'period', 1, ['months', 1], 0),
  term('LIFETIME', 'unlimited', 1, ['forever', null], 0),
];
const packTerms = [term('CREDITS', 'quantity', 100, ['forever', null], 1)];
/** Two terms that only their length tells apart. */
const freebieTerms = [term('CREDITS', 'quantity', 3, ['days', 10], 5), term('CREDITS', 'quantity', 3, ['years', 1], 5)];

async function writeHistory(client: pg.ClientBase): Promise<void> {
  const stamps = { created_at: at('08:00'), updated_at: at('08:00') };
  const names = [
    ...['CREDITS', 'PASS', 'LIFETIME'].map((name) => ({ name, kind: 'product' })),
    ...['BUNDLE', 'PACK', 'FREEBIE'].map((name) => ({ name, kind: 'offer' })),
  ];
  await insert(client, 'catalog_names', names);
  await insert(client, 'products', [
    {
      product_key: 'CREDITS',
      name: 'Credits',
      description: '',
      type: 'quantity',
      is_currency: false,
      is_active: true,
      metadata: {},
      ...stamps,
    },
    {
      product_key: 'PASS',
      name: 'Pass',
      description: '',
      type: 'period',
      is_currency: false,
      is_active: true,
      metadata: {},
      ...stamps,
    },
    {
      product_key: 'LIFETIME',
      name: 'Lifetime',
      description: '',
      type: 'unlimited',
      is_currency: false,
      is_active: true,
      metadata: {},
      ...stamps,
    },
  ]);
  await insert(
    client,
    'offers',
    [
      ['BUNDLE', 9.99],
      ['PACK', 5],
      ['FREEBIE', 0],
    ].map(([sku, price]) => ({
      sku,
      name: sku,
      description: '',
      price,
      currency: 'USD',
      is_active: true,
      is_trial: false,
      metadata: {},
      ...stamps,
    })),
  );
  await insert(client, 'customers', [
    { id: A, metadata: {}, next_seq: 13, last_recorded_at: at('18:00'), created_at: at('08:00'), has_limits: true },
    { id: B, metadata: {}, next_seq: 4, last_recorded_at: at('12:30'), created_at: at('08:00'), has_limits: false },
    { id: C, metadata: {}, next_seq: 31, last_recorded_at: at('15:45'), created_at: at('08:00'), has_limits: false },
  ]);
  await insert(
    client,
    'identities',
    [A, B, C].map((id, index) => ({
      provider: 'default',
      external_id: `user-${index}`,
      id: idOf('1d00', index),
      customer_id: id,
      profile: {},
      ...stamps,
    })),
  );

  const operationRow = (
    number: number,
    name: string,
    time: string,
    seqs: [first: number, last: number] | null,
    { customerId = A }: { customerId?: string } = {},
  ) => ({
    customer_id: customerId,
    id: operation(number),
    name,
    acting_key: 'test',
    recorded_at: at(time),
    first_seq: seqs?.[0],
    last_seq: seqs?.[1],
  });
  const [ofB, ofC] = [{ customerId: B }, { customerId: C }];
  await insert(client, 'operations', [
    operationRow(1, 'order.confirm', '10:00', [1, 4]),
    operationRow(2, 'quota.consume', '11:00', [5, 5]),
    operationRow(3, 'quota.consume', '11:30', [6, 6]),
    operationRow(4, 'grant', '12:00', [7, 7]),
    operationRow(5, 'quota.consume', '12:30', [8, 8]),
    operationRow(6, 'order.confirm', '16:30', [10, 11]),
    operationRow(7, 'order.confirm', '17:00', [12, 12]),
    operationRow(8, 'grant', '10:00', [1, 1], ofB),
    operationRow(9, 'grant', '12:00', [2, 2], ofB),
    operationRow(10, 'grant', '12:30', [3, 3], ofB),
    operationRow(11, 'referral.attach', '11:00', null, ofB),
    operationRow(12, 'grant', '09:00', [1, 3], ofC),
    operationRow(13, 'reservation.create', '09:30', [4, 4], ofC),
    operationRow(14, 'reservation.commit', '09:40', [5, 6], ofC),
    operationRow(15, 'reservation.create', '10:00', [7, 7], ofC),
    operationRow(16, 'reservation.create', '10:30', [8, 8], ofC),
    operationRow(17, 'reservation.create', '10:35', [9, 9], ofC),
    operationRow(18, 'reservation.create', '10:40', [10, 10], ofC),
    operationRow(19, 'reservation.commit', '10:50', [11, 12], ofC),
    operationRow(20, 'quota.release', '11:00', [13, 13], ofC),
    operationRow(21, 'quota.release', '11:10', [14, 14], ofC),
    operationRow(22, 'credits.deduct', '11:20', [15, 17], ofC),
    operationRow(23, 'credits.add', '11:30', [20, 21], ofC),
    operationRow(24, 'quota.release', '11:40', [22, 22], ofC),
    operationRow(25, 'grant', '11:50', [23, 24], ofC),
    operationRow(26, 'reservation.release', '15:30', [27, 28], ofC),
    operationRow(27, 'reservation.create', '15:40', [29, 29], ofC),
    operationRow(28, 'reservation.create', '15:45', [30, 30], ofC),
  ]);

  const orderRow = (number: number, status: string, total: number) => ({
    customer_id: A,
    id: order(number),
    status,
    currency: 'USD',
    total_amount: total,
    metadata: {},
    expires_at: '2026-01-01T09:00:00Z',
    created_at: at('09:00'),
  });
  await insert(client, 'orders', [
    {
      ...orderRow(1, 'paid', 24.98),
      payment_method: 'card',
      payment_id: 'pay-1',
      paid_at: at('10:00'),
      paid_by: operation(1),
    },
    orderRow(2, 'pending', 9.99),
    orderRow(3, 'cancelled', 5),
    { ...orderRow(4, 'paid', 0), paid_at: at('16:30'), paid_by: operation(6) },
  ]);
  const lineRow = (
    number: number,
    orderNumber: number,
    position: number,
    sku: string,
    quantity: number,
    price: number,
    terms: Row[],
  ) => ({
    customer_id: A,
    id: line(number),
    order_id: order(orderNumber),
    position,
    sku,
    name: sku,
    quantity,
    price,
    terms,
  });
  await insert(client, 'order_items', [
    lineRow(1, 1, 1, 'BUNDLE', 2, 9.99, bundleTerms),
    lineRow(2, 1, 2, 'PACK', 1, 5, packTerms),
    lineRow(3, 2, 1, 'BUNDLE', 1, 9.99, bundleTerms),
    lineRow(4, 3, 1, 'PACK', 1, 5, packTerms),
    lineRow(5, 4, 1, 'FREEBIE', 1, 0, freebieTerms),
  ]);
  const paymentRow = (id: string, orderNumber: number, status: string, amount: number, operationId?: string) => ({
    payment_method: 'card',
    payment_id: id,
    customer_id: A,
    order_id: order(orderNumber),
    status,
    amount,
    currency: 'USD',
    ...(operationId === undefined ? {} : { operation_id: operationId }),
    ...stamps,
  });
  await insert(client, 'payments', [
    paymentRow('pay-1', 1, 'paid', 24.98, operation(1)),
    paymentRow('pay-2', 2, 'failed', 9.99, operation(7)),
    paymentRow('pay-3', 3, 'unmatched', 5),
  ]);

  const parts = { available: 0, held: 0, consumed: 0, expired: 0, revoked: 0, transferred: 0 };
  const batchRow = (number: number, product: string, operationNumber: number, time: string, values: Row) => ({
    customer_id: A,
    id: batch(number),
    product_key: product,
    source: 'bonus',
    operation_id: operation(operationNumber),
    ...parts,
    priority: 1,
    valid_from: at(time),
    metadata: {},
    created_at: at(time),
    ...values,
  });
  const bought = (sku: string, orderNumber: number, lineNumber: number) => ({
    source: 'purchase',
    sku,
    order_id: order(orderNumber),
    order_item_id: line(lineNumber),
  });
  await insert(client, 'batches', [
    batchRow(1, 'CREDITS', 1, '10:00', {
      ...bought('BUNDLE', 1, 1),
      granted: 20,
      available: 15,
      consumed: 5,
      expires_at: '2026-01-30T10:00:00Z',
    }),
    batchRow(2, 'PASS', 1, '10:00', {
      ...bought('BUNDLE', 1, 1),
      consumed: 3,
      priority: 0,
      expires_at: '2026-02-28T10:00:00Z',
      anchor_day: 31,
    }),
    batchRow(3, 'LIFETIME', 1, '10:00', { ...bought('BUNDLE', 1, 1), priority: 0 }),
    batchRow(4, 'CREDITS', 1, '10:00', { ...bought('PACK', 1, 2), granted: 100, available: 100 }),
    batchRow(5, 'CREDITS', 4, '12:00', { granted: 8, consumed: 6, expired: 2, expires_at: at('14:00') }),
    batchRow(6, 'CREDITS', 6, '16:30', {
      ...bought('FREEBIE', 4, 5),
      granted: 3,
      available: 3,
      priority: 5,
      expires_at: '2026-01-10T16:30:00Z',
    }),
    batchRow(7, 'CREDITS', 6, '16:30', {
      ...bought('FREEBIE', 4, 5),
      granted: 3,
      available: 2,
      consumed: 1,
      priority: 5,
      expires_at: '2026-12-31T16:30:00Z',
    }),
    { ...batchRow(8, 'CREDITS', 8, '10:00', { granted: 3, available: 3 }), customer_id: B },
    { ...batchRow(9, 'PASS', 9, '12:00', { source: 'trial', sku: 'FREEBIE' }), customer_id: B },
    {
      ...batchRow(10, 'LIFETIME', 10, '12:30', { source: 'trial', sku: 'FREEBIE', metadata: { reason: 'ticket 17' } }),
      customer_id: B,
    },
    ...[
      batchRow(11, 'CREDITS', 12, '09:00', { granted: 50, consumed: 42, expired: 8, expires_at: at('15:00') }),
      batchRow(12, 'PASS', 12, '09:00', { consumed: 2 }),
      batchRow(13, 'CREDITS', 12, '09:00', { granted: 10, consumed: 10, valid_from: at('20:00') }),
      batchRow(14, 'CREDITS', 23, '11:30', { granted: 12, consumed: 12 }),
      batchRow(15, 'CREDITS', 25, '11:50', { granted: 8, available: 3, held: 4, consumed: 1 }),
    ].map((row) => ({ ...row, customer_id: C })),
  ]);
  await insert(client, 'balances', [
    { customer_id: A, product_key: 'CREDITS', available: 120, held: 0, owed: 0 },
    { customer_id: B, product_key: 'CREDITS', available: 3, held: 0, owed: 0 },
    { customer_id: C, product_key: 'CREDITS', available: 3, held: 4, owed: 0 },
  ]);

  const entryRow = (
    seq: number,
    kind: string,
    direction: string,
    product: string,
    batchNumber: number | null,
    amount: number,
    after: number,
    time: string,
    values: Row = {},
  ) => ({
    customer_id: A,
    seq,
    id: idOf('e000', seq),
    kind,
    direction,
    product_key: product,
    batch_id: batchNumber === null ? null : batch(batchNumber),
    amount,
    balance_after: after,
    recorded_at: at(time),
    occurred_at: at(time),
    ...values,
  });
  const firstOrder = { operation_id: operation(1), order_id: order(1) };
  const freeOrder = { operation_id: operation(6), order_id: order(4) };
  await insert(client, 'entries', [
    entryRow(1, 'grant', 'credit', 'CREDITS', 1, 20, 20, '10:00', firstOrder),
    entryRow(2, 'grant', 'none', 'PASS', 2, 1, 0, '10:00', firstOrder),
    entryRow(3, 'grant', 'none', 'LIFETIME', 3, 1, 0, '10:00', firstOrder),
    entryRow(4, 'grant', 'credit', 'CREDITS', 4, 100, 120, '10:00', firstOrder),
    entryRow(5, 'consume', 'debit', 'CREDITS', 1, 5, 115, '11:00', { operation_id: operation(2) }),
    entryRow(6, 'consume', 'none', 'PASS', 2, 3, 0, '11:30', { operation_id: operation(3) }),
    entryRow(7, 'grant', 'credit', 'CREDITS', 5, 8, 123, '12:00', { operation_id: operation(4) }),
    entryRow(8, 'consume', 'debit', 'CREDITS', 5, 6, 117, '12:30', { operation_id: operation(5) }),
    entryRow(9, 'expire', 'debit', 'CREDITS', 5, 2, 115, '16:00', { occurred_at: at('14:00') }),
    entryRow(10, 'grant', 'credit', 'CREDITS', 6, 3, 118, '16:30', freeOrder),
    entryRow(11, 'grant', 'credit', 'CREDITS', 7, 3, 121, '16:30', freeOrder),
    entryRow(12, 'consume', 'debit', 'CREDITS', 7, 1, 120, '17:00', {
      operation_id: operation(7),
      counted_at: at('17:00'),
      counted: 1,
      checked_limits: [
        {
          subject: { productKey: 'CREDITS' },
          window: 'day',
          windowStart: DAY,
          usedAfter: 12,
          limit: 20,
          enforcement: 'HARD',
        },
      ],
    }),
    { ...entryRow(1, 'grant', 'credit', 'CREDITS', 8, 3, 3, '10:00', { operation_id: operation(8) }), customer_id: B },
    { ...entryRow(2, 'grant', 'none', 'PASS', 9, 1, 0, '12:00', { operation_id: operation(9) }), customer_id: B },
    { ...entryRow(3, 'grant', 'none', 'LIFETIME', 10, 1, 0, '12:30', { operation_id: operation(10) }), customer_id: B },
  ]);

  await insert(client, 'customer_limits', [
    {
      customer_id: A,
      subject_type: 'product',
      subject: 'CREDITS',
      is_copied: false,
      id: idOf('11a0', 1),
      windows: { day: 20 },
      enforcement: 'HARD',
      created_at: at('10:00'),
      updated_at: at('10:00'),
    },
  ]);
  await insert(client, 'usage_counters', [
    {
      customer_id: A,
      subject_type: 'product',
      subject: 'CREDITS',
      window_name: 'day',
      window_start: DAY,
      used: 12,
      seq: 12,
    },
  ]);

  const by = (operationNumber: number, values: Row = {}) => ({ operation_id: operation(operationNumber), ...values });
  /** Of a reservation of the feature, which costs 5 credits or 1 pass. */
  const chat = (number: number, unit_cost = 5) => ({ reservation_id: reservation(number), feature: 'chat', unit_cost });
  const plain = (number: number) => ({ reservation_id: reservation(number) });
  await insert(
    client,
    'entries',
    [
      entryRow(1, 'grant', 'credit', 'CREDITS', 11, 50, 50, '09:00', by(12)),
      entryRow(2, 'grant', 'none', 'PASS', 12, 1, 0, '09:00', by(12)),
      entryRow(3, 'grant', 'credit', 'CREDITS', 13, 10, 60, '09:00', by(12)),
      entryRow(4, 'hold', 'debit', 'CREDITS', 11, 20, 40, '09:30', by(13, chat(1))),
      entryRow(5, 'commit', 'none', 'CREDITS', 11, 15, 40, '09:40', by(14, chat(1))),
      entryRow(6, 'release', 'credit', 'CREDITS', 11, 5, 45, '09:40', by(14, chat(1))),
      entryRow(7, 'hold', 'debit', 'CREDITS', 11, 10, 35, '10:00', by(15, chat(2))),
      entryRow(8, 'hold', 'debit', 'CREDITS', 11, 6, 29, '10:30', by(16, plain(3))),
      entryRow(9, 'hold', 'debit', 'CREDITS', 11, 2, 27, '10:35', by(17, plain(4))),
      entryRow(10, 'hold', 'none', 'PASS', 12, 2, 0, '10:40', by(18, chat(5, 1))),
      entryRow(11, 'commit', 'none', 'PASS', 12, 2, 0, '10:50', by(19, chat(5, 1))),
      entryRow(12, 'consume', 'none', 'PASS', 12, 1, 0, '10:50', by(19, chat(5, 1))), // beyond what was held
      entryRow(13, 'reverse', 'credit', 'CREDITS', 11, 5, 32, '11:00', {
        ...by(20, { feature: 'chat', unit_cost: 5 }),
        reverses_seq: 5,
      }),
      entryRow(14, 'reverse', 'none', 'PASS', 12, 1, 0, '11:10', {
        ...by(21, { feature: 'chat', unit_cost: 1 }),
        reverses_seq: 12,
      }),
      entryRow(15, 'consume', 'debit', 'CREDITS', 11, 22, 10, '11:20', by(22)),
      entryRow(16, 'consume', 'debit', 'CREDITS', 13, 10, 0, '11:20', by(22)), // before it is valid
      entryRow(17, 'debt', 'debit', 'CREDITS', null, 26, -26, '11:20', by(22)),
      // what settling finds due at 11:30: a hold lapsed, and repaid
      entryRow(18, 'release', 'credit', 'CREDITS', 11, 10, -16, '11:30', { ...chat(2), occurred_at: at('11:25') }),
      entryRow(19, 'repay', 'none', 'CREDITS', 11, 10, -16, '11:30', { occurred_at: at('11:25') }),
      entryRow(20, 'grant', 'credit', 'CREDITS', 14, 12, -4, '11:30', by(23)),
      entryRow(21, 'repay', 'none', 'CREDITS', 14, 12, -4, '11:30', by(23)),
      entryRow(22, 'forgive', 'credit', 'CREDITS', null, 3, -1, '11:40', by(24, { reverses_seq: 17 })),
      entryRow(23, 'grant', 'credit', 'CREDITS', 15, 8, 7, '11:50', by(25)),
      entryRow(24, 'repay', 'none', 'CREDITS', 15, 1, 7, '11:50', by(25)),
      // batch 11 ended at 15:00: what lapsed after that expired with it, and so does what is released
      entryRow(25, 'release', 'credit', 'CREDITS', 11, 2, 9, '15:30', { ...plain(4), occurred_at: at('15:20') }),
      entryRow(26, 'expire', 'debit', 'CREDITS', 11, 2, 7, '15:30', { occurred_at: at('15:20') }),
      entryRow(27, 'release', 'credit', 'CREDITS', 11, 6, 13, '15:30', by(26, plain(3))),
      entryRow(28, 'expire', 'debit', 'CREDITS', 11, 6, 7, '15:30', by(26)),
      entryRow(29, 'hold', 'debit', 'CREDITS', 15, 4, 3, '15:40', by(27, plain(6))),
      entryRow(30, 'hold', 'none', 'PASS', 12, 1, 0, '15:45', by(28, chat(7, 1))),
    ].map((row) => ({ ...row, customer_id: C })),
  );
  const reservationRow = (number: number, operationNumber: number, time: string, values: Row) => ({
    customer_id: C,
    id: reservation(number),
    operation_id: operation(operationNumber),
    costs: { CREDITS: 1 },
    committed_amount: 0,
    action_type: 'usage',
    metadata: {},
    created_at: at(time),
    ...values,
  });
  const ofChat = { feature: 'chat', costs: { CREDITS: 5, PASS: 1 } };
  const ofCredits = { product_key: 'CREDITS' };
  const committed = { status: 'committed', committed_amount: 3 };
  const lapsed = (time: string) => ({ status: 'expired', expires_at: at(time), ended_at: at(time) });
  const endedBy = (operationNumber: number, time: string) => ({
    ended_by: operation(operationNumber),
    ended_at: at(time),
  });
  const tomorrow = '2026-01-01T10:00:00Z';
  await insert(client, 'reservations', [
    reservationRow(1, 13, '09:30', {
      ...ofChat,
      amount: 4,
      ...committed,
      ...endedBy(14, '09:40'),
      expires_at: at('09:45'),
    }),
    reservationRow(2, 15, '10:00', { ...ofChat, amount: 2, ...lapsed('11:25') }),
    reservationRow(3, 16, '10:30', {
      ...ofCredits,
      amount: 6,
      status: 'released',
      ...endedBy(26, '15:30'),
      expires_at: tomorrow,
    }),
    reservationRow(4, 17, '10:35', { ...ofCredits, amount: 2, ...lapsed('15:20') }),
    reservationRow(5, 18, '10:40', {
      ...ofChat,
      amount: 2,
      ...committed,
      ...endedBy(19, '10:50'),
      expires_at: at('10:55'),
    }),
    reservationRow(6, 27, '15:40', { ...ofCredits, amount: 4, status: 'held', expires_at: tomorrow }),
    reservationRow(7, 28, '15:45', { ...ofChat, amount: 1, status: 'held', expires_at: tomorrow }),
  ]);
  await insert(
    client,
    'reservation_legs',
    (
      [
        [1, 'CREDITS', 11, 20],
        [2, 'CREDITS', 11, 10],
        [3, 'CREDITS', 11, 6],
        [4, 'CREDITS', 11, 2],
        [5, 'PASS', 12, 2],
        [6, 'CREDITS', 15, 4],
        [7, 'PASS', 12, 1],
      ] as const
    ).map(([number, product_key, batchNumber, amount]) => ({
      customer_id: C,
      reservation_id: reservation(number),
      position: 0,
      batch_id: batch(batchNumber),
      product_key,
      amount,
    })),
  );
  const answered = { request_hash: `\\x${'5a'.repeat(32)}`, request_hash_version: 1, status: 200, answer: '{}' };
  const keyed = { 1: 'confirm-1', 2: 'consume-1', 3: 'consume-2', 5: 'consume-3', 8: 'grant-1' };
  for (const [number, key] of Object.entries(keyed)) {
    await client.query(
      `INSERT INTO idempotency_records (customer_id, name, kind, key, operation_id, request_hash, request_hash_version, status, answer, recorded_at)
       SELECT customer_id, name, 'client', $2, id, $3::bytea, 1, 200, '{}', recorded_at FROM operations WHERE id = $1`,
      [operation(Number(number)), key, answered.request_hash],
    );
  }
  await client.query(
    `INSERT INTO idempotency_records (customer_id, name, kind, key, operation_id, request_hash, request_hash_version, status, answer, recorded_at)
     SELECT o.customer_id, o.name, 'natural', n.key, o.id, $1::bytea, 1, 200, '{}', o.recorded_at
     FROM (SELECT customer_id, paid_by AS id, id::text AS key FROM orders UNION ALL SELECT customer_id, ended_by, id::text FROM reservations) n
     JOIN operations o USING (customer_id, id)`,
    [answered.request_hash],
  );
  await client.query(
    `UPDATE customers c SET due_at = d.due_at FROM (
       SELECT customer_id, min(expires_at) AS due_at FROM (
         SELECT customer_id, expires_at FROM batches WHERE available > 0
         UNION ALL SELECT customer_id, expires_at FROM reservations WHERE status = 'held'
         UNION ALL SELECT customer_id, expires_at FROM orders WHERE status = 'pending') e GROUP BY customer_id) d
     WHERE c.id = d.customer_id`,
  );
  await insert(
    client,
    'archived_records',
    (['entry', 'batch'] as const).map((kind) => ({
      customer_id: A,
      kind,
      source_id: '7',
      happened_at: at('07:00'),
      data: { created_at: at('07:00'), amount: 1 },
    })),
  );
  await insert(client, 'archived_trials', [
    { identity_type: 'device', identity_hash: 'a'.repeat(64), plan: 'Taste', used_at: at('07:00') },
  ]);
  await insert(client, 'keyed_calls', [
    {
      owner: 'bootstrap',
      name: 'quota.consume.batch',
      idempotency_key: 'batch-1',
      request_hash: answered.request_hash,
      request_hash_version: 1,
      status: 200,
      answer: '{}',
      recorded_at: at('12:00'),
    },
  ]);
  await insert(
    client,
    'trial_uses',
    ['customer_id', 'default'].map((identity_type, index) => ({
      scope: 'offer:FREEBIE',
      pepper_id: 'c0ffee000000',
      identity_hash: String(index).repeat(64),
      identity_type,
      customer_id: B,
      operation_id: operation(9),
      used_at: at('12:00'),
    })),
  );
  await insert(client, 'referrals', [
    {
      customer_id: B,
      id: idOf('4ef0', 1),
      referrer_id: A,
      operation_id: operation(11),
      metadata: {},
      created_at: at('11:00'),
    },
  ]);
}

const ofBatch = (number: number) => `WHERE customer_id = '${A}' AND id = '${batch(number)}'`;
const ofEntry = (seq: number) => `WHERE customer_id = '${A}' AND seq = ${seq}`;
const ofBatchOfC = (number: number) => `WHERE customer_id = '${C}' AND id = '${batch(number)}'`;
const ofEntryOfC = (seq: number) => `WHERE customer_id = '${C}' AND seq = ${seq}`;
const ofReservation = (number: number) => `WHERE id = '${reservation(number)}'`;
const ofLeg = (number: number) => `WHERE reservation_id = '${reservation(number)}'`;
const costs = (number: number, value: unknown) =>
  `UPDATE reservations SET costs = '${JSON.stringify(value)}' ${ofReservation(number)}`;
const ofOrder = (number: number) => `WHERE id = '${order(number)}'`;
const ofLine = (number: number) => `WHERE id = '${line(number)}'`;
const ofPayment = (id: string) => `WHERE payment_id = '${id}'`;
const ofOperation = (number: number) => `WHERE id = '${operation(number)}'`;
/** The claim of the identity beside the one of the customer id. */
const OF_CLAIM = "WHERE identity_type = 'default'";
const refer = (refereeId: string, referrerId: string, operationId: string) =>
  `INSERT INTO referrals (customer_id, id, referrer_id, operation_id, created_at)
   VALUES ('${refereeId}', gen_random_uuid(), '${referrerId}', '${operationId}', '${at('12:00')}')`;
/** A reward of the referral of B; `more` replaces what it has. */
const reward = (more: Record<string, string> = {}) => {
  const columns: Record<string, string> = {
    id: 'gen_random_uuid()',
    customer_id: `'${A}'`,
    referral_id: '(SELECT id FROM referrals)',
    side: "'referrer'",
    referrer_id: `'${A}'`,
    referee_id: `'${B}'`,
    program_key: "'friends'",
    armed_by: `'${operation(11)}'`,
    sku: "'PACK'",
    quantity: '1',
    claws_back: 'true',
    status: "'armed'",
    is_disputed: 'false',
    due_at: `'${at('12:00')}'`,
    created_at: `'${at('12:00')}'`,
    ...more,
  };
  return `INSERT INTO rewards (${Object.keys(columns).join(', ')}) VALUES (${Object.values(columns).join(', ')})`;
};
const cancelledReward = { status: "'cancelled'", cancelled_at: `'${at('12:00')}'`, cancel_reason: "'cap_reached'" };
/** The row of a reward that says it was granted, by an operation that granted something else. */
const grantedReward = {
  status: "'granted'",
  granted_at: `'${at('12:00')}'`,
  granted_by: `'${operation(7)}'`,
  ordinal: '1',
};
/** A subscription that has ended, but for what is said otherwise. */
function subscriptionOf(customerId: string, otherwise: Record<string, string> = {}): string {
  const row = {
    ...{
      customer_id: `'${customerId}'`,
      id: `'${UNKNOWN}'`,
      plan_group: "'default'",
      sku: "'PACK'",
      status: "'cancelled'",
    },
    ...{ plan: "'{}'", period_number: '0', cancels_at_end: 'false', renewal_told: 'false', step_count: '0' },
    ...{ ended_at: `'${at('12:00')}'`, metadata: "'{}'", created_at: `'${at('12:00')}'`, ...otherwise },
  };
  return `INSERT INTO subscriptions (${Object.keys(row).join(', ')}) VALUES (${Object.values(row).join(', ')})`;
}

/** It was earned by an order of A, with whom B would have been merged. */
const byOrderOfA = (number: number) => ({ order_id: `'${order(number)}'`, order_customer_id: `'${A}'` });
/** A dispute of nothing of A's first order. */
const disputeOfA = (status: 'opened' | 'won' | 'lost') =>
  `INSERT INTO disputes (customer_id, id, order_id, operation_id, payment_method, dispute_id, status, amount, unrecovered_policy, created_at, opened_at, closed_at)
   SELECT customer_id, gen_random_uuid(), id, paid_by, 'card', 'dp', '${status}', 0, 'ignore', paid_at, paid_at, ${status === 'opened' ? 'NULL' : 'paid_at'}
   FROM orders ${ofOrder(1)}`;
const drop = (table: string, constraint: string) => `ALTER TABLE ${table} DROP CONSTRAINT ${constraint}`;
/** Appends an entry to the last operation in somebody's ledger, A's if not said, right in itself but for what the caller gives. */
const append = (columns: string, values: string, [owner, number, time]: Last = LAST_OF_A) => [
  `INSERT INTO entries (customer_id, seq, id, operation_id, recorded_at, occurred_at, ${columns})
   VALUES ('${owner}', (SELECT next_seq FROM customers WHERE id = '${owner}'), gen_random_uuid(), '${operation(number)}', '${at(time)}', '${at(time)}', ${values})`,
  `UPDATE operations SET last_seq = last_seq + 1 WHERE id = '${operation(number)}'`,
  `UPDATE customers SET next_seq = next_seq + 1 WHERE id = '${owner}'`,
];
type Last = readonly [owner: string, operationNumber: number, time: string];
const LAST_OF_A: Last = [A, 7, '17:00'];
const LAST_OF_C: Last = [C, 28, '15:45'];
/** Appends a give-back to C's ledger, with an entry. */
const giveBackOfC = (columns: string, values: string) => [
  drop('operations', 'operations_seq_ck'),
  `INSERT INTO operations (customer_id, id, name, acting_key, recorded_at, first_seq, last_seq)
   VALUES ('${C}', '${operation(29)}', 'quota.release', 'test', '${at('15:45')}', 31, 30)`,
  ...append(columns, values, [C, 29, '15:45']),
];
const termsOf = (number: number, terms: unknown) =>
  `UPDATE order_items SET terms = '${JSON.stringify(terms)}' ${ofLine(number)}`;

/** What is broken, how, and the checks that must report it: those and no others. */
type Corruption = [what: string, sql: string[], checks: string[]];
const corruptions: readonly Corruption[] = [
  [
    'a batch is not closed',
    [drop('batches', 'batches_closed_i1'), `UPDATE batches SET granted = 9 ${ofBatch(5)}`],
    ['i1_batch_closed', 'i2_batch_parts'],
  ],
  [
    'a part of a batch is below 0',
    [
      drop('batches', 'batches_parts_i1'),
      drop('batches', 'batches_recovered_ck'),
      `UPDATE batches SET expired = 3, revoked = -1 ${ofBatch(5)}`,
    ],
    ['i1_batch_parts', 'i2_batch_parts'],
  ],
  [
    'an uncounted batch has units',
    [drop('batches', 'batches_uncounted_ck'), `UPDATE batches SET revoked = 1 ${ofBatch(2)}`],
    ['i1_uncounted_parts'],
  ],
  [
    'a product is of another type than its batches',
    ["UPDATE products SET type = 'unlimited' WHERE product_key = 'CREDITS'"],
    ['i1_batch_type'],
  ],

  ['units change their fate', [`UPDATE batches SET consumed = 4, expired = 1 ${ofBatch(1)}`], ['i2_batch_parts']],
  [
    'units reappear',
    [`UPDATE batches SET available = 16, consumed = 4 ${ofBatch(1)}`],
    ['i2_batch_parts', 'i3_balance_batches'],
  ],
  [
    'a batch has no entries',
    [
      `INSERT INTO batches (customer_id, id, product_key, source, operation_id, granted, available, held, consumed, expired, revoked, transferred, priority, valid_from, created_at)
       VALUES ('${A}', '${UNKNOWN}', 'CREDITS', 'bonus', '${operation(4)}', 1, 0, 0, 1, 0, 0, 0, 1, '${at('12:00')}', '${at('12:00')}')`,
    ],
    ['i2_batch_parts', 'i2_batch_origin'],
  ],
  [
    'an uncounted batch has consumed more than its entries',
    [`UPDATE batches SET consumed = 4 ${ofBatch(2)}`],
    ['i2_uncounted_consumed'],
  ],
  ['an uncounted entry has a balance', [`UPDATE entries SET balance_after = 1 ${ofEntry(6)}`], ['i2_uncounted_entry']],
  [
    'an uncounted entry has a direction',
    [`UPDATE entries SET direction = 'debit' ${ofEntry(6)}`],
    ['i2_uncounted_entry'],
  ],
  [
    'an uncounted grant has another amount than 1',
    [`UPDATE entries SET amount = 2 ${ofEntry(3)}`],
    ['i2_uncounted_entry'],
  ],
  [
    'an entry has the wrong direction',
    [`UPDATE entries SET direction = 'none' ${ofEntry(12)}`],
    ['i2_batch_parts', 'i2_entry_direction', 'i3_balance_after', 'i3_balance_row'],
  ],
  [
    'an entry has a kind of its own',
    [drop('entries', 'entries_kind_ck'), `UPDATE entries SET kind = 'lost' ${ofEntry(12)}`],
    [
      'i2_batch_parts',
      'i2_entry_direction',
      'i3_balance_after',
      'i3_balance_row',
      'i6_used_after',
      'i6_counter',
      'i6_counted_entry',
    ],
  ],
  [
    'an entry of nothing',
    [
      drop('entries', 'entries_amount_ck'),
      ...append(
        'kind, direction, product_key, batch_id, amount, balance_after',
        `'consume', 'none', 'PASS', '${batch(2)}', 0, 0`,
      ),
    ],
    ['i2_entry_amount'],
  ],
  [
    'an entry is of another product than its batch',
    [`UPDATE entries SET product_key = 'PASS' ${ofEntry(3)}`],
    ['i2_entry_batch'],
  ],
  [
    'an entry lost its batch',
    [drop('entries', 'entries_batch_ck'), `UPDATE entries SET batch_id = NULL ${ofEntry(6)}`],
    ['i2_uncounted_consumed', 'i2_entry_batch'],
  ],
  [
    "an entry names another customer's batch",
    [`UPDATE entries SET batch_id = '${batch(8)}' ${ofEntry(3)}`],
    ['i2_entry_direction', 'i2_entry_batch', 'i2_batch_origin', 'i3_balance_row'],
  ],
  [
    'a grant entry names an order that is not its batch’s',
    [`UPDATE entries SET order_id = '${order(1)}' ${ofEntry(7)}`],
    ['i2_batch_origin'],
  ],
  [
    'a batch is granted twice',
    append(
      'kind, direction, product_key, batch_id, amount, balance_after',
      `'grant', 'none', 'LIFETIME', '${batch(3)}', 1, 0`,
    ),
    ['i2_batch_origin'],
  ],
  [
    'an entry names an operation that does not exist',
    [`UPDATE entries SET operation_id = '${UNKNOWN}' ${ofEntry(8)}`],
    ['i2_entry_operation'],
  ],
  [
    "an entry names another customer's operation",
    [`UPDATE entries SET operation_id = '${operation(8)}' ${ofEntry(8)}`],
    ['i2_entry_operation'],
  ],
  [
    'a consume entry has no operation',
    [drop('entries', 'entries_operation_ck'), `UPDATE entries SET operation_id = NULL ${ofEntry(8)}`],
    ['i2_entry_operation', 'i3_operation_entries'],
  ],
  [
    'an operation was recorded at another time than its entries',
    [`UPDATE operations SET recorded_at = '${at('12:31')}' ${ofOperation(5)}`],
    ['i2_entry_operation', 'i4_record_operation'],
  ],
  [
    'a batch names an operation that does not exist',
    [`UPDATE batches SET operation_id = '${UNKNOWN}' ${ofBatch(5)}`],
    ['i2_batch_origin', 'i2_batch_operation'],
  ],
  [
    'credits that were added are called an adjustment',
    [`UPDATE batches SET source = 'adjustment' ${ofBatchOfC(14)}`],
    ['i2_batch_source'],
  ],
  ['a bonus is called an exchange', [`UPDATE batches SET source = 'exchange' ${ofBatch(5)}`], ['i2_batch_source']],
  [
    'a batch has a source of its own',
    [drop('batches', 'batches_source_ck'), `UPDATE batches SET source = 'gift' ${ofBatch(5)}`],
    ['i2_batch_source'],
  ],
  [
    'a batch was granted by a consume',
    [`UPDATE operations SET name = 'quota.consume' ${ofOperation(4)}`],
    ['i2_batch_source'],
  ],
  ['a migration has no source id', [`UPDATE batches SET source = 'migration' ${ofBatch(5)}`], ['i4_migration_source']],
  [
    'a source id names an operation that migrated nothing',
    [
      `INSERT INTO idempotency_records SELECT customer_id, name, 'natural', 'legacy-1', id, sha256('x'), 1, 200, '{}', recorded_at
       FROM operations ${ofOperation(4)}`,
    ],
    ['i4_migration_source'],
  ],
  [
    'units expired before the end of their batch',
    [`UPDATE entries SET occurred_at = '${at('13:59')}' ${ofEntry(9)}`],
    ['i2_expire_at_end'],
  ],
  [
    'units expired later than that was recorded',
    [`UPDATE entries SET occurred_at = '${at('16:01')}' ${ofEntry(9)}`],
    ['i2_occurred_at', 'i2_expire_at_end'],
  ],
  [
    'units of a batch without an end expired',
    [`UPDATE batches SET expires_at = NULL ${ofBatch(5)}`],
    ['i2_expire_at_end'],
  ],
  [
    'units were consumed at the end of their batch',
    [`UPDATE batches SET expires_at = '${at('12:30')}' ${ofBatch(5)}`],
    ['i2_expire_at_end', 'i2_consume_in_validity'],
  ],
  [
    'units were consumed before their batch began',
    [`UPDATE batches SET valid_from = '${at('12:31')}' ${ofBatch(5)}`],
    ['i2_consume_in_validity'],
  ],
  [
    'access was used after it was revoked',
    [`UPDATE batches SET revoked_at = '${at('11:29')}' ${ofBatch(2)}`],
    ['i2_consume_in_validity'],
  ],
  [
    'units were held before their batch began',
    [`UPDATE batches SET valid_from = '${at('15:41')}' ${ofBatchOfC(15)}`],
    ['i2_consume_in_validity'],
  ],
  [
    'an overdraft took units of a batch that had ended',
    [`UPDATE batches SET valid_from = '${at('09:00')}', expires_at = '${at('11:20')}' ${ofBatchOfC(13)}`],
    ['i2_consume_in_validity'],
  ],
  [
    'what is no overdraft took units before their batch began, and left a debt',
    [`UPDATE operations SET name = 'quota.consume' ${ofOperation(22)}`],
    ['i2_consume_in_validity', 'i2_debt_operation'],
  ],
  [
    'a use took effect before it was recorded',
    [`UPDATE entries SET occurred_at = '${at('12:29')}' ${ofEntry(8)}`],
    ['i2_occurred_at'],
  ],
  [
    'units expired an hour after the end of their batch without having come back',
    [`UPDATE entries SET occurred_at = '${at('15:00')}' ${ofEntry(9)}`],
    ['i2_expire_at_end'],
  ],
  [
    'units that came back after the end of their batch expired before they came',
    [`UPDATE entries SET occurred_at = '${at('15:00')}' ${ofEntryOfC(26)}`],
    ['i2_return_after_end'],
  ],
  [
    'units that came back at the end of their batch stayed',
    [`UPDATE batches SET expires_at = '${at('11:25')}' ${ofBatchOfC(11)}`],
    ['i2_return_after_end'],
  ],

  [
    'a give-back names nothing',
    [drop('entries', 'entries_reverses_ck'), `UPDATE entries SET reverses_seq = NULL ${ofEntryOfC(13)}`],
    ['i2_reverse_entry'],
  ],
  [
    'a give-back names what does not exist',
    [drop('entries', 'entries_reverses_ck'), `UPDATE entries SET reverses_seq = 99 ${ofEntryOfC(13)}`],
    ['i2_reverse_entry'],
  ],
  [
    'a give-back names a later use',
    [
      drop('entries', 'entries_reverses_ck'),
      `UPDATE entries SET feature = NULL, unit_cost = NULL, reverses_seq = 15 ${ofEntryOfC(13)}`,
    ],
    ['i2_reverse_entry'],
  ],
  [
    'a give-back names the use of another feature',
    [`UPDATE entries SET feature = 'talk' ${ofEntryOfC(14)}`],
    ['i2_reverse_entry'],
  ],
  [
    'a give-back names what was held, not used',
    [`UPDATE entries SET reverses_seq = 4 ${ofEntryOfC(13)}`],
    ['i2_reverse_entry', 'i2_reverse_operation'],
  ],
  [
    'what is forgiven names the use of a batch',
    [`UPDATE entries SET reverses_seq = 16 ${ofEntryOfC(22)}`],
    ['i2_reverse_entry'],
  ],
  [
    'what ends a hold names an entry',
    [`UPDATE entries SET reverses_seq = 5 ${ofEntryOfC(6)}`],
    ['i2_reverse_entry', 'i2_reverse_operation'],
  ],
  [
    'more came back of a use than it took',
    [`UPDATE entries SET amount = 2 ${ofEntryOfC(14)}`, `UPDATE batches SET consumed = consumed - 1 ${ofBatchOfC(12)}`],
    ['i2_reverse_amount'],
  ],
  [
    'a use came back twice',
    [
      ...giveBackOfC(
        'kind, direction, product_key, batch_id, amount, balance_after, feature, unit_cost, reverses_seq',
        `'reverse', 'none', 'PASS', '${batch(12)}', 1, 0, 'chat', 1, 12`,
      ),
      `UPDATE batches SET consumed = consumed - 1 ${ofBatchOfC(12)}`,
    ],
    ['i2_reverse_amount'],
  ],
  [
    'a use came back to another batch',
    [
      ...giveBackOfC(
        'kind, direction, product_key, batch_id, amount, balance_after, reverses_seq',
        `'reverse', 'credit', 'CREDITS', '${batch(14)}', 1, 4, 15`,
      ),
      `UPDATE batches SET available = 1, consumed = 11 ${ofBatchOfC(14)}`,
      `UPDATE balances SET available = 4 WHERE customer_id = '${C}'`,
    ],
    ['i2_reverse_entry'],
  ],
  [
    'a give-back is at another cost than the use',
    [`UPDATE entries SET unit_cost = 1 ${ofEntryOfC(13)}`],
    ['i2_reverse_entry'],
  ],
  [
    'units came back by a consume',
    [`UPDATE operations SET name = 'quota.consume' ${ofOperation(20)}`],
    ['i2_reverse_operation'],
  ],
  [
    'what an exchange took was given back',
    [`UPDATE operations SET name = 'exchange' ${ofOperation(22)}`],
    ['i2_consume_in_validity', 'i2_reverse_operation', 'i2_debt_operation'],
  ],
  [
    'half a unit came back',
    [`UPDATE entries SET unit_cost = 10 WHERE customer_id = '${C}' AND seq IN (5, 13)`],
    ['i2_reverse_whole_units', 'i5_reservation_entry'],
  ],
  [
    'more is repaid than is owed',
    [
      ...append(
        'kind, direction, product_key, batch_id, amount, balance_after',
        `'repay', 'none', 'CREDITS', '${batch(15)}', 2, 3`,
        LAST_OF_C,
      ),
      ...append(
        'kind, direction, product_key, batch_id, amount, balance_after',
        "'debt', 'debit', 'CREDITS', NULL, 2, 1",
        LAST_OF_C,
      ),
      `UPDATE batches SET available = 1, consumed = 3 ${ofBatchOfC(15)}`,
      `UPDATE balances SET available = 1 WHERE customer_id = '${C}'`,
    ],
    ['i2_debt_operation', 'i2_owed_never_below_0', 'i3_debt_of_all', 'i3_repaid_at_once'],
  ],

  [
    'the ledger has a gap',
    [`UPDATE entries SET seq = 14 ${ofEntry(12)}`, `UPDATE customers SET next_seq = 15 WHERE id = '${A}'`],
    ['i2_entry_operation', 'i3_seq_gapless', 'i6_counter'],
  ],
  [
    'the ledger does not begin at 1',
    [drop('entries', 'entries_seq_i3'), `UPDATE entries SET seq = 0 ${ofEntry(1)}`],
    ['i2_entry_operation', 'i3_seq_gapless'],
  ],
  [
    'two operations name the entries of each other',
    [
      `UPDATE operations SET first_seq = 6, last_seq = 6 ${ofOperation(2)}`,
      `UPDATE operations SET first_seq = 5, last_seq = 5 ${ofOperation(3)}`,
    ],
    ['i2_entry_operation'],
  ],
  [
    'an operation names more entries than its own',
    [`UPDATE operations SET last_seq = 7 ${ofOperation(1)}`],
    ['i3_operation_entries'],
  ],
  [
    'an operation names entries before its own',
    [`UPDATE operations SET first_seq = 4 ${ofOperation(2)}`],
    ['i3_operation_entries'],
  ],
  [
    'an operation does not know where its entries are',
    [`UPDATE operations SET first_seq = NULL, last_seq = NULL ${ofOperation(1)}`],
    ['i2_entry_operation', 'i3_operation_entries'],
  ],
  [
    'an operation without entries names some',
    [`UPDATE operations SET first_seq = 1, last_seq = 1 ${ofOperation(11)}`],
    ['i3_operation_entries'],
  ],
  [
    'an entry of nobody is among those of an operation',
    [drop('entries', 'entries_operation_ck'), `UPDATE entries SET operation_id = NULL ${ofEntryOfC(16)}`],
    ['i2_entry_operation', 'i2_consume_in_validity', 'i3_operation_entries'],
  ],
  ['an entry is missing at the end', [`UPDATE customers SET next_seq = 14 WHERE id = '${A}'`], ['i3_next_seq']],
  [
    'recorded_at goes back',
    [`UPDATE entries SET recorded_at = '${at('16:31')}' ${ofEntry(9)}`],
    ['i3_recorded_at_order'],
  ],
  [
    'a customer is dated ahead',
    [`UPDATE customers SET last_recorded_at = clock_timestamp() + interval '2 minutes' WHERE id = '${A}'`],
    ['i3_not_ahead'],
  ],
  [
    'the catalogue is dated ahead',
    [`UPDATE offers SET updated_at = clock_timestamp() + interval '2 minutes' WHERE sku = 'PACK'`],
    ['i3_not_ahead'],
  ],
  [
    'last_recorded_at is before an entry',
    [`UPDATE customers SET last_recorded_at = '${at('16:59')}' WHERE id = '${A}'`],
    ['i3_last_recorded_at'],
  ],
  [
    'a balance_after in the middle is wrong',
    [`UPDATE entries SET balance_after = 116 ${ofEntry(5)}`],
    ['i3_balance_after'],
  ],
  ['the last balance_after is wrong', [`UPDATE entries SET balance_after = 121 ${ofEntry(12)}`], ['i3_balance_after']],
  ['something is owed without a debt', [`INSERT INTO balances VALUES ('${A}', 'PASS', 0, 0, 1)`], ['i3_balance_row']],
  [
    'a balance is wrong',
    [`UPDATE balances SET available = 4 WHERE customer_id = '${B}'`],
    ['i3_balance_row', 'i3_balance_batches'],
  ],
  [
    'a balance is missing',
    [`DELETE FROM balances WHERE customer_id = '${B}'`],
    ['i3_balance_row', 'i3_balance_batches'],
  ],
  [
    'something is owed while something is available',
    [drop('balances', 'balances_owed_i3'), `UPDATE balances SET owed = 1 WHERE customer_id = '${B}'`],
    ['i3_balance_row', 'i3_owed_excludes_available'],
  ],
  [
    'a balance is below 0',
    [drop('balances', 'balances_parts_ck'), `UPDATE balances SET available = -1 WHERE customer_id = '${B}'`],
    ['i3_balance_row', 'i3_balance_batches', 'i3_owed_excludes_available'],
  ],

  [
    'units were left beside a debt',
    [`UPDATE entries SET balance_after = -25 ${ofEntryOfC(17)}`],
    ['i3_balance_after', 'i3_debt_of_all'],
  ],
  [
    'a credit repaid less than was owed',
    [`UPDATE entries SET balance_after = 6 ${ofEntryOfC(23)}`],
    ['i3_balance_after', 'i3_repaid_at_once'],
  ],
  [
    'a repayment took effect later than what it took',
    [`UPDATE entries SET occurred_at = '${at('11:26')}' ${ofEntryOfC(19)}`],
    ['i3_repaid_at_once'],
  ],

  ['something falls due unnoticed', [`UPDATE customers SET due_at = NULL WHERE id = '${C}'`], ['i3_due_at']],
  [
    'a key has two effects',
    [
      drop('idempotency_records', 'idempotency_records_pk'),
      "UPDATE idempotency_records SET key = 'consume-1' WHERE key = 'consume-3'",
    ],
    ['i4_record_unique'],
  ],
  [
    'a hash is none',
    [
      drop('idempotency_records', 'idempotency_records_hash_ck'),
      "UPDATE idempotency_records SET request_hash = '' WHERE key = 'consume-1'",
    ],
    ['i4_record_form'],
  ],
  [
    'a refusal was recorded',
    ["UPDATE idempotency_records SET status = 402 WHERE key = 'consume-1'"],
    ['i4_record_form'],
  ],
  [
    'an answer is of an operation of another name',
    ["UPDATE idempotency_records SET name = 'grant' WHERE key = 'consume-1'"],
    ['i4_record_operation'],
  ],
  [
    'an answer is of no operation',
    [`UPDATE idempotency_records SET operation_id = '${UNKNOWN}' WHERE key = 'consume-1'`],
    ['i4_record_operation'],
  ],
  [
    'the answer to a paid order is lost',
    [`DELETE FROM idempotency_records WHERE kind = 'natural' AND key = '${order(1)}'`],
    ['i4_natural_answer'],
  ],
  [
    'the answer to an ended reservation is lost',
    ["DELETE FROM idempotency_records WHERE kind = 'natural' AND name = 'reservation.release'"],
    ['i4_natural_answer'],
  ],
  [
    'a keyed call is there twice',
    [drop('keyed_calls', 'keyed_calls_pk'), 'INSERT INTO keyed_calls SELECT * FROM keyed_calls'],
    ['i4_keyed_call'],
  ],
  ['a refused call was recorded', ['UPDATE keyed_calls SET status = 402'], ['i4_keyed_call']],
  [
    'a payment is there twice',
    [drop('payments', 'payments_pk'), `INSERT INTO payments SELECT * FROM payments ${ofPayment('pay-3')}`],
    ['i4_payment_unique'],
  ],
  [
    'a payment pays two orders',
    [`UPDATE orders SET payment_method = 'card', payment_id = 'pay-1' ${ofOrder(4)}`],
    ['i4_payment_pays_one_order', 'i4_order_has_payment'],
  ],
  [
    'a payment is of another amount than its order',
    [`UPDATE payments SET amount = 24.97 ${ofPayment('pay-1')}`],
    ['i4_order_has_payment'],
  ],
  [
    'a payment is in another currency than its order',
    [`UPDATE payments SET currency = 'EUR' ${ofPayment('pay-1')}`],
    ['i4_order_has_payment'],
  ],
  [
    'a payment names another operation than its order',
    [`UPDATE payments SET operation_id = '${operation(2)}' ${ofPayment('pay-1')}`],
    ['i4_order_has_payment'],
  ],
  ['a payment is missing', [`DELETE FROM payments ${ofPayment('pay-1')}`], ['i4_order_has_payment']],
  [
    'an order that costs something was paid by nothing',
    [drop('orders', 'orders_payment_ck'), `UPDATE orders SET payment_id = NULL ${ofOrder(1)}`],
    ['i4_order_has_payment', 'i4_payment_has_order'],
  ],
  [
    'a payment of an order that does not exist',
    [`UPDATE payments SET order_id = '${UNKNOWN}' ${ofPayment('pay-3')}`],
    ['i4_payment_has_order'],
  ],
  [
    'a payment that paid an order still pending',
    [`UPDATE payments SET status = 'paid' ${ofPayment('pay-2')}`],
    ['i4_payment_has_order'],
  ],
  [
    'a failed payment paid',
    [`UPDATE payments SET status = 'failed' ${ofPayment('pay-1')}`],
    ['i4_order_has_payment', 'i4_payment_has_order'],
  ],
  [
    'a payment is in no known state',
    [drop('payments', 'payments_status_ck'), `UPDATE payments SET status = 'lost' ${ofPayment('pay-2')}`],
    ['i4_payment_status'],
  ],
  [
    'a failed payment has no operation',
    [drop('payments', 'payments_operation_ck'), `UPDATE payments SET operation_id = NULL ${ofPayment('pay-2')}`],
    ['i4_payment_status'],
  ],

  [
    'a trial is claimed twice',
    [drop('trial_uses', 'trial_uses_pk'), `INSERT INTO trial_uses SELECT * FROM trial_uses ${OF_CLAIM}`],
    ['i4_trial_unique'],
  ],
  [
    'an archived trial holds the identity itself',
    [
      drop('archived_trials', 'archived_trials_hash_ck'),
      `UPDATE archived_trials SET identity_hash = 'ada@mail.example'`,
    ],
    ['i4_archived_trial'],
  ],
  [
    'the type of an archived trial is not normalised',
    [drop('archived_trials', 'archived_trials_type_ck'), `UPDATE archived_trials SET identity_type = ' Device'`],
    ['i4_archived_trial'],
  ],
  [
    'an archived trial is there twice',
    [drop('archived_trials', 'archived_trials_pk'), 'INSERT INTO archived_trials SELECT * FROM archived_trials'],
    ['i4_archived_trial'],
  ],
  [
    'an archived record is there twice',
    [
      drop('archived_records', 'archived_records_pk'),
      `INSERT INTO archived_records SELECT * FROM archived_records WHERE kind = 'entry'`,
    ],
    ['i7_archived_record'],
  ],
  [
    'an archived record is of a kind of its own',
    [
      drop('archived_records', 'archived_records_kind_ck'),
      `UPDATE archived_records SET kind = 'trial' WHERE kind = 'entry'`,
    ],
    ['i7_archived_record'],
  ],
  [
    'an archived record was dated anew',
    [`UPDATE archived_records SET happened_at = happened_at + interval '1 day' WHERE kind = 'entry'`],
    ['i7_archived_record'],
  ],
  [
    'an archived record lost what it was',
    [`UPDATE archived_records SET data = '{}' WHERE kind = 'batch'`],
    ['i7_archived_record'],
  ],
  [
    'an archived record is of nobody',
    [`UPDATE archived_records SET customer_id = '${UNKNOWN}' WHERE kind = 'batch'`],
    ['ref_archived_customer'],
  ],
  [
    'archived records may be changed',
    ['DROP TRIGGER archived_records_keep ON archived_records', 'DROP TRIGGER archived_trials_keep ON archived_trials'],
    ['i7_triggers'],
  ],
  [
    'a claim holds the identity itself',
    [drop('trial_uses', 'trial_uses_hash_ck'), `UPDATE trial_uses SET identity_hash = 'ada@mail.example' ${OF_CLAIM}`],
    ['i4_trial_form'],
  ],
  [
    'a claim has a scope of its own',
    [drop('trial_uses', 'trial_uses_scope_ck'), `UPDATE trial_uses SET scope = 'some' ${OF_CLAIM}`],
    ['i4_trial_form'],
  ],
  ['a claim names no pepper', [`UPDATE trial_uses SET pepper_id = '' ${OF_CLAIM}`], ['i4_trial_form']],
  [
    'the type of a claimed identity is not normalised',
    [`UPDATE trial_uses SET identity_type = ' Device' ${OF_CLAIM}`],
    ['i4_trial_form'],
  ],
  [
    'a claim names an operation that does not exist',
    [`UPDATE trial_uses SET operation_id = '${UNKNOWN}' ${OF_CLAIM}`],
    ['i4_trial_operation'],
  ],
  [
    'a claim is of another customer than its trial',
    [`UPDATE trial_uses SET customer_id = '${A}' ${OF_CLAIM}`],
    ['i4_trial_operation'],
  ],
  [
    'a claim was made for what is no trial',
    [`UPDATE batches SET source = 'bonus' WHERE id = '${batch(9)}'`],
    ['i4_trial_operation'],
  ],
  [
    'a claim is for another offer than its trial gave',
    [`UPDATE trial_uses SET scope = 'offer:PACK' ${OF_CLAIM}`],
    ['i4_trial_operation'],
  ],
  [
    'a claim was made at another time than its trial',
    [`UPDATE trial_uses SET used_at = '${at('12:01')}' ${OF_CLAIM}`],
    ['i4_trial_operation'],
  ],
  ['a trial left no claim', ['DELETE FROM trial_uses'], ['i4_trial_claimed']],
  [
    'a trial left no claim for the customer id',
    ["DELETE FROM trial_uses WHERE identity_type = 'customer_id'"],
    ['i4_trial_claimed'],
  ],
  [
    'a trial was granted without a claim and without a reason',
    [`UPDATE batches SET metadata = '{}' WHERE id = '${batch(10)}'`],
    ['i4_trial_claimed'],
  ],

  [
    'units are held without a reservation',
    [
      drop('entries', 'entries_reservation_ck'),
      ...append(
        'kind, direction, product_key, batch_id, amount, balance_after',
        `'hold', 'debit', 'CREDITS', '${batch(4)}', 10, 110`,
      ),
      `UPDATE batches SET available = 90, held = 10 ${ofBatch(4)}`,
      `UPDATE balances SET available = 110, held = 10 WHERE customer_id = '${A}'`,
    ],
    ['i5_held', 'i5_reservation_entry'],
  ],
  [
    'a balance holds more than its batches',
    [`UPDATE balances SET held = 5 WHERE customer_id = '${C}'`],
    ['i3_balance_row', 'i3_balance_batches', 'i5_held'],
  ],
  [
    'more is held than the leg says',
    [`UPDATE reservation_legs SET amount = 3 ${ofLeg(6)}`],
    ['i5_held', 'i5_reservation_amount', 'i5_reservation_batch'],
  ],
  [
    'units stay held although their reservation has ended',
    [
      `UPDATE reservations SET status = 'released', ended_at = '${at('15:40')}', ended_by = '${operation(27)}' ${ofReservation(6)}`,
    ],
    ['i5_held', 'i5_reservation_operation', 'i5_reservation_batch', 'i4_natural_answer'],
  ],
  [
    'a reservation is open although its units came back',
    [`UPDATE reservations SET status = 'held', ended_at = NULL, ended_by = NULL ${ofReservation(3)}`],
    ['i5_held', 'i5_reservation_entry', 'i5_reservation_batch'],
  ],

  [
    'a reservation is in no known state',
    [drop('reservations', 'reservations_status_ck'), `UPDATE reservations SET status = 'lost' ${ofReservation(2)}`],
    ['i5_reservation_state'],
  ],
  [
    'a reservation was committed at its end',
    [`UPDATE reservations SET expires_at = '${at('09:40')}' ${ofReservation(1)}`],
    ['i5_reservation_state'],
  ],
  [
    'a reservation was released before it was made',
    [`UPDATE reservations SET ended_at = '${at('10:29')}' ${ofReservation(3)}`],
    ['i5_reservation_state', 'i5_reservation_operation', 'i5_reservation_entry'],
  ],
  [
    'a reservation lapsed before its end',
    [`UPDATE reservations SET ended_at = '${at('11:24')}' ${ofReservation(2)}`],
    ['i5_reservation_state', 'i5_reservation_entry'],
  ],
  [
    'a reservation that lapsed was ended by an operation',
    [
      drop('reservations', 'reservations_ended_ck'),
      `UPDATE reservations SET ended_by = '${operation(23)}' ${ofReservation(2)}`,
    ],
    ['i5_reservation_state', 'i5_reservation_operation', 'i5_reservation_entry', 'i4_natural_answer'],
  ],
  [
    'an open reservation has an end',
    [
      drop('reservations', 'reservations_ended_ck'),
      `UPDATE reservations SET ended_at = '${at('15:40')}' ${ofReservation(6)}`,
    ],
    ['i5_reservation_state'],
  ],
  [
    'a reservation lasts for more than 7 days',
    [
      drop('reservations', 'reservations_end_ck'),
      `UPDATE reservations SET expires_at = created_at + interval '7 days 1 second' ${ofReservation(6)}`,
    ],
    ['i5_reservation_state'],
  ],
  [
    'a reservation lasts for ever',
    [
      drop('reservations', 'reservations_end_ck'),
      `UPDATE reservations SET expires_at = 'infinity' ${ofReservation(6)}`,
    ],
    ['i5_reservation_state'],
  ],
  [
    'a reservation ends when it begins',
    [
      drop('reservations', 'reservations_end_ck'),
      `UPDATE reservations SET expires_at = created_at ${ofReservation(6)}`,
    ],
    ['i5_reservation_state', 'i3_due_at'],
  ],
  [
    'a reservation asks for a product and a feature',
    [
      drop('reservations', 'reservations_subject_ck'),
      `UPDATE reservations SET product_key = 'CREDITS' ${ofReservation(2)}`,
    ],
    ['i5_reservation_state'],
  ],
  [
    'a reservation is of nothing',
    [drop('reservations', 'reservations_amount_ck'), `UPDATE reservations SET amount = 0 ${ofReservation(6)}`],
    ['i5_reservation_state', 'i5_reservation_amount'],
  ],
  [
    'a reservation that lapsed was committed',
    [
      drop('reservations', 'reservations_committed_ck'),
      `UPDATE reservations SET committed_amount = 1 ${ofReservation(2)}`,
    ],
    ['i5_reservation_state', 'i5_reservation_committed'],
  ],
  [
    'a reservation was made by a consume',
    [`UPDATE operations SET name = 'quota.consume' ${ofOperation(13)}`],
    ['i5_reservation_operation'],
  ],
  [
    'a reservation was committed by a release',
    [`UPDATE operations SET name = 'reservation.release' ${ofOperation(19)}`],
    ['i2_reverse_operation', 'i5_reservation_operation', 'i4_record_operation'],
  ],
  [
    'a reservation was released by a commit',
    [`UPDATE operations SET name = 'reservation.commit' ${ofOperation(26)}`],
    ['i5_reservation_operation', 'i4_record_operation'],
  ],
  [
    'a reservation was made at another time than its operation',
    [`UPDATE reservations SET created_at = '${at('09:29')}' ${ofReservation(1)}`],
    ['i5_reservation_operation', 'i5_reservation_entry'],
  ],
  [
    'a reservation was made by an operation that does not exist',
    [`UPDATE reservations SET operation_id = '${UNKNOWN}' ${ofReservation(1)}`],
    ['i5_reservation_operation', 'i5_reservation_entry'],
  ],
  [
    'a reservation was ended by an operation that does not exist',
    [`UPDATE reservations SET ended_by = '${UNKNOWN}' ${ofReservation(3)}`],
    ['i5_reservation_operation', 'i5_reservation_entry', 'i4_natural_answer'],
  ],
  [
    'a leg is of another product than its batch',
    [`UPDATE reservation_legs SET product_key = 'CREDITS' ${ofLeg(5)}`],
    ['i5_reservation_leg', 'i5_reservation_amount'],
  ],
  [
    'a leg is of a batch that does not exist',
    [`UPDATE reservation_legs SET batch_id = '${UNKNOWN}' ${ofLeg(2)}`],
    ['i5_reservation_leg', 'i5_reservation_batch'],
  ],
  [
    'a leg is of another product than was asked for',
    [`UPDATE reservations SET product_key = 'PASS' ${ofReservation(6)}`],
    ['i5_reservation_leg'],
  ],
  [
    'a leg of nothing',
    [
      drop('reservation_legs', 'reservation_legs_amount_ck'),
      `INSERT INTO reservation_legs SELECT customer_id, reservation_id, 1, batch_id, product_key, 0 FROM reservation_legs ${ofLeg(2)}`,
    ],
    ['i5_reservation_leg'],
  ],
  [
    'a reservation does not exist',
    [`DELETE FROM reservations ${ofReservation(2)}`],
    ['i5_reservation_leg', 'i5_reservation_entry'],
  ],
  ...[{}, [], 5, { CREDITS: '5' }, { CREDITS: 0 }, { CREDITS: 2.5 }, { CREDITS: null }].map(
    (value): Corruption => [
      `the costs of a reservation are ${JSON.stringify(value)}`,
      [costs(1, value)],
      ['i5_reservation_leg', 'i5_reservation_amount', 'i5_reservation_entry', 'i5_reservation_committed'],
    ],
  ),
  [
    'a product that was asked for itself costs 2',
    [costs(6, { CREDITS: 2 }), `UPDATE reservations SET amount = 2 ${ofReservation(6)}`],
    ['i5_reservation_leg'],
  ],
  [
    'a reservation holds more than its amount',
    [`UPDATE reservations SET amount = 1 ${ofReservation(2)}`],
    ['i5_reservation_amount'],
  ],
  [
    'a reservation holds nothing',
    [`DELETE FROM reservation_legs ${ofLeg(2)}`],
    ['i5_reservation_amount', 'i5_reservation_batch'],
  ],
  [
    'a reservation holds halves of units',
    [
      costs(2, { CREDITS: 20, PASS: 2 }),
      `INSERT INTO reservation_legs VALUES ('${C}', '${reservation(2)}', 1, '${batch(12)}', 'PASS', 3)`,
    ],
    ['i5_reservation_amount', 'i5_reservation_entry', 'i5_reservation_batch'],
  ],
  [
    'units were held at another cost than agreed',
    [`UPDATE entries SET unit_cost = 4 ${ofEntryOfC(4)}`],
    ['i5_reservation_entry'],
  ],
  [
    'units were released for another feature',
    [`UPDATE entries SET feature = 'talk' ${ofEntryOfC(6)}`],
    ['i5_reservation_entry'],
  ],
  [
    'a hold lapsed after its end',
    [`UPDATE entries SET occurred_at = '${at('11:26')}' WHERE customer_id = '${C}' AND seq IN (18, 19)`],
    ['i5_reservation_entry'],
  ],
  [
    'an operation let a hold lapse',
    [`UPDATE entries SET operation_id = '${operation(23)}' ${ofEntryOfC(18)}`],
    ['i2_entry_operation', 'i2_occurred_at', 'i3_operation_entries', 'i3_repaid_at_once', 'i5_reservation_entry'],
  ],
  [
    'units are held for a reservation that does not exist',
    [`UPDATE entries SET reservation_id = '${UNKNOWN}' ${ofEntryOfC(29)}`],
    ['i5_reservation_entry', 'i5_reservation_batch'],
  ],
  [
    'an entry names a reservation of another customer',
    [`UPDATE entries SET reservation_id = '${reservation(1)}' ${ofEntry(5)}`],
    ['i5_reservation_entry'],
  ],
  [
    'a grant names a reservation that does not exist',
    [`UPDATE entries SET reservation_id = '${UNKNOWN}' ${ofEntry(7)}`],
    ['i5_reservation_entry'],
  ],
  [
    'halves of units were committed',
    [
      costs(1, { CREDITS: 10, PASS: 2 }),
      ...append(
        'kind, direction, product_key, batch_id, amount, balance_after, reservation_id',
        `'commit', 'none', 'PASS', '${batch(12)}', 3, 0, '${reservation(1)}'`,
        LAST_OF_C,
      ),
      `UPDATE batches SET consumed = consumed + 3 ${ofBatchOfC(12)}`,
    ],
    ['i5_reservation_amount', 'i5_reservation_entry', 'i5_reservation_batch', 'i5_reservation_committed'],
  ],
  [
    'more was committed than its entries say',
    [`UPDATE reservations SET committed_amount = 4 ${ofReservation(1)}`],
    ['i5_reservation_committed'],
  ],
  [
    'what went beyond a reservation was not consumed',
    [`UPDATE entries SET reservation_id = NULL ${ofEntryOfC(12)}`],
    ['i5_reservation_committed'],
  ],

  [
    'the append-only trigger is disabled',
    ['ALTER TABLE entries DISABLE TRIGGER entries_append_only_i7'],
    ['i7_triggers'],
  ],
  [
    'the append-only trigger only fires on replicas',
    ['ALTER TABLE entries ENABLE REPLICA TRIGGER entries_append_only_i7'],
    ['i7_triggers'],
  ],
  ['entries may be changed', ['DROP TRIGGER entries_only_blanked_i7 ON entries'], ['i7_triggers']],
  ['lines may be changed', ['DROP TRIGGER order_items_only_blanked ON order_items'], ['i7_triggers']],
  ['answers may be rewritten', ['ALTER TABLE idempotency_records DISABLE TRIGGER USER'], ['i7_triggers']],
  ['the audit trail may be changed', ['DROP TRIGGER audit_records_only_blanked ON audit_records'], ['i7_triggers']],
  ['the archive may be changed', ['DROP TRIGGER archived_records_only_blanked ON archived_records'], ['i7_triggers']],
  ['an erasure may begin again', ['DROP TRIGGER customer_erasures_guard ON customer_erasures'], ['i7_triggers']],
  ['erasures may be deleted', ['DROP TRIGGER customer_erasures_keep ON customer_erasures'], ['i7_triggers']],
  ['bodies of who was erased are kept', ['DROP TRIGGER payment_inbox_blank ON payment_inbox'], ['i7_triggers']],
  ['the append-only trigger is gone', ['DROP TRIGGER entries_append_only_i7 ON entries'], ['i7_triggers']],
  [
    'the append-only trigger lets rows be deleted',
    [
      'DROP TRIGGER entries_append_only_i7 ON entries',
      "CREATE TRIGGER entries_append_only_i7 BEFORE TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('')",
    ],
    ['i7_triggers'],
  ],
  [
    'the append-only trigger has a condition',
    [
      'DROP TRIGGER entries_append_only_i7 ON entries',
      "CREATE TRIGGER entries_append_only_i7 BEFORE UPDATE OR DELETE OR TRUNCATE ON entries FOR EACH STATEMENT WHEN (now() < '2000-01-01') EXECUTE FUNCTION refuse_change('')",
    ],
    ['i7_triggers'],
  ],
  [
    'the append-only trigger refuses nothing',
    ['CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$'],
    ['i7_triggers'],
  ],
  ['used trials may be deleted', ['DROP TRIGGER trial_uses_keep ON trial_uses'], ['i7_triggers']],
  ['answers may be changed', ['DROP TRIGGER idempotency_records_keep ON idempotency_records'], ['i7_triggers']],
  ['natural answers may go', ['DROP TRIGGER idempotency_records_guard ON idempotency_records'], ['i7_triggers']],
  ['operations may be deleted', ['DROP TRIGGER operations_keep ON operations'], ['i7_triggers']],
  ['keyed calls may be changed', ['DROP TRIGGER keyed_calls_keep ON keyed_calls'], ['i7_triggers']],
  ['legs may be changed', ['DROP TRIGGER reservation_legs_keep ON reservation_legs'], ['i7_triggers']],
  ['reservations may be deleted', ['DROP TRIGGER reservations_keep ON reservations'], ['i7_triggers']],
  ['rewards may be deleted', ['DROP TRIGGER rewards_keep ON rewards'], ['i7_triggers']],
  ['subscriptions may be deleted', ['DROP TRIGGER subscriptions_keep ON subscriptions'], ['i7_triggers']],
  ['periods may be deleted', ['DROP TRIGGER subscription_periods_keep ON subscription_periods'], ['i7_triggers']],
  ['steps may be changed', ['DROP TRIGGER subscription_steps_keep ON subscription_steps'], ['i7_triggers']],
  [
    'units that expired go on though no period was paid',
    [
      ...append(
        'kind, direction, product_key, batch_id, amount, balance_after',
        `'transfer_out', 'none', 'CREDITS', '${batch(5)}', 2, (SELECT available FROM balances WHERE customer_id = '${A}' AND product_key = 'CREDITS')`,
      ),
      `UPDATE batches SET expired = expired - 2, transferred = transferred + 2 ${ofBatch(5)}`,
    ],
    ['i2_moved_units', 'i2_expired_goes_on'],
  ],
  [
    'a batch names a subscription that does not exist',
    [`UPDATE batches SET subscription_id = '${UNKNOWN}' ${ofBatch(5)}`],
    ['i2_batch_subscription'],
  ],
  [
    'a customer turns at another time than his subscriptions',
    [`UPDATE customers SET turns_at = '${at('12:00')}' WHERE id = '${A}'`],
    ['i3_turns_at'],
  ],
  [
    'a period says that it allocated what nobody made',
    [
      `INSERT INTO subscriptions (customer_id, id, plan_group, sku, status, plan, period_number, cancels_at_end, renewal_told, step_count, ended_at, metadata, created_at)
       VALUES ('${A}', '${UNKNOWN}', 'default', 'PACK', 'cancelled', '{}', 0, false, false, 0, '${at('12:00')}', '{}', '${at('12:00')}')`,
      `INSERT INTO subscription_periods (customer_id, subscription_id, sku, starts_at, ends_at, plan_group, kind, count, granted, operation_id, created_at)
       VALUES ('${A}', '${UNKNOWN}', 'PACK', '${at('12:00')}', '${at('13:00')}', 'default', 'free', 1, '{"CREDITS": 5}', '${operation(7)}', '${at('12:00')}')`,
    ],
    ['i4_period_allocated'],
  ],
  [
    'a paid line of a plan paid no period',
    [`UPDATE order_items SET plan = '{}' ${ofLine(1)}`],
    ['i8_plan_line_period'],
  ],
  [
    'a period that allocates twice gave its units once',
    [
      `UPDATE order_items SET plan = '{"recurrence": {"unit": "weeks", "count": 2}, "grantEvery": {"unit": "days", "count": 7}}' ${ofLine(2)}`,
      `INSERT INTO subscriptions (customer_id, id, plan_group, sku, status, plan, period_number, cancels_at_end, renewal_told, step_count, ended_at, metadata, created_at)
       VALUES ('${A}', '${UNKNOWN}', 'default', 'PACK', 'cancelled', '{}', 0, false, false, 0, '${at('12:00')}', '{}', '${at('12:00')}')`,
      `INSERT INTO subscription_periods (customer_id, subscription_id, sku, starts_at, ends_at, plan_group, kind, count, granted, order_id, order_item_id, operation_id, created_at)
       VALUES ('${A}', '${UNKNOWN}', 'PACK', '2026-01-01', '2026-01-15', 'default', 'paid', 1, '{}', '${order(2)}', '${line(2)}', '${operation(7)}', '${at('12:00')}')`,
    ],
    ['i8_allocation_starts', 'i8_order_batches'],
  ],
  ['referrals may be deleted', ['DROP TRIGGER referrals_keep ON referrals'], ['i7_triggers']],
  [
    'the guard of reservations is disabled',
    ['ALTER TABLE reservations DISABLE TRIGGER reservations_guard'],
    ['i7_triggers'],
  ],
  ['the guard of products is disabled', ['ALTER TABLE products DISABLE TRIGGER products_guard'], ['i7_triggers']],
  ['the guard of orders is disabled', ['ALTER TABLE orders DISABLE TRIGGER orders_guard'], ['i7_triggers']],

  [
    'an order is in no known state',
    [drop('orders', 'orders_status_ck'), `UPDATE orders SET status = 'shipped' ${ofOrder(2)}`],
    ['i8_order_status'],
  ],
  [
    'units were taken back that no entry tells',
    [drop('batches', 'batches_recovered_ck'), `UPDATE batches SET recovered = 1 ${ofBatch(1)}`],
    ['i2_recovered', 'i2_claims'],
  ],
  [
    'units are claimed that were neither taken nor owed',
    [
      `INSERT INTO clawbacks (customer_id, cause_id, batch_id, order_id, claimed, recovered, owed, undone, created_at)
       VALUES ('${A}', '${UNKNOWN}', '${batch(1)}', '${order(1)}', 1, 0, 0, 0, '${at('12:00')}')`,
    ],
    ['i2_claims'],
  ],
  ['an order is refunded by no refund', [`UPDATE orders SET refunded_amount = 1 ${ofOrder(1)}`], ['i8_order_refunded']],
  [
    'a refund is not the sum of its lines',
    [
      `INSERT INTO refunds (customer_id, id, order_id, operation_id, payment_method, refund_id, status, amount, items, unrecovered_policy, created_at)
       VALUES ('${A}', '${UNKNOWN}', '${order(1)}', '${operation(4)}', 'stripe', 're_1', 'succeeded', 0, '[{"amount": "1"}]', 'ignore', '${at('12:00')}')`,
    ],
    ['i8_refund_lines'],
  ],
  [
    'a refund stands for none of its order',
    [
      `INSERT INTO refunds (customer_id, id, order_id, operation_id, payment_method, refund_id, status, amount, items, unrecovered_policy, created_at, fills)
       SELECT customer_id, gen_random_uuid(), id, paid_by, 'stripe', 're', 'succeeded', 0, '[]', 'ignore', paid_at, '${UNKNOWN}' FROM orders ${ofOrder(1)}`,
    ],
    ['i8_refund_sides'],
  ],
  [
    'an order was paid before it was made',
    [`UPDATE orders SET paid_at = '${at('08:59')}' ${ofOrder(1)}`],
    ['i8_order_status'],
  ],
  [
    'an order is paid by nobody',
    [drop('orders', 'orders_paid_ck'), `UPDATE orders SET status = 'paid' ${ofOrder(2)}`],
    ['i4_order_has_payment', 'i8_order_status', 'i8_order_batches'],
  ],
  [
    'an order was paid by an operation that does not exist',
    [`UPDATE orders SET paid_by = '${UNKNOWN}' ${ofOrder(4)}`],
    ['i8_order_status', 'i8_order_batch_lineage', 'i4_natural_answer'],
  ],
  [
    'an order costs something else than its lines',
    [`UPDATE orders SET total_amount = 10 ${ofOrder(2)}`],
    ['i8_order_total'],
  ],
  ['an order has no lines', [`DELETE FROM order_items ${ofLine(3)}`], ['i8_order_total']],
  ['a snapshot is no array', [termsOf(3, {})], ['i8_order_terms']],
  [
    'a snapshot has a term without a product',
    [termsOf(3, [{ ...bundleTerms[0], productKey: 7 }])],
    ['i8_order_terms', 'ref_product'],
  ],
  ['a snapshot has half a unit', [termsOf(3, [{ ...bundleTerms[0], quantity: 0.5 }])], ['i8_order_terms']],
  [
    'a snapshot has a period without a length',
    [termsOf(3, [{ ...bundleTerms[0], periodValue: null }])],
    ['i8_order_terms'],
  ],
  ['a snapshot has terms that are no objects', [termsOf(3, [7, null, [], 'x'])], ['i8_order_terms', 'ref_product']],
  [
    'a length is far below 0',
    [termsOf(2, [{ ...packTerms[0], periodUnit: 'years', periodValue: -1e15 }])],
    ['i8_order_terms', 'i8_order_batch_end'],
  ],
  [
    'a paid snapshot is malformed',
    [termsOf(2, [{ ...packTerms[0], quantity: '100', periodUnit: 'moons', periodValue: 'many' }])],
    ['i8_order_terms', 'i8_order_batches'],
  ],
  [
    'an order that is not paid has batches',
    [
      drop('orders', 'orders_paid_ck'),
      `UPDATE orders SET status = 'cancelled', paid_at = NULL, paid_by = NULL ${ofOrder(4)}`,
    ],
    ['i8_unpaid_order_batches'],
  ],
  [
    'an order gave fewer units than it promised',
    [termsOf(2, [{ ...packTerms[0], quantity: 101 }])],
    ['i8_order_batches'],
  ],
  ['an order gave a product it did not promise', [termsOf(2, [])], ['i8_order_batches']],
  ['an order lacks a batch it promised', [termsOf(2, [...packTerms, ...packTerms])], ['i8_order_batches']],
  [
    'an order gave another priority than it promised',
    [`UPDATE batches SET priority = 2 ${ofBatch(4)}`],
    ['i8_order_batches'],
  ],
  [
    'a batch ends a day too late',
    [`UPDATE batches SET expires_at = expires_at + interval '1 day' ${ofBatch(1)}`],
    ['i8_order_batch_end'],
  ],
  [
    'a period does not clamp to the end of the month',
    [`UPDATE batches SET expires_at = '2026-03-03T10:00:00Z' ${ofBatch(2)}`],
    ['i8_order_batch_end', 'i8_anchor_day'],
  ],
  [
    'a period is not multiplied by the quantity',
    [`UPDATE batches SET expires_at = '2026-01-31T10:00:00Z' ${ofBatch(2)}`],
    ['i8_order_batch_end'],
  ],
  [
    'a length of an unlimited product is not multiplied by the quantity',
    [
      termsOf(1, [bundleTerms[0], bundleTerms[1], { ...bundleTerms[2], periodUnit: 'days', periodValue: 10 }]),
      `UPDATE batches SET expires_at = '2026-01-10T10:00:00Z' ${ofBatch(3)}`,
    ],
    ['i8_order_batch_end'],
  ],
  [
    'a batch for ever has an end',
    [`UPDATE batches SET expires_at = '2027-01-01T00:00:00Z' ${ofBatch(4)}`],
    ['i8_order_batch_end'],
  ],
  [
    'a batch with an end has none',
    [`UPDATE batches SET expires_at = NULL ${ofBatch(2)}`],
    ['i8_order_batch_end', 'i8_anchor_day'],
  ],
  [
    'one of two terms that differ in length was given twice',
    [`UPDATE batches SET expires_at = '2026-01-10T16:30:00Z' ${ofBatch(7)}`],
    ['i8_order_batch_end'],
  ],
  [
    'a length is beyond what an instant can say',
    [termsOf(1, [{ ...bundleTerms[0], periodValue: 1e15 }, bundleTerms[1], bundleTerms[2]])],
    ['i8_order_batch_end'],
  ],
  [
    'a month is counted from a day that its access does not keep',
    [`UPDATE batches SET anchor_day = 27 ${ofBatch(2)}`],
    ['i8_order_batch_end', 'i8_anchor_day'],
  ],
  [
    'access keeps a day although it ends on an earlier one that is not the last of its month',
    [`UPDATE batches SET anchor_day = 31, expires_at = '2027-02-27T10:00:00Z' ${ofBatch(2)}`],
    ['i8_order_batch_end', 'i8_anchor_day'],
  ],
  ['units keep a day', [`UPDATE batches SET anchor_day = 31 ${ofBatch(5)}`], ['i8_anchor_day']],
  ['access that never ends keeps a day', [`UPDATE batches SET anchor_day = 31 ${ofBatch(3)}`], ['i8_anchor_day']],
  [
    'a batch names another offer than its line',
    [`UPDATE batches SET sku = 'BUNDLE' ${ofBatch(4)}`],
    ['i8_order_batch_lineage'],
  ],
  [
    'a purchase has no order',
    [`UPDATE batches SET source = 'purchase' ${ofBatch(5)}`],
    ['i2_batch_source', 'i8_order_batch_lineage'],
  ],
  [
    'a batch of an order is no purchase',
    [`UPDATE batches SET source = 'bonus' ${ofBatch(4)}`],
    ['i2_batch_source', 'i8_order_batch_lineage'],
  ],
  [
    'a batch names an order that does not exist',
    [`UPDATE batches SET order_id = '${UNKNOWN}' ${ofBatch(4)}`],
    ['i2_batch_origin', 'i8_order_batches', 'i8_order_batch_lineage'],
  ],

  ['a product was deleted', ["DELETE FROM products WHERE product_key = 'LIFETIME'"], ['ref_product']],
  ['an offer was deleted', ["DELETE FROM offers WHERE sku = 'PACK'"], ['ref_offer']],
  ['a name of the catalogue is not claimed', ["DELETE FROM catalog_names WHERE name = 'PACK'"], ['ref_catalogue_name']],
  [
    'a product is named as an offer is',
    ["UPDATE catalog_names SET kind = 'offer' WHERE name = 'PASS'"],
    ['ref_catalogue_name'],
  ],
  [
    'a product key is not upper-case',
    [
      drop('catalog_names', 'catalog_names_upper_ck'),
      "UPDATE catalog_names SET name = 'Pass' WHERE name = 'PASS'",
      "UPDATE products SET product_key = 'Pass' WHERE product_key = 'PASS'",
    ],
    ['ref_product', 'ref_catalogue_name'],
  ],
  [
    'an identity names a customer that does not exist',
    [`UPDATE identities SET customer_id = '${UNKNOWN}' WHERE customer_id = '${B}'`],
    ['ref_identity_customer'],
  ],
  [
    'a customer is gone',
    [`DELETE FROM customers WHERE id = '${B}'`],
    ['ref_identity_customer', 'ref_entry_customer', 'ref_referral_customer', 'ref_operation_customer'],
  ],
  [
    'an entry names an order that does not exist',
    [`UPDATE entries SET order_id = '${UNKNOWN}' ${ofEntry(8)}`],
    ['ref_entry_order'],
  ],
  [
    'a payment names an operation that does not exist',
    [`UPDATE payments SET operation_id = '${UNKNOWN}' ${ofPayment('pay-2')}`],
    ['ref_payment_operation'],
  ],
  [
    'a referee has two referrers',
    [drop('referrals', 'referrals_pk'), 'INSERT INTO referrals SELECT * FROM referrals'],
    ['ref_referral_unique'],
  ],
  [
    'a side of a referral has two rewards',
    ['DROP INDEX rewards_live_uq', reward(), reward(cancelledReward), reward()],
    ['i4_reward_unique'],
  ],
  ['a reward was granted by what granted something else', [reward(grantedReward)], ['i4_reward_granted']],
  [
    'what grants rewards granted none',
    [`UPDATE operations SET name = 'reward.grant' WHERE id = '${operation(7)}'`],
    ['i4_reward_granted'],
  ],
  [
    'a referrer was granted more than there may be',
    [reward({ ...grantedReward, ordinal: '2', max_rewards: '1' })],
    ['i4_reward_granted', 'i4_reward_places'],
  ],
  [
    'a reward is of another referrer than its referral',
    [reward({ customer_id: `'${C}'`, referrer_id: `'${C}'` })],
    ['ref_reward_referral'],
  ],
  ['a reward names an order that nobody paid', [reward({ order_id: `'${UNKNOWN}'` })], ['ref_reward_order']],
  ['a reward waits whose order is only pending', [reward(byOrderOfA(2))], ['ref_reward_order']],
  [
    'a reward waits though its order was refunded',
    [reward(byOrderOfA(1)), `UPDATE orders SET status = 'refunded', refunded_amount = total_amount ${ofOrder(1)}`],
    ['i8_order_refunded', 'ref_reward_order'],
  ],
  [
    'a reward stays granted though a dispute of its order is lost, and it is to be taken back',
    [reward({ ...byOrderOfA(1), ...grantedReward }), disputeOfA('lost')],
    ['i4_reward_granted', 'ref_reward_order'],
  ],
  [
    'a reward is not held by an open dispute of its order',
    [reward(byOrderOfA(1)), disputeOfA('opened')],
    ['ref_reward_order'],
  ],
  [
    'a reward is held by a dispute that was won',
    [reward({ ...byOrderOfA(1), is_disputed: 'true' }), disputeOfA('won')],
    ['ref_reward_order'],
  ],
  [
    'a reward is to be taken back of an order that nothing came of',
    [reward({ ...byOrderOfA(1), ...grantedReward, status: "'clawing_back'" })],
    ['i4_reward_granted', 'ref_reward_order'],
  ],
  [
    'a reward waits whose sides are one customer',
    [reward(), `UPDATE customers SET merged_into = '${A}', merged_at = '${at('12:00')}' WHERE id = '${B}'`],
    ['i3_merged_empty', 'ref_family', 'ref_merged_identity', 'ref_referral_cycle', 'ref_reward_family'],
  ],
  [
    'a merge cancelled a reward that it does not name',
    [reward({ ...cancelledReward, cancel_reason: "'customers_merged'" })],
    ['ref_reward_family'],
  ],
  ['a referrer does not exist', [`UPDATE referrals SET referrer_id = '${UNKNOWN}'`], ['ref_referral_customer']],
  [
    'a referral names an operation that does not exist',
    [`UPDATE referrals SET operation_id = '${UNKNOWN}'`],
    ['ref_referral_operation'],
  ],
  [
    'a referee does not exist',
    [`UPDATE referrals SET customer_id = '${UNKNOWN}'`],
    ['ref_referral_customer', 'ref_referral_operation'],
  ],
  [
    'a customer brought himself',
    [drop('referrals', 'referrals_self_ck'), refer(A, A, operation(7))],
    ['ref_referral_cycle'],
  ],
  ['two customers brought each other', [refer(A, B, operation(7))], ['ref_referral_cycle']],
  [
    'three customers brought each other in a circle',
    [
      `INSERT INTO customers (id, last_recorded_at, created_at) VALUES ('${UNKNOWN}', '${at('12:00')}', '${at('12:00')}')`,
      `INSERT INTO operations (customer_id, id, name, acting_key, recorded_at)
       VALUES ('${UNKNOWN}', '${UNKNOWN}', 'referral.attach', 'test', '${at('12:00')}')`,
      refer(A, UNKNOWN, operation(7)),
      refer(UNKNOWN, B, UNKNOWN),
    ],
    ['ref_referral_cycle'],
  ],
  [
    'a customer was erased, and nothing of him ended',
    [`UPDATE customers SET erased_at = '9999-01-01T00:00:00Z' WHERE id = '${A}'`],
    ['ref_erasure', 'i3_erased_empty'],
  ],
  [
    'something was recorded behind an erasure',
    [`UPDATE customers SET erased_at = '2000-01-01T00:00:00Z' WHERE id = '${B}'`],
    ['ref_erasure', 'i3_erased_empty', 'i7_erased_entries'],
  ],
  [
    'an erasure is of nobody',
    [
      `INSERT INTO customer_erasures SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '{}', '{}', '9999-01-01T00:00:00Z', NULL`,
    ],
    ['ref_erasure'],
  ],
  [
    'an erasure ended with something personal left',
    [
      `UPDATE customers SET metadata = '{"a":1}', erased_at = '9999-01-01T00:00:00Z' WHERE id = '${A}'`,
      `INSERT INTO customer_erasures SELECT '${A}', '${A}', gen_random_uuid(), '{}', '{}', '9999-01-01T00:00:00Z', '9999-01-01T00:00:00Z'`,
    ],
    ['ref_erasure', 'i3_erased_empty', 'i7_erased_blank', 'i9_event_missing'],
  ],
  [
    'a customer leads to one who does not know of him',
    [`UPDATE customers SET merged_into = '${A}', merged_at = '${at('12:00')}' WHERE id = '${B}'`],
    ['i3_merged_empty', 'ref_family', 'ref_merged_identity', 'ref_referral_cycle'],
  ],
  [
    'a customer names one as merged who leads to nobody',
    [`UPDATE customers SET merged_ids = '["${B}"]' WHERE id = '${A}'`],
    ['ref_family'],
  ],
  [
    'a subscription of a customer who was merged has not ended',
    [
      `UPDATE customers SET merged_into = '${A}', merged_at = '${at('12:00')}' WHERE id = '${B}'`,
      subscriptionOf(B, { status: "'incomplete'", ended_at: 'NULL' }),
    ],
    ['i3_merged_empty', 'ref_family', 'ref_merged_identity', 'ref_family_subscription', 'ref_referral_cycle'],
  ],
  [
    'a subscription went on where it is not',
    [subscriptionOf(B, { status: "'active'", moved_to: `'${A}'` })],
    ['ref_family_subscription'],
  ],
  [
    'a subscription came from where it was not',
    [subscriptionOf(A, { former_ids: `'["${B}"]'` })],
    ['ref_family_subscription'],
  ],
  [
    'a period was paid by a line that another family has not',
    [
      subscriptionOf(A),
      `INSERT INTO subscription_periods (customer_id, subscription_id, sku, starts_at, ends_at, plan_group, kind, count, granted, order_id, order_item_id, order_customer_id, operation_id, created_at)
       VALUES ('${A}', '${UNKNOWN}', 'PACK', '${at('12:00')}', '${at('13:00')}', 'default', 'paid', 1, '{}', '${UNKNOWN}', '${UNKNOWN}', '${B}', '${operation(7)}', '${at('12:00')}')`,
    ],
    ['ref_family_period'],
  ],
  [
    'a merge is of nobody',
    [`INSERT INTO customer_merges VALUES ('${UNKNOWN}', '${A}', '${operation(7)}', '{}', '${at('12:00')}')`],
    ['ref_merge'],
  ],
  [
    'a batch goes on for one that there is not',
    [`UPDATE batches SET predecessor_id = '${UNKNOWN}' ${ofBatch(5)}`],
    ['i2_moved_batch'],
  ],
  [
    'more went on in another batch than left one',
    [`UPDATE batches SET predecessor_id = '${batch(4)}' ${ofBatch(5)}`],
    ['i2_moved_batch', 'i2_moved_units'],
  ],
  [
    'what is owed left a ledger and came to none',
    append(
      'kind, direction, product_key, amount, balance_after',
      `'transfer_out', 'credit', 'CREDITS', 1, 4`,
      LAST_OF_C,
    ),
    ['i2_moved_debts', 'i2_owed_never_below_0', 'i3_balance_row'],
  ],
  [
    'a use went above a limit that refuses',
    [`UPDATE entries SET checked_limits = jsonb_set(checked_limits, '{0,limit}', '11') ${ofEntry(12)}`],
    ['i6_exceeded'],
  ],
  [
    'a use tells less than was used',
    [`UPDATE entries SET checked_limits = jsonb_set(checked_limits, '{0,usedAfter}', '11') ${ofEntry(12)}`],
    ['i6_used_after'],
  ],
  [
    'a use tells of a window in which nothing was used',
    [
      `UPDATE entries SET checked_limits = jsonb_set(checked_limits, '{0,windowStart}', '"2025-12-30T00:00:00Z"') ${ofEntry(12)}`,
    ],
    ['i6_used_after'],
  ],
  ['a counter is off', [`UPDATE usage_counters SET used = 11 WHERE customer_id = '${A}'`], ['i6_counter']],
  [
    'a counter of a feature, over entries that don’t tell what they count, is off',
    [
      `INSERT INTO usage_counters (customer_id, subject_type, subject, window_name, window_start, used, seq)
       VALUES ('${C}', 'feature', 'chat', 'total', 'epoch', 6, 30)`,
    ],
    ['i6_counter'],
  ],
  [
    'a counter is ahead of the ledger',
    [`UPDATE usage_counters SET seq = 13 WHERE customer_id = '${A}'`],
    ['i6_counter_state'],
  ],
  [
    'a window begins in the middle of a day',
    [`UPDATE usage_counters SET window_start = window_start + interval '1 hour' WHERE customer_id = '${A}'`],
    ['i6_counter_state'],
  ],
  ['a use counts less than nothing', [`UPDATE entries SET counted = -1 ${ofEntry(12)}`], ['i6_counted_entry']],
  [
    'what came back counts when it came back',
    [`UPDATE entries SET counted_at = occurred_at, counted = -1 ${ofEntryOfC(14)}`],
    ['i6_counted_entry'],
  ],
  [
    'a customer with limits is not marked',
    [`UPDATE customers SET has_limits = false WHERE id = '${A}'`],
    ['i6_has_limits'],
  ],
  [
    'limits of a plan are in force that a customer does not have',
    [
      `UPDATE customers SET plans = '[{"sku": "PACK", "startsAt": "${at('12:00')}", "endsAt": null}]' WHERE id = '${A}'`,
    ],
    ['i6_plans'],
  ],
  ['a change was not told', ['UPDATE event_log SET told_since = NULL'], ['i9_event_missing']],
  [
    'a change was told twice',
    [
      'UPDATE event_log SET told_since = NULL',
      `INSERT INTO events (customer_id, number, id, type, schema_version, subject_id, data, recorded_at)
       SELECT id, n, gen_random_uuid(), 'customer.created', 1, id, '{}', created_at FROM customers, generate_series(1, 2) n`,
      'UPDATE customers SET next_event = 3',
    ],
    ['i9_event_missing'],
  ],
  ['an event tells of what is not there', [insertEvent('order.paid', UNKNOWN, 1)], ['i9_event_unfounded']],
  ['an offer was retired, and nobody was told', [insertSwitch('offer', 'true')], ['i9_event_missing']],
  ['an offer came back, and nobody was told', [insertSwitch('offer', 'false')], ['i9_event_missing']],
  ['a product came back, and nobody was told', [insertSwitch('product', 'false')], ['i9_event_missing']],
  [
    'an offer was retired, and it was told that it came back',
    [
      insertSwitch('offer', 'true'),
      insertEvent('offer.activated', UNKNOWN, 1, 'NULL'),
      'UPDATE event_log SET next_event = 2',
    ],
    ['i9_event_missing', 'i9_event_unfounded'],
  ],
  [
    'events about no customer have a gap',
    [insertEvent('trial.refused', UNKNOWN, 3, 'NULL'), 'UPDATE event_log SET next_event = 5'],
    ['i9_own_numbers'],
  ],
  [
    'what was told once has no event',
    [`INSERT INTO notices VALUES ('${A}', 'trial.refused', 'TRY', '9999-01-01', '${UNKNOWN}')`],
    ['i9_notice'],
  ],
  ['uses are told and nobody asks', ['UPDATE event_log SET tells_uses = true'], ['i9_uses_asked']],
  [
    'nobody looks at what waits to be sent',
    [
      `INSERT INTO webhook_deliveries (feed_id, place, lane, number, event_id, type, status, attempts)
       VALUES ('${UNKNOWN}', 0, '${A}', 1, '${UNKNOWN}', 'order.paid', 'waiting', 0)`,
    ],
    ['i9_delivery_forgotten'],
  ],
  [
    'a delivery is of another event',
    [
      `INSERT INTO webhook_deliveries (feed_id, place, lane, number, event_id, type, status, attempts)
       VALUES ('${UNKNOWN}', 999999, '${A}', 1, '${UNKNOWN}', 'order.paid', 'delivered', 1)`,
    ],
    ['i9_delivery_event'],
  ],
  ['events of a customer have a gap', [insertEvent('customer.created', A, 7)], ['i9_event_numbers']],
];

/** A record that something was retired (it was active), or came back (it wasn't), by a build that tells it, or by one before. */
function insertSwitch(kind: 'product' | 'offer', wasActive: 'true' | 'false', tells = true): string {
  return `INSERT INTO audit_records (id, recorded_at, acting_key, action, subject, before, after, tells_switches)
    VALUES ('${UNKNOWN}', '${at('23:59')}', 'bootstrap', '${kind}.updated', 'PACK', '{"isActive": ${wasActive}}', '{"isActive": ${wasActive !== 'true'}}', ${tells})`;
}

/** An event of A, who stands behind two. */
function insertEvent(type: string, subjectId: string, number: number, customerId = `'${A}'`): string {
  return `INSERT INTO events (customer_id, number, id, type, schema_version, subject_id, data, recorded_at)
    VALUES (${customerId}, ${number}, '${UNKNOWN}', '${type}', 1, '${subjectId}', '{}', '${at('09:00')}')`;
}

const database = useTestDatabase();
let client: pg.Client;

beforeAll(async () => {
  client = await connect();
  await writeHistory(client);
  await client.query(`UPDATE event_log SET told_since = '${at('23:59')}'`); // the history is that of a build that told nothing
  await client.query('SET session_replication_role = replica'); // not for each corruption: it makes Postgres forget its plans
  prepareStatements(client);
});
afterAll(() => client.end());

async function connect(): Promise<pg.Client> {
  const connected = new pg.Client({ connectionString: database.url, options: AUDIT_SESSION_OPTIONS });
  await connected.connect();
  return connected;
}

/** Makes a client prepare what has parameters: the checks, which hundreds of corruptions would else have planned anew. */
function prepareStatements(preparing: pg.Client): void {
  const query = preparing.query.bind(preparing) as (statement: unknown) => unknown;
  const names = new Map<string, string>();
  preparing.query = ((text: string, values?: unknown[]) => {
    if (values === undefined) return query(text);
    if (!names.has(text)) names.set(text, `statement ${names.size}`);
    return query({ name: names.get(text), text, values });
  }) as typeof preparing.query;
}

/** Enough of the corruptions to meet every check. */
function firstOfEachCheck(): typeof corruptions {
  const met = new Set<string>();
  return corruptions.filter(([, , checks]) => {
    const isNew = checks.some((name) => !met.has(name));
    for (const name of checks) met.add(name);
    return isNew;
  });
}

/** What `ask` says of the history with `sql` done to it, which is then undone. */
async function askWith<T>(sql: readonly string[], ask: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    for (const statement of sql) await client.query(statement);
    return await ask();
  } finally {
    await client.query('ROLLBACK');
  }
}

/** The report on the history with `sql` done to it. */
function auditWith(sql: readonly string[], options?: Parameters<typeof runChecks>[1]): Promise<InvariantReport> {
  return askWith(sql, () => runChecks(client, options));
}

describe('the auditor', () => {
  it('finds nothing in a right history, and says how much it looked at', async () => {
    const report = await checkInvariants(client);
    expect(report).toEqual({
      ok: true,
      checked: {
        customers: 3,
        identities: 3,
        products: 3,
        offers: 3,
        operations: 28,
        orders: 4,
        order_items: 5,
        payments: 3,
        refunds: 0,
        disputes: 0,
        clawbacks: 0,
        customer_merges: 0,
        customer_erasures: 0,
        batches: 15,
        balances: 3,
        entries: 45,
        reservations: 7,
        reservation_legs: 7,
        trial_uses: 2,
        referrals: 1,
        rewards: 0,
        events: 0,
      },
      failed: {},
      differences: [],
      hasMore: false,
    });
  });

  it.each(corruptions)('finds that %s', async (_what, sql, checks) => {
    const [{ ok, failed, differences }, failedAtOnce] = await askWith(sql, async () => [
      await runChecks(client),
      await findFailedChecks(client, { latest: new Date() }),
    ]);
    expect(Object.keys(failed)).toEqual(checkNames.filter((name) => checks.includes(name)));
    expect(failedAtOnce).toEqual(Object.keys(failed));
    expect(ok).toBe(false);
    for (const difference of differences) {
      expect(difference.invariant).toMatch(/^(I[1-9]|REF)$/);
      const { subject, expected, actual, detail } = difference;
      for (const text of [subject, expected, actual, detail]) expect(text).toEqual(expect.stringMatching(/\S/));
      expect(describeDifference(difference)).toContain(subject);
      expect(actual).not.toBe(expected);
    }
  });

  it('allows what clocks may differ, and any instant where a clock is set by hand', async () => {
    const ahead = (interval: string) => [
      `UPDATE customers SET last_recorded_at = clock_timestamp() + interval '${interval}'`,
    ];
    expect((await auditWith(ahead('50 seconds'))).failed).toEqual({});
    expect((await auditWith(ahead('31 days'))).failed).toEqual({ i3_not_ahead: 3 });
    expect((await auditWith(ahead('31 days'), { latest: null })).failed).toEqual({});
  });

  it('has a corruption for every check', () => {
    const proven = new Set(corruptions.flatMap(([, , checks]) => checks));
    expect(checkNames.filter((name) => !proven.has(name))).toEqual([]);
    expect([...proven].filter((name) => !checkNames.includes(name))).toEqual([]);
    expect(new Set(checkNames).size).toBe(checkNames.length);
  });

  it('has each check in the file of its invariant', () => {
    const folder = new URL('../../src/db/invariants/', import.meta.url);
    for (const file of readdirSync(folder).filter((name) => /^(i\d+-|references)/.test(name))) {
      const prefix = file.startsWith('references') ? 'ref_' : file.replace(/-.*/, '_');
      const names = readFileSync(new URL(file, folder), 'utf8').match(/(?<=^-- name: )\w+/gm) ?? [];
      expect(names, file).not.toEqual([]);
      expect(names.filter((name) => !name.startsWith(prefix))).toEqual([]);
    }
  });

  it('says where, what was expected and what is there', async () => {
    const { differences } = await auditWith([`UPDATE entries SET balance_after = 116 ${ofEntry(5)}`]);
    expect(differences).toEqual([
      {
        check: 'i3_balance_after',
        invariant: 'I3',
        customerId: A,
        subject: 'entry 5',
        expected: '115',
        actual: '116',
        detail: 'balance_after of CREDITS: available - owed over all entries up to this one',
      },
    ]);
  });

  it('follows what moves, is revoked or adjusted through the parts of a batch and the balance', async () => {
    const columns = 'kind, direction, product_key, batch_id, amount, balance_after';
    const movedOfA = idOf('ba01', 1);
    const ofA = (kind: string, direction: string, batchId: string, amount: number, after: number) =>
      append(columns, `'${kind}', '${direction}', 'CREDITS', '${batchId}', ${amount}, ${after}`);
    const moveIn = `
      INSERT INTO batches (customer_id, id, product_key, source, sku, order_id, order_item_id, operation_id, granted, available, held, consumed, expired, revoked,
        transferred, priority, predecessor_id, valid_from, created_at)
      SELECT customer_id, '${movedOfA}', product_key, source, sku, order_id, order_item_id, '${operation(7)}', 20, 20, 0,
        0, 0, 0, 0, priority, id, '${at('12:00')}', '${at('12:00')}' FROM batches WHERE customer_id = '${A}' AND id = '${batch(4)}'`;
    const report = await auditWith([
      drop('entries', 'entries_kind_ck'),
      ...ofA('adjust', 'none', batch(4), 1, 120),
      ...ofA('transfer_out', 'debit', batch(4), 20, 100),
      ...ofA('transfer_in', 'credit', movedOfA, 20, 120),
      ...ofA('revoke', 'debit', batch(4), 60, 60),
      `UPDATE batches SET available = 20, revoked = 60, transferred = 20 ${ofBatch(4)}`,
      moveIn,
      `UPDATE balances SET available = 60 WHERE customer_id = '${A}'`,
    ]);
    expect(report.failed).toEqual({});
  });

  it('finds a length of an unlimited product that was multiplied by the quantity right', async () => {
    const report = await auditWith([
      termsOf(1, [bundleTerms[0], bundleTerms[1], { ...bundleTerms[2], periodUnit: 'days', periodValue: 10 }]),
      `UPDATE batches SET expires_at = '2026-01-20T10:00:00Z' ${ofBatch(3)}`,
    ]);
    expect(report.failed).toEqual({});
  });

  it.each([
    ['offer', 'true'],
    ['offer', 'false'],
    ['product', 'false'],
  ] as const)(
    'looks for no event of an %s that a build before told nothing of (it was active: %s)',
    async (kind, was) => {
      expect((await auditWith([insertSwitch(kind, was, false)])).failed).toEqual({});
    },
  );

  it('tells nothing of what stands in a claim in place of a hash', async () => {
    const { differences } = await auditWith([
      drop('trial_uses', 'trial_uses_hash_ck'),
      `UPDATE trial_uses SET identity_hash = 'ada@mail.example' ${OF_CLAIM}`,
    ]);
    expect(differences).toHaveLength(1);
    expect(JSON.stringify(differences)).not.toContain('ada');
  });

  it('does not take referrers for a circle who only lead into one', async () => {
    const { differences } = await auditWith([
      `INSERT INTO customers (id, last_recorded_at, created_at) VALUES ('${UNKNOWN}', '${at('12:00')}', '${at('12:00')}')`,
      `INSERT INTO operations (customer_id, id, name, acting_key, recorded_at)
       VALUES ('${UNKNOWN}', '${UNKNOWN}', 'referral.attach', 'test', '${at('12:00')}')`,
      refer(A, B, operation(7)),
      refer(UNKNOWN, B, UNKNOWN),
    ]);
    expect(differences.map(({ check, customerId }) => [check, customerId])).toEqual([
      ['ref_referral_cycle', A],
      ['ref_referral_cycle', B],
    ]);
  });

  it('looks at one customer when asked to', async () => {
    const wrongBalance = [`UPDATE balances SET available = 4 WHERE customer_id = '${B}'`];
    expect(await auditWith(wrongBalance, { customerId: A })).toMatchObject({
      ok: true,
      checked: { customers: 1, balances: 1, entries: 12 },
    });
    expect(await auditWith(wrongBalance, { customerId: B })).toMatchObject({
      failed: { i3_balance_row: 1, i3_balance_batches: 1 },
      checked: { customers: 1, entries: 3, trial_uses: 2, referrals: 1 },
    });
    expect(await auditWith(['DROP TRIGGER orders_guard ON orders'], { customerId: B })).toMatchObject({
      failed: { i7_triggers: 1 },
    });
    expect(await auditWith([], { customerId: UNKNOWN })).toMatchObject({
      ok: true,
      checked: { customers: 0, entries: 0 },
    });
  });

  /** Checks of what is nobody's. */
  const OF_NOBODY = new Set(['ref_catalogue_name', 'i4_keyed_call', 'i4_archived_trial']);

  it.each(firstOfEachCheck())('finds, looking at the customers one by one, that %s', async (_what, sql, checks) => {
    const found = new Set<string>();
    const isOfNobody = sql.some((statement) => statement.includes(UNKNOWN));
    await askWith(sql, async () => {
      for (const customerId of [A, B, C, ...(isOfNobody ? [UNKNOWN] : [])]) {
        for (const name of await findFailedChecks(client, { customerId, latest: new Date() })) found.add(name);
      }
    });
    const ofCustomers = checks.filter((name) => !OF_NOBODY.has(name));
    expect(checkNames.filter((name) => found.has(name))).toEqual(
      checkNames.filter((name) => ofCustomers.includes(name)),
    );
  });

  it('reports a bounded number of differences, of each failed check, and says that there are more', async () => {
    const flood = [
      `UPDATE entries SET balance_after = balance_after + 1 WHERE customer_id IN ('${A}', '${B}')`,
      `UPDATE customers SET next_seq = 99 WHERE id = '${B}'`,
    ];
    const bounded = await auditWith(flood, { limit: 6 });
    expect(bounded.failed).toEqual({ i2_uncounted_entry: 5, i3_next_seq: 1, i3_balance_after: 7 }); // at most limit + 1 of each
    expect(bounded.differences.map(({ check }) => check)).toEqual([
      'i2_uncounted_entry',
      'i2_uncounted_entry',
      'i3_next_seq',
      'i3_balance_after',
      'i3_balance_after',
    ]);
    expect(bounded.hasMore).toBe(true);
    const all = await auditWith(flood);
    expect(all.failed).toEqual({ i2_uncounted_entry: 5, i3_next_seq: 1, i3_balance_after: 10 });
    expect(all.differences).toHaveLength(16);
    expect(all.hasMore).toBe(false);
    const one = await auditWith(flood, { limit: 1 });
    expect(one.differences).toHaveLength(1);
    expect(one.hasMore).toBe(true);
  });

  it('sees one state of the data, whatever is committed meanwhile', async () => {
    const other = await connect();
    const reader = await connect();
    const query = reader.query.bind(reader) as (...parameters: unknown[]) => unknown;
    let statements = 0;
    reader.query = (async (...parameters: unknown[]) => {
      const result = await query(...parameters);
      if (statements++ === 3) await other.query('UPDATE customers SET next_seq = next_seq + 1'); // behind BEGIN, SET, the clock and the counts
      return result;
    }) as typeof reader.query;
    try {
      expect(await checkInvariants(reader)).toMatchObject({ ok: true });
      expect(await checkInvariants(reader)).toMatchObject({ failed: { i3_next_seq: 3 } });
    } finally {
      await other.query('UPDATE customers SET next_seq = next_seq - 1');
      await Promise.all([other.end(), reader.end()]);
    }
  });

  it('takes a pool, and gives its connection back after a failure too', async () => {
    const pool = new pg.Pool({ connectionString: database.url, max: 1 });
    try {
      await expect(checkInvariants(pool, { customerId: 'nobody' })).rejects.toThrow(
        'invalid input syntax for type uuid',
      );
      expect((await checkInvariants(pool)).ok).toBe(true);
    } finally {
      await pool.end();
    }
  });

  it('leaves a client usable after a failure', async () => {
    await expect(checkInvariants(client, { customerId: 'nobody' })).rejects.toThrow(
      'invalid input syntax for type uuid',
    );
    expect((await checkInvariants(client)).ok).toBe(true);
  });
});

describe('npm run verify', () => {
  interface Outcome {
    code: number;
    out: string;
    err: string;
  }

  function verify(env: Record<string, string>, ...args: string[]): Promise<Outcome> {
    return new Promise((settle) => {
      const options = { env: { PATH: process.env.PATH, BURSAR_DATA_DIR: '', ...env } };
      execFile(process.execPath, ['--import', 'tsx', VERIFY, ...args], options, (error, out, err) =>
        settle({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  }

  it('prints what it looked at and ends with 0 when all is well', async () => {
    const { code, out, err } = await verify({ DATABASE_URL: database.url });
    expect(err).toBe('');
    expect(out).toMatch(/entries +45\n/);
    expect(out).toContain(`${checkNames.length} checks, no differences\n`);
    expect(code).toBe(0);
  });

  it('prints the differences and ends with 1, of one customer when asked to', async () => {
    await client.query(`UPDATE balances SET available = 4 WHERE customer_id = '${B}'`);
    try {
      const { code, out } = await verify({ DATABASE_URL: database.url }, '--limit', '1');
      expect(out).toContain(
        `i3_balance_row: balance CREDITS of customer ${B}: expected available 3, held 0, owed 0, is available 4, held 0, owed 0`,
      );
      expect(out).toContain('... and more (see --limit)');
      expect(out).toContain('2 found differences: i3_balance_row, i3_balance_batches');
      expect(code).toBe(1);
      expect((await verify({ DATABASE_URL: database.url }, '--customer', A)).code).toBe(0);
    } finally {
      await client.query(`UPDATE balances SET available = 3 WHERE customer_id = '${B}'`);
    }
  });

  it('finds the embedded server by the file in the data folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bursar-verify-'));
    try {
      writeFileSync(join(folder, 'database-url'), `${database.url}\n`);
      expect((await verify({ DATABASE_URL: '', BURSAR_DATA_DIR: folder })).code).toBe(0);
      writeFileSync(join(folder, 'database-url'), 'postgresql://postgres:secret@127.0.0.1:1/bursar');
      const { code, err } = await verify({ DATABASE_URL: '', BURSAR_DATA_DIR: folder });
      expect(err).toBe(
        `verify: no database to verify: DATABASE_URL is not set, and the embedded Postgres of ${folder} does not run; start Bursar (npm start) or set DATABASE_URL\n`,
      );
      expect(code).toBe(2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each<[string, Record<string, string>, string[], RegExp]>([
    [
      'without any database',
      { DATABASE_URL: '', BURSAR_DATA_DIR: '/nonexistent' },
      [],
      /^verify: no database to verify: DATABASE_URL is not set, .*\n$/,
    ],
    [
      'with a server that is not there',
      { DATABASE_URL: 'postgresql://u:secret@127.0.0.1:1/bursar' },
      [],
      /^verify: can not use the database 127\.0\.0\.1:1\/bursar: nothing listens there.*\n$/,
    ],
    ['with a URL that is none', { DATABASE_URL: 'secret' }, [], /^verify: DATABASE_URL must be a URL.*\n$/],
    ['for a customer that is no id', {}, ['--customer', 'me'], /^verify: --customer must be the id.*\n$/],
    ['for a customer that there is not', {}, ['--customer', UNKNOWN], /^verify: there is no customer 0000ffff\S+\n$/],
    ['with a limit that is no number', {}, ['--limit', '0'], /^verify: --limit must be a whole number.*\n$/],
    ['with an option it does not know', {}, ['--repair'], /^verify: .*--repair.*usage: .*\n$/],
  ])('ends with 2 and one line %s', async (_case, env, args, line) => {
    const { code, out, err } = await verify({ DATABASE_URL: database.url, ...env }, ...args);
    expect(err).toMatch(line);
    expect(err).not.toContain('u:secret');
    expect(out).toBe('');
    expect(code).toBe(2);
  });

  it('says what to do about a database without tables', async () => {
    const { code, err } = await verify({ DATABASE_URL: database.url.replace(/\/\w+$/, '/postgres') });
    expect(err).toMatch(/^verify: the database lacks tables .*: start Bursar once, .*\n$/);
    expect(code).toBe(2);
  });
});
