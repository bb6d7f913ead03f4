// Customers and the identities that name them.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { decodeCreatedAt, toCreatedPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import {
  customerAnswer,
  customerPage,
  customerParams,
  customersQuery,
  identityParams,
  linkIdentityAnswer,
  linkIdentityBody,
  updateCustomerBody,
} from '../schemas/customers.js';
import { DEFAULT_PROVIDER } from '../schemas/selectors.js';
import { getCustomer, getCustomers, linkIdentity, unlinkIdentity, updateCustomer } from '../services/customers.js';
import { toCustomerView } from './views.js';

export function registerCustomers(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/customers',
    operationId: 'listCustomers',
    summary: 'List customers, newest first, or find one by an identity',
    tag: 'customers',
    access: 'read',
    query: customersQuery,
    responses: { 200: customerPage },
    problems: [],
    mayLag: deps,
    handler: async ({ query, deps }) => {
      const identity =
        query.external_id === undefined
          ? undefined
          : { provider: query.provider ?? DEFAULT_PROVIDER, externalId: query.external_id };
      const customers = await getCustomers(deps, identity, {
        after: decodeCreatedAt(query.cursor),
        limit: query.limit + 1,
      });
      const { rows, nextCursor } = toCreatedPage(customers, query.limit, (row) => row);
      return {
        status: 200,
        body: {
          data: rows.map(toCustomerView),
          next_cursor: nextCursor,
        },
      };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/customers/:id',
    operationId: 'getCustomer',
    summary: 'Get a customer with its identities',
    tag: 'customers',
    access: 'read',
    params: customerParams,
    responses: { 200: customerAnswer },
    problems: ['customer_not_found'],
    handler: async ({ params }) => ({ status: 200, body: toCustomerView(await getCustomer(deps, params.id)) }),
  });

  defineRoute(app, {
    method: 'PATCH',
    url: '/customers/:id',
    operationId: 'updateCustomer',
    summary: 'Replace a customer’s metadata',
    tag: 'customers',
    access: 'admin',
    params: customerParams,
    body: updateCustomerBody,
    responses: { 200: customerAnswer },
    problems: ['customer_not_found'],
    handler: ({ params, body, call }) =>
      updateCustomer(deps, params.id, body.metadata, call, (customer) => ({
        status: 200,
        body: renderJson(customerAnswer, toCustomerView(customer)),
      })),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/customers/:id/identities',
    operationId: 'linkIdentity',
    summary: 'Give a customer another identity',
    tag: 'customers',
    access: 'admin',
    params: customerParams,
    body: linkIdentityBody,
    responses: { 200: linkIdentityAnswer, 201: linkIdentityAnswer },
    problems: ['customer_not_found', 'identity_taken'],
    handler: ({ params, body, call }) =>
      linkIdentity(
        deps,
        params.id,
        { identity: { provider: body.provider, externalId: body.external_id }, profile: body.profile },
        call,
        ({ identity, isNew }) => ({
          status: isNew ? 201 : 200,
          body: renderJson(linkIdentityAnswer, {
            created: isNew,
            customer_id: identity.customerId,
            identity_id: identity.id,
            provider: identity.provider,
            external_id: identity.externalId,
            profile: identity.profile,
          }),
        }),
      ),
  });

  defineRoute(app, {
    method: 'DELETE',
    url: '/customers/:id/identities/:provider/:external_id',
    operationId: 'unlinkIdentity',
    summary: 'Take an identity from a customer',
    description: 'What the customer owns stays; the person behind the identity is unknown afterwards.',
    tag: 'customers',
    access: 'admin',
    params: identityParams,
    responses: { 204: z.undefined() },
    problems: ['customer_not_found', 'identity_not_found'],
    handler: async ({ params, call }) => {
      const identity = { provider: params.provider, externalId: params.external_id };
      await unlinkIdentity(deps, params.id, identity, call, () => ({ status: 204, body: '' }));
      return { status: 204, body: undefined };
    },
  });
}
