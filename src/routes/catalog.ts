// What is counted, and how it is sold.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import { decodeCursor, toPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import {
  catalogDocument,
  catalogFile,
  catalogQuery,
  catalogTable,
  exportQuery,
  importAnswer,
  importQuery,
  offerAnswer,
  offerPage,
  productAnswer,
  productPage,
  productPageQuery,
  productParams,
  putOfferAnswer,
  putOfferBody,
  putProductBody,
  skuParams,
} from '../schemas/catalog.js';
import { text } from '../schemas/text.js';
import {
  getActiveOffer,
  getOffer,
  getOffers,
  getOffersBySku,
  getProduct,
  getProducts,
  importCatalog,
  putOffer,
  putProduct,
  retireOffer,
  retireProduct,
} from '../services/catalog.js';
import { writeCatalogDocument, writeCatalogTable } from './catalog-export.js';
import { readCatalogFile, refuseFaults } from './catalog-file.js';
import { toOfferTerms, toProductTerms } from './catalog-terms.js';
import { toImportView, toOfferView, toProductView } from './views.js';

const namePosition = z.strictObject({ name: text({ trim: false }) });

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
    mayLag: deps,
    handler: async ({ query, deps }) => {
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
    mayLag: deps,
    handler: async ({ params, deps }) => ({ status: 200, body: toOfferView(await getActiveOffer(deps, params.sku)) }),
  });

  defineRoute(app, {
    method: 'GET',
    url: '/catalog/export',
    operationId: 'exportCatalog',
    summary: 'Get the catalogue as a file',
    description:
      'JSON is one document. CSV is two tables, in two calls: `of=products`, and `of=offers` with a row for each item. Inactive ones are in it. An import of these bytes into an empty database exports them again; cells are as the catalogue says, also where a spreadsheet would take one for a formula.',
    tag: 'catalog',
    access: 'catalog',
    query: exportQuery,
    responses: { 200: catalogFile },
    downloads: { 'text/csv': catalogTable },
    isLong: true,
    problems: [],
    mayLag: deps,
    handler: async ({ query: { format, of }, deps }) => {
      if (format === 'csv') return { status: 200, file: await writeCatalogTable(deps, of ?? 'offers') };
      if (of === undefined) return { status: 200, file: await writeCatalogDocument(deps) };
      throw new AppError('invalid_request', 'JSON is one document of both: leave it out.', { pointer: 'query/of' });
    },
  });

  defineRoute(app, {
    method: 'POST',
    url: '/catalog/import',
    operationId: 'importCatalog',
    summary: 'Create and replace products and offers by a file',
    description:
      'Takes what `GET /catalog/export` answers, as JSON or as one of the two tables, at most 32 MiB and 100,000 records. All or nothing: each fault of each record is told with its line, record and column. What is so already is neither written nor audited, so that it may be repeated. What a file doesn’t say stays.',
    tag: 'catalog',
    access: 'catalog',
    query: importQuery,
    files: { 'application/json': catalogDocument, 'text/csv': catalogTable },
    isLong: true,
    idempotent: false,
    responses: { 200: importAnswer },
    problems: ['invalid_catalog'],
    handler: async ({ query: { dry_run, force }, file, call }) => {
      const read = await readCatalogFile(file);
      const isDry = dry_run || read.faults.length > 0;
      const imported = await importCatalog(deps, read.given, { force, isDry }, call.actor);
      refuseFaults(read, imported);
      return { status: 200, body: toImportView(imported, dry_run) };
    },
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
    mayLag: deps,
    handler: async ({ query, deps }) => {
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
    mayLag: deps,
    handler: async ({ params, deps }) => ({ status: 200, body: toProductView(await getProduct(deps, params.key)) }),
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
      const terms = toProductTerms(params.key, body);
      const { product, isNew } = await putProduct(deps, terms, body.force, call.actor);
      const view = toProductView(product);
      return isNew ? { status: 201, body: view } : { status: 200, body: view };
    },
  });

  defineRoute(app, {
    method: 'DELETE',
    url: '/products/:key',
    operationId: 'retireProduct',
    summary: 'Retire a product',
    description:
      'It is not sold or granted any more. What customers have of it stays and can be used; a PUT brings it back. One that is retired is answered as it is.',
    tag: 'catalog',
    access: 'catalog',
    params: productParams,
    responses: { 200: productAnswer },
    problems: ['product_not_found'],
    handler: async ({ params, call }) => ({
      status: 200,
      body: toProductView(await retireProduct(deps, params.key, call.actor)),
    }),
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
    mayLag: deps,
    handler: async ({ params, deps }) => ({ status: 200, body: toOfferView(await getOffer(deps, params.sku)) }),
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
      const { offer, warnings, isNew } = await putOffer(deps, toOfferTerms(params.sku, body), call.actor);
      const view = { ...toOfferView(offer), warnings };
      return isNew ? { status: 201, body: view } : { status: 200, body: view };
    },
  });

  defineRoute(app, {
    method: 'DELETE',
    url: '/offers/:sku',
    operationId: 'retireOffer',
    summary: 'Retire an offer',
    description:
      'It is not sold or granted any more. What was sold, and orders that wait for a payment, keep their terms; a PUT brings it back. One that is retired is answered as it is.',
    tag: 'catalog',
    access: 'catalog',
    params: skuParams,
    responses: { 200: offerAnswer },
    problems: ['offer_not_found'],
    handler: async ({ params, call }) => ({
      status: 200,
      body: toOfferView(await retireOffer(deps, params.sku, call.actor)),
    }),
  });
}
