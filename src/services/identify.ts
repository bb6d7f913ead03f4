// Who is this: finds or creates the customer behind an identity, and keeps the profile that came with it.

import type { Call, RecordedAnswer, Render } from '../call.js';
import type { Tx } from '../db/client.js';
import { findIdentity, listIdentityKeys } from '../db/customers.js';
import { findUsedTrial } from '../db/trials.js';
import type { Deps } from '../deps.js';
import type { Sighting } from '../engine/customers.js';

import { AppError } from '../errors/app-error.js';
import type { Identity, IdentityKey, Metadata } from '../ledger/entities.js';
import { identitiesOf, readPeppers, trialTraces } from '../ledger/trials.js';
import { required } from '../lib/assert.js';
import { fitsMetadata, METADATA_BYTES_MAX } from '../lib/metadata.js';

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
  call: Call,
  render: Render<IdentifyResult>,
): Promise<RecordedAnswer> {
  let sighting = await deps.engine.sight(command.identity);
  if (command.profile === undefined && call.idempotencyKey === undefined) {
    const { customerId } = sighting.identity;
    const isEligible = await isTrialEligible(deps, deps.db, customerId, await listIdentityKeys(deps.db, customerId));
    return { ...render(toResult(sighting.identity, sighting, isEligible)), replayed: false };
  }
  return deps.engine.run({
    name: 'identify',
    selector: { identity: command.identity },
    resolve: async () => {
      const latest = await deps.engine.sight(command.identity);
      if (latest.identity.id !== sighting.identity.id) sighting = latest;
      return latest.identity.customerId;
    },
    call,
    request: command,
    load: async (tx, customerId) => {
      const [stored, own] = await Promise.all([findIdentity(tx, command.identity), listIdentityKeys(tx, customerId)]);
      return { stored, own };
    },
    loadMore: (tx, { own }, customerId) => isTrialEligible(deps, tx, customerId, own),
    needs: { asks: [] },
    decide: ({ book, loaded, more: isEligible }) => {
      const stored = required(loaded.stored, 'the identity was looked at under the lock');
      const profile = { ...stored.profile, ...command.profile };
      if (!fitsMetadata(profile)) {
        throw new AppError('invalid_request', `The merged profile would exceed ${METADATA_BYTES_MAX} bytes.`, {
          pointer: '/profile',
        });
      }
      book.changes.profiles.push({ provider: stored.provider, externalId: stored.externalId, profile });
      return { outcome: 'accepted', result: toResult({ ...stored, profile }, sighting, isEligible) };
    },
    render,
  });
}

/** Whether none of the customer's identities had a trial of scope `any`. Reads only; the claim decides. */
async function isTrialEligible(deps: Deps, tx: Tx, customerId: string, own: readonly IdentityKey[]): Promise<boolean> {
  const traces = trialTraces(identitiesOf(customerId, own), ['any'], readPeppers(deps.config.pepper));
  return (await findUsedTrial(tx, traces)) === undefined;
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
