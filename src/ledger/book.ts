// The book: a working copy of what one customer owns, in which decisions post entries while the customer's row is locked. Pure: it is loaded
// before and written afterwards by db/. What can be read of it is here; what changes it is in postings.ts.

import { required } from '../lib/assert.js';
import type { OwnedIds } from '../lib/ids.js';
import type { CustomerChanges } from './changes.js';
import type { Batch, Holding, MovedBatch, NewOperation, Reservation, TakenOperation } from './entities.js';
import type { UsageWindow } from './limit-entities.js';
import { canAdd, QUANTITY_MAX } from './quantities.js';
import type { Sold } from './sold-entities.js';
import type { KnownPlans } from './subscription-entities.js';

export interface Book {
  readonly customerId: string;
  /** The operation's instant: the clock, read under the lock, never before the customer's last recorded instant. */
  readonly now: Date;
  nextSeq: number;
  /** The number of the customer's next event. */
  readonly nextEvent: number;
  /** Whether somebody asks to be told of uses. */
  readonly tellsUses: boolean;
  readonly holdings: Map<string, Holding>;
  /** Batches past their end that still have units, soonest first; at most a bounded number of them. */
  readonly due: Batch[];
  /** Reservations that were asked for, and open ones past their end; at most a bounded number of these. */
  readonly reservations: Map<string, Reservation>;
  /** The last of each that was loaded because it is due, where there may be more: settling goes no further than both. Such a book is only settled. */
  readonly lastDue: { batch?: Batch | undefined; hold?: Reservation | undefined };
  /** Pending orders past their end, which settling lets expire; at most a bounded number of them. */
  readonly dueOrders: string[];
  /** The subscriptions that have not ended, if they were asked for, or one of them turns. */
  readonly plans: KnownPlans;
  /** Earlier operations whose units may come back, those that were asked for. */
  readonly taken: Map<string, TakenOperation>;
  /** The paid order that is refunded or disputed, if one was asked for. */
  readonly sold: Sold | undefined;
  /** Windows of limits in force, of what was asked for: what is posted counts in them. */
  readonly windows: readonly UsageWindow[];
  /** Whether it was looked for what is due. */
  readonly isDue: boolean;
  readonly changes: CustomerChanges;
  readonly ids: OwnedIds;
  /** He was erased: of what is still recorded of him nothing is granted, taken or given back. */
  isErased?: boolean;
  /** Something else was recorded of him at this very instant. */
  hasRecordedNow?: boolean;
  /** Of a customer that was merged: where what comes back to him goes on. */
  onward?: Onward;
  /** Of such a customer: the ways to those, by customer, through whom his things went before they came there. */
  through?: Map<string, Onward>;
  /** What comes from others by now: the operation of which it is. */
  arriving?: { last?: Arrival | undefined; under?: Arrival | undefined };
  /** Those of all customers that the operation locked, by id. */
  others?: ReadonlyMap<string, Book>;
  /** What of units goes on that were held beyond the end of their batch, because its subscription does. */
  goOn?: (batch: Batch, units: number, freed: Freed) => GoingOn;
}

/** What comes from another ledger: from whose, by which operation there if it is one, and what it is here. */
export interface Arrival {
  from: string;
  of: string | null;
  operation: NewOperation;
}

/** How many units go on, and what lets them; what waits for the turn of the same instant is not let by anything else. */
export interface GoingOn {
  units: number;
  post?: () => void;
}

/** By what units were freed, and when. */
export interface Freed {
  operationId: string | null;
  reservationId: string | null;
  at: Date;
}

/** The customer whom one that was merged leads to, and how things get there. What there is of the merged one moves at once, so that he has and owes nothing. */
export interface Onward {
  readonly book: Book;
  /** Posts in that book. What an operation makes there is recorded as of the same id; what happens by itself is an operation of its own. */
  post<T>(operationId: string | null, posting: (operationId: string) => T): T;
  /** Names the operation, once it is accepted, as it is called in its own ledger. */
  name(operation: Pick<NewOperation, 'id' | 'name' | 'actingKey'>): void;
  /** Moves on what is available of a batch, or the access that it gives. */
  take(batch: Batch & Partial<Pick<MovedBatch, 'anchorDay' | 'noticeAt'>>, operationId: string | null): void;
  /** Moves on what is owed of a product. */
  takeOwed(productKey: string, operationId: string | null): void;
  /** Brings back so much of what was moved on of what is owed, so that it can be forgiven. */
  bringBackOwed(productKey: string, amount: number, operationId: string | null): void;
}

/** The book of a customer whose things an operation of this one changes. Precondition: he is locked with this one. */
export function ledgerOf(book: Book, customerId: string): Book {
  return customerId === book.customerId ? book : required(book.others?.get(customerId), `${customerId} is locked`);
}

/** The book in which a customer's subscriptions go on: his, or that of whom he leads to. */
export function planBookOf(book: Book): Book {
  return book.onward?.book ?? book;
}

/** A book as it is loaded: nothing of it is settled, and nothing changed. */
export type LoadedBook = Omit<
  Book,
  'changes' | 'onward' | 'through' | 'arriving' | 'others' | 'isErased' | 'hasRecordedNow'
>;

/** The product's holding. The loader made one for every product that the operation asked for. */
export function holdingOf(book: Book, productKey: string): Holding {
  return required(book.holdings.get(productKey), `holding of ${productKey} was not loaded`);
}

/** A holding of which the numbers alone are known: nothing was read of its batches. */
export function bareHolding(
  known: Pick<Holding, 'productKey'> & Partial<Pick<Holding, 'available' | 'held' | 'owed'>>,
): Holding {
  return {
    available: 0,
    held: 0,
    owed: 0,
    ...known,
    lowBalanceThreshold: null,
    expiringDays: null,
    usable: [],
    running: [],
    accessEnd: null,
    notYetValid: 0,
    pending: [],
    debts: [],
  };
}

/** Units of a counted product that can be taken now. Precondition: what is due is settled. */
export function spendable(holding: Holding): number {
  return holding.available - holding.notYetValid;
}

/** What is shown of a product's units, wherever a balance is. */
export interface Standing {
  /** What can be spent now, minus what is owed. */
  balance: number;
  /** What becomes valid later. */
  upcoming: number;
}

/** What a product's units come to for whoever looks at them. Precondition: what is due is settled. */
export function standingOf(holding: Holding): Standing {
  return { balance: spendable(holding) - holding.owed, upcoming: holding.notYetValid };
}

/** Standings by product as answers show them: all balances, and what is upcoming where there is something. */
export function showStandings(holdings: readonly Holding[]): Record<keyof Standing, Map<string, number>> {
  const standings = holdings.map((holding) => [holding.productKey, standingOf(holding)] as const);
  return {
    balance: new Map(standings.map(([productKey, { balance }]) => [productKey, balance])),
    upcoming: new Map(
      standings.flatMap(([productKey, { upcoming }]) => (upcoming > 0 ? [[productKey, upcoming]] : [])),
    ),
  };
}

/** Available minus owed, units that become valid later included: what the ledger calls the balance, and each entry tells. */
export function balanceOf(holding: Holding): number {
  return holding.available - holding.owed;
}

/** Burn order (DOMAIN 3.3): lower priority, then soonest end (never last), then oldest, then id. */
export function compareBurnOrder(a: Batch, b: Batch): number {
  return (
    a.priority - b.priority ||
    (a.expiresAt?.getTime() ?? Infinity) - (b.expiresAt?.getTime() ?? Infinity) ||
    a.createdAt.getTime() - b.createdAt.getTime() ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

/** Whether the product's balance can take `amount` more and stay exact. */
export function hasRoomFor(holding: Holding, amount: number): boolean {
  const { into } = holding;
  const isRoom = amount <= QUANTITY_MAX && canAdd(holding.available + holding.held, amount);
  return isRoom && (into === undefined || hasRoomFor(into, amount));
}
