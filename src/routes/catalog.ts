// What is counted, and how it is sold.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import { decodeCursor, toPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import {
  catalogQuery,
  offerAnswer,
  offerPage,
  planGroupOf,
  productAnswer,
  productPage,
  productPageQuery,
  productParams,
  putOfferAnswer,
  putOfferBody,
  putProductBody,
  skuParams,
} from '../schemas/catalog.js';
import {
  getActiveOffer,
  getOffer,
  getOffers,
  getOffersBySku,
  getProduct,
  getProducts,
  putOffer,
  putProduct,
} from '../services/catalog.js';
import { toOfferView, toProductView } from './views.js';

const namePosition = z.strictObject({ name: z.string() });

function assertSameName(inPath: string, inBody: string | undefined, pointer: string): void {
  if (inBody === undefined || inBody === inPath) return;
  throw new AppError('invalid_request', `The path says ${inPath}, the body ${inBody}.`, { pointer });
}

export function registerCatalog(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/catalog',
    operationId: 'listOffers',
    summary: 'List what is for sale, by SKU',
    tag: 'catalog',
    access: 'read',
    ability: 'catalog.read',
    query: catalogQuery,
    responses: { 200: offerPage },
    problems: [],
    handler: async ({ query }) => {
      if (query.sku !== undefined) {
        const offers = await getOffersBySku(deps, query.sku, query.include_inactive);
        return { status: 200, body: { data: offers.map(toOfferView), next_cursor: null } };
      }
      const after = decodeCursor(namePosition, query.cursor)?.name ?? '';
      const read = await getOffers(deps, { after, limit: query.limit + 1, hasInactive: query.include_inactive });
      const { rows, nextCursor } = toPage(read, query.limit, namePosition, ({ sku }) => ({ name: sku }));
      return { status: 200, body: { data: rows.map(toOfferView), next_cursor: nextCursor } };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/catalog/:sku',
    operationId: 'getOffer',
    summary: 'Get an offer that is for sale',
    description: 'One that is not active is 404 here; `GET /offers/{sku}` has it.',
    tag: 'catalog',
    access: 'read',
    ability: 'catalog.read',
    params: skuParams,
    responses: { 200: offerAnswer },
    problems: ['offer_not_found'],
    handler: async ({ params }) => ({ status: 200, body: toOfferView(await getActiveOffer(deps, params.sku)) }),
  });

  defineRoute(app, {
    method: 'GET',
    url: '/products',
    operationId: 'listProducts',
    summary: 'List the products, by key',
    tag: 'catalog',
    access: 'read',
    ability: 'catalog.read',
    query: productPageQuery,
    responses: { 200: productPage },
    problems: [],
    handler: async ({ query }) => {
      const after = decodeCursor(namePosition, query.cursor)?.name ?? '';
      const read = await getProducts(deps, { after, limit: query.limit + 1, hasInactive: query.include_inactive });
      const { rows, nextCursor } = toPage(read, query.limit, namePosition, ({ productKey }) => ({ name: productKey }));
      return { status: 200, body: { data: rows.map(toProductView), next_cursor: nextCursor } };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/products/:key',
    operationId: 'getProduct',
    summary: 'Get a product, active or not',
    tag: 'catalog',
    access: 'read',
    params: productParams,
    responses: { 200: productAnswer },
    problems: ['product_not_found'],
    handler: async ({ params }) => ({ status: 200, body: toProductView(await getProduct(deps, params.key)) }),
  });

  defineRoute(app, {
    method: 'PUT',
    url: '/products/:key',
    operationId: 'putProduct',
    summary: 'Create or replace a product',
    description: 'Fields left out take their defaults. The type is fixed once the product exists.',
    tag: 'catalog',
    access: 'catalog',
    params: productParams,
    body: putProductBody,
    responses: { 200: productAnswer, 201: productAnswer },
    problems: ['name_taken', 'product_in_use', 'feature_metered'],
    handler: async ({ params, body, call }) => {
      assertSameName(params.key, body.product_key, '/product_key');
      const { product, isNew } = await putProduct(
        deps,
        {
          productKey: params.key,
          name: body.name,
          description: body.description,
          type: body.type,
          isCurrency: body.is_currency,
          isActive: body.is_active,
          features: body.features.map(({ feature, unit_cost }) => ({ feature, unitCost: unit_cost })),
          lowBalanceThreshold: body.low_balance_threshold,
          expiringDays: body.expiring_days,
          metadata: body.metadata,
        },
        body.force,
        call.actor,
      );
      const view = toProductView(product);
      return isNew ? { status: 201, body: view } : { status: 200, body: view };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/offers/:sku',
    operationId: 'getAnyOffer',
    summary: 'Get an offer, active or not',
    tag: 'catalog',
    access: 'read',
    params: skuParams,
    responses: { 200: offerAnswer },
    problems: ['offer_not_found'],
    handler: async ({ params }) => ({ status: 200, body: toOfferView(await getOffer(deps, params.sku)) }),
  });

  defineRoute(app, {
    method: 'PUT',
    url: '/offers/:sku',
    operationId: 'putOffer',
    summary: 'Create or replace an offer',
    description:
      'Fields left out take their defaults: begin with what `GET /offers/{sku}` answers. What was sold keeps the terms of its moment. `warnings` say why it could not be sold.',
    tag: 'catalog',
    access: 'catalog',
    params: skuParams,
    body: putOfferBody,
    responses: { 200: putOfferAnswer, 201: putOfferAnswer },
    problems: ['name_taken', 'name_reserved', 'product_not_found', 'product_metered'],
    handler: async ({ params, body, call }) => {
      assertSameName(params.sku, body.sku, '/sku');
      const { offer, warnings, isNew } = await putOffer(
        deps,
        {
          sku: params.sku,
          name: body.name,
          description: body.description,
          image: body.image,
          price: body.price,
          currency: body.currency,
          isActive: body.is_active,
          isTrial: body.is_trial,
          trialScope: body.trial_policy?.scope ?? null,
          recurrence: body.recurrence,
          planGroup: planGroupOf(body),
          items: body.items.map((item) => ({
            productKey: item.product_key,
            quantity: item.quantity,
            periodUnit: item.period_unit,
            periodValue: item.period_value,
            priority: item.priority,
            stacking: item.stacking,
          })),
          metadata: body.metadata,
        },
        call.actor,
      );
      const view = { ...toOfferView(offer), warnings };
      return isNew ? { status: 201, body: view } : { status: 200, body: view };
    },
  });
}
