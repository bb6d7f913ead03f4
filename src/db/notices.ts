// Notices: what was told last of a customer, a type and a subject, so that it is told once for a window of time.
import type { Changes } from '../ledger/changes.js';
import type { NoticeType } from '../ledger/event-types.js';
import type { Row, Tx } from './client.js';
import { upserts } from './statements.js';
import { notices } from './tables.js';

const noticesOf = upserts(notices, ['customerId', 'type', 'subject']);

/** For which window something was told last; undefined when it never was. Precondition: the customer is locked. */
export async function findNoticeWindow(
  tx: Tx,
  customerId: string,
  type: NoticeType,
  subject: string,
): Promise<Date | undefined> {
  const [row] = await tx.query<Row & { window_start: Date }>(
    'SELECT window_start FROM notices WHERE customer_id = $1::uuid AND type = $2 AND subject = $3',
    [customerId, type, subject],
  );
  return row?.window_start;
}

/** Writes what is told, in place of what was told before it. */
export function writeNotices(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return noticesOf(
    tx,
    customers.flatMap(({ customerId, changes }) =>
      changes.notices.map(({ id: eventId, ...notice }) => ({ ...notice, eventId, customerId })),
    ),
  );
}
