// Rights given without payment.
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import { toSelector } from '../schemas/common.js';
import { grantAnswer, grantBody, toGrantSubject } from '../schemas/grants.js';
import { grantBonus } from '../services/grants.js';
import { toBatchView } from '../services/views.js';

export function registerGrants(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/grants',
    operationId: 'grant',
    summary: 'Give an offer or a quantity without payment',
    tag: 'grants',
    scope: 'grants',
    body: grantBody,
    strictBody: false,
    responses: { 201: grantAnswer },
    problems: [
      'customer_not_found',
      'selector_conflict',
      'offer_not_found',
      'offer_inactive',
      'product_not_found',
      'product_inactive',
      'quantity_too_large',
    ],
    handler: ({ body, idempotencyKey }) =>
      grantBonus(
        deps,
        toSelector(body),
        { grantType: body.grant_type, subject: toGrantSubject(body), reason: body.reason, metadata: body.metadata },
        idempotencyKey,
        (result) => ({
          status: 201,
          body: renderJson(grantAnswer, {
            grant_type: result.grantType,
            operation_id: result.operationId,
            products: [...new Set(result.batches.map((batch) => batch.productKey))],
            batches: result.batches.map((batch) => toBatchView(batch, result.now)),
            metadata: result.metadata,
          }),
        }),
      ),
  });
}
