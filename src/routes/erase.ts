// What a person may ask about his data: that all of it is told to him, and that it is erased.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { decodeCursor, toPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import type { StoredErasure } from '../ledger/customer-entities.js';
import { customerParams } from '../schemas/customers.js';
import { eraseAnswer, exportPage, exportQuery } from '../schemas/erase.js';
import { uuidSchema } from '../schemas/text.js';
import { eraseCustomer } from '../services/erase.js';
import { exportCustomer, isInExport } from '../services/export.js';

/** Position in what is held: the section, of which member of the family, and the key of the record. */
const exportPosition = z
  .strictObject({ section: z.string(), of: uuidSchema, key: z.array(z.string()) })
  .refine(({ section, of, key }) => isInExport({ section, customerId: of, key }));

export function registerErase(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'DELETE',
    url: '/customers/:id',
    operationId: 'eraseCustomer',
    summary: 'Erase a customer',
    description:
      'With all that were merged into it. What is open is cancelled, what is left is revoked, identities go, and what is personal is blanked; numbers and the hashes of used trials stay. It can’t be undone. Again it is answered as it was.',
    tag: 'customers',
    access: 'admin',
    params: customerParams,
    responses: { 200: eraseAnswer },
    problems: ['customer_not_found', 'customer_merged'],
    handler: async ({ params, call }) => ({
      status: 200,
      body: toErasureView(await eraseCustomer(deps, params.id, call)),
    }),
  });

  defineRoute(app, {
    method: 'GET',
    url: '/customers/:id/export',
    operationId: 'exportCustomer',
    summary: 'All that is held about a customer',
    description:
      'With all that were merged into it: profiles, orders, payments, the ledger, answers, events, the audit trail, and what was moved in, each record as it is held.',
    tag: 'customers',
    access: 'admin',
    params: customerParams,
    query: exportQuery,
    responses: { 200: exportPage },
    problems: ['customer_not_found'],
    mayLag: deps,
    handler: async ({ params, query, deps }) => {
      const position = decodeCursor(exportPosition, query.cursor);
      const after = position && { section: position.section, customerId: position.of, key: position.key };
      const records = await exportCustomer(deps, params.id, { after, limit: query.limit + 1 });
      const { rows, nextCursor } = toPage(records, query.limit, exportPosition, ({ section, customerId: of, key }) => ({
        section,
        of,
        key: [...key],
      }));
      const data = rows.map(({ section, customerId, record }) => ({ section, customer_id: customerId, record }));
      return { status: 200, body: { data, next_cursor: nextCursor } };
    },
  });
}

function toErasureView({ customerId, erasedAt, blankedAt, closed }: StoredErasure): z.output<typeof eraseAnswer> {
  return { customer_id: customerId, erased_at: erasedAt, blanked_at: blankedAt, closed };
}
