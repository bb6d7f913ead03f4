// The intent to pay, and its confirmation.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Call } from '../call.js';
import type { OrderResult } from '../db/shown-orders.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import { decodeCreatedAt, decodeCursor, toCreatedPage, toPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import { instantSchema } from '../schemas/instants.js';
import {
  cancelOrderBody,
  confirmOrderBody,
  orderAnswer,
  orderPage,
  orderParams,
  orderQuery,
  ordersQuery,
  paymentPage,
  paymentsQuery,
  placeOrderBody,
} from '../schemas/orders.js';
import { isSelected, toSelector, toSelectorBeside } from '../schemas/selectors.js';
import { text } from '../schemas/text.js';
import {
  cancelOrder,
  confirmOrder,
  getOrder,
  getOrders,
  getPayments,
  type OrderLineCommand,
  placeOrder,
} from '../services/orders.js';
import { toListedOrderView, toOrderView, toPaymentView, toSoldOrderView } from './views.js';

const paymentPosition = z.strictObject({
  created_at: instantSchema,
  payment_method: text({ trim: false }),
  payment_id: text({ trim: false }),
});

/** An order as it is answered, and recorded. */
export const renderOrder = (status: number) => (result: OrderResult) => ({
  status,
  body: renderJson(orderAnswer, toOrderView(result)),
});

/**
 * The lines of an order; those with a price of their own say why. Throws: forbidden (without the scope `prices`), invalid_request (one of both is missing).
 */
function toLines(items: z.output<typeof placeOrderBody>['items'], { actor }: Call): OrderLineCommand[] {
  return items.map(({ sku, quantity, price, price_reason: reason }, index) => {
    if (price === undefined && reason === undefined) return { sku, quantity };
    const pointer = `/items/${index}/price`;
    if (price === undefined) throw new AppError('invalid_request', 'A price_reason belongs to a price.', { pointer });
    if (reason === undefined) {
      const detail = 'A price of its own needs a price_reason.';
      throw new AppError('invalid_request', detail, { pointer: `${pointer}_reason` });
    }
    if (!actor.scopes.has('prices')) {
      throw new AppError('forbidden', 'Prices come from the catalogue: another one needs the scope `prices`.', {
        pointer,
      });
    }
    return { sku, quantity, price: { of: price, reason } };
  });
}

export function registerOrders(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/orders',
    operationId: 'placeOrder',
    summary: 'Place an order',
    description:
      'Prices and terms are those of the offers at this moment; another price of a line needs the scope `prices`, and says why. Put the order’s id into the payment provider’s invoice.',
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
      'plan_is_free',
      'product_inactive',
      'mixed_currencies',
      'already_unlimited',
      'quantity_too_large',
      'too_many_batches',
      'too_many_open_orders',
      'offer_limit_reached',
    ],
    handler: ({ body, call }) =>
      placeOrder(
        deps,
        toSelector(body),
        {
          items: toLines(body.items, call),
          metadata: body.metadata,
          expiresIn: body.expires_in,
        },
        call,
        renderOrder(201),
      ),
  });

  defineRoute(app, {
    method: 'GET',
    url: '/orders',
    operationId: 'listOrders',
    summary: 'List orders, newest first',
    tag: 'orders',
    access: 'read',
    ability: 'orders.read',
    query: ordersQuery,
    responses: { 200: orderPage },
    problems: ['customer_not_found', 'selector_conflict'],
    mayLag: deps,
    handler: async ({ query, deps }) => {
      const orders = await getOrders(deps, {
        selector: isSelected(query) ? toSelector(query) : undefined,
        status: query.status,
        sku: query.sku,
        paymentId: query.payment_id,
        paymentMethod: query.payment_method,
        from: query.from,
        until: query.until,
        after: decodeCreatedAt(query.cursor),
        limit: query.limit + 1,
      });
      const { rows, nextCursor } = toCreatedPage(orders, query.limit, (row) => row);
      return { status: 200, body: { data: rows.map(toListedOrderView), next_cursor: nextCursor } };
    },
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
      body: toSoldOrderView(await getOrder(deps, toSelectorBeside(query), params.id)),
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
      'plan_is_free',
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
          paymentFingerprint: body.payment_fingerprint ?? undefined,
        },
        call,
        renderOrder(200),
      ),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/orders/:id/cancel',
    operationId: 'cancelOrder',
    summary: 'Cancel an order that nobody has paid',
    description: 'A payment that comes later is kept as unmatched. An order that is cancelled is answered as it is.',
    tag: 'orders',
    access: 'orders',
    params: orderParams,
    body: cancelOrderBody,
    responses: { 200: orderAnswer },
    problems: ['order_not_found', 'customer_not_found', 'selector_conflict', 'order_not_cancellable'],
    handler: ({ params, body, call }) =>
      cancelOrder(deps, toSelectorBeside(body), params.id, body.reason, call, renderOrder(200)),
  });

  defineRoute(app, {
    method: 'GET',
    url: '/payments',
    operationId: 'listPayments',
    summary: 'List what was told of payments, newest first',
    description: '`unmatched` are those that somebody has to look at: money that came and bought nothing.',
    tag: 'orders',
    access: 'read',
    query: paymentsQuery,
    responses: { 200: paymentPage },
    problems: ['customer_not_found', 'selector_conflict'],
    mayLag: deps,
    handler: async ({ query, deps }) => {
      const position = decodeCursor(paymentPosition, query.cursor);
      const payments = await getPayments(deps, {
        selector: isSelected(query) ? toSelector(query) : undefined,
        status: query.status,
        orderId: query.order_id,
        paymentId: query.payment_id,
        paymentMethod: query.payment_method,
        after: position && {
          createdAt: position.created_at,
          paymentMethod: position.payment_method,
          paymentId: position.payment_id,
        },
        limit: query.limit + 1,
      });
      const { rows, nextCursor } = toPage(payments, query.limit, paymentPosition, (payment) => ({
        created_at: payment.createdAt,
        payment_method: payment.paymentMethod,
        payment_id: payment.paymentId,
      }));
      return { status: 200, body: { data: rows.map(toPaymentView), next_cursor: nextCursor } };
    },
  });
}
