// An application whose routes cost as many tokens as a model uses: held before, charged after. See charge-for-tokens.md.
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { fastify } from 'fastify';
import { register } from 'tsx/esm/api';
import { token, url } from './client.mjs';

// In an application of its own: import { createBursar } from '@bursar/client', and so on.
register();
const { createBursar } = await import('../../clients/typescript/src/bursar.ts');
const { createMeter } = await import('../../clients/typescript/src/meter.ts');
const { meterRoutes } = await import('../../clients/typescript/src/fastify.ts');

/** A model that needs no more than its prompt: every word of it is a token, and so is every word of the answer. */
function* model(prompt) {
  if (prompt.includes('impossible')) throw new Error('the model failed');
  for (const word of prompt.split(' ')) yield word.toUpperCase();
}
const countTokens = (...texts) => texts.join(' ').split(' ').length;

// What the application sells.
const bursar = createBursar({ url, token });
await bursar.putProduct({ key: 'TOKENS', name: 'Tokens', type: 'quantity', is_currency: true });
const items = [{ product_key: 'TOKENS', quantity: 1_000 }];
await bursar.putOffer({ sku: 'TOKENS_1000', name: '1,000 tokens', price: '5.00', currency: 'USD', items });

// The application: who is signed in is its own business.
const sessions = new Map();
const app = fastify({ forceCloseConnections: true });
app.addHook('onRequest', async (request) => {
  request.user = sessions.get(request.headers['x-session']);
});
const meter = await createMeter({ bursar, customer: ({ user }) => user, fail: 'closed' });
await app.register(meterRoutes, { meter });

const estimate = { header: 'X-Estimated-Tokens', min: 10, max: 500, otherwise: 20 };
const tokens = { product_key: 'TOKENS', estimate, action_type: 'write' };

app.post('/write', { config: { charges: { ...tokens, usage: { field: 'usage.total_tokens' } } } }, async ({ body }) => {
  const text = [...model(body.prompt)].join(' ');
  return { text, usage: { total_tokens: countTokens(body.prompt, text) } };
});

app.post('/stream', { config: { charges: { ...tokens, usage: 'handler' } } }, async ({ body, metering }, reply) => {
  async function* write() {
    let used = countTokens(body.prompt);
    for (const word of model(body.prompt)) {
      await turn(); // a model takes its time
      yield `${word} `;
      used += 1;
    }
    metering.setUsage(used);
  }
  return reply.type('text/plain').send(Readable.from(write()));
});
const address = await app.listen({ host: '127.0.0.1', port: 0 });

// Somebody who uses it.
const who = { provider: 'writer', external_id: randomUUID() };
sessions.set('of-alice', who);
await bursar.addCredits({ ...who, product_key: 'TOKENS', amount: 60 });

const ask = (path, prompt, headers = { 'x-session': 'of-alice' }) =>
  fetch(`${address}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ prompt }),
  });

async function show(what) {
  for (;;) {
    const { available, held } = await bursar.getCreditsBalance({ ...who, product_key: 'TOKENS' });
    if (held === 0) return console.log(`${what}, ${available} left`);
    await turn(); // the end of a stream is charged just after it
  }
}

const nobody = await ask('/write', 'a poem', {});
console.log(`signed out: ${nobody.status} ${(await nobody.json()).code}`);

const poem = await ask('/write', 'the rain in spain');
console.log(`poem: ${(await poem.json()).text}`);
await show(`poem: ${poem.headers.get('x-credits-deducted')} deducted`);

const story = await ask('/stream', 'once upon a time');
console.log(`story: ${(await story.text()).trim()}`);
await show('story: charged at its end');

const failed = await ask('/write', 'an impossible thing');
await show(`failed: ${failed.status}`);

const novel = await ask('/write', 'a novel', { 'x-session': 'of-alice', 'x-estimated-tokens': '200' });
const { code, available, upgrade_offers } = await novel.json();
console.log(
  `novel: ${novel.status} ${code}, ${available} available, ${upgrade_offers.map(({ name }) => name)} would help`,
);

await app.close();
