// Blanks what is personal of customers who were erased, piece by piece, each in a transaction of its own. Whoever is cut off leaves the erasure unfinished, and the
// next begins the table anew: what is blanked already stays as it is.
import { BLANKED_STEPS, blankPiece, finishErasure, listErasures, listUnfinished } from '../db/erasures.js';
import { isOutage } from '../db/errors.js';
import type { Foundations } from '../foundations.js';
import type { StoredErasure } from '../ledger/customer-entities.js';

/** Rows of one piece. */
const PIECE_MAX = 1_000;
/** Erasures that one look finds at most. */
const FOUND_MAX = 100;

/** Blanks what is left of a family, until nothing is or `isStopped` says so. Throws what the database could not do. */
export async function blankFamily(deps: Foundations, finalId: string, isStopped: () => boolean): Promise<void> {
  const left = (await listErasures(deps.db, finalId)).filter(({ blankedAt }) => blankedAt === null);
  for (const erasure of left) await blankOne(deps, erasure, isStopped);
}

/** Blanks what others left, until nothing is or `isStopped` says so; of how many customers. Throws what the database could not do. */
export async function blankUnfinished(deps: Foundations, isStopped: () => boolean): Promise<number> {
  const failed: string[] = [];
  let count = 0;
  for (;;) {
    const left = await listUnfinished(deps.db, failed, FOUND_MAX);
    if (left.length === 0) return count;
    for (const erasure of left) {
      if (isStopped()) return count;
      try {
        if (await blankOne(deps, erasure, isStopped)) count += 1;
      } catch (error) {
        if (isOutage(error)) throw error;
        deps.log.error(
          { err: error, customerId: erasure.customerId },
          'what is personal of a customer could not be blanked',
        );
        failed.push(erasure.customerId);
      }
    }
  }
}

/** Whether all of it is blanked. */
async function blankOne(deps: Foundations, { customerId }: StoredErasure, isStopped: () => boolean): Promise<boolean> {
  for (const step of BLANKED_STEPS) {
    let behind: string | null = null;
    do {
      if (isStopped()) return false;
      behind = await blankPiece(deps.db, customerId, step, behind, PIECE_MAX);
    } while (behind !== null);
  }
  await finishErasure(deps.db, customerId, deps.clock.now());
  return true;
}
