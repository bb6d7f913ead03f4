// What is recorded of a request to tell it from another under the same key. The texts below are held for good: a retry from before an upgrade
// has the same text after it, or it is refused as another request. A member that a command gets later is left out of the text at its default.
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { hashRequest, REQUEST_HASH_VERSION } from '../../src/engine/request-hash.js';
import { OPERATIONS } from '../../src/ledger/operations.js';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { ask } from '../support/parallel.js';
import { newPayment, newPerson, placeOrder } from '../support/requests.js';

const app = useTestApp();
const metadata = { b: [1, { z: null, y: 'é' }], a: true };
const METADATA = '{"a":true,"b":[1,{"y":"é","z":null}]}';
const AT = '2026-03-01T00:00:00.000Z';
/** An e-mail address and a device under the pepper of the tests, sorted. */
const IDENTITIES =
  '["362bbd972c04c882b3b9adee08fdf5b3247fdec767cf29028002211c451bf9a3","939dcf8538bff0bc52210a740486bc0c6ecf151d9d4ad4e1eaa7e4a909727818"]';

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: ['draw'] });
  await putProduct(app, 'COIN', { is_currency: true });
  await putProduct(app, 'SEATS', { type: 'metered' });
  await putOffer(app, 'PACK', 'CREDITS', 1);
  await putOffer(app, 'FOR_COIN', 'CREDITS', 1, { price: '2', currency: 'COIN' });
  await putOffer(app, 'SAMPLE', 'CREDITS', 3, { trial_policy: { scope: 'offer' } });
  const monthly = { recurrence: { unit: 'months', count: 1 } };
  await putOffer(app, 'MONTHLY', 'CREDITS', 1, { ...monthly, price: '0' });
  await putOffer(app, 'DEAR_MONTHLY', 'CREDITS', 1, monthly);
  await putOffer(app, 'PROBE', 'CREDITS', 3, { trial_policy: { scope: 'offer' } });
});

const subscribed = () => idOf('/subscriptions', { external_id: newPerson(), sku: 'MONTHLY' });

interface Case {
  path: string;
  body: Json;
  /** What is hashed. */
  text: string;
}

async function personWith(amount = 20): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'CREDITS', amount);
  await grantUnits(app, external_id, 'COIN', amount);
  return external_id;
}

async function idOf(path: string, body: Json, member = 'id'): Promise<string> {
  const answer = await app.post(path, body);
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.body[member];
}

const holdFor = async () =>
  idOf('/reservations', { external_id: await personWith(), product_key: 'CREDITS', amount: 4 });
const useFor = async () =>
  idOf('/quota/consume', { external_id: await personWith(), product_key: 'CREDITS', amount: 4 }, 'operation_id');

async function paidOrder(): Promise<string> {
  const { id } = await placeOrder(app, newPerson(), 'PACK');
  return idOf(`/orders/${id}/confirm`, { payment_id: newPayment() });
}

/** A reward that waits for an operator, because both sides paid with one card. */
async function heldReward(): Promise<string> {
  await app.put('/referral-programs/hashes', { trigger: 'on_first_paid_order', referrer: { sku: 'PACK' } });
  const [referrer, referee] = [newPerson(), newPerson()];
  for (const external_id of [referrer, referee]) {
    const { id } = await placeOrder(app, external_id, 'PACK');
    if (external_id === referee) {
      const pair = { provider: 'default', referrer_external_id: referrer, referee_external_id: referee };
      await app.post('/referrals', pair);
    }
    await app.post(`/orders/${id}/confirm`, { payment_id: newPayment(), payment_fingerprint: referrer });
  }
  const { body } = await app.get(`/referrals/rewards?external_id=${referrer}`);
  return body.data[0].id;
}

/** Each operation that takes a key: with as little as it needs, and with everything. */
const commands: Record<string, (() => Promise<Case>)[]> = {
  identify: [
    async () => {
      const external_id = newPerson();
      const text = `{"identity":{"externalId":"${external_id}","provider":"default"}}`;
      return { path: '/identify', body: { external_id }, text };
    },
    async () => {
      const external_id = newPerson();
      const text = `{"identity":{"externalId":"${external_id}","provider":"telegram"},"profile":${METADATA}}`;
      return { path: '/identify', body: { external_id, provider: 'Telegram', profile: metadata }, text };
    },
  ],
  'identity.link': [
    async () => {
      const external_id = newPerson();
      const id = await idOf('/identify', { external_id: newPerson() }, 'customer_id');
      const text = `{"identity":{"externalId":"${external_id}","provider":"default"},"profile":{}}`;
      return { path: `/customers/${id}/identities`, body: { external_id }, text };
    },
  ],
  'customer.merge': [
    async () => {
      const target_customer_id = await idOf('/identify', { external_id: newPerson() }, 'customer_id');
      const source_customer_id = await idOf('/identify', { external_id: newPerson() }, 'customer_id');
      const text = `{"isDryRun":false,"sourceId":"${source_customer_id}"}`;
      return { path: '/customers/merge', body: { target_customer_id, source_customer_id }, text };
    },
  ],
  'order.create': [
    async () => ({
      path: '/orders',
      body: { external_id: newPerson(), items: [{ sku: 'pack' }] },
      text: '{"items":[{"quantity":1,"sku":"PACK"}],"metadata":{}}',
    }),
    async () => ({
      path: '/orders',
      body: { external_id: newPerson(), items: [{ sku: 'PACK', quantity: 2 }], expires_in: 60, metadata },
      text: `{"expiresIn":60,"items":[{"quantity":2,"sku":"PACK"}],"metadata":${METADATA}}`,
    }),
  ],
  'order.cancel': [
    async () => {
      const { id } = await placeOrder(app, newPerson(), 'PACK');
      return { path: `/orders/${id}/cancel`, body: { reason: 'why' }, text: `{"orderId":"${id}","reason":"why"}` };
    },
  ],
  'subscription.create': [
    async () => ({
      path: '/subscriptions',
      body: { external_id: newPerson(), sku: 'monthly' },
      text: '{"identities":[],"metadata":{},"sku":"MONTHLY","trial":true}',
    }),
  ],
  'subscription.change': [
    async () => {
      const id = await subscribed();
      return {
        path: `/subscriptions/${id}/change`,
        body: { sku: 'DEAR_MONTHLY' },
        text: `{"id":"${id}","oldUnits":"carry","sku":"DEAR_MONTHLY","when":"period_end"}`,
      };
    },
  ],
  'subscription.cancel': [
    async () => {
      const id = await subscribed();
      return { path: `/subscriptions/${id}/cancel`, body: {}, text: `{"id":"${id}","when":"period_end"}` };
    },
  ],
  'subscription.resume': [
    async () => {
      const id = await subscribed();
      await idOf(`/subscriptions/${id}/cancel`, {});
      return { path: `/subscriptions/${id}/resume`, body: {}, text: `{"id":"${id}"}` };
    },
  ],
  'subscription.renew': [
    async () => {
      const id = await subscribed();
      await idOf(`/subscriptions/${id}/change`, { sku: 'DEAR_MONTHLY' });
      return { path: `/subscriptions/${id}/renew`, body: {}, text: `{"id":"${id}"}` };
    },
  ],
  'reward.release': [
    async () => {
      const id = await heldReward();
      return {
        path: `/referrals/rewards/${id}/release`,
        body: { reason: 'why' },
        text: `{"id":"${id}","reason":"why"}`,
      };
    },
    async () => {
      const id = await heldReward();
      return { path: `/referrals/rewards/${id}/release`, body: {}, text: `{"id":"${id}"}` };
    },
  ],
  'reward.refuse': [
    async () => {
      const id = await heldReward();
      return {
        path: `/referrals/rewards/${id}/refuse`,
        body: { reason: 'why' },
        text: `{"id":"${id}","reason":"why"}`,
      };
    },
  ],
  'order.dispute': [
    async () => {
      const id = await paidOrder();
      return {
        path: `/orders/${id}/dispute`,
        body: { dispute_id: 'dp_hash', status: 'opened' },
        text: `{"disputeId":"dp_hash","orderId":"${id}","status":"opened","unrecoveredPolicy":"ignore"}`,
      };
    },
  ],
  'order.refund': [
    async () => {
      const id = await paidOrder();
      return {
        path: `/orders/${id}/refund`,
        body: {},
        text: `{"orderId":"${id}","status":"succeeded","unrecoveredPolicy":"ignore"}`,
      };
    },
    async () => {
      const id = await paidOrder();
      return {
        path: `/orders/${id}/refund`,
        body: { amount: '0.50', refund_id: 're_hash', payment_method: 'Telegram', reason: 'why' },
        text: `{"amount":"0.50","orderId":"${id}","paymentMethod":"telegram_payments","reason":"why","refundId":"re_hash","status":"succeeded","unrecoveredPolicy":"ignore"}`,
      };
    },
  ],
  'order.confirm': [
    async () => {
      const { id } = await placeOrder(app, newPerson(), 'PACK');
      const payment_id = newPayment();
      const text = `{"orderId":"${id}","paymentId":"${payment_id}","paymentMethod":"provider_payments","status":"paid"}`;
      return { path: `/orders/${id}/confirm`, body: { payment_id }, text };
    },
    async () => {
      const { id } = await placeOrder(app, newPerson(), 'PACK');
      const payment_id = newPayment();
      return {
        path: `/orders/${id}/confirm`,
        body: { payment_id, payment_method: 'Telegram', status: 'paid', amount: '1.00', currency: 'usd' },
        text: `{"amount":"1.00","currency":"USD","orderId":"${id}","paymentId":"${payment_id}","paymentMethod":"telegram_payments","status":"paid"}`,
      };
    },
  ],
  'quota.consume': [
    async () => ({
      path: '/quota/consume',
      body: { external_id: await personWith(), product_key: 'credits' },
      text: '{"actionType":"usage","amount":1,"metadata":{},"subject":{"productKey":"CREDITS"}}',
    }),
    async () => ({
      path: '/wallet/consume',
      body: {
        external_id: await personWith(),
        feature: 'draw',
        amount: 3,
        action_type: 'predict',
        action_id: 'p-1',
        metadata,
        on_refusal: 'verdict',
      },
      text: `{"actionId":"p-1","actionType":"predict","amount":3,"metadata":${METADATA},"subject":{"feature":"draw"}}`,
    }),
  ],
  'quota.consume.item': [
    async () => ({
      path: '/quota/consume/batch',
      body: { items: [{ external_id: await personWith(), product_key: 'CREDITS' }] },
      text: '{"actionType":"usage","amount":1,"metadata":{},"subject":{"productKey":"CREDITS"}}',
    }),
  ],
  'quota.consume.batch': [
    async () => {
      const external_id = await personWith();
      return {
        path: '/quota/consume/batch',
        body: { items: [{ external_id, product_key: 'CREDITS' }] },
        text:
          '{"items":[{"command":{"actionType":"usage","amount":1,"metadata":{},"subject":{"productKey":"CREDITS"}},' +
          `"selector":{"identity":{"externalId":"${external_id}","provider":"default"}}}],"mode":"continue"}`,
      };
    },
  ],
  'quota.release': [
    async () => {
      const operation_id = await useFor();
      return {
        path: '/quota/release',
        body: { operation_id },
        text: `{"metadata":{},"operationId":"${operation_id}"}`,
      };
    },
    async () => {
      const operation_id = await useFor();
      return {
        path: '/quota/release',
        body: { operation_id, amount: 2, metadata },
        text: `{"amount":2,"metadata":${METADATA},"operationId":"${operation_id}"}`,
      };
    },
    async () => {
      const external_id = newPerson();
      await idOf('/quota/consume', { external_id, product_key: 'SEATS', amount: 2 }, 'operation_id');
      return {
        path: '/quota/release',
        body: { external_id, product_key: 'SEATS', amount: 1 },
        text: `{"amount":1,"metadata":{},"subject":{"productKey":"SEATS"}}`,
      };
    },
  ],
  'reservation.create': [
    async () => ({
      path: '/reservations',
      body: { external_id: await personWith(), product_key: 'CREDITS' },
      text: '{"actionType":"usage","amount":1,"lifetime":{"ttlMs":900000},"metadata":{},"subject":{"productKey":"CREDITS"}}',
    }),
    async () => ({
      path: '/reservations',
      body: {
        external_id: await personWith(),
        feature: 'draw',
        amount: 2,
        expires_at: '2026-02-01T00:00:00Z',
        action_type: 'render',
        action_id: 'r-1',
        metadata,
      },
      text: `{"actionId":"r-1","actionType":"render","amount":2,"lifetime":{"expiresAt":"2026-02-01T00:00:00.000Z"},"metadata":${METADATA},"subject":{"feature":"draw"}}`,
    }),
  ],
  'reservation.commit': [
    async () => {
      const id = await holdFor();
      return {
        path: `/reservations/${id}/commit`,
        body: {},
        text: `{"allowExcess":false,"reservationId":"${id}"}`,
      };
    },
    async () => {
      const id = await holdFor();
      return {
        path: `/reservations/${id}/commit`,
        body: { amount: 6, allow_excess: true },
        text: `{"allowExcess":true,"amount":6,"reservationId":"${id}"}`,
      };
    },
  ],
  'reservation.release': [
    async () => {
      const id = await holdFor();
      return { path: `/reservations/${id}/release`, body: {}, text: `{"reservationId":"${id}"}` };
    },
  ],
  'reservation.extend': [
    async () => {
      const id = await holdFor();
      const text = `{"reservationId":"${id}","ttlMs":3600000}`;
      return { path: `/reservations/${id}/extend`, body: { ttl_seconds: 3600 }, text };
    },
  ],
  'credits.add': [
    async () => ({
      path: '/credits/add',
      body: { external_id: newPerson(), product_key: 'COIN', amount: 5 },
      text: '{"amount":5,"metadata":{},"productKey":"COIN"}',
    }),
    async () => ({
      path: '/credits/add',
      body: {
        external_id: newPerson(),
        product_key: 'COIN',
        amount: 5,
        expires_at: AT,
        description: 'gift',
        metadata: { a: 1 },
      },
      text: `{"amount":5,"expiresAt":"${AT}","metadata":{"a":1,"description":"gift"},"productKey":"COIN"}`,
    }),
  ],
  'credits.deduct': [
    async () => ({
      path: '/credits/deduct',
      body: { external_id: await personWith(), product_key: 'COIN', amount: 5 },
      text: '{"allowNegative":false,"amount":5,"metadata":{},"productKey":"COIN"}',
    }),
    async () => ({
      path: '/credits/deduct',
      body: {
        external_id: await personWith(),
        product_key: 'COIN',
        amount: 5,
        allow_negative: true,
        description: 'work',
      },
      text: '{"allowNegative":true,"amount":5,"metadata":{"description":"work"},"productKey":"COIN"}',
    }),
  ],
  grant: [
    async () => ({
      path: '/grants',
      body: { external_id: newPerson(), grant_type: 'bonus', sku: 'PACK' },
      text: '{"direction":"credit","grantType":"bonus","metadata":{},"subject":{"quantity":1,"sku":"PACK"}}',
    }),
    async () => ({
      path: '/grants',
      body: {
        external_id: newPerson(),
        grant_type: 'migration',
        product_key: 'CREDITS',
        quantity: 5,
        priority: -1,
        valid_from: '2026-01-01T00:00:00Z',
        expires_at: AT,
        source_id: 'old-1',
        reason: 'moved',
        metadata,
      },
      text:
        `{"direction":"credit","grantType":"migration","metadata":${METADATA},"reason":"moved","sourceId":"old-1",` +
        `"subject":{"expiresAt":"${AT}","priority":-1,"productKey":"CREDITS","quantity":5,"validFrom":"2026-01-01T00:00:00.000Z"}}`,
    }),
    async () => ({
      path: '/grants',
      body: {
        external_id: await personWith(),
        grant_type: 'adjustment',
        direction: 'debit',
        product_key: 'CREDITS',
        reason: 'x',
      },
      text: '{"direction":"debit","grantType":"adjustment","metadata":{},"reason":"x","subject":{"priority":0,"productKey":"CREDITS","quantity":1}}',
    }),
    async () => ({
      path: '/demo/trial-grant',
      body: { external_id: newPerson(), sku: 'SAMPLE', grant_type: 'trial' },
      text: '{"grantType":"trial","identities":[],"metadata":{},"override":false,"sku":"SAMPLE"}',
    }),
    async () => ({
      path: '/grants',
      body: {
        external_id: newPerson(),
        grant_type: 'trial',
        sku: 'PROBE',
        identities: { 'E-Mail': 'Ada+x@GoogleMail.com', device: ' Serial-1 ' },
        override: true,
        reason: 'asked',
        metadata,
      },
      text: `{"grantType":"trial","identities":${IDENTITIES},"metadata":${METADATA},"override":true,"reason":"asked","sku":"PROBE"}`,
    }),
  ],
  exchange: [
    async () => ({
      path: '/exchange',
      body: { external_id: await personWith(), sku: 'for_coin' },
      text: '{"metadata":{},"sku":"FOR_COIN"}',
    }),
  ],
  'referral.attach': [
    async () => {
      const [referrer, referee] = [newPerson(), newPerson()];
      for (const external_id of [referrer, referee]) await idOf('/identify', { external_id }, 'customer_id');
      return {
        path: '/referrals',
        body: { referrer_external_id: referrer, referee_external_id: referee },
        text: `{"metadata":{},"referrer":{"identity":{"externalId":"${referrer}","provider":"default"}}}`,
      };
    },
    async () => {
      const referrer_id = await idOf('/identify', { external_id: newPerson() }, 'customer_id');
      const referee_id = await idOf('/identify', { external_id: newPerson() }, 'customer_id');
      return {
        path: '/referrals',
        body: { referrer_id, referee_id, metadata },
        text: `{"metadata":${METADATA},"referrer":{"customerId":"${referrer_id}"}}`,
      };
    },
  ],
};

/** They take no key: PUT, PATCH and DELETE may be repeated anyway, and what happens by itself is nobody's request. */
const WITHOUT_KEY = [
  'subscription.turn',
  'customer.update',
  'customer.erase',
  'customer.transfer',
  'identity.unlink',
  'batch.notice',
  'reward.grant',
  'reward.claw_back',
  'limit.set',
  'limit.change',
  'limit.remove',
  'limit.share',
  'limit.follow',
];

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

let keys = 0;

describe('the fingerprint of a request', () => {
  it.each(
    Object.entries(commands).flatMap(([name, makes]) => makes.map((make, index) => [name, index, make] as const)),
  )('is that of today, for %s %i', async (name, _index, make) => {
    const { path, body, text } = await make();
    keys += 1;
    const idempotency_key = `hash-${keys}`;
    const answer = await app.post(path, { ...body, idempotency_key });
    expect(answer.status, answer.text).toBeLessThan(300);
    const key = name === 'quota.consume.item' ? `${idempotency_key}#0` : idempotency_key;
    const rows = await ask(
      app.url,
      `SELECT encode(request_hash, 'hex') AS request_hash, request_hash_version FROM idempotency_records
       WHERE name = $1 AND kind = 'client' AND key = $2
       UNION ALL
       SELECT encode(request_hash, 'hex'), request_hash_version FROM keyed_calls WHERE name = $1 AND idempotency_key = $2`,
      [name, key],
    );
    expect(rows).toEqual([{ request_hash: sha256(text), request_hash_version: 1 }]);
  });

  it('is held here for every operation that takes a key', () => {
    expect([...Object.keys(commands), ...WITHOUT_KEY].sort()).toEqual(
      [...Object.keys(OPERATIONS), 'quota.consume.batch'].sort(),
    );
    expect(REQUEST_HASH_VERSION).toBe(1);
  });

  it('leaves out what is undefined, as a new member is at its default', () => {
    expect(hashRequest({ b: 1, a: { d: undefined, c: 2 }, e: undefined })).toBe(sha256('{"a":{"c":2},"b":1}'));
  });
});
