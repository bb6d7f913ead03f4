// The intent to pay, and its confirmation.
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import { confirmOrderBody, orderAnswer, orderParams, orderQuery, placeOrderBody } from '../schemas/orders.js';
import { toSelector, toSelectorBeside } from '../schemas/selectors.js';
import { confirmOrder, getOrder, type OrderResult, placeOrder } from '../services/orders.js';
import { toOrderView } from './views.js';

const renderOrder = (status: number) => (result: OrderResult) => ({
  status,
  body: renderJson(orderAnswer, toOrderView(result)),
});

export function registerOrders(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/orders',
    operationId: 'placeOrder',
    summary: 'Place an order',
    description:
      'Prices and terms are those of the offers at this moment. Put the order’s id into the payment provider’s invoice.',
    tag: 'orders',
    access: 'orders',
    ability: 'orders.create',
    body: placeOrderBody,
    responses: { 201: orderAnswer },
    problems: [
      'customer_not_found',
      'selector_conflict',
      'offer_not_found',
      'offer_inactive',
      'offer_exchange_only',
      'product_inactive',
      'mixed_currencies',
      'already_unlimited',
      'quantity_too_large',
      'too_many_batches',
      'too_many_open_orders',
    ],
    handler: ({ body, call }) =>
      placeOrder(
        deps,
        toSelector(body),
        {
          items: body.items.map(({ sku, quantity }) => ({ sku, quantity })),
          metadata: body.metadata,
          expiresIn: body.expires_in,
        },
        call,
        renderOrder(201),
      ),
  });

  defineRoute(app, {
    method: 'GET',
    url: '/orders/:id',
    operationId: 'getOrder',
    summary: 'Get an order',
    tag: 'orders',
    access: 'read',
    ability: 'orders.read',
    params: orderParams,
    query: orderQuery,
    responses: { 200: orderAnswer },
    problems: ['order_not_found', 'customer_not_found', 'selector_conflict'],
    handler: async ({ params, query }) => ({
      status: 200,
      body: toOrderView(await getOrder(deps, toSelectorBeside(query), params.id)),
    }),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/orders/:id/confirm',
    operationId: 'confirmOrder',
    summary: 'Confirm the payment of an order',
    description:
      'Grants what the order bought, once: the same payment gets the first answer again, with or without a key. A payment that can’t be matched is kept.',
    tag: 'orders',
    access: 'payments',
    params: orderParams,
    body: confirmOrderBody,
    responses: { 200: orderAnswer },
    problems: [
      'order_not_found',
      'customer_not_found',
      'selector_conflict',
      'payment_already_used',
      'order_already_paid',
      'order_not_payable',
      'payment_mismatch',
      'quantity_too_large',
    ],
    handler: ({ params, body, call }) =>
      confirmOrder(
        deps,
        toSelectorBeside(body),
        params.id,
        {
          status: body.status,
          paymentId: body.payment_id ?? undefined,
          paymentMethod: body.payment_method,
          amount: body.amount ?? undefined,
          currency: body.currency ?? undefined,
        },
        call,
        renderOrder(200),
      ),
  });
}
