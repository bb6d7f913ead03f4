// Who is this: finds or creates the customer behind an identity, and keeps the profile that came with it.

import type { Call, RecordedAnswer, Render } from '../call.js';
import type { Tx } from '../db/client.js';
import { findFamilyIds, findIdentity, listIdentityKeys } from '../db/customers.js';
import { findUsedTrial } from '../db/trials.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import type { Identity, IdentityKey } from '../ledger/customer-entities.js';
import { archivedTraces, identitiesOf, readPeppers, trialTraces } from '../ledger/trials.js';
import { required } from '../lib/assert.js';
import type { Metadata } from '../lib/metadata.js';
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
 * Locks: the customer, but not where he is known and nothing is recorded. Throws: idempotency_key_reused, unavailable.
 */
export async function identify(
  deps: Deps,
  command: { identity: IdentityKey; profile: Metadata | undefined },
  call: Call,
  render: Render<IdentifyResult>,
): Promise<RecordedAnswer> {
  const isRecorded = command.profile !== undefined || call.idempotencyKey !== undefined;
  const known = isRecorded ? undefined : await findIdentity(deps.db, command.identity);
  if (known) {
    const own = await listIdentityKeys(deps.db, known.customerId);
    const familyIds = await findFamilyIds(deps.db, known.customerId);
    const isEligible = await isTrialEligible(deps, deps.db, familyIds, own);
    return { ...render(toResult(known, false, isEligible)), replayed: false };
  }
  return deps.engine.run({
    name: 'identify',
    selector: { identity: command.identity },
    call,
    request: command,
    load: async (tx, customerId) => {
      const [stored, own] = await Promise.all([findIdentity(tx, command.identity), listIdentityKeys(tx, customerId)]);
      return { stored, own };
    },
    loadMore: (tx, { own }, _customerId, _now, familyIds) => isTrialEligible(deps, tx, familyIds, own),
    needs: { asks: [] },
    decide: ({ book, isFirstSight, loaded, more: isEligible }) => {
      const stored = required(loaded.stored, 'the identity was looked at under the lock');
      if (!isRecorded) return { outcome: 'unchanged', result: toResult(stored, isFirstSight, isEligible) };
      const profile = { ...stored.profile, ...command.profile };
      if (!fitsMetadata(profile)) {
        throw new AppError('invalid_request', `The merged profile would exceed ${METADATA_BYTES_MAX} bytes.`, {
          pointer: '/profile',
        });
      }
      book.changes.profiles.push({ provider: stored.provider, externalId: stored.externalId, profile });
      return { outcome: 'accepted', result: toResult({ ...stored, profile }, isFirstSight, isEligible) };
    },
    render,
  });
}

/** Whether none of the customer's identities had a trial of scope `any`. Reads only; the claim decides. */
async function isTrialEligible(
  deps: Deps,
  tx: Tx,
  familyIds: readonly string[],
  own: readonly IdentityKey[],
): Promise<boolean> {
  const identities = identitiesOf(familyIds, own);
  const claims = trialTraces(identities, ['any'], readPeppers(deps.config.pepper));
  return (await findUsedTrial(tx, { claims, archived: archivedTraces(identities) })) === undefined;
}

function toResult(identity: Identity, isNew: boolean, isTrialEligible: boolean): IdentifyResult {
  return {
    provider: identity.provider,
    externalId: identity.externalId,
    customerId: identity.customerId,
    identityId: identity.id,
    isNewCustomer: isNew,
    isNewIdentity: isNew,
    isTrialEligible,
    profile: identity.profile,
  };
}
