// How far each endpoint is that is sent its events, and what became of each delivery. A feed is leased by one process, and only who has the lease writes what
// was tried. Instants are the database's; each statement is a transaction of its own.
import type { EventType } from '../ledger/event-types.js';
import type { DeliveryStatus, Endpoint } from '../ledger/management-entities.js';
import { required } from '../lib/assert.js';
import type { Row, Tx } from './client.js';
import { readEvent, type StoredEvent, TOLD_COLUMNS } from './events.js';
import { listOf, type RecordOf, readerOf, written } from './table.js';
import { webhookDeliveries, webhookEndpoints } from './tables.js';

/** A feed that is not renewed for so long is taken over: longer than an attempt may take. */
export const FEED_LEASE_MS = 30_000;
const FEEDS_MAX = 20;
const DUE_LANES_MAX = 200;
/** Events about no customer are sent one after the other, too. */
const LANE_OF_NOBODY = 'none';

/** A feed that this process has. */
export interface HeldFeed {
  id: string;
  endpointId: string;
  lease: string;
}

const LEASED = `lease_until = now() + interval '${FEED_LEASE_MS} ms'`;
const TAKE = `
WITH free AS (
  SELECT f.id FROM webhook_feeds f JOIN webhook_endpoints e ON e.id = f.endpoint_id
  WHERE e.is_enabled AND e.url IS NOT NULL AND (f.paused_until IS NULL OR f.paused_until <= now())
    AND (f.lease_until IS NULL OR f.lease_until <= now() OR f.lease_until > now() + interval '${2 * FEED_LEASE_MS} ms')
    AND (f.place < $1::bigint OR EXISTS (SELECT FROM webhook_deliveries d WHERE d.feed_id = f.id AND d.next_at <= now()))
  ORDER BY f.id LIMIT ${FEEDS_MAX} FOR UPDATE OF f SKIP LOCKED
)
UPDATE webhook_feeds f SET lease = gen_random_uuid(), ${LEASED} FROM free WHERE f.id = free.id RETURNING f.id, f.endpoint_id, f.lease`;

/** Takes feeds that have something to send, up to a place, and are nobody's. Several who try at once get different ones. */
export async function takeFeeds(tx: Tx, horizon: number): Promise<HeldFeed[]> {
  const rows = await tx.query<Row & { id: string; endpoint_id: string; lease: string }>(TAKE, [horizon]);
  return rows.map((row) => ({ id: row.id, endpointId: row.endpoint_id, lease: row.lease }));
}

/** How a feed stands, and whom it is for. */
export interface FeedStanding {
  place: number;
  isFailing: boolean;
  endpoint: Endpoint;
}

const readEndpoint = readerOf(webhookEndpoints, written(webhookEndpoints));
const RENEW = `UPDATE webhook_feeds f SET ${LEASED} FROM webhook_endpoints e
WHERE f.id = $1::uuid AND f.lease = $2::uuid AND e.id = f.endpoint_id
RETURNING f.place, f.failing_since IS NOT NULL AS is_failing, ${listOf(webhookEndpoints, written(webhookEndpoints), 'e')}`;

/** Renews the lease; undefined when it is somebody else's, or the endpoint is gone. */
export async function renewFeed(tx: Tx, { id, lease }: HeldFeed): Promise<FeedStanding | undefined> {
  const [row] = await tx.query<Row & { place: number; is_failing: boolean }>(RENEW, [id, lease]);
  return row && { place: row.place, isFailing: row.is_failing, endpoint: readEndpoint(row) };
}

const RELEASE = `UPDATE webhook_feeds SET lease = NULL, lease_until = NULL, paused_until = CASE WHEN $3::boolean
  THEN now() + least(interval '60 s', greatest(interval '5 s', (now() - failing_since) / 4)) END
WHERE id = $1::uuid AND lease = $2::uuid`;

/** Gives the lease back. With `isPaused` nobody takes the feed for 5 to 60 seconds, the longer it has been failing. */
export async function releaseFeed(tx: Tx, { id, lease }: HeldFeed, isPaused: boolean): Promise<void> {
  await tx.query(RELEASE, [id, lease, isPaused]);
}

/** In which order an event is sent: of a lane one after the other. */
export function laneOf({ customerId }: Pick<StoredEvent, 'customerId'>): string {
  return customerId ?? LANE_OF_NOBODY;
}

const LANES = `
SELECT l.lane, last.number, first.place IS NOT NULL AS has_waiting
FROM unnest($2::text[]) AS l (lane)
LEFT JOIN LATERAL (
  SELECT d.number FROM webhook_deliveries d WHERE d.feed_id = $1::uuid AND d.lane = l.lane ORDER BY d.place DESC LIMIT 1
) AS last ON true
LEFT JOIN LATERAL (
  SELECT w.place FROM webhook_deliveries w WHERE w.feed_id = $1::uuid AND w.lane = l.lane AND w.status = 'waiting' ORDER BY w.place LIMIT 1
) AS first ON true`;

/** What lanes had last, and whether anything waits in them. */
export async function findLanes(
  tx: Tx,
  feedId: string,
  lanes: readonly string[],
): Promise<Map<string, { number: number | null; hasWaiting: boolean }>> {
  const rows = await tx.query<Row & { lane: string; number: number | null; has_waiting: boolean }>(LANES, [
    feedId,
    lanes,
  ]);
  return new Map(rows.map((row) => [row.lane, { number: row.number, hasWaiting: row.has_waiting }]));
}

/** When what waits is looked at: not before an attempt by hand has ended. */
const AT_ONCE = (delivery: string) => `greatest(now(), ${delivery}.by_hand_until)`;

/** What became of one attempt. */
export interface Tried {
  status: DeliveryStatus;
  /** When the next attempt is, in milliseconds from now. */
  delayMs: number;
  answerStatus: number | null;
  answerExcerpt: string | null;
  error: string | null;
}

/** A delivery that is new: it was tried, or waits for those before it. */
export interface NewDelivery extends Tried {
  event: StoredEvent;
  previous: number | null;
  attempts: 0 | 1;
}

/** Of the time between two failures so much counts at most, the longest that a delivery waits by itself: no endpoint fails while nobody tries. */
const GAP_MAX = `interval '6 hours'`;
/** What is noted of a feed with what was tried: an arrival ends a failure, and a failure begins one or goes on with it. */
const NOTED = (arrived: string, failed: string) => `
  failing_since = CASE WHEN ${arrived}::boolean THEN NULL WHEN ${failed}::boolean THEN
    coalesce(failing_since + greatest(now() - greatest(failed_at, failing_since) - ${GAP_MAX}, interval '0'), now()) ELSE failing_since END,
  failed_at = CASE WHEN ${arrived}::boolean THEN NULL WHEN ${failed}::boolean THEN now() ELSE failed_at END`;
const HELD = (failed: string) =>
  `SELECT ${failed}::boolean AND failing_since <= now() - interval '24 hours' AS is_failing_long FROM held`;

const WRITE_PAGE = `
WITH held AS (
  UPDATE webhook_feeds SET place = $4::bigint, ${NOTED('$5', '$6')}
  WHERE id = $1::uuid AND lease = $2::uuid AND place = $3::bigint RETURNING id, failing_since
), added AS (
  INSERT INTO webhook_deliveries (feed_id, place, lane, number, previous, event_id, type, status, attempts, first_tried_at, tried_at, next_at,
                                  answer_status, answer_excerpt, error)
  SELECT held.id, g.place, g.lane, g.number, g.previous, g.event_id, g.type, g.status, g.attempts, CASE WHEN g.attempts > 0 THEN now() END,
    CASE WHEN g.attempts > 0 THEN now() END, CASE WHEN g.status = 'waiting' THEN now() + g.delay_ms * interval '1 ms' END,
    g.answer_status, g.answer_excerpt, g.error
  FROM held CROSS JOIN unnest($7::bigint[], $8::text[], $9::bigint[], $10::bigint[], $11::uuid[], $12::text[], $13::text[], $14::integer[], $15::integer[],
    $16::integer[], $17::text[], $18::text[])
    AS g (place, lane, number, previous, event_id, type, status, attempts, delay_ms, answer_status, answer_excerpt, error)
  ON CONFLICT (feed_id, place) DO NOTHING
) ${HELD('$6')}`;

/** What is known of the feed after a write; undefined when the lease, or the place, was not what it was. */
export type Noted = { isFailingLong: boolean } | undefined;

function toNoted([row]: Row[]): Noted {
  return row && { isFailingLong: row.is_failing_long === true };
}

/** Writes what became of the events between two places, and that the feed is at the second. */
export async function writePage(
  tx: Tx,
  { id, lease }: HeldFeed,
  { from, to }: { from: number; to: number },
  deliveries: readonly NewDelivery[],
): Promise<Noted> {
  const tried = deliveries.filter(({ attempts }) => attempts > 0);
  const hasArrived = tried.some(({ status }) => status === 'delivered');
  const rows = await tx.query(WRITE_PAGE, [
    id,
    lease,
    from,
    to,
    hasArrived,
    tried.length > 0,
    deliveries.map(({ event }) => event.place),
    deliveries.map(({ event }) => laneOf(event)),
    deliveries.map(({ event }) => event.number),
    deliveries.map(({ previous }) => previous),
    deliveries.map(({ event }) => event.id),
    deliveries.map(({ event }) => event.type),
    deliveries.map(({ status }) => status),
    deliveries.map(({ attempts }) => attempts),
    deliveries.map(({ delayMs }) => Math.round(delayMs)),
    deliveries.map(({ answerStatus }) => answerStatus),
    deliveries.map(({ answerExcerpt }) => answerExcerpt),
    deliveries.map(({ error }) => error),
  ]);
  return toNoted(rows);
}

const DUE_LANES = `
SELECT DISTINCT lane FROM (
  SELECT lane FROM webhook_deliveries WHERE feed_id = $1::uuid AND next_at <= now() AND lane <> ALL ($2::text[]) ORDER BY next_at LIMIT ${DUE_LANES_MAX}
) AS due LIMIT $3::int`;

/** Lanes in which something is due, but for those that are `busy`. */
export async function findDueLanes(tx: Tx, feedId: string, busy: readonly string[], limit: number): Promise<string[]> {
  return (await tx.query<Row & { lane: string }>(DUE_LANES, [feedId, busy, limit])).map(({ lane }) => lane);
}

/** A delivery that waits, with its event. */
export interface WaitingDelivery {
  event: StoredEvent;
  previous: number | null;
  attempts: number;
  isDue: boolean;
  /** An attempt by hand is under way. */
  isHeld: boolean;
  /** It has been tried for three days. */
  isOld: boolean;
}

const WAITING = `
SELECT ${TOLD_COLUMNS}, d.previous, d.attempts, (d.next_at > now()) IS NOT TRUE AS is_due, (d.by_hand_until > now()) IS TRUE AS is_held,
  (d.first_tried_at <= now() - interval '3 days') IS TRUE AS is_old
FROM webhook_deliveries d JOIN events e ON e.place = d.place
WHERE d.feed_id = $1::uuid AND d.lane = $2::text AND d.status = 'waiting' ORDER BY d.place LIMIT $3::int`;

/** What waits in a lane, in order. What was dropped by age is not sent any more. */
export async function listWaiting(tx: Tx, feedId: string, lane: string, limit: number): Promise<WaitingDelivery[]> {
  type Waiting = { previous: number | null; attempts: number; is_due: boolean; is_held: boolean; is_old: boolean };
  const rows = await tx.query<Row & Waiting>(WAITING, [feedId, lane, limit]);
  return rows.map((row) => ({
    event: readEvent(row),
    previous: row.previous,
    attempts: row.attempts,
    isDue: row.is_due,
    isHeld: row.is_held,
    isOld: row.is_old,
  }));
}

const QUIET = `
WITH head AS (
  SELECT place FROM webhook_deliveries WHERE feed_id = $1::uuid AND place = $3::bigint AND status = 'waiting' FOR UPDATE
)
UPDATE webhook_deliveries d SET next_at = NULL
WHERE d.feed_id = $1::uuid AND d.lane = $2::text AND d.status = 'waiting' AND d.next_at IS NOT NULL
  AND (d.place > (SELECT place FROM head) OR d.place <= (SELECT dropped_place FROM event_log))`;

/** Lets what waits behind a place be looked at with what waits there, if that still does; and what goes with its event not at all. Locks: the delivery there. */
export async function quietLane(tx: Tx, feedId: string, lane: string, place: number | null): Promise<void> {
  await tx.query(QUIET, [feedId, lane, place]);
}

const SETTLE = `
WITH held AS (
  UPDATE webhook_feeds SET ${NOTED('$5', '(NOT $5)')} WHERE id = $1::uuid AND lease = $2::uuid RETURNING id, failing_since
), tried AS (
  UPDATE webhook_deliveries d SET status = $6::text, attempts = d.attempts + 1, first_tried_at = coalesce(d.first_tried_at, now()), tried_at = now(),
    next_at = CASE WHEN $6::text = 'waiting' THEN now() + $7::integer * interval '1 ms' END,
    answer_status = $8::integer, answer_excerpt = $9::text, error = $10::text
  FROM held WHERE d.feed_id = $1::uuid AND d.place = $3::bigint AND d.status = 'waiting'
), woken AS (
  UPDATE webhook_deliveries d SET next_at = ${AT_ONCE('d')} FROM held
  WHERE $6::text <> 'waiting' AND d.feed_id = $1::uuid AND d.place = (
    SELECT w.place FROM webhook_deliveries w
    WHERE w.feed_id = $1::uuid AND w.lane = $4::text AND w.status = 'waiting' AND w.place > $3::bigint ORDER BY w.place LIMIT 1
  )
) ${HELD('(NOT $5)')}`;

/** Writes what became of an attempt at what waited, and has the next of its lane looked at when it waits no more. */
export async function settleDelivery(
  tx: Tx,
  { id, lease }: HeldFeed,
  event: StoredEvent,
  { status, delayMs, answerStatus, answerExcerpt, error }: Tried,
): Promise<Noted> {
  const isArrived = status === 'delivered';
  const answer = [answerStatus, answerExcerpt, error];
  const parameters = [id, lease, event.place, laneOf(event), isArrived, status, Math.round(delayMs), ...answer];
  return toNoted(await tx.query(SETTLE, parameters));
}

const LISTED = [
  'place',
  'number',
  'previous',
  'eventId',
  'type',
  'status',
  'attempts',
  'triedAt',
  'nextAt',
  'answerStatus',
  'answerExcerpt',
  'error',
] as const;

/** A delivery as it stands. */
export type Delivery = RecordOf<typeof webhookDeliveries, (typeof LISTED)[number]>;

const readDelivery = readerOf(webhookDeliveries, LISTED);
const FEED_ID = '(SELECT f.id FROM webhook_feeds f WHERE f.endpoint_id = $1::text)';
const LIST = `SELECT ${listOf(webhookDeliveries, LISTED)} FROM webhook_deliveries
WHERE feed_id = ${FEED_ID} AND ($2::text IS NULL OR status = $2::text) AND place < $3::bigint ORDER BY place DESC LIMIT $4::int`;

/** One page of the deliveries of an endpoint, the newest event first. */
export async function listDeliveries(
  tx: Tx,
  endpointId: string,
  { status, before, limit }: { status: DeliveryStatus | undefined; before: number | undefined; limit: number },
): Promise<Delivery[]> {
  const rows = await tx.query(LIST, [endpointId, status ?? null, before ?? Number.MAX_SAFE_INTEGER, limit]);
  return rows.map(readDelivery);
}

const FIND = `
SELECT ${TOLD_COLUMNS}, d.previous, d.status FROM webhook_deliveries d JOIN events e ON e.place = d.place
WHERE d.feed_id = ${FEED_ID} AND d.place = $2::bigint`;

/** A delivery with its event. */
export async function findDelivery(
  tx: Tx,
  endpointId: string,
  place: number,
): Promise<{ event: StoredEvent; previous: number | null; status: DeliveryStatus } | undefined> {
  const [row] = await tx.query<Row & { previous: number | null; status: DeliveryStatus }>(FIND, [endpointId, place]);
  return row && { event: readEvent(row), previous: row.previous, status: row.status };
}

/** An attempt by hand that tells nothing for so long is over: longer than it may take. */
const BY_HAND_MS = 30_000;
const BEGIN_RETRY = `
UPDATE webhook_deliveries SET by_hand_until = now() + interval '${BY_HAND_MS} ms'
WHERE feed_id = ${FEED_ID} AND place = $2::bigint AND status <> 'waiting'
  AND (by_hand_until IS NULL OR by_hand_until <= now() OR by_hand_until > now() + interval '${2 * BY_HAND_MS} ms')
RETURNING by_hand_until`;

/** Begins an attempt by hand at what does not wait: until when it has the delivery; undefined when another one is under way, or it waits by now. */
export async function beginRetry(tx: Tx, endpointId: string, place: number): Promise<Date | undefined> {
  const [row] = await tx.query<Row & { by_hand_until: Date }>(BEGIN_RETRY, [endpointId, place]);
  return row?.by_hand_until;
}

const END_RETRY = `
WITH ended AS (
  UPDATE webhook_deliveries SET by_hand_until = NULL, next_at = now()
  WHERE feed_id = ${FEED_ID} AND place = $2::bigint AND by_hand_until = $3::timestamptz AND status = 'waiting'
)
UPDATE webhook_deliveries SET by_hand_until = NULL, tried_at = now(), attempts = attempts + 1,
  status = CASE WHEN $4::boolean THEN 'delivered' ELSE status END, answer_status = $5::integer, answer_excerpt = $6::text, error = $7::text
WHERE feed_id = ${FEED_ID} AND place = $2::bigint AND by_hand_until = $3::timestamptz AND status <> 'waiting' RETURNING ${listOf(webhookDeliveries, LISTED)}`;

/** Notes an attempt by hand; undefined when the delivery was replayed meanwhile, which is then tried by itself, or is gone. */
export async function endRetry(
  tx: Tx,
  endpointId: string,
  { place, until }: { place: number; until: Date },
  { status, answerStatus, answerExcerpt, error }: Omit<Tried, 'delayMs'>,
): Promise<Delivery | undefined> {
  const answer = [answerStatus, answerExcerpt, error];
  const parameters = [endpointId, place, until.toISOString(), status === 'delivered', ...answer];
  const [row] = await tx.query(END_RETRY, parameters);
  return row && readDelivery(row);
}

/** What is replayed: events that were recorded from an instant on and before another, or what was given up. */
export interface Replayed {
  /** How many. */
  count: number;
  /** The place of the last. */
  last: number;
}

const REPLAY_RANGE = `
WITH feed AS (
  SELECT f.id, f.place FROM webhook_feeds f WHERE f.endpoint_id = $1::text
), chosen AS (
  SELECT e.place, coalesce(e.customer_id::text, '${LANE_OF_NOBODY}') AS lane, e.number, e.id, e.type
  FROM feed JOIN events e ON e.recorded_at >= $2::timestamptz AND e.recorded_at < $3::timestamptz
    AND e.place > $4::bigint AND e.place <= feed.place AND ($5::text[] IS NULL OR e.type = ANY ($5::text[]))
  ORDER BY e.place LIMIT $6::int
), again AS (
  INSERT INTO webhook_deliveries (feed_id, place, lane, number, previous, event_id, type, status, attempts, next_at)
  SELECT feed.id, c.place, c.lane, c.number, coalesce(lag(c.number) OVER (PARTITION BY c.lane ORDER BY c.place), (
    SELECT d.number FROM webhook_deliveries d WHERE d.feed_id = feed.id AND d.lane = c.lane AND d.place < c.place ORDER BY d.place DESC LIMIT 1
  )), c.id, c.type, 'waiting', 0, now()
  FROM feed CROSS JOIN chosen c
  ON CONFLICT (feed_id, place) DO UPDATE SET status = 'waiting', attempts = 0, first_tried_at = NULL, next_at = ${AT_ONCE('webhook_deliveries')}
  WHERE webhook_deliveries.status <> 'waiting'
)
SELECT count(*) AS count, coalesce(max(place), $4::bigint) AS last FROM chosen`;
const REPLAY_PARKED = `
WITH chosen AS (
  SELECT feed_id, place FROM webhook_deliveries
  WHERE feed_id = ${FEED_ID} AND status = 'parked' AND place > $2::bigint ORDER BY place LIMIT $3::int FOR UPDATE
), again AS (
  UPDATE webhook_deliveries d SET status = 'waiting', attempts = 0, first_tried_at = NULL, next_at = ${AT_ONCE('d')}
  FROM chosen WHERE d.feed_id = chosen.feed_id AND d.place = chosen.place
)
SELECT count(*) AS count, coalesce(max(place), $2::bigint) AS last FROM chosen`;

function toReplayed(rows: Row[]): Replayed {
  const { count, last } = required(rows[0], 'a count is a row') as Row & Replayed;
  return { count, last };
}

/** Has events sent again that were recorded in a range of time, or for the first time what the endpoint missed; as far as its feed is. */
export async function replayRange(
  tx: Tx,
  endpointId: string,
  { from, until, after, types, limit }: { from: Date; until: Date; after: number; types: EventType[]; limit: number },
): Promise<Replayed> {
  const range = [from.toISOString(), until.toISOString()];
  return toReplayed(
    await tx.query(REPLAY_RANGE, [endpointId, ...range, after, types.length > 0 ? types : null, limit]),
  );
}

/** Has all that was given up sent again. */
export async function replayParked(tx: Tx, endpointId: string, after: number, limit: number): Promise<Replayed> {
  return toReplayed(await tx.query(REPLAY_PARKED, [endpointId, after, limit]));
}

const DROP = `
WITH old AS (
  SELECT d.feed_id, d.place FROM webhook_feeds f CROSS JOIN event_log l CROSS JOIN LATERAL (
    SELECT o.feed_id, o.place FROM webhook_deliveries o
    WHERE o.feed_id = f.id AND (f.endpoint_id IS NULL OR o.place <= l.dropped_place) ORDER BY o.place LIMIT $1::int
  ) AS d LIMIT $1::int
), dropped AS (
  DELETE FROM webhook_deliveries d USING old WHERE d.feed_id = old.feed_id AND d.place = old.place RETURNING d.feed_id, d.lane, d.status
), woken AS (
  UPDATE webhook_deliveries d SET next_at = ${AT_ONCE('d')} FROM (SELECT DISTINCT feed_id, lane FROM dropped WHERE status = 'waiting') AS held
  WHERE d.feed_id = held.feed_id AND d.lane = held.lane AND d.status = 'waiting' AND d.place > (SELECT dropped_place FROM event_log)
)
SELECT count(*) AS count FROM dropped`;
const DROP_FEEDS = `DELETE FROM webhook_feeds f WHERE f.endpoint_id IS NULL AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.feed_id = f.id)`;

/** Drops some deliveries whose events went by age, or whose endpoint is gone; how many. What waited behind one is looked at. */
export async function dropDeliveries(tx: Tx, limit: number): Promise<number> {
  const [row] = await tx.query<Row & { count: number }>(DROP, [limit]);
  const count = row?.count ?? 0;
  if (count === 0) await tx.query(DROP_FEEDS);
  return count;
}

/** How long the oldest delivery that nobody sees to has been due, in milliseconds; 0 when there is none. */
export async function findDeliveryLagMs(tx: Tx): Promise<number> {
  const [row] = await tx.query<Row & { lag: number | null }>(
    `SELECT round(max(extract(epoch FROM now() - d.next_at)) * 1000)::bigint AS lag
     FROM webhook_feeds f JOIN webhook_endpoints e ON e.id = f.endpoint_id
     CROSS JOIN LATERAL (SELECT w.next_at FROM webhook_deliveries w WHERE w.feed_id = f.id AND w.next_at <= now() ORDER BY w.next_at LIMIT 1) AS d
     WHERE e.is_enabled AND e.url IS NOT NULL AND (f.lease_until IS NULL OR f.lease_until <= now())
       AND (f.paused_until IS NULL OR f.paused_until <= now())`,
  );
  return row?.lag ?? 0;
}
