// Grants: giving an offer or a quantity without a payment (DOMAIN 3.8): bonuses, adjustments, migrations. Trials are in trials.ts.

import type { Call, RecordedAnswer, Render } from '../call.js';
import { findOrderableOffers, findProduct } from '../db/catalog.js';
import type { Tx } from '../db/client.js';
import { findRecord, findRecords, type RecordKey } from '../db/idempotency.js';
import { countPlaces } from '../db/offer-places.js';
import { listGrants, type StoredBatch, type StoredGrant, toNewlyStored } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import { requireCustomer } from '../engine/customers.js';
import type { Decision } from '../engine/operation.js';
import { readSettled } from '../engine/reads.js';
import { isSameRequest } from '../engine/request-hash.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';
import type { Book } from '../ledger/book.js';
import { meteredProduct } from '../ledger/catalog.js';
import type { OrderableOffer, Product, Term } from '../ledger/catalog-entities.js';
import { planConsume, revokePlanned, type Taking } from '../ledger/consume.js';
import type { RecordedRequest } from '../ledger/entities.js';
import { type Grantable, type GrantType, give, inactiveProduct, originOf, requireGrantable } from '../ledger/giving.js';
import { asksOf, assertEndsLater, type FixedValidity } from '../ledger/grant.js';
import { assertPlaces } from '../ledger/offer-places.js';
import type { Metadata } from '../lib/metadata.js';

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
    loadMore: async (tx, { listed, earlier: own }, customerId, now, familyIds) => {
      const others = own || sourceId === undefined ? [] : familyIds.filter((id) => id !== customerId);
      const [places, records] = await Promise.all([
        countPlaces(tx, familyIds, offersOf(listed), now),
        findRecords(
          tx,
          others.map((id) => ({ customerId: id, name: GRANT, kind: 'natural' as const, key: sourceId ?? '' })),
        ),
      ]);
      return { places, earlier: own ?? records[0] };
    },
    decide: ({ book, loaded: { listed }, more: { places, earlier }, operationId }): Decision<GrantResult> => {
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
        : give(book, [found], originOf(command, operationId), fixedValidityOf(book, command)).map(toNewlyStored);
      const result = { operationId, grantType, batches, takings, metadata };
      return { outcome: 'accepted', result, ...(sourceId !== undefined && { recordAs: sourceId }) };
    },
    render,
  });
}

/** What was migrated before is answered as it was; under the same source id something else is refused. */
function replayMigration(earlier: RecordKey & RecordedRequest, command: GrantCommand): Decision<GrantResult> {
  if (isSameRequest(earlier, command)) return { outcome: 'replayed', recordedAs: earlier.key, of: earlier.customerId };
  const detail = 'This source_id was migrated with other contents.';
  return { outcome: 'refused', error: new AppError('idempotency_key_reused', detail, { pointer: '/source_id' }) };
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
