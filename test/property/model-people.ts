// Who had a trial, who brought whom, and what is known of the customer, in the model: sets of words. Written from the documented rules alone.
import { type CatalogueOffer, offers, type Person, spellings, trialOffers } from './catalogue.js';
import { isRetired, refuse } from './model-rules.js';
import type { Expected, Request, TrialRequest } from './requests.js';

export class ModelPeople {
  /** Whoever called once exists; one of the rivals never did. */
  readonly #known = new Set<Person>(['customer', 'rival 1']);
  /** Scope and who or what used it up. */
  readonly #usedTrials = new Set<string>();
  readonly #referrers = new Map<Person, Person>();
  readonly #profiles = new Map<Person, Record<string, number>>();

  /** The offers that a trial gives now; claims them, unless it is an override. */
  claimTrial({ who, sku, identities, override }: TrialRequest): CatalogueOffer[] | Expected {
    this.#known.add(who);
    const codes: string[] = [];
    const asked =
      sku === null ? trialOffers.filter(({ trial }) => trial?.isDefault) : offers.filter((offer) => offer.sku === sku);
    if (asked.length === 0) codes.push('offer_not_found');
    for (const { isActive, trial, items } of asked) {
      if (!isActive) codes.push('offer_inactive');
      if (!trial) codes.push('offer_not_trial');
      if (items.some((item) => isRetired(item.product))) codes.push('product_inactive');
    }
    if (codes.length > 0) return refuse(...codes);
    if (override) return asked;
    const words: string[] = [];
    for (const identity of [who, ...identities.map(meaningOf)]) {
      for (const offer of asked)
        words.push(offer.trial?.scope === 'offer' ? `${offer.sku} ${identity}` : `any ${identity}`);
    }
    if (words.some((word) => this.#usedTrials.has(word))) return refuse('trial_already_used');
    for (const word of words) this.#usedTrials.add(word);
    return asked;
  }

  identify({ who, profile }: Extract<Request, { kind: 'identify' }>): Expected {
    const isNew = !this.#known.has(who);
    this.#known.add(who);
    const merged = { ...this.#profiles.get(who), ...profile };
    this.#profiles.set(who, merged);
    return {
      outcome: 'accepted',
      facts: { profile: merged, isTrialEligible: !this.#usedTrials.has(`any ${who}`), isNew },
    };
  }

  refer({ referrer, referee }: Extract<Request, { kind: 'refer' }>): Expected {
    const codes: string[] = [];
    if (!this.#known.has(referrer) || !this.#known.has(referee)) codes.push('customer_not_found');
    if (referrer === referee) codes.push('self_referral');
    const earlier = this.#referrers.get(referee);
    if (codes.length === 0 && earlier === referrer) return { outcome: 'accepted', facts: { isNew: false } };
    if (earlier !== undefined) codes.push('already_referred');
    for (let above: Person | undefined = referrer; above !== undefined; above = this.#referrers.get(above)) {
      if (above === referee && referrer !== referee) codes.push('referral_cycle');
    }
    if (codes.length > 0) return refuse(...codes);
    this.#referrers.set(referee, referrer);
    return { outcome: 'accepted', facts: { isNew: true } };
  }
}

/** Whose or what an identity is, however it is written. */
export function meaningOf(spelling: string): string {
  return spellings[spelling]?.is ?? spelling;
}
