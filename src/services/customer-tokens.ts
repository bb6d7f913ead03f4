// Tokens by which a browser acts for one customer: signed, for minutes to a day, with listed abilities. Of them there is nothing but a record in the audit trail.
import type { Actor } from '../call.js';
import { findApiKey } from '../db/api-keys.js';
import { findCustomerById } from '../db/customers.js';
import type { Deps } from '../deps.js';
import { BOOTSTRAP_OWNER } from '../engine/actors.js';
import { restOnSecretKeys } from '../engine/secret-keys.js';
import { AppError } from '../errors/app-error.js';
import { assertMayGive } from '../ledger/api-keys.js';
import type { CustomerTokenClaims } from '../lib/customer-token.js';
import { type Ability, scopesOf } from '../lib/scopes.js';

const MS_PER_S = 1_000;

export interface CustomerTokenTerms {
  abilities: readonly Ability[];
  /** How long it counts, in seconds. */
  ttlS: number;
}

/** Signs a token of a customer, with abilities whose scopes the caller has, for no longer than his key counts. Throws: customer_not_found, forbidden. */
export async function issueCustomerToken(
  deps: Deps,
  customerId: string,
  { abilities, ttlS }: CustomerTokenTerms,
  actor: Actor,
): Promise<{ claims: CustomerTokenClaims; token: string }> {
  assertMayGive(actor.scopes, scopesOf(abilities), '/abilities');
  const customer = await findCustomerById(deps.db, customerId);
  if (!customer) throw new AppError('customer_not_found', 'There is no such customer.', { pointer: 'path/id' });
  await restOnSecretKeys(deps);
  const issuedAt = deps.clock.now();
  const issuer = actor.keyId === BOOTSTRAP_OWNER ? undefined : await findApiKey(deps.db, actor.keyId);
  const issuerEndsMs = issuer?.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
  const expiresMs = Math.min(issuedAt.getTime() + ttlS * MS_PER_S, issuerEndsMs);
  const claims = {
    id: deps.ids.next(),
    customerId,
    abilities: [...new Set(abilities)],
    issuedBy: actor.keyId,
    issuedAt,
    expiresAt: new Date(Math.floor(expiresMs / MS_PER_S) * MS_PER_S),
  };
  const token = await deps.actors.signCustomerToken(claims);
  const told = { tokenId: claims.id, abilities: claims.abilities, expiresAt: claims.expiresAt };
  await deps.engine.manage({
    opener: 'pool',
    load: async () => undefined,
    decide: (_loaded, at, changes) => {
      changes.accessNotes.push({
        action: 'customer_token.issued',
        subject: customerId,
        actingKey: actor.keyId,
        at,
        told,
      });
    },
  });
  return { claims, token };
}
