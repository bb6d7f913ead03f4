// Who brings somebody earns something by his first order; a refund takes it back. See reward-referrals.md.
import { randomUUID } from 'node:crypto';
import { call } from './client.mjs';

await call('PUT', '/products/STICKERS', { name: 'Stickers', type: 'quantity' });
const sells = (sku, price, quantity) =>
  call('PUT', `/offers/${sku}`, { name: sku, price, currency: 'USD', items: [{ product_key: 'STICKERS', quantity }] });
await sells('STICKERS_100', '9.99', 100);
await sells('STICKERS_THANKS', '0', 20);
await sells('STICKERS_WELCOME', '0', 5);

// Its key is the first by name, so that it counts before other programmes of this instance.
const key = '0-stickers';
await call('PUT', `/referral-programs/${key}`, {
  trigger: 'on_first_paid_order',
  referrer: { sku: 'STICKERS_THANKS' },
  referee: { sku: 'STICKERS_WELCOME' },
  max_rewards_per_referrer: 10,
});

const [ada, bob] = [randomUUID(), randomUUID()];
for (const external_id of [ada, bob]) await call('POST', '/identify', { external_id });
const { referral_id } = await call('POST', '/referrals', {
  provider: 'default',
  referrer_external_id: ada,
  referee_external_id: bob,
});

async function tell(when) {
  const { data } = await call('GET', `/referrals/rewards?referral_id=${referral_id}&side=referrer`);
  const { balances } = await call('GET', `/wallet?external_id=${ada}`);
  console.log(`${when}: ${data[0]?.status ?? 'nothing earned'}, Ada has ${balances.STICKERS ?? 0}`);
}

/** Rewards that are due are granted behind the answer, or within seconds by a job. */
async function until(status) {
  for (let tries = 0; tries < 60; tries += 1) {
    const { data } = await call('GET', `/referrals/rewards?referral_id=${referral_id}&side=referrer&status=${status}`);
    if (data.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

await tell('attached');
const order = await call('POST', '/orders', { external_id: bob, items: [{ sku: 'STICKERS_100' }] });
await call('POST', `/orders/${order.id}/confirm`, {
  payment_id: `pay-${order.id}`,
  payment_fingerprint: `card-${bob}`,
});
await until('granted');
await tell('Bob paid');
await call('POST', `/orders/${order.id}/refund`, { reason: 'changed his mind' });
await until('clawed_back');
await tell('refunded');
await call('DELETE', `/referral-programs/${key}`);
