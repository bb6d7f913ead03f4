// Moves customers with what they own, page after page: who they are here is looked up for a page at once; then all that its customers own is asked of the
// service at the same time, which has what waits together share transactions.
import { findKnownCustomers, type KnownCustomer, listIdentityKeys } from '../../src/db/customers.js';
import { NO_BATCHES } from '../../src/db/wallet.js';
import { AppError } from '../../src/errors/app-error.js';
import type { ArchivedRecord } from '../../src/ledger/customer-entities.js';
import { groupBy } from '../../src/lib/group-by.js';
import { loadAhead } from '../../src/lib/load-ahead.js';
import { createSlots, type Slots } from '../../src/lib/slots.js';
import { renderGrant } from '../../src/routes/grants.js';
import { renderOrder } from '../../src/routes/orders.js';
import { linkIdentity } from '../../src/services/customers.js';
import { grantQuantity } from '../../src/services/grants.js';
import { archiveRecords, moveCustomer, moveOrder } from '../../src/services/moving-in.js';
import {
  archiveBatch,
  archiveOrder,
  type Catalogue,
  convertBatch,
  convertIdentity,
  convertOrder,
  isUsable,
} from './convert.js';
import { attempt, count, customersOf, isChanged, type Moving, USER_ID } from './moving.js';
import {
  countUsers,
  readAlike,
  readBatches,
  readIdentities,
  readLooseIdentities,
  readOrders,
  readPaidTwice,
  readUserPages,
  type SourceBatch,
  type SourceIdentity,
  type SourceOrder,
} from './source.js';
import { CALL } from './target.js';

/** What is asked of the service at the same time. */
const ASKED_AT_ONCE = 1_024;
/** Records that are archived by one statement. */
const RECORDS_AT_ONCE = 1_000;
/** In the place of a customer who is yet to be made. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** What moving customers needs to know of all of them. */
interface Context extends Moving {
  catalogue: Catalogue;
  /** Orders whose payment had paid another, with that one's id. */
  paidTwice: ReadonlyMap<string, string>;
  asked: Slots;
}

/** An identity that can be one here, and who has it here. */
interface MovableIdentity {
  id: string;
  converted: Exclude<ReturnType<typeof convertIdentity>, { left: unknown }>;
  known: KnownCustomer | undefined;
}

interface Owned {
  userId: string;
  identities: MovableIdentity[];
  orders: SourceOrder[];
  batches: SourceBatch[];
}

export async function moveCustomers(moving: Moving, catalogue: Catalogue): Promise<void> {
  const { source, target, findings, progress } = moving;
  const paidTwice = new Map((await readPaidTwice(source)).map(({ id, first }) => [id, first]));
  const alike = await readAlike(source);
  for (const { id, first } of alike) findings.add('identity_taken', id, `it is identity ${first}`);
  const others = new Set(alike.map(({ id }) => id));
  const context: Context = { ...moving, catalogue, paidTwice, asked: createSlots(ASKED_AT_ONCE) };
  progress.begin('customers', await countUsers(source));
  const read = async (userIds: string[]) => ({
    identities: (await readIdentities(source, userIds)).filter(({ id }) => !others.has(id)),
    orders: groupBy(await readOrders(source, userIds), ({ userId }) => userId),
    batches: groupBy(await readBatches(source, userIds), ({ userId }) => userId),
  });
  for await (const [userIds, { identities, orders, batches }] of loadAhead(readUserPages(source), read)) {
    target.assertLocked();
    const movable = groupBy(await findMovable(context, identities), ({ userId }) => userId);
    const owned = userIds.map(
      (userId): Owned => ({
        userId,
        identities: movable.get(userId) ?? [],
        orders: orders.get(userId) ?? [],
        batches: batches.get(userId) ?? [],
      }),
    );
    await movePage(context, owned);
  }
  for await (const page of readLooseIdentities(source))
    for (const { id } of page) findings.add('identity_without_user', id);
}

/** The identities that can be some here, with who has them. */
async function findMovable(
  { target, findings }: Context,
  rows: readonly SourceIdentity[],
): Promise<(MovableIdentity & { userId: string })[]> {
  const movable = rows.flatMap((row) => {
    const converted = convertIdentity(row);
    if (!('left' in converted)) return [{ id: row.id, userId: row.userId ?? '', converted }];
    findings.add(converted.left, row.id, converted.reason);
    return [];
  });
  const known = await findKnownCustomers(
    target.deps.db,
    movable.map(({ converted }) => converted.identity),
  );
  return movable.map((row, index) => ({ ...row, known: known[index] }));
}

async function movePage(context: Context, page: readonly Owned[]): Promise<void> {
  const { asked, isDry, target, progress } = context;
  const customers = await findOrMakeAll(context, page);
  const archived = await Promise.all(
    page.map(async (owned) => {
      const customerId = customers.get(owned.userId) ?? NOBODY;
      const { steps, records } = stepsOf(context, customerId, owned);
      await Promise.all(steps.map((step) => asked.take(step)));
      progress.add(1);
      return records;
    }),
  );
  if (isDry) return;
  const records = archived.flat();
  for (let from = 0; from < records.length; from += RECORDS_AT_ONCE)
    count(context, 'archived records', await archiveRecords(target.deps, records.slice(from, from + RECORDS_AT_ONCE)));
}

/**
 * The customers of users, by the users' ids: who is known by the number, else by one of the identities and by nobody's number, else a new one. Of a dry run
 * without those who are not there.
 */
async function findOrMakeAll(context: Context, page: readonly Owned[]): Promise<Map<string, string>> {
  const { isDry, asked, target } = context;
  const { deps } = target;
  const customers = await customersOf(
    context,
    page.map(({ userId }) => userId),
  );
  const taken = new Set(customers.values());
  const making: (() => Promise<void>)[] = [];
  for (const { userId, identities } of page) {
    if (customers.has(userId)) continue;
    const identity = { provider: USER_ID, externalId: userId };
    const here = await findSeen(context, identities, taken);
    count(context, here === undefined ? 'customers' : 'customers who were here');
    if (here !== undefined) {
      taken.add(here);
      customers.set(userId, here);
    }
    if (isDry) continue;
    if (here !== undefined) making.push(async () => void (await link(context, here, { identity, profile: {} })));
    else
      making.push(async () => {
        customers.set(userId, await moveCustomer(deps, identity));
      });
  }
  await Promise.all(making.map((step) => asked.take(step)));
  return customers;
}

/** Who was seen here by one of these identities, and was not moved in as another user. */
async function findSeen(
  { target }: Context,
  identities: readonly MovableIdentity[],
  taken: ReadonlySet<string>,
): Promise<string | undefined> {
  for (const { known } of identities) {
    if (known === undefined || taken.has(known.id)) continue;
    const own = await listIdentityKeys(target.deps.db, known.id);
    if (!own.some(({ provider }) => provider === USER_ID)) return known.id;
  }
  return undefined;
}

async function link(
  { target }: Context,
  customerId: string,
  command: Parameters<typeof linkIdentity>[2],
): Promise<void> {
  await linkIdentity(target.deps, customerId, command, CALL, () => ({ status: 200, body: '' }));
}

type Step = () => Promise<void>;

/** What is to be done for a customer, in this order, and what is archived of him. */
function stepsOf(
  context: Context,
  customerId: string,
  { identities, orders, batches }: Owned,
): { steps: Step[]; records: ArchivedRecord[] } {
  const { catalogue, findings, source } = context;
  const at = source.takenAt;
  const steps: Step[] = identities
    .filter(({ known }) => known === undefined || known.id !== customerId)
    .map((identity) => () => moveIdentity(context, customerId, identity));
  const records: ArchivedRecord[] = [];
  for (const order of orders) {
    const converted = convertOrder(order, catalogue, at, context.paidTwice);
    if ('left' in converted) findings.add(converted.left, order.id, converted.reason);
    else steps.push(() => moveOneOrder(context, customerId, order.id, converted));
    const isOpen = 'left' in converted && order.status === 'pending';
    if (!isOpen) records.push(archiveOrder(customerId, order, catalogue));
  }
  for (const batch of batches) {
    const isAccess = catalogue.products.get(batch.productId)?.type === 'period';
    const isUsedUp = batch.state === 'EXHAUSTED' && batch.expiresAt !== null && batch.expiresAt > at;
    if (isAccess && isUsedUp) findings.add('batch_access_used', batch.id);
    if (isUsable(batch, at)) steps.push(() => moveBatch(context, customerId, batch));
    records.push(archiveBatch(customerId, batch, catalogue));
  }
  return { steps, records };
}

async function moveIdentity(
  context: Context,
  customerId: string,
  { id, converted, known }: MovableIdentity,
): Promise<void> {
  const taken = () => 'identity_taken' as const;
  const isDone = await attempt(context, id, taken, async () => {
    if (known) throw new AppError('identity_taken', `customer ${known.id} has it`);
    if (!context.isDry) await link(context, customerId, converted);
  });
  if (isDone) count(context, 'identities');
}

async function moveOneOrder(
  context: Context,
  customerId: string,
  id: string,
  converted: Exclude<ReturnType<typeof convertOrder>, { left: unknown }>,
): Promise<void> {
  const { target, isDry, findings } = context;
  const kindOf = (error: AppError) => (isChanged(error) ? 'order_changed' : 'order_paid_twice');
  const isDone = await attempt(context, id, kindOf, async () => {
    if (isDry) return;
    const { replayed } = await moveOrder(target.deps, { customerId }, converted.order, CALL, (order) =>
      renderOrder(200)({ order, granted: NO_BATCHES }),
    );
    if (!replayed) count(context, 'orders');
  });
  if (!isDone) return;
  if (isDry) count(context, 'orders');
  for (const kind of converted.changed ?? []) findings.add(kind, id);
}

async function moveBatch(context: Context, customerId: string, batch: SourceBatch): Promise<void> {
  const { target, isDry, findings, catalogue } = context;
  const converted = convertBatch(batch, catalogue);
  if ('left' in converted) {
    findings.add(converted.left, batch.id, converted.reason);
    return;
  }
  const kindOf = (error: AppError) => (isChanged(error) ? 'batch_changed' : 'batch_invalid');
  const isDone = await attempt(context, batch.id, kindOf, async () => {
    if (isDry) return;
    const { replayed } = await grantQuantity(target.deps, { customerId }, converted.command, CALL, renderGrant);
    if (!replayed) count(context, 'batches');
  });
  if (!isDone) return;
  if (isDry) count(context, 'batches');
  for (const kind of converted.changed ?? []) findings.add(kind, batch.id);
}
