// One pool of credits pays for images (5 each) and videos (40 each); a pack of images is used up first. See features-with-different-costs.md.
import { randomUUID } from 'node:crypto';
import { call, send } from './client.mjs';

// The application asks for features. Which product pays, and how much, is the catalogue's business.
await call('PUT', '/products/STUDIO_CREDITS', {
  name: 'Studio credits',
  type: 'quantity',
  features: [
    { feature: 'draw_image', unit_cost: 5 },
    { feature: 'make_video', unit_cost: 40 },
  ],
});
await call('PUT', '/products/IMAGE_PACK', { name: 'Images', type: 'quantity', features: ['draw_image'] });

const who = { provider: 'studio', external_id: randomUUID() };
const grant = (product_key, quantity) =>
  call('POST', '/grants', { ...who, grant_type: 'bonus', product_key, quantity });
await grant('STUDIO_CREDITS', 92);
await grant('IMAGE_PACK', 2);

async function show(feature) {
  const { remaining } = await call('GET', `/balance?${new URLSearchParams({ ...who, feature })}`);
  console.log(`${feature}: ${remaining} left`);
}

await show('draw_image');
await show('make_video');

// IMAGE_PACK provides nothing else, so it pays first; the pool pays the rest.
const images = await call('POST', '/quota/consume', { ...who, feature: 'draw_image', amount: 4 }, 'job-1');
console.log(`4 images: ${images.taken.map(({ product_key, amount }) => `${amount} ${product_key}`).join(', ')}`);

// A dry run of a use that is too dear: nothing is taken.
const check = await send('POST', '/quota/check', { ...who, feature: 'make_video', amount: 3 });
console.log(`3 videos: allowed ${check.body.allowed}, ${check.body.reasons.map((reason) => reason.code)}`);

const video = await call('POST', '/quota/consume', { ...who, feature: 'make_video' }, 'job-2');
console.log(`1 video: ${video.taken.map(({ product_key, amount }) => `${amount} ${product_key}`).join(', ')}`);

const wallet = await call('GET', `/wallet?${new URLSearchParams(who)}`);
console.log(`wallet: ${JSON.stringify(wallet.balances)}`);
