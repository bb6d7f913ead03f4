// What a customer holds: the wallet, single balances, batches and the ledger. Reads only; none waits for a lock.

import { findKnownCustomers } from '../db/customers.js';
import { type EntryFilter, listEntries, type OwnedEntry } from '../db/entries.js';
import type { ReadInstant } from '../db/history.js';
import type { LedgerPosition } from '../db/ledger-position.js';
import { findMergedBy } from '../db/merges.js';
import { type BatchFilter, listAccess, listBatches, listProviders, type StoredBatch, sumHeld } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import { findCustomer, requireCustomer } from '../engine/customers.js';
import { type BookRead, NOBODY, readBookAt, readSettled, readWallets, type WalletRead } from '../engine/reads.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';
import { type AccessSummary, type FeatureSummary, summariseAccess, summariseFeatures } from '../ledger/access.js';
import { holdingOf, showStandings, spendable } from '../ledger/book.js';
import type { Subject } from '../ledger/catalog-entities.js';
import { assertProvided, availabilityOf, type SubjectAsk, upcomingOf } from '../ledger/consume.js';
import { required } from '../lib/assert.js';
import { instantOf } from '../lib/clock.js';

export interface Wallet {
  customerId: string;
  /** What can be spent now, minus what is owed. */
  balances: Map<string, number>;
  /** What becomes valid later, of products that have some. */
  upcoming: Map<string, number>;
  held: Map<string, number>;
  access: Map<string, AccessSummary>;
  features: Map<string, FeatureSummary>;
}

export interface BalanceResult {
  subject: Subject;
  canUse: boolean;
  /** In the subject's unit; null when uncounted. */
  remaining: number | null;
  /** What becomes valid later, in the subject's unit. */
  upcoming: number;
  /** When the units that are used next end, or the access does; null when never or when there is none. */
  expiresAt: Date | null;
}

/** The instant of a read: now, or a past one that was asked for. Throws: invalid_request (it lies in the future). */
function readInstant(now: Date, asOf: Date | undefined): ReadInstant {
  if (asOf === undefined) return { at: now, isPast: false };
  if (asOf.getTime() <= now.getTime()) return { at: asOf, isPast: true };
  throw new AppError('invalid_request', 'as_of must not lie in the future.', { pointer: 'query/as_of' });
}

/** Everything a customer holds, or held at an instant. Throws: customer_not_found, selector_conflict, invalid_request. */
export async function getWallet(deps: Deps, selector: Selector, asOf: Date | undefined): Promise<Wallet> {
  const { customerId, familyIds, now } = await requireCustomer(deps, selector);
  const instant = readInstant(now, asOf);
  const read = (await readWallets(deps, [customerId], instant)).get(customerId);
  const wallet = toWallet(required(read, 'it is read'), instant);
  // What holds of others of the family set aside comes back to him.
  const merged = familyIds.filter((id) => id !== customerId);
  const others = instant.isPast && merged.length > 0 ? await findMergedBy(deps.db, customerId, instant.at) : merged;
  for (const [key, held] of await sumHeld(deps.db, others, instant))
    wallet.held.set(key, (wallet.held.get(key) ?? 0) + held);
  return wallet;
}

/** What each of these customers holds now, as `getWallet` tells it; of whoever is not there, nothing. Throws: unavailable. */
export async function getWallets(deps: Deps, customerIds: readonly string[]): Promise<Map<string, Wallet>> {
  const known = await findKnownCustomers(
    deps.db,
    customerIds.map((customerId) => ({ customerId })),
  );
  const readers = known.flatMap((customer) => customer ?? []);
  const at = readers.reduce((latest, { lastRecordedAt }) => instantOf(latest, lastRecordedAt), deps.clock.now());
  const instant = { at, isPast: false };
  const reads = await readWallets(
    deps,
    readers.map(({ id }) => id),
    instant,
  );
  return new Map([...reads].map(([customerId, read]) => [customerId, toWallet(read, instant)]));
}

function toWallet({ book, products, access: spans, features }: WalletRead, instant: ReadInstant): Wallet {
  const access = summariseAccess(spans, instant.at);
  const holdings = products.flatMap(({ productKey, isCounted }) => (isCounted ? holdingOf(book, productKey) : []));
  const { balance: balances, upcoming } = showStandings(holdings);
  const usable = holdings.map(
    (holding) => [holding.productKey, Math.max(0, spendable(holding) - holding.owed)] as const,
  );
  return {
    customerId: book.customerId,
    balances,
    upcoming,
    held: new Map(holdings.filter(({ held }) => held > 0).map(({ productKey, held }) => [productKey, held])),
    access,
    features: summariseFeatures(features, new Map(usable), access),
  };
}

/**
 * Whether a customer can use a product or feature now, or could at an instant, and how much of it. Somebody never seen can't.
 * Throws: product_not_found, feature_not_found, selector_conflict, invalid_request, overloaded.
 */
export async function getBalance(
  deps: Deps,
  selector: Selector,
  subject: Subject,
  asOf: Date | undefined,
): Promise<BalanceResult> {
  const asks = [{ subject, amount: 0 }];
  const read = await (asOf === undefined ? deps.reads.find(selector, asks) : readPast(deps, selector, asOf, asks));
  const providers = read.providersOf(subject);
  assertProvided(subject, providers);
  const { available, first } = availabilityOf(read.book, providers);
  const upcoming = upcomingOf(read.book, providers);
  if (available !== null || !first) {
    return { subject, canUse: first !== null, remaining: available, upcoming, expiresAt: first?.expiresAt ?? null };
  }
  const instant = { at: read.at, isPast: asOf !== undefined };
  const access = summariseAccess(await listAccess(deps.db, [read.book.customerId], instant), instant.at);
  const span = access.get(first.productKey);
  return { subject, canUse: true, remaining: null, upcoming, expiresAt: span ? span.until : first.expiresAt };
}

async function readPast(deps: Deps, selector: Selector, asOf: Date, asks: readonly SubjectAsk[]): Promise<BookRead> {
  const { customerId, now } = (await findCustomer(deps, selector)) ?? { customerId: NOBODY, now: deps.clock.now() };
  return readBookAt(deps, customerId, readInstant(now, asOf), asks);
}

/** What batches are asked for. */
export type BatchesAsked = Omit<BatchFilter, 'productKeys' | 'expiringBefore'> & {
  productKey?: string | undefined;
  /** Only batches of products that provide it today. */
  feature?: string | undefined;
  expiringWithinS?: number | undefined;
};

/** One page of a customer's batches, newest first, now or at an instant. Throws: customer_not_found, selector_conflict, invalid_request. */
export async function getBatches(
  deps: Deps,
  selector: Selector,
  filter: BatchesAsked,
  asOf: Date | undefined,
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<StoredBatch[]> {
  const reader = await requireCustomer(deps, selector);
  const { productKey, feature, expiringWithinS, ...rest } = filter;
  const productKeys = await productsAsked(deps, productKey, feature);
  const instant = readInstant(reader.now, asOf);
  const { at } = instant;
  const expiringBefore = expiringWithinS === undefined ? undefined : new Date(at.getTime() + expiringWithinS * 1_000);
  return readSettled(deps, reader, instant, (tx, settled) =>
    listBatches(tx, reader.familyIds, instant, settled, { ...rest, productKeys, expiringBefore }, page),
  );
}

/** The keys of the products that a filter leaves; undefined when it leaves all. */
async function productsAsked(
  deps: Deps,
  productKey: string | undefined,
  feature: string | undefined,
): Promise<string[] | undefined> {
  if (feature === undefined) return productKey === undefined ? undefined : [productKey];
  const providers = await listProviders(deps.db, feature);
  return productKey === undefined ? providers : providers.filter((key) => key === productKey);
}

/** One page of a customer's ledger, newest first, and whether something that has fallen due is not in it yet. Throws: customer_not_found, selector_conflict. */
export async function getEntries(
  deps: Deps,
  selector: Selector,
  filter: EntryFilter,
  page: { before: LedgerPosition | undefined; limit: number },
): Promise<{ entries: OwnedEntry[]; isDue: boolean; isOfMany: boolean }> {
  const { familyIds, isDue } = await requireCustomer(deps, selector);
  return { entries: await listEntries(deps.db, familyIds, filter, page), isDue, isOfMany: familyIds.length > 1 };
}
