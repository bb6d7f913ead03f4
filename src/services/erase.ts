// Erasing a customer (DOMAIN 3.10): one operation ends and revokes all that there is of his family, and makes him known to nobody; behind it what is personal is
// blanked in pieces, by the request as far as it comes, and by a job.

import type { Call } from '../call.js';
import { listErasures, loadOpen, type Open } from '../db/erasures.js';
import { findMerging } from '../db/merges.js';
import type { Deps } from '../deps.js';
import { blankFamily } from '../engine/erasing.js';
import type { Decision } from '../engine/operation.js';
import { AppError } from '../errors/app-error.js';
import type { IdentityKey, StoredErasure } from '../ledger/customer-entities.js';
import { eraseCustomer as erase } from '../ledger/erase.js';
import { identitiesOf, readPeppers, tracesOf } from '../ledger/trials.js';
import { required } from '../lib/assert.js';

/** How often a family is looked at that changes meanwhile. */
const LOOKS_MAX = 5;
/** Pieces that the request blanks itself; the job does the rest. */
const PIECES_MAX = 500;
const AT = 'path/id';

/** Others were merged into the customer while he was locked: he is looked at again. */
class FamilyChanged extends AppError {
  constructor() {
    super('unavailable', 'Others were merged into the customer at the same time; try again.', { retryAfterS: 1 });
  }
}

/**
 * Erases a customer with his family; again it is answered as it was, and what is left to blank is blanked. Locks: the customer and all who lead to him, then
 * rewards. Throws: customer_not_found, customer_merged, unavailable.
 */
export async function eraseCustomer(deps: Deps, customerId: string, call: Call): Promise<StoredErasure> {
  for (let looks = 1; ; looks += 1) {
    try {
      await eraseOnce(deps, customerId, call);
      break;
    } catch (error) {
      if (!(error instanceof FamilyChanged) || looks >= LOOKS_MAX) throw error;
    }
  }
  let pieces = 0;
  try {
    await blankFamily(deps, customerId, () => ++pieces > PIECES_MAX);
  } catch (error) {
    deps.log.warn({ err: error, customerId }, 'what is personal of an erased customer is left to the job');
  }
  const erasures = await listErasures(deps.db, customerId);
  const own = required(
    erasures.find((erasure) => erasure.customerId === customerId),
    'he was erased',
  );
  const isBlanked = erasures.every(({ blankedAt }) => blankedAt !== null);
  return { ...own, blankedAt: isBlanked ? latestOf(erasures) : null };
}

function latestOf(erasures: readonly StoredErasure[]): Date | null {
  return erasures.reduce<Date | null>(
    (latest, { blankedAt }) => (latest === null || (blankedAt !== null && blankedAt > latest) ? blankedAt : latest),
    null,
  );
}

interface Loaded {
  open: Open[];
  identities: IdentityKey[];
  mergedIds: string[];
}

async function eraseOnce(deps: Deps, customerId: string, call: Call): Promise<void> {
  const customer = (await findMerging(deps.db, [customerId])).get(customerId);
  if (!customer) throw new AppError('customer_not_found', 'There is no such customer.', { pointer: AT });
  assertFinal(customerId, customer.mergedInto ?? customerId);
  const { mergedIds } = customer;
  const familyIds = [customerId, ...mergedIds];
  await deps.engine.run({
    name: 'customer.erase',
    selector: { customerId },
    alsoLocks: mergedIds,
    isOfSettled: true,
    mayBeErased: true,
    call,
    request: {},
    load: (tx, lockedId): Promise<Loaded> =>
      loadOpen(tx, lockedId === customerId ? familyIds : [lockedId], deps.clock.now()),
    needs: { asks: [] },
    needsOfEach: ({ open }) =>
      open.map(({ customerId: id, balances, batches, reservationIds }) => ({
        customerId: id,
        needs: [
          {
            asks: [...new Set([...balances, ...batches].map(({ productKey }) => productKey))].map((productKey) => ({
              subject: { productKey },
              amount: 0,
            })),
            // An order of a plan that was paid after the merge may have begun one in a source's ledger.
            plans: true,
          },
          ...reservationIds.map((reservationId) => ({ asks: [], reservation: { id: reservationId, amount: 0 } })),
        ],
      })),
    decide: ({ book, books, loaded: { open, identities, mergedIds: now }, operationId }): Decision<undefined> => {
      assertFinal(customerId, book.customerId);
      if (book.isErased) return { outcome: 'unchanged', result: undefined };
      if (now.length !== mergedIds.length || !now.every((id) => mergedIds.includes(id))) throw new FamilyChanged();
      const family = familyIds.map((id) => required(books.get(id), 'the family is locked'));
      const known = identitiesOf([], identities);
      erase(family, open, {
        operationId,
        actingKey: call.actor.keyId,
        identities: identities.length,
        traces: tracesOf(known, readPeppers(deps.config.pepper)),
      });
      return { outcome: 'accepted', result: undefined };
    },
    render: () => ({ status: 200, body: '' }),
  });
}

function assertFinal(customerId: string, finalId: string): void {
  if (customerId === finalId) return;
  throw new AppError('customer_merged', `The customer was merged, and leads to ${finalId}.`, {
    pointer: AT,
    extensions: { finalCustomerId: finalId },
  });
}
