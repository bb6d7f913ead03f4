// Moves what the source has into the service: catalogue, used trials, customers with what they own, referrals, entries. Each step is known by what it is
// about, so that a run that was cut is gone on with by another, and one that is repeated changes nothing. A dry run does all but write.
import { AppError } from '../../src/errors/app-error.js';
import { type Decided, decideOffers, decideProducts } from '../../src/ledger/catalog.js';
import type { Product } from '../../src/ledger/catalog-entities.js';
import type { Metadata } from '../../src/lib/metadata.js';
import { metadataSchema } from '../../src/schemas/metadata.js';
import { getOffer, getProduct, putOffer, putProduct } from '../../src/services/catalog.js';
import { archiveRecords, archiveTrials, moveReferral } from '../../src/services/moving-in.js';
import { archiveEntry, type Catalogue, convertOffer, convertProduct, convertTrial } from './convert.js';
import { moveCustomers } from './move-customers.js';
import { attempt, count, customersOf, type Moving } from './moving.js';
import {
  readEntries,
  readOffers,
  readProducts,
  readReferrals,
  readTrials,
  type SourceOffer,
  type SourceProduct,
} from './source.js';
import { CALL, IMPORT } from './target.js';

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
