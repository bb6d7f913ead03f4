// Who is this: finds or creates the customer behind an identity, and keeps the profile that came with it.
import { findIdentity, type Identity, type IdentityKey } from '../db/customers.js';
import type { Deps } from '../deps.js';
import { type Sighting, sightIdentity } from '../engine/customers.js';
import type { RecordedAnswer, Render } from '../engine/operation.js';
import { runOperation } from '../engine/write-path.js';
import { AppError } from '../errors/app-error.js';
import type { Metadata } from '../ledger/book.js';
import { required } from '../lib/assert.js';
import { fitsMetadata, METADATA_BYTES_MAX } from '../lib/metadata.js';
import { isTrialEligible } from './grants.js';

export interface IdentifyResult extends IdentityKey {
  customerId: string;
  identityId: string;
  isNewCustomer: boolean;
  isNewIdentity: boolean;
  isTrialEligible: boolean;
  profile: Metadata;
}

/**
 * Finds or creates the customer of an identity; of N first sights at once one creates. A profile is merged into the known one. An operation
 * is recorded when there is a profile to merge or a key to remember.
 * Throws: idempotency_key_reused, unavailable.
 */
export async function identify(
  deps: Deps,
  command: { identity: IdentityKey; profile: Metadata | undefined },
  idempotencyKey: string | undefined,
  render: Render<IdentifyResult>,
): Promise<RecordedAnswer> {
  let sighting = await sightIdentity(deps, command.identity);
  if (command.profile === undefined && idempotencyKey === undefined) {
    const isEligible = await isTrialEligible(deps, deps.db, sighting.identity.customerId);
    return { ...render(toResult(sighting.identity, sighting, isEligible)), replayed: false };
  }
  return runOperation(deps, {
    name: 'identify',
    selector: { identity: command.identity },
    resolve: async () => {
      const latest = await sightIdentity(deps, command.identity);
      if (latest.identity.id !== sighting.identity.id) sighting = latest;
      return latest.identity.customerId;
    },
    idempotencyKey,
    request: command,
    load: async (tx, customer) => {
      const stored = required(await findIdentity(tx, command.identity), 'the identity was looked at under the lock');
      return { loaded: { stored, isEligible: await isTrialEligible(deps, tx, customer.id) }, asks: [] };
    },
    decide: (_book, { stored, isEligible }) => {
      const profile = { ...stored.profile, ...command.profile };
      if (!fitsMetadata(profile)) {
        throw new AppError('invalid_request', `The merged profile would exceed ${METADATA_BYTES_MAX} bytes.`, {
          pointer: '/profile',
        });
      }
      const result = toResult({ ...stored, profile }, sighting, isEligible);
      return { outcome: 'accepted', result, records: { profile: { identity: command.identity, profile } } };
    },
    render,
  });
}

/** What is known now; created by this call only if it is still what this call saw. */
function toResult(identity: Identity, sighting: Sighting, isTrialEligible: boolean): IdentifyResult {
  const isSeen = sighting.identity.id === identity.id;
  return {
    provider: identity.provider,
    externalId: identity.externalId,
    customerId: identity.customerId,
    identityId: identity.id,
    isNewCustomer: isSeen && sighting.isNewCustomer,
    isNewIdentity: isSeen && sighting.isNewIdentity,
    isTrialEligible,
    profile: identity.profile,
  };
}
