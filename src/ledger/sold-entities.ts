// What a book knows of an order that was paid, and of what refunds and disputes took back of it. Types alone.
import type { Batch, BatchSource } from './entities.js';
import type { Clawback, UnrecoveredPolicy } from './order-entities.js';

/** A batch of an order, or of access beside it, with what is not in the book. */
export interface SoldBatch {
  batch: Batch;
  source: BatchSource;
  sku: string | null;
  orderItemId: string | null;
  anchorDay: number | null;
  noticeAt: Date | null;
  predecessorId: string | null;
  revokedAt: Date | null;
  /** Of whose ledger it is, since the order's customer was merged; left out in his own. */
  ledgerId?: string | undefined;
}

/** An entry by which units of a batch were taken, and what of it was not given back. */
export interface Revoke {
  seq: number;
  operationId: string | null;
  batchId: string;
  left: number;
}

/** What changed a debt: entries of one product, oldest first. */
export interface DebtEntry {
  seq: number;
  productKey: string;
  kind: 'debt' | 'forgive' | 'repay';
  operationId: string | null;
  /** Of a repayment the batch that repaid, of a debt the one of which it was claimed. */
  batch: Batch | null;
  amount: number;
  reversesSeq: number | null;
  /** Of a repayment: what came back of it, by the debt that it had repaid. */
  returned: Map<string, number>;
}

/** What a book knows of an order that was paid. */
export interface Sold {
  /** What it granted, and what that goes on in. */
  batches: SoldBatch[];
  /** Unrevoked access of its products that has not ended, its own and that of others. */
  access: SoldBatch[];
  /** By batch, oldest first. */
  clawbacks: ReadonlyMap<string, readonly Clawback[]>;
  /** By batch, newest first. */
  revokes: ReadonlyMap<string, readonly Revoke[]>;
  /** From the first debt on that was claimed of its batches, oldest first; and what was owed of each product before. */
  debts: DebtEntry[];
  owedBefore: ReadonlyMap<string, number>;
  /** What repaid debts since some of others moved here, oldest first. */
  repaidMoved: DebtEntry[];
  /** What the books of those know of it, by customer, through whom and to whom it went on since its customer was merged; their batches are among these. */
  elsewhere?: ReadonlyMap<string, Sold>;
}

/** A part of one, exactly. */
export interface Share {
  part: bigint;
  whole: bigint;
}

/** The refund or the dispute by which something is claimed, or comes back. */
export interface Cause {
  id: string;
  operationId: string;
  policy: UnrecoveredPolicy;
}

/** A refund or a dispute of an order: what claims, and still does or not. */
export interface KnownCause {
  /** By which it claimed. */
  operationId: string;
  /** It failed or was won, and claims nothing any more. */
  isEnded: boolean;
  /** The lines of which it refunds a quantity; none once it has ended. */
  names: ReadonlySet<string>;
}

/** Refunds and disputes of an order, by id. */
export type Causes = ReadonlyMap<string, KnownCause>;

/** Product units by product. */
export interface Recovery {
  recovered: Map<string, number>;
  unrecovered: Map<string, number>;
}

/** What comes back of a claim. */
export interface Undo {
  clawback: Clawback;
  sold: SoldBatch;
  units: number;
  /** The operation that claimed it. */
  claimedBy: string;
}
