// How many batches one operation may be about, and how much its entries may copy, so that whatever was accepted can be finished (DOMAIN 3.17). Asked before
// anything is posted.
import { AppError } from '../errors/app-error.js';
import type { Metadata } from '../lib/metadata.js';
import { METADATA_BYTES_MAX, metadataBytes } from '../lib/metadata.js';
import { USE_BATCHES_MAX } from '../lib/sizes.js';

/** Batches that an order comes to at most. */
export const ORDER_BATCHES_MAX = 1_000;
/** Batches that a grant comes to at most; all of them are in its answer, each with the metadata. */
export const GRANT_BATCHES_MAX = 200;
/** Bytes of JSON, over all entries of an operation. */
const METADATA_COPIES_BYTES_MAX = 4 * 1_024 * 1_024;
/** So many copies are within the bound whatever the metadata. */
const COPIES_UNASKED = METADATA_COPIES_BYTES_MAX / METADATA_BYTES_MAX;

/** Throws: too_many_batches. */
export function assertFewBatches(count: number, max: number, what: string, pointer: string): void {
  if (count <= max) return;
  throw new AppError('too_many_batches', `${what} at most ${max} batches.`, { pointer });
}

const FEW_TAKEN = `One use takes of at most ${USE_BATCHES_MAX} batches: take less at a time.`;

/** Of a use, fewer batches were read than it may take of, because others were decided with it: alone it may be accepted. */
export class TooFewRead extends AppError {
  constructor(pointer: string) {
    super('too_many_batches', FEW_TAKEN, { pointer });
  }
}

/** Refuses a use that takes of too many batches; `isRead`: those that were read cover it. Throws: too_many_batches (a TooFewRead where that is all). */
export function assertFewTaken(count: number, isRead: boolean, pointer: string): void {
  if (count <= USE_BATCHES_MAX && isRead) return;
  throw count < USE_BATCHES_MAX ? new TooFewRead(pointer) : new AppError('too_many_batches', FEW_TAKEN, { pointer });
}

/** Refuses what would copy metadata to so many entries that they come to too much. Throws: too_many_batches. */
export function assertFewCopies(metadata: Metadata, count: number, pointer = '/metadata'): void {
  if (count <= COPIES_UNASKED || count * metadataBytes(metadata) <= METADATA_COPIES_BYTES_MAX) return;
  const detail = `The entries of ${count} batches would copy more than ${METADATA_COPIES_BYTES_MAX} bytes of metadata.`;
  throw new AppError('too_many_batches', detail, { pointer });
}
