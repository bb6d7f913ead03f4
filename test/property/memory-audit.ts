// What the entries of a ledger say: the parts of every batch and what is owed, summed anew, and whether what is stored agrees (I1, I2, I3, I5).
// Shares no sum with the code under test.
import type { Batch, Entry, Reservation } from '../../src/ledger/entities.js';
import type { Clawback } from '../../src/ledger/order-entities.js';
import { groupBy } from '../../src/lib/group-by.js';
import type { StoredBatch } from './memory-sold.js';

/** Units of a batch, by where they are. */
interface Summed {
  granted: number;
  available: number;
  held: number;
  consumed: number;
  expired: number;
  revoked: number;
  transferred: number;
}

export interface StoredBalance {
  available: number;
  held: number;
  owed: number;
}

type Move = readonly [keyof Summed | 'outside', keyof Summed];

/** From where to where each kind of entry moves the units of a counted batch; `outside` is before they were in it. */
const MOVES: Readonly<Record<string, Move>> = {
  grant: ['outside', 'available'],
  transfer_in: ['outside', 'available'],
  transfer_out: ['available', 'transferred'],
  consume: ['available', 'consumed'],
  expire: ['available', 'expired'],
  revoke: ['available', 'revoked'],
  hold: ['available', 'held'],
  release: ['held', 'available'],
  commit: ['held', 'consumed'],
  reverse: ['consumed', 'available'],
  repay: ['available', 'consumed'],
};
/** Those that go on had expired, if no balance had them any more. */
const EXPIRED_OUT: Move = ['expired', 'transferred'];
const BACK: Readonly<Record<string, Move>> = {
  revoke: ['revoked', 'available'],
  repay: ['consumed', 'available'],
};
/** They name the batch of which something is owed, or that is valid at another time. */
const WITHOUT_UNITS = ['debt', 'forgive', 'adjust'];
/** Those of access that say how often it was used. */
const KINDS_OF_USE: Readonly<Record<string, 1 | -1>> = { consume: 1, commit: 1, reverse: -1 };

const PARTS = ['available', 'held', 'consumed', 'expired', 'revoked', 'transferred'] as const;
const OWED_BY: Readonly<Record<string, 1 | -1>> = { debt: 1, repay: -1, forgive: -1 };
const BALANCE_BY: Readonly<Record<Entry['direction'], 1 | -1 | 0>> = { credit: 1, debit: -1, none: 0 };

/** The parts of a batch by its own entries; of an uncounted one only `consumed` counts. */
export function sumBatch(batch: Pick<Batch, 'id' | 'granted'>, own: readonly Entry[]): Summed {
  const parts = { granted: 0, available: 0, held: 0, consumed: 0, expired: 0, revoked: 0, transferred: 0 };
  for (const entry of own) {
    const { batchId, kind, direction, amount, reversesSeq } = entry;
    if (batchId !== batch.id) throw new Error(`an entry of ${batchId} is no entry of ${batch.id}`);
    if (WITHOUT_UNITS.includes(kind)) continue;
    const corrected = own.find(({ seq }) => seq === reversesSeq);
    const isExpiredOut = kind === 'transfer_out' && direction === 'none';
    const move = (corrected && BACK[corrected.kind]) ?? (isExpiredOut ? EXPIRED_OUT : MOVES[kind]);
    if (!move) throw new Error(`an entry ${kind} names a batch`);
    const [from, to] = move;
    if (from === 'outside') parts.granted += amount;
    if (batch.granted === null) {
      if (corrected?.kind !== 'revoke') parts.consumed += (KINDS_OF_USE[kind] ?? 0) * amount;
      continue;
    }
    if (from !== 'outside') parts[from] -= amount;
    parts[to] += amount;
  }
  return parts;
}

/** When a batch was valid, and whether it was not revoked yet, before these entries of it. */
export function validityAt(
  { validFrom, expiresAt, revokedAt }: StoredBatch,
  later: readonly Entry[],
): Pick<StoredBatch, 'validFrom' | 'expiresAt' | 'revokedAt'> {
  const [first] = later.filter(({ kind }) => kind === 'adjust');
  const told = first?.metadata as { validFrom: { old: Date }; expiresAt: { old: Date | null } } | undefined;
  return {
    validFrom: told?.validFrom.old ?? validFrom,
    expiresAt: told ? told.expiresAt.old : expiresAt,
    revokedAt: later.some(({ kind }) => kind === 'revoke') ? null : revokedAt,
  };
}

/** What is owed by the entries, of products of which something is. */
export function sumOwed(entries: readonly Entry[]): Record<string, number> {
  const owed: Record<string, number> = {};
  for (const { kind, direction, productKey, amount } of entries) {
    if (kind === 'repay' && direction === 'credit') continue; // a repayment came back
    owed[productKey] = (owed[productKey] ?? 0) + (OWED_BY[kind] ?? 0) * amount;
  }
  return Object.fromEntries(Object.entries(owed).filter(([, units]) => units !== 0));
}

/** Throws, saying where what is stored differs from what the entries say. Runs after every write, so without a matcher for each number. */
export function auditLedger(ledger: {
  entries: readonly Entry[];
  batches: readonly Batch[];
  balances: ReadonlyMap<string, StoredBalance>;
  reservations: readonly Reservation[];
  clawbacks: readonly Clawback[];
}): void {
  const { entries, batches, balances, reservations, clawbacks } = ledger;
  for (const [index, { seq }] of entries.entries()) demand(`seq ${seq}`, seq, index + 1);
  const byBatch = groupBy(entries, ({ batchId }) => batchId);
  for (const batch of batches) {
    const own = byBatch.get(batch.id) ?? [];
    auditBatch(batch, own, reservations);
    auditClaims(batch, own, entries, clawbacks);
  }
  const owed = sumOwed(entries);
  for (const [product, stored] of balances) {
    const own = batches.filter(({ productKey, granted }) => productKey === product && granted !== null);
    const sum = (part: 'available' | 'held') => own.reduce((total, batch) => total + batch[part], 0);
    demand(`available of ${product}`, stored.available, sum('available'));
    demand(`held of ${product}`, stored.held, sum('held'));
    demand(`owed of ${product}`, stored.owed, owed[product] ?? 0);
    if (stored.owed > 0) demand(`available of ${product} beside a debt`, stored.available, 0);
  }
  auditBalances(entries, new Set(batches.filter(({ granted }) => granted === null).map(({ id }) => id)));
  auditReversals(entries);
}

function demand(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what} is ${found} and should be ${expected}`);
}

function auditBatch(batch: Batch, own: readonly Entry[], reservations: readonly Reservation[]): void {
  const summed = sumBatch(batch, own);
  demand(`granted of ${batch.id}`, batch.granted ?? 1, summed.granted);
  for (const part of PARTS) {
    demand(`${part} of ${batch.id}`, batch[part], summed[part]);
    demand(`${part} of ${batch.id} below zero`, batch[part] < 0, false);
  }
  if (batch.granted === null) return;
  let held = 0;
  for (const { status, legs } of reservations) {
    if (status === 'held') for (const leg of legs) held += leg.batch.id === batch.id ? leg.amount : 0;
  }
  demand(`held of ${batch.id} by its legs`, batch.held, held);
  const end = batch.expiresAt?.getTime() ?? Infinity;
  for (const [index, { kind, occurredAt }] of own.entries()) {
    if (kind !== 'expire') continue;
    // Units that came back after the end expire when they came back.
    const before = own.slice(0, index).findLast((entry) => !KINDS_AFTER_THE_END.includes(entry.kind));
    const isBack =
      before?.kind === 'repay' ? before.direction === 'credit' : KINDS_OF_RETURN.includes(before?.kind ?? '');
    const came = isBack ? Number(before?.occurredAt) : 0;
    demand(`when units of ${batch.id} expired`, occurredAt.getTime(), Math.max(end, came, batch.createdAt.getTime()));
  }
}

/** What happens to units that came back after the end of their batch. */
const KINDS_AFTER_THE_END = ['expire', 'revoke', 'forgive', 'transfer_out'];
const KINDS_OF_RETURN = ['release', 'reverse'];

/** Of what is claimed of a batch each unit was taken, is owed, or is neither; what repaid such a debt and came back is claimed no longer. */
function auditClaims(
  { id, granted, recovered, unrecovered }: Batch,
  own: readonly Entry[],
  entries: readonly Entry[],
  clawbacks: readonly Clawback[],
): void {
  if (granted === null) return;
  const sum = (some: readonly Entry[]) => some.reduce((total, { amount }) => total + amount, 0);
  const ofKind = (kind: string, hasOrder?: boolean) =>
    sum(own.filter((entry) => entry.kind === kind && (hasOrder !== true || entry.orderId !== null)));
  demand(`recovered of ${id}`, recovered, ofKind('revoke', true) - ofKind('reverse', true));
  const debts = own.filter(({ kind }) => kind === 'debt').map(({ seq }) => String(seq));
  const isBack = ({ kind, direction, actionId }: Entry) =>
    kind === 'repay' && direction === 'credit' && debts.includes(actionId ?? '');
  const owed = ofKind('debt') - ofKind('forgive') - sum(entries.filter(isBack));
  const claimed = clawbacks.filter(({ batchId }) => batchId === id);
  const inForce = claimed.reduce((total, claim) => total + claim.claimed - claim.undone, 0);
  demand(`what is claimed of ${id}`, inForce, recovered + unrecovered + owed);
}

/** Every entry tells the balance after it: what the one before told, and its own amount in its direction. */
function auditBalances(entries: readonly Entry[], uncounted: ReadonlySet<string>): void {
  const balances = new Map<string, number>();
  for (const { productKey, batchId, direction, amount, balanceAfter, seq } of entries) {
    if (batchId !== null && uncounted.has(batchId)) {
      demand(`the direction of ${seq}`, direction, 'none');
      demand(`the balance after ${seq}`, balanceAfter, 0);
      continue;
    }
    const balance = (balances.get(productKey) ?? 0) + BALANCE_BY[direction] * amount;
    balances.set(productKey, balance);
    demand(`the balance after ${seq}`, balanceAfter, balance);
  }
}

/** No more is given back of an entry than it took. */
function auditReversals(entries: readonly Entry[]): void {
  const reversed = new Map<number, number>();
  for (const { reversesSeq, amount } of entries) {
    if (reversesSeq !== null) reversed.set(reversesSeq, (reversed.get(reversesSeq) ?? 0) + amount);
  }
  for (const [seq, amount] of reversed) {
    const taken = entries[seq - 1]?.amount ?? 0;
    demand(`what is given back of ${seq}, ${amount}, above what it took, ${taken},`, amount > taken, false);
  }
}
