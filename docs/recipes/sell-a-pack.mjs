// Sells a pack of 50 chat messages, and takes messages from it until it is empty. See sell-a-pack.md.
import { randomUUID } from 'node:crypto';
import { call, send } from './client.mjs';

// Once, when the shop is set up: what is counted, and how it is sold. PUT may be repeated.
await call('PUT', '/products/CHAT_MESSAGES', { name: 'Chat messages', type: 'quantity' });
await call('PUT', '/offers/CHAT_50', {
  name: '50 chat messages',
  price: '4.99',
  currency: 'USD',
  items: [{ product_key: 'CHAT_MESSAGES', quantity: 50 }],
});

// Somebody buys. The key makes a second click on "buy" give the same order.
const who = { provider: 'chat-app', external_id: randomUUID() };
const click = randomUUID();
const order = await call('POST', '/orders', { ...who, items: [{ sku: 'CHAT_50' }] }, click);
console.log(`order: ${order.total_amount} ${order.currency}, ${order.status}`);

// The payment provider's webhook reports the charge. Webhooks are repeated; the second call grants nothing.
const charge = { payment_id: `ch_${order.id}`, payment_method: 'stripe', amount: '4.99', currency: 'USD' };
const paid = await call('POST', `/orders/${order.id}/confirm`, charge);
const again = await call('POST', `/orders/${order.id}/confirm`, charge);
console.log(`confirmed: ${paid.status}, ${paid.batches[0].granted} messages`);
console.log(`reported again, same answer: ${JSON.stringify(again) === JSON.stringify(paid)}`);

// Each use has an id of yours, which is the key too: a retry after a lost answer takes nothing more.
const use = { ...who, product_key: 'CHAT_MESSAGES', amount: 30, action_type: 'chat', action_id: 'thread-1' };
const used = await call('POST', '/quota/consume', use, 'thread-1');
console.log(`used ${used.amount}, left ${used.remaining}`);

// Too much is refused as a whole, and the refusal says what to offer.
const refused = await send('POST', '/quota/consume', { ...use, action_id: 'thread-2' }, 'thread-2');
const { code, requested, available, upgrade_skus } = refused.body;
console.log(`${refused.status} ${code}: ${requested} asked for, ${available} there, offer ${upgrade_skus}`);

const query = new URLSearchParams(who);
const entries = await call('GET', `/wallet/entries?${query}`);
console.log(
  `ledger: ${entries.data.map(({ kind, amount, balance_after }) => `${kind} ${amount} -> ${balance_after}`).join(', ')}`,
);
