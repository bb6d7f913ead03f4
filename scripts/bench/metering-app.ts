// The application that `npm run bench -- --metering` measures, as a process of its own: a route that calls nothing, the same one metered, and how much
// processor time the process has taken.
import { fastify } from 'fastify';
import { createBursar } from '../../clients/typescript/src/bursar.js';
import { meterRoutes } from '../../clients/typescript/src/fastify.js';
import { createMeter } from '../../clients/typescript/src/meter.js';

const bursar = createBursar({ url: process.env.BENCH_BURSAR_URL ?? '', token: 'bench' });
const meter = await createMeter({ bursar, customer: () => ({ external_id: 'bench' }), fail: 'closed' });
const app = fastify();
await app.register(meterRoutes, { meter });
const handler = async () => ({ text: 'done', usage: { total_tokens: 35 } });
app.get('/plain', handler);
const charges = { product_key: 'TOKENS', estimate: 60, usage: { field: 'usage.total_tokens' } };
app.get('/metered', { config: { charges } }, handler);
app.get('/cpu', async () => {
  const { user, system } = process.cpuUsage();
  return { us: user + system };
});
console.log(await app.listen({ host: '127.0.0.1', port: 0 }));
process.once('disconnect', () => void app.close());
