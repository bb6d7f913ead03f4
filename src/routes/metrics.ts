// What Prometheus scrapes: the metrics of this process, and beside them how late things are in the database. Outside the base path and the API document;
// for whoever has the token of metrics, or, where there is none, for anybody who reaches the port.
import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Lags } from '../db/lags.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import type { Build } from '../http/build.js';
import { hashOfToken } from '../lib/api-key.js';
import { createLagReader } from '../services/lags.js';

const MS_PER_S = 1_000;

/** A value that is read of the lags: its name, what it is, and where it stands. */
const OF_LAGS: readonly [name: string, help: string, read: (lags: Lags) => number][] = [
  [
    'bursar_feed_blocked_seconds',
    'How long the oldest transaction runs for whose end the feed of events waits.',
    ({ oldestTransactionMs }) => oldestTransactionMs / MS_PER_S,
  ],
  [
    'bursar_webhook_behind_events',
    'Events that the endpoint that is furthest behind has not been sent, nor put aside.',
    ({ behindEvents }) => behindEvents,
  ],
  [
    'bursar_webhook_waiting_deliveries',
    'Deliveries that are tried again; of each endpoint 1,000 are counted at most.',
    ({ waitingDeliveries }) => waitingDeliveries,
  ],
  [
    'bursar_webhook_parked_deliveries',
    'Deliveries that were given up; of each endpoint 1,000 are counted at most.',
    ({ parkedDeliveries }) => parkedDeliveries,
  ],
];

const OF_JOBS: readonly [name: string, help: string, read: (job: Lags['jobs'][number]) => number][] = [
  ['bursar_job_lag_seconds', 'How long the oldest work of a job is due.', ({ lagMs }) => lagMs / MS_PER_S],
  ['bursar_job_late', '1 when a job is later than it should be.', ({ isLate }) => Number(isLate)],
  ['bursar_job_failures', 'How often a job failed since it last succeeded.', ({ failures }) => failures],
];

/** Registers /metrics. */
export function registerMetrics(app: FastifyInstance, deps: Deps, build: Build): void {
  const { metrics, config } = deps;
  const readLags = createLagReader(deps);
  let lags: Lags | undefined;
  watchApp(app, deps, build);
  metrics.watch('bursar_database_up', '1 when the database told in time how late things are.', () => Number(!!lags));
  for (const [name, help, read] of OF_LAGS)
    metrics.watchEach(name, help, [], () => (lags === undefined ? [] : [[{}, read(lags)]]));
  for (const [name, help, read] of OF_JOBS)
    metrics.watchEach(name, help, ['job'], () => (lags?.jobs ?? []).map((job) => [{ job: job.name }, read(job)]));
  const expected = config.metricsToken === undefined ? undefined : hashOfToken(config.metricsToken);
  app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    if (expected && !isToken(request.headers.authorization, expected)) {
      reply.header('www-authenticate', 'Bearer realm="bursar metrics"');
      throw new AppError('unauthenticated', 'The token of metrics is missing or wrong.');
    }
    lags = await readLags();
    const { text, contentType } = await metrics.tell();
    return reply.header('content-type', contentType).send(text);
  });
}

/** What is known of this process without asking anybody. */
function watchApp(app: FastifyInstance, { metrics, db, config }: Deps, build: Build): void {
  const info = {
    version: build.version,
    commit: build.commit ?? 'unknown',
    node: process.versions.node,
    role: config.role,
  };
  metrics.watchEach('bursar_info', 'Which build runs, and as what.', Object.keys(info), () => [[info, 1]]);
  metrics.watch('bursar_http_requests_under_way', 'Requests that handlers work on.', () => app.underWay.count());
  metrics.watchEach(
    'bursar_pool_connections',
    'Connections to the database, by whether one is used.',
    ['state'],
    () => [
      [{ state: 'in_use' }, db.pool.totalCount - db.pool.idleCount],
      [{ state: 'idle' }, db.pool.idleCount],
    ],
  );
  metrics.watch('bursar_pool_connections_max', 'Connections that are opened at most.', () => config.poolSize);
  metrics.watch('bursar_pool_waiting_requests', 'Who waits for a connection.', () => db.pool.waitingCount);
}

function isToken(authorization: string | undefined, expected: Buffer): boolean {
  const token = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  return token !== undefined && timingSafeEqual(hashOfToken(token), expected);
}
