// What is told of uses, reservations and exchanges, and of where balances came to by them (DOMAIN 3.19).
import { required } from '../lib/assert.js';
import { groupBy } from '../lib/group-by.js';
import type { Subject } from './catalog-entities.js';
import type { ChangedCustomer, CustomerChanges } from './changes.js';
import type { Entry, EntryKind, Reservation } from './entities.js';
import type { EventType, Told } from './event-types.js';
import { toldMetadata } from './told-metadata.js';

export function tellReservation(reservation: Reservation, type: EventType): Told {
  const { id, subject, amount, expiresAt, operationId, metadata } = reservation;
  const data = { reservationId: id, ...namedIn(subject), amount, expiresAt, ...toldMetadata(metadata) };
  return { type, subjectId: id, operationId, data };
}

/** How a reservation ended; one that was only extended tells nothing. */
export function tellEnding(reservation: Reservation): Told[] {
  const { status, committedAmount, endedBy } = reservation;
  if (status === 'held') return [];
  const { data, ...told } = tellReservation(reservation, `reservation.${status}`);
  return [{ ...told, operationId: endedBy, data: { ...data, committedAmount } }];
}

function namedIn(subject: Subject): Record<string, string> {
  return 'feature' in subject ? { feature: subject.feature } : { productKey: subject.productKey };
}

const KINDS_OF_USE: ReadonlySet<EntryKind> = new Set<EntryKind>(['consume', 'commit', 'debt']);

/** Whether an entry of a use says what was used. */
export function isOfUse({ kind }: Pick<Entry, 'kind'>): boolean {
  return KINDS_OF_USE.has(kind);
}

/** Products of a use that are told; the others are read by its operation. */
const PRODUCTS_TOLD_MAX = 20;

/** What uses took, of each that is to be told. */
export function tellUses({ changes: { operations, entries } }: ChangedCustomer): Told[] {
  const uses = operations.filter(({ tellsUse }) => tellsUse);
  if (uses.length === 0) return [];
  const entriesOf = groupBy(entries.filter(isOfUse), ({ operationId }) => operationId);
  return uses.map(({ id, name }) => {
    const own = entriesOf.get(id) ?? [];
    const taken = new Map<string, { productKey: string; amount: number; balance: number }>();
    for (const { productKey, amount, balanceAfter: balance } of own)
      taken.set(productKey, { productKey, amount: (taken.get(productKey)?.amount ?? 0) + amount, balance });
    const last = required(own.at(-1), 'a use that is told took something');
    const { feature, actionType, actionId, reservationId, metadata } = last;
    const data = {
      operation: name,
      usageId: last.id,
      feature,
      taken: [...taken.values()].slice(0, PRODUCTS_TOLD_MAX),
      takenTotal: taken.size,
      actionType,
      actionId,
      reservationId,
      ...toldMetadata(metadata ?? {}),
    };
    return { type: 'quota.consumed', subjectId: id, operationId: id, data };
  });
}

/** What an exchange took and gave, of each exchange. */
export function tellExchanges({ changes: { operations, entries, newBatches } }: ChangedCustomer): Told[] {
  return operations
    .filter(({ name }) => name === 'exchange')
    .map(({ id }) => {
      const given = newBatches.filter((batch) => batch.operationId === id);
      const spent = entries.filter((entry) => entry.operationId === id && entry.kind === 'consume');
      const data = {
        sku: given[0]?.sku ?? null,
        spent: { productKey: spent[0]?.productKey ?? null, amount: spent.reduce((sum, { amount }) => sum + amount, 0) },
        batchIds: given.map((batch) => batch.id),
      };
      return { type: 'exchange.completed', subjectId: id, operationId: id, data };
    });
}

/** What ended or was taken away, and where a balance came down to nothing or to what is low. */
export function tellEntries(entries: readonly Entry[], { changes }: ChangedCustomer): Told[] {
  const low = new Map<string, number>();
  for (const { productKey, lowBalanceThreshold } of changes.changedHoldings)
    if (lowBalanceThreshold !== null) low.set(productKey, lowBalanceThreshold);
  const told: Told[] = [];
  for (const entry of entries) {
    const { id: subjectId, operationId, kind, productKey, batchId, amount, balanceAfter, direction } = entry;
    if (kind === 'expire' || kind === 'revoke') {
      const data = { batchId, productKey, amount, balance: balanceAfter };
      told.push({ type: kind === 'expire' ? 'batch.expired' : 'batch.revoked', subjectId, operationId, data });
    }
    // What moves to another ledger of the family is there.
    if (direction !== 'debit' || isMove(entry, changes)) continue;
    const before = balanceAfter + amount;
    const threshold = low.get(productKey);
    if (threshold !== undefined && before > threshold && balanceAfter <= threshold) {
      told.push({ type: 'quota.low', subjectId, operationId, data: { productKey, balance: balanceAfter, threshold } });
    }
    if (before > 0 && balanceAfter <= 0) {
      told.push({ type: 'quota.exhausted', subjectId, operationId, data: { productKey, balance: balanceAfter } });
    }
  }
  return told;
}

/** Whether an entry moves something to or from another ledger of the family; within one it goes on in a batch of the same operation. */
function isMove({ kind, batchId, operationId }: Entry, { newBatches }: CustomerChanges): boolean {
  if (kind !== 'transfer_in' && kind !== 'transfer_out') return false;
  return !newBatches.some((own) => own.predecessorId === batchId && own.operationId === operationId);
}
