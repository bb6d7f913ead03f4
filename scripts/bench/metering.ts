// What metering adds to a route, beside one that calls nothing: processor time of the application and round trips. Bursar is a stand-in that answers at once,
// in the process that also makes the load, so that the application's own time is what is measured.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const ROUNDS = 7;
const REQUESTS = 2_000;
const IN_FLIGHT = 16;
const RESERVATION = { allowed: true, id: '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d', committed_amount: 35, remaining: 65 };

interface Round {
  /** Microseconds of processor time of the application, and milliseconds, for one request. */
  cpuUs: number;
  latencyMs: number;
  calls: number;
}

/** Prints medians of rounds that take turns. */
export async function measureMetering(): Promise<void> {
  let calls = 0;
  const bursar = createServer((request, response) => {
    calls += 1;
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(RESERVATION));
    });
  });
  bursar.listen(0, '127.0.0.1');
  await once(bursar, 'listening');
  const app = await startApplication(bursar);
  try {
    const rounds: Record<'plain' | 'metered', Round[]> = { plain: [], metered: [] };
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const route of ['plain', 'metered'] as const) {
        const before = calls;
        const measured = await load(app.url, route);
        // the first round warms up
        if (round > 0) rounds[route].push({ ...measured, calls: (calls - before) / REQUESTS });
      }
    }
    for (const [route, each] of Object.entries(rounds)) {
      const [cpu, latency, trips] = (['cpuUs', 'latencyMs', 'calls'] as const).map((name) =>
        median(each.map((one) => one[name])),
      );
      console.log(
        `${route.padEnd(8)} ${cpu?.toFixed(0)} µs CPU, ${latency?.toFixed(2)} ms, ${trips?.toFixed(2)} calls of Bursar a request`,
      );
    }
  } finally {
    app.stop();
    bursar.closeAllConnections();
    bursar.close();
  }
}

async function startApplication(bursar: Server): Promise<{ url: string; stop(): void }> {
  const { port } = bursar.address() as AddressInfo;
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('metering-app.ts', import.meta.url))],
    {
      env: { ...process.env, BENCH_BURSAR_URL: `http://127.0.0.1:${port}` },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    },
  );
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { url: line.toString().trim(), stop: () => void child.kill() };
}

async function load(url: string, route: string): Promise<Omit<Round, 'calls'>> {
  const cpu = async () => ((await (await fetch(`${url}/cpu`)).json()) as { us: number }).us;
  const beforeUs = await cpu();
  const startMs = performance.now();
  let left = REQUESTS;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const response = await fetch(`${url}/${route}`);
      if (!response.ok) throw new Error(`${route} answered ${response.status}: ${await response.text()}`);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  const tookMs = performance.now() - startMs;
  return { cpuUs: ((await cpu()) - beforeUs) / REQUESTS, latencyMs: (tookMs * IN_FLIGHT) / REQUESTS };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
