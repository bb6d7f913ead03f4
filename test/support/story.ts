// The story that a fixture tells: everything that the service can be asked to store, over HTTP, as it comes in the life of a shop. It checks
// only that what is to be accepted is; what the rows must be afterwards the invariants know.
import type { Json, TestClock } from './app.js';
import type { Recorder } from './recorder.js';

/** Beyond this a JSON number is not exact. */
const LARGEST = Number.MAX_SAFE_INTEGER;
const ODD_TEXT = 'O\'Neil & "Söhne" \\ 株式会社 🧾\n\ttwo lines';
const ODD_METADATA: Json = {
  note: ODD_TEXT,
  'clé "étrange"': { nested: [1, -2.5, null, true, { deep: 'ß' }] },
  largest: LARGEST,
  empty: {},
};
const MANY_USES = 24;
const LADDER = 5;

/** What the chapters share. `settleDue` is what the background job does. */
export interface Stage {
  recorder: Recorder;
  clock: TestClock;
  settleDue(): Promise<void>;
}

/** Tells it from the first product to what is left lying at the end; the clock stands where it ended. */
export async function tellStory(stage: Stage): Promise<void> {
  await makeCatalogue(stage);
  await askForEvents(stage);
  await meetPeople(stage);
  await buy(stage);
  await failToPay(stage);
  await giveThings(stage);
  await tryThings(stage);
  await use(stage);
  await useMany(stage);
  await hold(stage);
  await giveBack(stage);
  await owe(stage);
  await exchange(stage);
  await bringOthers(stage);
  await letTimePass(stage);
  await leaveThingsLying(stage);
}

async function makeCatalogue({ recorder }: Stage): Promise<void> {
  const product = (key: string, more: Json = {}) =>
    recorder.plain('PUT', `/products/${key}`, { name: key, type: 'quantity', ...more });
  const features = [{ feature: 'text_generation', unit_cost: 1 }];
  await product('CREDITS', { name: 'Credits', features, is_currency: true, low_balance_threshold: 10 });
  await product('STAR', { name: 'Star', is_currency: true, metadata: ODD_METADATA });
  await product('POOL', {
    description: ODD_TEXT,
    features: [
      { feature: 'image_generation', unit_cost: 5 },
      { feature: 'video_generation', unit_cost: 40 },
    ],
  });
  await product('VAULT', { low_balance_threshold: LARGEST });
  await product('TASTER', { features });
  await product('PLAN_CREDITS', { features });
  await product('ACCESS', { type: 'period', features: ['vip_lounge'] });
  await product('FOREVER', { type: 'unlimited', features: ['pro_tools'] });
  await product('RETIRED');

  const offer = (sku: string, price: string, currency: string, items: Json[], more: Json = {}) =>
    recorder.plain('PUT', `/offers/${sku}`, { name: sku, price, currency, items, ...more });
  const access = { product_key: 'ACCESS', period_unit: 'months', period_value: 1 };
  await offer('CREDITS_100', '9.99', 'USD', [{ product_key: 'CREDITS', quantity: 100 }], { description: ODD_TEXT });
  await offer('BUNDLE', '24.5', 'USD', [
    { product_key: 'CREDITS', quantity: 50, period_unit: 'days', period_value: 90, priority: -1 },
    { product_key: 'POOL', quantity: 500, period_unit: 'years', period_value: 1, priority: 5 },
    { ...access, stacking: 'parallel' },
  ]);
  await offer('ACCESS_MONTH', '4.99', 'USD', [access], { image: 'https://example.org/access.png' });
  await offer('LIFETIME', '99', 'USD', [{ product_key: 'FOREVER' }], { metadata: ODD_METADATA });
  await offer('FREE', '0', 'USD', [{ product_key: 'CREDITS', quantity: 5 }]);
  await offer('TINY', '0.01', 'EUR', [{ product_key: 'VAULT', quantity: 7 }]);
  await offer('GET_STAR', '1', 'XTR', [{ product_key: 'STAR', quantity: 1 }], { trial_policy: { scope: 'any' } });
  await offer('PREDICTION', '3', 'STAR', [{ product_key: 'POOL', quantity: 40 }]);
  await offer('STAR_ACCESS', '2', 'STAR', [{ ...access, period_unit: 'hours', period_value: 36 }]);
  await offer(
    'WEEK',
    '0',
    'USD',
    [{ product_key: 'TASTER', quantity: 10, period_unit: 'days', period_value: 7, priority: -1 }],
    { is_trial: true, trial_policy: { scope: 'any' } },
  );
  await offer('TASTE', '1', 'USD', [{ ...access, period_unit: 'days', period_value: 3 }], {
    trial_policy: { scope: 'offer' },
  });
  await offer(
    'PRO_MONTHLY',
    '19',
    'USD',
    [{ product_key: 'PLAN_CREDITS', quantity: 1_000, period_unit: 'months', period_value: 1 }],
    {
      recurrence: { unit: 'months', count: 1 },
      plan_group: 'pro',
      plan: { trial_period: { unit: 'weeks', count: 2 }, rollover: 'cap', rollover_cap: 500, grace_days: 3 },
    },
  );
  await offer('GONE', '1', 'USD', [{ product_key: 'RETIRED', quantity: 3 }]);
}

/** Outsiders who hear of it: one follows the feed, two have a URL, of which one was given up. */
async function askForEvents({ recorder }: Stage): Promise<void> {
  const hook = { url: 'https://example.org/hooks', types: ['order.*', 'batch.*'], description: ODD_TEXT };
  const secret = `whsec_${Buffer.from('a secret that a story only tells').toString('base64')}`;
  await recorder.plain('PUT', '/webhook-endpoints/reader', { types: ['quota.consumed', 'trial.*'] });
  await recorder.plain('PUT', '/webhook-endpoints/shop', { ...hook, secret });
  await recorder.plain('PUT', '/webhook-endpoints/shop', { ...hook, rotate_secret: true });
  await recorder.plain('PUT', '/webhook-endpoints/given-up', { ...hook, enabled: false });
}

async function meetPeople({ recorder, clock }: Stage): Promise<void> {
  const profile = { username: 'ada', language: 'en', first_name: 'Ada "the first" Lovelace' };
  const ada = await recorder.keyed('/identify', { provider: 'telegram', external_id: 4711, profile });
  clock.advance({ seconds: 5 });
  await recorder.keyed('/identify', { provider: 'telegram', external_id: '4711', profile: { language: 'de' } });
  await recorder.keyed('/identify', { external_id: 'ada' }, 'é'.normalize('NFC'));
  await recorder.keyed('/identify', { external_id: 'grace', idempotency_key: 'Schlüssel "№ 1" \\ 🔑' }, null);
  await recorder.plain('POST', '/identify', {
    provider: 'E-Mail',
    external_id: 'ünï@example.org',
    profile: ODD_METADATA,
  });
  await recorder.plain('POST', '/identify', { provider: 'user_id', external_id: '900' });

  const link = `/customers/${ada.customer_id}/identities`;
  await recorder.keyed(link, { provider: 'email', external_id: "ada'@example.org", profile: ODD_METADATA });
  await recorder.keyed(link, { provider: 'device', external_id: 'old-phone' });
  await recorder.plain('POST', link, { provider: 'device', external_id: 'new-phone' });
  clock.advance({ seconds: 30 });
  await recorder.plain('DELETE', `${link}/device/old-phone`);
  await recorder.plain('DELETE', `${link}/device/new-phone`);
  // The phone has another owner now.
  await recorder.keyed('/identify', { provider: 'device', external_id: 'old-phone' });
  await recorder.plain('PATCH', `/customers/${ada.customer_id}`, { metadata: ODD_METADATA });
}

async function order({ recorder }: Stage, external_id: string, items: Json[], more: Json = {}): Promise<string> {
  const { id } = await recorder.keyed('/orders', { external_id, items, ...more });
  return `/orders/${id}/confirm`;
}

async function buy(stage: Stage): Promise<void> {
  const { recorder, clock } = stage;
  const several = await order(
    stage,
    'buyer',
    [
      { sku: 'CREDITS_100', quantity: 3 },
      { sku: 'BUNDLE', quantity: 2 },
      { sku: 'CREDITS_100', quantity: 1 },
    ],
    { metadata: ODD_METADATA },
  );
  clock.advance({ seconds: 20 });
  const paid = { payment_id: "ch_'1'", payment_method: 'Stripe', amount: '88.96', currency: 'usd' };
  await recorder.keyed(several, paid);
  await recorder.keyless(several, paid);

  const month = await order(stage, 'buyer', [{ sku: 'ACCESS_MONTH' }]);
  await recorder.keyless(month, { payment_id: 'tg-1', payment_method: 'telegram' });
  await recorder.keyed(month, { payment_id: 'tg-1', payment_method: 'telegram_stars' });
  const longer = await order(stage, 'buyer', [{ sku: 'ACCESS_MONTH', quantity: 11 }]);
  await recorder.keyed(longer, { payment_id: 'tg-2', payment_method: 'telegram' });

  const free = await order(stage, 'buyer', [{ sku: 'FREE', quantity: 2 }]);
  await recorder.keyed(free, {});
  await recorder.keyless(free, {});
  const lifetime = await order(stage, 'buyer', [{ sku: 'LIFETIME' }]);
  await recorder.keyless(lifetime, { payment_id: 'ch_2', payment_method: 'stripe' });
  const tiny = await order(stage, 'vault', [{ sku: 'TINY', quantity: 100 }]);
  await recorder.keyed(tiny, { payment_id: 'ch_3', amount: '1', currency: 'EUR' });
  const plan = await order(stage, 'ada', [{ sku: 'PRO_MONTHLY' }]);
  await recorder.keyed(plan, { payment_id: 'ch_4' });
  // Sold, then changed: what was ordered keeps its terms.
  const gone = await order(stage, 'grace', [{ sku: 'GONE', quantity: 2 }]);
  await recorder.plain('PUT', '/offers/GONE', { name: 'Gone', price: '2', currency: 'USD', is_active: false });
  await recorder.plain('PUT', '/products/RETIRED', { name: 'Retired', type: 'quantity', is_active: false });
  await recorder.keyed(gone, { payment_id: 'ch_5' });
}

async function failToPay(stage: Stage): Promise<void> {
  const { recorder, clock } = stage;
  const line = [{ sku: 'CREDITS_100' }];
  await order(stage, 'hesitant', line, { expires_in: 30 * 24 * 3_600 });
  await order(stage, 'hesitant', [{ sku: 'BUNDLE', quantity: 2 }], { expires_in: 3_600 });
  await recorder.plain('POST', '/orders', { external_id: 'hesitant', items: line });

  const failing = await order(stage, 'hesitant', line, { expires_in: 20 * 24 * 3_600 });
  await recorder.keyed(failing, { payment_id: 'declined-1', status: 'failed', amount: '9.99', currency: 'USD' });
  await recorder.keyless(failing, { payment_id: 'declined-1', status: 'failed' });
  const second = await order(stage, 'hesitant', line);
  await recorder.keyed(second, { payment_id: 'declined-2', status: 'failed' });
  await recorder.keyed(second, { payment_id: 'declined-2' });

  const short = await order(stage, 'hesitant', line);
  await recorder.refused(short, { payment_id: 'short-1', amount: '9.98', currency: 'USD' }, 'payment_mismatch');
  await recorder.refused(short, { payment_id: 'short-2', amount: '1', currency: 'EUR' }, 'payment_mismatch');
  await recorder.keyed(short, { payment_id: 'short-1', amount: '9.99' });
  await recorder.refused(short, { payment_id: 'twice-1' }, 'order_already_paid');
  const late = await order(stage, 'hesitant', line, { expires_in: 60 });
  clock.advance({ seconds: 61 });
  await recorder.refused(late, { payment_id: 'late-1' }, 'order_not_payable');
}

async function grant({ recorder }: Stage, external_id: string, body: Json): Promise<Json> {
  return recorder.keyed('/grants', { external_id, grant_type: 'bonus', ...body });
}

async function giveThings(stage: Stage): Promise<void> {
  const { recorder, clock } = stage;
  const after = (days: number) => new Date(clock.now().getTime() + days * 24 * 3_600 * 1_000).toISOString();
  await grant(stage, 'grace', { product_key: 'CREDITS', quantity: 40, reason: 'welcome', metadata: ODD_METADATA });
  await grant(stage, 'grace', { product_key: 'CREDITS', quantity: 7, priority: -3, expires_at: after(200) });
  await grant(stage, 'grace', { product_key: 'POOL', quantity: 90, valid_from: after(100), expires_at: after(400) });
  await grant(stage, 'grace', { sku: 'BUNDLE', quantity: 2 });
  await grant(stage, 'grace', { product_key: 'ACCESS', expires_at: after(2) });
  await grant(stage, 'grace', { product_key: 'FOREVER' });
  await recorder.plain('POST', '/grants', { external_id: 'grace', grant_type: 'bonus', sku: 'CREDITS_100' });

  const correction = { grant_type: 'adjustment', product_key: 'CREDITS', reason: "counted wrong, said 'the boss'" };
  await grant(stage, 'grace', { ...correction, quantity: 15 });
  await grant(stage, 'grace', { ...correction, quantity: 60, direction: 'debit' });
  await grant(stage, 'ada', { ...correction, quantity: 9, sku: undefined });

  const moved = { external_id: 'moved', grant_type: 'migration', product_key: 'CREDITS' };
  for (let at = 1; at <= LADDER; at += 1) {
    await recorder.keyless('/grants', {
      ...moved,
      quantity: at * 10,
      source_id: `legacy-${at}`,
      expires_at: after(300 + at),
    });
  }
  await recorder.keyed('/grants', {
    ...moved,
    quantity: 1,
    source_id: "old 'row' № 6",
    valid_from: '2019-05-01T00:00:00Z',
  });
  await recorder.keyless('/grants', {
    ...moved,
    quantity: 1,
    source_id: "old 'row' № 6",
    valid_from: '2019-05-01T00:00:00Z',
  });

  await grant(stage, 'vault', { product_key: 'VAULT', quantity: LARGEST - 10_000_000 });
  await recorder.keyed('/credits/add', { external_id: 'ada', product_key: 'STAR', amount: 30, description: 'a gift' });
  await recorder.keyed('/credits/add', {
    external_id: 'grace',
    product_key: 'STAR',
    amount: 8,
    expires_at: after(250),
  });
}

async function tryThings({ recorder, clock }: Stage): Promise<void> {
  const trial = { grant_type: 'trial' };
  await recorder.keyed('/grants', { ...trial, provider: 'telegram', external_id: '4711' });
  const identities = { device: 'a1b2', email: 'trier@example.org', card: 1234 };
  await recorder.keyed('/demo/trial-grant', { external_id: 'trier', sku: 'WEEK', identities, metadata: ODD_METADATA });
  await recorder.keyed('/grants', { ...trial, external_id: 'trier', sku: 'TASTE' });
  await recorder.refused('/grants', { ...trial, external_id: 'trier', sku: 'WEEK' }, 'trial_already_used');
  await recorder.refused('/grants', { ...trial, external_id: 'cousin', identities }, 'trial_already_used');
  const override = { override: true, reason: 'asked the support' };
  await recorder.keyed('/grants', { ...trial, external_id: 'trier', sku: 'WEEK', ...override });
  await recorder.plain('POST', '/grants', { ...trial, external_id: 'cousin', sku: 'GET_STAR' });
  clock.advance({ hours: 1 });
}

async function use({ recorder, clock }: Stage): Promise<void> {
  const buyer = { external_id: 'buyer' };
  for (let at = 1; at <= MANY_USES; at += 1) {
    const feature = at % 2 === 0 ? { product_key: 'CREDITS' } : { feature: 'text_generation' };
    await recorder.keyed('/quota/consume', { ...buyer, ...feature, amount: at, action_id: `job-${at}` });
    clock.advance({ seconds: 7 });
  }
  const image = { ...buyer, feature: 'image_generation', amount: 3, action_type: 'draw', metadata: ODD_METADATA };
  await recorder.keyed('/quota/consume', image);
  await recorder.plain('POST', '/quota/consume', image);
  await recorder.keyed(
    '/wallet/consume',
    { ...buyer, product_key: 'POOL', amount: 11, idempotency_key: 'in the body' },
    null,
  );
  await recorder.keyed('/quota/consume', { ...buyer, feature: 'vip_lounge' });
  await recorder.plain('POST', '/quota/consume', { ...buyer, feature: 'pro_tools', amount: 5 });
  await recorder.keyed('/quota/consume', { ...buyer, product_key: 'FOREVER', amount: LARGEST - 6 });
  await recorder.plain('POST', '/quota/check', { ...buyer, feature: 'video_generation' });
  await recorder.refused('/quota/consume', { ...buyer, product_key: 'POOL', amount: 10_000 }, 'insufficient_quota');
  await recorder.keyed('/quota/consume', { external_id: 'vault', product_key: 'VAULT', amount: LARGEST - 20_000_000 });
  await recorder.keyed('/quota/consume', { external_id: 'grace', product_key: 'RETIRED', amount: 4 });
  await recorder.keyed('/credits/deduct', {
    external_id: 'ada',
    product_key: 'STAR',
    amount: 5,
    description: 'a song',
  });
  // A product learns to be dearer; what was used stays as it was.
  await recorder.plain('PUT', '/products/POOL', {
    name: 'Pool',
    type: 'quantity',
    features: [
      { feature: 'image_generation', unit_cost: 6 },
      { feature: 'video_generation', unit_cost: 40 },
    ],
    force: true,
  });
  await recorder.keyed('/quota/consume', image, 'dearer');
}

async function useMany({ recorder, clock }: Stage): Promise<void> {
  const path = '/quota/consume/batch';
  const one = { external_id: 'buyer', product_key: 'CREDITS' };
  const own = { ...one, amount: 2, metadata: ODD_METADATA, idempotency_key: "item's own" };
  // Of one customer: those of several would be taken in an order, and with ids, that no two runs share.
  const items = [
    { ...one, amount: 1 },
    own,
    { external_id: 'buyer', feature: 'text_generation', amount: 3 },
    { ...one, amount: 100_000 },
    { external_id: 'buyer', product_key: 'NOTHING' },
  ];
  await recorder.keyed(path, { items });
  await recorder.keyed('/quota/consume', own, null);
  const whole = [
    { ...one, amount: 1 },
    { external_id: 'moved', feature: 'text_generation', amount: 3 },
    { external_id: 'ada', product_key: 'PLAN_CREDITS', amount: 4, idempotency_key: 'item-of-ada' },
    { ...own, idempotency_key: 'whole' },
  ];
  await recorder.keyed(path, { items: whole, mode: 'atomic' });
  await recorder.keyed('/quota/consume', { ...own, idempotency_key: 'whole' }, null);
  await recorder.plain('POST', path, { items, mode: 'atomic' });
  await recorder.plain('POST', path, { items: [items[0], { ...own, idempotency_key: 'alone' }] });
  await recorder.keyed('/quota/consume', { ...own, idempotency_key: 'alone' }, null);
  await recorder.keyed(path, { items: Array.from({ length: LADDER }, () => one), mode: 'continue' });
  clock.advance({ seconds: 90 });
}

async function reserve({ recorder }: Stage, external_id: string, body: Json): Promise<string> {
  const { id } = await recorder.keyed('/reservations', { external_id, ...body });
  return `/reservations/${id}`;
}

async function hold(stage: Stage): Promise<void> {
  const { recorder, clock } = stage;
  const credits = { product_key: 'CREDITS', amount: 10 };
  const days = (count: number) => ({ ttl_seconds: count * 24 * 3_600 });
  await grant(stage, 'holder', { product_key: 'CREDITS', quantity: 200 });
  await grant(stage, 'holder', { product_key: 'POOL', quantity: 100, priority: 1 });
  await grant(stage, 'holder', { product_key: 'POOL', quantity: 100, priority: 2 });

  const whole = await reserve(stage, 'holder', { ...credits, metadata: ODD_METADATA });
  await recorder.keyed(`${whole}/commit`, {});
  await recorder.keyless(`${whole}/commit`, {});
  const partly = await reserve(stage, 'holder', { feature: 'image_generation', amount: 20, action_id: 'picture "1"' });
  await recorder.keyed(`${partly}/extend`, { ttl_seconds: 5_000 });
  clock.advance({ seconds: 400 });
  await recorder.keyed(`${partly}/commit`, { amount: 7 });
  await recorder.keyless(`${partly}/commit`, { amount: 7 });
  const beyond = await reserve(stage, 'holder', credits);
  await recorder.keyless(`${beyond}/commit`, { amount: 25, allow_excess: true });
  const released = await reserve(stage, 'holder', { ...credits, expires_at: '2026-02-05T00:00:00+02:00' });
  await recorder.keyed(`${released}/release`, {});
  await recorder.keyless(`${released}/release`, {});
  await recorder.plain('POST', '/reservations', { external_id: 'holder', ...credits, ...days(6) });

  await grant(stage, 'forgetful', { product_key: 'CREDITS', quantity: 50 });
  await reserve(stage, 'forgetful', { ...credits, ttl_seconds: 600 });
  const gone = await reserve(stage, 'forgetful', { ...credits, ttl_seconds: 700 });
  clock.advance({ seconds: 800 });
  await recorder.refused(`${gone}/commit`, {}, 'reservation_expired');
}

async function giveBack(stage: Stage): Promise<void> {
  const { recorder, clock } = stage;
  await grant(stage, 'sorry', { product_key: 'CREDITS', quantity: 30 });
  await grant(stage, 'sorry', {
    product_key: 'CREDITS',
    quantity: 6,
    priority: -1,
    expires_at: new Date(clock.now().getTime() + 3_600_000).toISOString(),
  });
  const used = await recorder.keyed('/quota/consume', { external_id: 'sorry', feature: 'text_generation', amount: 10 });
  const path = '/quota/release';
  await recorder.keyed(path, { operation_id: used.operation_id, amount: 2, metadata: ODD_METADATA });
  clock.advance({ hours: 2 });
  // Units that come back to a batch that has ended expire at once.
  await recorder.keyed(path, { operation_id: used.operation_id, external_id: 'sorry', amount: 7 });
  await recorder.plain('POST', path, { operation_id: used.operation_id });
  const hold = await reserve(stage, 'sorry', { product_key: 'CREDITS', amount: 5 });
  const committed = await recorder.keyed(`${hold}/commit`, { amount: 4 });
  await recorder.keyed(path, { operation_id: committed.operation_id, amount: 1 });
}

async function owe(stage: Stage): Promise<void> {
  const { recorder } = stage;
  const overdraw = (external_id: string, amount: number) =>
    recorder.keyed('/credits/deduct', { external_id, product_key: 'STAR', amount, allow_negative: true });
  const add = (external_id: string, amount: number) =>
    recorder.keyed('/credits/add', { external_id, product_key: 'STAR', amount });
  await add('debtor', 4);
  await overdraw('debtor', 10);
  await overdraw('debtor', 3);
  await add('debtor', 5);
  await overdraw('repaid', 6);
  await add('repaid', 20);
  await overdraw('forgiven', 12);
  await add('forgiven', 2);
  const { operation_id } = await overdraw('forgiven', 8);
  await recorder.keyed('/quota/release', { operation_id, amount: 3 });
  await recorder.plain('POST', '/quota/release', { operation_id });
  await recorder.plain('POST', '/credits/deduct', {
    external_id: 'deep',
    product_key: 'CREDITS',
    amount: LARGEST,
    allow_negative: true,
  });
}

async function exchange({ recorder }: Stage): Promise<void> {
  await recorder.keyed('/exchange', { external_id: 'ada', sku: 'PREDICTION', metadata: ODD_METADATA });
  await recorder.keyed('/exchange', { external_id: 'ada', sku: 'STAR_ACCESS' });
  await recorder.plain('POST', '/exchange', { external_id: 'grace', sku: 'PREDICTION' });
}

async function bringOthers({ recorder, clock }: Stage): Promise<void> {
  const referral = (referrer: string, referee: string) => ({
    referrer_external_id: referrer,
    referee_external_id: referee,
  });
  await recorder.keyed('/referrals', { ...referral('buyer', 'grace'), metadata: ODD_METADATA });
  await recorder.keyed('/referrals', referral('grace', 'moved'));
  clock.advance({ seconds: 1 });
  await recorder.keyed('/referrals', referral('moved', 'holder'));
  await recorder.plain('POST', '/referrals', referral('buyer', 'sorry'));
  await recorder.plain('POST', '/referrals', referral('buyer', 'sorry'));
  await recorder.refused('/referrals', referral('holder', 'buyer'), 'referral_cycle');
}

/** Days go by: holds lapse and batches end, and the job settles them; then some of their owners come back. */
async function letTimePass(stage: Stage): Promise<void> {
  const { recorder, clock } = stage;
  clock.advance({ days: 9 });
  await stage.settleDue();
  await recorder.keyed('/quota/consume', {
    external_id: 'buyer',
    product_key: 'CREDITS',
    amount: 3,
    action_type: 'later',
  });
  clock.advance({ days: 83, ms: 123 });
  await stage.settleDue();
  await recorder.keyed('/quota/consume', {
    external_id: 'buyer',
    product_key: 'CREDITS',
    amount: 3,
    action_type: 'later',
  });
  await recorder.keyed('/quota/consume', { external_id: 'grace', product_key: 'CREDITS', amount: 3 });
}

/** What is due and not settled, open and not ended, at the moment of an upgrade. */
async function leaveThingsLying(stage: Stage): Promise<void> {
  const { recorder, clock } = stage;
  const credits = { product_key: 'CREDITS', amount: 10 };
  const soon = new Date(clock.now().getTime() + 1_800_000).toISOString();
  await grant(stage, 'lying', { product_key: 'CREDITS', quantity: 20, expires_at: soon });
  await grant(stage, 'lying', { product_key: 'CREDITS', quantity: 20 });
  await grant(stage, 'lying', { product_key: 'ACCESS', expires_at: soon });
  // Without a key: a repeated one would settle what is due before it is answered.
  const hold = (body: Json) => recorder.plain('POST', '/reservations', { external_id: 'lying', ...credits, ...body });
  await hold({ amount: 25, ttl_seconds: 1_200 });
  await hold({ ttl_seconds: 7 * 24 * 3_600 });
  await order(stage, 'lying', [{ sku: 'CREDITS_100' }], { expires_in: 900 });

  await grant(stage, 'open', { product_key: 'CREDITS', quantity: 60 });
  await reserve(stage, 'open', { ...credits, metadata: ODD_METADATA, ttl_seconds: 24 * 3_600 });
  await reserve(stage, 'open', { feature: 'text_generation', amount: 3, ttl_seconds: 48 * 3_600 });
  await order(stage, 'open', [{ sku: 'BUNDLE', quantity: 3 }, { sku: 'FREE' }], { metadata: ODD_METADATA });
  const waiting = await order(stage, 'open', [{ sku: 'CREDITS_100' }]);
  await recorder.refused(waiting, { payment_id: 'waiting-1', amount: '5', currency: 'USD' }, 'payment_mismatch');
  // Deliveries that wait for their first attempt.
  const day = { from: new Date(clock.now().getTime() - 24 * 3_600_000), until: new Date(clock.now().getTime() + 1) };
  await recorder.plain('PUT', '/webhook-endpoints/given-up', { url: 'https://example.org/other', types: ['*'] });
  await recorder.plain('POST', '/webhook-endpoints/given-up/replay', { from: day.from, until: day.until });
  clock.advance({ hours: 1, ms: 1 });
}
