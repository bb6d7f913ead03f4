// Follows what happens to a customer by the feed, without a public address. See follow-the-feed.md.
import { randomUUID } from 'node:crypto';
import { call } from './client.mjs';

await call('PUT', '/products/MINUTES', { name: 'Minutes', type: 'quantity', low_balance_threshold: 5 });
const who = { provider: 'feed-app', external_id: randomUUID() };
await call('POST', '/grants', { ...who, grant_type: 'bonus', product_key: 'MINUTES', quantity: 10 });

// In a real program the cursor is stored with what was done; without one the feed begins with the oldest event.
let cursor;

/** Reads the next page, waiting for a first event if there is none. */
async function next(wait_s) {
  const query = new URLSearchParams({ ...who, wait_s, ...(cursor && { cursor }) });
  const page = await call('GET', `/events?${query}`);
  cursor = page.next_cursor;
  return page.data;
}

/** Reads on until so many events came: a page ends where others still write. */
async function read(count) {
  for (let seen = 0; seen < count; ) {
    const events = await next(30);
    for (const { type, sequence } of events) console.log(`${type} ${sequence}`);
    seen += events.length;
  }
}

await read(2);
console.log(`page after that: ${(await next(0)).length} events`);
await call('POST', '/quota/consume', { ...who, product_key: 'MINUTES', amount: 6 });
await read(1);
