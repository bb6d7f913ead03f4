// Trials: giving an offer once to whoever is known by the same identities (DOMAIN 3.8).

import type { Call, RecordedAnswer, Render } from '../call.js';
import { findOrderableOffers, listTrialOffers } from '../db/catalog.js';
import { findFamilyIds, listIdentityKeys } from '../db/customers.js';
import { findNoticeWindow } from '../db/notices.js';
import { countPlaces } from '../db/offer-places.js';
import { findUsedTrial, type TrialTraces } from '../db/trials.js';
import { type StoredBatch, toNewlyStored } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import type { Decision } from '../engine/operation.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';
import type { Book } from '../ledger/book.js';
import { assertFewBatches, GRANT_BATCHES_MAX } from '../ledger/bounds.js';
import type { OrderableOffer } from '../ledger/catalog-entities.js';
import type { TrialClaim } from '../ledger/customer-entities.js';
import { type Grantable, give, originOf, requireGrantable } from '../ledger/giving.js';
import { asksOf } from '../ledger/grant.js';
import { assertPlaces } from '../ledger/offer-places.js';
import { startOfDay } from '../ledger/periods.js';
import { fingerprintsOf, identitiesOf, type TrialIdentity, trialsAsked } from '../ledger/trials.js';
import type { Metadata } from '../lib/metadata.js';

export interface TrialCommand {
  /** Without it every active trial offer is granted. */
  sku: string | undefined;
  /** Identities beside the customer's own, by type: device, payment, email, … */
  identities: TrialIdentity[];
  override: boolean;
  reason: string | undefined;
  metadata: Metadata;
}

export interface TrialResult {
  operationId: string;
  grantType: 'trial';
  batches: StoredBatch[];
  metadata: Metadata;
}

/** Each trial offer gives something, so that more can't be granted at once. */
const TRIALS_READ = GRANT_BATCHES_MAX + 1;

/**
 * Grants a trial: one offer, or every trial offer, all or nothing. Each of the customer's identities, its id, and the identities passed in
 * must be unused in the offers' scopes; of N parallel claims one wins. An override grants without looking and without a trace in the claims.
 * Locks: the customer, then the trial claims. Throws: offer_not_found, offer_inactive, offer_not_trial, product_inactive, trial_already_used,
 * quantity_too_large, too_many_batches, customer_not_found, selector_conflict, idempotency_key_reused, unavailable.
 */
export async function grantTrial(
  deps: Deps,
  selector: Selector,
  command: TrialCommand,
  call: Call,
  render: Render<TrialResult>,
): Promise<RecordedAnswer> {
  return deps.engine.run({
    name: 'grant',
    selector,
    call,
    request: { grantType: 'trial', ...command, identities: fingerprintsOf(command.identities, deps.config.pepper) },
    load: async (tx, customerId) => {
      const [offers, own, familyIds, toldFor] = await Promise.all([
        command.sku === undefined ? listTrialOffers(tx, TRIALS_READ) : findOrderableOffers(tx, [command.sku]),
        listIdentityKeys(tx, customerId),
        findFamilyIds(tx, customerId),
        findNoticeWindow(tx, customerId, TRIAL_REFUSED, subjectOf(command)),
      ]);
      const found = [...offers.values()];
      const asked = command.override
        ? nothingAsked
        : trialsAsked(identitiesOf(familyIds, own, command.identities), found, deps.config.pepper);
      return { offers: found, toldFor, ...asked };
    },
    loadMore: async (tx, { traces, offers }, _customerId, now, familyIds) => {
      const [usedBy, places] = await Promise.all([findUsedTrial(tx, traces), countPlaces(tx, familyIds, offers, now)]);
      return { usedBy, places };
    },
    needs: ({ offers }) => ({ asks: asksOf(offers.flatMap(({ terms }) => terms)) }),
    decide: ({
      book,
      loaded: { offers, claims, toldFor },
      more: { usedBy, places },
      operationId,
    }): Decision<TrialResult> => {
      const grantables = requireTrials(offers, command).map(({ sku, terms }): Grantable => ({ sku, terms, times: 1 }));
      const count = grantables.reduce((sum, { terms }) => sum + terms.length, 0);
      assertFewBatches(count, GRANT_BATCHES_MAX, 'A trial comes to', '/sku');
      if (usedBy !== undefined) {
        tellRefusedTrial(book, command, usedBy, toldFor);
        const detail = `A trial was granted before: the ${usedBy} is known.`;
        return {
          outcome: 'refused',
          error: new AppError('trial_already_used', detail, { extensions: { identityType: usedBy } }),
        };
      }
      assertPlaces(
        places,
        offers.map((offer) => ({ ...offer, quantity: 1, pointer: '/sku' })),
      );
      const { metadata, reason } = command;
      const batches = give(
        book,
        grantables,
        originOf({ grantType: 'trial', metadata, reason }, operationId),
        undefined,
      ).map(toNewlyStored);
      book.changes.trialUses.push(...claims.map((claim) => ({ ...claim, operationId })));
      const result: TrialResult = { operationId, grantType: 'trial', batches, metadata };
      return { outcome: 'accepted', result };
    },
    render,
  });
}

const TRIAL_REFUSED = 'trial.refused';
/** The subject of a refusal where every trial offer was asked for: no SKU. */
const ALL_TRIALS = '*';

function subjectOf({ sku }: TrialCommand): string {
  return sku ?? ALL_TRIALS;
}

/** Tells of a refusal, once a day (in UTC) for each customer and offer. */
function tellRefusedTrial(book: Book, command: TrialCommand, usedBy: string, toldFor: Date | undefined): void {
  const windowStart = startOfDay(book.now);
  if (toldFor?.getTime() === windowStart.getTime()) return;
  const data = { sku: command.sku ?? null, identityType: usedBy };
  const subject = subjectOf(command);
  book.changes.notices.push({ id: book.ids.next(), type: TRIAL_REFUSED, subject, windowStart, data });
}

/** What an override claims, and looks for. */
const nothingAsked: { claims: TrialClaim[]; traces: TrialTraces } = {
  claims: [],
  traces: { claims: [], archived: [] },
};

/** Throws: offer_not_found, offer_not_trial, offer_inactive, product_inactive, invalid_request (an offer that gives nothing). */
function requireTrials(
  offers: readonly OrderableOffer[],
  { sku, override }: Pick<TrialCommand, 'sku' | 'override'>,
): OrderableOffer[] {
  if (sku === undefined) {
    if (offers.length === 0) throw new AppError('offer_not_found', 'No active offer is a trial.', { pointer: '/sku' });
    return offers.map((offer) => requireGrantable(offer.sku, offer));
  }
  const offer = requireGrantable(sku, offers[0]);
  if (isEligible(offer) || (override && offer.trialEligible === false)) return [offer];
  throw new AppError('offer_not_trial', `The offer ${sku} is not given as a trial.`, { pointer: '/sku' });
}

/** Whether an offer may be granted as a trial: as it says, or by what makes it one. */
function isEligible({ trialEligible, isTrial, trialScope }: OrderableOffer): boolean {
  return trialEligible ?? (isTrial || trialScope !== null);
}
