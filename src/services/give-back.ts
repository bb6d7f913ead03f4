// Give-back: units that a use took come back by its id (DOMAIN 3.14).

import type { Call, RecordedAnswer, Render } from '../call.js';
import type { Deps } from '../deps.js';
import { requireCustomer } from '../engine/customers.js';
import type { Decision } from '../engine/operation.js';
import type { Selector } from '../engine/selector.js';
import type { Subject } from '../ledger/catalog-entities.js';
import { assertProvided, availabilityOf } from '../ledger/consume.js';
import { type GiveBack, giveBack } from '../ledger/give-back.js';
import { returnMetered } from '../ledger/metered-return.js';
import { required } from '../lib/assert.js';
import type { Metadata } from '../lib/metadata.js';

export interface GiveBackCommand {
  /** The use of which something is given back. */
  operationId: string;
  /** In the unit of the use; all that is left of it when left out. */
  amount: number | undefined;
  metadata: Metadata;
}

/** `remaining` is in the unit of the use, null when uncounted. */
export interface GiveBackResult extends GiveBack {
  operationId: string;
  remaining: number | null;
  metadata: Metadata;
}

/**
 * Gives back what a use took, or a part of it, in reverse order of use. A selector is not needed; the use must be of whom it names.
 * Locks: the customer. Throws: operation_not_found, not_reversible, release_exceeds_usage, quantity_too_large, too_many_batches,
 * customer_not_found, selector_conflict, idempotency_key_reused, overloaded, unavailable.
 */
export async function giveBackQuota(
  deps: Deps,
  selector: Selector,
  command: GiveBackCommand,
  call: Call,
  render: Render<GiveBackResult>,
): Promise<RecordedAnswer> {
  const { operationId: takenBy, amount, metadata } = command;
  return deps.engine.run({
    name: 'quota.release',
    selector: { ...selector, owned: { kind: 'operation', id: takenBy, pointer: '/operation_id' } },
    call,
    request: command,
    needs: { asks: [], takenBy },
    decide: ({ book, providersOf, operationId }): Decision<GiveBackResult> => {
      const taken = required(book.taken.get(takenBy), 'the operation is loaded');
      const back = giveBack(book, taken, amount, { operationId, metadata });
      const { available } = availabilityOf(book, providersOf(back.subject));
      return { outcome: 'accepted', result: { ...back, operationId, remaining: available, metadata } };
    },
    render,
  });
}

export interface MeterReturnCommand {
  subject: Subject;
  /** In the subject's unit. */
  amount: number;
  metadata: Metadata;
}

/**
 * Gives back units of a metered product or feature without naming their use: they count in all no longer. Nobody is made known by it.
 * Locks: the customer. Throws: not_metered, release_exceeds_usage, product_not_found, feature_not_found, customer_not_found, selector_conflict,
 * idempotency_key_reused, overloaded, unavailable.
 */
export async function giveBackMetered(
  deps: Deps,
  selector: Selector,
  command: MeterReturnCommand,
  call: Call,
  render: Render<GiveBackResult>,
): Promise<RecordedAnswer> {
  const { subject, amount, metadata } = command;
  const { customerId } = await requireCustomer(deps, selector);
  return deps.engine.run({
    name: 'quota.release',
    selector: { ...selector, customerId },
    call,
    request: command,
    needs: { asks: [{ subject, amount: 0, countsTotal: true }] },
    decide: ({ book, providersOf, operationId }): Decision<GiveBackResult> => {
      const providers = providersOf(subject);
      assertProvided(subject, providers);
      returnMetered(book, providers[0], subject, amount, { operationId, metadata });
      const back = { subject, amount, returned: amount, expired: 0, revoked: 0, restored: [] };
      return { outcome: 'accepted', result: { ...back, operationId, remaining: null, metadata } };
    },
    render,
  });
}
