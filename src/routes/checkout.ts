// Pages of Stripe on which orders are paid.
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { defineRoute } from '../http/route.js';
import { makeCheckout } from '../payments/checkout.js';
import { checkoutAnswer, checkoutBody } from '../schemas/checkout.js';
import { orderParams } from '../schemas/orders.js';

export function registerCheckout(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/orders/:id/checkout',
    operationId: 'checkoutOrder',
    summary: 'Have Stripe make a page on which an order is paid',
    description:
      'A Checkout Session with the lines of the order, once for each order and day: the same call again answers the same page. What is paid there comes in as a webhook. Needs `BURSAR_STRIPE_SECRET_KEY`.',
    tag: 'payments',
    access: 'orders',
    idempotent: false,
    params: orderParams,
    body: checkoutBody,
    responses: { 200: checkoutAnswer },
    problems: [
      'order_not_found',
      'order_already_paid',
      'order_not_payable',
      'payment_provider_not_found',
      'checkout_unavailable',
      'checkout_differs',
      'provider_refused',
    ],
    handler: async ({ params, body: { success_url: successUrl, cancel_url: cancelUrl } }) => {
      const { id, url, expiresAt } = await makeCheckout(deps, params.id, { successUrl, cancelUrl });
      return { status: 200, body: { id, url, expires_at: expiresAt } };
    },
  });
}
