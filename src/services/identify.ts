// Who is this: finds or creates the customer behind an identity, and keeps the profile that came with it.
import { findIdentity, type IdentityKey } from '../db/customers.js';
import type { Deps } from '../deps.js';
import { sightIdentity } from '../engine/customers.js';
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
  const { identity, isNewCustomer, isNewIdentity } = await sightIdentity(deps, command.identity);
  const isEligible = await isTrialEligible(deps, identity.customerId);
  const resultWith = (profile: Metadata): IdentifyResult => ({
    ...command.identity,
    customerId: identity.customerId,
    identityId: identity.id,
    isNewCustomer,
    isNewIdentity,
    isTrialEligible: isEligible,
    profile,
  });
  if (command.profile === undefined && idempotencyKey === undefined) {
    return { ...render(resultWith(identity.profile)), replayed: false };
  }
  return runOperation(deps, {
    name: 'identify',
    selector: { identity: command.identity },
    idempotencyKey,
    request: command,
    load: async (tx) => ({
      loaded: required(await findIdentity(tx, command.identity), 'the identity was sighted'),
      asks: [],
    }),
    decide: (_book, stored) => {
      const profile = { ...stored.profile, ...command.profile };
      if (!fitsMetadata(profile)) {
        throw new AppError('invalid_request', `The merged profile would exceed ${METADATA_BYTES_MAX} bytes.`, {
          pointer: '/profile',
        });
      }
      return {
        outcome: 'accepted',
        result: resultWith(profile),
        records: { profile: { identity: command.identity, profile } },
      };
    },
    render,
  });
}
