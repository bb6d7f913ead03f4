// The fingerprint of a request, by which a reused idempotency key is told from a repeated request (DOMAIN 3.6).
import { createHash } from 'node:crypto';
import { configure } from 'safe-stable-stringify';
import type { RecordedRequest } from '../ledger/entities.js';

/** Stored with each hash. Who changes what is hashed raises it and keeps the old way for records of the old version. */
export const REQUEST_HASH_VERSION = 1;

const canonical = configure({ deterministic: true, strict: true });

/**
 * SHA-256, in hex, over the validated command with defaults and metadata, members sorted; selector and key are not part of it. What is undefined is
 * left out: a member that a command gets later is undefined at its default, so that a retry across an upgrade is the same request.
 */
export function hashRequest(request: unknown): string {
  return createHash('sha256')
    .update(canonical(request) ?? '')
    .digest('hex');
}

type Fingerprint = Pick<RecordedRequest, 'requestHash' | 'requestHashVersion'>;

/** Whether a recorded operation answered the request of this hash. */
export function isSameHash(recorded: Fingerprint, requestHash: string): boolean {
  return recorded.requestHashVersion === REQUEST_HASH_VERSION && recorded.requestHash === requestHash;
}

/** Whether a recorded operation answered this very request. */
export function isSameRequest(recorded: Fingerprint, request: unknown): boolean {
  return isSameHash(recorded, hashRequest(request));
}
