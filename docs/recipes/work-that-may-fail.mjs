// Work whose cost is known only afterwards, and that may fail: hold first, then pay for what was used. See work-that-may-fail.md.
import { randomUUID } from 'node:crypto';
import { call, send } from './client.mjs';

await call('PUT', '/products/TOKENS', { name: 'Tokens', type: 'quantity', is_currency: true });
const who = { provider: 'writer', external_id: randomUUID() };
await call('POST', '/credits/add', { ...who, product_key: 'TOKENS', amount: 100, description: 'welcome' });

async function show(when) {
  const { available, held, owed } = await call(
    'GET',
    `/credits/balance?${new URLSearchParams({ ...who, product_key: 'TOKENS' })}`,
  );
  console.log(`${when}: ${available} available, ${held} held, ${owed} owed`);
}

// Before the work: hold what it may cost at most. The key makes a repeated step of a workflow find its reservation again.
const hold = (job, amount) =>
  call('POST', '/reservations', { ...who, product_key: 'TOKENS', amount, ttl_seconds: 600, action_id: job }, job);
const first = await hold('text-1', 60);
await show('held');

// After it: pay for what was used. The rest comes back.
const { committed_amount, returned } = await call('POST', `/reservations/${first.id}/commit`, { amount: 35 });
console.log(`text-1: ${committed_amount} used, ${returned} returned`);

// Work that failed costs nothing.
const second = await hold('text-2', 40);
await call('POST', `/reservations/${second.id}/release`);
await show('failed');

// An ending may be repeated; another one is refused.
const again = await send('POST', `/reservations/${first.id}/release`);
console.log(`text-1 released: ${again.body.code}`);

// Work that is done already and was never held: take it even if there is too little.
const late = await call('POST', '/credits/deduct', { ...who, product_key: 'TOKENS', amount: 80, allow_negative: true });
console.log(`late: balance ${late.balance}`);
await call('POST', '/credits/add', { ...who, product_key: 'TOKENS', amount: 50 });
await show('topped up');

// The customer was not happy: give a part of it back.
const back = await call('POST', '/quota/release', { operation_id: late.operation_id, amount: 10 });
console.log(`given back: ${back.returned}, ${back.remaining} left`);
