// An API with requests per hour and credits per month: limits on a feature and on the product that pays for it. See requests-per-hour.md.
import { randomUUID } from 'node:crypto';
import { call } from './client.mjs';

await call('PUT', '/products/API_CREDITS', {
  name: 'API credits',
  type: 'quantity',
  features: [
    { feature: 'api_search', unit_cost: 1 },
    { feature: 'api_report', unit_cost: 5 },
  ],
});

// Of all customers: three searches an hour, and thirty credits a month, whatever they go into.
await call('PUT', '/limits', { feature: 'api_search', windows: { hour: 3 } });
await call('PUT', '/limits', { product_key: 'API_CREDITS', windows: { month: 30 } });

const who = { provider: 'api', external_id: randomUUID() };
await call('POST', '/grants', { ...who, grant_type: 'bonus', product_key: 'API_CREDITS', quantity: 1_000 });

// What the API does before it answers. As a verdict, a refusal is an answer like any other.
async function admit(feature) {
  const verdict = await call('POST', '/quota/consume', { ...who, feature, on_refusal: 'verdict' }, randomUUID());
  if (verdict.allowed) return 'served';
  const against = verdict.violations?.map(({ window, current, limit }) => `${current} of ${limit} this ${window}`);
  return `${verdict.code}: ${against}`;
}

for (const feature of Array(4).fill('api_search')) console.log(`${feature}: ${await admit(feature)}`);
for (const feature of Array(6).fill('api_report')) console.log(`${feature}: ${await admit(feature)}`);

// This customer pays for more: of his own limit the window wins that it names, and the others stay.
await call('PUT', '/limits', { ...who, product_key: 'API_CREDITS', windows: { month: 500 }, owner_tag: 'sales' });
console.log(`api_report: ${await admit('api_report')}`);

// For his dashboard: where he stands, and which buttons can be pressed.
const { data } = await call('GET', `/quota/status?${new URLSearchParams(who)}`);
for (const { product_key, feature, windows } of data) {
  for (const { window, current, limit, status } of windows)
    console.log(`${product_key ?? feature}, ${window}: ${current} of ${limit ?? 'any'}, ${status}`);
}
const items = [{ feature: 'api_search' }, { feature: 'api_report' }];
const { results } = await call('POST', '/quota/check/batch', { ...who, items });
console.log(items.map(({ feature }, at) => `${feature} ${results[at].allowed ? 'can' : 'can’t'} be used`).join(', '));
const query = new URLSearchParams({ ...who, product_key: 'API_CREDITS', window: 'month' });
const usage = await call('GET', `/quota/usage?${query}`);
console.log(`credits of this month: ${usage.data.at(-1).used}, months told: ${usage.data.length}`);
