// The audit trail: written with the changes that it records, read newest first.
import type { AuditAction, AuditRecord } from '../ledger/audit-record.js';
import type { Changes } from '../ledger/changes.js';
import type { Tx } from './client.js';
import { inserts } from './statements.js';
import { listOf, readerOf, written } from './table.js';
import { auditRecords } from './tables.js';

const recordsOf = inserts(auditRecords);

/** Appends records. Builds before this one told less of them: theirs have the column's default. */
export function insertAuditRecords(tx: Tx, { audit }: Changes): Promise<unknown> | undefined {
  return recordsOf(
    tx,
    audit.map((record) => ({ ...record, tellsSwitches: true, tellsChanges: true })),
  );
}

/** Which records are asked for; all where nothing is named. */
export interface AuditAsked {
  actions: readonly AuditAction[];
  subject: string | undefined;
  /** A family. */
  customerIds: readonly string[] | undefined;
  actingKey: string | undefined;
  /** From this instant on. */
  from: Date | undefined;
  /** Before this one. */
  until: Date | undefined;
  after: { createdAt: Date; id: string } | undefined;
  limit: number;
}

const READ = written(auditRecords).filter((key) => key !== 'tellsSwitches' && key !== 'tellsChanges');
const readRecord = readerOf(auditRecords, READ);
const LIST = `
SELECT ${listOf(auditRecords, READ)} FROM audit_records
WHERE ($1::text[] IS NULL OR action = ANY ($1::text[])) AND ($2::text IS NULL OR subject = $2::text) AND ($3::uuid[] IS NULL OR customer_id = ANY ($3::uuid[]))
  AND ($4::text IS NULL OR acting_key = $4::text) AND ($5::timestamptz IS NULL OR recorded_at >= $5::timestamptz)
  AND ($6::timestamptz IS NULL OR recorded_at < $6::timestamptz)
  AND ($7::timestamptz IS NULL OR (recorded_at, id) < ($7::timestamptz, $8::uuid))
ORDER BY recorded_at DESC, id DESC LIMIT $9::int`;

/** One page of the trail, newest first. */
export async function listAuditRecords(
  tx: Tx,
  { actions, subject, customerIds, actingKey, from, until, after, limit }: AuditAsked,
): Promise<AuditRecord[]> {
  const rows = await tx.query(LIST, [
    actions.length > 0 ? actions : null,
    subject ?? null,
    customerIds ?? null,
    actingKey ?? null,
    from?.toISOString() ?? null,
    until?.toISOString() ?? null,
    after?.createdAt.toISOString() ?? null,
    after?.id ?? null,
    limit,
  ]);
  return rows.map(readRecord);
}
