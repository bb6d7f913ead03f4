// The ceiling: a process that answers a route with the authentication, body and answer of POST /quota/consume from memory, beside all that
// the product's HTTP layer does. Touches no database.
import { pino } from 'pino';
import { buildApp, type RegisterRoutes } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { createDb } from '../../src/db/client.js';
import { createOver } from '../../src/engine/create.js';
import { defineRoute } from '../../src/http/route.js';
import { renderJson } from '../../src/http/serialisation.js';
import { systemClock } from '../../src/lib/clock.js';
import { uuidIds } from '../../src/lib/ids.js';
import { createMetrics } from '../../src/lib/metrics.js';
import { createTurns } from '../../src/lib/turns.js';
import { consumeAnswer, consumeBody } from '../../src/schemas/quota.js';

const registerCeiling: RegisterRoutes = (app, { ids }) => {
  defineRoute(app, {
    method: 'POST',
    url: '/bench/consume',
    operationId: 'benchConsume',
    summary: 'Answer as a consume does',
    tag: 'quota',
    access: 'consume',
    body: consumeBody,
    responses: { 200: consumeAnswer },
    problems: ['insufficient_quota'],
    handler: ({ body }) => {
      const { product_key = '', amount, metadata } = body;
      const answer = {
        allowed: true as const,
        operation_id: ids.next(),
        usage_id: ids.next(),
        product_key,
        amount,
        remaining: 1,
        taken: [{ batch_id: ids.next(), product_key, amount }],
        warnings: [],
        metadata,
      };
      return { status: 200, body: renderJson(consumeAnswer, answer), replayed: false };
    },
  });
};

const log = pino({ level: 'warn' });
const { config } = readConfig(process.env, process.cwd());
const { databaseUrl = '', apiToken = '', pepper = '', secretKey = 'of-the-ceiling' } = config;
const db = createDb(databaseUrl, log);
const foundations = {
  db,
  clock: systemClock,
  ids: uuidIds,
  log,
  config: { ...config, apiToken, pepper, secretKey },
  turns: createTurns(),
  metrics: createMetrics(),
};
const deps = createOver(foundations);
const app = await buildApp(deps, { extraResources: [registerCeiling] });
console.log(`Bursar is ready: ${await app.listen({ host: '127.0.0.1', port: 0 })}`);
