// The load generator: a process of its own, so that it does not share the event loop of what it measures. Takes jobs over its IPC channel, one at
// a time, and answers each with its outcome.
import { type Connection, openConnection } from './connection.js';
import type { Job, Outcome } from './job.js';
import { createRequests, type Requests } from './requests.js';
import { percentile, sorted } from './statistics.js';

const SUCCESSES: readonly number[] = [200, 201];
const REFUSALS: readonly number[] = [402, 409, 429];
/** Between two looks at which requests are due. */
const TICK_MS = 1;

process.on('message', (job: Job) => {
  runJob(job).then(
    (outcome) => process.send?.({ outcome }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());

interface Line {
  connection: Connection;
  next: Requests;
  lastBody: string | undefined;
}

interface Tally {
  /** The statuses that the kind of request wants. */
  wanted: readonly number[];
  latencies: number[];
  ok: number;
  refused: number;
  errors: Record<string, number>;
}

async function runJob(job: Job): Promise<Outcome> {
  const requests = createRequests(job);
  const lines = Array.from(
    { length: job.connections },
    (_, at): Line => ({
      connection: openConnection(job.urls[at % job.urls.length] as string),
      next: requests.makeConnection(),
      lastBody: undefined,
    }),
  );
  const wanted = job.kind === 'refusal' ? REFUSALS : SUCCESSES;
  const tally: Tally = { wanted, latencies: [], ok: 0, refused: 0, errors: {} };
  const startMs = performance.now();
  const window = { fromMs: startMs + job.warmUpMs, toMs: startMs + job.warmUpMs + job.measureMs };
  await (job.ratePerS === undefined
    ? Promise.all(lines.map((line) => sendInTurn(line, window, tally)))
    : sendAtRate(lines, job.ratePerS, startMs, window, tally));
  for (const { connection } of lines) connection.close();
  const latencies = sorted(tally.latencies);
  return {
    perS: tally.ok / (job.measureMs / 1_000),
    ok: tally.ok,
    refused: tally.refused,
    errors: tally.errors,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    p999: percentile(latencies, 0.999),
    latencies: job.ratePerS === undefined ? [] : [...latencies],
  };
}

interface Window {
  fromMs: number;
  toMs: number;
}

/** Closed loop: the next request goes when the last is answered. */
async function sendInTurn(line: Line, window: Window, tally: Tally): Promise<void> {
  for (let sentMs = performance.now(); sentMs < window.toMs; sentMs = performance.now()) {
    const result = await exchange(line);
    const nowMs = performance.now();
    if (nowMs >= window.fromMs && nowMs <= window.toMs) count(result, nowMs - sentMs, tally);
  }
}

/**
 * Open loop: requests fall due at a fixed rate and wait for a free connection if need be. Each is measured from the instant at which it fell due,
 * so a stall counts for all that it delayed.
 */
function sendAtRate(
  lines: readonly Line[],
  ratePerS: number,
  startMs: number,
  window: Window,
  tally: Tally,
): Promise<void> {
  const free = [...lines];
  const gapMs = 1_000 / ratePerS;
  const total = Math.floor((window.toMs - startMs) / gapMs);
  let sent = 0;
  let answered = 0;
  return new Promise((resolve) => {
    const send = (line: Line, dueMs: number): void => {
      void exchange(line).then((result) => {
        if (dueMs >= window.fromMs) count(result, performance.now() - dueMs, tally);
        free.push(line);
        answered += 1;
        if (answered === total) resolve();
        else sendDue();
      });
    };
    const sendDue = (): void => {
      const nowMs = performance.now();
      for (let dueMs = startMs + sent * gapMs; sent < total && dueMs <= nowMs; dueMs = startMs + sent * gapMs) {
        const line = free.pop();
        if (line === undefined) return;
        sent += 1;
        send(line, dueMs);
      }
    };
    const tick = (): void => {
      sendDue();
      if (sent < total) setTimeout(tick, TICK_MS);
    };
    tick();
  });
}

/** The status, or the code of what went wrong. */
async function exchange(line: Line): Promise<number | string> {
  try {
    const answer = await line.connection.send(line.next(line.lastBody));
    line.lastBody = answer.body;
    return answer.status;
  } catch (error) {
    line.lastBody = undefined;
    return (error as { code?: string }).code ?? 'unknown';
  }
}

function count(result: number | string, latencyMs: number, tally: Tally): void {
  if (tally.wanted.includes(result as number)) {
    tally.ok += 1;
    tally.latencies.push(latencyMs);
  } else if (REFUSALS.includes(result as number)) tally.refused += 1;
  else tally.errors[result] = (tally.errors[result] ?? 0) + 1;
}
