// What waits for a receiver after an outage: how fast it is delivered, by whom memory is held meanwhile, and whether each event arrives, in order.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { residentBytes, type Server, startApi, withClient } from './processes.js';

const CUSTOMERS = 1_000;
const EVENTS_EACH = 100;
const ALL = CUSTOMERS * EVENTS_EACH;
const LOOK_MS = 500;
const WAIT_MAX_MS = 600_000;
const MIB = 1_048_576;

const FILL = `
WITH made AS (
  INSERT INTO customers (id, next_event, created_at, last_recorded_at)
  SELECT gen_random_uuid(), ${EVENTS_EACH + 1}, now(), now() FROM generate_series(1, ${CUSTOMERS}) RETURNING id
)
INSERT INTO events (customer_id, number, id, type, schema_version, subject_id, data, recorded_at)
SELECT id, number, gen_random_uuid(), 'quota.low', 1, id, '{"productKey": "CREDITS", "balance": 1, "threshold": 2}', now()
FROM made CROSS JOIN generate_series(1, ${EVENTS_EACH}) number ORDER BY number, id`;

/** Prints deliveries a second, and memory in thirds of the time. */
export async function measureWebhooks(server: Server): Promise<void> {
  const databaseUrl = await server.createEmptyDatabase('bench_webhooks');
  const { url, token, pid } = await startApi({ DATABASE_URL: databaseUrl, BURSAR_WEBHOOK_ALLOW_PRIVATE: 'true' });
  const numbers = new Map<string, number>();
  let arrived = 0;
  let doubled = 0;
  const receiver = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { customer, sequence } = JSON.parse(Buffer.concat(parts).toString()) as {
        customer: { id: string };
        sequence: number;
      };
      const last = numbers.get(customer.id) ?? 0;
      if (sequence === last + 1) arrived += 1;
      else doubled += 1;
      numbers.set(customer.id, Math.max(last, sequence));
      response.writeHead(204).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  const endpoint = async (enabled: boolean) => {
    const answer = await fetch(`${url}/api/v1/billing/webhook-endpoints/bench`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ url: `http://127.0.0.1:${port}/`, types: ['quota.low'], enabled }),
    });
    if (!answer.ok) throw new Error(`the endpoint was not taken: ${await answer.text()}`);
  };
  try {
    await endpoint(true);
    receiver.close(); // down: nobody listens
    receiver.closeAllConnections();
    await withClient(databaseUrl, async (client) => {
      await client.query(FILL);
      await client.query('UPDATE event_log SET told_since = clock_timestamp()');
    });
    await delay(5_000);
    receiver.listen(port, '127.0.0.1');
    await once(receiver, 'listening');
    const samples: number[] = [];
    const begunMs = performance.now();
    let firstMs: number | undefined;
    while (arrived < ALL && performance.now() - begunMs < WAIT_MAX_MS) {
      await delay(LOOK_MS);
      if (arrived > 0) firstMs ??= performance.now();
      if (firstMs !== undefined) samples.push(residentBytes(pid) ?? Number.NaN);
    }
    const tookS = (performance.now() - (firstMs ?? begunMs)) / 1_000;
    const third = Math.floor(samples.length / 3);
    const most = (from: number, to: number) => (Math.max(...samples.slice(from, to)) / MIB).toFixed(0);
    console.log(
      `${arrived} of ${ALL} events in order, ${doubled} again or out of order, in ${tookS.toFixed(0)} s after the first: ` +
        `${(arrived / tookS).toFixed(0)} deliveries a second; memory by thirds ` +
        `${most(0, third)}, ${most(third, 2 * third)}, ${most(2 * third, samples.length)} MiB`,
    );
  } finally {
    receiver.closeAllConnections();
    receiver.close();
  }
}
