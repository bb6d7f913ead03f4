// Gives ten questions for free, once to each person, whatever account or device they come back with. See free-trial-once.md.
import { randomUUID } from 'node:crypto';
import { call, send } from './client.mjs';

await call('PUT', '/products/TRIAL_QUESTIONS', {
  name: 'Questions to try',
  type: 'quantity',
  features: ['ask_question'],
});
await call('PUT', '/offers/TRY_QUESTIONS', {
  name: 'Ten questions, for a week',
  price: '0',
  currency: 'USD',
  is_trial: true,
  trial_policy: { scope: 'offer' },
  items: [{ product_key: 'TRIAL_QUESTIONS', quantity: 10, period_unit: 'days', period_value: 7 }],
});

const device = randomUUID();
const mailbox = `ada.${randomUUID()}`;

/** Claims the trial for an account, with what is known of the person behind it. */
function claim(account, email) {
  const who = { provider: 'web', external_id: account };
  const identities = { device, email };
  return send('POST', '/grants', { ...who, grant_type: 'trial', sku: 'TRY_QUESTIONS', identities });
}

const ada = randomUUID();
const first = await claim(ada, `${mailbox}@gmail.com`);
console.log(`first claim: ${first.status}, ${first.body.batches[0].granted} questions`);

// Claimed again from the same account.
const second = await claim(ada, `${mailbox}@gmail.com`);
console.log(`same account: ${second.status} ${second.body.code}, known ${second.body.identity_type}`);

// A new account on the same device, with another spelling of the same mailbox.
const third = await claim(randomUUID(), `${mailbox.replace('.', '')}+new@googlemail.com`);
console.log(`new account: ${third.status} ${third.body.code}`);

// Twenty claims at once for somebody new: one of them wins.
const bob = { provider: 'web', external_id: randomUUID() };
const claims = await Promise.all(
  Array.from({ length: 20 }, () => send('POST', '/grants', { ...bob, grant_type: 'trial', sku: 'TRY_QUESTIONS' })),
);
console.log(`20 at once: ${claims.filter(({ status }) => status === 201).length} granted`);
const balance = await call('GET', `/balance?${new URLSearchParams({ ...bob, feature: 'ask_question' })}`);
console.log(`left: ${balance.remaining}`);
