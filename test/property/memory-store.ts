// The ledger of one customer in memory: what db/ loads into books and writes of them, without a database. Audits itself after each write.
// Decides nothing.

import { expect } from 'vitest';
import type { Book } from '../../src/ledger/book.js';
import type {
  Batch,
  Entry,
  Holding,
  KnownDebt,
  NewBatch,
  Reservation,
  TakenOperation,
} from '../../src/ledger/entities.js';
import type { Clawback } from '../../src/ledger/order-entities.js';
import { openBook } from '../../src/ledger/settle.js';
import type { KnownPlans } from '../../src/ledger/subscription-entities.js';
import { products } from './catalogue.js';
import { auditLedger, type StoredBalance } from './memory-audit.js';
import { MemoryLimits } from './memory-limits.js';
import { type StoredBatch, soldOf } from './memory-sold.js';

const KINDS_THAT_TAKE = ['consume', 'commit', 'debt'];

/** What a decision looks at by its id. */
export interface Named {
  reservation?: string | undefined;
  operation?: { id: string; name: string } | undefined;
  /** That is paid, and refunded or disputed. */
  order?: string | undefined;
}

export class MemoryStore {
  batches: StoredBatch[] = [];
  /** What refunds and disputes claim, oldest first. */
  clawbacks: Clawback[] = [];
  /** Their legs name the batches as they were; which they are is all that counts. */
  reservations: Reservation[] = [];
  readonly balances = new Map<string, StoredBalance>();
  readonly entries: Entry[] = [];
  readonly limits = new MemoryLimits();
  /** What there is of subscriptions, of copies of batches. */
  plansAt: (now: Date, copyOf: (id: string) => Batch) => KnownPlans = () => ({
    ...{ subscriptions: [], running: [] },
    ...{ periods: [], paid: [] },
  });
  #lastId = 0;
  readonly ids = {
    next: () => {
      this.#lastId += 1;
      return `id-${String(this.#lastId).padStart(8, '0')}`;
    },
    of: (about: string, what: string) => `${what} of ${about}`,
  };

  /** What refunds and disputes claim of a batch. */
  claimedOf(id: string): number {
    const own = this.clawbacks.filter(({ batchId }) => batchId === id);
    return own.reduce((sum, { claimed, undone }) => sum + claimed - undone, 0);
  }

  readonly #dueMax: number;

  /** Of what is due `dueMax` batches and holds are loaded at once. */
  constructor(dueMax = Infinity) {
    this.#dueMax = dueMax;
  }

  /**
   * The book of an instant, settled, as db/ would load it: of copies, so that only what is written stays. Where more is due than is loaded at once,
   * that is settled and written before, to the same entries as if it were settled at once.
   */
  load(now: Date, named: Named = {}): Book {
    if (this.#dueMax === Infinity) return this.#loadOnce(now, named, Infinity);
    const [written, { changes: atOnce }] = [this.entries.length, this.#loadOnce(now, named, Infinity)];
    for (;;) {
      const book = this.#loadOnce(now, named, this.#dueMax);
      if (!book.lastDue.batch && !book.lastDue.hold) {
        expect([...this.entries.slice(written), ...book.changes.entries]).toEqual(atOnce.entries);
        return book;
      }
      this.write(book);
    }
  }

  #loadOnce(now: Date, named: Named, dueMax: number): Book {
    const copies = new Map(this.batches.map((batch) => [batch.id, { ...batch }]));
    const copyOf = (id: string): StoredBatch => {
      const copy = copies.get(id);
      if (!copy) throw new Error(`there is no batch ${id}`);
      return copy;
    };
    const batches = [...copies.values()];
    const due = batches.filter((batch) => batch.available > 0 && hasEnded(batch, now)).sort(byEnd);
    const dueHolds = this.reservations
      .filter(({ status, expiresAt }) => status === 'held' && expiresAt <= now)
      .sort(byEnd);
    const asked = this.reservations.filter(({ id }) => id === named.reservation);
    const reservations = new Map(
      [...asked, ...dueHolds.slice(0, dueMax)].map((reservation) => [
        reservation.id,
        { ...reservation, legs: reservation.legs.map((leg) => ({ ...leg, batch: copyOf(leg.batch.id) })) },
      ]),
    );
    const lastHold = dueHolds[dueMax - 1];
    return openBook({
      customerId: 'the customer',
      now: new Date(now),
      nextSeq: this.entries.length + 1,
      nextEvent: 1,
      tellsUses: false,
      holdings: new Map(products.map(({ key }) => [key, this.#holdingOf(key, batches, now)])),
      due: due.slice(0, dueMax),
      reservations,
      taken: new Map(named.operation ? [[named.operation.id, this.#takenBy(named.operation, copyOf)]] : []),
      lastDue: { batch: due[dueMax - 1], hold: lastHold && reservations.get(lastHold.id) },
      dueOrders: [],
      sold: named.order === undefined ? undefined : soldOf(named.order, { now, batches, copyOf, ...this.#claims() }),
      plans: this.plansAt(now, copyOf),
      windows: this.limits.windowsAt(now, this.entries),
      isDue: true,
      ids: this.ids,
    });
  }

  #claims() {
    return { entries: this.entries, clawbacks: this.clawbacks.map((claim) => ({ ...claim })) };
  }

  #holdingOf(productKey: string, batches: readonly StoredBatch[], now: Date): Holding {
    const own = batches.filter((batch) => batch.productKey === productKey).sort(inSqlOrder);
    const counted = own.filter((batch) => batch.granted !== null && batch.available > 0);
    const pending = counted.filter((batch) => batch.validFrom > now);
    const access = own.filter(({ granted, revokedAt }) => granted === null && revokedAt === null);
    const lasting = access.filter((batch) => !hasEnded(batch, now));
    return {
      productKey,
      ...(this.balances.get(productKey) ?? { available: 0, held: 0, owed: 0 }),
      lowBalanceThreshold: null,
      expiringDays: null,
      usable: counted.filter((batch) => batch.validFrom <= now && !hasEnded(batch, now)),
      running: lasting.filter((batch) => batch.validFrom <= now),
      accessEnd: latestEnd(lasting),
      notYetValid: sumAvailable(pending),
      pending: pending.sort((a, b) => Number(a.validFrom) - Number(b.validFrom)),
      debts: this.#debtsOf(productKey),
    };
  }

  #debtsOf(productKey: string): KnownDebt[] {
    const left = (debt: Entry) =>
      this.entries.reduce((sum, { reversesSeq, amount }) => sum - (reversesSeq === debt.seq ? amount : 0), debt.amount);
    const debts = this.entries.filter((entry) => entry.kind === 'debt' && entry.productKey === productKey);
    return debts.map((debt) => ({
      seq: debt.seq,
      batchId: debt.batchId,
      left: left(debt),
      newer: debts.filter(({ seq }) => seq > debt.seq).reduce((sum, other) => sum + left(other), 0),
    }));
  }

  #takenBy({ id, name }: { id: string; name: string }, copyOf: (id: string) => Batch): TakenOperation {
    const own = this.entries.filter(({ operationId, kind }) => operationId === id && KINDS_THAT_TAKE.includes(kind));
    return {
      id,
      name,
      size: own.length,
      entries: own.map((entry) => ({
        ...entry,
        countedAt: entry.countedAt ?? entry.occurredAt,
        batch: entry.batchId === null ? null : copyOf(entry.batchId),
        reversed: this.entries.reduce(
          (sum, { reversesSeq, amount }) => sum + (reversesSeq === entry.seq ? amount : 0),
          0,
        ),
      })),
    };
  }

  write(book: Book): void {
    const { changes } = book;
    this.batches = this.batchesIn(book);
    const undone = [...changes.changedClawbacks];
    const isSame = (a: Clawback) => (b: Clawback) => a.causeId === b.causeId && a.batchId === b.batchId;
    this.clawbacks = this.clawbacks.map((claim) => undone.find(isSame(claim)) ?? claim);
    this.clawbacks.push(...changes.newClawbacks);
    const changed = [...changes.changedReservations];
    this.reservations = this.reservations.map(
      (reservation) => changed.find(({ id }) => id === reservation.id) ?? reservation,
    );
    this.reservations.push(...changes.newReservations);
    for (const { productKey, available, held, owed } of changes.changedHoldings) {
      this.balances.set(productKey, { available, held, owed });
    }
    this.entries.push(...changes.entries);
    auditLedger(this);
  }

  /** Every batch as a book leaves it. */
  batchesIn({ changes }: Book): StoredBatch[] {
    const valid = new Map([...changes.changedValidity].map((own) => [own.batch.id, own]));
    const known = this.batches.map((batch): StoredBatch => {
      const { revokedAt, anchorDay, batch: own } = valid.get(batch.id) ?? { ...batch, batch };
      const validity = { validFrom: own.validFrom, expiresAt: own.expiresAt, revokedAt, anchorDay };
      return { ...batch, ...changes.changedBatches.get(batch.id), ...validity };
    });
    return [...known, ...changes.newBatches.map((batch) => ({ ...batch, revokedAt: null }))];
  }

  /** Every batch as of an instant, with what is due settled. */
  batchesAt(now: Date): StoredBatch[] {
    return this.batchesIn(this.load(now));
  }

  /** Every entry, with those that settling would add now. */
  entriesAt(now: Date): Entry[] {
    const { changes } = this.load(now);
    return [...this.entries, ...changes.entries];
  }
}

function latestEnd(access: readonly Pick<NewBatch, 'expiresAt' | 'anchorDay'>[]): Holding['accessEnd'] {
  let last: { at: Date; anchorDay: number } | null = null;
  for (const { expiresAt: at, anchorDay } of access) {
    if (at === null) return 'forever';
    const end = { at, anchorDay: anchorDay ?? 0 };
    if (last === null || at > last.at || (at.getTime() === last.at.getTime() && end.anchorDay > last.anchorDay))
      last = end;
  }
  return last;
}

function hasEnded({ expiresAt }: Batch, now: Date): boolean {
  return expiresAt !== null && expiresAt <= now;
}

function byEnd(a: Pick<Batch, 'id' | 'expiresAt'>, b: Pick<Batch, 'id' | 'expiresAt'>): number {
  return Number(a.expiresAt) - Number(b.expiresAt) || (a.id < b.id ? -1 : 1);
}

function sumAvailable(batches: readonly Batch[]): number {
  return batches.reduce((sum, batch) => sum + batch.available, 0);
}

/** What ORDER BY priority, expires_at (nulls last), created_at, id does. */
function inSqlOrder(a: Batch, b: Batch): number {
  const columns = (batch: Batch) => [batch.priority, Number(batch.expiresAt ?? Infinity), Number(batch.createdAt)];
  const [left, right] = [columns(a), columns(b)];
  for (const [index, value] of left.entries()) if (value !== right[index]) return value < Number(right[index]) ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
