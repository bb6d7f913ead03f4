// Where a server stands in the log of changes that a primary writes and its standbys replay, and whose data it has.
import { required } from '../lib/assert.js';
import type { Row, Tx } from './client.js';

/** Which data a server has, and how much of them. */
export interface Standing {
  /** It replays what another server writes, and takes no writes. */
  isStandby: boolean;
  /** Up to where the log is written, or replayed: grows with every change, and is the same on both. */
  position: number;
  /** The same for a primary and its standbys, for one database and schema. */
  data: string;
}

// The insert position: whatever is committed lies before it, with any synchronous_commit.
const FIND = `
SELECT pg_is_in_recovery() AS is_standby,
  (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END - '0/0')::bigint AS position,
  concat_ws('/', s.system_identifier, current_database(), current_schema()) AS data
FROM pg_control_system() AS s`;

/** Asks a server where it stands. */
export async function findStanding(tx: Tx): Promise<Standing> {
  const [row] = await tx.query<Row & { is_standby: boolean; position: number | null; data: string }>(FIND);
  const { is_standby: isStandby, position, data } = required(row, 'a row');
  return { isStandby, position: position ?? 0, data };
}

/** Whether a server takes no writes: it is a standby, or is set to be read only. */
export async function isReadOnly(tx: Tx): Promise<boolean> {
  const [row] = await tx.query<Row & { setting: string }>(`SELECT current_setting('transaction_read_only') AS setting`);
  return row?.setting === 'on';
}
