// Tokens for browsers, each of one customer.
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { defineRoute } from '../http/route.js';
import { issuedTokenAnswer, issueTokenBody } from '../schemas/customer-tokens.js';
import { customerParams } from '../schemas/customers.js';
import { issueCustomerToken } from '../services/customer-tokens.js';

export function registerCustomerTokens(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/customers/:id/tokens',
    operationId: 'issueCustomerToken',
    summary: 'Issue a token for a customer’s browser',
    description:
      'With it the customer is meant by himself: routes that take it need no selector, and answer 403 or 404 where another customer is named. It can’t be revoked by itself; it ends with the API key that issued it, whose expiry it never outlives, and when that is revoked. Nothing is stored of it, and an idempotency key is without effect.',
    tag: 'access',
    access: 'read',
    params: customerParams,
    body: issueTokenBody,
    responses: { 201: issuedTokenAnswer },
    problems: ['customer_not_found'],
    idempotent: false,
    handler: async ({ params, body, call }) => {
      const terms = { abilities: body.abilities, ttlS: body.ttl_seconds };
      const { claims, token } = await issueCustomerToken(deps, params.id, terms, call.actor);
      const { customerId, abilities, expiresAt } = claims;
      return {
        status: 201,
        body: { token, customer_id: customerId, abilities: [...abilities], expires_at: expiresAt },
      };
    },
  });
}
