// The closing report: what each customer had there and has here, of each product. Reads both sides anew, the source in its snapshot, and says nothing of how
// anything was moved.
import { groupBy } from '../../src/lib/group-by.js';
import { loadAhead } from '../../src/lib/load-ahead.js';
import { countArchived } from '../../src/services/moving-in.js';
import { getWallets, type Wallet } from '../../src/services/wallet.js';
import { type Catalogue, convertBatch, isUsable } from './convert.js';
import { customersOf, type Moving } from './moving.js';
import { countEntries, countUsers, readBatches, readUserPages, type SourceBatch } from './source.js';

/** What somebody has of a product: units, or access and until when (null: for ever). */
type Standing = { units: number } | { until: Date | null };

export interface BalanceLine {
  userId: string;
  customerId: string;
  product: string;
  old: string;
  new: string;
  /** Units; of access whether it ends at another instant. */
  difference: string;
  isEqual: boolean;
}

const NONE = 'none';

/** Customers whose wallets are read by one statement of each kind. */
const WALLETS_AT_ONCE = 64;

/** What is compared of a page of users. */
interface Compared {
  batches: ReadonlyMap<string, SourceBatch[]>;
  entries: ReadonlyMap<string, number>;
  customers: ReadonlyMap<string, string>;
}

/** Tells `tell` of all balances, customer after customer; returns how many there are, and how many differ. In a dry run `new` is what would be granted. */
export async function reportBalances(
  moving: Moving,
  catalogue: Catalogue,
  tell: (line: BalanceLine) => void,
): Promise<{ lines: number; different: number }> {
  const { source, progress } = moving;
  progress.begin('compared customers', await countUsers(source));
  let [lines, different] = [0, 0];
  const read = async (userIds: string[]): Promise<Compared> => ({
    batches: groupBy(await readBatches(source, userIds), ({ userId }) => userId),
    entries: await countEntries(source, userIds),
    customers: await customersOf(moving, userIds),
  });
  for await (const [userIds, compared] of loadAhead(readUserPages(source), read)) {
    moving.target.assertLocked();
    const all = await compareUsers(moving, catalogue, userIds, compared);
    const unarchived = moving.isDry ? [] : await compareArchive(moving, userIds, compared);
    for (const line of [...all, ...unarchived]) {
      tell(line);
      lines += 1;
      if (!line.isEqual) different += 1;
    }
    progress.add(userIds.length);
  }
  return { lines, different };
}

async function compareUsers(
  moving: Moving,
  catalogue: Catalogue,
  userIds: readonly string[],
  { batches, customers }: Compared,
): Promise<BalanceLine[]> {
  const { isDry, target } = moving;
  const wallets = isDry ? new Map<string, Wallet>() : await readWallets(target, [...customers.values()]);
  const at = target.deps.clock.now();
  return userIds.flatMap((userId) => {
    const customerId = customers.get(userId) ?? '';
    const own = batches.get(userId) ?? [];
    const granted = () => own.filter((batch) => !('left' in convertBatch(batch, catalogue)));
    const present = isDry ? standingsOf(granted(), catalogue, at) : standingsIn(wallets.get(customerId));
    return compare(userId, customerId, standingsOf(own, catalogue, at), present);
  });
}

async function readWallets({ deps }: Moving['target'], customerIds: readonly string[]): Promise<Map<string, Wallet>> {
  const parts = Array.from({ length: Math.ceil(customerIds.length / WALLETS_AT_ONCE) }, (_, part) =>
    customerIds.slice(part * WALLETS_AT_ONCE, (part + 1) * WALLETS_AT_ONCE),
  );
  const read = await Promise.all(parts.map((part) => getWallets(deps, part)));
  return new Map(read.flatMap((wallets) => [...wallets]));
}

/** What the module would say at an instant, whose clock is taken to be ours. */
function standingsOf(
  batches: readonly SourceBatch[],
  { products, nameOf }: Catalogue,
  at: Date,
): Map<string, Standing> {
  const standings = new Map<string, Standing>();
  for (const batch of batches.filter((each) => isUsable(each, at))) {
    const product = products.get(batch.productId);
    const name = product?.productKey ?? nameOf(batch.productId);
    const known = standings.get(name);
    if ((product?.type ?? 'quantity') === 'quantity') {
      standings.set(name, { units: batch.remaining + (known && 'units' in known ? known.units : 0) });
    } else if (batch.remaining > 0) standings.set(name, { until: later(known, batch.expiresAt) });
  }
  return standings;
}

function later(known: Standing | undefined, end: Date | null): Date | null {
  if (known === undefined || 'units' in known || end === null) return end;
  return known.until === null || known.until > end ? known.until : end;
}

function standingsIn(wallet: Wallet | undefined): Map<string, Standing> {
  if (!wallet) return new Map();
  const { balances, access } = wallet;
  return new Map<string, Standing>([
    ...[...balances].map(([key, units]) => [key, { units }] as const),
    ...[...access].map(([key, { until }]) => [key, { until }] as const),
  ]);
}

function compare(
  userId: string,
  customerId: string,
  old: ReadonlyMap<string, Standing>,
  present: ReadonlyMap<string, Standing>,
): BalanceLine[] {
  return [...new Set([...old.keys(), ...present.keys()])].sort().flatMap((product): BalanceLine[] => {
    const [before, after] = [old.get(product), present.get(product)];
    if (!before && after && 'units' in after && after.units === 0) return [];
    const [was, is] = [textOf(before), textOf(after)];
    const isAccess = [before, after].some((standing) => standing && 'until' in standing);
    const byUnits = unitsOf(after) - unitsOf(before);
    const isEqual = isAccess ? was === is : byUnits === 0;
    const difference = isAccess ? (isEqual ? '0' : 'differs') : String(byUnits);
    return [{ userId, customerId, product, old: was, new: is, difference, isEqual }];
  });
}

function unitsOf(standing: Standing | undefined): number {
  return standing && 'units' in standing ? standing.units : 0;
}

function textOf(standing: Standing | undefined): string {
  if (!standing) return NONE;
  if ('units' in standing) return String(standing.units);
  return standing.until === null ? 'for ever' : `until ${standing.until.toISOString()}`;
}

/** Lines of customers of whom the archive has other than all entries and batches. */
async function compareArchive(
  { target }: Moving,
  userIds: readonly string[],
  { batches, entries, customers }: Compared,
): Promise<BalanceLine[]> {
  const kept = await countArchived(target.deps, [...customers.values()]);
  const counts = new Map(kept.map(({ customerId, kind, count }) => [`${customerId} ${kind}`, count]));
  return userIds.flatMap((userId) => {
    const customerId = customers.get(userId) ?? '';
    const there = { entry: entries.get(userId) ?? 0, batch: (batches.get(userId) ?? []).length };
    return (['entry', 'batch'] as const).flatMap((kind): BalanceLine[] => {
      const here = counts.get(`${customerId} ${kind}`) ?? 0;
      if (here === there[kind]) return [];
      const product = `(archived: ${kind})`;
      const difference = String(here - there[kind]);
      return [{ userId, customerId, product, old: String(there[kind]), new: String(here), difference, isEqual: false }];
    });
  });
}
