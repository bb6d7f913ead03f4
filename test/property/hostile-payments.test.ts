// Bodies and headers that nobody would send in good faith, signed and unsigned: no 5xx, and nothing is paid.
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { putOffer, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { failOnUndeclared } from '../support/declared-problems.js';
import { ask, placeOrder } from '../support/parallel.js';
import {
  checkoutSession,
  paymentIntent,
  paymentSettings,
  preCheckout,
  type Signed,
  signedByStripe,
  starsPaid,
  stripeEvent,
  telegramUpdate,
  yookassaNotification,
} from '../support/payments.js';
import { propertyRun } from './seeds.js';

const RUNS = 400;
const TIMEOUT_MS = 300_000;
const OTHER_ORDER = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

const app = useTestApp();
const undeclared = failOnUndeclared();
let inbound: { app: FastifyInstance; close(): Promise<void> };
let orderId = '';

beforeAll(async () => {
  const yookassa = { shopId: '1', secretKey: 'k', apiUrl: 'http://127.0.0.1:9', networks: ['127.0.0.1'] };
  inbound = await startTestApp(app.url, app.clock, undeclared, { payments: paymentSettings({ yookassa }) });
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 10, { price: '7.77' });
  orderId = await placeOrder(app, 'ada', 'PACK');
});
afterAll(() => inbound.close());

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    '\u0000',
    '\ud800',
    -1,
    1.5,
    1e300,
    Number.MAX_SAFE_INTEGER,
    true,
    [],
    {},
    '__proto__',
  ),
  fc.constantFrom<unknown>('x'.repeat(300), { id: 'x' }, [[[]]], '1e999', 'NaN', OTHER_ORDER.toUpperCase()),
  fc.jsonValue({ maxDepth: 2 }),
);
const bodies = fc.constantFrom<[string, () => unknown]>(
  ['stripe', () => JSON.parse(stripeEvent('evt', 'payment_intent.succeeded', paymentIntent('pi', orderId)))],
  ['stripe', () => JSON.parse(stripeEvent('evt', 'checkout.session.completed', checkoutSession('cs', 'pi', orderId)))],
  [
    'stripe',
    () => JSON.parse(stripeEvent('evt', 'charge.refunded', { id: 'ch', payment_intent: 'pi', currency: 'usd' })),
  ],
  ['telegram', () => starsPaid(7, 'charge', orderId, 5)],
  ['telegram', () => preCheckout(orderId, 5)],
  ['yookassa', () => JSON.parse(yookassaNotification('payment.succeeded', 'p-1'))],
);

/** Every place of a value, as the path to it. */
function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, [...path, name]))];
}

/** The value with something else at one of its places. */
function changed(value: unknown, path: readonly string[], other: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return other;
  return { ...(value as object), [name]: changed((value as Record<string, unknown>)[name], rest, other) };
}

const requests = fc
  .record({ body: bodies, at: fc.nat(), other: odd, salt: fc.string(), isSigned: fc.boolean(), isCut: fc.boolean() })
  .map(({ body: [provider, make], at, other, salt, isSigned, isCut }) => {
    // Each is an event of its own: what came before is stored, and answered without being looked at again.
    const own = JSON.stringify(make()).replace('"evt"', `"evt_${at}"`).replace('"update_id":7', `"update_id":${at}`);
    const whole: unknown = JSON.parse(own);
    const paths = pathsOf(whole);
    const value = changed(whole, paths[at % paths.length] ?? [], other);
    const text = JSON.stringify(value);
    return { provider, body: isCut ? text.slice(0, at % (text.length + 1)) : text, isSigned, salt };
  });

function signed(provider: string, body: string): Signed {
  if (provider === 'stripe') return signedByStripe(body);
  return provider === 'telegram' ? { ...telegramUpdate({}), body } : { body, headers: {} };
}

describe('what providers would never send', () => {
  const { parameters, timeout } = propertyRun(RUNS, TIMEOUT_MS);

  it('is never a 5xx, and pays nothing', { timeout }, async () => {
    await fc.assert(
      fc.asyncProperty(requests, async ({ provider, body, isSigned, salt }) => {
        const { headers } = isSigned
          ? signed(provider, body)
          : { headers: { 'stripe-signature': salt.replace(/[^\x20-\x7e]/g, '') } };
        const answer = await inbound.app.inject({
          method: 'POST',
          url: `${BASE_PATH}/payments/${provider}`,
          headers: { 'content-type': 'application/json', ...headers },
          payload: body,
        });
        expect(answer.statusCode, `${provider} ${body} ${answer.body}`).toBeLessThan(500);
      }),
      parameters,
    );
    expect((await app.get(`/orders/${orderId}`)).body.status).toBe('pending');
    expect(await ask(app.url, 'SELECT FROM batches')).toEqual([]);
    expect(await ask(app.url, `SELECT FROM payment_inbox WHERE status = 'applied' AND kind = 'paid'`)).toEqual([]);
  });
});
