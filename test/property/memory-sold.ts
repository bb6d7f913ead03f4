// What a book knows of a paid order that is refunded or disputed, of the ledger of one customer in memory: what db/ reads of it. Decides nothing.
import type { Batch, Entry, NewBatch } from '../../src/ledger/entities.js';
import type { Clawback } from '../../src/ledger/order-entities.js';
import type { DebtEntry, Revoke, Sold, SoldBatch } from '../../src/ledger/sold-entities.js';
import { groupBy } from '../../src/lib/group-by.js';

/** A batch as its row is. */
export interface StoredBatch extends NewBatch {
  revokedAt: Date | null;
}

/** Where it is read. The batches are the copies that the book works on. */
interface Stored {
  now: Date;
  batches: readonly StoredBatch[];
  copyOf: (id: string) => Batch;
  entries: readonly Entry[];
  /** Copies, oldest first. */
  clawbacks: readonly Clawback[];
}

const KINDS_OF_DEBT = ['debt', 'forgive', 'repay'];

/** What the order granted, with all that was claimed of it and came back. */
export function soldOf(orderId: string, { now, batches, copyOf, entries, clawbacks }: Stored): Sold {
  const own = batches.filter((batch) => batch.orderId === orderId).sort(byId);
  const beside = batches.filter(
    (batch) =>
      batch.orderId !== orderId &&
      batch.revokedAt === null &&
      (batch.expiresAt === null || batch.expiresAt > now) &&
      own.some((one) => one.granted === null && one.productKey === batch.productKey),
  );
  const all = [...own, ...beside].sort(byId).map((batch) => ({ batch, sold: toSold(batch) }));
  const isAccess = ({ batch: { granted }, revokedAt }: SoldBatch) => granted === null && revokedAt === null;
  return {
    batches: all.filter(({ batch }) => batch.orderId === orderId).map(({ sold }) => sold),
    access: all.map(({ sold }) => sold).filter(isAccess),
    clawbacks: groupBy(
      clawbacks.filter((claim) => claim.orderId === orderId),
      ({ batchId }) => batchId,
    ),
    revokes: groupBy(revokesOf(orderId, entries), ({ batchId }) => batchId),
    ...debtsOf(own, entries, copyOf),
    repaidMoved: [],
  };
}

function toSold(batch: StoredBatch): SoldBatch {
  const { source, sku, orderItemId, anchorDay, noticeAt, predecessorId, revokedAt } = batch;
  return { batch, source, sku, orderItemId, anchorDay, noticeAt, predecessorId, revokedAt };
}

/** Newest first, as far as it was not given back. */
function revokesOf(orderId: string, entries: readonly Entry[]): Revoke[] {
  const own = entries.filter((entry) => entry.orderId === orderId);
  return own
    .filter(({ kind }) => kind === 'revoke')
    .map(({ seq, operationId, batchId, amount }) => {
      const back = own.filter(({ kind, reversesSeq }) => kind === 'reverse' && reversesSeq === seq);
      return { seq, operationId, batchId: batchId ?? '', left: back.reduce((left, one) => left - one.amount, amount) };
    })
    .filter(({ left }) => left > 0)
    .reverse();
}

/** From the first debt of each product on that was claimed of the batches, and what was owed of it before. */
function debtsOf(
  own: readonly StoredBatch[],
  entries: readonly Entry[],
  copyOf: Stored['copyOf'],
): Pick<Sold, 'debts' | 'owedBefore'> {
  const firsts = new Map<string, number>();
  for (const { kind, seq, productKey, batchId } of entries) {
    const isClaimed = kind === 'debt' && own.some(({ id, granted }) => id === batchId && granted !== null);
    if (isClaimed && !firsts.has(productKey)) firsts.set(productKey, seq);
  }
  const changing = entries.filter(
    ({ kind, direction }) => KINDS_OF_DEBT.includes(kind) && !(kind === 'repay' && direction === 'credit'),
  );
  const owedBefore = new Map(
    [...firsts].map(([productKey, first]) => {
      const before = changing.filter((entry) => entry.productKey === productKey && entry.seq < first);
      return [productKey, before.reduce((owed, { kind, amount }) => owed + (kind === 'debt' ? amount : -amount), 0)];
    }),
  );
  const debts = changing
    .filter(({ productKey, seq }) => seq >= (firsts.get(productKey) ?? Infinity))
    .map((entry): DebtEntry => {
      const { seq, productKey, operationId, batchId, amount, reversesSeq } = entry;
      const kind = entry.kind as DebtEntry['kind'];
      const batch = batchId === null ? null : copyOf(batchId);
      return { seq, productKey, kind, operationId, batch, amount, reversesSeq, returned: returnedOf(seq, entries) };
    });
  return { debts, owedBefore };
}

/** What came back of a repayment, by what it had repaid. */
function returnedOf(seq: number, entries: readonly Entry[]): Map<string, number> {
  const returned = new Map<string, number>();
  for (const { reversesSeq, actionId, amount } of entries) {
    if (reversesSeq === seq && actionId !== null) returned.set(actionId, (returned.get(actionId) ?? 0) + amount);
  }
  return returned;
}

function byId(a: Batch, b: Batch): number {
  return a.id < b.id ? -1 : 1;
}
