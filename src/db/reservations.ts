// Reservations and their legs: what readers see of them, and what was posted of them. What a decision needs of them is loaded with the book.

import type { Changes } from '../ledger/changes.js';
import type { Reservation, ReservationStatus } from '../ledger/entities.js';
import type { Metadata } from '../lib/metadata.js';
import type { Row, Tx } from './client.js';
import { familyPage } from './family.js';
import { findOwnersIn, type Owner } from './owners.js';
import { inserts, updates } from './statements.js';
import { listOf, readerOf } from './table.js';
import { reservationLegs, reservations } from './tables.js';

const reservationsOf = inserts(reservations);
const legsOf = inserts(reservationLegs);
const endingsOf = updates(
  reservations,
  ['customerId', 'id'],
  ['status', 'committedAmount', 'expiresAt', 'endedAt', 'endedBy'],
);

/** Writes the reservations that were made or changed. Fails when one that changed is not there. Precondition: their batches are written before. */
export function writeReservations(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const made = customers.flatMap(({ customerId, changes }) =>
    changes.newReservations.map((reservation) => ({ ...reservation, ...subjectOf(reservation), customerId })),
  );
  const legs = made.flatMap(({ customerId, id: reservationId, legs: own }) =>
    own.map(({ batch: { id: batchId, productKey }, amount }, position) => ({
      customerId,
      reservationId,
      position,
      batchId,
      productKey,
      amount,
    })),
  );
  const changed = customers.flatMap(({ customerId, changes }) =>
    [...changes.changedReservations]
      .filter((reservation) => !changes.newReservations.includes(reservation))
      .map((reservation) => ({ ...reservation, customerId })),
  );
  if (made.length === 0 && changed.length === 0) return undefined;
  return Promise.all([reservationsOf(tx, made), legsOf(tx, legs), endingsOf(tx, changed)]);
}

function subjectOf({ subject }: Reservation): { productKey: string | null; feature: string | null } {
  return 'feature' in subject
    ? { productKey: null, feature: subject.feature }
    : { productKey: subject.productKey, feature: null };
}

/** Whose reservations these are; an id that there is none of is left out. */
export async function findReservationOwners(tx: Tx, ids: readonly string[]): Promise<Map<string, Owner>> {
  return findOwnersIn(tx, 'reservations', ids);
}

/** A reservation as readers see it. */
export interface StoredReservation {
  id: string;
  customerId: string;
  subject: { productKey: string } | { feature: string };
  amount: number;
  status: ReservationStatus;
  committedAmount: number;
  metadata: Metadata;
  expiresAt: Date;
  createdAt: Date;
  endedAt: Date | null;
  legs: { batchId: string; productKey: string; amount: number }[];
}

const STORED = [
  'id',
  'customerId',
  'productKey',
  'feature',
  'amount',
  'committedAmount',
  'metadata',
  'expiresAt',
  'createdAt',
] as const;
const OUTCOME = ['status', 'endedAt'] as const;
const LEG = ['batchId', 'productKey', 'amount'] as const;

/** `at`: the instant of the reader, $1 whose they are; what is past its end then is shown as expired, settled or not. */
const FIELDS = `${listOf(reservations, STORED, 'r')},
  CASE WHEN r.status = 'held' AND r.expires_at <= at THEN 'expired' ELSE r.status END AS status,
  CASE WHEN r.status = 'held' AND r.expires_at <= at THEN r.expires_at ELSE r.ended_at END AS ended_at,
  (SELECT json_agg(l ORDER BY l.position) FROM reservation_legs l
   WHERE l.customer_id = r.customer_id AND l.customer_id = ANY ($1::uuid[]) AND l.reservation_id = r.id) AS legs`;

const readReservation = readerOf(reservations, [...STORED, ...OUTCOME]);
const readLeg = readerOf(reservationLegs, LEG);

function toStored(row: Row & { legs: Row[] }): StoredReservation {
  const { productKey, feature, ...rest } = readReservation(row);
  return {
    ...rest,
    subject: feature === null ? { productKey: productKey ?? '' } : { feature },
    legs: row.legs.map(readLeg),
  };
}

/** A reservation by the clock, but not before what the customer recorded last; undefined when there is none of this id. */
export async function findReservation(
  tx: Tx,
  customerId: string,
  id: string,
  now: Date,
): Promise<StoredReservation | undefined> {
  const [row] = await tx.query<Row & { legs: Row[] }>(
    `SELECT ${FIELDS} FROM reservations r JOIN customers c ON c.id = r.customer_id AND c.id = ANY ($1::uuid[])
     CROSS JOIN LATERAL (SELECT greatest($2::timestamptz, c.last_recorded_at) AS at) reader
     WHERE r.customer_id = ANY ($1::uuid[]) AND r.id = $3::uuid`,
    [[customerId], now.toISOString(), id],
  );
  return row && toStored(row);
}

const SELECT_RESERVATIONS = familyPage(
  `SELECT * FROM (
     SELECT ${FIELDS} FROM reservations r CROSS JOIN (SELECT $2::timestamptz AS at) reader WHERE r.customer_id = family.customer_id AND r.customer_id = ANY ($1::uuid[])
   ) r
   WHERE ($3::text IS NULL OR r.status = $3) AND ($4::timestamptz IS NULL OR (r.created_at, r.id) < ($4::timestamptz, $5::uuid))`,
  'created_at DESC, id DESC',
  '$6::int',
);

/** One page of a family's reservations, newest first, after a position. */
export async function listReservations(
  tx: Tx,
  customerIds: readonly string[],
  now: Date,
  status: ReservationStatus | undefined,
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<StoredReservation[]> {
  const rows = await tx.query<Row & { legs: Row[] }>(SELECT_RESERVATIONS, [
    customerIds,
    now.toISOString(),
    status ?? null,
    page.after?.createdAt.toISOString() ?? null,
    page.after?.id ?? null,
    page.limit,
  ]);
  return rows.map(toStored);
}
