// What a person may ask about his data: that all of it is told to him, and that it is erased.
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { Deps } from '../deps.js';
import { defineRoute } from '../http/route.js';
import type { StoredErasure } from '../ledger/customer-entities.js';
import { customerParams } from '../schemas/customers.js';
import { eraseAnswer } from '../schemas/erase.js';
import { eraseCustomer } from '../services/erase.js';

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
}

function toErasureView({ customerId, erasedAt, blankedAt, closed }: StoredErasure): z.output<typeof eraseAnswer> {
  return { customer_id: customerId, erased_at: erasedAt, blanked_at: blankedAt, closed };
}
