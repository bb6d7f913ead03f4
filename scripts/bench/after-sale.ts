// What orders and refunds cost: orders with their confirmations a second, refunds of them a second, one refund of an order with as many batches as there may be, and
// whether memory grows over a longer run of all of it.
import { call, sampleMemory, thirdsOf } from './calls.js';
import { manyAtOnce } from './many-at-once.js';
import { type Server, type Service, startApi, watchMemory, withClient } from './processes.js';
import { processorSecondsOf } from './processor.js';
import { printTable, wholeNumber } from './report.js';
import { settleDatabase } from './seed.js';
import { median, percentile, sorted } from './statistics.js';

const ORDERS = 5_000;
const ORDERS_OF_LONG_RUN = 10_000;
const CUSTOMERS = 1_000;
const CONNECTIONS = 32;
const SLOW = 0.99;
const MIB = 1_048_576;
/** An order has 1,000 batches at most. */
const PRODUCTS = 50;
const LINES = 20;

/** Prints the figures; returns the databases, to be audited. */
export async function measureAfterSale(server: Server): Promise<string[]> {
  const databaseUrl = await server.createDatabase('bench_after_sale');
  await withClient(databaseUrl, settleDatabase);
  const api = await startApi({ DATABASE_URL: databaseUrl });
  await putCatalogue(api);
  const ids: string[] = [];
  const rows = [
    await burst(api, 'an order, and its confirmation', ORDERS, async (at) => {
      ids[at] = await sell(api, at);
    }),
    await burst(api, 'a refund of it', ORDERS, (at) => refund(api, ids[at])),
  ];
  const head = ['', 'a second', 'p50, ms', 'p99, ms', 'processor ms each', 'memory at most, MiB'];
  printTable(`After the sale, ${wholeNumber(ORDERS)} of each, ${CONNECTIONS} at a time`, head, rows);
  await measureLargeOrder(api);
  await measureLongRun(api);
  await api.stop();
  return [databaseUrl];
}

async function putCatalogue(api: Service): Promise<void> {
  const keys = Array.from({ length: PRODUCTS }, (_, at) => `UNITS_${at}`);
  for (const key of keys) await call(api, 'PUT', `/products/${key}`, { name: key, type: 'quantity' });
  const itemsOf = (of: readonly string[]) => of.map((product_key) => ({ product_key, quantity: 100 }));
  const offer = { price: '10.00', currency: 'USD' };
  await call(api, 'PUT', '/offers/PACK', { ...offer, name: 'Pack', items: itemsOf(keys.slice(0, 1)) });
  await call(api, 'PUT', '/offers/ALL', { ...offer, name: 'All', items: itemsOf(keys) });
}

/** An order of a customer, who pays it. */
async function sell(api: Service, at: number, items: readonly object[] = [{ sku: 'PACK' }]): Promise<string> {
  const order = await call(api, 'POST', '/orders', { external_id: `buyer_${at % CUSTOMERS}`, items });
  await call(api, 'POST', `/orders/${order.id}/confirm`, { payment_id: `paid_${order.id}` });
  return String(order.id);
}

async function refund(api: Service, orderId: string | undefined): Promise<void> {
  await call(api, 'POST', `/orders/${orderId}/refund`, { refund_id: `re_${orderId}` });
}

async function burst(
  api: Service,
  name: string,
  count: number,
  work: (at: number) => Promise<void>,
): Promise<string[]> {
  const processorS = processorSecondsOf(api.pid) ?? Number.NaN;
  const startMs = performance.now();
  const { result: tookMs, bytesMax } = await watchMemory(api.pid, () =>
    manyAtOnce(count, CONNECTIONS, async (at) => {
      const askedMs = performance.now();
      await work(at);
      return performance.now() - askedMs;
    }),
  );
  const seconds = (performance.now() - startMs) / 1_000;
  const usedMs = (((processorSecondsOf(api.pid) ?? Number.NaN) - processorS) * 1_000) / count;
  return [
    name,
    wholeNumber(count / seconds),
    wholeNumber(median(tookMs)),
    wholeNumber(percentile(sorted(tookMs), SLOW)),
    usedMs.toFixed(2),
    wholeNumber(bytesMax / MIB),
  ];
}

/** A half is refunded by an amount, then the rest. */
async function measureLargeOrder(api: Service): Promise<void> {
  const rows: string[][] = [];
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const startMs = performance.now();
    const { result, bytesMax } = await watchMemory(api.pid, work);
    rows.push([name, wholeNumber(performance.now() - startMs), wholeNumber(bytesMax / MIB)]);
    return result;
  };
  const items = Array.from({ length: LINES }, () => ({ sku: 'ALL' }));
  const orderId = await step('order and confirmation', () => sell(api, 0, items));
  const half = { amount: ((LINES * 10) / 2).toFixed(2), refund_id: `half_${orderId}` };
  await step('a refund of a half, by amount', () => call(api, 'POST', `/orders/${orderId}/refund`, half));
  await step('a refund of the rest', () => refund(api, orderId));
  const title = `An order with ${wholeNumber(PRODUCTS * LINES)} batches`;
  printTable(title, ['', 'ms', 'memory at most, MiB'], rows);
}

async function measureLongRun(api: Service): Promise<void> {
  const startMs = performance.now();
  const { memory } = await sampleMemory(api.pid, () =>
    manyAtOnce(ORDERS_OF_LONG_RUN, CONNECTIONS, async (at) => refund(api, await sell(api, at))),
  );
  const seconds = (performance.now() - startMs) / 1_000;
  const thirds = thirdsOf(memory);
  printTable(
    `Memory over ${wholeNumber(seconds)} s of orders that are paid and refunded, ${wholeNumber(ORDERS_OF_LONG_RUN)} of them, MiB`,
    ['third', 'median', 'most'],
    thirds.map((of, at) => [`${at + 1}`, wholeNumber(median(of)), wholeNumber(Math.max(...of))]),
  );
  const [, middle = [], last = []] = thirds;
  console.log(
    `\nthe last third is ${(median(last) / median(middle)).toFixed(2)} of the middle one (at most 1.1 is wanted)`,
  );
}
