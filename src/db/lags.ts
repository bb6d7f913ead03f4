// How late things are on this database: one statement, of which each part is bounded, for whoever watches from outside.
import { required } from '../lib/assert.js';
import type { Row, Tx } from './client.js';
import { JOBS_AS_OF_NOW } from './jobs.js';
import { OLDEST_TRANSACTION } from './oldest-transaction.js';

/** Deliveries of one endpoint that are counted at most. */
const COUNTED_MAX = 1_000;

const countOf = (status: string) => `
  (SELECT coalesce(sum(counted.count), 0)::bigint FROM webhook_feeds f CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM (SELECT FROM webhook_deliveries d WHERE d.feed_id = f.id AND d.status = '${status}' LIMIT ${COUNTED_MAX}) AS few
  ) AS counted)`;
const FIND = `
SELECT
  (SELECT coalesce(json_agg(json_build_object('name', j.name, 'lag_ms', j.lag_ms, 'is_late', j.is_late, 'failures', j.failures)), '[]')
   FROM (${JOBS_AS_OF_NOW}) AS j WHERE j.next_due_at IS NOT NULL) AS jobs,
  (SELECT t.lasts_ms FROM (${OLDEST_TRANSACTION}) AS t) AS oldest_transaction_ms,
  (SELECT coalesce(max(CASE WHEN s.is_called THEN s.last_value ELSE 0 END - f.place), 0)
   FROM events_place_seq s CROSS JOIN webhook_feeds f JOIN webhook_endpoints e ON e.id = f.endpoint_id WHERE e.is_enabled AND e.url IS NOT NULL) AS behind_events,
  ${countOf('waiting')} AS waiting_deliveries,
  ${countOf('parked')} AS parked_deliveries`;

/** How late things are. */
export interface Lags {
  /** Those that the configuration has. */
  jobs: { name: string; lagMs: number; isLate: boolean; failures: number }[];
  /** Since when the transaction runs that the feed of events waits for; 0 when there is none, or that is not to be seen. */
  oldestTransactionMs: number;
  /** Places that the feed furthest behind has not passed. */
  behindEvents: number;
  /** Deliveries that are tried again, and that were given up: of each endpoint so many at most. */
  waitingDeliveries: number;
  parkedDeliveries: number;
}

interface Found extends Row {
  jobs: { name: string; lag_ms: number; is_late: boolean; failures: number }[];
  oldest_transaction_ms: number | null;
  behind_events: number;
  waiting_deliveries: number;
  parked_deliveries: number;
}

/** Asks how late things are. */
export async function findLags(tx: Tx): Promise<Lags> {
  const found = required((await tx.query<Found>(FIND))[0], 'a row of numbers');
  return {
    jobs: found.jobs.map((job) => ({
      name: job.name,
      lagMs: job.lag_ms,
      isLate: job.is_late,
      failures: job.failures,
    })),
    oldestTransactionMs: found.oldest_transaction_ms ?? 0,
    behindEvents: found.behind_events,
    waitingDeliveries: found.waiting_deliveries,
    parkedDeliveries: found.parked_deliveries,
  };
}
