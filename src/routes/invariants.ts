// The proof that the data are what they say.
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { defineRoute } from '../http/route.js';
import { invariantsAnswer, invariantsQuery } from '../schemas/invariants.js';
import { isSelected, toSelector } from '../schemas/selectors.js';
import { proveInvariants } from '../services/invariants.js';

export function registerInvariants(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/invariants',
    operationId: 'proveInvariants',
    summary: 'Recompute the invariants from the data',
    description:
      'For one customer, or for all, while there are at most 50,000 entries of them; beyond that run `npm run verify`.',
    tag: 'operations',
    access: 'admin',
    query: invariantsQuery,
    responses: { 200: invariantsAnswer },
    problems: ['too_large', 'customer_not_found', 'selector_conflict'],
    isDear: true,
    mayLag: deps,
    handler: async ({ query, deps }) => {
      const report = await proveInvariants(deps, isSelected(query) ? toSelector(query) : undefined);
      return {
        status: 200,
        body: {
          ok: report.ok,
          checked: report.checked,
          differences: report.differences.map(({ customerId, ...rest }) => ({ ...rest, customer_id: customerId })),
          has_more: report.hasMore,
        },
      };
    },
  });
}
