// What a process counts and measures of itself, told in the text form of Prometheus. What happens often is kept as plain numbers, and given to the library
// when somebody looks. Every metric has its name here or where its value is read; none has a label that callers choose.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds; an answer takes some milliseconds, and no more than a minute. */
const DURATION_BUCKETS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
const DELAY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const PARTED = ' ';

/** Counts of what two texts name together, of each of which there are few. */
export class Counts {
  readonly #counts = new Map<string, Map<string, number>>();

  add(first: string, second: string): void {
    const row = this.#counts.get(first) ?? new Map<string, number>();
    if (row.size === 0) this.#counts.set(first, row);
    row.set(second, (row.get(second) ?? 0) + 1);
  }

  /** Each pair, and how often it was counted. */
  *[Symbol.iterator](): Generator<[first: string, second: string, count: number]> {
    for (const [first, row] of this.#counts) for (const [second, count] of row) yield [first, second, count];
  }
}

/** A value, and its labels. */
export type Labelled = readonly [labels: Record<string, string>, value: number];

export interface Metrics {
  /** Answers, by method and route (`GET /api/v1/billing/orders/:id`) and by status and code (`402 insufficient_quota`, `200 `). */
  readonly answers: Counts;
  /** What became of operations: their name, and the code of the refusal or `accepted`. */
  readonly verdicts: Counts;
  /** Events that were written, by type. */
  readonly events: Counts;
  /** Attempts at sending an event, by what came of them. */
  readonly webhookAttempts: Counts;
  /** Reads that may lag, by who answered them, and why it was not the replica. */
  readonly replicaReads: Counts;
  /** Webhooks of payment providers, by provider and by what came of them. */
  readonly paymentWebhooks: Counts;
  /** How long an answer took, by method and route. */
  observeDuration(route: string, seconds: number): void;
  /** How many requests share a transaction of the lanes. */
  observeBatch(requests: number): void;
  /** The longest that the event loop was late in a moment. */
  observeDelay(seconds: number): void;
  /** A value that is read whenever somebody looks; the last that is told of a name counts. */
  watch(name: string, help: string, read: () => number): void;
  /** Values by labels, read whenever somebody looks. */
  watchEach(name: string, help: string, labelNames: readonly string[], read: () => readonly Labelled[]): void;
  /** All of them as text, and its content type. */
  tell(): Promise<{ text: string; contentType: string }>;
}

/** The metrics of a process, or of an app among several in one. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const counts = (name: string, help: string, labelNames: readonly string[]): Counts => {
    const counted = new Counts();
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect() {
        this.reset();
        for (const [first, second, count] of counted) {
          const values = [...first.split(PARTED), ...second.split(PARTED)];
          this.inc(Object.fromEntries(labelNames.map((label, at) => [label, values[at] ?? ''])), count);
        }
      },
    });
    return counted;
  };
  const histogram = <L extends string>(name: string, help: string, buckets: number[], labelNames: L[]) =>
    new Histogram({ name, help, buckets, labelNames, registers: [registry] });
  const gauge = (name: string, help: string, labelNames: readonly string[], set: (gauge: Gauge) => void): void => {
    registry.removeSingleMetric(name);
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect() {
        set(this);
      },
    });
  };

  const durations = histogram(
    'bursar_http_request_duration_seconds',
    'From the head of a request to the end of its answer, by route pattern.',
    DURATION_BUCKETS,
    ['method', 'route'],
  );
  const batches = histogram(
    'bursar_lane_batch_requests',
    'Requests that shared a transaction of the lanes.',
    BATCH_BUCKETS,
    [],
  );
  const delays = histogram(
    'bursar_event_loop_delay_seconds',
    'The longest delay of the event loop in each moment that was looked at.',
    DELAY_BUCKETS,
    [],
  );
  const labelsOfRoutes = new Map<string, { method: string; route: string }>();
  watchProcess(gauge);
  return {
    answers: counts('bursar_http_requests_total', 'Answers, by route pattern, status and code.', [
      'method',
      'route',
      'status',
      'code',
    ]),
    verdicts: counts('bursar_verdicts_total', 'What became of operations, those of bulk calls one by one.', [
      'operation',
      'code',
    ]),
    events: counts('bursar_events_total', 'Events that were written, by type.', ['type']),
    paymentWebhooks: counts('bursar_payment_webhooks_total', 'Webhooks of payment providers.', ['provider', 'outcome']),
    webhookAttempts: counts('bursar_webhook_attempts_total', 'Attempts at sending an event.', ['outcome']),
    replicaReads: counts('bursar_replica_reads_total', 'Reads that may lag, where there is a replica.', [
      'source',
      'reason',
    ]),
    observeDuration: (named, seconds) => {
      let labels = labelsOfRoutes.get(named);
      if (!labels) {
        const [method = '', route = ''] = named.split(PARTED);
        labels = { method, route };
        labelsOfRoutes.set(named, labels);
      }
      durations.observe(labels, seconds);
    },
    observeBatch: (requests) => batches.observe(requests),
    observeDelay: (seconds) => delays.observe(seconds),
    watch: (name, help, read) => gauge(name, help, [], (each) => each.set(read())),
    watchEach: (name, help, labelNames, read) =>
      gauge(name, help, labelNames, (each) => {
        each.reset();
        if (labelNames.length === 0) each.remove(); // else it would be 0
        for (const [labels, value] of read()) each.set(labels, value);
      }),
    tell: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}

/** What the process costs, under the names that dashboards know. */
function watchProcess(
  gauge: (name: string, help: string, labelNames: readonly string[], set: (gauge: Gauge) => void) => void,
): void {
  const MICROSECONDS = 1_000_000;
  const usage: readonly [string, string, () => number][] = [
    ['process_cpu_seconds_total', 'Processor time of the process.', () => cpuMicroseconds() / MICROSECONDS],
    ['process_resident_memory_bytes', 'Memory of the process.', () => process.memoryUsage.rss()],
    ['process_uptime_seconds', 'Since the process began.', () => process.uptime()],
    ['nodejs_heap_size_used_bytes', 'What the heap of V8 holds.', () => process.memoryUsage().heapUsed],
    ['nodejs_external_memory_bytes', 'What buffers outside of it hold.', () => process.memoryUsage().external],
  ];
  for (const [name, help, read] of usage) gauge(name, help, [], (each) => each.set(read()));
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
