// What the rows of a paid order come to in the book of its customer. No SQL.
import type { Batch } from '../ledger/entities.js';
import type { DebtEntry, Revoke, Sold, SoldBatch } from '../ledger/sold-entities.js';
import { groupBy } from '../lib/group-by.js';
import type { Row } from './client.js';
import { readerOf } from './table.js';
import { batches, clawbacks } from './tables.js';

/** A batch of the order, or access beside it. */
export type SoldBatchRow = Row;

/** What changed a debt, with the batch that it names. */
export interface DebtRow extends Row {
  seq: number;
  product_key: string;
  kind: DebtEntry['kind'];
  operation_id: string | null;
  amount: number;
  reverses_seq: number | null;
  /** What came back of it, by what it names. */
  returned: Record<string, number> | null;
  batch: Row | null;
}

/** What was taken of a batch, and what of it was not given back. */
export interface RevokeRow extends Row {
  seq: number;
  operation_id: string | null;
  batch_id: string;
  left: number;
}

/** What was read of one order, or, where none is named, of what one operation granted: then the rows say which those are. */
export interface SoldRows {
  customerId: string;
  orderId?: string | undefined;
  batches: readonly SoldBatchRow[];
  clawbacks: readonly Row[];
  revokes: readonly RevokeRow[];
  debts: readonly DebtRow[];
  owed: readonly { product_key: string; owed: number }[];
  repaidMoved: readonly DebtRow[];
}

/** What is known of a batch that is taken back, beside what the book knows. */
export const SOLD_BATCH = [
  'source',
  'sku',
  'orderItemId',
  'anchorDay',
  'noticeAt',
  'predecessorId',
  'revokedAt',
] as const;
const readSold = readerOf(batches, SOLD_BATCH);

/** A batch of its row; one that the book has already is that one. */
export function toSoldBatch(row: Row, toOne: (row: Row) => Batch): SoldBatch {
  return { batch: toOne(row), ...readSold(row) };
}

const readClawback = readerOf(clawbacks, [
  'causeId',
  'batchId',
  'orderId',
  'claimed',
  'recovered',
  'owed',
  'undone',
  'cutMs',
  'createdAt',
]);

function toRevoke({ seq, operation_id: operationId, batch_id: batchId, left }: RevokeRow): Revoke {
  return { seq, operationId, batchId, left };
}

/** The order of its rows; a batch that the book has already is that one. */
export function toSold(rows: SoldRows, toOne: (row: Row) => Batch): Sold {
  const all = rows.batches.map((row) => {
    const own = toSoldBatch(row, toOne);
    const isOwn = rows.orderId === undefined ? row.is_own === true : own.batch.orderId === rows.orderId;
    return { isOwn, own };
  });
  const toDebt = (row: DebtRow): DebtEntry => ({
    seq: row.seq,
    productKey: row.product_key,
    kind: row.kind,
    operationId: row.operation_id,
    batch: row.batch && toOne(row.batch),
    amount: row.amount,
    reversesSeq: row.reverses_seq,
    returned: new Map(Object.entries(row.returned ?? {})),
  });
  const isAccess = ({ batch: { granted }, revokedAt }: SoldBatch) => granted === null && revokedAt === null;
  return {
    batches: all.filter(({ isOwn }) => isOwn).map(({ own }) => own),
    access: all.map(({ own }) => own).filter(isAccess),
    clawbacks: groupBy(rows.clawbacks.map(readClawback), ({ batchId }) => batchId),
    revokes: groupBy(rows.revokes.map(toRevoke), ({ batchId }) => batchId),
    debts: rows.debts.map(toDebt),
    repaidMoved: rows.repaidMoved.map(toDebt),
    owedBefore: new Map(rows.owed.map(({ product_key: key, owed }) => [key, owed])),
  };
}
