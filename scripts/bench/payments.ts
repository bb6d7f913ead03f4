// What webhooks of payment providers cost: a burst that is only stored, one of payments that each pay an order, and the same once more. Prints answers a
// second, how long the answers take, how long it takes until all is applied, and memory by thirds.
import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { manyAtOnce } from './many-at-once.js';
import { residentBytes, type Server, type Service, startApi, withClient } from './processes.js';
import { processorSecondsOf } from './processor.js';
import { printTable, wholeNumber } from './report.js';
import { percentile, sorted } from './statistics.js';

const BURST = 10_000;
const CONNECTIONS = 64;
const SECRET = 'whsec_of_the_bench';
const MIB = 1_048_576;
const LOOK_MS = 200;
const WAIT_MAX_MS = 900_000;
const SLOW = 0.99;
const BASE = '/api/v1/billing';

interface Figures {
  answersPerS: number;
  p99Ms: number;
  appliedPerS: number;
  processorMs: number;
  memory: number[];
}

/** Sends the bursts one after the other; returns the URL of the database, which is to be verified. */
export async function measurePayments(server: Server): Promise<string> {
  const databaseUrl = await server.createDatabase('bench_payments');
  const api = await startApi({
    DATABASE_URL: databaseUrl,
    BURSAR_STRIPE_WEBHOOK_SECRETS: SECRET,
  });
  const pool = new Pool(api.url, { connections: CONNECTIONS });
  try {
    await put(pool, api, '/products/CREDITS', { name: 'Credits', type: 'quantity' });
    const items = [{ product_key: 'CREDITS', quantity: 100 }];
    await put(pool, api, '/offers/PACK', { name: 'Pack', price: '9.99', currency: 'USD', items });
    const orders = await placeOrders(pool, api);
    process.stderr.write(`${wholeNumber(BURST)} orders are placed\n`);
    const payments = orders.map((order, at) => ({
      ...eventOf('payment_intent.succeeded', `evt_pay_${at}`),
      data: {
        object: { id: `pi_${at}`, amount: 999, amount_received: 999, currency: 'usd', metadata: { order_id: order } },
      },
    }));
    const strangers = orders.map((_, at) => ({
      ...eventOf('customer.updated', `evt_other_${at}`),
      data: { object: {} },
    }));
    const rows: string[][] = [];
    for (const [name, events] of [
      ['only stored', strangers],
      ['paying an order each', payments],
      ['told again', payments],
    ] as const) {
      const { answersPerS, p99Ms, appliedPerS, processorMs, memory } = await burst(pool, api, databaseUrl, events);
      const thirds = memory.map((bytes) => (bytes / MIB).toFixed(0)).join(', ');
      const figures = [answersPerS, p99Ms, appliedPerS].map(wholeNumber);
      rows.push([name, ...figures, processorMs.toFixed(2), thirds]);
    }
    printTable(
      `Webhooks of a payment provider, ${wholeNumber(BURST)} of each, ${CONNECTIONS} at a time`,
      ['', 'answers/s', 'p99, ms', 'all done/s', 'processor ms each', 'memory by thirds, MiB'],
      rows,
    );
  } finally {
    await pool.close();
    await api.stop();
  }
  return databaseUrl;
}

function eventOf(type: string, id: string) {
  return { id, object: 'event', created: Math.floor(Date.now() / 1_000), livemode: false, type };
}

async function put(pool: Pool, { token }: Service, path: string, body: unknown): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await pool.request({ method: 'PUT', path: `${BASE}${path}`, headers, body: JSON.stringify(body) });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${path} answered ${answer.statusCode}: ${text}`);
}

async function placeOrders(pool: Pool, { token }: Service): Promise<string[]> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return manyAtOnce(BURST, CONNECTIONS, async (at) => {
    const body = JSON.stringify({ external_id: `payer_${at}`, items: [{ sku: 'PACK' }] });
    const answer = await pool.request({ method: 'POST', path: `${BASE}/orders`, headers, body });
    const { id } = (await answer.body.json()) as { id?: string };
    if (id === undefined) throw new Error(`an order was answered ${answer.statusCode}`);
    return id;
  });
}

/** Sends events as fast as they are answered, and waits until none of them waits. */
async function burst(pool: Pool, { pid }: Service, databaseUrl: string, events: readonly object[]): Promise<Figures> {
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(residentBytes(pid) ?? Number.NaN), LOOK_MS);
  const processorS = processorSecondsOf(pid) ?? Number.NaN;
  const begunMs = performance.now();
  try {
    const tookMs = await manyAtOnce(events.length, CONNECTIONS, async (at) => {
      const raw = JSON.stringify(events[at]);
      const startMs = performance.now();
      const headers = { 'content-type': 'application/json', 'stripe-signature': signatureOf(raw) };
      const answer = await pool.request({ method: 'POST', path: `${BASE}/payments/stripe`, headers, body: raw });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`a webhook was answered ${answer.statusCode}: ${text}`);
      return performance.now() - startMs;
    });
    const answeredMs = performance.now() - begunMs;
    await withClient(databaseUrl, async (client) => {
      for (;;) {
        const { rows } = await client.query(`SELECT FROM payment_inbox WHERE status = 'waiting' LIMIT 1`);
        if (rows.length === 0) return;
        if (performance.now() - begunMs > WAIT_MAX_MS) throw new Error('events still wait');
        await delay(LOOK_MS);
      }
    });
    const doneMs = performance.now() - begunMs;
    const third = Math.ceil(samples.length / 3);
    return {
      answersPerS: (events.length / answeredMs) * 1_000,
      p99Ms: percentile(sorted(tookMs), SLOW),
      appliedPerS: (events.length / doneMs) * 1_000,
      processorMs: (((processorSecondsOf(pid) ?? Number.NaN) - processorS) * 1_000) / events.length,
      memory: [0, 1, 2].map((at) => Math.max(...samples.slice(at * third, (at + 1) * third))),
    };
  } finally {
    clearInterval(timer);
  }
}

/** As Stripe signs: a timestamp, and HMAC-SHA-256 over it and the body. */
function signatureOf(raw: string): string {
  const at = Math.floor(Date.now() / 1_000);
  return `t=${at},v1=${createHmac('sha256', SECRET).update(`${at}.${raw}`).digest('hex')}`;
}
