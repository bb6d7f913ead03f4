// What the batches of the ledger in memory are called in the words of the workloads: by their place in the order in which they were made.
import type { Taking as Taken } from '../../src/ledger/consume.js';
import type { StoredBatch } from './memory-sold.js';
import type { BatchParts, Taking } from './requests.js';

/** One that is being made was not revoked. */
type Shown = Omit<StoredBatch, 'revokedAt'> & Partial<Pick<StoredBatch, 'revokedAt'>>;

export class MemoryNames {
  readonly #places = new Map<string, number>();

  placeOf({ id }: { id: string }): number {
    const place = this.#places.get(id) ?? this.#places.size;
    this.#places.set(id, place);
    return place;
  }

  toTakings(takings: readonly Taken[]): Taking[] {
    return takings.map(({ batch, amount }) => ({ batch: this.placeOf(batch), amount }));
  }

  toParts(batch: Shown): BatchParts {
    const { productKey, granted, priority, validFrom, expiresAt, available, held, consumed, expired, revoked } = batch;
    return {
      batch: this.placeOf(batch),
      product: productKey,
      granted,
      priority,
      validFrom: validFrom.getTime(),
      expiresAt: expiresAt?.getTime() ?? null,
      available,
      held,
      consumed,
      expired,
      revoked,
      transferred: batch.transferred,
      isRevoked: granted === null && (batch.revokedAt ?? null) !== null,
    };
  }
}
