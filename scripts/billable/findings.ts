// What moving in leaves out or carries otherwise, by its kind with ids: never mended without a word. Ids are kept up to a bound, counts are exact.

/** Each kind, and what it says. `left` is not moved in, `changed` is moved in otherwise than it stood, `noted` is for who reads. */
export const FINDINGS = {
  product_without_key: { effect: 'left', says: 'products without a key: nothing here can name them' },
  product_invalid: { effect: 'left', says: 'products that can’t be products here' },
  product_of_other_type: { effect: 'left', says: 'products that exist here with another type' },
  offer_invalid: { effect: 'left', says: 'offers that can’t be offers here' },
  offer_period_without_end: {
    effect: 'left',
    says: 'offers of a period without a number, which gave access for ever there',
  },
  offer_of_product_left: { effect: 'left', says: 'offers of a product that is left out' },
  identity_without_user: { effect: 'left', says: 'identities that name nobody' },
  identity_invalid: { effect: 'left', says: 'identities that can’t be identities here' },
  identity_taken: { effect: 'left', says: 'identities that another customer has here, perhaps in another spelling' },
  batch_of_product_left: { effect: 'left', says: 'batches of a product that is left out' },
  batch_negative: { effect: 'left', says: 'batches with a negative quantity' },
  batch_period_without_end: { effect: 'left', says: 'batches of a period product without an end' },
  batch_invalid: { effect: 'left', says: 'batches that can’t be granted here' },
  batch_changed: {
    effect: 'left',
    says: 'batches that were moved in before with other contents: they have been used there since',
  },
  batch_valid_later: {
    effect: 'changed',
    says: 'batches that were to be valid later, but counted at once there: here as well',
  },
  batch_counted_access: {
    effect: 'changed',
    says: 'batches of access that counted more than one: access has no quantity here',
  },
  batch_access_used: {
    effect: 'noted',
    says: 'batches of access that a use ended before their time there: they stay ended',
  },
  order_pending: {
    effect: 'left',
    says: 'orders that wait for a payment under their number there: let them be paid or cancelled there',
  },
  order_refunded: { effect: 'left', says: 'refunded orders: kept in the archive' },
  order_reopened: {
    effect: 'left',
    says: 'orders that were cancelled or refunded and then confirmed again: kept in the archive',
  },
  order_paid_twice: {
    effect: 'left',
    says: 'orders confirmed by a payment that had paid another: kept in the archive',
  },
  order_without_payment: { effect: 'left', says: 'paid orders without a payment id: kept in the archive' },
  order_negative: { effect: 'left', says: 'orders with a negative quantity, price or total: kept in the archive' },
  order_incomplete: {
    effect: 'left',
    says: 'orders without lines, of other than their sum, or of an offer that is not here: kept in the archive',
  },
  order_invalid: { effect: 'left', says: 'orders that can’t be orders here: kept in the archive' },
  order_changed: { effect: 'left', says: 'orders that were moved in before with other contents' },
  order_expired: { effect: 'changed', says: 'orders that nobody paid within a day: expired here' },
  order_currency: { effect: 'changed', says: 'orders in the currency of their offers, where they said another' },
  trial_invalid: { effect: 'left', says: 'used trials without a hash' },
  trial_offers: {
    effect: 'noted',
    says: 'offers that were given as trials: give them a trial_policy here to do so again',
  },
  referral_refused: { effect: 'left', says: 'referrals of oneself, of somebody who has a referrer, or in a circle' },
} as const satisfies Record<string, { effect: 'left' | 'changed' | 'noted'; says: string }>;

export type FindingKind = keyof typeof FINDINGS;

export interface Findings {
  /** Notes one; `reason` only where the kind does not say it all. */
  add(kind: FindingKind, id: string, reason?: string): void;
  /** How many of each kind there are. */
  counts(): Map<FindingKind, number>;
  /** All of them in lines: a heading for each kind with its count, and its ids. */
  lines(): string[];
}

/** How many ids are listed of a kind, by its effect. */
const IDS_MAX = { left: 10_000, changed: 100, noted: 100 } as const;
const EFFECTS = { left: 'left out', changed: 'carried otherwise', noted: 'noted' } as const;
const inOrder = new Intl.Collator('en', { numeric: true });

export function createFindings(): Findings {
  const found = new Map<FindingKind, { count: number; ids: string[] }>();
  return {
    add: (kind, id, reason) => {
      const own = found.get(kind) ?? { count: 0, ids: [] };
      found.set(kind, own);
      own.count += 1;
      if (own.ids.length < IDS_MAX[FINDINGS[kind].effect])
        own.ids.push(reason === undefined ? id : `${id} (${reason})`);
    },
    counts: () => new Map([...found].map(([kind, { count }]) => [kind, count])),
    lines: () =>
      (Object.keys(FINDINGS) as FindingKind[]).flatMap((kind) => {
        const own = found.get(kind);
        if (!own) return [];
        const { effect, says } = FINDINGS[kind];
        const more = own.count > own.ids.length ? `, and ${own.count - own.ids.length} more` : '';
        return [
          `${EFFECTS[effect]}: ${own.count} ${says} [${kind}]`,
          `  ${own.ids.sort(inOrder.compare).join(', ')}${more}`,
        ];
      }),
  };
}
