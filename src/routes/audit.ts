// What management changed, for whoever has to know.
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { decodeCreatedAt, toCreatedPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import type { AuditRecord } from '../ledger/audit-record.js';
import { toWireData } from '../lib/wire-names.js';
import { auditPage, auditQuery } from '../schemas/audit.js';
import { isSelected, toSelector } from '../schemas/selectors.js';
import { getAuditTrail } from '../services/audit.js';

export function registerAudit(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/audit',
    operationId: 'listAudit',
    summary: 'List what management changed',
    description:
      'The catalogue, endpoints, identities and metadata of customers, adjustments, trials granted over a refusal: by which key, when, from what to what.',
    tag: 'operations',
    access: 'admin',
    query: auditQuery,
    responses: { 200: auditPage },
    problems: ['customer_not_found', 'selector_conflict'],
    mayLag: deps,
    handler: async ({ query, deps }) => {
      const records = await getAuditTrail(deps, {
        selector: isSelected(query) ? toSelector(query) : undefined,
        actions: query.action ?? [],
        subject: query.subject,
        actingKey: query.key,
        from: query.from,
        until: query.until,
        after: decodeCreatedAt(query.cursor),
        limit: query.limit + 1,
      });
      const { rows, nextCursor } = toCreatedPage(records, query.limit, ({ recordedAt: createdAt, id }) => ({
        createdAt,
        id,
      }));
      return { status: 200, body: { data: rows.map(toRecordView), next_cursor: nextCursor } };
    },
  });
}

function toRecordView(record: AuditRecord) {
  const { id, recordedAt, actingKey, action, subject, customerId, operationId, before, after } = record;
  return {
    id,
    at: recordedAt,
    key: actingKey,
    action,
    subject,
    customer_id: customerId,
    operation_id: operationId,
    before: before && toWireData(before),
    after: after && toWireData(after),
  };
}
