// The used trials of a sequence under the pure functions of the ledger: a set of claims, as the table holds them. Knows nothing of grants.
import { type TrialIdentity, trialClaims } from '../../src/ledger/trials.js';
import { type CatalogueOffer, type Person, spellings, trialOffers } from './catalogue.js';
import { offerOf } from './ledger-catalogue.js';
import type { TrialRequest } from './requests.js';

const peppers = [
  { id: 'newer', secret: 'the newer pepper' },
  { id: 'older', secret: 'the older pepper' },
];

export class MemoryClaims {
  readonly #taken = new Set<string>();

  /** The offers that are given; undefined when a trial was used. */
  claim({ who, sku, identities, override }: TrialRequest): readonly CatalogueOffer[] | undefined {
    const offers = sku === null ? trialOffers.filter(({ trial }) => trial?.isDefault) : [offerOf(sku)];
    if (override) return offers;
    const scopes = offers.map(({ sku: key, trial }) => (trial?.scope === 'offer' ? `offer:${key}` : 'any'));
    const claims = trialClaims([...ownOf(who), ...identities.flatMap(identityOf)], scopes, peppers).map(
      ({ scope, pepperId, identityHash }) => `${scope} ${pepperId} ${identityHash}`,
    );
    if (claims.some((claim) => this.#taken.has(claim))) return undefined;
    for (const claim of claims) this.#taken.add(claim);
    return offers;
  }
}

function ownOf(who: Person): TrialIdentity[] {
  return [{ type: 'customer_id', value: who }, ...identityOf(who)];
}

function identityOf(spelling: string): TrialIdentity[] {
  const known = spellings[spelling];
  return [known ? { type: known.type, value: known.value } : { type: 'default', value: `#/${spelling}` }];
}
