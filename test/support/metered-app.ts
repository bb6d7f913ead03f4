// An application with a metered route, as a process of its own that tests kill. Prints its URL; a request that says so hangs in its handler.
import { fastify } from 'fastify';
import { createBursar } from '../../clients/typescript/src/bursar.js';
import { meterRoutes } from '../../clients/typescript/src/fastify.js';
import { createMeter } from '../../clients/typescript/src/meter.js';

const { APP_BURSAR_URL = '', APP_TOKEN = '', APP_JOURNAL = '' } = process.env;
const meter = await createMeter({
  bursar: createBursar({ url: APP_BURSAR_URL, token: APP_TOKEN, attempts: 1 }),
  customer: (request: { headers: Record<string, unknown> }) => ({ external_id: String(request.headers['x-session']) }),
  fail: 'open-with-journal',
  journal: APP_JOURNAL,
  ttlSeconds: 1,
  resendMs: 10,
});
const app = fastify();
await app.register(meterRoutes, { meter });
app.post(
  '/work',
  { config: { charges: { product_key: 'TOKENS', estimate: 60, usage: { field: 'used' } } } },
  async (request) => {
    if (request.headers['x-hang'] !== undefined) await new Promise(() => {});
    return { used: 35 };
  },
);
console.log(await app.listen({ host: '127.0.0.1', port: 0 }));
