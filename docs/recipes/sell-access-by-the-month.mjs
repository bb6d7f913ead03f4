// Sells access to an archive by the month; a second purchase begins when the first ends. See sell-access-by-the-month.md.
import { randomUUID } from 'node:crypto';
import { call } from './client.mjs';

await call('PUT', '/products/ARCHIVE_ACCESS', { name: 'Archive', type: 'period', features: ['read_archive'] });
await call('PUT', '/offers/ARCHIVE_MONTH', {
  name: 'The archive for a month',
  price: '3.00',
  currency: 'EUR',
  items: [{ product_key: 'ARCHIVE_ACCESS', period_unit: 'months', period_value: 1 }],
});

const who = { provider: 'web', external_id: randomUUID() };
const query = new URLSearchParams({ ...who, feature: 'read_archive' });

async function buy(quantity) {
  const order = await call('POST', '/orders', { ...who, items: [{ sku: 'ARCHIVE_MONTH', quantity }] });
  const charge = { payment_id: `ch_${order.id}`, amount: order.total_amount, currency: order.currency };
  const paid = await call('POST', `/orders/${order.id}/confirm`, charge);
  return paid.batches[0];
}

/** Calendar months from one instant to another, as far as the date's month and year go. */
function monthsBetween(from, to) {
  const [a, b] = [new Date(from), new Date(to)];
  return (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth();
}

// A paywall asks before it shows anything. Somebody never seen is no error.
const before = await call('GET', `/balance?${query}`);
console.log(`before: ${before.can_use}`);

const first = await buy(1);
console.log(`first purchase: ${monthsBetween(first.valid_from, first.expires_at)} month, ${first.state}`);

// Bought early: the new months are added behind the present one. A quantity multiplies the length.
const second = await buy(3);
console.log(`second purchase: ${monthsBetween(second.valid_from, second.expires_at)} months, ${second.state}`);
console.log(`it begins when the first ends: ${second.valid_from === first.expires_at}`);

const after = await call('GET', `/balance?${query}`);
console.log(
  `after: ${after.can_use}, remaining ${after.remaining}, until the end of both: ${after.expires_at === second.expires_at}`,
);

// Nothing is taken from access, but its use is logged.
const use = await call('POST', '/quota/consume', { ...who, feature: 'read_archive' }, 'article-17');
console.log(`read an article: ${use.allowed}, remaining ${use.remaining}`);
