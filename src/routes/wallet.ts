// What a customer owns and may use.
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { decodeCreatedAt, decodeCursor, entryPosition, toCreatedPage, toPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import { toSubject } from '../schemas/quota.js';
import { toSelector } from '../schemas/selectors.js';
import {
  balanceAnswer,
  balanceQuery,
  batchesQuery,
  batchPage,
  entriesQuery,
  entryPage,
  walletAnswer,
  walletQuery,
} from '../schemas/wallet.js';
import { type BalanceResult, getBalance, getBatches, getEntries, getWallet } from '../services/wallet.js';
import { toBatchView, toCausedEntryView, toSubjectView } from './views.js';

function messageOf({ subject, remaining }: BalanceResult): string {
  const name = 'feature' in subject ? subject.feature : subject.productKey;
  if (remaining === null) return `${name} available`;
  return remaining === 0 ? `No ${name} available` : `${remaining} ${name} available`;
}

export function registerWallet(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/balance',
    operationId: 'getBalance',
    summary: 'Ask whether a customer can use a product or feature',
    description: 'Somebody never seen is answered too: `can_use` is false.',
    tag: 'wallet',
    access: 'read',
    ability: 'balance.read',
    query: balanceQuery,
    responses: { 200: balanceAnswer },
    problems: ['selector_conflict', 'product_not_found', 'feature_not_found'],
    mayLag: deps,
    lagsIf: ({ as_of }) => as_of !== undefined,
    handler: async ({ query, deps }) => {
      const result = await getBalance(deps, toSelector(query), toSubject(query), query.as_of);
      return {
        status: 200,
        body: {
          can_use: result.canUse,
          ...toSubjectView(result.subject),
          remaining: result.remaining,
          upcoming: result.upcoming,
          expires_at: result.expiresAt,
          message: messageOf(result),
        },
      };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/wallet',
    operationId: 'getWallet',
    summary: 'Get everything that a customer holds',
    tag: 'wallet',
    access: 'read',
    ability: 'wallet.read',
    query: walletQuery,
    responses: { 200: walletAnswer },
    problems: ['customer_not_found', 'selector_conflict'],
    mayLag: deps,
    lagsIf: ({ as_of }) => as_of !== undefined,
    handler: async ({ query, deps }) => {
      const wallet = await getWallet(deps, toSelector(query), query.as_of);
      const features = [...wallet.features].map(([name, { canUse, remaining }]) => [
        name,
        { can_use: canUse, remaining },
      ]);
      return {
        status: 200,
        body: {
          customer_id: wallet.customerId,
          balances: Object.fromEntries(wallet.balances),
          upcoming: Object.fromEntries(wallet.upcoming),
          held: Object.fromEntries(wallet.held),
          access: Object.fromEntries(wallet.access),
          features: Object.fromEntries(features),
        },
      };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/wallet/batches',
    operationId: 'listBatches',
    summary: 'List a customer’s batches, newest first',
    tag: 'wallet',
    access: 'read',
    ability: 'wallet.read',
    query: batchesQuery,
    responses: { 200: batchPage },
    problems: ['customer_not_found', 'selector_conflict'],
    mayLag: deps,
    handler: async ({ query, deps }) => {
      const batches = await getBatches(
        deps,
        toSelector(query),
        {
          productKey: query.product_key,
          feature: query.feature,
          orderId: query.order_id,
          state: query.state,
          expiringWithinS: query.expiring_within,
        },
        query.as_of,
        { after: decodeCreatedAt(query.cursor), limit: query.limit + 1 },
      );
      const { rows, nextCursor } = toCreatedPage(batches, query.limit, (row) => row);
      return {
        status: 200,
        body: {
          data: rows.map(toBatchView),
          next_cursor: nextCursor,
        },
      };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/wallet/entries',
    operationId: 'listEntries',
    summary: 'List a customer’s ledger, newest first',
    tag: 'wallet',
    access: 'read',
    ability: 'entries.read',
    query: entriesQuery,
    responses: { 200: entryPage },
    problems: ['customer_not_found', 'selector_conflict'],
    mayLag: deps,
    handler: async ({ query, deps }) => {
      const { entries, isDue, isOfMany } = await getEntries(
        deps,
        toSelector(query),
        {
          productKey: query.product_key,
          kind: query.kind,
          actionType: query.action_type,
          operationId: query.operation_id,
          from: query.from,
          to: query.to,
        },
        { before: decodeCursor(entryPosition, query.cursor), limit: query.limit + 1 },
      );
      const { rows, nextCursor } = toPage(entries, query.limit, entryPosition, ({ seq, customerId }) => ({
        seq,
        ...(isOfMany && { of: customerId }),
      }));
      return {
        status: 200,
        body: {
          data: rows.map(toCausedEntryView),
          next_cursor: nextCursor,
          settlement_pending: isDue,
        },
      };
    },
  });
}
