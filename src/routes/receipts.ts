// What happened: operations, batches and products, each with all that came of it.
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { decodeCursor, seqPosition, toPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import { toEventView } from '../lib/event-view.js';
import { productParams } from '../schemas/catalog.js';
import {
  batchQuery,
  batchReceiptAnswer,
  productReportAnswer,
  receiptAnswer,
  receiptParams,
  receiptQuery,
} from '../schemas/receipts.js';
import { toSelector, toSelectorBeside } from '../schemas/selectors.js';
import { getBatch, getProductReport, getReceipt } from '../services/receipts.js';
import { toBatchView, toCausedEntryView } from './views.js';

export function registerReceipts(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/operations/:id',
    operationId: 'getOperation',
    summary: 'See what an operation did',
    description: 'Who asked for it and when, what was answered, what it did in the ledger and what it told: a receipt.',
    tag: 'wallet',
    access: 'read',
    params: receiptParams,
    query: receiptQuery,
    responses: { 200: receiptAnswer },
    problems: ['operation_not_found', 'customer_not_found', 'selector_conflict'],
    handler: async ({ params, query }) => {
      const receipt = await getReceipt(deps, toSelectorBeside(query), params.id);
      const { operation, records, entries, entriesTotal, events } = receipt;
      const [kept] = records;
      return {
        status: 200,
        body: {
          id: operation.id,
          customer_id: operation.customerId,
          name: operation.name,
          key: operation.actingKey,
          recorded_at: operation.recordedAt,
          idempotency_keys: records.filter(({ kind }) => kind === 'client').map(({ key }) => key),
          answer: kept ? { status: kept.status, body: JSON.parse(kept.answer) as Record<string, unknown> } : null,
          entries: entries.map(toCausedEntryView),
          entries_total: entriesTotal,
          events: events.map(toEventView),
        },
      };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/wallet/batches/:id',
    operationId: 'getBatch',
    summary: 'Get a batch, and what was done to it',
    tag: 'wallet',
    access: 'read',
    ability: 'entries.read',
    params: receiptParams,
    query: batchQuery,
    responses: { 200: batchReceiptAnswer },
    problems: ['batch_not_found', 'customer_not_found', 'selector_conflict'],
    handler: async ({ params, query }) => {
      const page = { beforeSeq: decodeCursor(seqPosition, query.cursor)?.seq, limit: query.limit + 1 };
      const { batch, entries, isDue } = await getBatch(deps, toSelector(query), params.id, page);
      const { rows, nextCursor } = toPage(entries, query.limit, seqPosition, ({ seq }) => ({ seq }));
      return {
        status: 200,
        body: {
          ...toBatchView(batch),
          predecessor_id: batch.predecessorId,
          entries: rows.map(toCausedEntryView),
          next_cursor: nextCursor,
          settlement_pending: isDue,
        },
      };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/products/:key/report',
    operationId: 'getProductReport',
    summary: 'See what became of a product',
    description: 'Sums over all customers, as of now. It reads all that was ever granted of the product.',
    tag: 'catalog',
    access: 'admin',
    params: productParams,
    responses: { 200: productReportAnswer },
    problems: ['product_not_found'],
    handler: async ({ params }) => ({
      status: 200,
      body: { product_key: params.key, ...(await getProductReport(deps, params.key)) },
    }),
  });
}
