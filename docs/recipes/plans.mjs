// Four plans: one that costs nothing, one by the month with rollover, one by the year that gives units each month, one by the year with a trial. See plans.md.
import { randomUUID } from 'node:crypto';
import { call } from './client.mjs';

const month = { unit: 'months', count: 1 };
const monthly = (quantity) => [{ product_key: 'WORDS', quantity, period_unit: 'months', period_value: 1 }];
await call('PUT', '/products/WORDS', { name: 'Words', type: 'quantity' });
await call('PUT', '/products/ARCHIVE', { name: 'Archive', type: 'period' });
await call('PUT', '/offers/WORDS_FREE', {
  name: 'Free',
  price: '0',
  currency: 'EUR',
  recurrence: month,
  plan_group: 'words',
  items: monthly(20),
});
await call('PUT', '/offers/WORDS_PRO', {
  name: 'Pro, by the month',
  price: '9.00',
  currency: 'EUR',
  recurrence: month,
  plan_group: 'words',
  plan: { rollover: 'cap', rollover_cap: 500, grace_days: 3 },
  items: monthly(1_000),
});
await call('PUT', '/offers/WORDS_YEARLY', {
  name: 'Pro, by the year',
  price: '90.00',
  currency: 'EUR',
  recurrence: { unit: 'years', count: 1 },
  plan_group: 'words',
  plan: { grant_every: month, rollover: 'cap', rollover_cap: 500, grace_days: 3 },
  items: monthly(1_200),
});
await call('PUT', '/offers/ARCHIVE_YEARLY', {
  name: 'The archive, by the year',
  price: '60.00',
  currency: 'EUR',
  recurrence: { unit: 'years', count: 1 },
  plan_group: 'archive',
  plan: { trial_period: { unit: 'weeks', count: 2 }, grace_days: 7, grace_access: true },
  items: [{ product_key: 'ARCHIVE', period_unit: 'years', period_value: 1 }],
});

const who = { provider: 'press', external_id: randomUUID() };
async function words() {
  const { balances } = await call('GET', `/wallet?${new URLSearchParams(who)}`);
  return balances.WORDS;
}

const free = await call('POST', '/subscriptions', { ...who, sku: 'WORDS_FREE' });
console.log(`free: ${free.status}, ${await words()} words`);
const again = await call('POST', '/subscriptions', { ...who, sku: 'WORDS_FREE' });
console.log(`subscribed again: ${again.id === free.id ? 'the same' : 'another'}, ${await words()} words`);

const change = await call('POST', `/subscriptions/${free.id}/change`, { sku: 'WORDS_PRO', when: 'now' });
console.log(`to be paid for pro: ${change.order.total_amount} ${change.order.currency}`);
await call('POST', `/orders/${change.order.id}/confirm`, { payment_id: randomUUID() });
const pro = await call('GET', `/subscriptions/${free.id}`);
console.log(`paid: ${pro.sku}, ${pro.status}, ${await words()} words`);

const year = await call('POST', `/subscriptions/${free.id}/change`, { sku: 'WORDS_YEARLY', when: 'now' });
const paid = await call('POST', `/orders/${year.order.id}/confirm`, { payment_id: randomUUID() });
const { allocates_at } = await call('GET', `/subscriptions/${free.id}`);
console.log(
  `paid for a year: ${paid.batches_total} allocations, ${await words()} words, more in a month: ${allocates_at > paid.paid_at}`,
);

const yearly = await call('POST', '/subscriptions', { ...who, sku: 'ARCHIVE_YEARLY' });
console.log(`yearly: ${yearly.status}, nothing to pay yet: ${yearly.order === null}`);
const cancelled = await call('POST', `/subscriptions/${yearly.id}/cancel`, {});
console.log(`cancelled: ${cancelled.status} until its trial ends: ${cancelled.cancels_at_period_end}`);
