// Reservations and their legs: what readers see of them, and what was posted of them. What a decision needs of them is loaded with the book.

import type { Changes } from '../ledger/changes.js';
import type { Metadata, Reservation, ReservationStatus } from '../ledger/entities.js';
import type { Row, Tx } from './client.js';
import { familyPage } from './family.js';

/** $1 new reservations, $2 their legs, $3 changed reservations, $4 how many change. */
const WRITE_RESERVATIONS = `
WITH new_reservation AS (
  INSERT INTO reservations (customer_id, id, operation_id, product_key, feature, amount, costs, status, committed_amount, action_type, action_id,
                            metadata, expires_at, created_at, ended_at, ended_by)
  SELECT customer_id, id, operation_id, product_key, feature, amount, costs, status, committed_amount, action_type, action_id,
         metadata, expires_at, created_at, ended_at, ended_by
  FROM json_populate_recordset(NULL::reservations, $1::json)
), leg AS (
  INSERT INTO reservation_legs (customer_id, reservation_id, position, batch_id, product_key, amount)
  SELECT customer_id, reservation_id, position, batch_id, product_key, amount
  FROM json_populate_recordset(NULL::reservation_legs, $2::json)
), changed AS (
  UPDATE reservations r
  SET status = c.status, committed_amount = c.committed_amount, expires_at = c.expires_at, ended_at = c.ended_at, ended_by = c.ended_by
  FROM json_populate_recordset(NULL::reservations, $3::json) c
  WHERE r.customer_id = c.customer_id AND r.id = c.id
  RETURNING 1
)
SELECT assert_whole((SELECT count(*) FROM changed) = $4::bigint)`;

/** Writes the reservations that were made or changed. Precondition: their batches are written before. */
export function writeReservations(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const made = customers.flatMap(({ customerId, changes }) =>
    changes.newReservations.map((reservation) => ({ customerId, reservation })),
  );
  const changed = customers.flatMap(({ customerId, changes }) =>
    [...changes.changedReservations]
      .filter((reservation) => !changes.newReservations.includes(reservation))
      .map((reservation) => reservationJson(customerId, reservation)),
  );
  if (made.length === 0 && changed.length === 0) return undefined;
  return tx.query(WRITE_RESERVATIONS, [
    JSON.stringify(made.map(({ customerId, reservation }) => reservationJson(customerId, reservation))),
    JSON.stringify(made.flatMap(({ customerId, reservation }) => legsJson(customerId, reservation))),
    JSON.stringify(changed),
    changed.length,
  ]);
}

function reservationJson(customerId: string, reservation: Reservation) {
  const { subject } = reservation;
  return {
    customer_id: customerId,
    id: reservation.id,
    operation_id: reservation.operationId,
    product_key: 'feature' in subject ? null : subject.productKey,
    feature: 'feature' in subject ? subject.feature : null,
    amount: reservation.amount,
    costs: reservation.costs,
    status: reservation.status,
    committed_amount: reservation.committedAmount,
    action_type: reservation.actionType,
    action_id: reservation.actionId,
    metadata: reservation.metadata,
    expires_at: reservation.expiresAt,
    created_at: reservation.createdAt,
    ended_at: reservation.endedAt,
    ended_by: reservation.endedBy,
  };
}

function legsJson(customerId: string, { id, legs }: Reservation) {
  return legs.map(({ batch, amount }, position) => ({
    customer_id: customerId,
    reservation_id: id,
    position,
    batch_id: batch.id,
    product_key: batch.productKey,
    amount,
  }));
}

/** Whose reservations these are; an id that there is none of is left out. */
export async function findReservationOwners(tx: Tx, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx.query<Row & { id: string; customer_id: string }>(
    'SELECT id, customer_id FROM reservations WHERE id = ANY ($1::uuid[])',
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row.customer_id]));
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

interface ReservationRow extends Row {
  id: string;
  customer_id: string;
  product_key: string | null;
  feature: string | null;
  amount: number;
  status: ReservationStatus;
  committed_amount: number;
  metadata: Metadata;
  expires_at: Date;
  created_at: Date;
  ended_at: Date | null;
  legs: { batch_id: string; product_key: string; amount: number }[];
}

/** `at`: the instant of the reader; what is past its end then is shown as expired, settled or not. */
const FIELDS = `r.id, r.customer_id, r.product_key, r.feature, r.amount, r.committed_amount, r.metadata, r.expires_at, r.created_at,
  CASE WHEN r.status = 'held' AND r.expires_at <= at THEN 'expired' ELSE r.status END AS status,
  CASE WHEN r.status = 'held' AND r.expires_at <= at THEN r.expires_at ELSE r.ended_at END AS ended_at,
  (SELECT json_agg(l ORDER BY l.position) FROM reservation_legs l
   WHERE l.customer_id = r.customer_id AND l.reservation_id = r.id) AS legs`;

function toStored(row: ReservationRow): StoredReservation {
  return {
    id: row.id,
    customerId: row.customer_id,
    subject: row.feature === null ? { productKey: row.product_key ?? '' } : { feature: row.feature },
    amount: row.amount,
    status: row.status,
    committedAmount: row.committed_amount,
    metadata: row.metadata,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    endedAt: row.ended_at,
    legs: row.legs.map((leg) => ({ batchId: leg.batch_id, productKey: leg.product_key, amount: leg.amount })),
  };
}

/** A reservation by the clock, but not before what the customer recorded last; undefined when there is none of this id. */
export async function findReservation(tx: Tx, id: string, now: Date): Promise<StoredReservation | undefined> {
  const [row] = await tx.query<ReservationRow>(
    `SELECT ${FIELDS} FROM reservations r JOIN customers c ON c.id = r.customer_id
     CROSS JOIN LATERAL (SELECT greatest($1::timestamptz, c.last_recorded_at) AS at) reader
     WHERE r.id = $2::uuid`,
    [now.toISOString(), id],
  );
  return row && toStored(row);
}

const SELECT_RESERVATIONS = familyPage(
  `SELECT * FROM (
     SELECT ${FIELDS} FROM reservations r CROSS JOIN (SELECT $2::timestamptz AS at) reader WHERE r.customer_id = family.customer_id
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
  const rows = await tx.query<ReservationRow>(SELECT_RESERVATIONS, [
    customerIds,
    now.toISOString(),
    status ?? null,
    page.after?.createdAt.toISOString() ?? null,
    page.after?.id ?? null,
    page.limit,
  ]);
  return rows.map(toStored);
}
