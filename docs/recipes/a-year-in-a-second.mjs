// What happens to a customer in a year, without waiting for it: the test clock. See a-year-in-a-second.md.
import { randomUUID } from 'node:crypto';
import { call, send } from './client.mjs';

const clock = await send('GET', '/sandbox/clock');
if (clock.status === 404)
  throw new Error('this recipe sets the clock: start with BURSAR_SANDBOX=true, and a data folder to throw away');

await call('PUT', '/products/LESSONS', { name: 'Lessons', type: 'quantity' });
const months = [1, 3, 12];
const items = months.map((value) => ({
  product_key: 'LESSONS',
  quantity: 10,
  period_unit: 'months',
  period_value: value,
}));
await call('PUT', '/offers/COURSE', { name: 'Course', price: '90.00', currency: 'EUR', items });
const who = { provider: 'school', external_id: randomUUID() };
await call('POST', '/grants', { ...who, grant_type: 'bonus', sku: 'COURSE' });
await call('POST', '/quota/consume', { ...who, product_key: 'LESSONS', amount: 4 });
await call('POST', '/orders', { ...who, items: [{ sku: 'COURSE' }] });

async function show(when) {
  const { balances } = await call('GET', `/wallet?${new URLSearchParams(who)}`);
  console.log(`${when}: ${balances.LESSONS} lessons`);
}

await show('today');
// A day more each time: a month from the 29th may end on the 28th.
for (const advance of ['P1M1D', 'P2M1D', 'P9M1D']) {
  const { complete } = await call('PUT', '/sandbox/clock', { advance });
  if (!complete) throw new Error('there was more due than one call goes through: send it again');
  await show(`after ${advance}`);
}

const { data } = await call('GET', `/events?${new URLSearchParams({ ...who, limit: '200', wait_s: '5' })}`);
console.log(data.map(({ type }) => type).join('\n'));
const back = await send('PUT', '/sandbox/clock', { now: '2020-01-01T00:00:00Z' });
console.log(back.body.code);
