// Moves what the source has into the service: catalogue, used trials, customers with what they own, referrals, entries. Each step is known by what it is
// about, so that a run that was cut is gone on with by another, and one that is repeated changes nothing. A dry run does all but write.
import { findIdentityOwners, findKnownCustomers, listIdentityKeys } from '../../src/db/customers.js';
import { NO_BATCHES } from '../../src/db/wallet.js';
import { AppError } from '../../src/errors/app-error.js';
import { type Decided, decideOffers, decideProducts } from '../../src/ledger/catalog.js';
import type { Product } from '../../src/ledger/catalog-entities.js';
import type { Metadata } from '../../src/lib/metadata.js';
import { renderGrant } from '../../src/routes/grants.js';
import { renderOrder } from '../../src/routes/orders.js';
import { metadataSchema } from '../../src/schemas/metadata.js';
import { getOffer, getProduct, putOffer, putProduct } from '../../src/services/catalog.js';
import { linkIdentity } from '../../src/services/customers.js';
import { grantQuantity } from '../../src/services/grants.js';
import { identify } from '../../src/services/identify.js';
import { archiveRecords, archiveTrials, moveOrder, moveReferral } from '../../src/services/moving-in.js';
import {
  archiveBatch,
  archiveEntry,
  archiveOrder,
  type Catalogue,
  convertBatch,
  convertIdentity,
  convertOffer,
  convertOrder,
  convertProduct,
  convertTrial,
  isUsable,
} from './convert.js';
import type { FindingKind, Findings } from './findings.js';
import type { Progress } from './progress.js';
import {
  countUsers,
  readAlike,
  readBatches,
  readEntries,
  readIdentities,
  readLooseIdentities,
  readOffers,
  readOrders,
  readPaidTwice,
  readProducts,
  readReferrals,
  readTrials,
  readUserPages,
  type Source,
  type SourceBatch,
  type SourceIdentity,
  type SourceOffer,
  type SourceOrder,
  type SourceProduct,
} from './source.js';
import { CALL, IMPORT, type Target } from './target.js';

/** Customers that are moved at the same time. */
const AT_ONCE = 8;
/** By what a customer is known here who had a number there: as `user_id` of requests is read. */
const USER_ID = 'user_id';

export interface Moving {
  source: Source;
  target: Target;
  isDry: boolean;
  findings: Findings;
  progress: Progress;
  /** How many of each thing were moved in by this run. */
  moved: Map<string, number>;
}

function count({ moved }: Moving, what: string, by = 1): void {
  moved.set(what, (moved.get(what) ?? 0) + by);
}

/** Runs a step that the service may refuse; what it refuses is noted. Returns whether it was done. */
async function attempt(
  moving: Moving,
  id: string,
  kindOf: (error: AppError) => FindingKind,
  step: () => Promise<unknown>,
) {
  try {
    await step();
    return true;
  } catch (error) {
    if (!(error instanceof AppError) || !EXPECTED.has(error.code)) throw error;
    moving.findings.add(kindOf(error), id, error.message);
    return false;
  }
}

/** What is a matter of the row that is moved; anything else ends the run. */
const EXPECTED: ReadonlySet<string> = new Set<AppError['code']>([
  ...(['invalid_request', 'name_taken', 'name_reserved', 'product_not_found', 'product_in_use'] as const),
  ...(['identity_taken', 'idempotency_key_reused', 'payment_already_used', 'quantity_too_large'] as const),
  ...(['already_referred', 'referral_cycle', 'self_referral'] as const),
]);

const isChanged = (error: AppError) => error.code === 'idempotency_key_reused';

/** Moves everything. Throws what isn't a matter of single rows. */
export async function moveAll(moving: Moving): Promise<Catalogue> {
  const catalogue = await moveCatalogue(moving);
  await moveTrials(moving);
  await moveCustomers(moving, catalogue);
  await moveReferrals(moving);
  await moveEntries(moving, catalogue);
  return catalogue;
}

async function moveCatalogue(moving: Moving): Promise<Catalogue> {
  const { source, progress } = moving;
  const sources = await readProducts(source);
  progress.begin('products', sources.length);
  const products = new Map<string, Product>();
  for (const product of sources) {
    const known = await moveProduct(moving, product);
    if (known) products.set(product.id, known);
    progress.add(1);
  }
  const offers = new Map<string, { sku: string; name: string; currency: string }>();
  const all = await readOffers(source);
  progress.begin('offers', all.length);
  for (const offer of all) {
    const known = await moveOffer(moving, offer, products);
    if (known) offers.set(offer.id, known);
    progress.add(1);
  }
  const names = new Map(sources.map(({ id, productKey }) => [id, productKey ?? `product ${id}`]));
  return { products, offers, nameOf: (id) => names.get(id) ?? `product ${id}` };
}

async function found<T>(finding: Promise<T>): Promise<T | undefined> {
  return finding.catch((error: unknown) => {
    if (error instanceof AppError && error.code.endsWith('_not_found')) return undefined;
    throw error;
  });
}

/** What is here already stays as it is. */
async function moveProduct(moving: Moving, product: SourceProduct): Promise<Product | undefined> {
  const { findings, isDry, target } = moving;
  const { deps } = target;
  const converted = convertProduct(product);
  if ('left' in converted) {
    findings.add(converted.left, product.id, converted.reason);
    return undefined;
  }
  const { terms } = converted;
  const known = await found(getProduct(deps, terms.productKey));
  if (known?.type === terms.type) return known;
  if (known) {
    findings.add('product_of_other_type', terms.productKey, `${known.type} here, ${terms.type} there`);
    return undefined;
  }
  const isDone = await attempt(
    moving,
    terms.productKey,
    () => 'product_invalid',
    async () => {
      if (isDry) refuseFaults(decideProducts([{ ...WHOLE, terms }], NOT_KNOWN, false, deps.clock.now()));
      else await putProduct(deps, terms, false, IMPORT);
    },
  );
  if (!isDone) return undefined;
  count(moving, 'products');
  return { ...terms, createdAt: deps.clock.now() };
}

async function moveOffer(moving: Moving, offer: SourceOffer, products: ReadonlyMap<string, Product>) {
  const { findings, isDry, target } = moving;
  const { deps } = target;
  const converted = convertOffer(offer, products);
  if ('left' in converted) {
    findings.add(converted.left, offer.sku, converted.reason);
    return undefined;
  }
  const { terms } = converted;
  if (offer.wasTrial) findings.add('trial_offers', terms.sku);
  const known = await found(getOffer(deps, terms.sku));
  if (known) return known;
  const byKey = new Map([...products.values()].map((product) => [product.productKey, product]));
  const isDone = await attempt(
    moving,
    terms.sku,
    () => 'offer_invalid',
    async () => {
      if (isDry) {
        const known = { ...NOT_KNOWN, products: byKey, names: new Set(byKey.keys()) };
        refuseFaults(decideOffers([{ ...WHOLE, terms }], known, deps.clock.now()));
      } else await putOffer(deps, terms, IMPORT);
    },
  );
  if (!isDone) return undefined;
  count(moving, 'offers');
  return terms;
}

/** Nothing of it is left as it is. */
const WHOLE = { kept: [], createdAt: undefined };

/** A catalogue of which nothing is known. */
const NOT_KNOWN = {
  products: new Map(),
  offers: new Map(),
  names: new Set<string>(),
  prices: new Set<string>(),
  providers: [],
  unspent: new Set<string>(),
  unread: new Set<string>(),
};

/** Refuses what the catalogue would, where nothing is written. Throws: the first fault. */
function refuseFaults(decided: readonly Decided<unknown>[]): void {
  const [fault] = decided.flatMap(({ faults }) => faults);
  if (fault) throw new AppError(fault.code, fault.message, { pointer: fault.pointer });
}

async function moveTrials(moving: Moving): Promise<void> {
  const { source, target, isDry, findings, progress } = moving;
  progress.begin('used trials');
  for await (const page of readTrials(source)) {
    target.assertLocked();
    const trials = page.flatMap((row) => {
      const converted = convertTrial(row);
      if (!('left' in converted)) return [converted.trial];
      findings.add(converted.left, row.id);
      return [];
    });
    if (!isDry) count(moving, 'used trials', await archiveTrials(target.deps, trials));
    progress.add(page.length);
  }
}

interface Owned {
  identities: SourceIdentity[];
  orders: SourceOrder[];
  batches: SourceBatch[];
}

/** Rows by whose they are. */
function byUser<T extends { userId: string | null }>(rows: readonly T[]): Map<string, T[]> {
  const grouped = new Map<string, T[]>();
  for (const row of rows) grouped.set(row.userId ?? '', [...(grouped.get(row.userId ?? '') ?? []), row]);
  return grouped;
}

async function moveCustomers(moving: Moving, catalogue: Catalogue): Promise<void> {
  const { source, target, findings, progress } = moving;
  const paidTwice = new Map((await readPaidTwice(source)).map(({ id, first }) => [id, first]));
  const alike = await readAlike(source);
  for (const { id, first } of alike) findings.add('identity_taken', id, `it is identity ${first}`);
  const others = new Set(alike.map(({ id }) => id));
  progress.begin('customers', await countUsers(source));
  for await (const userIds of readUserPages(source)) {
    target.assertLocked();
    const identities = byUser(await readIdentities(source, userIds));
    const orders = byUser(await readOrders(source, userIds));
    const batches = byUser(await readBatches(source, userIds));
    await together(userIds, async (userId) => {
      const owned = {
        identities: (identities.get(userId) ?? []).filter(({ id }) => !others.has(id)),
        orders: orders.get(userId) ?? [],
        batches: batches.get(userId) ?? [],
      };
      await moveCustomer(moving, catalogue, userId, owned, paidTwice);
      progress.add(1);
    });
  }
  for await (const page of readLooseIdentities(source))
    for (const { id } of page) findings.add('identity_without_user', id);
}

/** Does the same for all, some of them at a time. */
async function together<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (const item of left) await work(item);
  });
  await Promise.all(workers);
}

async function moveCustomer(
  moving: Moving,
  catalogue: Catalogue,
  userId: string,
  { identities, orders, batches }: Owned,
  paidTwice: ReadonlyMap<string, string>,
): Promise<void> {
  const customerId = await findOrMake(moving, userId, identities);
  await moveIdentities(moving, customerId, identities);
  for (const order of orders) await moveOneOrder(moving, customerId, order, catalogue, paidTwice);
  const at = moving.source.takenAt;
  for (const batch of batches) {
    const isAccess = catalogue.products.get(batch.productId)?.type === 'period';
    const isUsedUp = batch.state === 'EXHAUSTED' && batch.expiresAt !== null && batch.expiresAt > at;
    if (isAccess && isUsedUp) moving.findings.add('batch_access_used', batch.id);
    if (isUsable(batch, at)) await moveBatch(moving, customerId, batch, catalogue);
  }
  if (moving.isDry) return;
  const isOpen = (order: SourceOrder) =>
    'left' in convertOrderOf(moving, order, catalogue, paidTwice) && order.status === 'pending';
  const records = [
    ...orders.filter((order) => !isOpen(order)).map((order) => archiveOrder(customerId, order, catalogue)),
    ...batches.map((batch) => archiveBatch(customerId, batch, catalogue)),
  ];
  count(moving, 'archived records', await archiveRecords(moving.target.deps, records));
}

/**
 * The customer of a user: who is known by his number, else by one of his identities and by nobody's number, else a new one. Of a dry run no one where there
 * is none.
 */
async function findOrMake(moving: Moving, userId: string, rows: readonly SourceIdentity[]): Promise<string> {
  const { isDry, target } = moving;
  const { deps } = target;
  const identity = { provider: USER_ID, externalId: userId };
  const [moved] = await findIdentityOwners(deps.db, [identity]);
  if (moved) return moved.customerId;
  const here = await findSeen(moving, rows);
  count(moving, here === undefined ? 'customers' : 'customers who were here');
  if (here === undefined && isDry) return NOBODY;
  if (here !== undefined) {
    if (!isDry) await linkIdentity(deps, here, { identity, profile: {} }, CALL, () => ({ status: 200, body: '' }));
    return here;
  }
  const answer = await identify(deps, { identity, profile: undefined }, CALL, ({ customerId }) => ({
    status: 200,
    body: JSON.stringify(customerId),
  }));
  return JSON.parse(answer.body) as string;
}

/** Who was seen here by one of these identities, and was not moved in as another user. */
async function findSeen({ target }: Moving, rows: readonly SourceIdentity[]): Promise<string | undefined> {
  const keys = rows.flatMap((row) => {
    const converted = convertIdentity(row);
    return 'left' in converted ? [] : [converted.identity];
  });
  const { db } = target.deps;
  for (const known of await findKnownCustomers(db, keys)) {
    if (known === undefined) continue;
    const own = await listIdentityKeys(db, known.id);
    if (!own.some(({ provider }) => provider === USER_ID)) return known.id;
  }
  return undefined;
}

/** In the place of a customer who is yet to be made. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

async function moveIdentities(moving: Moving, customerId: string, rows: readonly SourceIdentity[]): Promise<void> {
  const { target, isDry, findings } = moving;
  for (const row of rows) {
    const converted = convertIdentity(row);
    if ('left' in converted) {
      findings.add(converted.left, row.id, converted.reason);
      continue;
    }
    const [known] = await findKnownCustomers(target.deps.db, [converted.identity]);
    if (known?.id === customerId) continue;
    const taken = () => 'identity_taken' as const;
    const isDone = await attempt(moving, row.id, taken, async () => {
      if (known) throw new AppError('identity_taken', `customer ${known.id} has it`);
      if (!isDry) await linkIdentity(target.deps, customerId, converted, CALL, () => ({ status: 200, body: '' }));
    });
    if (isDone) count(moving, 'identities');
  }
}

function convertOrderOf(
  { source }: Moving,
  order: SourceOrder,
  catalogue: Catalogue,
  paidTwice: ReadonlyMap<string, string>,
) {
  return convertOrder(order, catalogue, source.takenAt, paidTwice);
}

async function moveOneOrder(
  moving: Moving,
  customerId: string,
  row: SourceOrder,
  catalogue: Catalogue,
  paidTwice: ReadonlyMap<string, string>,
): Promise<void> {
  const { target, isDry, findings } = moving;
  const converted = convertOrderOf(moving, row, catalogue, paidTwice);
  if ('left' in converted) {
    findings.add(converted.left, row.id, converted.reason);
    return;
  }
  const kindOf = (error: AppError) => (isChanged(error) ? 'order_changed' : 'order_paid_twice');
  const isDone = await attempt(moving, row.id, kindOf, async () => {
    if (isDry) return;
    const { replayed } = await moveOrder(target.deps, { customerId }, converted.order, CALL, (order) =>
      renderOrder(200)({ order, granted: NO_BATCHES }),
    );
    if (!replayed) count(moving, 'orders');
  });
  if (!isDone) return;
  if (isDry) count(moving, 'orders');
  for (const kind of converted.changed ?? []) findings.add(kind, row.id);
}

async function moveBatch(moving: Moving, customerId: string, batch: SourceBatch, catalogue: Catalogue): Promise<void> {
  const { target, isDry, findings } = moving;
  const converted = convertBatch(batch, catalogue);
  if ('left' in converted) {
    findings.add(converted.left, batch.id, converted.reason);
    return;
  }
  const kindOf = (error: AppError) => (isChanged(error) ? 'batch_changed' : 'batch_invalid');
  const isDone = await attempt(moving, batch.id, kindOf, async () => {
    if (isDry) return;
    const { replayed } = await grantQuantity(target.deps, { customerId }, converted.command, CALL, renderGrant);
    if (!replayed) count(moving, 'batches');
  });
  if (!isDone) return;
  if (isDry) count(moving, 'batches');
  for (const kind of converted.changed ?? []) findings.add(kind, batch.id);
}

/** The customers of users, by the users' ids; whoever is not there is left out. */
export async function customersOf({ target }: Moving, userIds: readonly string[]): Promise<Map<string, string>> {
  const names = userIds.map((externalId) => ({ provider: USER_ID, externalId }));
  const owners = names.length === 0 ? [] : await findIdentityOwners(target.deps.db, names);
  return new Map(owners.map(({ externalId, customerId }) => [externalId, customerId]));
}

async function moveReferrals(moving: Moving): Promise<void> {
  const { source, target, isDry, progress } = moving;
  progress.begin('referrals');
  for await (const page of readReferrals(source)) {
    target.assertLocked();
    const owners = await customersOf(moving, [...new Set(page.flatMap((row) => [row.referrerId, row.refereeId]))]);
    for (const row of page) {
      const [referrerId, refereeId] = [owners.get(row.referrerId), owners.get(row.refereeId)];
      const marked = { ...row.metadata, billable_referral_id: row.id, billable_bonus_granted: row.isBonusGranted };
      const read = metadataSchema.safeParse(marked);
      const metadata: Metadata = read.success ? read.data : { billable_referral_id: row.id };
      await attempt(
        moving,
        row.id,
        () => 'referral_refused',
        async () => {
          if (row.referrerId === row.refereeId) throw new AppError('self_referral', 'of oneself');
          if (isDry || !referrerId || !refereeId) return;
          const { createdAt } = row;
          const moved = { referrerId, refereeId, metadata, createdAt };
          const render = ({ isNew }: { isNew: boolean }) => ({ status: 200, body: String(isNew) });
          const { body } = await moveReferral(target.deps, moved, CALL, render);
          if (body === 'true') count(moving, 'referrals');
        },
      );
    }
    progress.add(page.length);
  }
}

async function moveEntries(moving: Moving, catalogue: Catalogue): Promise<void> {
  const { source, target, isDry, progress } = moving;
  if (isDry) return;
  progress.begin('entries');
  for await (const page of readEntries(source)) {
    target.assertLocked();
    const owners = await customersOf(moving, [...new Set(page.map(({ userId }) => userId))]);
    const records = page.flatMap((entry) => {
      const customerId = owners.get(entry.userId);
      return customerId === undefined ? [] : [archiveEntry(customerId, entry, catalogue)];
    });
    count(moving, 'archived records', await archiveRecords(target.deps, records));
    progress.add(page.length);
  }
}
