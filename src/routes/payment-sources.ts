// Payment providers without a file of their own: how what they send is understood.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import { defineRoute } from '../http/route.js';
import type { PaymentSource } from '../ledger/payment-entities.js';
import { toWireNames } from '../lib/wire-names.js';
import { readMapped } from '../payments/generic.js';
import { ownIdOf } from '../payments/provider.js';
import {
  putSourceAnswer,
  putSourceBody,
  sourceFault,
  sourceOnlyAnswer,
  sourceParams,
  sourcesAnswer,
  trySourceAnswer,
  trySourceBody,
} from '../schemas/payment-sources.js';
import {
  deletePaymentSource,
  getPaymentSource,
  getPaymentSources,
  putPaymentSource,
  type SourceTerms,
} from '../services/payment-sources.js';
import { toToldView } from './payment-views.js';

export function registerPaymentSources(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/payment-sources',
    operationId: 'listPaymentSources',
    summary: 'List sources of payments',
    tag: 'payments',
    access: 'admin',
    responses: { 200: sourcesAnswer },
    problems: [],
    handler: async () => ({ status: 200, body: { data: (await getPaymentSources(deps)).map(toSourceView) } }),
  });

  defineRoute(app, {
    method: 'GET',
    url: '/payment-sources/:name',
    operationId: 'getPaymentSource',
    summary: 'Get a source of payments',
    tag: 'payments',
    access: 'admin',
    params: sourceParams,
    responses: { 200: sourceOnlyAnswer },
    problems: ['payment_source_not_found'],
    handler: async ({ params }) => ({ status: 200, body: toSourceView(await getPaymentSource(deps, params.name)) }),
  });

  defineRoute(app, {
    method: 'PUT',
    url: '/payment-sources/:name',
    operationId: 'putPaymentSource',
    summary: 'Take payments of a provider that has no file of its own',
    description:
      'It sends to `POST /payments/generic/{name}`, signed by Standard Webhooks or HMAC-SHA-256. `POST /payment-sources/{name}/try` shows what a body would become.',
    tag: 'payments',
    access: 'admin',
    params: sourceParams,
    body: putSourceBody,
    responses: { 200: putSourceAnswer, 201: putSourceAnswer },
    problems: ['too_many_payment_sources'],
    handler: async ({ params, body, call }) => {
      const fault = sourceFault(body);
      if (fault) throw new AppError('invalid_request', fault.message, { pointer: fault.pointer });
      const { source, secret, isNew } = await putPaymentSource(deps, toTerms(params.name, body), call.actor);
      const view = { ...toSourceView(source), secret };
      return isNew ? { status: 201, body: view } : { status: 200, body: view };
    },
  });

  defineRoute(app, {
    method: 'DELETE',
    url: '/payment-sources/:name',
    operationId: 'deletePaymentSource',
    summary: 'Take payments of a source no longer',
    description: 'What came from it stays.',
    tag: 'payments',
    access: 'admin',
    params: sourceParams,
    responses: { 204: z.undefined() },
    problems: ['payment_source_not_found'],
    handler: async ({ params, call }) => {
      await deletePaymentSource(deps, params.name, call.actor);
      return { status: 204, body: undefined };
    },
  });

  defineRoute(app, {
    method: 'POST',
    url: '/payment-sources/:name/try',
    operationId: 'tryPaymentSource',
    summary: 'See what a body of a source would become',
    description: 'Nothing is stored or applied.',
    tag: 'payments',
    access: 'admin',
    idempotent: false,
    params: sourceParams,
    body: trySourceBody,
    responses: { 200: trySourceAnswer },
    problems: ['payment_source_not_found'],
    handler: async ({ params, body: { body, headers } }) => {
      const { mapping } = await getPaymentSource(deps, params.name);
      const raw = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      const event = readMapped(mapping, raw, headers);
      return { status: 200, body: { ...toToldView(event), order_id: ownIdOf(event.orderRef) } };
    },
  });
}

function toTerms(
  name: string,
  { description, enabled, payment_method, signature, secret, mapping }: z.output<typeof putSourceBody>,
): SourceTerms {
  return {
    name,
    description,
    isEnabled: enabled,
    paymentMethod: payment_method ?? name,
    signature,
    secret,
    mapping: {
      eventId: mapping.event_id,
      type: mapping.type,
      orderId: mapping.order_id,
      subscriptionId: mapping.subscription_id,
      paymentId: mapping.payment_id,
      refundId: mapping.refund_id,
      disputeId: mapping.dispute_id,
      amount: mapping.amount,
      amountUnit: mapping.amount_unit,
      currency: mapping.currency,
      status: mapping.status,
      statuses: mapping.statuses,
    },
  };
}

function toSourceView(source: PaymentSource) {
  const { statuses, ...pointers } = source.mapping;
  return {
    name: source.name,
    description: source.description,
    enabled: source.isEnabled,
    payment_method: source.paymentMethod,
    signature: source.signature,
    mapping: { ...toWireNames(pointers), statuses: { ...statuses } },
    old_secret_until: source.oldSecretUntil,
    created_at: source.createdAt,
    updated_at: source.updatedAt,
  };
}
