// Ada invites Bob. When he joins, each of them gets a reward, once. See invite-a-friend.md.
import { randomUUID } from 'node:crypto';
import { call, send } from './client.mjs';

await call('PUT', '/products/PUZZLES', { name: 'Puzzles', type: 'quantity' });
await call('PUT', '/offers/INVITE_REWARD', {
  name: 'Thank you: 5 puzzles',
  price: '0',
  currency: 'USD',
  items: [{ product_key: 'PUZZLES', quantity: 5 }],
});

const provider = 'puzzle-app';
const [ada, bob] = [randomUUID(), randomUUID()];
for (const external_id of [ada, bob]) await call('POST', '/identify', { provider, external_id });

/** What the application does when somebody joins by an invitation. It may run twice, or be interrupted and run again. */
async function join(referrer_external_id, referee_external_id) {
  const referral = await call('POST', '/referrals', { provider, referrer_external_id, referee_external_id });
  for (const side of ['referrer', 'referee']) {
    const grant = {
      customer_id: referral[`${side}_id`],
      grant_type: 'bonus',
      sku: 'INVITE_REWARD',
      reason: 'invitation',
    };
    await call('POST', '/grants', grant, `invitation-${referral.referral_id}`);
  }
  return referral;
}

async function puzzlesOf(external_id) {
  const query = new URLSearchParams({ provider, external_id, product_key: 'PUZZLES' });
  return (await call('GET', `/balance?${query}`)).remaining;
}

const referral = await join(ada, bob);
console.log(`joined: created ${referral.created}, Ada has ${await puzzlesOf(ada)}, Bob has ${await puzzlesOf(bob)}`);

const again = await join(ada, bob);
console.log(`run again: created ${again.created}, Ada has ${await puzzlesOf(ada)}, Bob has ${await puzzlesOf(bob)}`);

// One referrer per person, nobody invites himself, and no circles.
const refuse = async (referrer_external_id, referee_external_id) => {
  const { status, body } = await send('POST', '/referrals', { provider, referrer_external_id, referee_external_id });
  return `${status} ${body.code}`;
};
const carol = randomUUID();
await call('POST', '/identify', { provider, external_id: carol });
console.log(`Carol names Bob too: ${await refuse(carol, bob)}`);
console.log(`Ada invites herself: ${await refuse(ada, ada)}`);
console.log(`Bob names Ada: ${await refuse(bob, ada)}`);

const stats = await call('GET', `/referrals/stats?${new URLSearchParams({ provider, external_id: ada })}`);
console.log(`Ada brought ${stats.count}`);
