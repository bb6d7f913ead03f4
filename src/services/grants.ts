// Grants: giving an offer or a quantity without a payment (DOMAIN 3.8): trials, bonuses, adjustments, migrations.

import type { Call, RecordedAnswer, Render } from '../call.js';
import { findOrderableOffers, findProduct, listTrialOffers } from '../db/catalog.js';
import type { Tx } from '../db/client.js';
import { listIdentityKeys } from '../db/customers.js';
import { findRecord, type RecordKey } from '../db/idempotency.js';
import { findNoticeWindow } from '../db/notices.js';
import { countPlaces } from '../db/offer-places.js';
import { findUsedTrial, type TrialTraces } from '../db/trials.js';
import { listGrants, type StoredBatch, type StoredGrant, toNewlyStored } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import { requireCustomer } from '../engine/customers.js';
import type { Decision } from '../engine/operation.js';
import { readSettled } from '../engine/reads.js';
import { isSameRequest } from '../engine/request-hash.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';
import type { Book } from '../ledger/book.js';
import { assertFewBatches, GRANT_BATCHES_MAX } from '../ledger/bounds.js';
import { meteredProduct } from '../ledger/catalog.js';
import type { Product, Term } from '../ledger/catalog-entities.js';
import { planConsume, revokePlanned, type Taking } from '../ledger/consume.js';
import type { TrialClaim } from '../ledger/customer-entities.js';
import type { RecordedRequest } from '../ledger/entities.js';
import {
  asksOf,
  assertEndsLater,
  assertGrantable,
  type FixedValidity,
  type GrantOrigin,
  grant,
} from '../ledger/grant.js';
import { assertPlaces } from '../ledger/offer-places.js';
import type { OrderableOffer } from '../ledger/orders.js';
import { startOfDay } from '../ledger/periods.js';
import {
  archivedTraces,
  identitiesOf,
  identityHashes,
  readPeppers,
  type TrialIdentity,
  trialClaims,
  trialTraces,
} from '../ledger/trials.js';
import type { Metadata } from '../lib/metadata.js';

export type GrantType = 'trial' | 'bonus' | 'adjustment' | 'migration';

/** Units of one product with a validity of its own. */
export interface ProductQuantity {
  productKey: string;
  quantity: number;
  priority: number;
  validFrom: Date | undefined;
  expiresAt: Date | undefined;
}

/** What is granted: an offer as it stands, so many times, or units of one product. */
export type GrantSubject = { sku: string; quantity: number } | ProductQuantity;

export interface GrantCommand {
  grantType: Exclude<GrantType, 'trial'>;
  subject: GrantSubject;
  /** Of an adjustment: whether units are given or taken away. */
  direction: 'credit' | 'debit';
  reason: string | undefined;
  /** Of a migration: the id in the system that it comes from; the same id grants once. */
  sourceId: string | undefined;
  metadata: Metadata;
}

export interface TrialCommand {
  /** Without it every active trial offer is granted. */
  sku: string | undefined;
  /** Identities beside the customer's own, by type: device, payment, email, … */
  identities: TrialIdentity[];
  override: boolean;
  reason: string | undefined;
  metadata: Metadata;
}

export interface GrantResult {
  operationId: string;
  grantType: GrantType;
  /** The batches that were made. */
  batches: StoredBatch[];
  /** What an adjustment took away. */
  takings: Taking[];
  metadata: Metadata;
}

const GRANT = 'grant';
/** Each trial offer gives something, so that more can't be granted at once. */
const TRIALS_READ = GRANT_BATCHES_MAX + 1;

/** An offer or a quantity in the terms of a grant. */
interface Grantable {
  sku: string | null;
  terms: Term[];
  times: number;
}

/**
 * Grants a bonus, a migration or an adjustment, or takes an adjustment away. Creates the customer on first sight. A migration is idempotent
 * by its source id, with or without a key.
 * Locks: the customer. Throws: offer_not_found, offer_inactive, product_not_found, product_inactive, offer_limit_reached, quantity_too_large, insufficient_quota and
 * too_many_batches (an adjustment that takes away), invalid_request (validity, an uncounted product), customer_not_found, selector_conflict,
 * idempotency_key_reused, unavailable.
 */
export async function grantQuantity(
  deps: Deps,
  selector: Selector,
  command: GrantCommand,
  call: Call,
  render: Render<GrantResult>,
): Promise<RecordedAnswer> {
  const { sourceId } = command;
  return deps.engine.run({
    name: GRANT,
    selector,
    call,
    request: command,
    load: async (tx, customerId) => {
      const [earlier, listed] = await Promise.all([
        sourceId === undefined
          ? undefined
          : findRecord(tx, { customerId, name: GRANT, kind: 'natural', key: sourceId }),
        findListed(tx, command.subject),
      ]);
      return { earlier, listed };
    },
    needs: ({ listed }) => ({
      asks: asksOf(listedTerms(listed), command.direction === 'debit' ? command.subject.quantity : 0),
    }),
    loadMore: (tx, { listed }, customerId, now) => countPlaces(tx, customerId, offersOf(listed), now),
    decide: ({ book, loaded: { earlier, listed }, more: places, operationId }): Decision<GrantResult> => {
      // What was migrated is answered as it was, whatever became of the catalogue.
      if (earlier) return replayMigration(earlier, command);
      const found = toGrantable(listed, command);
      // What is moved in was had before.
      if (command.grantType !== 'migration') {
        const pointer = '/quantity';
        assertPlaces(
          places,
          offersOf(listed).map((offer) => ({ ...offer, quantity: found.times, pointer })),
        );
      }
      const { grantType, metadata } = command;
      const isDebit = command.direction === 'debit';
      const takings = isDebit ? takeAway(book, found, command, operationId) : [];
      const batches = isDebit
        ? []
        : give(book, [found], originOf(command, operationId), fixedValidityOf(book, command));
      const result = { operationId, grantType, batches, takings, metadata };
      return { outcome: 'accepted', result, ...(sourceId !== undefined && { recordAs: sourceId }) };
    },
    render,
  });
}

/** What was migrated before is answered as it was; under the same source id something else is refused. */
function replayMigration(earlier: RecordKey & RecordedRequest, command: GrantCommand): Decision<GrantResult> {
  if (isSameRequest(earlier, command)) return { outcome: 'replayed', recordedAs: earlier.key };
  const detail = 'This source_id was migrated with other contents.';
  return { outcome: 'refused', error: new AppError('idempotency_key_reused', detail, { pointer: '/source_id' }) };
}

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
  render: Render<GrantResult>,
): Promise<RecordedAnswer> {
  return deps.engine.run({
    name: GRANT,
    selector,
    call,
    request: { grantType: 'trial', ...command, identities: hashesOf(deps, command.identities) },
    load: async (tx, customerId) => {
      const [offers, own, toldFor] = await Promise.all([
        command.sku === undefined ? listTrialOffers(tx, TRIALS_READ) : findOrderableOffers(tx, [command.sku]),
        listIdentityKeys(tx, customerId),
        findNoticeWindow(tx, customerId, TRIAL_REFUSED, subjectOf(command)),
      ]);
      const found = [...offers.values()];
      const asked = command.override ? nothingAsked : askedOf(deps, customerId, own, command.identities, found);
      return { offers: found, toldFor, ...asked };
    },
    loadMore: async (tx, { traces, offers }, customerId, now) => {
      const [usedBy, places] = await Promise.all([findUsedTrial(tx, traces), countPlaces(tx, customerId, offers, now)]);
      return { usedBy, places };
    },
    needs: ({ offers }) => ({ asks: asksOf(offers.flatMap(({ terms }) => terms)) }),
    decide: ({
      book,
      loaded: { offers, claims, toldFor },
      more: { usedBy, places },
      operationId,
    }): Decision<GrantResult> => {
      const grantables = requireTrials(offers, command.sku).map(
        ({ sku, terms }): Grantable => ({ sku, terms, times: 1 }),
      );
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
      );
      book.changes.trialUses.push(...claims.map((claim) => ({ ...claim, operationId })));
      const result: GrantResult = { operationId, grantType: 'trial', batches, takings: [], metadata };
      return { outcome: 'accepted', result };
    },
    render,
  });
}

/** One page of what a customer was given without payment, newest first. Throws: customer_not_found, selector_conflict. */
export async function getGrants(
  deps: Deps,
  selector: Selector,
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<StoredGrant[]> {
  const reader = await requireCustomer(deps, selector);
  const { familyIds, now } = reader;
  return readSettled(deps, reader, { at: now, isPast: false }, (tx, settled) =>
    listGrants(tx, familyIds, now, settled, page),
  );
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

/** The claims that a trial makes, and the traces of earlier ones that stand against it: by whom he is known first, by our id of him last. */
function askedOf(
  deps: Deps,
  customerId: string,
  own: readonly { provider: string; externalId: string }[],
  passed: readonly TrialIdentity[],
  offers: readonly OrderableOffer[],
): typeof nothingAsked {
  const scopes = [...new Set(offers.map((offer) => (offer.trialScope === 'offer' ? `offer:${offer.sku}` : 'any')))];
  const identities = identitiesOf(customerId, own, passed);
  const peppers = readPeppers(deps.config.pepper);
  const traces = { claims: trialTraces(identities, scopes, peppers), archived: archivedTraces(identities) };
  return { claims: trialClaims(identities, scopes, peppers), traces };
}

/** Identities as a request's fingerprint holds them: under the oldest pepper, so that a rotation changes no fingerprint. */
function hashesOf(deps: Deps, identities: readonly TrialIdentity[]): string[] {
  const [oldest] = readPeppers(deps.config.pepper).slice(-1);
  return oldest ? identityHashes(identities, oldest) : [];
}

/** Throws: offer_not_found, offer_not_trial, offer_inactive, product_inactive, invalid_request (an offer that gives nothing). */
function requireTrials(offers: readonly OrderableOffer[], sku: string | undefined): OrderableOffer[] {
  if (sku === undefined) {
    if (offers.length === 0) throw new AppError('offer_not_found', 'No active offer is a trial.', { pointer: '/sku' });
    return offers.map((offer) => requireGrantable(offer.sku, offer));
  }
  const offer = requireGrantable(sku, offers[0]);
  if (offer.isTrial || offer.trialScope !== null) return [offer];
  throw new AppError('offer_not_trial', `The offer ${sku} is not given as a trial.`, { pointer: '/sku' });
}

function requireGrantable(sku: string, offer: OrderableOffer | undefined): OrderableOffer {
  const pointer = '/sku';
  if (!offer) throw new AppError('offer_not_found', `There is no offer ${sku}.`, { pointer });
  if (!offer.isActive) throw new AppError('offer_inactive', `The offer ${sku} is not active.`, { pointer });
  const [inactive] = offer.inactiveProductKeys;
  if (inactive !== undefined) throw inactiveProduct(inactive, pointer);
  if (offer.terms.length === 0) throw new AppError('invalid_request', `The offer ${sku} gives nothing.`, { pointer });
  return offer;
}

function inactiveProduct(productKey: string, pointer: string): AppError {
  return new AppError('product_inactive', `${productKey} is not active: it is neither sold nor granted.`, { pointer });
}

/** What the catalogue says of what is to be granted; undefined when it does not know it. */
type Listed = { offer: OrderableOffer | undefined } | { product: Product | undefined };

async function findListed(tx: Tx, subject: GrantSubject): Promise<Listed> {
  if ('sku' in subject) return { offer: (await findOrderableOffers(tx, [subject.sku])).get(subject.sku) };
  return { product: await findProduct(tx, subject.productKey) };
}

/** The offer, if it is one, and is known. */
function offersOf(listed: Listed): OrderableOffer[] {
  return 'offer' in listed && listed.offer ? [listed.offer] : [];
}

/** The terms that may be granted, as far as they are known. */
function listedTerms(listed: Listed): Pick<Term, 'productKey'>[] {
  if ('offer' in listed) return listed.offer?.terms ?? [];
  return listed.product ? [listed.product] : [];
}

function toGrantable(listed: Listed, { subject, direction, grantType }: GrantCommand): Grantable {
  if ('sku' in subject) {
    const offer = requireGrantable(subject.sku, 'offer' in listed ? listed.offer : undefined);
    return { sku: subject.sku, terms: offer.terms, times: subject.quantity };
  }
  const { productKey, quantity, priority } = subject;
  const pointer = '/product_key';
  const product = 'product' in listed ? listed.product : undefined;
  if (!product) throw new AppError('product_not_found', `There is no product ${productKey}.`, { pointer });
  if (product.type === 'metered') throw meteredProduct(productKey, pointer);
  // What is moved in was sold or granted before.
  if (!product.isActive && direction === 'credit' && grantType !== 'migration')
    throw inactiveProduct(productKey, pointer);
  if (product.type !== 'quantity' && quantity !== 1) {
    const detail = `${productKey} is not counted: its quantity is 1, its length is set by expires_at.`;
    throw new AppError('invalid_request', detail, { pointer: '/quantity' });
  }
  const term: Term = {
    productKey,
    productType: product.type,
    quantity,
    periodUnit: 'forever',
    periodValue: null,
    priority,
    stacking: 'parallel',
  };
  return { sku: null, terms: [term], times: 1 };
}

/** Of what has ended and of which nobody says when it began: the shortest time before its end. */
const ENDED_LASTED_MS = 1;

/**
 * The validity that a command gives outright. A migration may have begun, and ended, in the past.
 * Throws: invalid_request (it would have ended already, or end before it begins).
 */
function fixedValidityOf({ now }: Book, { subject, grantType }: GrantCommand): FixedValidity | undefined {
  if ('sku' in subject) return undefined;
  const expiresAt = subject.expiresAt ?? null;
  const isMigration = grantType === 'migration';
  const begins = subject.validFrom ?? (isMigration ? lastBegin(now, expiresAt) : now);
  const validFrom = begins < now && !isMigration ? now : begins;
  assertEndsLater({ validFrom, expiresAt }, isMigration ? undefined : now);
  return { validFrom, expiresAt };
}

/** Now, or just before an end that has passed. */
function lastBegin(now: Date, expiresAt: Date | null): Date {
  return expiresAt === null || expiresAt > now ? now : new Date(expiresAt.getTime() - ENDED_LASTED_MS);
}

function originOf(
  { grantType, metadata, reason }: { grantType: GrantType; metadata: Metadata; reason: string | undefined },
  operationId: string,
): Omit<GrantOrigin, 'sku'> {
  return {
    source: grantType,
    operationId,
    orderId: null,
    orderItemId: null,
    actionType: grantType,
    metadata: reason === undefined ? metadata : { ...metadata, reason },
  };
}

function give(
  book: Book,
  grantables: readonly Grantable[],
  origin: Omit<GrantOrigin, 'sku'>,
  fixed: FixedValidity | undefined,
): StoredBatch[] {
  const lines = grantables.flatMap(({ sku, terms, times }) =>
    terms.map((term) => ({ sku, term, times, pointer: '/quantity' })),
  );
  assertGrantable(book, lines);
  return lines.map(({ sku, term, times }) => toNewlyStored(grant(book, term, times, { ...origin, sku }, fixed)));
}

function takeAway(book: Book, { terms }: Grantable, command: GrantCommand, operationId: string): Taking[] {
  const [term] = terms;
  if (term?.productType !== 'quantity') {
    throw new AppError('invalid_request', 'Only units of a counted product can be taken away.', {
      pointer: '/product_key',
    });
  }
  const amount = command.subject.quantity;
  const provider = {
    productKey: term.productKey,
    type: term.productType,
    isActive: true,
    isCurrency: false,
    unitCost: 1,
    featureCount: 1,
  };
  const plan = planConsume(book, [provider], amount, '/quantity');
  if (!plan.isAllowed) {
    throw new AppError(
      'insufficient_quota',
      `${amount} of ${term.productKey} to take away, ${plan.available} available.`,
      {
        extensions: {
          requested: amount,
          available: plan.available,
          remaining: plan.available,
          reasons: [{ code: 'insufficient_quota' }],
          upgradeSkus: [],
          upgradeOffers: [],
        },
      },
    );
  }
  const { metadata, actionType } = originOf(command, operationId);
  revokePlanned(book, plan, { operationId, feature: null, actionType, actionId: null, metadata });
  return plan.takings;
}
